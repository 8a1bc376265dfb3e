//! Requests from outside: scans, evaluations, images and usage of customers. They take effect when
//! time advances, and a record of them can be replayed.
use crate::support::{play, shipped, world};
use sim::World;
use sim::command::{Command, CommandError, ImageDefinition, Report};
use sim::fact::{Fact, FactKind, FindingRef, Scan, ScanTrigger};
use sim::ids::{BuildId, CustomerId, ImageId, PackageId, VersionRef};
use sim::time::{SimDuration, SimTime};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const HOUR: SimDuration = SimDuration(3_600_000);

fn take(world: &mut World, command: Command) -> Result<Vec<Fact>, CommandError> {
    let mut facts = Vec::new();
    world.submit(&command, &mut |fact| facts.push(fact))?;
    Ok(facts)
}

fn advance(world: &mut World, by: SimDuration) -> Vec<Fact> {
    let mut facts = Vec::new();
    let until = world.now() + by;
    world.advance(until, &mut |fact| facts.push(fact));
    facts
}

fn scans(facts: &[Fact]) -> impl Iterator<Item = (SimTime, &Scan)> {
    facts.iter().filter_map(|fact| match &fact.kind {
        FactKind::Scanned(scan) => Some((fact.at, &**scan)),
        _ => None,
    })
}

#[test]
fn requested_scans_report_each_finding_once() {
    let mut world = world(&shipped("classroom"), 3);
    let mut facts = advance(&mut world, HOUR);
    for hour in 0..160 {
        // Between and beside the scheduled passes, of one image and of all, twice at one instant.
        let image = [None, Some(ImageId(hour % 8)), Some(ImageId(0))][hour as usize % 3];
        take(&mut world, Command::Scan { image }).expect("a scan");
        if hour % 5 == 0 {
            take(&mut world, Command::Scan { image: None }).expect("a scan");
        }
        facts.extend(advance(&mut world, HOUR));
    }
    let asked = scans(&facts).filter(|(_, scan)| scan.trigger == ScanTrigger::Requested);
    assert_eq!(asked.count(), 160 + 32);
    let mut found: BTreeMap<VersionRef, BTreeSet<FindingRef>> = BTreeMap::new();
    let mut last: BTreeMap<VersionRef, SimTime> = BTreeMap::new();
    let mut by_request = 0;
    for (at, scan) in scans(&facts) {
        for target in &scan.targets {
            let known = found.entry(target.version).or_default();
            for new in &target.new {
                assert!(
                    known.insert(new.finding),
                    "{new:?} of {:?} is found twice",
                    target.version
                );
            }
            assert_eq!(target.findings as usize, known.len(), "seed 3: {target:?}");
            assert_eq!(target.previous, last.insert(target.version, at), "seed 3: {target:?}");
            by_request += if scan.trigger == ScanTrigger::Requested { target.new.len() } else { 0 };
        }
    }
    assert!(by_request > 20, "only {by_request} were found on request: the test proves nothing");
    let unknown = take(&mut world, Command::Scan { image: Some(ImageId(8)) }).map(|_| ());
    assert_eq!(unknown, Err(CommandError::UnknownImage(8)));
}

#[test]
fn at_most_one_evaluation_per_instant() {
    let mut world = world(&shipped("classroom"), 3);
    advance(&mut world, SimDuration(HOUR.0 + 7));
    let now = world.now();
    assert!(take(&mut world, Command::CheckSla).expect("an evaluation").is_empty());
    take(&mut world, Command::CheckSla).expect("an evaluation");
    let facts = advance(&mut world, SimDuration(1));
    let checks: Vec<SimTime> = facts
        .iter()
        .filter(|fact| matches!(fact.kind, FactKind::SlaChecked(_)))
        .map(|fact| fact.at)
        .collect();
    assert_eq!(checks, [now + SimDuration(1)]);
}

