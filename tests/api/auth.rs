//! Keys, tokens, roles, and the record of actions.
use crate::support::{Answer, Api, Content};
use api::Limits;
use api::auth::{ApiKey, Role};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn exchange(api: &Api, key: &str) -> Answer {
    let request = api.anonymous(Method::POST, "/v1/auth/token").json(&json!({"api_key": key}));
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_key_is_exchanged_for_a_token() {
    let api = Api::start("auth_exchange").await;
    let key = api.key(Role::Viewer, Some("acme")).await;
    let token = exchange(&api, &key.reveal()).await.json();
    assert_eq!((&token["token_type"], &token["expires_in"]), (&"Bearer".into(), &900.into()));
    assert_eq!((&token["role"], &token["tenant_namespace"]), (&"viewer".into(), &"acme".into()));
    let token = token["access_token"].as_str().unwrap();
    let me = api.get_as(token, "/v1/auth/me").await.json();
    assert_eq!(me["key_id"], key.id());
    assert_eq!(me["tenant_namespace"], "acme");
    let used: bool =
        sqlx::query_scalar("SELECT last_used_wall IS NOT NULL FROM api_keys WHERE id = $1")
            .bind(key.id())
            .fetch_one(&api.pool)
            .await
            .unwrap();
    assert!(used);
}

#[tokio::test]
async fn an_invalid_key_gets_no_token() {
    let api = Api::start("auth_wrong").await;
    let key = api.key(Role::Viewer, None).await;
    let other = ApiKey::generate().unwrap().reveal();
    let wrong_secret = format!("wt_{}_{}", key.id(), other.splitn(3, '_').nth(2).unwrap());
    let wrong_secret =
        if ApiKey::parse(&wrong_secret).is_ok() { wrong_secret } else { other.clone() };
    for text in ["x", "wt_1_2", &other, &wrong_secret, &key.reveal()[..40]] {
        exchange(&api, text).await.problem(401, "invalid_api_key");
    }
    sqlx::query("UPDATE api_keys SET expires_wall = now()").execute(&api.pool).await.unwrap();
    exchange(&api, &key.reveal()).await.problem(401, "invalid_api_key");
    exchange(&api, "").await.problem(400, "invalid_body");
    let refused: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM actions WHERE operation = 'getToken' AND code = 'invalid_api_key'",
    )
    .fetch_one(&api.pool)
    .await
    .unwrap();
    assert!(refused >= 3, "wrong but well-formed keys are recorded");
}

#[tokio::test]
async fn guessing_keys_is_rate_limited() {
    let api = Api::start_with("auth_guesses", Content::World, Limits::default()).await;
    let guess = ApiKey::generate().unwrap().reveal();
    let mut limited = 0;
    for _ in 0..60 {
        let answer = exchange(&api, &guess).await;
        if answer.status == 429 {
            answer.problem(429, "rate_limited");
            assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
            limited += 1;
        }
    }
    assert!(limited > 0);
}

