//! What a fork may know and what not, looked at from inside.
mod calibration;
mod reliability;

use crate::World;
use crate::fact::Fact;
use crate::random::RandomStreams;
use crate::time::{HOUR_MS, SimDuration, SimTime};
use std::sync::Arc;

fn world(yaml: &str, seed: u64) -> World {
    let scenario = crate::scenario::parse("test.yaml", yaml.as_bytes())
        .unwrap_or_else(|error| panic!("{error}"));
    World::new(Arc::new(scenario), seed)
}

/// All kinds of pending events are common in it.
const BUSY: &str = "name: busy\ntitle: Busy\nstart: 2026-01-05T00:00:00Z\nduration: 60d\n\
    distribution: { packages: 120, end_of_life: 0.1 }\n\
    vulnerabilities: { per_day: 6, fixed_at_disclosure: 0.4 }\n\
    fleet: { bases: 2, images: 14 }\n\
    builders: { count: 2, duration: { lognormal: { median: 2h, sigma: 1 } }, flake: 0.1, \
    breakage: 0.5, repair: { lognormal: { median: 2d, sigma: 1 } } }\n\
    triggers: { rebuild: \"0 3 * * *\", arrivals: [{ trigger: manual, gap: { uniform: { min: 0s, max: 12h } } }] }\n\
    scanner: { false_positives: 0.2 }\n\
    policies: [{ name: p, days: { critical: 3, high: 7, medium: 14, low: 30 } }]\n\
    customers: [{ name: c, count: 6, policy: p, images: 5, pinned: 0.3 }]\n\
    incidents:\n  - { at: 2026-01-10T00:00:00Z, mass_vulnerability: { image_share: 0.5, severity: high, \
    upstream_fix_after: 1d, package_fix_after: { uniform: { min: 1d, max: 9d } }, detectable_after: 6h } }\n  \
    - { at: 2026-01-20T00:00:00Z, builder_outage: { builders: 1, duration: 2d } }\n";

fn facts(world: &mut World, days: i64) -> Vec<Fact> {
    let mut all = Vec::new();
    world.advance(world.now() + SimDuration::days(days), &mut |fact| all.push(fact));
    all
}

fn played(hours: i64, seed: u64) -> World {
    let mut world = world(BUSY, seed);
    world.advance(world.now() + SimDuration(hours * HOUR_MS + 1234), &mut |_| {});
    world
}

#[test]
fn what_nobody_knows_does_not_reach_a_fork() {
    for (hours, seed) in [(37, 1), (131, 2), (227, 3), (386, 4)] {
        let world = played(hours, seed);
        // The same is known of all of these, and all else differs.
        let streams = RandomStreams::new(99).fork(seed);
        let future = |of: &World| facts(&mut of.fork_with(streams, SimTime::since), 12);
        let expected = future(&world);
        assert!(expected.len() > 500, "seed {seed}: {} facts", expected.len());
        for other in 0..4 {
            let found = future(&world.fork(other));
            let differs = expected.iter().zip(&found).position(|(a, b)| a != b);
            let place = differs.unwrap_or(expected.len().min(found.len()));
            assert!(
                found == expected,
                "seed {seed}, fork {other}, hour {hours}: {:?} for {:?}",
                found.get(place),
                expected.get(place)
            );
        }
    }
}

#[test]
fn what_is_known_stays() {
    let world = played(386, 7);
    let fork = world.fork(1);
    assert_eq!((fork.now(), fork.seq(), fork.events()), (world.now(), world.seq(), world.events()));
    let known = |world: &World| {
        let versions: Vec<_> = world.images.iter().map(|i| (&i.in_use, &i.open, &i.owed)).collect();
        let advisories: Vec<_> = world
            .advisories
            .iter()
            .map(|a| (&a.info.cve, a.info.severity, &a.hits, a.fix_available, &a.mass_event))
            .collect();
        format!(
            "{versions:?} {advisories:?} {:?} {:?} {:?} {:?} {:?}",
            world.releases,
            world.pool,
            world.builds,
            world.usages,
            world.timers().collect::<Vec<_>>()
        )
    };
    assert!(known(&fork) == known(&world));
    assert!(world.builds.iter().flatten().count() > 0, "something must be under way");
}

#[test]
fn a_seed_is_one_future_and_none_is_the_worlds_own() {
    let mut world = played(227, 11);
    let own: Vec<Fact> = facts(&mut world.clone(), 9);
    let one = facts(&mut world.fork(11), 9);
    assert!(one == facts(&mut world.fork(11), 9), "the same seed");
    assert!(one != own && one != facts(&mut world.fork(12), 9));
    assert!(one != facts(&mut world.fork(11).fork(11), 9), "a fork of a fork draws anew");
    assert!(facts(&mut world, 9) == own, "a fork changes nothing of where it comes from");
    assert_eq!(one[0].seq, own[0].seq, "facts are numbered on");
}

#[test]
fn a_world_that_has_not_begun_is_all_unknown() {
    let unborn = world(BUSY, 5);
    let future = facts(&mut unborn.fork(1), 6);
    assert!(future.len() > 200 && future[0].seq == 1);
    assert!(future != facts(&mut unborn.fork(2), 6));
}
