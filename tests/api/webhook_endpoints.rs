//! Webhook endpoints over the API: created, changed, tested, retried and deleted, by those who may,
//! and only at allowed addresses.
use crate::support::receiver::Receiver;
use crate::support::{Answer, Api, Content};
use api::Settings;
use api::auth::Role;
use jobs::webhooks::{AddressPolicy, Dispatcher, sign};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use telemetry::metrics::Metrics;
use tokio_util::sync::CancellationToken;

const PATH: &str = "/v1/webhook-endpoints";
const OPEN: AddressPolicy = AddressPolicy { private: true, http: true };

/// An API whose operator allows receivers on this machine.
async fn open_api(name: &str) -> Api {
    let settings = Settings { webhooks: OPEN, ..Settings::default() };
    let api = Api::start_with_settings(name, Content::World, settings).await;
    sqlx::raw_sql(
        "INSERT INTO sla_policies (id, name, calendar, clock_start, pause_without_fix, warn_permille)
         SELECT 9, 'p', 'calendar', 'detected', false, 800;
         INSERT INTO customers (id, tenant_namespace, name, contact_name, contact_email, sla_tier,
                                policy_id)
         VALUES (91, 'acme', 'A', 'A', 'a@a.example', 'gold', 9),
                (92, 'globex', 'G', 'G', 'g@g.example', 'gold', 9);",
    )
    .execute(&api.pool)
    .await
    .unwrap();
    api
}

