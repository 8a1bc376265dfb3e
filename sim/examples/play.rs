//! Plays a scenario in the kernel alone and prints its summary: `play FILE [SEED]`.
#![expect(clippy::disallowed_methods, reason = "an example reads files")]
use sim::World;
use sim::stats::Observer;
use std::sync::Arc;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().unwrap_or_else(|| "scenarios/four-weeks.yaml".to_owned());
    let bytes = std::fs::read(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let scenario = sim::scenario::parse(&file, &bytes).unwrap_or_else(|error| panic!("{error}"));
    let seed = arguments.next().map_or(scenario.seed, |s| s.parse().unwrap_or(0));
    let end = scenario.start.time() + scenario.duration.duration();
    let mut world = World::new(Arc::new(scenario), seed);
    let mut observer = Observer::default();
    world.advance(end, &mut |fact| observer.observe(&fact));
    println!("{} events, {:#?}", world.events(), observer.summary());
}