#[test]
fn a_customers_image_belongs_to_that_customer_alone() {
    let mut world = world(&shipped("classroom"), 3);
    advance(&mut world, HOUR);
    let namespace =
        |world: &World, n: u32| world.catalogue().customers[n as usize].namespace.clone();
    let (own, other) = (namespace(&world, 0), namespace(&world, 1));
    let create = |number, image, name: String, base, owner| Command::BuildImage {
        build: BuildId::of_command(number),
        image: ImageId(image),
        create: Some(ImageDefinition {
            name: name.into(),
            base: Some(ImageId(base)),
            packages: vec![PackageId(3)],
            owner: Some(CustomerId(owner)),
        }),
        requested_by: None,
        external: false,
    };
    for name in ["tool".to_owned(), format!("{other}.tool"), format!("{own}."), own.clone()] {
        let refused = take(&mut world, create(1, 8, name, 0, 0)).map(|_| ());
        assert!(matches!(refused, Err(CommandError::ForeignName { .. })), "{refused:?}");
    }
    take(&mut world, create(2, 8, format!("{own}.tool"), 0, 0)).expect("a shared base");
    take(&mut world, create(3, 9, format!("{own}.app"), 8, 0)).expect("an own base");
    let refused = take(&mut world, create(4, 10, format!("{other}.app"), 8, 1)).map(|_| ());
    assert_eq!(refused, Err(CommandError::ForeignImage(8)));
    assert_eq!(world.catalogue().namespace(ImageId(9)), own);
    assert_eq!(world.catalogue().namespace(ImageId(0)), "catalogue");
    // Another customer cannot run it; its own can, and stop.
    let run = |customer| Command::UseImage {
        customer: CustomerId(customer),
        image: ImageId(8),
        pin: None,
        runtime: None,
    };
    let refused = take(&mut world, run(1)).map(|_| ());
    assert_eq!(refused, Err(CommandError::ForeignImage(8)));
    play(&mut world, 1, |_| {});
    take(&mut world, run(0)).expect("its own");
    let facts = advance(&mut world, SimDuration(1));
    let version = facts.iter().find_map(|fact| match &fact.kind {
        FactKind::UsageChanged { customer: CustomerId(0), version, previous: None, .. } => {
            Some(*version)
        }
        _ => None,
    });
    assert_eq!(version.map(|version| version.image), Some(ImageId(8)), "{facts:?}");
    let end = Command::EndUse { customer: CustomerId(0), image: ImageId(8) };
    take(&mut world, end.clone()).expect("it uses it");
    let facts = advance(&mut world, SimDuration(1));
    assert!(facts.iter().any(|fact| matches!(fact.kind, FactKind::UsageEnded { .. })), "{facts:?}");
    let refused = take(&mut world, end).map(|_| ());
    assert_eq!(refused, Err(CommandError::NotUsed { customer: 0, image: 8 }));
}

/// Commands of every kind about builds and scans, at hours of the second and third day.
fn record(world: &World) -> Vec<(i64, Command)> {
    let namespace = &world.catalogue().customers[0].namespace;
    let definition = ImageDefinition {
        name: format!("{namespace}.tool").into(),
        base: Some(ImageId(1)),
        packages: vec![PackageId(5)],
        owner: Some(CustomerId(0)),
    };
    let report = Report { succeeded: true, failure: None, log: Some("done\n".into()) };
    let build = BuildId::of_command(1);
    let (image, customer) = (ImageId(8), CustomerId(0));
    let create = Some(definition);
    vec![
        (24, Command::BuildImage { build, image, create, requested_by: None, external: true }),
        (25, Command::Scan { image: None }),
        (26, Command::CompleteBuild { build, report: Arc::new(report) }),
        (27, Command::UseImage { customer, image, pin: None, runtime: None }),
        (30, Command::Scan { image: Some(image) }),
        (30, Command::CheckSla),
        (60, Command::EndUse { customer, image }),
    ]
}

#[test]
fn recorded_commands_replay_the_same_in_any_time_steps() {
    let mut whole = Vec::new();
    for step in [SimDuration::days(7), SimDuration(1_234_567), SimDuration(86_399_999)] {
        let mut world = world(&shipped("classroom"), 3);
        let start = world.now();
        let mut facts = Vec::new();
        let to = |world: &mut World, until: SimTime, facts: &mut Vec<Fact>| {
            while world.now() < until {
                let next = (world.now() + step).min(until);
                world.advance(next, &mut |fact| facts.push(fact));
            }
        };
        for (hour, command) in record(&world) {
            to(&mut world, start + SimDuration(hour * HOUR.0), &mut facts);
            facts.extend(take(&mut world, command).expect("it can be done"));
        }
        to(&mut world, start + SimDuration::days(7), &mut facts);
        if whole.is_empty() {
            whole = facts;
        } else {
            assert!(whole == facts, "seed 3, steps of {step:?}: facts differ");
        }
    }
    assert!(whole.iter().any(|fact| matches!(fact.kind, FactKind::UsageEnded { .. })));
}
