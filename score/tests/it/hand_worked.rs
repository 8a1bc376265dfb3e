//! A small world whose score was worked out by hand, at three instants; each figure below is written
//! down, not computed.
use crate::support::{DIGEST, at, named, trivy, trivy_with, truth};
use score::cause::{Cause, Kind};
use score::result::Score;
use score::truth::Severity;
use score::{AsOfSource, Counts, Options, ScoreError, score};
use serde_json::{Value, json};

/// gateway 7, whose image Trivy names by its digest. It reports CVE ...1 under another id.
fn gateway() -> Value {
    trivy_with(
        &[
            ("GHSA-aaaa-bbbb-cccc", "zlib", "1.9.0-r0"),
            ("CVE-2026-1000003", "busybox", "1.37.0-r10"),
            ("CVE-2026-1000004", "zlib", "1.9.0-r0"),
            ("CVE-2026-1000005", "curl", "8.9.0-r0"),
            ("CVE-2020-1234", "musl", "1.2-r0"),
            ("CVE-2026-1000002", "libssl", "3.1-r0"),
        ],
        json!({"Metadata": {"RepoDigests": [format!("localhost/gateway@{DIGEST}")]}}),
        Some(&[
            ("zlib", "1.9.0-r0"),
            ("openssl", "3.1-r0"),
            ("busybox", "1.37.0-r10"),
            ("curl", "8.9.0-r0"),
            ("foo", "1-r0"),
        ]),
    )
}

/// node 3, which Grype names by its tag.
fn node() -> Value {
    let entry = |id: &str, name: &str, version: &str| {
        json!({"vulnerability": {"id": id, "severity": "Low"},
            "artifact": {"name": name, "version": version}})
    };
    json!({
        "matches": [
            entry("CVE-2026-1000002", "openssl", "3.1-r0"),
            entry("CVE-2026-1000001", "zlib", "1.11.0-r0"),
            entry("CVE-2026-1000005", "curl", "8.4.0-r0"),
            entry("CVE-2026-1000005", "openssl", "3.1-r0"),
        ],
        "source": {"type": "image", "target": {"userInput": "registry.example/team/node:20.1"}},
    })
}

fn scored(as_of: &str) -> Score {
    let reports = [named("gateway.json", gateway()), named("node.json", node())];
    let options = Options { as_of: Some(at(as_of)), knows_all_images: true, ..Options::default() };
    score(&truth(), &reports, options).unwrap()
}

fn counts(right: u64, missed: u64, wrong: u64, early: u64) -> Counts {
    Counts { right, missed, wrong, early }
}

fn causes(score: &Score) -> Vec<(Kind, Cause, u64)> {
    score.causes.iter().map(|of| (of.kind, of.cause, of.count)).collect()
}

