//! Server-sent events: progress, what happens, and what a tenant sees of it.
use crate::support::Api;
use api::auth::Role;
use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// An open stream, read event by event.
struct Events {
    response: reqwest::Response,
    read: String,
}

impl Events {
    /// A stream of who has seen the event with this number of this world.
    async fn open(api: &Api, token: &str, last: Option<i64>) -> Self {
        let last = match last {
            Some(last) => Some(format!("{}{last}", prefix(api).await)),
            None => None,
        };
        Events::open_after(api, token, last.as_deref()).await
    }

    async fn open_after(api: &Api, token: &str, last: Option<&str>) -> Self {
        let request = api.anonymous(Method::GET, "/v1/events").bearer_auth(token);
        let request = match last {
            Some(last) => request.header("Last-Event-ID", last),
            None => request,
        };
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events { response, read: String::new() }
    }

    /// The next event with the number in its id.
    async fn next(&mut self) -> (Option<i64>, Value) {
        let (id, event) = self.next_with_id().await;
        let number = |id: String| id.rsplit('-').next().unwrap().parse().unwrap();
        (id.map(number), event)
    }

    /// The next event with its id.
    async fn next_with_id(&mut self) -> (Option<String>, Value) {
        loop {
            if let Some((event, rest)) = self.read.clone().split_once("\n\n") {
                self.read = rest.to_owned();
                let field = |name: &str| {
                    event.lines().find_map(|l| l.strip_prefix(name)).map(|v| v.trim().to_owned())
                };
                let Some(data) = field("data:") else { continue };
                return (field("id:"), data.parse().unwrap());
            }
            let chunk = self.response.chunk();
            let chunk = tokio::time::timeout(Duration::from_secs(60), chunk).await;
            let chunk = chunk.unwrap_or_else(|_| panic!("no event came after {:?}", self.read));
            let chunk = chunk.unwrap().expect("an open stream");
            self.read.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

/// What the ids of this world's events begin with.
pub(crate) async fn prefix(api: &Api) -> String {
    let (sha256, seed, starts_at, generation): (String, i64, i64, i64) = sqlx::query_as(
        "SELECT scenario_sha256, seed, (extract(epoch FROM starts_at) * 1000)::bigint, generation
         FROM world",
    )
    .fetch_one(&api.pool)
    .await
    .unwrap();
    let origin = Sha256::new().chain_update(sha256).chain_update(seed.to_be_bytes());
    let origin = origin.chain_update(starts_at.to_be_bytes()).finalize();
    format!("{generation}-{}-", hex::encode(&origin[..4]))
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
    // One that has seen what has not happened here is told, and begins with the newest.
    let mut events = Events::open(&api, &viewer, Some(9_999_999)).await;
    assert_eq!(events.next().await.1["type"], "progress");
    let (id, reset) = events.next().await;
    assert_eq!((id, &reset["type"]), (Some(2_300), &json!("reset")));
    assert_eq!(reset["reason"], "not_happened_yet");
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
async fn events_that_are_no_longer_kept_are_a_gap() {
    let api = Api::start("events_not_kept").await;
    happen(&api, 200, "catalogue").await;
    // The retention has removed all up to an instant between the events of the seed and the last one.
    for sql in [
        "DELETE FROM timeline WHERE seq < 200",
        "UPDATE timeline SET at = '2026-01-12T04:00Z'",
        "INSERT INTO retention_runs (at, history_from, removed, removed_rows, objects, document_bytes)
         VALUES ('2026-01-12T05:00Z', '2026-01-12T03:30Z', '{}', 0, 0, 0)",
    ] {
        sqlx::query(sql).execute(&api.pool).await.unwrap();
    }
    let viewer = api.sign_in(Role::Viewer, None).await;
    let mut events = Events::open(&api, &viewer, Some(12)).await;
    assert_eq!(events.next().await.1["type"], "progress");
    let (id, gap) = events.next().await;
    assert_eq!(
        (id, &gap["type"], &gap["reason"]),
        (Some(199), &json!("gap"), &json!("no_longer_kept"))
    );
    assert_eq!(events.next().await.0, Some(200));
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
    assert_eq!(gap["reason"], "too_far_behind");
    assert_eq!(events.next().await.0, Some(9_000));
}

/// Another world takes the place of this one: what has been seen of it means nothing any more.
async fn load(api: &Api, generation: i64) {
    sqlx::raw_sql("TRUNCATE timeline").execute(&api.pool).await.unwrap();
    sqlx::query("UPDATE world SET generation = $1, materialized_seq = 3, released_seq = 3")
        .bind(generation)
        .execute(&api.pool)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO timeline (seq, at, kind, tenant_namespace, data)
         VALUES (3, '2026-01-12T01:00Z', 'test', 'catalogue', '{}')",
    )
    .execute(&api.pool)
    .await
    .unwrap();
}

#[tokio::test]
async fn an_id_of_another_world_is_not_taken_for_one_of_this() {
    let api = Api::start("events_worlds").await;
    happen(&api, 101, "catalogue").await;
    let viewer = api.sign_in(Role::Viewer, None).await;
    let mut watching = Events::open(&api, &viewer, Some(100)).await;
    assert_eq!(watching.next().await.1["type"], "progress");
    let (seen, _) = watching.next_with_id().await;
    let seen = seen.unwrap();
    assert_eq!(seen, format!("{}101", prefix(&api).await));
    load(&api, 7).await;
    // Whoever watches is told that the world is another one, and so is who comes back with an id of
    // the old one; both are told the new one from its beginning.
    let mut back = Events::open_after(&api, &viewer, Some(&seen)).await;
    for events in [&mut watching, &mut back] {
        let reset = loop {
            let (id, event) = events.next_with_id().await;
            if event["type"] != "progress" {
                break (id.unwrap(), event);
            }
        };
        assert_eq!(reset.0, format!("{}0", prefix(&api).await));
        assert_eq!(
            (&reset.1["type"], &reset.1["reason"]),
            (&json!("reset"), &json!("another_world"))
        );
        assert_eq!(events.next().await.0, Some(3));
    }
    // A world of another database, and the ids of release 0.1.0, which named none.
    for (id, reason, after) in
        [("7-00000000-2", "another_world", 0), ("999999999", "unknown_world", 3)]
    {
        let mut events = Events::open_after(&api, &viewer, Some(id)).await;
        assert_eq!(events.next().await.1["type"], "progress");
        let (id, reset) = events.next().await;
        assert_eq!((&reset["type"], &reset["reason"]), (&json!("reset"), &json!(reason)));
        assert_eq!((id, &reset["seq"]), (Some(after), &json!(after)));
    }
}

#[tokio::test]
async fn a_page_token_of_another_world_is_refused() {
    let api = Api::start("events_tokens").await;
    let more = "INSERT INTO timeline (seq, at, kind, tenant_namespace, data)
                SELECT n, '2026-01-12T01:00Z', 'test', 'catalogue', '{}'
                FROM generate_series(201, 203) n;
                INSERT INTO notifications (id, tenant_namespace, kind, at, items, subject, body)
                SELECT n, 'catalogue', 'build_failed', '2026-01-12T01:00Z', 1, '1', '{}'
                FROM generate_series(1, 3) n;
                INSERT INTO ledger (id, queue, phase, at, payload, state, error)
                SELECT 4096 * n, 'scan', 0, '2026-01-12T05:00Z', '{}', 'dead', 'often'
                FROM generate_series(1, 3) n";
    sqlx::raw_sql(more).execute(&api.pool).await.unwrap();
    let mut tokens = Vec::new();
    for path in ["/v1/timeline", "/v1/notifications", "/v1/images", "/v1/builds", "/v1/jobs"] {
        let page = api.get(&format!("{path}?page_size=1")).await.json();
        let token = page["next_page_token"].as_str().unwrap_or_else(|| panic!("{path}: {page}"));
        let next = format!("{path}?page_size=1&page_token={token}");
        api.get(&next).await.json();
        tokens.push(next);
    }
    // The keys are no part of a world.
    api.sign_in(Role::Viewer, None).await;
    let keys = api.get("/v1/api-keys?page_size=1").await.json();
    let more_keys = keys["next_page_token"].as_str().expect("a second page");
    sqlx::query("UPDATE world SET generation = 7").execute(&api.pool).await.unwrap();
    for next in tokens {
        let problem = api.get(&next).await.problem(410, "stale_page_token");
        assert!(problem["hint"].as_str().unwrap().contains("page_token"), "{problem:#}");
    }
    api.get(&format!("/v1/api-keys?page_size=1&page_token={more_keys}")).await.json();
}

/// `nginx` 2 was published at 02:30 and has one low finding from 03:00 to 04:00.
#[tokio::test]
async fn events_tell_the_version_its_digest_and_what_is_open() {
    let api = Api::start("events_details").await;
    let rows =
        "INSERT INTO timeline (seq, at, kind, tenant_namespace, image_id, build_id, data) VALUES
        (91, '2026-01-12T02:30Z', 'build_finished', 'catalogue', 1, 4, '{\"version\": 2}'),
        (92, '2026-01-12T03:30Z', 'scanned', 'catalogue', 1, NULL, '{\"trigger\": \"push\"}'),
        (93, '2026-01-12T02:00Z', 'scanned', 'catalogue', 1, NULL, '{\"trigger\": \"push\"}'),
        (94, '2026-01-12T04:30Z', 'build_started', 'catalogue', NULL, 6, '{}');
        UPDATE world SET materialized_seq = 94, released_seq = 94";
    sqlx::raw_sql(rows).execute(&api.pool).await.unwrap();
    let digest = |letter: &str| json!(format!("sha256:{}", letter.repeat(64)));
    let viewer = api.sign_in(Role::Viewer, None).await;
    let mut events = Events::open(&api, &viewer, Some(90)).await;
    assert_eq!(events.next().await.1["type"], "progress");
    let mut streamed = Vec::new();
    for _ in 0..4 {
        streamed.push(events.next().await.1);
    }
    let listed = api.get("/v1/timeline?order_by=at").await.json();
    let by_seq = |seq: i64| {
        let mut all = listed["items"].as_array().unwrap().iter();
        all.find(|entry| entry["seq"] == seq).unwrap().clone()
    };
    for event in streamed.iter().cloned().chain([91, 92, 93, 94].map(by_seq)) {
        match event["seq"].as_i64().unwrap() {
            91 => {
                assert_eq!((&event["version"], &event["digest"]), (&json!(2), &digest("d")));
                assert_eq!(event["tags"], json!(["latest", "1.1.0", "1.1", "1"]));
                assert_eq!(event["href"], "/v1/builds/4");
                assert_eq!(event["severities"], Value::Null, "nobody has looked yet");
            }
            92 => {
                assert_eq!((&event["version"], &event["digest"]), (&json!(2), &digest("d")));
                let open = json!({"critical": 0, "high": 0, "medium": 0, "low": 1});
                assert_eq!(event["severities"], open);
                assert_eq!(event["href"], "/v1/images/nginx/versions/2");
            }
            93 => {
                assert_eq!((&event["version"], &event["digest"]), (&json!(1), &digest("b")));
                let open = json!({"critical": 1, "high": 0, "medium": 0, "low": 1});
                assert_eq!(event["severities"], open);
            }
            _ => {
                assert_eq!(event["version"], Value::Null);
                assert_eq!(event["href"], "/v1/builds/6");
            }
        }
    }
}

#[tokio::test]
async fn invalid_event_ids_are_refused_and_streams_are_limited() {
    let limits = api::Limits { streams: 2, ..Default::default() };
    let api = Api::start_with("events_bounds", crate::support::Content::World, limits).await;
    for id in ["-1", "x", "99999999999999999999", "0-xyz-1", "1-2"] {
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
