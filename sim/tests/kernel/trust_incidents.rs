//! Trust incidents: they happen at their instants, name what they affect, and change nothing else.
use crate::support::{play, shipped, world};
use sim::World;
use sim::command::{Command, CommandError, ImageDefinition};
use sim::fact::{Fact, FactKind, Outcome};
use sim::ids::{BuildId, BuilderId, ImageId, PackageId, VersionRef};
use sim::time::SimTime;

/// Before, between and at the instants of the mass event and the outages of the Friday night, and
/// before them in the file.
const INCIDENTS: &str = "
incidents:
  - {at: 2026-03-03T12:00:00Z, distrust_builder: {builder: 1}}
  - {at: 2026-03-06T18:40:00Z, tamper_attestation: {image: wave-python}}
  - {at: 2026-03-08T12:00:00Z, tamper_attestation: {image: wave-python}}
  - {at: 2026-03-08T12:00:00.001Z, distrust_builder: {builder: 0}}
";

fn all_facts(yaml: &str, days: i64) -> Vec<Fact> {
    let mut all = Vec::new();
    play(&mut world(yaml, 1), days, |fact| all.push(fact.clone()));
    all
}

fn is_of_trust(fact: &Fact) -> bool {
    matches!(fact.kind, FactKind::BuilderDistrusted { .. } | FactKind::AttestationTampered { .. })
}

#[test]
fn trust_incidents_change_nothing_else() {
    let plain = shipped("friday-night");
    let more = plain.replace("\nincidents:\n", INCIDENTS);
    assert_ne!(plain, more, "the variant must differ");
    let (without, with) = (all_facts(&plain, 14), all_facts(&more, 14));
    let (new, rest): (Vec<_>, Vec<_>) = with.iter().partition(|fact| is_of_trust(fact));
    assert!(without.iter().zip(&rest).all(|(a, b)| (a.at, &a.kind) == (b.at, &b.kind)), "seed 1");
    assert_eq!(without.len(), rest.len(), "seed 1");
    let at: Vec<String> = new.iter().map(|fact| fact.at.to_string()).collect();
    let [tuesday, friday, sunday, later] = at.as_slice() else { panic!("{new:?}") };
    assert_eq!(tuesday, "2026-03-03T12:00:00Z");
    assert_eq!(friday, "2026-03-06T18:40:00Z");
    assert_eq!(sunday, "2026-03-08T12:00:00Z");
    assert_eq!(later, "2026-03-08T12:00:00.001Z");
    assert_eq!(new[0].kind, FactKind::BuilderDistrusted { builder: BuilderId(1) });
    assert_eq!(new[3].kind, FactKind::BuilderDistrusted { builder: BuilderId(0) });
    // What is replaced is the provenance of the version that was newest then.
    for (tampered, at) in [(new[1], new[1].at), (new[2], new[2].at)] {
        let FactKind::AttestationTampered { version } = tampered.kind else { panic!("{new:?}") };
        assert_eq!(Some(version), newest(&with, version.image, tampered.seq), "at {at}");
    }
    assert_ne!(new[1].kind, new[2].kind, "a version was published between them");
}

/// The newest version of an image before a fact.
fn newest(facts: &[Fact], image: ImageId, before: u64) -> Option<VersionRef> {
    let earlier = facts.iter().take_while(|fact| fact.seq < before);
    let published = earlier.filter_map(|fact| match &fact.kind {
        FactKind::BuildFinished(result) if result.image == image => match &result.outcome {
            Outcome::Published(published) => Some(published.version),
            _ => None,
        },
        _ => None,
    });
    published.last().map(|version| VersionRef { image, version })
}

#[test]
fn a_replaced_attestation_is_not_replaced_again() {
    // No version comes between the two, so the second one finds nothing to replace.
    let incidents = "
incidents:
  - {at: 2026-03-03T12:00:00Z, tamper_attestation: {image: wave-base}}
  - {at: 2026-03-03T12:00:01Z, tamper_attestation: {image: wave-base}}
";
    let yaml = shipped("friday-night").replace("\nincidents:\n", incidents);
    let facts = all_facts(&yaml, 7);
    assert_eq!(facts.iter().filter(|fact| is_of_trust(fact)).count(), 1, "seed 1");
}

fn submit(world: &mut World, command: Command) -> Result<Vec<Fact>, CommandError> {
    let mut facts = Vec::new();
    world.submit(&command, &mut |fact| facts.push(fact)).map(|()| facts)
}

#[test]
fn trust_commands_act_like_incidents_and_impossible_ones_are_refused() {
    let mut world = world(&shipped("classroom"), 3);
    let tamper = |image| Command::TamperAttestation { image: ImageId(image) };
    let distrust = |builder| Command::DistrustBuilder { builder: BuilderId(builder) };
    let none = CommandError::NothingPublished(0);
    assert_eq!(submit(&mut world, tamper(0)), Err(none), "the world has not begun");
    world.advance(SimTime(world.now().0 + 1), &mut |_| {});
    let version = VersionRef { image: ImageId(4), version: 1 };
    let facts = submit(&mut world, tamper(4)).expect("image 4 exists");
    assert_eq!(facts.len(), 1);
    assert_eq!((facts[0].at, facts[0].seq), (world.now(), world.seq()));
    assert_eq!(facts[0].kind, FactKind::AttestationTampered { version });
    let facts = submit(&mut world, distrust(0)).expect("builder 0 exists");
    assert_eq!(facts[0].kind, FactKind::BuilderDistrusted { builder: BuilderId(0) });
    let create = ImageDefinition {
        name: "new".into(),
        base: Some(ImageId(0)),
        packages: vec![PackageId(3)],
        owner: None,
    };
    let build = Command::BuildImage {
        build: BuildId::of_command(1),
        image: ImageId(8),
        create: Some(create),
        requested_by: None,
        external: false,
    };
    submit(&mut world, build).expect("image 8 is new");
    let before = world.seq();
    for (command, said) in [
        (distrust(0), "builder 0 has lost its trust before"),
        (distrust(1), "there is no builder 1: the pool has 1, numbered from 0"),
        (tamper(4), "the provenance of version 1 of image 4 has been replaced already"),
        (tamper(8), "image 8 has no published version"),
        (tamper(9), "there is no image 9"),
    ] {
        let error = submit(&mut world, command).expect_err("nonsense");
        assert_eq!(error.to_string(), said);
    }
    assert_eq!(world.seq(), before, "a refused command changes nothing");
}
