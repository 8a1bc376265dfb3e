//! Plays replications of a scenario with an older kernel: `replications FILE FIRST COUNT`. It is built
//! within that kernel's source, so it uses nothing but what every kernel has had.
use std::sync::Arc;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().expect("a scenario");
    let mut number = || -> u64 { arguments.next().expect("a number").parse().expect("a number") };
    let (first, count) = (number(), number());
    let bytes = std::fs::read(&file).expect("the scenario");
    let scenario = Arc::new(sim::scenario::parse(&file, &bytes).unwrap_or_else(|e| panic!("{e}")));
    let end = scenario.start.time() + scenario.duration.duration();
    let (mut events, mut facts) = (0, 0_u64);
    let begin = std::time::Instant::now();
    for seed in first..first + count {
        let mut world = sim::World::new(Arc::clone(&scenario), seed);
        world.advance(end, &mut |_| facts += 1);
        events += world.events();
    }
    println!("{} {events} {facts}", begin.elapsed().as_secs_f64());
}
