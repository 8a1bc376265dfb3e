//! Commands: what they bring about, when, and what is refused.
use crate::support::{shipped, world};
use sim::World;
use sim::command::{Command, CommandError, ImageDefinition, NewAdvisory, NewRange, Report};
use sim::fact::{Fact, FactKind, FailureReason, Outcome, ScanTrigger};
use sim::ids::{BuildId, BuilderId, CustomerId, ImageId, PackageId};
use sim::severity::{Severity, Vector};
use sim::time::{DAY_MS, HOUR_MS, SimDuration, SimTime};
use std::sync::Arc;

/// The classroom after a day and a half, standing at an hour at which everything was evaluated.
fn standing() -> World {
    let mut world = world(&shipped("classroom"), 3);
    world.advance(SimTime(world.now().0 + DAY_MS + 12 * HOUR_MS), &mut |_| {});
    world
}

fn submit(world: &mut World, command: Command) -> Result<Vec<Fact>, CommandError> {
    let mut facts = Vec::new();
    world.submit(&command, &mut |fact| facts.push(fact)).map(|()| facts)
}

fn after(world: &mut World, ms: i64) -> Vec<Fact> {
    let mut facts = Vec::new();
    world.advance(SimTime(world.now().0 + ms), &mut |fact| facts.push(fact));
    facts
}

fn external(number: u64, image: u32) -> Command {
    Command::BuildImage {
        build: BuildId::of_command(number),
        image: ImageId(image),
        create: None,
        requested_by: None,
        external: true,
    }
}

fn completion(number: u64, failure: Option<&str>) -> Command {
    let report =
        Report { succeeded: failure.is_none(), failure: failure.map(Arc::from), log: None };
    Command::CompleteBuild { build: BuildId::of_command(number), report: Arc::new(report) }
}

fn outcome(facts: &[Fact], number: u64) -> (Outcome, Option<BuilderId>, SimTime) {
    let finished = facts.iter().find_map(|fact| match &fact.kind {
        FactKind::BuildFinished(result) if result.build == BuildId::of_command(number) => {
            Some((result.outcome.clone(), result.builder, fact.at))
        }
        _ => None,
    });
    finished.unwrap_or_else(|| panic!("build {number} has not ended"))
}

#[test]
fn external_builds_wait_for_their_reports_and_are_never_merged() {
    let mut world = standing();
    let at = world.now();
    for number in 1..=3 {
        let facts = submit(&mut world, external(number, 4)).expect("an image");
        assert!(matches!(facts[0].kind, FactKind::BuildRequested { .. }) && facts.len() == 1);
    }
    let waiting = after(&mut world, HOUR_MS);
    let of_ours = |fact: &&Fact| matches!(&fact.kind, FactKind::BuildFinished(result) if result.build.0 > BuildId::COMMANDED);
    assert_eq!(waiting.iter().filter(of_ours).count(), 0, "they wait");
    submit(&mut world, completion(1, Some("no space left"))).expect("it waits");
    assert_eq!(
        submit(&mut world, completion(1, None)),
        Err(CommandError::NotWaiting(BuildId::of_command(1).0)),
        "once"
    );
    let facts = after(&mut world, 1);
    let (how, builder, when) = outcome(&facts, 1);
    assert_eq!(how, Outcome::Failed { reason: FailureReason::Reported });
    assert_eq!((builder, when), (Some(BuilderId::EXTERNAL), SimTime(at.0 + HOUR_MS + 1)));
    // The source moves on, and the next report publishes that; the one after finds nothing new.
    let build = BuildId::of_command(9);
    let upstream = Command::UpstreamChanged { build, image: ImageId(4), revision: None };
    submit(&mut world, upstream).expect("an image");
    submit(&mut world, completion(2, None)).expect("it waits");
    submit(&mut world, completion(3, None)).expect("it waits");
    let facts = after(&mut world, 1);
    assert!(matches!(outcome(&facts, 2).0, Outcome::Published(_)));
    assert!(matches!(outcome(&facts, 3).0, Outcome::Unchanged { .. }));
    assert!(submit(&mut world, completion(7, None)).is_err(), "it was never requested");
}

