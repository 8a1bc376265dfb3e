//! Builds: their status at any instant, filters and order.
use crate::support::{Api, NGINX_BUILD};
use serde_json::Value;

fn ids(page: &Value) -> Vec<i64> {
    page["items"].as_array().unwrap().iter().map(|b| b["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_build_status_is_that_of_the_instant() {
    let api = Api::start("builds_status").await;
    let at = |hour: &str| format!("/v1/builds/{NGINX_BUILD}?as_of=2026-01-12T{hour}Z");
    api.get(&at("01:59:59.999")).await.problem(404, "build_not_found");
    for (hour, status) in [
        ("02:00:00", "pending"),
        ("02:10:00", "running"),
        ("02:29:59.999", "running"),
        ("02:30:00", "completed"),
    ] {
        let build = api.get(&at(hour)).await.json();
        assert_eq!(build["status"], status, "{hour}");
        let ended = status == "completed";
        for field in ["finished_at", "version", "digest", "builder", "log_href", "attempts"] {
            assert_eq!(build.get(field).is_some(), ended, "{field} at {hour}");
        }
        assert_eq!(build.get("started_at").is_some(), status != "pending");
    }
    let build = api.get(&format!("/v1/builds/{NGINX_BUILD}")).await.json();
    assert_eq!(build["cause"]["cve"], "CVE-2026-0000001");
    assert_eq!(build["cause"]["package"], "nginx");
    assert_eq!(build["cause"]["package_version"], "1.1.0-r0");
    assert_eq!(api.get("/v1/builds/6").await.json()["cause"]["base"], "base-os");
    assert_eq!(api.get("/v1/builds/5").await.json()["status"], "finishing");
    let merged = api.get("/v1/builds/7").await.json();
    assert_eq!((&merged["status"], &merged["merged_into"]), (&"merged".into(), &6.into()));
    // It has no log of its own, and says which build has.
    let problem = api.get("/v1/builds/7/log").await.problem(404, "build_log_not_found");
    assert!(problem["detail"].as_str().unwrap().contains("merged into build 6"), "{problem:#}");
    assert!(problem["hint"].as_str().unwrap().contains("/v1/builds/6/log"), "{problem:#}");
    let problem = api.get("/v1/builds/6/log").await.problem(404, "build_log_not_found");
    assert!(!problem["detail"].as_str().unwrap().contains("merged"), "{problem:#}");
}

#[tokio::test]
async fn a_build_is_pending_between_two_attempts() {
    let api = Api::start("builds_flaked").await;
    sqlx::query(
        "UPDATE build_events SET flaked_at = '{2026-01-12T02:15Z, 2026-01-12T02:20Z}',
             restarted_at = '{2026-01-12T02:18Z, 2026-01-12T02:20Z}', attempts = 3 WHERE id = $1",
    )
    .bind(NGINX_BUILD)
    .execute(&api.pool)
    .await
    .unwrap();
    for (minute, status) in [
        ("09", "pending"),
        ("14", "running"),
        ("15", "pending"),
        ("17", "pending"),
        ("18", "running"),
        ("20", "running"),
        ("30", "completed"),
    ] {
        let at = format!("as_of=2026-01-12T02:{minute}:00Z");
        let build = api.get(&format!("/v1/builds/{NGINX_BUILD}?{at}")).await.json();
        assert_eq!(build["status"], status, "{at}");
        let page = api.get(&format!("/v1/builds?status={status}&{at}")).await.json();
        assert!(ids(&page).contains(&NGINX_BUILD), "{at}: {page}");
    }
}

#[tokio::test]
async fn the_list_is_newest_first_and_filtered() {
    let api = Api::start("builds_list").await;
    let page = api.get("/v1/builds").await.json();
    assert_eq!(ids(&page), [7, 6, 5, 4, 3, 2, 1]);
    let filtered = async |query: &str| ids(&api.get(&format!("/v1/builds?{query}")).await.json());
    assert_eq!(filtered("image=nginx").await, [4, 2]);
    assert_eq!(filtered("image=1&trigger=cve_fix").await, [4]);
    assert_eq!(filtered("status=running").await, [6]);
    assert_eq!(filtered("status=running&as_of=2026-01-12T02:15:00Z").await, [4]);
    assert_eq!(filtered("status=pending&as_of=2026-01-12T02:05:00Z").await, [4]);
    assert_eq!(filtered("status=completed&as_of=2026-01-12T02:05:00Z").await, [3, 2, 1]);
    assert_eq!(filtered("status=failed").await, [] as [i64; 0]);
    api.get("/v1/builds?status=done").await.problem(400, "invalid_parameter");
    api.get("/v1/builds?image=nothing").await.problem(400, "invalid_parameter");
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat_builds_of_the_same_instant() {
    let api = Api::start("builds_pages").await;
    let mut path = "/v1/builds?page_size=2".to_owned();
    let mut all = Vec::new();
    loop {
        let page = api.get(&path).await.json();
        all.extend(ids(&page));
        let Some(token) = page["next_page_token"].as_str() else { break };
        path = format!("/v1/builds?page_size=2&page_token={token}");
    }
    assert_eq!(all, [7, 6, 5, 4, 3, 2, 1]);
}
