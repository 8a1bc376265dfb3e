//! Forks of one world at one instant: what is pending comes when the closed form says, given what is
//! known. The world is chosen by seed so that something is pending; nothing else is looked at.
mod builds;
mod fixes;
mod others;

use sim::World;
use sim::fact::{Fact, FactKind};
use sim::ids::AdvisoryId;
use sim::time::{DAY_MS, HOUR_MS, SimDuration, SimTime};

/// Forks a test makes, if it does not say otherwise.
const FORKS: u64 = 2_000;

/// A world of one image and one package, in which nothing happens but what a test adds.
fn quiet(vulnerabilities: &str, rest: &str) -> String {
    let dispersion = if vulnerabilities.contains("dispersion") { "" } else { "dispersion: 0, " };
    format!(
        "name: quiet\ntitle: Quiet\nstart: 2026-01-05T00:00:00Z\nduration: 3650d\n\
         vulnerabilities: {{ {dispersion}weekdays: [1, 1, 1, 1, 1, 1, 1], single_package: 1, \
         {vulnerabilities} }}\n\
         images: [{{ name: only, packages: 1 }}]\nsla: {{ check: null }}\n{rest}"
    )
}

/// One package that never has a release of its own accord.
const STILL: &str = "distribution: { packages: 1, end_of_life: 0, \
    releases_per_year: { lognormal_number: { mu: -10, sigma: 0 } } }\n";
/// Neither builds nor scans but those that are asked for.
const IDLE: &str = "triggers: { upstream: false, cve_fix: null }\nscanner: { schedule: null }\n";

fn at(world: &World, time: SimTime) -> World {
    let mut world = world.clone();
    world.advance(time, &mut |_| {});
    assert_eq!(world.now(), time);
    world
}

/// Milliseconds from the fork to the first fact that `is` accepts, in many forks; infinite where
/// there is none within `days`.
fn waits(world: &World, days: i64, is: impl Fn(&FactKind) -> bool) -> Vec<f64> {
    let wait = |seed| {
        let mut first = f64::INFINITY;
        let mut fork = world.fork(seed);
        let mut see = |fact: Fact| {
            if first.is_infinite() && is(&fact.kind) {
                first = fact.at.since(world.now()).0 as f64;
            }
        };
        let (step, mut left) = (SimDuration::days(1), days);
        while left > 0 {
            fork.advance(fork.now() + step, &mut see);
            left -= 1;
        }
        first
    };
    (0..FORKS).map(wait).collect()
}

/// The greatest distance between the empirical distribution and the exact one must be below the
/// critical value of Kolmogorov and Smirnov at 0.001.
fn assert_distribution(what: &str, mut waits: Vec<f64>, below: impl Fn(f64) -> f64) {
    waits.sort_by(f64::total_cmp);
    let n = waits.len() as f64;
    let mut distance = 0.0_f64;
    for (wait, before) in waits.iter().zip(0..).filter(|(wait, _)| wait.is_finite()) {
        let exact = below(*wait);
        let (least, most) = (f64::from(before) / n, f64::from(before + 1) / n);
        distance = distance.max(exact - least).max(most - exact);
    }
    let finite = waits.iter().filter(|wait| wait.is_finite()).count();
    assert!(finite > 20, "{what}: only {finite} happen");
    assert!(distance < 1.95 / n.sqrt(), "{what}: {n} forks are {distance} off");
}

/// The share of yes must lie within four deviations.
fn assert_share(what: &str, yes: usize, n: u64, exact: f64) {
    let share = yes as f64 / n as f64;
    let sd = (exact * (1.0 - exact) / n as f64).sqrt();
    assert!((share - exact).abs() < 4.0 * sd, "{what}: {share} for {exact}, deviation {sd}");
}

/// P(a lognormal of this median, in ms, is longer than `ms`).
fn lognormal_survival(median: f64, sigma: f64, ms: f64) -> f64 {
    0.5 * libm::erfc((ms / median).ln() / sigma / std::f64::consts::SQRT_2)
}

/// P(it ends within `x` more | it has lasted `elapsed`).
fn given(survival: impl Fn(f64) -> f64, elapsed: f64) -> impl Fn(f64) -> f64 {
    move |x| 1.0 - survival(elapsed + x) / survival(elapsed)
}

/// When each advisory was published, and when its upstream fix came, if it came.
fn advisories(yaml: &str, seed: u64, days: i64) -> Vec<(AdvisoryId, SimTime, Option<SimTime>)> {
    let mut world = crate::support::world(yaml, seed);
    crate::support::play(&mut world, days, |_| {});
    let all = world.advisories().map(|a| (a.advisory, a.published, a.fix_available));
    all.collect()
}

const DAY: f64 = DAY_MS as f64;
const HOUR: f64 = HOUR_MS as f64;
/// A survival function, or a quantile function.
type Curve = fn(f64) -> f64;