#[test]
fn requested_scans_and_evaluations_happen_a_millisecond_later() {
    let mut world = standing();
    for command in [
        Command::Scan { image: None },
        Command::Scan { image: Some(ImageId(0)) },
        Command::CheckSla,
        Command::CheckSla,
    ] {
        assert_eq!(submit(&mut world, command), Ok(Vec::new()));
    }
    let at = world.now();
    let facts = after(&mut world, 1);
    assert!(facts.iter().all(|fact| fact.at == SimTime(at.0 + 1)));
    let scans: Vec<_> = facts
        .iter()
        .filter_map(|fact| match &fact.kind {
            FactKind::Scanned(scan) => Some(scan),
            _ => None,
        })
        .collect();
    assert!(scans.iter().all(|scan| scan.trigger == ScanTrigger::Requested));
    assert!(scans[0].targets.len() >= 8 && scans[1].targets.iter().all(|t| t.version.image.0 == 0));
    let checks = facts.iter().filter(|f| matches!(f.kind, FactKind::SlaChecked(_))).count();
    assert_eq!(checks, 1, "an instant is evaluated once");
    let unknown = submit(&mut world, Command::Scan { image: Some(ImageId(99)) });
    assert_eq!(unknown, Err(CommandError::UnknownImage(99)));
}

fn advisory(cve: Option<&str>, packages: Vec<NewRange>) -> NewAdvisory {
    NewAdvisory {
        cve: cve.map(Arc::from),
        vector: Vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into()),
        severity: Severity::Critical,
        known_exploited: false,
        packages,
        image_share_permille: None,
        detectable_after: SimDuration(0),
        fix_after: Some(SimDuration(HOUR_MS)),
        package_fix_after: SimDuration(HOUR_MS),
    }
}

#[test]
fn a_registered_advisory_is_found_fixed_and_rebuilt() {
    let mut world = standing();
    let package = world.catalogue().images[0].own_packages[0];
    let range = NewRange { package, introduced: 0, fixed: None };
    let disclose = |new| Command::DiscloseAdvisory(Arc::new(new));
    let facts = submit(&mut world, disclose(advisory(Some("CVE-2026-2000042"), vec![range])));
    let facts = facts.expect("a good advisory");
    let FactKind::AdvisoryPublished(published) = &facts[0].kind else { panic!("{facts:?}") };
    assert_eq!(&*published.cve, "CVE-2026-2000042");
    let id = published.id;
    let facts = after(&mut world, DAY_MS);
    let found = facts.iter().any(|fact| match &fact.kind {
        FactKind::Scanned(scan) => scan
            .targets
            .iter()
            .any(|target| target.new.iter().any(|new| new.finding.advisory == id)),
        _ => false,
    });
    assert!(found, "the scanner must find it");
    let available = facts.iter().find_map(|fact| match fact.kind {
        FactKind::FixAvailable { advisory } if advisory == id => Some(fact.at),
        _ => None,
    });
    let day_before = world.now().0 - DAY_MS;
    assert_eq!(available, Some(SimTime(day_before + HOUR_MS)));
    let fixed = |fact: &Fact| match &fact.kind {
        FactKind::BuildFinished(result) => match &result.outcome {
            Outcome::Published(published) => published.fixed.iter().any(|f| f.advisory == id),
            _ => false,
        },
        _ => false,
    };
    assert!(facts.iter().any(fixed), "a rebuild has the fix");
    let before = world.seq();
    let bad = NewRange { package, introduced: 999, fixed: None };
    let none = NewRange { package: PackageId(9_999), introduced: 0, fixed: None };
    for new in [
        advisory(Some("CVE-2026-2000042"), vec![range]),
        advisory(Some("CVE-2026-1000042"), vec![range]),
        advisory(None, vec![bad]),
        advisory(None, vec![none]),
        advisory(None, Vec::new()),
    ] {
        assert!(submit(&mut world, disclose(new.clone())).is_err(), "{new:?}");
    }
    assert_eq!(world.seq(), before, "a refused command changes nothing");
}

#[test]
fn an_injected_outage_ends_and_takes_at_most_the_whole_pool() {
    let mut world = standing();
    let outage = |builders| Command::BuilderOutage { builders, duration: SimDuration(HOUR_MS) };
    let too_many = CommandError::TooManyBuilders { in_service: 1, found: 2 };
    assert_eq!(submit(&mut world, outage(2)), Err(too_many));
    let facts = submit(&mut world, outage(1)).expect("one builder");
    assert_eq!(facts[0].kind, FactKind::BuilderOutage { in_service: 0 });
    assert!(submit(&mut world, outage(1)).is_err(), "none is left");
    let facts = after(&mut world, HOUR_MS);
    assert!(facts.iter().any(|f| f.kind == FactKind::BuilderOutage { in_service: 1 }));
}

