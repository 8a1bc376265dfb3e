//! Scenarios: the list, the check, and loads as far as the API goes.
use crate::support::Api;
use api::auth::Role;
use serde_json::json;

const SMALL: &str = "name: tiny\ntitle: One image\nstart: 2026-01-05T00:00:00Z\nduration: 1d\n\
                     images:\n  - {name: base, packages: 5}\n";

#[tokio::test]
async fn scenarios_are_listed_and_read() {
    let api = Api::start("scenario_list").await;
    let list = api.get("/v1/scenarios").await.json();
    let names: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|item| &item["name"]).collect();
    assert_eq!(names, ["classroom", "friday-night", "four-weeks", "enterprise-quarter"]);
    assert_eq!(list["items"][0]["images"], 8);
    assert_eq!(list["current"], "small");
    let one = api.get("/v1/scenarios/classroom").await.json();
    assert!(one["scenario"].as_str().unwrap().contains("name: classroom"));
    assert_eq!(one["sha256"], list["items"][0]["sha256"]);
    api.get("/v1/scenarios/nothing").await.problem(404, "scenario_not_found");
    sqlx::query("UPDATE world SET scenario = $1").bind(SMALL).execute(&api.pool).await.unwrap();
    let current = api.get("/v1/scenarios/current").await.json();
    assert_eq!((&current["scenario"], &current["name"]), (&json!(SMALL), &json!("tiny")));
    assert_eq!(current["seed"], u64::MAX.to_string(), "that of the world");
    // It names all customers, and with the seed it tells the future.
    let tenant = api.sign_in(Role::Editor, Some("acme")).await;
    let current = api.get_as(&tenant, "/v1/scenarios/current").await;
    current.problem(404, "scenario_not_found");
    let list = api.get_as(&tenant, "/v1/scenarios").await.json();
    assert_eq!((&list["current"], list.get("current_href")), (&json!("small"), None));
    assert_eq!(api.get_as(&tenant, "/v1/clock").await.json()["world"].get("seed"), None);
}

#[tokio::test]
async fn a_scenario_check_reports_the_position() {
    let api = Api::start("scenario_check").await;
    let check = |text: &str| json!({ "scenario": text });
    let right = api.post("/v1/scenarios/check", check(SMALL)).await.json();
    assert_eq!((&right["valid"], &right["images"]), (&json!(true), &json!(1)));
    let wrong = SMALL.replace("duration: 1d", "duration: soon");
    let problem = api.post("/v1/scenarios/check", check(&wrong)).await;
    let problem = problem.problem(422, "invalid_scenario");
    assert_eq!(problem["errors"][0]["name"], "duration");
    assert!(problem["detail"].as_str().unwrap().starts_with("scenario:4:11: duration:"));
    let wrong = wrong.replace("packages: 5", "packages: 0") + "sla: {check: \"*/61 * * * *\"}\n";
    let problem = api.post("/v1/scenarios/check", check(&wrong)).await;
    let problem = problem.problem(422, "invalid_scenario");
    let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|e| &e["name"]).collect();
    assert_eq!(fields, ["duration", "images[0].packages", "sla.check"]);
    for hostile in ["", "&a [*a, *a]", "a: &a [1]\nb: [*a, *a]", "{{{{{{{{", "\u{feff}", "- 1"] {
        let answer = api.post("/v1/scenarios/check", check(hostile)).await;
        assert!(matches!(answer.status.as_u16(), 400 | 422), "{hostile:?}: {}", answer.text);
    }
    let viewer = api.sign_in(Role::Viewer, None).await;
    let refused = api.post_as(&viewer, "/v1/scenarios/check", check(SMALL)).await;
    refused.problem(403, "forbidden");
}

#[tokio::test]
async fn a_scenario_load_must_name_the_world_it_replaces() {
    let api = Api::start("scenario_load").await;
    let path = "/v1/scenarios/load";
    let wish = |replace: &str| json!({"name": "classroom", "replace": replace});
    api.post(path, wish("another")).await.problem(409, "other_world");
    let unknown = json!({"name": "nothing", "replace": "small"});
    api.post(path, unknown).await.problem(422, "unknown_scenario");
    let both = json!({"name": "classroom", "scenario": SMALL, "replace": "small"});
    api.post(path, both).await.problem(422, "contradiction");
    let wrong = json!({"scenario": "name: x", "replace": "small"});
    api.post(path, wrong).await.problem(422, "invalid_scenario");
    let seed = json!({"scenario": SMALL, "replace": "small", "seed": "99999999999999999999"});
    api.post(path, seed).await.problem(400, "invalid_body");
    for (role, tenant) in [(Role::Editor, None), (Role::Viewer, Some("acme"))] {
        let token = api.sign_in(role, tenant).await;
        api.post_as(&token, path, wish("small")).await.problem(403, "forbidden");
        api.get_as(&token, "/v1/scenarios/loads/1").await.problem(403, "forbidden");
    }
    let right = json!({"scenario": SMALL, "replace": "small", "seed": "18446744073709551615",
                       "clock": "paused"});
    let asked = api.post(path, right.clone()).await;
    assert_eq!(asked.status, 202);
    let load = asked.json();
    assert_eq!(asked.header("location"), load["href"].as_str().unwrap());
    assert_eq!((&load["status"], &load["name"]), (&json!("waiting"), &json!("tiny")));
    assert_eq!(load["seed"], u64::MAX.to_string());
    api.post(path, right).await.problem(409, "load_under_way");
    assert_eq!(api.get(load["href"].as_str().unwrap()).await.json(), load);
    let failed = "UPDATE world_loads SET done_wall = now(), error = 'no room'";
    sqlx::query(failed).execute(&api.pool).await.unwrap();
    let over = api.get(load["href"].as_str().unwrap()).await.json();
    assert_eq!((&over["status"], &over["error"]), (&json!("failed"), &json!("no room")));
    assert_eq!(api.get("/v1/clock").await.json()["world"]["name"], "small", "it is still there");
    api.get("/v1/scenarios/loads/77").await.problem(404, "scenario_load_not_found");
    let actions = api.get("/v1/actions?operation=loadScenario&outcome=done").await.json();
    assert_eq!(actions["items"][0]["object"], load["href"]);
}
