//! Requests for builds: the stored command, the pending row, and what is refused.
use crate::support::Api;
use serde_json::{Value, json};
use sqlx::postgres::PgListener;
use std::time::Duration;

async fn commands(api: &Api) -> Vec<(i64, Value)> {
    let sql = "SELECT seq, command FROM commands ORDER BY seq";
    sqlx::query_as(sql).fetch_all(&api.pool).await.unwrap()
}

#[tokio::test]
async fn a_rebuild_is_pending_at_once() {
    let api = Api::start("commands_rebuild").await;
    let mut listener = PgListener::connect_with(&api.pool).await.unwrap();
    listener.listen(store::commands::CHANNEL).await.unwrap();
    let answer = api.post("/v1/images", json!({"name": "nginx"})).await;
    let build = answer.json();
    assert_eq!(answer.status, 202);
    assert_eq!(answer.header("location"), "/v1/builds/1000000001");
    assert_eq!(build["status"], "pending");
    assert_eq!(build["trigger"], "manual");
    assert_eq!(build["requested_at"], "2026-01-12T06:00:00Z");
    let notified = tokio::time::timeout(Duration::from_secs(60), listener.recv()).await;
    notified.expect("the conductor is notified").unwrap();
    let stored = commands(&api).await;
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].1["command"], "build_image");
    assert_eq!(stored[0].1["image"], 1);

    let seen = api.get(answer.header("location")).await.json();
    assert_eq!(seen["status"], "pending");
    let first = api.get("/v1/builds?page_size=1").await.json();
    assert_eq!(first["items"][0]["id"], 1_000_000_001);
    // What the world has not taken yet has no place in any past.
    let past = "/v1/builds/1000000001?as_of=2026-01-12T06:00:00Z";
    api.get(past).await.problem(404, "build_not_found");
    sqlx::query("UPDATE commands SET applied_at = '2026-01-12T06:00Z'")
        .execute(&api.pool)
        .await
        .unwrap();
    assert_eq!(api.get(past).await.json()["status"], "pending");
}

#[tokio::test]
async fn a_new_image_is_added_with_its_definition() {
    let api = Api::start("commands_create").await;
    let wanted = json!({"name": "web", "base": "base-os", "packages": ["nginx", "musl", "zlib"]});
    let build = api.post("/v1/images", wanted.clone()).await.json();
    assert_eq!((&build["image"], &build["image_id"]), (&"web".into(), &4.into()));
    let stored = commands(&api).await;
    assert_eq!(stored[0].1["create"]["name"], "web");
    assert_eq!(stored[0].1["create"]["packages"], json!([2, 1]), "musl comes with the base");
    let image = api.get("/v1/images/web").await.json();
    assert_eq!((&image["status"], &image["base"]), (&"unpublished".into(), &"base-os".into()));
    api.get("/v1/images/web?as_of=2026-01-12T06:00:00Z").await.problem(404, "image_not_found");

    // Asking again with the same definition is a rebuild; with another it is a mistake.
    assert_eq!(api.post("/v1/images", wanted).await.json()["image_id"], 4);
    let other = json!({"name": "web", "base": "base-os", "packages": ["redis"]});
    api.post("/v1/images", other).await.problem(409, "image_differs");
    let other = json!({"name": "web", "base": "nginx"});
    api.post("/v1/images", other).await.problem(409, "image_differs");
    let next = json!({"name": "next", "packages": ["redis"]});
    assert_eq!(api.post("/v1/images", next).await.json()["image_id"], 5);
}

#[tokio::test]
async fn concurrent_commands_get_different_numbers() {
    let api = Api::start("commands_race").await;
    let wanted = |n: usize| json!({"name": format!("race-{n}"), "packages": ["redis"]});
    let posts = (0..12).map(|n| api.post("/v1/images", wanted(n)));
    let mut images = Vec::new();
    for answer in futures::future::join_all(posts).await {
        images.push(answer.json()["image_id"].as_i64().unwrap());
    }
    images.sort_unstable();
    assert_eq!(images, (4..16).collect::<Vec<_>>());
    let seqs: Vec<i64> = commands(&api).await.into_iter().map(|(seq, _)| seq).collect();
    assert_eq!(seqs, (1..=12).collect::<Vec<_>>());
}

#[tokio::test]
async fn impossible_builds_are_refused_and_stored_nowhere() {
    let api = Api::start("commands_wrong").await;
    let long: Vec<String> = (0..2001).map(|n| format!("p{n}")).collect();
    for (wanted, status, code) in [
        (json!({"name": "redis"}), 409, "image_end_of_life"),
        (json!({"name": "unheard-of"}), 422, "unknown_image"),
        (json!({"name": "new", "base": "nothing", "packages": ["zlib"]}), 422, "unknown_image"),
        (json!({"name": "new", "base": "a\u{0}b", "packages": ["zlib"]}), 422, "unknown_image"),
        (json!({"name": "new", "packages": ["zlib", "no"]}), 422, "unknown_package"),
        (json!({"name": "new", "packages": ["zlib", "zlib"]}), 422, "unknown_package"),
        (json!({"name": "new", "packages": ["\u{0}"]}), 422, "unknown_package"),
        (json!({"name": "new", "packages": []}), 400, "invalid_body"),
        (json!({"name": "new", "packages": long}), 400, "invalid_body"),
        (json!({"name": "12", "packages": ["zlib"]}), 400, "invalid_body"),
        (json!({"name": "New Image", "packages": ["zlib"]}), 400, "invalid_body"),
        (json!({"name": "\u{0}"}), 400, "invalid_body"),
        (json!({"name": "x".repeat(64)}), 400, "invalid_body"),
        (json!({"name": 7}), 400, "invalid_body"),
        (json!({"name": null}), 400, "invalid_body"),
        (json!({"name": "nginx", "bse": "base-os"}), 400, "invalid_body"),
    ] {
        api.post("/v1/images", wanted).await.problem(status, code);
    }
    assert_eq!(commands(&api).await.len(), 0);
    let images: i64 =
        sqlx::query_scalar("SELECT count(*) FROM images").fetch_one(&api.pool).await.unwrap();
    assert_eq!(images, 4);
}
