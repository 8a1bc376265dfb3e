//! Plays without facts.
#![allow(clippy::all, clippy::disallowed_methods, missing_docs)]
use sim::World;
use std::sync::Arc;

fn main() {
    let mut a = std::env::args().skip(1);
    let file = a.next().expect("f");
    let n: u64 = a.next().map_or(20, |s| s.parse().expect("n"));
    let only_setup = a.next().is_some();
    let bytes = std::fs::read(&file).expect("f");
    let scenario = Arc::new(sim::scenario::parse(&file, &bytes).unwrap_or_else(|e| panic!("{e}")));
    let end = scenario.start.time() + scenario.duration.duration();
    let mut events = 0;
    let (mut setup, mut play) = (0.0, 0.0);
    for seed in 1..=n {
        let t = cpu();
        let mut world = World::new(scenario.clone(), seed);
        setup += cpu() - t;
        if only_setup {
            continue;
        }
        let t = cpu();
        world.play(end, &mut sim::recorder::Unwatched);
        play += cpu() - t;
        events += world.events();
    }
    println!(
        "{:.1} events, setup {:.3} ms, play {:.3} ms, {:.2} M/s",
        events as f64 / n as f64,
        setup * 1e3 / n as f64,
        play * 1e3 / n as f64,
        events as f64 / play / 1e6
    );
}

fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("x");
    text.split(' ').next().expect("x").parse::<f64>().expect("x") / 1e9
}
