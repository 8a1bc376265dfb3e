//! Interoperability: what a world exports is accepted by other people's implementations, and what
//! was changed in it is refused by them and by `wavetank verify`, for the right reason. Clients that
//! other people's generators make from the specification call a world.
mod clients;
mod forgeries;
mod imports;
mod object_store;
mod registry;
mod scanners;
mod scenarios;
mod statistics;
#[path = "../e2e/support.rs"]
#[expect(dead_code, reason = "shared with the end-to-end tests, which need more of it")]
mod support;
mod tampering;
mod validators;
mod worlds;

use std::path::Path;
use tampering::{CHANGES, Scene};
use validators::Summary;
use worlds::{Worlds, copied};

/// So many of each kind are judged at least.
const ENOUGH: u64 = 50;
/// Kinds of checks of `check.py` that are made many times a world.
const KINDS: [&str; 24] = [
    "complete",
    "elements",
    "spdx3",
    "vex-match",
    "instants",
    "cyclonedx",
    "spdx",
    "openvex",
    "osv",
    "oci",
    "purl",
    "cvss",
    "bundle",
    "statement",
    "provenance",
    "subject",
    "predicate-type",
    "document",
    "dsse",
    "openssl",
    "hint",
    "log-entry",
    "log",
    "audit",
];
/// The bundles that cosign judges.
const BUNDLES: [&str; 6] =
    ["image-signature", "provenance", "spdx", "cyclonedx", "vuln", "openvex"];

#[test]
fn every_document_is_accepted() {
    let worlds = Worlds::made();
    for world in &worlds.whole {
        let said = validators::verify(world);
        assert!(said.accepted, "{}:\n{}", world.display(), said.text);
    }
    let paths: Vec<&Path> = worlds.whole.iter().map(AsRef::as_ref).collect();
    let summary = validators::check(&paths, &[]);
    assert!(summary.accepted, "{summary}");
    assert_eq!(summary.checked("world"), worlds.whole.len() as u64);
    for kind in KINDS {
        assert!(summary.checked(kind) >= ENOUGH, "too few of {kind}:\n{summary}");
    }
    for bundle in BUNDLES {
        let kind = format!("cosign {bundle}");
        let enough = summary.checked(&kind) >= ENOUGH || summary.skipped("cosign").is_some();
        assert!(enough, "too few of {kind}:\n{summary}");
    }
    tell_skipped(&summary);
}

#[test]
fn every_tampering_is_rejected() {
    let worlds = Worlds::made();
    let said = validators::verify(&worlds.current);
    assert!(said.accepted, "{}", said.text);
    let mut wrong = Vec::new();
    for change in CHANGES {
        let copy = copied(&worlds.current);
        let scene = Scene::of(copy.path(), &worlds.whole[1]);
        (change.make)(&scene);
        let place = change.place.replace("VICTIM", &scene.victim);

        let said = validators::verify(copy.path());
        if said.accepted || !said.names(&place, change.reason) {
            let (name, reason) = (change.name, change.reason);
            wrong.push(format!("{name}: verify does not say {place}: {reason}:\n{}", said.text));
        }
        let summary = validators::check(&[copy.path()], &["--image", scene.victim_image()]);
        for kind in change.refused_by {
            let blind = summary.skipped(kind).is_some()
                || (change.is_of_type() && summary.skipped("cosign predicate types").is_some());
            let excused = kind.starts_with("cosign") && blind;
            if !summary.refused(kind) && !excused {
                wrong.push(format!("{}: {kind} does not refuse it:\n{summary}", change.name));
            }
        }
        tell_skipped(&summary);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What could not be judged is said, never passed over.
fn tell_skipped(summary: &Summary) {
    for (what, why) in &summary.skipped {
        println!("SKIPPED: {what}: {why}");
    }
}