#[test]
fn every_figure_of_the_fourteenth() {
    let score = scored("2026-01-14T00:00:00Z");
    let total = score.total;
    assert_eq!(total.counts, counts(2, 1, 7, 1));
    assert_eq!(total.precision.estimate, Some(2.0 / 9.0));
    assert_eq!(total.recall.estimate, Some(2.0 / 3.0));
    assert_eq!(total.f1, Some(1.0 / 3.0));

    let by_severity: Vec<_> =
        score.by_severity.iter().map(|of| (of.severity, of.figures.counts)).collect();
    let expected = [
        (Severity::Critical, counts(1, 0, 1, 0)),
        (Severity::High, counts(1, 1, 4, 0)),
        (Severity::Medium, counts(0, 0, 1, 0)),
        (Severity::Low, counts(0, 0, 0, 1)),
        (Severity::Unknown, counts(0, 0, 1, 0)),
    ];
    assert_eq!(by_severity, expected);
    assert_eq!(score.by_severity[1].figures.f1, Some(2.0 / 7.0));
    assert_eq!(score.by_severity[2].figures.recall.estimate, None, "nothing medium is there");

    let by_image: Vec<_> = score
        .by_image
        .iter()
        .map(|of| (of.image.as_str(), of.version, of.figures.counts))
        .collect();
    assert_eq!(by_image, [("gateway", 7, counts(1, 1, 4, 1)), ("node", 3, counts(1, 0, 3, 0))]);
    let zlib = score.by_package.iter().find(|of| of.package.as_deref() == Some("zlib")).unwrap();
    assert_eq!(zlib.figures.counts, counts(1, 0, 1, 1));

    let expected = [
        // (Grype reports the same CVE in node: that it has no fix does not explain it.)
        (Kind::Missed, Cause::NotReported, 1),
        (Kind::Wrong, Cause::VersionOrder, 1),
        (Kind::Wrong, Cause::JudgedNotAffected, 1),
        (Kind::Wrong, Cause::FixedAlready, 1),
        (Kind::Wrong, Cause::NotYetIntroduced, 1),
        (Kind::Wrong, Cause::PackageNotAffected, 1),
        (Kind::Wrong, Cause::PackageNotInImage, 1),
        (Kind::Wrong, Cause::UnknownVulnerability, 1),
        (Kind::Early, Cause::NotYetDetectable, 1),
    ];
    assert_eq!(causes(&score), expected);
    assert_eq!(score.differences.len(), 9);

    // Of gateway's five packages four are listed; node's report lists none, which is unknown.
    let of = score.packages;
    assert_eq!((of.images_known, of.images_unknown), (1, 1));
    assert_eq!(
        (of.held, of.recognised, of.other_version, of.missing, of.not_held),
        (5, 4, 0, 1, 1)
    );
    assert_eq!(score.by_image[0].packages_recognised, Some(4));
    assert_eq!(score.by_image[1].packages_recognised, None);
    assert_eq!(score.coverage.images_current, Some(3));
    assert_eq!(score.coverage.images_not_scanned, Some(1));
}

/// On the eleventh nobody had judged CVE ...5 in gateway: it is right there, for no scanner knows better.
#[test]
fn what_is_judged_later_is_expected_before() {
    let score = scored("2026-01-11T00:00:00Z");
    assert_eq!(score.total.counts, counts(3, 1, 6, 1));
    assert!(!causes(&score).iter().any(|(_, cause, _)| *cause == Cause::JudgedNotAffected));
}

/// By the seventeenth CVE ...4 is known (right in gateway, missed in node), and CVE ...2 is judged in node.
#[test]
fn what_becomes_known_is_expected_from_then_on() {
    let score = scored("2026-01-17T00:00:00Z");
    assert_eq!(score.total.counts, counts(2, 2, 8, 0));
    let judged = causes(&score).into_iter().find(|of| of.1 == Cause::JudgedNotAffected);
    assert_eq!(judged, Some((Kind::Wrong, Cause::JudgedNotAffected, 2)));
}

#[test]
fn causes_of_what_is_missed() {
    let of = |report: Value| {
        let asked = Options { as_of: Some(at("2026-01-14T00:00:00Z")), ..Options::default() };
        let score = score(&truth(), &[named("gateway.json", report)], asked).unwrap();
        assert_eq!(score.total.counts, counts(0, 2, 0, 0));
        score.causes.iter().map(|of| (of.cause, of.count)).collect::<Vec<_>>()
    };
    // Who reports nothing at all has neither trouble with versions nor with what is not fixed.
    assert_eq!(of(trivy(&[])), [(Cause::NotReported, 2)]);
    // The inventory has no openssl, and another zlib.
    let packages = Some(&[("zlib", "1.8.0-r0")][..]);
    let report = trivy_with(&[], json!({}), packages);
    assert_eq!(of(report), [(Cause::IdentityNotRecognised, 1), (Cause::OtherVersion, 1)]);
    // All packages are listed, but the distribution is none that the scanner knows.
    let os = json!({"Metadata": {"OS": {"Family": "none", "Name": ""}}});
    assert_eq!(of(trivy_with(&[], os, None)), [(Cause::IdentityNotRecognised, 2)]);
    // That is no reason for who finds something all the same: nothing fixes CVE ...2.
    let found = [("CVE-2026-1000001", "zlib", "1.9.0-r0")];
    let os = json!({"Metadata": {"OS": {"Family": "none", "Name": ""}}});
    let reports = [named("gateway.json", trivy_with(&found, os, None))];
    let asked = Options { as_of: Some(at("2026-01-14T00:00:00Z")), ..Options::default() };
    let seen = score(&truth(), &reports, asked).unwrap();
    assert_eq!(causes(&seen), [(Kind::Missed, Cause::NoFixYet, 1)]);
    // Found, and left out.
    let mut report = trivy(&[]);
    report["Results"][0]["ExperimentalModifiedFindings"] = json!([{"Type": "vulnerability",
        "Finding": {"VulnerabilityID": "CVE-2026-1000001", "PkgName": "zlib"}}]);
    assert_eq!(of(report), [(Cause::Suppressed, 1), (Cause::NotReported, 1)]);
}

