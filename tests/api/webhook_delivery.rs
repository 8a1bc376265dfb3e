//! Outgoing webhooks against a real receiver: signatures, digests, retries, dead deliveries, and
//! several dispatchers at once.
mod retention;
mod retries;

use crate::support::Api;
use crate::support::instants::misshapen;
use crate::support::receiver::{Received, Receiver};
use jobs::webhooks::{AddressPolicy, Dispatcher, SigningSecret, sign};
use serde_json::Value;
use sqlx::PgPool;
use std::time::{Duration, Instant};
use store::webhooks::endpoints::{self, Change, EndpointRow, NewEndpoint};
use store::webhooks::queue::{self, Outcome};
use telemetry::metrics::Metrics;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const OPEN: AddressPolicy = AddressPolicy { private: true, http: true };
/// How long a test waits for something that must happen.
const LIMIT: Duration = Duration::from_secs(60);

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
    let item = serde_json::json!({"image": "nginx", "cve": "CVE-2026-0000001", "severity": severity,
                           "due": "2026-01-12T04:30:00+00:00"});
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

/// A dispatcher that runs until it is dropped.
struct Dispatching {
    shutdown: CancellationToken,
    ended: JoinHandle<()>,
}

impl Dispatching {
    /// Stops it and waits until it has stopped.
    async fn stop(mut self) {
        self.shutdown.cancel();
        (&mut self.ended).await.unwrap();
    }
}

