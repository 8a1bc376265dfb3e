//! External builds: they wait for their report, block no other build, and end once.
use crate::support::{play, shipped, world};
use sim::World;
use sim::command::{Command, CommandError, ImageDefinition, Report};
use sim::fact::{BuildResult, Cause, Fact, FactKind, FailureReason, Outcome};
use sim::ids::{BuildId, BuilderId, ImageId, PackageId};
use sim::time::SimDuration;
use std::sync::Arc;

fn build(number: u64, image: u32, create: Option<ImageDefinition>) -> Command {
    let (build, image) = (BuildId::of_command(number), ImageId(image));
    Command::BuildImage { build, image, create, requested_by: None, external: true }
}

fn report(number: u64, succeeded: bool) -> Command {
    let failure = (!succeeded).then(|| "the mirror is down".into());
    let report = Report { succeeded, failure, log: None };
    Command::CompleteBuild { build: BuildId::of_command(number), report: Arc::new(report) }
}

fn outside() -> ImageDefinition {
    let packages = vec![PackageId(3), PackageId(4)];
    ImageDefinition { name: "outside".into(), base: Some(ImageId(0)), packages, owner: None }
}

fn take(world: &mut World, command: Command) -> Result<Vec<Fact>, CommandError> {
    let mut facts = Vec::new();
    world.submit(&command, &mut |fact| facts.push(fact))?;
    Ok(facts)
}

/// The build's end, if it is among the facts.
fn end(facts: &[Fact], number: u64) -> Option<&BuildResult> {
    facts.iter().find_map(|fact| match &fact.kind {
        FactKind::BuildFinished(result) if result.build == BuildId::of_command(number) => {
            Some(&**result)
        }
        _ => None,
    })
}

fn advance(world: &mut World, by: SimDuration) -> Vec<Fact> {
    let mut facts = Vec::new();
    let until = world.now() + by;
    world.advance(until, &mut |fact| facts.push(fact));
    facts
}

#[test]
fn an_external_build_waits_for_its_report_and_blocks_no_other() {
    let mut world = world(&shipped("classroom"), 3);
    play(&mut world, 1, |_| {});
    let mut alone = world.clone();
    let before = world.builds_in_system();
    let facts = take(&mut world, build(1, 8, Some(outside()))).expect("image 8 is new");
    assert!(matches!(facts[0].kind, FactKind::ImageCreated(_)), "{facts:?}");
    let FactKind::BuildRequested { cause, .. } = &facts[1].kind else { panic!("{facts:?}") };
    assert_eq!(*cause, Cause::Manual { requested_by: None, external: true });
    assert_eq!(world.builds_in_system(), before, "it takes no builder and no place");
    assert_eq!(world.image_of(BuildId::of_command(1)), Some(ImageId(8)));
    // The others are built as if it were not there.
    let of_others = |facts: Vec<Fact>| -> Vec<_> {
        let ends = facts.into_iter().filter_map(|fact| match fact.kind {
            FactKind::BuildFinished(result) if result.image != ImageId(8) => {
                Some((fact.at, result.build, result.outcome.as_str()))
            }
            _ => None,
        });
        ends.collect()
    };
    let (with, without) =
        (advance(&mut world, SimDuration(60_000)), advance(&mut alone, SimDuration(60_000)));
    assert!(end(&with, 1).is_none(), "nobody reported yet");
    assert_eq!(of_others(with), of_others(without), "seed 3");

    take(&mut world, report(1, true)).expect("it waits");
    let reported = world.now();
    let facts = advance(&mut world, SimDuration(1));
    let result = end(&facts, 1).expect("it ends in a millisecond");
    assert_eq!(result.builder, Some(BuilderId::EXTERNAL));
    assert_eq!(result.started, reported + SimDuration(1), "its start was not observed");
    let Outcome::Published(published) = &result.outcome else { panic!("{result:?}") };
    assert_eq!(published.version, 1);
    assert!(published.contents.iter().any(|release| release.package == PackageId(3)));
    assert_eq!(world.image_of(BuildId::of_command(1)), None);
}

#[test]
fn a_build_is_completed_once_and_only_if_it_is_external() {
    let mut world = world(&shipped("classroom"), 3);
    play(&mut world, 1, |_| {});
    let waits_not = |number| Err(CommandError::NotWaiting(BuildId::of_command(number).0));
    take(&mut world, build(1, 8, Some(outside()))).expect("image 8 is new");
    take(&mut world, report(1, false)).expect("it waits");
    // A second report, before and after the first has counted.
    assert_eq!(take(&mut world, report(1, true)).map(|_| ()), waits_not(1));
    let facts = advance(&mut world, SimDuration(1));
    let result = end(&facts, 1).expect("it has ended");
    assert_eq!(result.outcome, Outcome::Failed { reason: FailureReason::Reported });
    assert_eq!(result.failure(), Some("the mirror is down"));
    assert_eq!(take(&mut world, report(1, true)).map(|_| ()), waits_not(1));
    // One that nobody asked for, and one that the platform makes.
    assert_eq!(take(&mut world, report(2, true)).map(|_| ()), waits_not(2));
    let Command::BuildImage { build: id, image, .. } = build(3, 1, None) else { unreachable!() };
    let own =
        Command::BuildImage { build: id, image, create: None, requested_by: None, external: false };
    take(&mut world, own).expect("image 1 exists");
    assert_eq!(take(&mut world, report(3, true)).map(|_| ()), waits_not(3));
}

#[test]
fn each_external_build_has_its_own_result() {
    let mut world = world(&shipped("classroom"), 3);
    play(&mut world, 1, |_| {});
    take(&mut world, build(1, 8, Some(outside()))).expect("image 8 is new");
    take(&mut world, build(2, 8, None)).expect("image 8 exists");
    // In the other order than they were asked for: the later one finds nothing new.
    take(&mut world, report(2, true)).expect("it waits");
    take(&mut world, report(1, true)).expect("it waits");
    let facts = advance(&mut world, SimDuration(1));
    assert!(!facts.iter().any(|fact| matches!(fact.kind, FactKind::BuildMerged { .. })));
    let outcome = |number| end(&facts, number).map(|result| result.outcome.as_str());
    let mut both = [outcome(1), outcome(2)];
    both.sort_unstable();
    assert_eq!(both, [Some("completed"), Some("unchanged")]);
    let order: Vec<u64> = facts
        .iter()
        .filter_map(|fact| match &fact.kind {
            FactKind::BuildFinished(result) if result.image == ImageId(8) => Some(result.build.0),
            _ => None,
        })
        .collect();
    assert_eq!(order, [2, 1].map(|number| BuildId::of_command(number).0), "as they were reported");
}

#[test]
fn the_external_builder_can_be_distrusted_once_it_exists() {
    let mut world = world(&shipped("classroom"), 3);
    play(&mut world, 1, |_| {});
    let distrust = || Command::DistrustBuilder { builder: BuilderId::EXTERNAL };
    let refused = take(&mut world, distrust()).map(|_| ());
    assert!(matches!(refused, Err(CommandError::UnknownBuilder { .. })), "{refused:?}");
    take(&mut world, build(1, 0, None)).expect("image 0 exists");
    take(&mut world, distrust()).expect("there is one");
    let again = take(&mut world, distrust()).map(|_| ());
    assert_eq!(again, Err(CommandError::DistrustedBefore(BuilderId::EXTERNAL.0)));
}
