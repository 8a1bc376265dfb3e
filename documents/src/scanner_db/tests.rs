use serde_json::{Value, json};

use super::*;
use crate::osv::AffectedPackage;

fn advisories() -> Vec<Advisory> {
    let affected = |name: &str, introduced: &str, fixed: Option<&str>| AffectedPackage {
        name: name.into(),
        introduced: introduced.into(),
        fixed: fixed.map(Into::into),
    };
    let advisory = |id: &str, affected| Advisory {
        id: id.into(),
        summary: "A simulated vulnerability".into(),
        details: String::new(),
        cvss_vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into(),
        published: Timestamp::EPOCH,
        modified: Timestamp::EPOCH,
        affected,
    };
    vec![
        advisory(
            "CVE-2026-1000001",
            vec![affected("keel", "0", Some("1.2-r0")), affected("spar", "2.0-r0", None)],
        ),
        advisory("CVE-2026-1000002", vec![affected("keel", "1.0-r0", Some("1.2-r0"))]),
    ]
}

fn file(distribution: Distribution, path: &str) -> Vec<u8> {
    let files = files(&advisories(), distribution, Timestamp::EPOCH).unwrap();
    let paths: Vec<_> = files.iter().map(|file| file.path.clone()).collect();
    let mut sorted = paths.clone();
    sorted.sort();
    assert_eq!(paths, sorted);
    let file = files.into_iter().find(|file| file.path == path);
    file.unwrap_or_else(|| panic!("{path} is not in {paths:?}")).bytes
}

/// As published at packages.wolfi.dev/os/security.json and secdb.alpinelinux.org/v3.23/main.json.
#[test]
fn secdb_lists_fixes_by_package_and_version() {
    let wolfi: Value =
        serde_json::from_slice(&file(Distribution::Wolfi, "secdb/security.json")).unwrap();
    let fixes = json!([{"pkg": {
        "name": "keel",
        "secfixes": {"1.2-r0": ["CVE-2026-1000001", "CVE-2026-1000002"]},
    }}]);
    assert_eq!(wolfi["packages"], fixes);
    assert_eq!(wolfi.get("distroversion"), None);
    let alpine: Value =
        serde_json::from_slice(&file(Distribution::Alpine, "secdb/v3.23/main.json")).unwrap();
    assert_eq!((&alpine["packages"], &alpine["distroversion"]), (&fixes, &json!("v3.23")));
    assert_eq!((&alpine["reponame"], &wolfi["reponame"]), (&json!("main"), &json!("os")));
}

#[test]
fn the_archive_of_osv_records_goes_by_the_name_of_the_ecosystem() {
    let archive = file(Distribution::Alpine, "osv/Alpine/all.zip");
    let names = |name: &str| archive.windows(name.len()).any(|part| part == name.as_bytes());
    assert!(names("CVE-2026-1000001.json") && names("CVE-2026-1000002.json"));
    assert_eq!(&file(Distribution::Wolfi, "osv/Wolfi/all.zip")[..4], b"PK\x03\x04");
}

#[test]
fn trivy_is_told_from_where_on_and_to_where_a_package_is_affected() {
    let database = file(Distribution::Alpine, "trivy/db/trivy.db");
    let holds = |text: &str| database.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("alpine 3.23") && holds("data-source"));
    assert!(holds(r#"{"FixedVersion":"1.2-r0"}"#));
    assert!(holds(r#"{"FixedVersion":"1.2-r0","AffectedVersion":"1.0-r0"}"#));
    assert!(holds(r#"{"AffectedVersion":"2.0-r0"}"#));
    assert!(holds(r#""VendorSeverity":{"alpine":4}"#));
}

#[test]
fn the_artifact_names_its_blobs() {
    let artifact = artifact(&advisories(), Distribution::Alpine, Timestamp::EPOCH).unwrap();
    let manifest: Value = serde_json::from_slice(&artifact.manifest).unwrap();
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
    for (named, (digest, media_type, bytes)) in
        [&manifest["config"], &manifest["layers"][0]].into_iter().zip(&artifact.blobs)
    {
        assert_eq!(*digest, crate::Digest::of(bytes));
        let expected = json!([digest.to_string(), media_type, bytes.len()]);
        assert_eq!(json!([named["digest"], named["mediaType"], named["size"]]), expected);
    }
    assert_eq!(artifact.blobs[1].2, file(Distribution::Alpine, "trivy/db.tar.gz"));
    assert_eq!(manifest["layers"][0]["annotations"]["org.opencontainers.image.title"], "db.tar.gz");
}
