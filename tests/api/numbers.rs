//! The history in numbers: the same as what the lists say at each of its instants.
use crate::support::{Api, customers};
use serde_json::Value;
use std::collections::BTreeSet;

async fn items(api: &Api, path: &str) -> Vec<Value> {
    api.get(path).await.json()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn every_number_is_what_the_lists_say_at_that_instant() {
    let api = Api::start("numbers").await;
    customers::add(&api.pool).await;
    let history = api.get("/v1/history?points=25").await.json();
    let instants = history["instants"].as_array().unwrap();
    assert_eq!(instants.len(), 25);
    assert_eq!(instants[24], history["as_of"]);
    let (mut findings, mut builds, mut overdue) = (0, 0, 0);
    for (place, instant) in instants.iter().enumerate() {
        let at = instant.as_str().unwrap();
        for severity in ["critical", "high", "medium", "low"] {
            let path = format!(
                "/v1/findings?severity={severity}&image_status=open&page_size=200&as_of={at}"
            );
            let open: BTreeSet<(String, String)> = items(&api, &path)
                .await
                .iter()
                .map(|row| (row["image"].to_string(), row["cve"].to_string()))
                .collect();
            let told = &history["open_findings"][severity][place];
            assert_eq!(told.as_u64().unwrap(), open.len() as u64, "{severity} at {at}");
            findings += open.len();
        }
        for (status, series) in [("running", "builds_running"), ("pending", "builds_waiting")] {
            let path = format!("/v1/builds?status={status}&page_size=200&as_of={at}");
            let listed = items(&api, &path).await.len();
            assert_eq!(history[series][place], listed, "{series} at {at}");
            builds += listed;
        }
        overdue += history["overdue_timers"][place].as_u64().unwrap();
    }
    assert!(findings > 0 && builds > 0, "the small world has both");
    // Pin's clock was due at 04:00 and never met.
    let last = history["overdue_timers"].as_array().unwrap().last().unwrap();
    assert_eq!((last.as_u64(), overdue > 1), (Some(1), true), "{history}");
    for points in ["1", "401", "many"] {
        let path = format!("/v1/history?points={points}");
        api.get(&path).await.problem(400, "invalid_parameter");
    }
    let tenant = api.sign_in(api::auth::Role::Viewer, Some("gold-1")).await;
    let seen = api.get_as(&tenant, "/v1/history?points=2").await.json();
    assert_eq!(seen["overdue_timers"][1], 0, "that deadline is another tenant's: {seen}");
}
