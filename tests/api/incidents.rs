//! The list of incidents: those of the scenario and injected ones in one order, page by page,
//! however many came later.
use crate::support::Api;
use serde_json::{Value, json};

/// The small world with two incidents, one of them at an instant at which one was injected too;
/// 1,200 that were injected and taken, among 3,000 other commands; and three that wait.
const ROWS: &str = r#"
UPDATE world SET scenario = scenario || 'incidents:
  - at: 2026-01-12T01:00:00Z
    builder_outage: {builders: 1, duration: 1h}
  - at: 2026-01-12T02:00:00Z
    rebuild_all: {trigger: cron}
';
INSERT INTO commands (seq, command, applied_at)
SELECT n, '{"command": "builder_outage", "builders": 2, "duration": 60000}',
       '2026-01-12T01:00Z'::timestamptz + (n / 3 - 1) * interval '1 s'
FROM generate_series(1, 1200) n;
INSERT INTO commands (seq, command, applied_at)
SELECT n, '{"command": "scan", "image": null}', '2026-01-12T05:00Z'
FROM generate_series(1201, 4200) n;
INSERT INTO commands (seq, command)
SELECT n, '{"command": "distrust_builder", "builder": 1}' FROM generate_series(4201, 4203) n;
UPDATE commands SET rejected = 'no' WHERE seq = 3;
"#;

async fn started(name: &str) -> Api {
    let api = Api::start(name).await;
    sqlx::raw_sql(ROWS).execute(&api.pool).await.unwrap();
    api
}

/// The ids on all pages, and the pages' totals.
async fn turned(api: &Api, query: &str, size: u32) -> (Vec<String>, Vec<Value>) {
    let base = format!("/v1/incidents?page_size={size}{query}");
    let (mut ids, mut totals) = (Vec::new(), Vec::new());
    let mut path = base.clone();
    loop {
        let page = api.get(&path).await.json();
        totals.push(page["total"].clone());
        let items = page["items"].as_array().unwrap();
        ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_page_token"].as_str() else { return (ids, totals) };
        assert_eq!(items.len(), size as usize);
        path = format!("{base}&page_token={next}");
    }
}

/// What the list must be at an instant that is so many seconds after one o'clock.
fn expected(seconds: i64) -> Vec<String> {
    let mut all: Vec<(i64, i64, String)> =
        (1..=1200).map(|n| (n / 3 - 1, 1000 + n, format!("command-{n}"))).collect();
    all.push((0, 0, "scenario-0".to_owned()));
    all.push((3600, 1, "scenario-1".to_owned()));
    all.retain(|(at, ..)| *at <= seconds);
    all.sort();
    all.into_iter().rev().map(|(.., id)| id).collect()
}

#[tokio::test]
async fn later_incidents_do_not_change_past_lists() {
    let api = started("incidents_past").await;
    for (query, seconds) in [
        ("&as_of=2026-01-12T00:59:58Z", -2),
        ("&as_of=2026-01-12T00:59:59Z", -1),
        ("&as_of=2026-01-12T01:00:00Z", 0),
        ("&as_of=2026-01-12T01:00:02Z", 2),
        ("&as_of=2026-01-12T05:30:00Z", 16_200),
    ] {
        for size in [1, 3, 7, 200] {
            if size < 7 && seconds > 100 {
                continue;
            }
            let (ids, totals) = turned(&api, query, size).await;
            assert_eq!(ids, expected(seconds), "{query} by {size}");
            let (count, exact) = (ids.len().min(200), ids.len() <= 200);
            assert!(totals.iter().all(|total| *total == json!({"count": count, "exact": exact})));
        }
    }
}

#[tokio::test]
async fn a_waiting_incident_is_listed_last_and_in_no_past() {
    let api = started("incidents_waiting").await;
    let waiting = ["command-4203", "command-4202", "command-4201"].map(str::to_owned);
    for size in [50, 199, 200] {
        let (ids, _) = turned(&api, "", size).await;
        assert_eq!(ids, [&waiting[..], &expected(16_200)].concat());
    }
    // While pages are turned the world takes what waits: what was there is still on the pages.
    let first = api.get("/v1/incidents?page_size=1").await.json();
    assert_eq!(
        (&first["items"][0]["id"], &first["items"][0]["status"]),
        (&json!("command-4203"), &json!("waiting"))
    );
    sqlx::raw_sql(
        "UPDATE commands SET applied_at = '2026-01-12T06:00:01Z' WHERE seq > 4200;
         UPDATE world SET released_through = '2026-01-12T07:00Z'",
    )
    .execute(&api.pool)
    .await
    .unwrap();
    let next = first["next_page_token"].as_str().unwrap();
    let second = api.get(&format!("/v1/incidents?page_size=1&page_token={next}")).await.json();
    assert_eq!(
        (&second["items"][0]["id"], &second["items"][0]["status"]),
        (&json!("command-4202"), &json!("waiting"))
    );
    let now = api.get("/v1/incidents?page_size=1").await.json();
    assert_eq!(now["items"][0]["status"], "happened");
    let refused = api.get("/v1/incidents?as_of=2026-01-12T01:00:00Z").await.json();
    assert_eq!(
        (&refused["items"][2]["status"], &refused["items"][2]["reason"]),
        (&json!("refused"), &json!("no"))
    );
}