#[test]
fn a_customer_starts_changes_and_stops_using_an_image() {
    let mut world = standing();
    let free: Vec<(u32, u32)> = (0..3)
        .flat_map(|customer| (0..8).map(move |image| (customer, image)))
        .filter(|(customer, image)| {
            let end = Command::EndUse { customer: CustomerId(*customer), image: ImageId(*image) };
            submit(&mut world.clone(), end).is_err()
        })
        .collect();
    let (customer, image) = (CustomerId(free[0].0), ImageId(free[0].1));
    let begin = Command::UseImage { customer, image, pin: None, runtime: None };
    let end = Command::EndUse { customer, image };
    assert_eq!(submit(&mut world, begin.clone()), Ok(Vec::new()));
    assert!(submit(&mut world, begin.clone()).is_err(), "one change at a time");
    let facts = after(&mut world, 1);
    let used = facts.iter().find_map(|fact| match &fact.kind {
        FactKind::UsageChanged { customer: who, version, previous, .. } if *who == customer => {
            Some((*version, *previous))
        }
        _ => None,
    });
    let (version, previous) = used.expect("the use begins");
    assert_eq!((version.image, previous), (image, None));
    let pin = Some(version.version);
    let wrong = Command::UseImage { customer, image, pin: Some(999), runtime: None };
    assert!(submit(&mut world, wrong).is_err(), "that version is not published");
    submit(&mut world, Command::UseImage { customer, image, pin, runtime: None }).expect("a pin");
    after(&mut world, 2 * DAY_MS);
    submit(&mut world, end.clone()).expect("it is used");
    let facts = after(&mut world, 1);
    // Pinned by hand, it never moved.
    assert!(facts.iter().any(|f| f.kind == FactKind::UsageEnded { customer, version }));
    assert!(submit(&mut world, end).is_err(), "it has ended");
    submit(&mut world, begin).expect("it can begin again");
}

#[test]
fn a_customers_image_stays_in_its_namespace() {
    let mut world = standing();
    let owner = CustomerId(0);
    let namespace = world.catalogue().customers[0].namespace.clone();
    let new = |number: u64, image: u32, name: &str, base: u32, owner: Option<CustomerId>| {
        let definition = ImageDefinition {
            name: name.into(),
            base: Some(ImageId(base)),
            packages: vec![PackageId(1), PackageId(7)],
            owner,
        };
        Command::BuildImage {
            build: BuildId::of_command(number),
            image: ImageId(image),
            create: Some(definition),
            requested_by: None,
            external: false,
        }
    };
    let name = format!("{namespace}.web");
    for wrong in ["web", &namespace, &format!("{namespace}."), &format!("x{name}")] {
        let refused = submit(&mut world, new(1, 8, wrong, 0, Some(owner)));
        assert!(matches!(refused, Err(CommandError::ForeignName { .. })), "{wrong}");
    }
    let facts = submit(&mut world, new(1, 8, &name, 0, Some(owner))).expect("a good image");
    let FactKind::ImageCreated(created) = &facts[0].kind else { panic!("{facts:?}") };
    assert_eq!(created.owner, Some(owner));
    assert_eq!(world.catalogue().namespace(ImageId(8)), namespace);
    let theirs = Some(CustomerId(1));
    let other = format!("{}.web", world.catalogue().customers[1].namespace);
    let foreign = Err(CommandError::ForeignImage(8));
    assert_eq!(submit(&mut world, new(2, 9, &other, 8, theirs)), foreign.clone());
    assert_eq!(submit(&mut world, new(2, 9, "shared", 8, None)), foreign.clone());
    let customer = CustomerId(1);
    let using = Command::UseImage { customer, image: ImageId(8), pin: None, runtime: None };
    assert_eq!(submit(&mut world, using), foreign);
    submit(&mut world, new(2, 9, &format!("{namespace}.api"), 8, Some(owner))).expect("its own");
    let facts = after(&mut world, DAY_MS);
    let published = |image: u32| {
        facts.iter().any(|fact| match &fact.kind {
            FactKind::BuildFinished(result) if result.image.0 == image => {
                matches!(result.outcome, Outcome::Published(_))
            }
            _ => false,
        })
    };
    assert!(published(8) && published(9));
}
