//! Replications a second, as studies play them, beside an older kernel (`WAVETANK_BENCH_BASE` names its
//! commit) that plays the same worlds in turns with this one, on one core; then on two.
use sim::World;
use sim::recorder::Unwatched;
use sim::scenario::Scenario;
use sim::time::SimDuration;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;
use study::measure::{Meter, Period, Tiers};

/// 200 images, 40 customers, 91 days: a nightly rebuild, scans every 4 h, hourly checks.
const WORLD: &str = "name: study\ntitle: A platform of 200 images\nstart: 2026-01-05T00:00:00Z\n\
    duration: 91d\nfleet: { bases: 8, images: 192 }\nbuilders: { count: 8 }\n\
    triggers: { rebuild: 0 2 * * * }\n\
    policies:\n  - { name: gold, preset: hardened-vendor }\n  \
    - { name: silver, preset: business-2-30 }\ncustomers:\n  \
    - { name: gold, count: 10, policy: gold, images: 20 }\n  \
    - { name: silver, count: 30, policy: silver, images: 10 }\n";
/// The kernel before studies.
const BASE: &str = "d85d40d";
/// Worlds in a turn, and turns.
const COUNT: u64 = 20;
const TURNS: u64 = 5;

pub(crate) fn replications() {
    let scenario = Arc::new(sim::scenario::parse("study", WORLD.as_bytes()).expect("a scenario"));
    let base = Base::build();
    let (mut ours, mut theirs, mut events) = (0.0, 0.0, 0);
    for turn in 0..TURNS {
        let first = 1 + turn * COUNT;
        let begin = Instant::now();
        events += (first..first + COUNT).map(|seed| play(&scenario, seed)).sum::<u64>();
        ours += begin.elapsed().as_secs_f64();
        theirs += base.as_ref().map_or(0.0, |base| base.play(first));
    }
    let played = (TURNS * COUNT) as f64;
    println!(
        "study: {:.1} replications/s, {:.2} million events/s on one core",
        played / ours,
        events as f64 / ours / 1e6
    );
    match &base {
        Some(base) => println!(
            "  kernel of {}: {:.1} replications/s in the same turns; {:.1} times as fast now",
            base.commit,
            played / theirs,
            theirs / ours
        ),
        None => println!("  no older kernel to compare with (needs git and its history)"),
    }
    setup(&scenario);
    two_cores(&scenario, ours / played);
}

/// One replication, measured as a study does. Returns its events.
fn play(scenario: &Arc<Scenario>, seed: u64) -> u64 {
    let mut world = World::new(Arc::clone(scenario), seed);
    let end = scenario.start.time() + scenario.duration.duration();
    let period = Period { from: scenario.start.time() + SimDuration::days(14), until: end };
    let tiers = Tiers(vec!["gold".to_owned(), "silver".to_owned()]);
    let mut meter = Meter::new(&world, &tiers, scenario.builders.count, period);
    world.play(end, &mut meter);
    std::hint::black_box(meter.outcome(&world));
    world.events()
}

fn setup(scenario: &Arc<Scenario>) {
    let begin = Instant::now();
    for seed in 1..=COUNT {
        std::hint::black_box(World::new(Arc::clone(scenario), seed));
    }
    let alone = begin.elapsed().as_secs_f64() / COUNT as f64;
    let first = World::new(Arc::clone(scenario), 1);
    let begin = Instant::now();
    for _ in 0..COUNT {
        std::hint::black_box(World::new_like(&first, Arc::clone(scenario)));
    }
    let like = begin.elapsed().as_secs_f64() / COUNT as f64;
    let mut world = first.clone();
    let end = scenario.start.time() + scenario.duration.duration();
    let begin = Instant::now();
    world.play(end, &mut Unwatched);
    let bare = begin.elapsed().as_secs_f64();
    println!(
        "  of a replication: {:.1} ms to make the world, {:.1} ms for a further arm, {:.1} ms to play it",
        alone * 1e3,
        like * 1e3,
        bare * 1e3
    );
}

fn two_cores(scenario: &Arc<Scenario>, one: f64) {
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for core in 0..2 {
            scope.spawn(move || {
                for seed in 0..2 * COUNT {
                    play(scenario, 1 + core * 2 * COUNT + seed);
                }
            });
        }
    });
    let each = begin.elapsed().as_secs_f64() / (4 * COUNT) as f64;
    println!("  two cores: {:.1} replications/s, {:.2} times one", 1.0 / each, one / each);
    println!("  peak {} MiB", super::kernel::peak_mib());
}

/// An older kernel, built from the repository's history.
struct Base {
    commit: String,
    program: PathBuf,
    world: tempfile::NamedTempFile,
}

impl Base {
    fn build() -> Option<Base> {
        let commit = std::env::var("WAVETANK_BENCH_BASE").unwrap_or_else(|_| BASE.to_owned());
        let target = super::repository().join("target/bench-base");
        let source = target.join(&commit);
        if !source.join("sim/Cargo.toml").exists() {
            std::fs::create_dir_all(&source).ok()?;
            unpack(&commit, &source)?;
        }
        let driver = super::repository().join("benches/base/replications.rs");
        std::fs::copy(driver, source.join("sim/examples/replications.rs")).ok()?;
        let built = Command::new("cargo")
            .args(["build", "--release", "--quiet", "-p", "sim", "--example", "replications"])
            .current_dir(&source)
            .env("CARGO_TARGET_DIR", target.join("built"))
            .env_remove("RUSTC_WORKSPACE_WRAPPER")
            .status()
            .ok()?;
        let mut world = tempfile::NamedTempFile::new().ok()?;
        world.write_all(WORLD.as_bytes()).ok()?;
        let program = target.join("built/release/examples/replications");
        built.success().then_some(Base { commit, program, world })
    }

    /// Seconds for a turn.
    fn play(&self, first: u64) -> f64 {
        let output = Command::new(&self.program)
            .arg(self.world.path())
            .args([first.to_string(), COUNT.to_string()])
            .output()
            .expect("the older kernel runs");
        let said = String::from_utf8(output.stdout).expect("text");
        let seconds = said.split_whitespace().next().expect("what it printed");
        seconds.parse().expect("seconds")
    }
}

fn unpack(commit: &str, into: &Path) -> Option<()> {
    let mut archive = Command::new("git")
        .args(["archive", commit])
        .current_dir(super::repository())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let out = archive.stdout.take()?;
    let unpacked = Command::new("tar").arg("-x").arg("-C").arg(into).stdin(out).status().ok()?;
    (archive.wait().ok()?.success() && unpacked.success()).then_some(())
}