async fn call(api: &Api, token: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    let request = api.anonymous(method, path).bearer_auth(token);
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn an_endpoint_is_created_tested_and_notified() {
    let api = open_api("endpoints_life").await;
    let receiver = Receiver::start().await;
    let editor = api.sign_in(Role::Editor, Some("acme")).await;
    let wanted = json!({"url": receiver.url("/hook"), "description": "ours",
                        "kinds": ["sla_breached"], "min_severity": "high",
                        "digest_window_seconds": 1});
    let made = api.post_as(&editor, PATH, wanted).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = made.header("location").to_owned();
    let made = made.json();
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"));
    assert_eq!(made["endpoint"]["tenant_namespace"], "acme");
    let read = api.get_as(&editor, &path).await;
    assert!(!read.text.contains(secret), "the secret is shown once");
    assert_eq!(read.json(), made["endpoint"]);
    assert_eq!(api.get_as(&editor, PATH).await.json()["items"], json!([made["endpoint"]]));

    let _stop = {
        let shutdown = CancellationToken::new();
        let dispatcher = Dispatcher::new(api.pool.clone(), OPEN, Metrics::default()).unwrap();
        tokio::spawn(dispatcher.run(shutdown.clone()));
        shutdown.drop_guard()
    };
    let test = call(&api, &editor, Method::POST, &format!("{path}/test"), None).await;
    assert_eq!(test.status, 202, "{}", test.text);
    let id = test.json()["id"].as_str().unwrap().to_owned();
    let body = json!({"count": 1, "items": [{"severity": "high"}]});
    sqlx::query(
        "INSERT INTO notifications (id, tenant_namespace, kind, at, items, subject, body)
         VALUES (95, 'acme', 'sla_breached', '2026-01-12T04:30Z', 1, '1 thing', $1)",
    )
    .bind(body)
    .execute(&api.pool)
    .await
    .unwrap();
    sqlx::query("UPDATE world SET materialized_seq = 95").execute(&api.pool).await.unwrap();
    let list = format!("{path}/deliveries?state=delivered");
    let began = Instant::now();
    let delivered = loop {
        let page = api.get_as(&editor, &list).await.json();
        if page["items"].as_array().unwrap().len() == 2 {
            break page;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "two deliveries are awaited: {page:#}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(
        (&delivered["items"][1]["id"], &delivered["items"][1]["kind"]),
        (&json!(id), &json!("test"))
    );
    assert_eq!(delivered["items"][0]["last_status"], 200);
    for message in receiver.received() {
        let timestamp = message.header("webhook-timestamp").parse().unwrap();
        let signed = sign(secret, message.header("webhook-id"), timestamp, message.body.as_bytes());
        assert_eq!(signed.as_deref(), Some(message.header("webhook-signature")));
    }
    let retry = format!("/v1/webhook-deliveries/{id}/retry");
    call(&api, &editor, Method::POST, &retry, None).await.problem(409, "webhook_delivered");
}

/// While two secrets hold, each of them alone tells that a message is ours; afterwards the new one.
#[tokio::test]
async fn a_secret_is_replaced_without_losing_a_message() {
    let api = open_api("endpoints_rotation").await;
    let receiver = Receiver::start().await;
    let editor = api.sign_in(Role::Editor, Some("acme")).await;
    let made = api.post_as(&editor, PATH, json!({"url": receiver.url("/")})).await.json();
    let path = format!("{PATH}/{}", made["endpoint"]["id"].as_str().unwrap());
    let rotate = format!("{path}/rotate-secret");
    let _stop = {
        let shutdown = CancellationToken::new();
        let dispatcher = Dispatcher::new(api.pool.clone(), OPEN, Metrics::default()).unwrap();
        tokio::spawn(dispatcher.run(shutdown.clone()));
        shutdown.drop_guard()
    };
    let first = made["secret"].as_str().unwrap().to_owned();
    let answer = api.post_as(&editor, &rotate, json!({"overlap_seconds": 3600})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let rotated = answer.json();
    let second = rotated["secret"].as_str().unwrap().to_owned();
    assert!(second.starts_with("whsec_") && second != first);
    assert!(rotated["endpoint"]["previous_secret_until_wall"].is_string(), "{rotated}");
    let read = api.get_as(&editor, &path).await;
    assert_eq!(read.json(), rotated["endpoint"]);
    assert!(!read.text.contains(&first) && !read.text.contains(&second));
    let third = async |overlap: u32| {
        let body = json!({"overlap_seconds": overlap});
        let rotated = api.post_as(&editor, &rotate, body).await.json();
        let held = rotated["endpoint"]["previous_secret_until_wall"].is_string();
        assert_eq!(held, overlap > 0, "{rotated}");
        rotated["secret"].as_str().unwrap().to_owned()
    };
    let signatures = async |count: usize, secrets: &[&str]| {
        call(&api, &editor, Method::POST, &format!("{path}/test"), None).await.json();
        let message = receiver.receives(count).await[count - 1].clone();
        let timestamp = message.header("webhook-timestamp").parse().unwrap();
        let (id, body) = (message.header("webhook-id"), message.body.as_bytes());
        let expected: Vec<String> =
            secrets.iter().map(|secret| sign(secret, id, timestamp, body).unwrap()).collect();
        assert_eq!(message.header("webhook-signature"), expected.join(" "));
    };
    signatures(1, &[&second, &first]).await;
    // The one before the last holds no longer.
    let latest = third(3600).await;
    signatures(2, &[&latest, &second]).await;
    let ended = "UPDATE webhook_endpoints SET previous_secret_until_wall = now() - interval '1 s'";
    sqlx::query(ended).execute(&api.pool).await.unwrap();
    signatures(3, &[&latest]).await;
    let alone = third(0).await;
    signatures(4, &[&alone]).await;
    let kept = "SELECT count(*) FROM webhook_endpoints WHERE previous_secret IS NOT NULL";
    assert_eq!(sqlx::query_scalar::<_, i64>(kept).fetch_one(&api.pool).await.unwrap(), 0);
    // The same request under the same name is done once, and shows no secret again.
    let again = async || {
        let request = api.anonymous(Method::POST, &rotate).bearer_auth(&editor);
        let request = request.header("Idempotency-Key", "rotate-1").json(&json!({}));
        Answer::of(request.send().await.unwrap()).await.json()
    };
    let (once, twice) = (again().await, again().await);
    assert!(once["secret"].is_string() && twice["secret"].is_null(), "{once} {twice}");
    signatures(5, &[once["secret"].as_str().unwrap(), &alone]).await;
    let other = api.sign_in(Role::Editor, Some("globex")).await;
    let answer = api.post_as(&other, &rotate, json!({})).await;
    answer.problem(404, "webhook_endpoint_not_found");
}

#[tokio::test]
async fn dead_deliveries_are_listed_and_retried() {
    let api = open_api("endpoints_dead").await;
    let receiver = Receiver::start().await;
    let made =
        api.post(PATH, json!({"url": receiver.url("/"), "tenant_namespace": "acme"})).await.json();
    let id = made["endpoint"]["id"].as_str().unwrap();
    let path = format!("{PATH}/{id}");
    let test = call(&api, &api.token, Method::POST, &format!("{path}/test"), None).await.json();
    let delivery = test["id"].as_str().unwrap();
    sqlx::query("UPDATE webhook_deliveries SET state = 'dead', attempts = 12, last_error = 'x'")
        .execute(&api.pool)
        .await
        .unwrap();
    let dead = api.get(&format!("{path}/deliveries?state=dead")).await.json();
    assert_eq!(
        (&dead["items"][0]["id"], &dead["items"][0]["attempts"]),
        (&json!(delivery), &json!(12))
    );
    assert!(dead["items"][0].get("next_wall").is_none());
    let retry = format!("/v1/webhook-deliveries/{delivery}/retry");
    let editor = api.sign_in(Role::Editor, Some("acme")).await;
    let again = call(&api, &editor, Method::POST, &retry, None).await.json();
    assert_eq!((&again["state"], &again["attempts"]), (&json!("pending"), &json!(0)));
    // A disabled endpoint gives up what waits, and takes nothing.
    let change = json!({"enabled": false});
    let changed = call(&api, &editor, Method::PATCH, &path, Some(change)).await.json();
    assert_eq!(
        (&changed["enabled"], &changed["disabled_reason"]),
        (&json!(false), &json!("asked"))
    );
    call(&api, &editor, Method::POST, &retry, None).await.problem(409, "webhook_disabled");
    let test = call(&api, &editor, Method::POST, &format!("{path}/test"), None).await;
    test.problem(409, "webhook_disabled");
    let change = json!({"enabled": true, "kinds": ["critical_cve"], "min_severity": "low"});
    let changed = call(&api, &editor, Method::PATCH, &path, Some(change)).await.json();
    assert_eq!(changed["kinds"], json!(["critical_cve"]));
    assert_eq!((&changed["enabled"], &changed["min_severity"]), (&json!(true), &json!("low")));
    let change = json!({"kinds": [], "min_severity": null});
    let changed = call(&api, &editor, Method::PATCH, &path, Some(change)).await.json();
    assert!(changed.get("kinds").is_none() && changed.get("min_severity").is_none());
    assert_eq!(call(&api, &editor, Method::DELETE, &path, None).await.status, 200);
    api.get(&path).await.problem(404, "webhook_endpoint_not_found");
    call(&api, &editor, Method::POST, &retry, None)
        .await
        .problem(404, "webhook_delivery_not_found");
}

#[tokio::test]
async fn dead_deliveries_can_be_discarded() {
    let api = open_api("endpoints_discard").await;
    let acme = api.sign_in(Role::Editor, Some("acme")).await;
    let made = api.post_as(&acme, PATH, json!({"url": "https://hooks.example.com/"})).await.json();
    let path = format!("{PATH}/{}", made["endpoint"]["id"].as_str().unwrap());
    let test = call(&api, &acme, Method::POST, &format!("{path}/test"), None).await.json();
    let delivery = format!("/v1/webhook-deliveries/{}", test["id"].as_str().unwrap());
    let (discard, retry) = (format!("{delivery}/discard"), format!("{delivery}/retry"));
    let post = |token: &str, path: &str| {
        let (api, token, path) = (&api, token.to_owned(), path.to_owned());
        async move { call(api, &token, Method::POST, &path, None).await }
    };
    post(&acme, &discard).await.problem(409, "webhook_not_dead");
    sqlx::query("UPDATE webhook_deliveries SET state = 'dead', attempts = 12, last_error = 'x'")
        .execute(&api.pool)
        .await
        .unwrap();
    let globex = api.sign_in(Role::Editor, Some("globex")).await;
    post(&globex, &discard).await.problem(404, "webhook_delivery_not_found");
    let viewer = api.sign_in(Role::Viewer, Some("acme")).await;
    post(&viewer, &discard).await.problem(403, "forbidden");
    // Also when nothing is sent to the endpoint any more.
    call(&api, &acme, Method::PATCH, &path, Some(json!({"enabled": false}))).await.json();
    let given_up = post(&acme, &discard).await.json();
    assert_eq!(
        (&given_up["state"], &given_up["attempts"], &given_up["last_error"]),
        (&json!("discarded"), &json!(12), &json!("x"))
    );
    let listed = |state: &str| format!("{path}/deliveries?state={state}");
    assert_eq!(api.get(&listed("dead")).await.json()["total"]["count"], 0);
    assert_eq!(api.get(&listed("discarded")).await.json()["items"], json!([given_up]));
    for again in [&discard, &retry] {
        post(&acme, again).await.problem(409, "webhook_not_dead");
    }
    let missing = "/v1/webhook-deliveries/msg_0/discard";
    post(&acme, missing).await.problem(404, "webhook_delivery_not_found");
    let done = api.get("/v1/actions?operation=discardWebhookDelivery&outcome=done").await.json();
    assert_eq!(done["items"][0]["object"], delivery);
    // It is forgotten like all that ended.
    let long_ago = "UPDATE webhook_deliveries SET created_wall = now() - interval '31 days'";
    sqlx::query(long_ago).execute(&api.pool).await.unwrap();
    let mut conn = api.pool.acquire().await.unwrap();
    assert_eq!(store::webhooks::queue::delete_ended(&mut conn, 10).await.unwrap(), 1);
}

#[tokio::test]
async fn endpoints_at_forbidden_addresses_are_refused() {
    let api = Api::start("endpoints_refused").await;
    for url in [
        "http://hooks.example.com/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:10.0.0.1]/",
        "https://localhost:5432/",
        "https://user:password@hooks.example.com/",
        "file:///etc/passwd",
        "nothing",
    ] {
        let answer = api.post(PATH, json!({ "url": url })).await;
        answer.problem(422, "webhook_url_refused");
    }
    let made = api.post(PATH, json!({"url": "https://hooks.example.com/x"})).await.json();
    assert!(made["endpoint"].get("tenant_namespace").is_none(), "the platform's own");
    let path = format!("{PATH}/{}", made["endpoint"]["id"].as_str().unwrap());
    let change = Some(json!({"url": "https://10.0.0.1/"}));
    call(&api, &api.token, Method::PATCH, &path, change).await.problem(422, "webhook_url_refused");
    for (body, code) in [
        (json!({}), "invalid_body"),
        (json!({"url": "https://a.example/", "kinds": ["all"]}), "invalid_body"),
        (json!({"url": "https://a.example/", "digest_window_seconds": 0}), "invalid_body"),
        (json!({"url": "https://a.example/", "digest_window_seconds": 86401}), "invalid_body"),
        (json!({"url": "https://a.example/", "description": "a\nb"}), "invalid_body"),
        (json!({"url": "https://a.example/", "secret": "whsec_mine"}), "invalid_body"),
        (json!({"url": format!("https://a.example/{}", "x".repeat(2000))}), "invalid_body"),
    ] {
        api.post(PATH, body).await.problem(400, code);
    }
    let theirs = json!({"url": "https://a.example/", "tenant_namespace": "nobody"});
    api.post(PATH, theirs).await.problem(422, "unknown_tenant");
    assert_eq!(api.get(PATH).await.json()["items"].as_array().unwrap().len(), 1);
    for _ in 1..20 {
        assert_eq!(api.post(PATH, json!({"url": "https://a.example/"})).await.status, 201);
    }
    api.post(PATH, json!({"url": "https://a.example/"})).await.problem(409, "too_many_webhooks");
}

#[tokio::test]
async fn an_endpoint_belongs_to_one_tenant() {
    let api = open_api("endpoints_tenant").await;
    let url = "https://hooks.example.com/";
    let acme = api.sign_in(Role::Editor, Some("acme")).await;
    let globex = api.sign_in(Role::Editor, Some("globex")).await;
    let ours = api.post_as(&acme, PATH, json!({ "url": url })).await.json();
    let platform = api.post(PATH, json!({ "url": url })).await.json();
    let theirs = json!({"url": url, "tenant_namespace": "acme"});
    api.post_as(&globex, PATH, theirs).await.problem(422, "unknown_tenant");
    for endpoint in [ours, platform] {
        let path = format!("{PATH}/{}", endpoint["endpoint"]["id"].as_str().unwrap());
        for (method, path, body) in [
            (Method::GET, path.clone(), None),
            (Method::GET, format!("{path}/deliveries"), None),
            (Method::PATCH, path.clone(), Some(json!({"enabled": false}))),
            (Method::POST, format!("{path}/test"), None),
            (Method::DELETE, path.clone(), None),
        ] {
            let answer = call(&api, &globex, method, &path, body).await;
            answer.problem(404, "webhook_endpoint_not_found");
        }
    }
    assert_eq!(api.get_as(&globex, PATH).await.json()["items"], json!([]));
    assert_eq!(api.get_as(&acme, PATH).await.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(api.get(PATH).await.json()["items"].as_array().unwrap().len(), 2);
    let viewer = api.sign_in(Role::Viewer, Some("acme")).await;
    api.post_as(&viewer, PATH, json!({ "url": url })).await.problem(403, "forbidden");
}