#[tokio::test]
async fn requests_need_a_valid_token() {
    let api = Api::start("auth_token").await;
    let send = |header: Option<&str>| {
        let request = api.anonymous(Method::GET, "/v1/images");
        let request = match header {
            Some(header) => request.header("authorization", header),
            None => request,
        };
        async { Answer::of(request.send().await.unwrap()).await }
    };
    let key = api.key(Role::Viewer, None).await.reveal();
    for header in [
        None,
        Some("Bearer"),
        Some("Bearer "),
        Some("Bearer x"),
        Some("Basic dXNlcjpwYXNz"),
        Some("Bearer a.b.c"),
        Some(format!("Bearer {key}").as_str()),
    ] {
        let answer = send(header).await;
        answer.problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let token = api.sign_in(Role::Viewer, None).await;
    assert_eq!(send(Some(&format!("bearer {token}"))).await.status, 200);
}

#[tokio::test]
async fn keys_are_created_listed_and_revoked() {
    let api = Api::start("auth_keys").await;
    let made = api.post("/v1/api-keys", json!({"name": "ci", "role": "viewer"})).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    let (whole, id) = (made["api_key"].as_str().unwrap(), made["key"]["id"].as_str().unwrap());
    let listed = api.get("/v1/api-keys").await;
    let secret = whole.strip_prefix(&format!("wt_{id}_")).unwrap();
    assert!(listed.text.contains(id) && !listed.text.contains(secret));

    let token = exchange(&api, whole).await.json();
    let token = token["access_token"].as_str().unwrap().to_owned();
    assert_eq!(api.get_as(&token, "/v1/images").await.status, 200);
    let revoke = || async {
        let request = api.request(Method::DELETE, &format!("/v1/api-keys/{id}"));
        Answer::of(request.send().await.unwrap()).await
    };
    assert!(revoke().await.json()["revoked_wall"].is_string());
    assert_eq!(revoke().await.status, 200, "revoking again changes nothing");
    exchange(&api, whole).await.problem(401, "invalid_api_key");
    // What is known of a key is a moment old at the most.
    let began = Instant::now();
    let refused = loop {
        let answer = api.get_as(&token, "/v1/images").await;
        if answer.status != 200 {
            break answer;
        }
        let waited = began.elapsed() < Duration::from_secs(60);
        assert!(waited, "the token of a revoked key is still accepted");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    refused.problem(401, "unauthenticated");

    for (body, status, code) in [
        (json!({"name": "x", "role": "root"}), 400, "invalid_body"),
        (json!({"name": "", "role": "viewer"}), 400, "invalid_body"),
        (json!({"name": "x\u{0}", "role": "viewer"}), 400, "invalid_body"),
        (json!({"name": "x", "role": "viewer", "tenant_namespace": "no"}), 422, "unknown_tenant"),
        (json!({"name": "x", "role": "admin", "tenant_namespace": "no"}), 422, "contradiction"),
        (json!({"name": "x", "role": "viewer", "expires_in_days": 0}), 400, "invalid_body"),
    ] {
        api.post("/v1/api-keys", body).await.problem(status, code);
    }
    for id in ["0123456789abcdef", "x", "%00"] {
        let request = api.request(Method::DELETE, &format!("/v1/api-keys/{id}"));
        Answer::of(request.send().await.unwrap()).await.problem(404, "api_key_not_found");
    }
}

/// A path with something in the place of every parameter.
fn path_of(template: &str) -> String {
    let parts = template.split('/').map(|part| match part {
        part if part.starts_with('{') => "1",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_role_may_call_exactly_the_operations_the_specification_allows() {
    let api = Api::start("auth_matrix").await;
    let document = crate::operations::document();
    let mut asked = 0;
    let mut tokens = Vec::new();
    for role in Role::ALL {
        tokens.push((role, false, api.sign_in(role, None).await));
        if role != Role::Admin {
            tokens.push((role, true, api.sign_in(role, Some("acme")).await));
        }
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(roles) = operation["x-roles"].as_array() else { continue };
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let path = path_of(path);
            let anonymous = api.anonymous(method.clone(), &path).send().await.unwrap();
            Answer::of(anonymous).await.problem(401, "unauthenticated");
            for (role, is_tenants, token) in &tokens {
                let request = api.anonymous(method.clone(), &path).bearer_auth(token);
                let response = request.send().await.unwrap();
                let of_platform = operation["x-platform"] == true;
                let may = roles.iter().any(|r| r == role.as_str()) && !(of_platform && *is_tenants);
                let status = response.status().as_u16();
                assert_eq!(status != 403, may, "{method} {path} as {role}: {status}");
                assert_ne!(status, 401, "{method} {path} as {role}");
                assert!(status < 500, "{method} {path} as {role}: {status}");
                if !may {
                    Answer::of(response).await.problem(403, "forbidden");
                }
                asked += 1;
            }
        }
    }
    assert!(asked >= 7 * 20, "{asked}");
}

#[tokio::test]
async fn actions_and_refusals_are_recorded() {
    let api = Api::start("auth_actions").await;
    let viewer = api.sign_in(Role::Viewer, None).await;
    api.post_as(&viewer, "/v1/images", json!({"name": "nginx"})).await.problem(403, "forbidden");
    let build = api.post("/v1/images", json!({"name": "nginx"})).await;
    let id = build.header("x-request-id").to_owned();
    api.post("/v1/images", json!({"name": "redis"})).await.problem(409, "image_end_of_life");
    let actions = api.get("/v1/actions").await.json();
    let seen: Vec<(&str, &str, &str)> = actions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| {
            let text = |field: &str| a[field].as_str().unwrap_or_default();
            (text("outcome"), text("code"), text("object"))
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("refused", "image_end_of_life", "/v1/images"),
            ("done", "", "/v1/builds/1000000001"),
            ("refused", "forbidden", "/v1/images"),
        ]
    );
    let done = &actions["items"][1];
    assert_eq!(done["request_id"], id);
    assert_eq!(done["at"], "2026-01-12T06:00:00Z");
    assert!(done["happened_wall"].is_string());
    let refused = api.get("/v1/actions?outcome=refused&page_size=1").await.json();
    let next = refused["next_page_token"].as_str().unwrap();
    let path = format!("/v1/actions?outcome=refused&page_size=1&page_token={next}");
    assert_eq!(api.get(&path).await.json()["items"][0]["code"], "forbidden");
}

#[tokio::test]
async fn a_request_is_carried_out_once_per_idempotency_key() {
    let api = Api::start("auth_once").await;
    let post = |key: &str, body: Value| {
        let request = api.request(Method::POST, "/v1/images").header("Idempotency-Key", key);
        async move { Answer::of(request.json(&body).send().await.unwrap()).await }
    };
    let first = post("a", json!({"name": "nginx"})).await;
    let again = post("a", json!({"name": "nginx"})).await;
    assert_eq!((first.status, again.status), (202.try_into().unwrap(), first.status));
    assert_eq!(first.text, again.text);
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!(
        (first.header("idempotency-replayed"), again.header("idempotency-replayed")),
        ("", "true")
    );
    post("a", json!({"name": "late"})).await.problem(422, "idempotency_key_reused");
    post("", json!({"name": "nginx"})).await.problem(400, "invalid_parameter");
    post(&"x".repeat(129), json!({"name": "nginx"})).await.problem(400, "invalid_parameter");
    // A refusal is not kept: the same request may succeed later.
    post("b", json!({"name": "redis"})).await.problem(409, "image_end_of_life");
    post("b", json!({"name": "redis"})).await.problem(409, "image_end_of_life");
    // Of many at the same time one is done, and all get its answer or are told to come again.
    let all = futures::future::join_all((0..8).map(|_| post("c", json!({"name": "nginx"})))).await;
    for answer in &all {
        match answer.status.as_u16() {
            202 => assert_eq!(answer.json()["id"], 1_000_000_002),
            _ => drop(answer.problem(409, "idempotency_key_in_use")),
        }
    }
    let commands: i64 =
        sqlx::query_scalar("SELECT count(*) FROM commands").fetch_one(&api.pool).await.unwrap();
    assert_eq!(commands, 2);
    // Another caller's key of the same name is another key.
    let other = api.sign_in(Role::Editor, None).await;
    let request = api.anonymous(Method::POST, "/v1/images").bearer_auth(other);
    let request = request.header("Idempotency-Key", "a").json(&json!({"name": "nginx"}));
    let other = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(other.json()["id"], 1_000_000_003);
}

#[tokio::test]
async fn no_secret_is_stored() {
    let api = Api::start("auth_secrets").await;
    for (path, body, secret) in [
        ("/v1/api-keys", json!({"name": "k", "role": "viewer"}), "api_key"),
        ("/v1/webhook-sources", json!({"name": "git.example"}), "secret"),
        ("/v1/webhook-endpoints", json!({"url": "https://93.184.216.34/hook"}), "secret"),
    ] {
        let post = || async {
            let request = api.request(Method::POST, path).header("Idempotency-Key", path);
            Answer::of(request.json(&body).send().await.unwrap()).await
        };
        let mut first = post().await.json();
        let shown = first.as_object_mut().unwrap().remove(secret).expect("shown once");
        let again = post().await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.json(), first, "the same, without the secret");
        let shown = shown.as_str().unwrap();
        let kept: i64 =
            sqlx::query_scalar("SELECT count(*) FROM idempotency_keys WHERE strpos(body, $1) > 0")
                .bind(&shown[shown.len() - 20..])
                .fetch_one(&api.pool)
                .await
                .unwrap();
        assert_eq!(kept, 0, "{path}");
    }
}

#[tokio::test]
async fn an_idempotent_answer_is_kept_for_a_day() {
    let api = Api::start("auth_day").await;
    let post = || async {
        let request = api.request(Method::POST, "/v1/images").header("Idempotency-Key", "a");
        Answer::of(request.json(&json!({"name": "nginx"})).send().await.unwrap()).await
    };
    let first = post().await.json()["id"].clone();
    let age = |hours: i32| {
        sqlx::query("UPDATE idempotency_keys SET created_wall = now() - make_interval(hours => $1)")
            .bind(hours)
            .execute(&api.pool)
    };
    age(23).await.unwrap();
    let mut conn = api.pool.acquire().await.unwrap();
    assert_eq!(store::idempotency::delete_expired(&mut conn, 10).await.unwrap(), 0);
    assert_eq!(post().await.json()["id"], first);
    age(25).await.unwrap();
    assert_eq!(store::idempotency::delete_expired(&mut conn, 10).await.unwrap(), 1);
    assert_ne!(post().await.json()["id"], first, "another build");
}

#[tokio::test]
async fn an_unchanged_answer_is_304() {
    let api = Api::start("auth_etag").await;
    let first = api.get("/v1/images").await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && first.header("cache-control").contains("no-cache"));
    let request = api.request(Method::GET, "/v1/images").header("If-None-Match", &tag);
    let again = Answer::of(request.send().await.unwrap()).await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    assert_eq!(again.header("etag"), tag);
    api.post("/v1/images", json!({"name": "fresh", "packages": ["zlib"]})).await.json();
    let request = api.request(Method::GET, "/v1/images").header("If-None-Match", &tag);
    assert_eq!(request.send().await.unwrap().status(), 200);
}
