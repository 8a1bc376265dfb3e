//! Drills: the score card of a mass event, and its clocks.
use crate::support::{Api, Content};
use api::Limits;
use api::auth::Role;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use study::statistics::Level;

const PATH: &str = "/v1/drills";

fn wanted() -> Value {
    json!({"name": "friday-night", "seed": "3", "replications": 3})
}

#[tokio::test]
async fn a_drill_is_scored_as_the_event_was_played() {
    let api = Api::start("drill_scored").await;
    let answer = api.post(PATH, wanted()).await;
    assert_eq!(answer.text, api.post(PATH, wanted()).await.text, "one seed has one card");
    let card = answer.json();
    let bundled = sim::bundled::BUNDLED.iter().find(|of| of.name == "friday-night").unwrap();
    let scenario = sim::scenario::parse("friday-night", bundled.text.as_bytes()).unwrap();
    let level = Level::new(0.95).unwrap();
    let options = study::drill::Options { incident: None, seed: 3, replications: 3, level };
    let ours =
        study::drill::drill(&Arc::new(scenario), &options, 1, &AtomicBool::new(false)).unwrap();
    let ours = ours.unwrap();
    assert_eq!((&card["seed"], &card["replications"]), (&json!("3"), &json!(3)));
    assert_eq!(card["disclosed_at"], "2026-03-06T18:40:00Z", "as the scenario says");
    assert_eq!(
        (&card["images"], &card["cve"]),
        (&json!(ours.own.images), &json!(ours.timeline.cve))
    );
    let hours: Vec<_> = ours.own.rebuilt.iter().map(|of| json!(of.hours)).collect();
    let told: Vec<Value> =
        card["rebuilt"].as_array().unwrap().iter().map(|of| of["hours"].clone()).collect();
    assert_eq!(told, hours);
    assert_eq!(card["scoped"]["median"]["estimate"], json!(ours.spread.scoped.median.estimate));
    // Hours that three mass events of 2025 took (docs/model.md).
    let reference = ["reference_least_hours", "reference_most_hours"];
    for (place, hours) in
        [[21.0, 33.0], [34.0, 54.0], [53.0, 75.0], [66.0, 96.0]].iter().enumerate()
    {
        assert_eq!(reference.map(|field| card["rebuilt"][place][field].as_f64().unwrap()), *hours);
    }
    // Article 14: 24 and 72 hours of becoming aware; 14 days after the measure, not the discovery.
    let number = |value: &Value| value.as_f64().unwrap();
    let aware = number(&card["aware_hours"]);
    assert!((number(&card["early_warning"]["due_hours"]) - aware - 24.0).abs() < 1e-9);
    assert!((number(&card["notification"]["due_hours"]) - aware - 72.0).abs() < 1e-9);
    let first_fixed = ours.timeline.fixed[0];
    assert!((number(&card["final_report"]["due_hours"]) - first_fixed - 14.0 * 24.0).abs() < 1e-9);
}

#[tokio::test]
async fn whoever_may_read_may_drill_and_a_text_may_be_drilled() {
    let api = Api::start("drill_text").await;
    let viewer = api.sign_in(Role::Viewer, Some("acme")).await;
    let bundled = sim::bundled::BUNDLED.iter().find(|of| of.name == "friday-night").unwrap();
    let text = json!({"scenario": bundled.text, "seed": "3", "replications": 3});
    let by_text = api.post_as(&viewer, PATH, text).await.json();
    assert_eq!(by_text, api.post(PATH, wanted()).await.json());
    let orchestrator = api.sign_in(Role::Orchestrator, None).await;
    api.post_as(&orchestrator, PATH, wanted()).await.problem(403, "forbidden");
}

#[tokio::test]
async fn what_cannot_be_drilled_is_refused() {
    let api = Api::start("drill_refused").await;
    let none = api.post(PATH, json!({"name": "classroom"})).await;
    none.problem(422, "no_such_drill");
    let outage = json!({"name": "friday-night", "incident": 7});
    let problem = api.post(PATH, outage).await.problem(422, "no_such_drill");
    assert!(problem["detail"].as_str().unwrap().contains("those are 0"), "{problem}");
    api.post(PATH, json!({"name": "nothing"})).await.problem(422, "unknown_scenario");
    api.post(PATH, json!({})).await.problem(422, "contradiction");
    let both = json!({"name": "friday-night", "scenario": "name: x"});
    api.post(PATH, both).await.problem(422, "contradiction");
    api.post(PATH, json!({"scenario": "name: x"})).await.problem(422, "invalid_scenario");
    for wrong in [
        json!({"name": "friday-night", "replications": 0}),
        json!({"name": "friday-night", "replications": 1001}),
        json!({"name": "friday-night", "incident": -1}),
        json!({"name": "friday-night", "seed": "99999999999999999999"}),
        json!({"name": "friday-night", "horizon_days": 1}),
    ] {
        api.post(PATH, wrong).await.problem(400, "invalid_body");
    }
}

#[tokio::test]
async fn a_drill_that_takes_too_long_says_what_has_the_time() {
    let limits = Limits { compute_time: Duration::from_millis(1), ..Limits::default() };
    let api = Api::start_with("drill_long", Content::World, limits).await;
    let much = json!({"name": "enterprise-quarter", "replications": 1000});
    let problem = api.post(PATH, much).await.problem(422, "too_much_work");
    assert!(problem["hint"].as_str().unwrap().contains("wavetank drill"));
}
