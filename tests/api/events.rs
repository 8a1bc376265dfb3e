//! Server-sent events: progress, what happens, and what a tenant sees of it.
use crate::support::Api;
use api::auth::Role;
use futures::StreamExt;
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;

/// An open stream, read event by event.
struct Events {
    response: reqwest::Response,
    read: String,
}

impl Events {
    async fn open(api: &Api, token: &str, last: Option<i64>) -> Self {
        let request = api.anonymous(Method::GET, "/v1/events").bearer_auth(token);
        let request = match last {
            Some(last) => request.header("Last-Event-ID", last.to_string()),
            None => request,
        };
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events { response, read: String::new() }
    }

    /// The next event with its id.
    async fn next(&mut self) -> (Option<i64>, Value) {
        loop {
            if let Some((event, rest)) = self.read.clone().split_once("\n\n") {
                self.read = rest.to_owned();
                let field = |name: &str| {
                    event.lines().find_map(|l| l.strip_prefix(name)).map(|v| v.trim().to_owned())
                };
                let Some(data) = field("data:") else { continue };
                return (field("id:").map(|id| id.parse().unwrap()), data.parse().unwrap());
            }
            let chunk = self.response.chunk();
            let chunk = tokio::time::timeout(Duration::from_secs(60), chunk).await;
            let chunk = chunk.unwrap_or_else(|_| panic!("no event came after {:?}", self.read));
            let chunk = chunk.unwrap().expect("an open stream");
            self.read.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

async fn happen(api: &Api, seq: i64, tenant: &str) {
    sqlx::query(
        "INSERT INTO timeline (seq, at, kind, tenant_namespace, image_id, data)
         VALUES ($1, '2026-01-12T06:00Z', 'test', $2, 1, '{}')",
    )
    .bind(seq)
    .bind(tenant)
    .execute(&api.pool)
    .await
    .unwrap();
    sqlx::query("UPDATE world SET materialized_seq = $1, released_seq = $1")
        .bind(seq)
        .execute(&api.pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn events_arrive_in_order_and_none_is_missed() {
    let api = Api::start("events_order").await;
    let viewer = api.sign_in(Role::Viewer, None).await;
    let mut events = Events::open(&api, &viewer, None).await;
    let (id, progress) = events.next().await;
    assert_eq!((id, &progress["type"]), (None, &"progress".into()));
    assert_eq!(progress["at"], "2026-01-12T05:00:00Z");
    assert_eq!(progress["released_through"], "2026-01-12T06:00:00Z");
    happen(&api, 101, "catalogue").await;
    let (id, event) = events.next().await;
    assert_eq!(
        (id, &event["type"], &event["image"]),
        (Some(101), &"timeline".into(), &"nginx".into())
    );
    drop(events);
    happen(&api, 102, "catalogue").await;
    happen(&api, 103, "catalogue").await;
    let mut events = Events::open(&api, &viewer, Some(101)).await;
    assert_eq!(events.next().await.1["type"], "progress");
    assert_eq!(events.next().await.0, Some(102));
    assert_eq!(events.next().await.0, Some(103));
}

/// More than one look holds happened while the client was away.
#[tokio::test]
async fn a_resumed_stream_delivers_every_event_once() {
    let api = Api::start("events_resume").await;
    sqlx::query(
        "INSERT INTO timeline (seq, at, kind, tenant_namespace, data)
         SELECT 1000 + n, '2026-01-12T06:00Z', 'test', 'catalogue', '{}'
         FROM generate_series(1, 1200) n",
    )
    .execute(&api.pool)
    .await
    .unwrap();
    happen(&api, 2_300, "catalogue").await;
    let viewer = api.sign_in(Role::Viewer, None).await;
    let mut last = 1_000;
    // The stream is lost again and again, each time after as many events.
    for part in [1, 499, 500, 201] {
        let mut events = Events::open(&api, &viewer, Some(last)).await;
        assert_eq!(events.next().await.1["type"], "progress");
        for _ in 0..part {
            let (id, event) = events.next().await;
            assert_eq!(event["type"], "timeline", "{event}");
            let expected = if last == 2_200 { 2_300 } else { last + 1 };
            assert_eq!(id, Some(expected));
            last = expected;
        }
    }
    assert_eq!(last, 2_300);
    // One that has seen what has not happened here begins with the newest.
    let mut events = Events::open(&api, &viewer, Some(9_999_999)).await;
    assert_eq!(events.next().await.1["type"], "progress");
    happen(&api, 2_301, "catalogue").await;
    assert_eq!(events.next().await.0, Some(2_301));
}

#[tokio::test]
async fn a_tenant_receives_its_own_events_and_the_catalogues() {
    let api = Api::start("events_tenants").await;
    let acme = api.sign_in(Role::Viewer, Some("acme")).await;
    let mut events = Events::open(&api, &acme, Some(90)).await;
    assert_eq!(events.next().await.1["type"], "progress");
    happen(&api, 101, "globex").await;
    happen(&api, 102, "acme").await;
    happen(&api, 103, "globex").await;
    happen(&api, 104, "catalogue").await;
    assert_eq!(events.next().await.0, Some(102));
    assert_eq!(events.next().await.0, Some(104));
}

#[tokio::test]
async fn a_client_far_behind_is_told_of_the_gap() {
    let api = Api::start("events_gap").await;
    happen(&api, 9_000, "catalogue").await;
    let viewer = api.sign_in(Role::Viewer, None).await;
    let mut events = Events::open(&api, &viewer, Some(100)).await;
    assert_eq!(events.next().await.1["type"], "progress");
    let (id, gap) = events.next().await;
    assert_eq!((id, &gap["type"]), (Some(8_500), &"gap".into()));
    assert_eq!(events.next().await.0, Some(9_000));
}

#[tokio::test]
async fn invalid_event_ids_are_refused_and_streams_are_limited() {
    let limits = api::Limits { streams: 2, ..Default::default() };
    let api = Api::start_with("events_bounds", crate::support::Content::World, limits).await;
    for id in ["-1", "x", "99999999999999999999"] {
        let request = api.request(Method::GET, "/v1/events").header("Last-Event-ID", id);
        assert_eq!(request.send().await.unwrap().status(), 400, "{id}");
    }
    let viewer = api.sign_in(Role::Viewer, None).await;
    let mut first = Events::open(&api, &viewer, None).await;
    let _second = Events::open(&api, &viewer, None).await;
    first.next().await;
    let third = api.get("/v1/events").await;
    third.problem(429, "rate_limited");
    drop(first);
    for _ in 0..600 {
        let response = api.request(Method::GET, "/v1/events").send().await.unwrap();
        if response.status() == 200 {
            assert!(response.bytes_stream().next().await.is_some());
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("a closed stream still counts against the limit");
}

#[tokio::test]
async fn streams_are_limited_per_key() {
    let limits = api::Limits { streams_of_one_key: 1, ..Default::default() };
    let api = Api::start_with("events_keys", crate::support::Content::World, limits).await;
    let viewer = api.sign_in(Role::Viewer, None).await;
    let _first = Events::open(&api, &viewer, None).await;
    api.get_as(&viewer, "/v1/events").await.problem(429, "rate_limited");
    let other = api.sign_in(Role::Viewer, None).await;
    assert_eq!(Events::open(&api, &other, None).await.next().await.1["type"], "progress");
}

#[tokio::test]
async fn a_stream_ends_when_its_key_is_revoked() {
    let api = Api::start("events_revoked").await;
    let viewer = api.sign_in(Role::Viewer, None).await;
    let mut events = Events::open(&api, &viewer, None).await;
    events.next().await;
    let revoked = "UPDATE api_keys SET revoked_wall = now() WHERE role = 'viewer'";
    sqlx::query(revoked).execute(&api.pool).await.unwrap();
    let ended = async { while events.response.chunk().await.unwrap().is_some() {} };
    let ended = tokio::time::timeout(Duration::from_secs(60), ended).await;
    ended.expect("the stream of a revoked key ends");
}