/// Of CVE ...1, which has a fix, and ...2, which has none, one is reported and one is missed.
#[test]
fn causes_that_what_is_right_supports() {
    let of = |reported: (&str, &str, &str)| {
        let asked = Options { as_of: Some(at("2026-01-14T00:00:00Z")), ..Options::default() };
        let reports = [named("gateway.json", trivy(&[reported]))];
        let score = score(&truth(), &reports, asked).unwrap();
        assert_eq!(score.total.counts, counts(1, 1, 0, 0));
        score.causes[0].cause
    };
    assert_eq!(of(("CVE-2026-1000001", "zlib", "1.9.0-r0")), Cause::NoFixYet);
    // As text 1.9.0 comes after 1.10.0, the fixed version.
    assert_eq!(of(("CVE-2026-1000002", "openssl", "3.1-r0")), Cause::VersionOrder);
}

/// Leaving out one of N that are right lowers recall by exactly 1/N; each wrong one more is one more in
/// the denominator of precision.
#[test]
fn one_finding_more_or_less() {
    let perfect = [
        ("CVE-2026-1000001", "zlib", "1.9.0-r0"),
        ("CVE-2026-1000002", "openssl", "3.1-r0"),
        ("CVE-2026-1000004", "zlib", "1.9.0-r0"),
    ];
    let of = |findings: &[(&str, &str, &str)]| {
        let reports = [named("gateway.json", trivy(findings))];
        score(&truth(), &reports, Options::default()).unwrap().total
    };
    let best = of(&perfect);
    assert_eq!(best.counts, counts(3, 0, 0, 0), "as of the world's own instant, the twentieth");
    assert_eq!(
        (best.precision.estimate, best.recall.estimate, best.f1),
        (Some(1.0), Some(1.0), Some(1.0))
    );
    for left_out in 0..perfect.len() {
        let mut fewer = perfect.to_vec();
        fewer.remove(left_out);
        let figures = of(&fewer);
        assert_eq!(figures.recall.estimate, Some(2.0 / 3.0));
        assert_eq!((figures.precision.estimate, figures.f1), (Some(1.0), Some(4.0 / 5.0)));
    }
    for wrong in [("CVE-2026-1000003", "busybox", "1.37.0-r10"), ("CVE-1999-0001", "x", "")] {
        let figures = of(&[&perfect[..], &[wrong]].concat());
        assert_eq!(figures.precision.estimate, Some(3.0 / 4.0));
        assert_eq!((figures.recall.estimate, figures.f1), (Some(1.0), Some(6.0 / 7.0)));
    }
    // Told twice is told once, whatever the id.
    let twice = [&perfect[..], &[("GHSA-aaaa-bbbb-cccc", "zlib", "1.9.0-r0")], &perfect].concat();
    assert_eq!(of(&twice), best);
}

/// A finding that names no package stands for all packages of the image that have it.
#[test]
fn a_finding_without_a_package() {
    let finding = |id: &str| {
        let mut report = trivy(&[(id, "", "")]);
        report["Results"][0]["Vulnerabilities"][0] = json!({"VulnerabilityID": id});
        let asked = Options { as_of: Some(at("2026-01-14T00:00:00Z")), ..Options::default() };
        score(&truth(), &[named("gateway.json", report)], asked).unwrap()
    };
    assert_eq!(finding("CVE-2026-1000001").total.counts, counts(1, 1, 0, 0));
    assert_eq!(finding("CVE-2026-1000003").total.counts, counts(0, 2, 1, 0));
    assert_eq!(finding("CVE-2026-1000003").by_package.first().unwrap().package, None);
}

