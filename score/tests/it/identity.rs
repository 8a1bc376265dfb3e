//! Which version a report is about.
use crate::support::{CONFIG, DIGEST, OLD_DIGEST, at, truth};
use documents::scanner_report::Target;
use score::identify::{NotIdentified, Wanted, identify};

fn found(digests: &[&str], names: &[&str], file: &str, day: &str) -> Result<String, NotIdentified> {
    let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let target = Target { digests: own(digests), names: own(names), ..Target::default() };
    let truth = truth();
    let place = identify(&truth, &target, file, at(&format!("2026-01-{day}T00:00:00Z")))?;
    let version = &truth.versions[place];
    let mut wanted = Wanted::default();
    wanted.add(&target, file);
    let by_digest = [Some(&version.digest), version.config_digest.as_ref()];
    let by_digest = by_digest.into_iter().flatten().any(|of| wanted.digests.contains(of));
    assert!(
        by_digest || wanted.names.contains(&version.image),
        "it would not have been looked for"
    );
    Ok(format!("{} {}", version.image, version.version))
}

#[test]
fn a_digest_decides_alone() {
    for digest in [DIGEST, CONFIG] {
        assert_eq!(found(&[digest], &["node:20.1"], "clean.json", "14").unwrap(), "gateway 7");
    }
    assert_eq!(found(&[OLD_DIGEST], &[], "", "14").unwrap(), "gateway 6", "superseded by then");
    let unknown = DIGEST.replace('a', "0");
    assert_eq!(found(&[&unknown, DIGEST], &[], "", "14").unwrap(), "gateway 7");
    // Another image of the same name is another image.
    let other = found(&[&unknown], &["gateway:2.16"], "gateway.json", "14");
    assert_eq!(other, Err(NotIdentified::UnknownDigest));
    assert_eq!(
        found(&[DIGEST], &[], "", "09"),
        Err(NotIdentified::UnknownDigest),
        "not yet published"
    );
}

#[test]
fn then_names_as_references() {
    for (name, day, expected) in [
        ("gateway:2.16", "14", "gateway 7"),
        ("gateway:2.15", "14", "gateway 6"),
        ("gateway:2", "14", "gateway 7"),
        ("gateway:2", "08", "gateway 6"),
        ("gateway", "14", "gateway 7"),
        ("gateway:latest", "08", "gateway 6"),
        ("localhost:5000/as-of/20260114t000000z/gateway:2.16", "14", "gateway 7"),
        ("localhost:5000/node", "14", "node 3"),
    ] {
        assert_eq!(found(&[], &[name], "", day).unwrap(), expected, "{name} on {day}");
    }
    assert_eq!(found(&[], &["gateway:9"], "", "14"), Err(NotIdentified::UnknownVersion));
    assert_eq!(found(&[], &["alpine:3.20"], "", "14"), Err(NotIdentified::UnknownName));
    assert_eq!(found(&[], &[], "", "14"), Err(NotIdentified::NoName));
}

#[test]
fn then_paths_and_last_the_name_of_the_file() {
    for path in ["exported/images/gateway/6/sbom.cdx.json", "images\\gateway\\6\\oci", "/gateway/6"]
    {
        assert_eq!(found(&[], &[path], "", "14").unwrap(), "gateway 6", "{path}");
    }
    for (file, expected) in [
        ("gateway.json", "gateway 7"),
        ("reports/gateway.trivy.json", "gateway 7"),
        ("reports/gateway-6.json", "gateway 6"),
        ("gateway@6.grype.json", "gateway 6"),
        ("gateway_7.sarif", "gateway 7"),
        ("gateway/6/trivy.json", "gateway 6"),
        ("node.json", "node 3"),
    ] {
        assert_eq!(found(&[], &[], file, "14").unwrap(), expected, "{file}");
    }
    assert_eq!(found(&[], &["./x"], "trivy.json", "14"), Err(NotIdentified::UnknownName));
}
