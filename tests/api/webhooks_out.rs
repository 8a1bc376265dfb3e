//! Outgoing webhooks against a real receiver: signatures, digests, retries, the dead letter, and
//! many dispatchers at once.
use crate::support::Api;
use crate::support::receiver::{Received, Receiver};
use jobs::webhooks::{AddressPolicy, Dispatcher, SigningSecret, sign};
use serde_json::Value;
use sqlx::PgPool;
use std::time::Duration;
use store::webhooks::endpoints::{self, EndpointRow, NewEndpoint};
use telemetry::metrics::Metrics;
use tokio_util::sync::{CancellationToken, DropGuard};

const OPEN: AddressPolicy = AddressPolicy { private: true, http: true };

struct Endpoint {
    row: EndpointRow,
    secret: SigningSecret,
}

async fn endpoint(pool: &PgPool, url: &str, change: impl FnOnce(&mut NewEndpoint<'_>)) -> Endpoint {
    let secret = SigningSecret::generate().unwrap();
    let mut new = NewEndpoint {
        tenant_namespace: Some("acme"),
        url,
        description: "",
        secret: secret.reveal(),
        kinds: None,
        min_severity: None,
        digest_seconds: 1,
        created_by: "test",
    };
    change(&mut new);
    let row = endpoints::insert(&mut pool.acquire().await.unwrap(), &new).await.unwrap();
    Endpoint { row, secret }
}

async fn notify(pool: &PgPool, id: i64, tenant: &str, kind: &str, severity: &str) {
    let item =
        serde_json::json!({"image": "nginx", "cve": "CVE-2026-0000001", "severity": severity});
    let body = serde_json::json!({"count": 1, "items": [item]});
    sqlx::query(
        "INSERT INTO notifications (id, tenant_namespace, kind, at, items, subject, body)
         VALUES ($1, $2, $3, '2026-01-12T04:30Z', 1, '1 thing', $4)",
    )
    .bind(id)
    .bind(tenant)
    .bind(kind)
    .bind(body)
    .execute(pool)
    .await
    .unwrap();
}

/// All facts up to `seq` are materialized.
async fn advance(pool: &PgPool, seq: i64) {
    let moved = sqlx::query("UPDATE world SET materialized_seq = $1, released_seq = $1").bind(seq);
    moved.execute(pool).await.unwrap();
}

/// A dispatcher that stops with the guard.
fn dispatch(pool: &PgPool, policy: AddressPolicy) -> DropGuard {
    let shutdown = CancellationToken::new();
    let dispatcher = Dispatcher::new(pool.clone(), policy, Metrics::default()).unwrap();
    tokio::spawn(dispatcher.run(shutdown.clone()));
    shutdown.drop_guard()
}

async fn state(pool: &PgPool, endpoint: &Endpoint) -> Vec<(String, i32, Option<String>)> {
    sqlx::query_as(
        "SELECT state, attempts, last_error FROM webhook_deliveries WHERE endpoint_id = $1
         ORDER BY seq",
    )
    .bind(&endpoint.row.id)
    .fetch_all(pool)
    .await
    .unwrap()
}

async fn until<F: Future<Output = bool>>(what: &str, check: impl Fn() -> F) {
    for _ in 0..200 {
        if check().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not within 10 s: {what}");
}

/// What every message must be; returns the event.
fn verified(received: &Received, endpoint: &Endpoint) -> Value {
    assert_eq!(received.header("content-type"), "application/cloudevents+json; charset=utf-8");
    let id = received.header("webhook-id");
    let timestamp: i64 = received.header("webhook-timestamp").parse().unwrap();
    let expected = sign(endpoint.secret.reveal(), id, timestamp, received.body.as_bytes());
    assert_eq!(Some(received.header("webhook-signature")), expected.as_deref());
    let event: Value = serde_json::from_str(&received.body).unwrap();
    assert_eq!((&event["specversion"], &event["id"]), (&"1.0".into(), &id.into()));
    assert_eq!(event["datacontenttype"], "application/json");
    assert!(event["source"].as_str().unwrap().starts_with("urn:wavetank:world:1111111111111111:"));
    event
}

#[tokio::test]
async fn a_notification_arrives_signed_and_only_at_its_tenant() {
    let api = Api::start("webhooks_arrive").await;
    let receiver = Receiver::start().await;
    notify(&api.pool, 50, "acme", "sla_breached", "high").await;
    let ours = endpoint(&api.pool, &receiver.url("/acme?x=1"), |_| ()).await;
    endpoint(&api.pool, &receiver.url("/other"), |new| new.tenant_namespace = Some("other")).await;
    let platform =
        endpoint(&api.pool, &receiver.url("/platform"), |new| new.tenant_namespace = None).await;
    let _guard = dispatch(&api.pool, OPEN);
    notify(&api.pool, 101, "acme", "sla_breached", "high").await;
    notify(&api.pool, 102, "catalogue", "build_failed", "").await;
    notify(&api.pool, 200, "acme", "sla_breached", "high").await;
    advance(&api.pool, 110).await;
    until("two messages", || async { receiver.received().len() >= 2 }).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    let received = receiver.received();
    assert_eq!(received.len(), 2, "{received:?}");
    let of = |path: &str| received.iter().find(|r| r.path == path).unwrap();
    let event = verified(of("/acme?x=1"), &ours);
    assert_eq!(event["type"], "dev.wavetank.notification.sla_breached.v1");
    assert_eq!(
        (&event["subject"], &event["time"]),
        (&"acme".into(), &"2026-01-12T04:30:00.000Z".into())
    );
    // What was there before the endpoint, and what is not materialized, is not told.
    assert_eq!(event["data"]["id"], 101);
    assert_eq!(event["data"]["items"][0]["image"], "nginx");
    let event = verified(of("/platform"), &platform);
    assert_eq!(event["type"], "dev.wavetank.notification.build_failed.v1");
    assert_eq!(event["subject"], "platform");
    assert_eq!(state(&api.pool, &ours).await, [("delivered".to_owned(), 1, None)]);
}

#[tokio::test]
async fn a_flood_is_one_digest_of_what_was_asked_for() {
    let api = Api::start("webhooks_digest").await;
    let receiver = Receiver::start().await;
    let ours = endpoint(&api.pool, &receiver.url("/"), |new| {
        new.kinds = Some(&["sla_breached", "critical_cve"]);
        new.min_severity = Some("high");
        new.digest_seconds = 3;
    })
    .await;
    let _guards = [dispatch(&api.pool, OPEN), dispatch(&api.pool, OPEN)];
    for id in 0..300 {
        let severity = if id % 2 == 0 { "critical" } else { "medium" };
        notify(&api.pool, 1000 + id, "acme", "sla_breached", severity).await;
        if id % 50 == 49 {
            advance(&api.pool, 1000 + id).await;
        }
    }
    notify(&api.pool, 1300, "acme", "critical_cve", "").await;
    notify(&api.pool, 1301, "acme", "sla_resolved", "critical").await;
    advance(&api.pool, 1301).await;
    until("a digest", || async { !receiver.received().is_empty() }).await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let received = receiver.received();
    assert_eq!(received.len(), 1);
    let event = verified(&received[0], &ours);
    assert_eq!(event["type"], "dev.wavetank.notification.digest.v1");
    let data = &event["data"];
    assert_eq!(
        (&data["count"], &data["first_id"], &data["last_id"]),
        (&151.into(), &1000.into(), &1300.into())
    );
    assert_eq!(data["counts"]["sla_breached"]["notifications"], 150);
    assert_eq!(data["counts"]["critical_cve"]["items"], 1);
    assert_eq!(data["notifications"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn a_failure_is_tried_again_later_under_the_same_id_and_buried_in_the_end() {
    let api = Api::start("webhooks_retry").await;
    let receiver = Receiver::start().await;
    receiver.answer_with(&[500, 302, 200]);
    let ours = endpoint(&api.pool, &receiver.url("/"), |_| ()).await;
    let _guard = dispatch(&api.pool, OPEN);
    notify(&api.pool, 101, "acme", "sla_at_risk", "low").await;
    advance(&api.pool, 101).await;
    let now = || async {
        let now = "UPDATE webhook_deliveries SET next_wall = now() WHERE state = 'pending'";
        sqlx::query(now).execute(&api.pool).await.unwrap();
    };
    until("the first", || async {
        state(&api.pool, &ours).await[..].iter().any(|s| s.2.is_some())
    })
    .await;
    let waits: f64 = sqlx::query_scalar(
        "SELECT extract(epoch FROM next_wall - attempted_wall)::float8 FROM webhook_deliveries",
    )
    .fetch_one(&api.pool)
    .await
    .unwrap();
    assert!((3.0..8.0).contains(&waits), "{waits} s after the first attempt");
    now().await;
    until("the second", || async {
        receiver.received().len() == 2
            && state(&api.pool, &ours).await[0].2.as_deref()
                == Some("it answered 302; redirects are not followed")
    })
    .await;
    now().await;
    until("the third", || async { state(&api.pool, &ours).await[0].0 == "delivered" }).await;
    let received = receiver.received();
    assert_eq!(received.len(), 3);
    let ids: Vec<_> = received.iter().map(|r| r.header("webhook-id").to_owned()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert!(received.iter().all(|r| r.body == received[0].body));

    receiver.answer_with(&[503]);
    notify(&api.pool, 102, "acme", "sla_at_risk", "low").await;
    advance(&api.pool, 102).await;
    until("a second delivery", || async { state(&api.pool, &ours).await.len() == 2 }).await;
    sqlx::query("UPDATE webhook_deliveries SET attempts = 11, collecting = false, next_wall = now() WHERE state = 'pending'")
        .execute(&api.pool)
        .await
        .unwrap();
    until("dead", || async { state(&api.pool, &ours).await[1].0 == "dead" }).await;
    assert_eq!(state(&api.pool, &ours).await[1].2.as_deref(), Some("it answered 503"));
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_left_alone() {
    let api = Api::start("webhooks_gone").await;
    let receiver = Receiver::start().await;
    receiver.answer_with(&[410]);
    let ours = endpoint(&api.pool, &receiver.url("/"), |_| ()).await;
    let _guard = dispatch(&api.pool, OPEN);
    notify(&api.pool, 101, "acme", "sla_at_risk", "low").await;
    advance(&api.pool, 101).await;
    let read = || async {
        endpoints::get(&mut api.pool.acquire().await.unwrap(), &ours.row.id).await.unwrap().unwrap()
    };
    until("disabled", || async { read().await.disabled_reason.as_deref() == Some("gone") }).await;
    notify(&api.pool, 102, "acme", "sla_at_risk", "low").await;
    advance(&api.pool, 102).await;
    tokio::time::sleep(Duration::from_millis(1800)).await;
    assert_eq!((receiver.received().len(), state(&api.pool, &ours).await.len()), (1, 1));
    assert_eq!(state(&api.pool, &ours).await[0].0, "dead");
}

#[tokio::test]
async fn many_dispatchers_send_each_delivery_once() {
    let api = Api::start("webhooks_once").await;
    let receiver = Receiver::start().await;
    for n in 0..20 {
        let ours = endpoint(&api.pool, &receiver.url(&format!("/{n}")), |_| ()).await;
        for _ in 0..5 {
            let mut conn = api.pool.acquire().await.unwrap();
            let insert = store::webhooks::deliveries::insert_test;
            insert(&mut conn, &ours.row.id, Some("acme")).await.unwrap();
        }
    }
    let _guards: Vec<_> = (0..4).map(|_| dispatch(&api.pool, OPEN)).collect();
    until("all of them", || async { receiver.received().len() >= 100 }).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    let received = receiver.received();
    let ids: std::collections::BTreeSet<_> =
        received.iter().map(|r| r.header("webhook-id").to_owned()).collect();
    assert_eq!((received.len(), ids.len()), (100, 100));
    let event: Value = serde_json::from_str(&received[0].body).unwrap();
    assert_eq!(event["type"], "dev.wavetank.webhook.test.v1");
}

#[tokio::test]
async fn a_dispatcher_that_dies_loses_nothing() {
    let api = Api::start("webhooks_crash").await;
    let receiver = Receiver::start().await;
    let ours = endpoint(&api.pool, &receiver.url("/"), |_| ()).await;
    let mut conn = api.pool.acquire().await.unwrap();
    store::webhooks::deliveries::insert_test(&mut conn, &ours.row.id, None).await.unwrap();
    // Taken by somebody who is never heard of again.
    let lease = Duration::from_secs(2);
    let taken = store::webhooks::queue::take(&mut conn, 10, lease).await.unwrap();
    assert_eq!(taken.len(), 1);
    drop(conn);
    let _guard = dispatch(&api.pool, OPEN);
    tokio::time::sleep(Duration::from_millis(1000)).await;
    assert_eq!(receiver.received().len(), 0, "nobody else has it while the lease lasts");
    until("sent by another", || async { receiver.received().len() == 1 }).await;
    until("settled", || async { state(&api.pool, &ours).await[0].0 == "delivered" }).await;
    assert_eq!(receiver.received()[0].header("webhook-id"), taken[0].id);
    // The dead one comes back: too late to say anything.
    let outcome = store::webhooks::queue::Outcome { status: None, error: Some("late".to_owned()) };
    let mut conn = api.pool.acquire().await.unwrap();
    let said = store::webhooks::queue::record(&mut conn, &taken[0], &outcome).await.unwrap();
    assert_eq!(said, None);
}

#[tokio::test]
async fn nothing_is_sent_into_our_own_network() {
    let api = Api::start("webhooks_private").await;
    let receiver = Receiver::start().await;
    // Stored in a time when the operator allowed it; names are judged by what they stand for.
    let port = receiver.address.port();
    let mut all = Vec::new();
    for url in [
        receiver.url("/"),
        format!("http://localhost:{port}/"),
        format!("https://localhost:{port}/"),
    ] {
        let ours = endpoint(&api.pool, &url, |_| ()).await;
        let mut conn = api.pool.acquire().await.unwrap();
        store::webhooks::deliveries::insert_test(&mut conn, &ours.row.id, None).await.unwrap();
        all.push(ours);
    }
    let _guard = dispatch(&api.pool, AddressPolicy { private: false, http: true });
    for ours in &all {
        until("refused", || async { state(&api.pool, ours).await[0].2.is_some() }).await;
        let error = state(&api.pool, ours).await[0].2.clone();
        assert_eq!(error.as_deref(), Some("the address is not allowed"));
    }
    assert_eq!(receiver.received().len(), 0);
    // Plain HTTP behind https: an error, not a message in clear.
    let _open = dispatch(&api.pool, OPEN);
    let now = "UPDATE webhook_deliveries SET next_wall = now() WHERE endpoint_id = $1";
    sqlx::query(now).bind(&all[2].row.id).execute(&api.pool).await.unwrap();
    drop(_guard);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(receiver.received().len(), 0);
}
