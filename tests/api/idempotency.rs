//! `Idempotency-Key` on every operation that takes it: sent twice, carried out once, answered the
//! same. The operations are those of the specification.
use crate::operations;
use crate::snapshot;
use crate::support::{Answer, Api, customers, live};
use serde_json::{Value, json};

/// What the requests are about: an external build, dead jobs, a dead delivery.
const ROWS: &str = r#"
INSERT INTO build_events (id, image_id, tenant_namespace, trigger, cause, status, requested_at)
VALUES (90, 1, 'catalogue', 'manual', '{"trigger": "manual", "external": true}', 'pending',
        '2026-01-12T05:50Z');
INSERT INTO ledger (id, queue, phase, at, payload, state, error) VALUES
  (91, 'scan', 0, '2026-01-12T05:00Z', '{}', 'dead', 'a'),
  (92, 'scan', 0, '2026-01-12T05:00Z', '{}', 'dead', 'b');
INSERT INTO webhook_endpoints (id, url, description, secret, digest_seconds, told_through,
                               created_by)
VALUES ('whe_93', 'https://hook.example/', '', 'whsec_x', 1, 0, 'test');
INSERT INTO webhook_deliveries (id, endpoint_id, kind, notification_ids, collecting, state,
                                next_wall)
VALUES ('msg_94', 'whe_93', 'test', '{}', false, 'dead', now()),
       ('msg_95', 'whe_93', 'test', '{}', false, 'dead', now());
INSERT INTO studies (id, name, title, study, scenarios, seed, expected, requested_by)
OVERRIDING SYSTEM VALUE VALUES (96, 'a', 'A', '', '[]', 1, 1, 'test');
"#;

/// What a request of an operation is about in this world: the values of its path, and its body
/// where the specification's example would not do.
fn request(operation: &str) -> (Vec<String>, Option<Value>) {
    let (path, body) = match operation {
        "registerAdvisory"
        | "injectIncident"
        | "createApiKey"
        | "checkScenario"
        | "createDrill"
        | "createForecast"
        | "startSlaCheck"
        | "createWebhookEndpoint"
        | "createWebhookSource"
        | "createStudy" => (vec![], None),
        "cancelStudy" => (vec!["96"], None),
        "buildImage" => (vec![], Some(json!({"name": "nginx"}))),
        "startScan" => (vec![], Some(json!({"image": "nginx"}))),
        "loadScenario" => (vec![], Some(json!({"name": "classroom", "replace": "small"}))),
        "useImage" => (vec!["gold-1"], Some(json!({"image": "nginx"}))),
        "completeBuild" => (vec!["90"], None),
        "retryJob" => (vec!["91"], None),
        "discardJob" => (vec!["92"], None),
        "testWebhookEndpoint" | "rotateWebhookSecret" => (vec!["whe_93"], None),
        "retryWebhookDelivery" => (vec!["msg_94"], None),
        "discardWebhookDelivery" => (vec!["msg_95"], None),
        other => panic!("what can {other} be asked?"),
    };
    (path.into_iter().map(str::to_owned).collect(), body)
}

#[tokio::test]
async fn every_operation_is_carried_out_once_per_idempotency_key() {
    let api = Api::start("once").await;
    customers::add(&api.pool).await;
    sqlx::raw_sql(ROWS).execute(&api.pool).await.unwrap();
    let mut asked = 0;
    let mut all = operations::all();
    // Last, for it needs another world: one that the kernel tells.
    all.sort_by_key(|operation| operation.id == "createForecast");
    for operation in all {
        let takes_key = operation.takes("header", "Idempotency-Key");
        if !takes_key {
            continue;
        }
        let id = operation.id.as_str();
        let (path, body) = request(id);
        let body = body.or_else(|| operation.body.clone());
        let send = |key: &'static str| {
            let request = api.request(operation.method.clone(), &operation.at(&path));
            let request = request.header("Idempotency-Key", key);
            let request = match &body {
                Some(body) => request.json(body),
                None => request,
            };
            async move { Answer::of(request.send().await.unwrap()).await }
        };
        if id == "createForecast" {
            live::record(&api.pool, "classroom", 2).await;
        }
        let before = snapshot::hashes(&api.pool, None).await;
        let first = send(key_of(id)).await;
        assert!(first.status.is_success(), "{id}: {} {}", first.status, first.text);
        let done = snapshot::hashes(&api.pool, None).await;
        assert_ne!(before, done, "{id} does nothing");
        let again = send(key_of(id)).await;
        assert_eq!(snapshot::hashes(&api.pool, None).await, done, "{id} is done twice");
        assert_eq!((again.status, again.json()), (first.status, shown_again(first.json())), "{id}");
        assert_eq!(again.header("location"), first.header("location"), "{id}");
        let replayed = (first.header("idempotency-replayed"), again.header("idempotency-replayed"));
        assert_eq!(replayed, ("", "true"), "{id}");
        asked += 1;
    }
    // Everything that asks for something under a token takes the header.
    let posts = operations::all()
        .into_iter()
        .filter(|operation| operation.method == reqwest::Method::POST && operation.roles.is_some());
    assert_eq!(asked, posts.count());
}

/// An answer as it is given again: a secret is shown once.
fn shown_again(mut answer: Value) -> Value {
    for secret in ["api_key", "secret"] {
        answer.as_object_mut().unwrap().remove(secret);
    }
    answer
}

/// A key for each operation.
fn key_of(operation: &str) -> &'static str {
    format!("once-{operation}").leak()
}

/// The same key on another operation, or with another body, is a mistake that is told.
#[tokio::test]
async fn an_idempotency_key_stands_for_one_request() {
    let api = Api::start("once_other").await;
    let send = |path: &'static str, body: Value| {
        let request = api.request(reqwest::Method::POST, path).header("Idempotency-Key", "one");
        async move { Answer::of(request.json(&body).send().await.unwrap()).await }
    };
    assert_eq!(send("/v1/scans", json!({"image": "nginx"})).await.status, 202);
    for (path, body) in [
        ("/v1/scans", json!({"image": "redis"})),
        ("/v1/scans", json!({})),
        ("/v1/images", json!({"name": "nginx"})),
        ("/v1/sla-checks", json!({})),
    ] {
        send(path, body).await.problem(422, "idempotency_key_reused");
    }
    assert_eq!(send("/v1/scans", json!({"image": "nginx"})).await.status, 202);
}
