//! Every error is a problem document, and hostile input never causes a server error.
use crate::support::{Answer, Api};
use api::auth::Role;
use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn unknown_routes_and_methods_are_problems() {
    let api = Api::start("problems_routes").await;
    let problem = api.get("/v3/images").await.problem(404, "route_not_found");
    assert_eq!(problem["instance"], "/v3/images");
    for path in ["/v1", "/v1/images/", "/v1/images/nginx/nothing", "/docs/nothing", "//", "/%FF"] {
        api.get(path).await.problem(404, "route_not_found");
    }
    for (method, path, allow) in [
        (Method::DELETE, "/v1/images", "GET, HEAD, POST"),
        (Method::PUT, "/v1/images/nginx", "GET, HEAD"),
        (Method::POST, "/v1/clock", "GET, HEAD, PUT"),
        (Method::PATCH, "/health", "GET, HEAD"),
        (Method::GET, "/v1/webhooks/upstream", "POST"),
        (Method::OPTIONS, "/v1/builds", "GET, HEAD"),
        (Method::POST, "/docs", "GET, HEAD"),
    ] {
        let answer = Answer::of(api.request(method, path).send().await.unwrap()).await;
        answer.problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), allow, "{path}");
    }
}

#[tokio::test]
async fn malformed_parameters_are_problems() {
    let api = Api::start("problems_parameters").await;
    for path in [
        "/v1/images?page_size=0",
        "/v1/images?page_size=201",
        "/v1/images?page_size=-1",
        "/v1/images?page_size=99999999999999999999",
        "/v1/images?page_size=ten",
        "/v1/images?page_size=",
        "/v1/images?name=",
        "/v1/images?name=%00",
        "/v1/images?name=a&name=b",
        "/v1/images?as_of=",
        "/v1/images?as_of=yesterday",
        "/v1/images?as_of=2026-01-12",
        "/v1/images?as_of=2026-01-12T00:00:00+01:00",
        "/v1/images?as_of=99999-01-12T00:00:00Z",
        "/v1/images/nginx?as_of=1",
        "/v1/builds/x",
        "/v1/builds/-1",
        "/v1/builds/1.5",
        "/v1/builds/99999999999999999999999",
        "/v1/builds/%00",
        "/v1/builds/%FF",
        "/v1/images/%FF",
        "/v1/builds?status=PENDING",
        "/v1/builds?trigger=%F0%9F%92%A5",
        "/v1/builds?image=%00",
    ] {
        api.get(path).await.problem(400, "invalid_parameter");
    }
    let problem = api.get("/v1/images?nmae=x").await.problem(400, "unknown_parameter");
    assert!(problem["hint"].as_str().unwrap().contains("name"), "{problem:#}");
    for path in [
        "/v1/images/%00",
        "/v1/images/a%2Fb",
        "/v1/images/99999999999999999999",
        "/v1/images/NGINX",
    ] {
        api.get(path).await.problem(404, "image_not_found");
    }
    api.get(&format!("/v1/images/{}", "x".repeat(5000))).await.problem(404, "image_not_found");
    api.get("/v1/builds/9223372036854775807").await.problem(404, "build_not_found");
}

