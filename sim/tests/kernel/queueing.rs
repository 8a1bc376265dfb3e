//! The builder pool against queueing theory: rows 1 to 9, 20 and 24 of docs/model.md.
use crate::support::{assert_close, play, world};
use sim::fact::{FactKind, Trigger};
use sim::ids::BuildId;
use sim::stats::Observer;
use std::collections::HashMap;

const WARM_UP: u64 = 20_000;
const CUSTOMERS: u64 = 120_000;

/// A world that is nothing but a queue. Its time unit is the hour.
fn queue(builders: u32, duration: &str, arrivals: &[(&str, f64)], priority: &str) -> String {
    let streams: String = arrivals
        .iter()
        .map(|(trigger, per_hour)| {
            let gap_ms = (3_600_000.0 / per_hour).round() as i64;
            format!(
                "    - trigger: {trigger}\n      gap: {{ exponential: {{ mean: {gap_ms}ms }} }}\n"
            )
        })
        .collect();
    format!(
        "name: queue\ntitle: A queue\nstart: 2026-01-05T00:00:00Z\nduration: 3650d\n\
         distribution: {{ packages: 1, end_of_life: 1 }}\n\
         vulnerabilities: {{ per_day: 0 }}\n\
         images:\n  - {{ name: only, packages: 1 }}\n\
         builders:\n  count: {builders}\n  duration: {duration}\n  flake: 0\n  breakage: 0\n  \
         queue: {{ priority: {priority}, merge: false }}\n\
         triggers:\n  upstream: false\n  base_change: false\n  arrivals:\n{streams}\
         scanner: {{ schedule: null }}\nsla: {{ check: null }}\n"
    )
}

/// Waits in hours after the warm-up, by trigger, and the integral of the queue's length.
struct Run {
    waits: HashMap<Trigger, Vec<f64>>,
    queue_hours: f64,
    observed_hours: f64,
}

