//! Worlds for tests: scenarios written as YAML, played in the kernel's own parts.
#![expect(clippy::disallowed_methods, reason = "tests read the shipped scenarios")]
use sim::World;
use sim::fact::Fact;
use sim::time::{SimDuration, SimTime};
use std::sync::Arc;

/// A world from YAML; the seed goes into every failure message.
pub(crate) fn world(yaml: &str, seed: u64) -> World {
    let scenario = sim::scenario::parse("test.yaml", yaml.as_bytes())
        .unwrap_or_else(|error| panic!("{error}"));
    World::new(Arc::new(scenario), seed)
}

/// The text of a shipped scenario.
pub(crate) fn shipped(name: &str) -> String {
    let path = format!("{}/../scenarios/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Plays for `days` from the start and hands every fact to `see`.
pub(crate) fn play(world: &mut World, days: i64, mut see: impl FnMut(&Fact)) -> SimTime {
    let end = world.now() + SimDuration::days(days);
    world.advance(end, &mut |fact| see(&fact));
    end
}

/// The mean over replications must lie within four deviations of the mean.
pub(crate) fn assert_close(what: &str, exact: f64, sd: f64, values: &[f64], seed: u64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let tolerance = 4.0 * sd / n.sqrt();
    assert!(
        (mean - exact).abs() <= tolerance,
        "{what}: mean {mean} of {n} replications from seed {seed}, exactly {exact}, tolerance {tolerance}"
    );
}