#[tokio::test]
async fn malformed_bodies_are_problems() {
    let api = Api::start("problems_bodies").await;
    let post = |body: Vec<u8>, media_type: Option<&str>| {
        let request = api.request(Method::POST, "/v1/images").body(body);
        match media_type {
            Some(media_type) => request.header("Content-Type", media_type),
            None => request,
        }
    };
    let json = Some("application/json");
    let deep = [vec![b'['; 30_000], vec![b']'; 30_000]].concat();
    for (body, media_type, status, code) in [
        (b"{".to_vec(), json, 400, "invalid_body"),
        (b"".to_vec(), json, 400, "invalid_body"),
        (b"null".to_vec(), json, 400, "invalid_body"),
        (b"\xff\xfe".to_vec(), json, 400, "invalid_body"),
        (br#"{"name": "\ud800"}"#.to_vec(), json, 400, "invalid_body"),
        (br#"{"name": 1e999}"#.to_vec(), json, 400, "invalid_body"),
        (deep, json, 400, "invalid_body"),
        (b"{}".to_vec(), Some("text/plain"), 415, "unsupported_media_type"),
        (
            b"{}".to_vec(),
            Some("\u{7f}x".trim_start_matches('\u{7f}')),
            415,
            "unsupported_media_type",
        ),
        (b"{}".to_vec(), None, 415, "unsupported_media_type"),
        (vec![b' '; 70_000], json, 413, "body_too_large"),
    ] {
        let answer = Answer::of(post(body, media_type).send().await.unwrap()).await;
        answer.problem(status, code);
    }
}

/// A body that does not say how long it is must not be read to its end.
#[tokio::test]
async fn an_endless_request_body_is_cut_off() {
    let api = Api::start("problems_endless").await;
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    let token = api.sign_in(Role::Admin, None).await;
    let head = format!(
        "POST /v1/images HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    for _ in 0..8 {
        // The server may close before all is written.
        if stream.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("body_too_large"), "{answer}");
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_security_headers() {
    let api = Api::start("problems_headers").await;
    for path in ["/health", "/v1/images", "/nothing", "/docs", "/openapi.json", "/"] {
        let answer = api.get(path).await;
        assert_eq!(answer.header("x-request-id").len(), 26, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"));
        assert!(answer.header("access-control-allow-origin").is_empty());
    }
    let named = api.request(Method::GET, "/nothing").header("X-Request-Id", "trace-7");
    let answer = Answer::of(named.send().await.unwrap()).await;
    assert_eq!(answer.problem(404, "route_not_found")["request_id"], "trace-7");
    let hostile = api.request(Method::GET, "/nothing").header("X-Request-Id", "a b<script>");
    let answer = Answer::of(hostile.send().await.unwrap()).await;
    assert_eq!(answer.header("x-request-id").len(), 26);
}

/// Every list, object, text and problem that is long enough goes out compressed to whoever takes it,
/// and says that it depends on that.
#[tokio::test]
async fn answers_are_compressed_for_those_who_take_it() {
    let api = Api::start("problems_gzip").await;
    for path in [
        "/v1/images",
        "/v1/images/nginx",
        "/v1/clock",
        "/v1/timeline",
        "/problems",
        "/health",
        "/ready",
        "/v1/scenarios",
        "/v1/images/nginy",
        "/v1/images?page_size=0",
        "/nothing",
        "/v1/builds/4/log",
    ] {
        let plain = api.get(path).await;
        assert!(plain.header("content-encoding").is_empty(), "{path}");
        assert_eq!(plain.header("vary"), "Accept-Encoding", "{path}");
        let request = api.request(Method::GET, path).header("Accept-Encoding", "br, gzip;q=0.5");
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        let header = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap());
        assert_eq!((status, header("vary")), (plain.status, "Accept-Encoding"), "{path}");
        if plain.text.len() < 256 {
            assert_eq!((header("content-encoding"), &bytes[..]), ("", plain.text.as_bytes()));
            continue;
        }
        assert_eq!(header("content-encoding"), "gzip", "{path}");
        assert!(bytes.len() < plain.text.len(), "{path}");
        let text = documents::gzip::decompress(&bytes, 1 << 20).unwrap();
        let without_ids = |text: &str| -> Value {
            let mut value: Value = serde_json::from_str(text).unwrap();
            if let Some(map) = value.as_object_mut() {
                map.remove("request_id");
            }
            value
        };
        let text = String::from_utf8(text).unwrap();
        assert_eq!(without_ids(&text), without_ids(&plain.text), "{path}");
        let tag = header("etag");
        if !tag.is_empty() {
            assert_eq!(tag, format!("W/{}", plain.header("etag")), "{path}");
            let request = api.request(Method::GET, path).header("If-None-Match", tag);
            assert_eq!(request.send().await.unwrap().status(), 304, "{path}");
        }
    }
}

#[tokio::test]
async fn every_problem_code_is_documented() {
    let api = Api::start("problems_codes").await;
    let all = api.get("/problems").await.json();
    for problem in all.as_array().unwrap() {
        let code = problem["code"].as_str().unwrap();
        let one: Value = api.get(&format!("/problems/{code}")).await.json();
        assert_eq!(&one, problem);
    }
    api.get("/problems/nothing").await.problem(404, "problem_not_found");
}
