//! Forecasts: the futures of the world that the record tells, as much of them as a caller may see.
use crate::support::{Api, Content, live};
use api::Limits;
use api::auth::Role;
use serde_json::{Value, json};
use sim::World;
use sim::fact::Clock;
use sim::time::SimDuration;
use sim::world::TimerView;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use study::forecast::Forecast;
use study::statistics::{Interval, Level};

const PATH: &str = "/v1/forecasts";
/// Enough has happened by then: timers have stopped, run, and stand still.
const DAYS: i64 = 16;

fn wanted() -> Value {
    json!({"horizon_days": 7, "futures": 10, "seed": "5", "confidence": 0.9})
}

/// The same without database and API.
fn ours(world: &World) -> Forecast {
    let (horizon, level) = (SimDuration::days(7), Level::new(0.9).unwrap());
    let options = study::forecast::Options { horizon, futures: 10, seed: 5, level };
    study::forecast::forecast(world, options, 1, &AtomicBool::new(false)).unwrap()
}

fn estimate(interval: &Interval) -> Value {
    let all =
        [("estimate", interval.estimate), ("lower", interval.lower), ("upper", interval.upper)];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Who is owed what by when, as a timer is named.
type Name = (String, String, String, String, u64);

fn name(world: &World, timer: &TimerView) -> Name {
    let (catalogue, name) = (world.catalogue(), timer.name);
    (
        catalogue.customers[name.customer.index()].namespace.clone(),
        catalogue.images[name.image.index()].name.clone(),
        world.cve(name.advisory).unwrap().to_owned(),
        match name.clock {
            Clock::Provider => "provider".to_owned(),
            Clock::Customer => "customer".to_owned(),
        },
        u64::from(name.episode),
    )
}

fn names(answer: &Value) -> Vec<Name> {
    let text = |timer: &Value, field: &str| timer[field].as_str().unwrap().to_owned();
    let timers = answer["timers"].as_array().unwrap().iter();
    timers
        .map(|timer| {
            let [customer, image, cve, clock] =
                ["tenant_namespace", "image", "cve", "clock"].map(|field| text(timer, field));
            (customer, image, cve, clock, timer["episode"].as_u64().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn the_answer_is_the_forecast_of_the_recorded_world_every_time() {
    let api = Api::start("forecast_agrees").await;
    let world = live::record(&api.pool, "four-weeks", DAYS).await;
    let answer = api.post(PATH, wanted()).await;
    let again = api.post(PATH, wanted()).await;
    assert_eq!(answer.text, again.text, "one seed has one answer");
    let (answer, ours) = (answer.json(), ours(&world));
    assert_eq!(answer["from"], world.now().to_string());
    assert_eq!(answer["until"], (world.now() + SimDuration::days(7)).to_string());
    assert_eq!((&answer["seed"], &answer["futures"]), (&json!("5"), &json!(10)));
    let total = answer["total"].as_array().unwrap();
    assert_eq!(total.len(), ours.total.len());
    for (told, ours) in total.iter().zip(&ours.total) {
        assert_eq!(told["clock"], ours.clock.as_str());
        assert_eq!(told["severity"], ours.severity.as_str());
        assert_eq!(told["any"], estimate(&ours.any));
        assert_eq!(told["expected"], estimate(&ours.expected));
    }
    let customers = answer["customers"].as_array().unwrap();
    assert_eq!(customers.len(), ours.customers.len());
    let queue = answer["queue"].as_array().unwrap();
    assert_eq!(queue.len(), 7, "a row a day");
    for (told, ours) in queue.iter().zip(&ours.queue) {
        assert_eq!(
            (&told["builds"], &told["builds_p95"]),
            (&estimate(&ours.builds), &json!(ours.p95))
        );
    }
    let timers = answer["timers"].as_array().unwrap();
    assert_eq!(timers.len(), ours.timers.len().min(100));
    for (told, ours) in timers.iter().zip(&ours.timers) {
        assert_eq!(told["missed"], estimate(&ours.missed));
    }
    let likely = |timer: &Value| timer["missed"]["estimate"].as_f64().unwrap();
    assert!(timers.is_sorted_by(|a, b| likely(a) >= likely(b)), "the most endangered first");
    let mut other = wanted();
    other["seed"] = json!("6");
    let other = api.post(PATH, other).await.json();
    assert_ne!(other["queue"], answer["queue"], "another seed has other futures");
}

#[tokio::test]
async fn what_is_known_stays() {
    let api = Api::start("forecast_known").await;
    let world = live::record(&api.pool, "four-weeks", DAYS).await;
    let answer = api.post(PATH, wanted()).await.json();
    let (stopped, others): (Vec<_>, Vec<_>) =
        world.timers().partition(|timer| timer.stopped.is_some());
    assert!(!stopped.is_empty());
    let stopped: BTreeSet<Name> = stopped.iter().map(|timer| name(&world, timer)).collect();
    let told = names(&answer);
    assert!(!told.is_empty() && told.iter().all(|timer| !stopped.contains(timer)));
    let can_be_missed = |timer: &&TimerView| {
        timer.excluded != Some(true) && timer.due.is_none_or(|due| due > world.now())
    };
    let open: BTreeSet<Name> =
        others.iter().filter(can_be_missed).map(|timer| name(&world, timer)).collect();
    assert_eq!(answer["open_timers"], open.len());
    assert!(told.iter().all(|timer| open.contains(timer)));
    // The world has gone on: the forecast is that of its new instant.
    let later = live::record(&api.pool, "four-weeks", DAYS + 1).await;
    let answer = api.post(PATH, wanted()).await.json();
    assert_eq!(answer["from"], later.now().to_string());
    assert_eq!(answer["queue"][0]["builds"], estimate(&ours(&later).queue[0].builds));
}

#[tokio::test]
async fn a_tenant_sees_its_own_rows_and_no_total() {
    let api = Api::start("forecast_tenants").await;
    live::record(&api.pool, "four-weeks", DAYS).await;
    let all = api.post(PATH, wanted()).await.json();
    let rows = |answer: &Value, field: &str, tenant: &str| -> Vec<Value> {
        let rows = answer[field].as_array().unwrap().iter();
        rows.filter(|row| row["tenant_namespace"] == tenant).cloned().collect()
    };
    let tenant = all["customers"][0]["tenant_namespace"].as_str().unwrap();
    let key = api.sign_in(Role::Viewer, Some(tenant)).await;
    let own = api.post_as(&key, PATH, wanted()).await.json();
    assert_eq!((own.get("total"), own.get("queue")), (None, None));
    assert_eq!(own["customers"], json!(rows(&all, "customers", tenant)));
    let timers = own["timers"].as_array().unwrap();
    assert!(!timers.is_empty());
    assert_eq!(rows(&own, "timers", tenant), *timers, "nobody else's");
    for timer in rows(&all, "timers", tenant) {
        assert!(timers.contains(&timer), "{timer} is among its own");
    }
    let nobody = api.sign_in(Role::Editor, Some("nobody-0")).await;
    let nothing = api.post_as(&nobody, PATH, wanted()).await.json();
    assert_eq!((&nothing["customers"], &nothing["timers"]), (&json!([]), &json!([])));
    assert_eq!(nothing["open_timers"], 0);
    let orchestrator = api.sign_in(Role::Orchestrator, None).await;
    api.post_as(&orchestrator, PATH, wanted()).await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_world_that_has_not_begun_has_futures_and_no_timers() {
    let api = Api::start("forecast_beginning").await;
    let world = live::record(&api.pool, "classroom", 0).await;
    let answer = api.post(PATH, json!({})).await.json();
    assert_eq!(answer["from"], world.now().to_string());
    assert_eq!((&answer["timers"], &answer["open_timers"]), (&json!([]), &json!(0)));
    assert_eq!((&answer["futures"], &answer["confidence"]), (&json!(100), &json!(0.95)));
    assert_eq!(answer["queue"].as_array().unwrap().len(), 14);
}

#[tokio::test]
async fn another_kernels_world_has_no_futures_here() {
    let api = Api::start("forecast_kernel").await;
    live::record(&api.pool, "classroom", 2).await;
    api.post(PATH, wanted()).await.json();
    let other = "UPDATE world SET released_fingerprint = repeat('0', 32)";
    sqlx::query(other).execute(&api.pool).await.unwrap();
    api.post(PATH, wanted()).await.problem(409, "kernel_mismatch");
    let other = "UPDATE world SET kernel_version = 'other'";
    sqlx::query(other).execute(&api.pool).await.unwrap();
    api.post(PATH, wanted()).await.problem(409, "kernel_mismatch");
}

#[tokio::test]
async fn a_forecast_has_bounds() {
    let limits = Limits { compute_time: Duration::from_millis(1), ..Limits::default() };
    let api = Api::start_with("forecast_bounds", Content::World, limits).await;
    for wrong in [
        json!({"futures": 0}),
        json!({"futures": 1001}),
        json!({"horizon_days": 0}),
        json!({"horizon_days": 93}),
        json!({"horizon_days": 1.5}),
        json!({"confidence": 1}),
        json!({"confidence": 0}),
        json!({"seed": "99999999999999999999"}),
        json!({"seed": 1}),
        json!({"until": "2026-02-01T00:00:00Z"}),
        json!([]),
    ] {
        api.post(PATH, wrong).await.problem(400, "invalid_body");
    }
    live::record(&api.pool, "four-weeks", DAYS).await;
    let much = json!({"horizon_days": 92, "futures": 1000});
    let problem = api.post(PATH, much).await.problem(422, "too_much_work");
    assert!(problem["hint"].as_str().unwrap().contains("wavetank forecast"));
}

#[tokio::test]
async fn one_is_worked_out_at_a_time() {
    let compute_wait = Duration::from_millis(200);
    let limits = Limits { compute_wait, ..Limits::default() };
    let api = Api::start_with("forecast_turns", Content::World, limits).await;
    live::record(&api.pool, "four-weeks", DAYS).await;
    // Either would take seconds.
    let much = || api.post(PATH, json!({"horizon_days": 92, "futures": 60}));
    let (one, other) = tokio::join!(much(), much());
    let (answered, refused) = if one.status.is_success() { (one, other) } else { (other, one) };
    answered.json();
    refused.problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), "5");
}