impl Drop for Dispatching {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn dispatch(pool: &PgPool, policy: AddressPolicy) -> Dispatching {
    let shutdown = CancellationToken::new();
    let dispatcher = Dispatcher::new(pool.clone(), policy, Metrics::default()).unwrap();
    let ended = tokio::spawn(dispatcher.run(shutdown.clone()));
    Dispatching { shutdown, ended }
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

/// Waits until the deliveries of an endpoint are as `check` says.
async fn until(
    pool: &PgPool,
    endpoint: &Endpoint,
    what: &str,
    check: impl Fn(&[(String, i32, Option<String>)]) -> bool,
) {
    let began = Instant::now();
    loop {
        let seen = state(pool, endpoint).await;
        if check(&seen) {
            return;
        }
        assert!(began.elapsed() < LIMIT, "{what}; the deliveries are {seen:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Makes the pending deliveries of an endpoint due.
async fn make_due(pool: &PgPool, endpoint: &Endpoint) {
    let now = "UPDATE webhook_deliveries SET next_wall = now()
               WHERE state = 'pending' AND endpoint_id = $1";
    sqlx::query(now).bind(&endpoint.row.id).execute(pool).await.unwrap();
}

/// What every message must be; returns the event.
fn verified(received: &Received, endpoint: &Endpoint) -> Value {
    assert_eq!(received.header("content-type"), "application/cloudevents+json; charset=utf-8");
    let id = received.header("webhook-id");
    let timestamp: i64 = received.header("webhook-timestamp").parse().unwrap();
    let expected = sign(endpoint.secret.reveal(), id, timestamp, received.body.as_bytes());
    assert_eq!(Some(received.header("webhook-signature")), expected.as_deref());
    assert_eq!(misshapen(&received.body), [""; 0], "{}", received.body);
    let event: Value = serde_json::from_str(&received.body).unwrap();
    assert_eq!((&event["specversion"], &event["id"]), (&"1.0".into(), &id.into()));
    assert_eq!(event["datacontenttype"], "application/json");
    assert!(event["source"].as_str().unwrap().starts_with("urn:wavetank:world:1111111111111111:"));
    event
}

#[tokio::test]
async fn a_notification_is_signed_and_sent_only_to_its_tenant() {
    let api = Api::start("webhooks_arrive").await;
    let receiver = Receiver::start().await;
    notify(&api.pool, 50, "acme", "sla_breached", "high").await;
    let ours = endpoint(&api.pool, &receiver.url("/acme?x=1"), |_| ()).await;
    endpoint(&api.pool, &receiver.url("/other"), |new| new.tenant_namespace = Some("other")).await;
    let platform =
        endpoint(&api.pool, &receiver.url("/platform"), |new| new.tenant_namespace = None).await;
    let _dispatching = dispatch(&api.pool, OPEN);
    notify(&api.pool, 101, "acme", "sla_breached", "high").await;
    notify(&api.pool, 102, "catalogue", "build_failed", "").await;
    notify(&api.pool, 200, "acme", "sla_breached", "high").await;
    advance(&api.pool, 110).await;
    receiver.receives(2).await;
    // What is notified later arrives later, and nothing else has arrived before it.
    notify(&api.pool, 111, "acme", "sla_resolved", "high").await;
    notify(&api.pool, 112, "catalogue", "build_failed", "").await;
    advance(&api.pool, 120).await;
    let received = receiver.receives(4).await;
    let ids = |path: &str| -> Vec<Value> {
        let body = |r: &Received| serde_json::from_str::<Value>(&r.body).unwrap();
        let to_path = received.iter().filter(|r| r.path == path);
        to_path.map(|r| body(r)["data"]["id"].clone()).collect()
    };
    // What was there before the endpoint, and what is not materialized, is not sent.
    assert_eq!(ids("/acme?x=1"), [101, 111]);
    assert_eq!(ids("/platform"), [102, 112]);
    assert_eq!(received.len(), 4, "{received:?}");
    let of = |path: &str| received.iter().find(|r| r.path == path).unwrap();
    let event = verified(of("/acme?x=1"), &ours);
    assert_eq!(event["type"], "dev.wavetank.notification.sla_breached.v1");
    assert_eq!(
        (&event["subject"], &event["time"]),
        (&"acme".into(), &"2026-01-12T04:30:00Z".into())
    );
    assert_eq!(event["data"]["items"][0]["image"], "nginx");
    // A row that PostgreSQL has written in its own form, as release 0.1.0 left them.
    assert_eq!(event["data"]["items"][0]["due"], "2026-01-12T04:30:00Z");
    let event = verified(of("/platform"), &platform);
    assert_eq!(event["type"], "dev.wavetank.notification.build_failed.v1");
    assert_eq!(event["subject"], "platform");
    let delivered = ("delivered".to_owned(), 1, None);
    until(&api.pool, &ours, "both are delivered", |all| {
        all == [delivered.clone(), delivered.clone()]
    })
    .await;
}

/// Waits until the notifications up to an id are collected for an endpoint.
async fn told_through(pool: &PgPool, endpoint: &Endpoint, id: i64) {
    let began = Instant::now();
    loop {
        let sql = "SELECT told_through FROM webhook_endpoints WHERE id = $1";
        let told: i64 =
            sqlx::query_scalar(sql).bind(&endpoint.row.id).fetch_one(pool).await.unwrap();
        if told >= id {
            return;
        }
        assert!(began.elapsed() < LIMIT, "collected up to {told}, not {id}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn many_notifications_become_one_filtered_digest() {
    let api = Api::start("webhooks_digest").await;
    let receiver = Receiver::start().await;
    let ours = endpoint(&api.pool, &receiver.url("/"), |new| {
        new.kinds = Some(&["sla_breached", "critical_cve"]);
        new.min_severity = Some("high");
        new.digest_seconds = 3_600;
    })
    .await;
    let _dispatching = [dispatch(&api.pool, OPEN), dispatch(&api.pool, OPEN)];
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
    told_through(&api.pool, &ours, 1301).await;
    make_due(&api.pool, &ours).await;
    receiver.receives(1).await;
    // The next one begins a digest of its own: the first held everything.
    notify(&api.pool, 1400, "acme", "critical_cve", "").await;
    advance(&api.pool, 1400).await;
    told_through(&api.pool, &ours, 1400).await;
    make_due(&api.pool, &ours).await;
    let received = receiver.receives(2).await;
    assert_eq!(received.len(), 2);
    let later: Value = serde_json::from_str(&received[1].body).unwrap();
    let told = &later["data"];
    assert_eq!((&told["id"], &told["href"]), (&1400.into(), &"/v1/notifications/1400".into()));
    assert_eq!(told["severities"], serde_json::json!({"critical": 1}));
    // The version that was current at 04:30.
    let item = &told["items"][0];
    assert_eq!((&item["version"], &item["tags"][1]), (&2.into(), &"1.1.0".into()), "{item}");
    assert_eq!(item["digest"], format!("sha256:{}", "d".repeat(64)));
    assert_eq!(item["href"], "/v1/advisories/CVE-2026-0000001");
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

/// Waits until nothing is pending.
async fn all_are_delivered(pool: &PgPool) {
    let began = Instant::now();
    loop {
        let sql = "SELECT count(*) FROM webhook_deliveries WHERE state <> 'delivered'";
        let left: i64 = sqlx::query_scalar(sql).fetch_one(pool).await.unwrap();
        if left == 0 {
            return;
        }
        assert!(began.elapsed() < LIMIT, "{left} deliveries are never delivered");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
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
    let _dispatching: Vec<_> = (0..4).map(|_| dispatch(&api.pool, OPEN)).collect();
    receiver.receives(100).await;
    all_are_delivered(&api.pool).await;
    // One more, which is sent after whatever would have been sent twice.
    let ours = endpoint(&api.pool, &receiver.url("/last"), |_| ()).await;
    let mut conn = api.pool.acquire().await.unwrap();
    store::webhooks::deliveries::insert_test(&mut conn, &ours.row.id, None).await.unwrap();
    drop(conn);
    let received = receiver.receives(101).await;
    let ids: std::collections::BTreeSet<_> =
        received.iter().map(|r| r.header("webhook-id").to_owned()).collect();
    assert_eq!((received.len(), ids.len()), (101, 101));
    let event: Value = serde_json::from_str(&received[0].body).unwrap();
    assert_eq!(event["type"], "dev.wavetank.webhook.test.v1");
}

#[tokio::test]
async fn nothing_is_sent_to_private_addresses() {
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
    let strict = dispatch(&api.pool, AddressPolicy { private: false, http: true });
    let refused = Some("the address is not allowed");
    for ours in &all {
        until(&api.pool, ours, "the address is refused", |all| all[0].2.as_deref() == refused)
            .await;
    }
    assert_eq!(receiver.received().len(), 0);
    strict.stop().await;
    // Plain HTTP behind https: an error, not a message in clear.
    let _open = dispatch(&api.pool, OPEN);
    make_due(&api.pool, &all[2]).await;
    until(&api.pool, &all[2], "another attempt fails", |all| {
        all[0].2.is_some() && all[0].2.as_deref() != refused
    })
    .await;
    assert_eq!(receiver.received().len(), 0);
}

/// Whoever locks an endpoint and its deliveries locks the endpoint first: so a change of it and the
/// word that it is gone wait for each other, and neither is the victim of a deadlock.
#[tokio::test]
async fn a_change_of_an_endpoint_and_its_end_cannot_deadlock() {
    let api = Api::start("webhooks_locks").await;
    let ours = endpoint(&api.pool, "https://hooks.example.com/", |_| ()).await;
    let id = ours.row.id.clone();
    let mut conn = api.pool.acquire().await.unwrap();
    store::webhooks::deliveries::insert_test(&mut conn, &id, Some("acme")).await.unwrap();
    let claimed = queue::claim(&mut conn, 1, LIMIT).await.unwrap().remove(0);
    drop(conn);
    let mut change = api.pool.begin().await.unwrap();
    endpoints::lock(&mut change, &id).await.unwrap();
    let pool = api.pool.clone();
    let recording = tokio::spawn(async move {
        let mut tx = pool.begin().await?;
        let outcome = Outcome { status: Some(410), error: Some("it answered 410".to_owned()) };
        let state = queue::record(&mut tx, &claimed, &outcome).await?;
        tx.commit().await?;
        Ok::<_, sqlx::Error>(state)
    });
    let began = Instant::now();
    loop {
        let waits = "SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let waiting: i64 = sqlx::query_scalar(waits).fetch_one(&api.pool).await.unwrap();
        if waiting > 0 {
            break;
        }
        assert!(began.elapsed() < LIMIT, "the end of the endpoint does not wait for its change");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let disabled = Change { enabled: Some(false), ..Change::default() };
    endpoints::update(&mut change, &id, &disabled).await.unwrap();
    change.commit().await.unwrap();
    // The change gave the delivery up; there was nothing left to record.
    assert_eq!(recording.await.unwrap().unwrap(), None);
    let row = endpoints::get(&mut api.pool.acquire().await.unwrap(), &id).await.unwrap().unwrap();
    assert_eq!(row.disabled_reason.as_deref(), Some("asked"));
    assert_eq!(state(&api.pool, &ours).await[0].0, "dead");
}
