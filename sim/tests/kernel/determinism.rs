//! The same scenario, seed and commands give the same facts; other policies, the same exogenous
//! events.
use crate::support::{play, shipped, world};
use sim::World;
use sim::command::Command;
use sim::fact::{Fact, FactKind};
use sim::ids::{BuildId, ImageId};
use sim::time::SimDuration;

fn facts(world: &mut World, days: i64) -> Vec<Fact> {
    let mut all = Vec::new();
    play(world, days, |fact| all.push(fact.clone()));
    all
}

#[test]
fn facts_are_numbered_without_gaps_in_time_order() {
    let all = facts(&mut world(&shipped("classroom"), 3), 7);
    assert!(all.len() > 100);
    for (fact, seq) in all.iter().zip(1..) {
        assert_eq!(fact.seq, seq);
    }
    assert!(all.windows(2).all(|pair| pair[0].at <= pair[1].at));
}

#[test]
fn the_facts_are_the_same_in_any_time_steps() {
    let yaml = shipped("four-weeks");
    let whole = facts(&mut world(&yaml, 11), 28);
    let mut pieces = world(&yaml, 11);
    let end = pieces.now() + SimDuration::days(28);
    let mut seen = Vec::new();
    let mut step = 1;
    while pieces.now() < end {
        step = step * 7 % 5_000_011;
        let until = (pieces.now() + SimDuration(step)).min(end);
        pieces.advance(until, &mut |fact| seen.push(fact));
    }
    assert_eq!(whole.len(), seen.len(), "seed 11");
    assert!(whole == seen, "seed 11: facts differ");
}

#[test]
fn a_fork_diverges_without_affecting_the_original() {
    let mut original = world(&shipped("classroom"), 5);
    play(&mut original, 2, |_| {});
    let mut fork = original.clone();
    let command = Command::BuildImage {
        build: BuildId::of_command(1),
        image: ImageId(0),
        create: None,
        requested_by: None,
        external: false,
    };
    fork.submit(&command, &mut |_| {}).expect("image 0 exists");
    let forked = facts(&mut fork, 3);
    let after = facts(&mut original, 3);
    let mut again = world(&shipped("classroom"), 5);
    play(&mut again, 2, |_| {});
    assert!(after == facts(&mut again, 3), "seed 5");
    assert!(forked.len() != after.len() || forked != after, "the command must show");
}

/// Disclosures and releases without their place in the order of all facts.
fn exogenous(yaml: &str, seed: u64) -> Vec<String> {
    let mut all = Vec::new();
    play(&mut world(yaml, seed), 28, |fact| match &fact.kind {
        FactKind::PackageReleased { .. }
        | FactKind::AdvisoryPublished(_)
        | FactKind::FixAvailable { .. } => all.push(format!("{:?} {:?}", fact.at, fact.kind)),
        _ => {}
    });
    all
}

#[test]
fn exogenous_events_do_not_depend_on_the_builder_pool_or_cadence() {
    let yaml = shipped("four-weeks");
    let expected = exogenous(&yaml, 42);
    assert!(expected.len() > 200);
    let variants = [
        yaml.replace("count: 4", "count: 1"),
        yaml.replace("rebuild: 0 2 * * *", "rebuild: 30 5 * * 0"),
    ];
    for variant in variants {
        assert_ne!(variant, yaml, "the variant must differ");
        assert!(exogenous(&variant, 42) == expected, "seed 42: exogenous events changed");
    }
    assert_ne!(exogenous(&yaml, 43), expected, "another seed must have other events");
}
