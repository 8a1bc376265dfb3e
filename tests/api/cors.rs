//! Pages of another origin: only those that are allowed, with all the headers that a client needs.
use crate::support::{Answer, Api, Content};
use api::Settings;
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeSet;

const ORIGIN: &str = "https://console.example";

async fn start(name: &str) -> Api {
    let settings = Settings { allowed_origins: vec![ORIGIN.to_owned()], ..Settings::default() };
    Api::start_with_settings(name, Content::World, settings).await
}

fn names(answer: &Answer, header: &str) -> BTreeSet<String> {
    answer.header(header).split(',').map(|name| name.trim().to_lowercase()).collect()
}

async fn preflight(api: &Api, path: &str, origin: &str, method: &str, headers: &str) -> Answer {
    let request = api.anonymous(Method::OPTIONS, path).header("Origin", origin);
    let request = request.header("Access-Control-Request-Method", method);
    let request = request.header("Access-Control-Request-Headers", headers);
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn an_allowed_origin_may_send_the_headers_the_api_reads() {
    let api = start("cors_preflight").await;
    for (path, method, headers) in [
        ("/v1/images", "POST", "authorization,content-type,idempotency-key,x-request-id"),
        ("/v1/events", "GET", "authorization,last-event-id"),
        ("/v1/images/nginx", "GET", "if-none-match,authorization"),
        ("/v1/clock", "PUT", "authorization,content-type"),
    ] {
        let answer = preflight(&api, path, ORIGIN, method, headers).await;
        assert!(answer.status.is_success(), "{path}: {} {}", answer.status, answer.text);
        assert_eq!(answer.header("access-control-allow-origin"), ORIGIN);
        let allowed = names(&answer, "access-control-allow-headers");
        for header in headers.split(',') {
            assert!(allowed.contains(header), "{path}: {header} is not in {allowed:?}");
        }
        assert!(names(&answer, "access-control-allow-methods").contains(&method.to_lowercase()));
    }
    for (origin, headers) in [("https://other.example", "authorization"), (ORIGIN, "x-other")] {
        let answer = preflight(&api, "/v1/images", origin, "GET", headers).await;
        assert!(!answer.status.is_success(), "{origin} {headers}: {}", answer.status);
    }
}

#[tokio::test]
async fn an_allowed_origin_may_read_the_headers_the_api_sends() {
    let api = start("cors_answers").await;
    let send = || async {
        let request = api.request(Method::POST, "/v1/images").header("Origin", ORIGIN);
        let request = request.header("Idempotency-Key", "once").json(&json!({"name": "nginx"}));
        Answer::of(request.send().await.unwrap()).await
    };
    send().await;
    let again = send().await;
    assert_eq!(again.status, 202, "{}", again.text);
    let exposed = names(&again, "access-control-expose-headers");
    for header in ["idempotency-replayed", "location", "x-request-id"] {
        assert!(again.headers.contains_key(header) && exposed.contains(header), "{header}");
    }
    // Whatever header the specification tells of can be read.
    let document = crate::operations::document();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            for response in operation["responses"].as_object().unwrap().values() {
                for header in response["headers"].as_object().unwrap().keys() {
                    assert!(exposed.contains(&header.to_lowercase()), "{header} is not exposed");
                }
            }
        }
    }
    let refused = api.anonymous(Method::GET, "/v1/images").header("Origin", ORIGIN);
    let refused = Answer::of(refused.send().await.unwrap()).await;
    refused.problem(401, "unauthenticated");
    assert_eq!(refused.header("access-control-allow-origin"), ORIGIN, "problems can be read too");
    let other = api.request(Method::GET, "/v1/images").header("Origin", "https://other.example");
    let other = Answer::of(other.send().await.unwrap()).await;
    assert!(other.header("access-control-allow-origin").is_empty());
}