/// Images that no report is about are not known to be clean or not: they count when it is asked for.
#[test]
fn images_that_no_report_is_about() {
    let reports = [named("node.json", node())];
    let asked = Options { as_of: Some(at("2026-01-14T00:00:00Z")), ..Options::default() };
    let score_of = |options| score(&truth(), &reports, options).unwrap();
    assert_eq!(score_of(asked).total.counts, counts(1, 0, 3, 0));
    assert_eq!(score_of(asked).coverage.images_current, None, "only what was asked for is known");
    let all = score_of(Options { all_images: true, knows_all_images: true, ..asked });
    assert_eq!(all.total.counts, counts(1, 2, 3, 0));
    assert!(causes(&all).contains(&(Kind::Missed, Cause::ImageNotScanned, 2)));
}

#[test]
fn a_clean_image_of_which_nothing_is_reported_has_no_ratios() {
    let score = score(&truth(), &[named("clean.json", trivy(&[]))], Options::default()).unwrap();
    let total = score.total;
    assert_eq!(total.counts, counts(0, 0, 0, 0));
    assert_eq!((total.precision.estimate, total.recall.estimate, total.f1), (None, None, None));
}

/// An inventory says nothing of vulnerabilities: nothing of it is missed.
#[test]
fn an_inventory_counts_for_packages_alone() {
    let syft = json!({"artifacts": [{"name": "zlib", "version": "1.9.0-r0"}], "source":
        {"metadata": {"manifestDigest": DIGEST}}});
    let score = score(&truth(), &[named("syft.json", syft.clone())], Options::default()).unwrap();
    assert_eq!(score.total.counts, counts(0, 0, 0, 0));
    assert_eq!((score.packages.recognised, score.packages.held), (1, 5));
    assert_eq!(score.coverage.images_with_inventory_only, 1);
    // Beside a report of the same image it tells which packages were seen.
    let reports = [named("gateway.json", trivy(&[])), named("syft.json", syft)];
    let both = score::score(&truth(), &reports, Options::default()).unwrap();
    assert_eq!(both.packages.images_unknown, 0);
    assert!(causes(&both).contains(&(Kind::Missed, Cause::IdentityNotRecognised, 1)));
}

#[test]
fn the_instant_is_asked_for_or_the_reports_or_the_worlds() {
    let of = |created_at: &str, as_of: Option<&str>| {
        let report = trivy_with(&[], json!({"CreatedAt": created_at}), None);
        let options = Options { as_of: as_of.map(at), ..Options::default() };
        let score = score(&truth(), &[named("gateway.json", report)], options).unwrap();
        (score.reports[0].as_of, score.reports[0].as_of_source)
    };
    let world = (at("2026-01-20T00:00:00Z"), AsOfSource::World);
    assert_eq!(of("2026-12-01T11:16:16.252144899Z", None), world, "later than the world");
    assert_eq!(of("2026-01-04T23:59:59Z", None), world, "before it began");
    assert_eq!(of("yesterday", None), world);
    let own = (at("2026-01-14T01:00:00Z"), AsOfSource::Report);
    assert_eq!(of("2026-01-14T02:00:00+01:00", None), own);
    let asked = (at("2026-01-15T00:00:00Z"), AsOfSource::Option);
    assert_eq!(of("2026-01-14T00:00:00Z", Some("2026-01-15T00:00:00Z")), asked);
    for outside in ["2026-01-04T00:00:00Z", "2026-01-20T00:00:00.001Z"] {
        let options = Options { as_of: Some(at(outside)), ..Options::default() };
        let error = score(&truth(), &[named("gateway.json", trivy(&[]))], options).unwrap_err();
        assert!(matches!(error, ScoreError::AsOf { .. }), "{error}");
    }
}