fn run(yaml: &str, seed: u64) -> Run {
    let mut world = world(yaml, seed);
    let mut asked: HashMap<BuildId, (u64, i64, Trigger)> = HashMap::new();
    let mut waits: HashMap<Trigger, Vec<f64>> = HashMap::new();
    let (mut arrived, mut served) = (0u64, 0u64);
    let (mut waiting, mut last, mut begin) = (0i64, 0i64, None);
    let mut area = 0.0;
    while served < CUSTOMERS {
        play(&mut world, 20, |fact| {
            if begin.is_some() {
                area += waiting as f64 * (fact.at.0 - last) as f64;
            }
            last = fact.at.0;
            match &fact.kind {
                FactKind::BuildRequested { build, cause, .. } => {
                    arrived += 1;
                    waiting += 1;
                    if arrived == WARM_UP {
                        begin = Some(fact.at.0);
                    }
                    asked.insert(*build, (arrived, fact.at.0, cause.trigger()));
                }
                FactKind::BuildStarted { build, .. } => {
                    served += 1;
                    waiting -= 1;
                    let (nth, at, trigger) = asked.remove(build).expect("asked for before");
                    if nth > WARM_UP && nth <= CUSTOMERS {
                        let hours = (fact.at.0 - at) as f64 / 3_600_000.0;
                        waits.entry(trigger).or_default().push(hours);
                    }
                }
                _ => {}
            }
        });
    }
    let observed_hours = (last - begin.expect("warmed up")) as f64 / 3_600_000.0;
    Run { waits, queue_hours: area / 3_600_000.0, observed_hours }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn check_wait(row: &str, yaml: &str, exact: f64, sd: f64, seed: u64) {
    let waits: Vec<f64> =
        (0..8).map(|n| mean(&run(yaml, seed + n).waits[&Trigger::Manual])).collect();
    assert_close(row, exact, sd, &waits, seed);
}

const HOUR: &str = "{ exponential: { mean: 1h } }";

#[test]
fn row_1_one_exponential_server() {
    let yaml = queue(1, HOUR, &[("manual", 0.8)], "[]");
    check_wait("M/M/1 Wq", &yaml, 4.0, 0.146, 100);
}

#[test]
fn row_2_one_deterministic_server() {
    let yaml = queue(1, "{ constant: 1h }", &[("manual", 0.8)], "[]");
    check_wait("M/D/1 Wq", &yaml, 2.0, 0.057, 200);
}

#[test]
fn row_3_pollaczek_khinchine_with_lognormal_service() {
    // The mean of a lognormal is its median times exp(sigma^2 / 2).
    let median_ms = (3_600_000.0 * (-0.5f64).exp()).round() as i64;
    let duration = format!("{{ lognormal: {{ median: {median_ms}ms, sigma: 1 }} }}");
    let yaml = queue(1, &duration, &[("manual", 0.8)], "[]");
    check_wait("M/LN/1 Wq", &yaml, 5.436_564, 0.264, 300);
}

#[test]
fn row_5_four_exponential_servers() {
    let yaml = queue(4, HOUR, &[("manual", 3.2)], "[]");
    let runs: Vec<Run> = (0..8).map(|n| run(&yaml, 500 + n)).collect();
    let waits = |run: &Run| run.waits[&Trigger::Manual].clone();
    let means: Vec<f64> = runs.iter().map(|r| mean(&waits(r))).collect();
    assert_close("M/M/4 Wq", 0.745_541, 0.0348, &means, 500);
    let long: Vec<f64> = runs
        .iter()
        .map(|r| waits(r).iter().filter(|w| **w > 1.0).count() as f64 / waits(r).len() as f64)
        .collect();
    assert_close("M/M/4 P(Wq > 1)", 0.267_994, 0.0097, &long, 500);
    // Lq = lambda Wq by Little's law, so its deviation is lambda times that of Wq, or a bit more.
    let length: Vec<f64> = runs.iter().map(|r| r.queue_hours / r.observed_hours).collect();
    assert_close("M/M/4 Lq", 2.385_730, 0.0348 * 3.2 * 1.5, &length, 500);
}

#[test]
fn row_8_eight_exponential_servers() {
    let yaml = queue(8, HOUR, &[("manual", 6.4)], "[]");
    check_wait("M/M/8 Wq", &yaml, 0.286_028, 0.0166, 800);
}

#[test]
fn row_9_priorities_without_preemption() {
    let yaml = queue(
        4,
        "{ exponential: { mean: 30m } }",
        &[("upstream", 0.6), ("manual", 2.0), ("cron", 3.8)],
        "[upstream, manual, cron]",
    );
    let runs: Vec<Run> = (0..8).map(|n| run(&yaml, 900 + n)).collect();
    for (trigger, exact, sd) in [
        (Trigger::Upstream, 0.080_599, 0.0016),
        (Trigger::Manual, 0.119_406, 0.0029),
        (Trigger::Cron, 0.552_252, 0.0305),
    ] {
        let means: Vec<f64> = runs.iter().map(|r| mean(&r.waits[&trigger])).collect();
        assert_close(&format!("priority {trigger:?} Wq"), exact, sd, &means, 900);
    }
}

fn mass_rebuild() -> String {
    "name: mass\ntitle: 400 builds at once\nstart: 2026-01-05T00:00:00Z\nduration: 30d\n\
     distribution: { packages: 10, end_of_life: 1, end_of_life_weight: 1 }\n\
     vulnerabilities: { per_day: 0 }\n\
     fleet: { bases: 1, images: 399, base_packages: [1, 1], own_packages: [1, 1] }\n\
     builders: { count: 4, duration: { exponential: { mean: 30m } }, flake: 0, breakage: 0 }\n\
     triggers: { upstream: false, base_change: false }\n\
     scanner: { schedule: null }\nsla: { check: null }\n\
     incidents:\n  - at: 2026-01-06T00:00:00Z\n    rebuild_all: { trigger: manual }\n"
        .to_owned()
}

#[test]
fn row_20_four_hundred_builds_at_once() {
    let (mut makespans, mut completions) = (Vec::new(), Vec::new());
    for seed in 2_000..2_200 {
        let mut world = world(&mass_rebuild(), seed);
        let begin = world.now().0 + 86_400_000;
        let mut ends = Vec::new();
        play(&mut world, 30, |fact| {
            if matches!(fact.kind, FactKind::BuildFinished(_)) && fact.at.0 > begin {
                ends.push((fact.at.0 - begin) as f64 / 3_600_000.0);
            }
        });
        assert_eq!(ends.len(), 400, "seed {seed}");
        makespans.push(ends[399]);
        completions.push(mean(&ends));
    }
    assert_close("makespan", 50.5417, 2.558, &makespans, 2_000);
    assert_close("mean completion", 25.0644, 2.57, &completions, 2_000);
}

#[test]
fn row_24_littles_law_holds_to_the_millisecond() {
    for seed in 2_400..2_410 {
        let mut world = world(&mass_rebuild(), seed);
        let mut observer = Observer::default();
        play(&mut world, 30, |fact| observer.observe(fact));
        let flow = observer.flow();
        assert_eq!(flow.in_system(), 0, "seed {seed}: the run must end empty");
        assert!(flow.time_in_system_ms > 0, "seed {seed}");
        assert_eq!(flow.in_system_ms, flow.time_in_system_ms, "seed {seed}");
    }
}
