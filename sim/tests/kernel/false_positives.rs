//! Which findings are wrong is told with the facts that make them possible, and before anybody
//! judges them: exports of a world need no kernel.
use crate::support::{shipped, world};
use sim::command::{Command, ImageDefinition};
use sim::fact::FactKind;
use sim::ids::{BuildId, ImageId, PackageId};
use sim::time::{SimDuration, SimTime};
use std::collections::BTreeSet;

#[test]
fn what_is_judged_was_told_before_and_nothing_else_is_judged() {
    let scenario = shipped("classroom").replace("false_positives: 5%", "false_positives: 30%");
    let mut world = world(&scenario, 3);
    let new_image = ImageId(8);
    let (mut wrong, mut found, mut judged) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for day in 1..=20 {
        let mut facts = Vec::new();
        if day == 4 {
            let create = ImageDefinition {
                name: "cache".into(),
                base: Some(ImageId(0)),
                packages: vec![PackageId(1), PackageId(7)],
                owner: None,
            };
            let command = Command::BuildImage {
                build: BuildId::of_command(1),
                image: new_image,
                create: Some(create),
                requested_by: None,
                external: false,
            };
            world.submit(&command, &mut |fact| facts.push(fact)).expect("a new image");
        }
        let until = SimTime(world.now().0 + SimDuration::days(1).0);
        world.advance(until, &mut |fact| facts.push(fact));
        wrong.extend(world.false_positives(&facts));
        for fact in &facts {
            match &fact.kind {
                FactKind::Scanned(scan) => {
                    let new = scan.targets.iter().flat_map(|target| {
                        let image = target.version.image;
                        target.new.iter().map(move |new| (image, new.finding.advisory))
                    });
                    // Who is found late is judged after the end.
                    found.extend(new.filter(|_| day <= 10));
                }
                FactKind::FindingTriaged { image, advisory, .. } => {
                    judged.insert((*image, *advisory));
                }
                _ => {}
            }
        }
    }
    assert!(judged.is_subset(&wrong), "{:?}", judged.difference(&wrong));
    let expected: BTreeSet<_> = found.intersection(&wrong).copied().collect();
    assert!(expected.is_subset(&judged), "{:?}", expected.difference(&judged));
    assert!(expected.len() > 10 && found.len() > expected.len(), "seed 3: {}", expected.len());
    assert!(judged.iter().any(|(image, _)| *image == new_image), "seed 3: none of the new image");
}
