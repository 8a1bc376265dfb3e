//! No world, no schema, no database, a request that takes too long: each has its own answer.
use crate::support::{Api, Content};
use api::Limits;
use serde_json::json;
use std::time::Duration;
use store::locks::LEADERSHIP;

#[tokio::test]
async fn readiness_reports_the_conductor() {
    let api = Api::start("ready").await;
    assert_eq!(api.get("/health").await.json()["status"], "ok");
    let ready = api.get("/ready").await.json();
    assert_eq!((&ready["status"], &ready["conductor"]), (&"ready".into(), &"absent".into()));
    assert_eq!(ready["materialized_through"], "2026-01-12T05:00:00Z");
    let mut conductor = api.session().await;
    let lock = "SELECT pg_try_advisory_lock($1)";
    sqlx::query(lock).bind(LEADERSHIP).execute(&mut conductor).await.unwrap();
    assert_eq!(api.get("/ready").await.json()["conductor"], "active");
}

#[tokio::test]
async fn reads_and_commands_without_a_world_are_503() {
    for (name, content) in [("no_world", Content::Schema), ("no_schema", Content::Nothing)] {
        let api = Api::start_with(name, content, Limits::default()).await;
        assert_eq!(api.get("/health").await.status, 200);
        for path in ["/v1/clock", "/v1/images", "/v1/builds/1", "/v1/images/nginx"] {
            let answer = api.get(path).await;
            answer.problem(503, "no_world");
            assert_eq!(answer.header("retry-after"), "1");
        }
        api.post("/v1/images", json!({"name": "nginx"})).await.problem(503, "no_world");
        api.put("/v1/clock", json!({"mode": "fast"})).await.problem(503, "no_world");
        let problem = api.get("/ready").await.problem(503, "not_ready");
        assert_eq!(problem["errors"][0]["name"], "database");
    }
}

#[tokio::test]
async fn a_lost_database_is_503_and_the_service_stays_up() {
    let api = Api::start("database_gone").await;
    assert_eq!(api.get("/v1/images").await.status, 200);
    api.cut_database().await;
    for path in ["/v1/images", "/v1/clock", "/v1/builds/1"] {
        api.get(path).await.problem(503, "database_unavailable");
    }
    api.get("/ready").await.problem(503, "not_ready");
    assert_eq!(api.get("/health").await.status, 200);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_ended() {
    let limits = Limits { handler_time: Duration::from_millis(300), ..Limits::default() };
    let api = Api::start_with("too_long", Content::World, limits).await;
    let mut other = api.session().await;
    sqlx::query("BEGIN").execute(&mut other).await.unwrap();
    store::commands::lock(&mut other).await.unwrap();
    api.post("/v1/images", json!({"name": "nginx"})).await.problem(503, "timeout");
}
