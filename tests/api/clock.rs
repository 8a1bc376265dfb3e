//! The clock: read, set, and what cannot be asked of it.
use crate::support::Api;
use api::auth::Role;
use serde_json::json;
use sqlx::postgres::PgListener;
use std::time::Duration;

#[tokio::test]
async fn the_clock_is_set_and_the_conductor_notified() {
    let api = Api::start("clock_set").await;
    let clock = api.get("/v1/clock").await.json();
    assert_eq!((&clock["mode"], &clock["factor"]), (&"paused".into(), &3600.0.into()));
    assert_eq!(clock["released_through"], "2026-01-12T06:00:00Z");
    assert_eq!(clock["materialized_through"], "2026-01-12T05:00:00Z");
    assert_eq!(clock["world"]["seed"], u64::MAX.to_string());
    assert!(clock.get("run_until").is_none() && clock.get("held_reason").is_none());

    let mut listener = PgListener::connect_with(&api.pool).await.unwrap();
    listener.listen(store::world::CLOCK_CHANNEL).await.unwrap();
    let wish = json!({"mode": "fast", "factor": 60, "run_until": "2026-01-13T01:00:00+01:00",
                      "then": "live"});
    let clock = api.put("/v1/clock", wish).await.json();
    assert_eq!(clock["run_until"], "2026-01-13T00:00:00Z");
    assert_eq!(clock["then"], "live");
    let notified = tokio::time::timeout(Duration::from_secs(60), listener.recv()).await;
    notified.expect("the conductor is notified").unwrap();
    assert_eq!(clock, api.get("/v1/clock").await.json());

    let paused = api.put("/v1/clock", json!({"mode": "paused"})).await.json();
    assert_eq!((&paused["mode"], &paused["factor"]), (&"paused".into(), &60.0.into()));
    assert!(paused.get("run_until").is_none());
}

#[tokio::test]
async fn only_an_admin_sees_the_full_reason_the_clock_is_held() {
    let api = Api::start("clock_held").await;
    let held = "UPDATE clock SET held_reason = 'expected [globex], found []'";
    sqlx::query(held).execute(&api.pool).await.unwrap();
    let reason = |clock: serde_json::Value| clock["held_reason"].as_str().unwrap().to_owned();
    assert!(reason(api.get("/v1/clock").await.json()).contains("globex"));
    for tenant in [None, Some("acme")] {
        let editor = api.sign_in(Role::Editor, tenant).await;
        let told = reason(api.get_as(&editor, "/v1/clock").await.json());
        assert!(!told.contains("globex"), "{told}");
    }
}

#[tokio::test]
async fn impossible_clock_updates_are_refused_and_change_nothing() {
    let api = Api::start("clock_wrong").await;
    let before = api.get("/v1/clock").await.json();
    for (wish, status, code) in [
        (json!({"mode": "fast", "run_until": "2026-01-12T06:00:00Z"}), 422, "contradiction"),
        (json!({"mode": "paused", "run_until": "2026-02-12T06:00:00Z"}), 422, "contradiction"),
        (json!({"mode": "fast", "then": "live"}), 422, "contradiction"),
        (json!({"mode": "live", "factor": 0}), 400, "invalid_body"),
        (json!({"mode": "live", "factor": -1}), 400, "invalid_body"),
        (json!({"mode": "live", "factor": 1e10}), 400, "invalid_body"),
        (json!({"mode": "live", "factor": "fast"}), 400, "invalid_body"),
        (json!({"mode": "backwards"}), 400, "invalid_body"),
        (json!({"mode": "fast", "run_until": "tomorrow"}), 400, "invalid_body"),
        (json!({"mode": "fast", "runUntil": "2026-02-12T06:00:00Z"}), 400, "invalid_body"),
        (json!({}), 400, "invalid_body"),
        (json!([]), 400, "invalid_body"),
    ] {
        api.put("/v1/clock", wish).await.problem(status, code);
    }
    assert_eq!(before, api.get("/v1/clock").await.json());
}

#[tokio::test]
async fn a_world_of_another_kernel_stands_still_and_says_why() {
    let api = Api::start("clock_kernel").await;
    let commands = "SELECT count(*) FROM commands";
    let before: i64 = sqlx::query_scalar(commands).fetch_one(&api.pool).await.unwrap();
    let other = "UPDATE world SET kernel_version = '0'";
    sqlx::query(other).execute(&api.pool).await.unwrap();
    let tenant = api.sign_in(Role::Editor, Some("acme")).await;
    for token in [&api.token, &tenant] {
        let clock = api.get_as(token, "/v1/clock").await.json();
        let reason = clock["held_reason"].as_str().unwrap();
        assert!(reason.contains("version 0 of the kernel"), "{reason}");
        let images = api.get_as(token, "/v1/images").await.json();
        assert!(images["items"][0].is_object(), "{images}");
        let asked = api.post_as(token, "/v1/sla-checks", json!({})).await;
        asked.problem(409, "kernel_mismatch");
    }
    api.put("/v1/clock", json!({"mode": "live"})).await.problem(409, "kernel_mismatch");
    api.post("/v1/images", json!({"name": "nginx"})).await.problem(409, "kernel_mismatch");
    let after: i64 = sqlx::query_scalar(commands).fetch_one(&api.pool).await.unwrap();
    assert_eq!(after, before, "nothing was stored");
}
