//! The kernel alone: an M/M/4 queue beside SimPy and Cimba, and the largest scenario.
use sim::World;
use sim::stats::Observer;
use sim::time::SimDuration;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

const QUEUE: &str = "name: queue\ntitle: M/M/4\nstart: 2026-01-05T00:00:00Z\nduration: 3650d\n\
    distribution: { packages: 1, end_of_life: 1 }\nvulnerabilities: { per_day: 0 }\n\
    images:\n  - { name: only, packages: 1 }\n\
    builders:\n  count: 4\n  duration: { exponential: { mean: 1h } }\n  flake: 0\n  breakage: 0\n  \
    queue: { priority: [], merge: false }\n\
    triggers:\n  upstream: false\n  base_change: false\n  arrivals:\n    \
    - { trigger: manual, gap: { exponential: { mean: 1125s } } }\n\
    scanner: { schedule: null }\nsla: { check: null }\n";

/// Other simulators with the same queue: name, package with the version tried, script.
const PEERS: [(&str, &str, &str); 2] = [
    ("SimPy, process style", "simpy==4.1.2", "simpy_mm4.py"),
    ("Cimba, compiled", "cimba==0.9.5", "cimba_mm4.py"),
];

/// M/M/4 at a load of 0.8: every arrival and every end of a build is an event.
pub(crate) fn queue() {
    let scenario = sim::scenario::parse("queue", QUEUE.as_bytes()).expect("a scenario");
    let scenario = Arc::new(scenario);
    let mut world = World::new(Arc::clone(&scenario), 1);
    let mut facts = 0u64;
    let begin = Instant::now();
    world.advance(world.now() + SimDuration::days(20_000), &mut |_| facts += 1);
    let ours = world.events() as f64 / begin.elapsed().as_secs_f64();
    let bare = bare(&scenario);
    println!("kernel, M/M/4: {:.2} million events/s ({facts} facts)", ours / 1e6);
    println!("  without facts: {:.2} million events/s", bare / 1e6);
    for (name, package, script) in PEERS {
        match peer(script) {
            Some(peer) => println!(
                "  {name}: {:.3} million events/s; the kernel is {:.1} times as fast, {:.1} without facts",
                peer / 1e6,
                ours / peer,
                bare / peer
            ),
            None => println!(
                "  {name} is not installed (pip install {package}): no peer to compare with"
            ),
        }
    }
}

/// The same queue without facts, as studies play it.
fn bare(scenario: &Arc<sim::scenario::Scenario>) -> f64 {
    let mut world = World::new(Arc::clone(scenario), 1);
    let begin = Instant::now();
    world.play(world.now() + SimDuration::days(20_000), &mut sim::recorder::Unwatched);
    world.events() as f64 / begin.elapsed().as_secs_f64()
}

/// Events a second, as a script says them.
fn peer(script: &str) -> Option<f64> {
    let script = super::repository().join("benches").join(script);
    let python = std::env::var("WAVETANK_BENCH_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(python).arg(script).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// A quarter of a year of a large enterprise, in the kernel and its statistics.
pub(crate) fn enterprise() {
    let file = super::scenario("enterprise-quarter");
    let text = std::fs::read(&file).expect("the scenario");
    let scenario = sim::scenario::parse("enterprise-quarter.yaml", &text).expect("a scenario");
    let end = scenario.start.time() + scenario.duration.duration();
    let seed = scenario.seed;
    let begin = Instant::now();
    let mut world = World::new(Arc::new(scenario), seed);
    let mut observer = Observer::default();
    world.advance(end, &mut |fact| observer.observe(&fact));
    println!(
        "kernel, enterprise-quarter: {:.2} s for {} facts, {} findings, {} violations; peak {} MiB",
        begin.elapsed().as_secs_f64(),
        observer.summary().facts,
        observer.summary().findings_total(),
        observer.summary().violations_total(),
        peak_mib()
    );
    let begin = Instant::now();
    let fork = world.clone();
    println!("  a fork of that world: {:.1} ms", begin.elapsed().as_secs_f64() * 1e3);
    drop(fork);
}

pub(crate) fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line
        .and_then(|rest| rest.trim().trim_end_matches(" kB").trim().parse().ok())
        .unwrap_or_default();
    kib / 1024
}
