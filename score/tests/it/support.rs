//! The small world, and reports about it.
use documents::scanner_report;
use score::NamedReport;
use score::truth::{Advisory, Affected, Held, Instant, Severity, Truth, Version};
use serde_json::{Value, json};

/// The digest of gateway 7.
pub(crate) const DIGEST: &str =
    "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// That of its configuration.
pub(crate) const CONFIG: &str =
    "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
/// The digest of gateway 6.
pub(crate) const OLD_DIGEST: &str =
    "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";

pub(crate) fn at(text: &str) -> Instant {
    score::parse_instant(text).unwrap()
}

pub(crate) fn named(name: &str, report: Value) -> NamedReport {
    NamedReport { name: name.to_owned(), report: scanner_report::read(&report).unwrap() }
}

/// A report of Trivy that does not say which image it is about.
pub(crate) fn trivy(findings: &[(&str, &str, &str)]) -> Value {
    trivy_with(findings, json!({}), None)
}

/// A report of Trivy with more fields, and with its list of packages where one is given.
pub(crate) fn trivy_with(
    findings: &[(&str, &str, &str)],
    more: Value,
    packages: Option<&[(&str, &str)]>,
) -> Value {
    let finding = |(id, package, version): &(&str, &str, &str)| json!({"VulnerabilityID": id, "PkgName": package, "InstalledVersion": version});
    let findings: Vec<Value> = findings.iter().map(finding).collect();
    let mut result = json!({"Target": "", "Class": "os-pkgs", "Vulnerabilities": findings});
    if let Some(packages) = packages {
        let listed =
            packages.iter().map(|(name, version)| json!({"Name": name, "Version": version}));
        result["Packages"] = listed.collect();
    }
    let mut report = json!({"SchemaVersion": 2, "Results": [result]});
    let fields = report.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    report
}

/// Told from the fifth to the twentieth of January 2026. Five advisories:
///
/// | CVE | severity | package | affected | fixed at | detectable from |
/// |---|---|---|---|---|---|
/// | ...1 (GHSA-aaaa-bbbb-cccc) | critical | zlib | 0 to 1.10.0-r0 | 10th | 8th |
/// | ...2 | high | openssl | from 3.0-r0 | - | 8th |
/// | ...3 | medium | busybox | 0 to 1.37.0-r5 | 9th | 8th |
/// | ...4 | low | zlib | all | - | 15th |
/// | ...5 | high | curl | 8.5.0-r0 to 8.11.0-r0 | 18th | 8th |
///
/// gateway 7 has 1 and 4 in zlib, 2 in openssl, 5 in curl (judged on the 12th); node 3 has 4 in zlib
/// and 2 in openssl (judged on the 16th); clean 1 has nothing; gateway 6 was current until the tenth.
pub(crate) fn truth() -> Truth {
    let day = |day: u32| at(&format!("2026-01-{day:02}T00:00:00Z"));
    let advisory = |severity, detectable, package: &str, from: &str, fixed: Option<(&str, u32)>| {
        let affected = Affected {
            introduced: from.to_owned(),
            fixed: fixed.map(|of| of.0.to_owned()),
            fixed_at: fixed.map(|of| day(of.1)),
        };
        Advisory {
            severity,
            published_at: day(detectable - 2),
            detectable_at: day(detectable),
            aliases: Vec::new(),
            packages: [(package.to_owned(), affected)].into(),
        }
    };
    let mut first = advisory(Severity::Critical, 8, "zlib", "0", Some(("1.10.0-r0", 10)));
    first.aliases.push("GHSA-aaaa-bbbb-cccc".to_owned());
    let advisories = [
        first,
        advisory(Severity::High, 8, "openssl", "3.0-r0", None),
        advisory(Severity::Medium, 8, "busybox", "0", Some(("1.37.0-r5", 9))),
        advisory(Severity::Low, 15, "zlib", "0", None),
        advisory(Severity::High, 8, "curl", "8.5.0-r0", Some(("8.11.0-r0", 18))),
    ];
    let cve = |n: usize| format!("CVE-2026-100000{n}");
    let held = |n: usize, package: &str, judged: Option<u32>| Held {
        cve: cve(n),
        package: package.to_owned(),
        judged_at: judged.map(day),
    };
    let version = |image: &str, number, digest: &str, tags: &[&str], packages: &[(&str, &str)]| {
        let packages = packages.iter().map(|(name, of)| ((*name).to_owned(), (*of).to_owned()));
        Version {
            image: image.to_owned(),
            version: number,
            digest: digest.to_owned(),
            config_digest: None,
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            published_at: day(10),
            superseded_at: None,
            packages: packages.collect(),
            held: Vec::new(),
        }
    };
    let packages = [
        ("zlib", "1.9.0-r0"),
        ("openssl", "3.1-r0"),
        ("busybox", "1.37.0-r10"),
        ("curl", "8.9.0-r0"),
        ("musl", "1.2-r0"),
    ];
    let old = Version {
        published_at: day(5),
        superseded_at: Some(day(10)),
        held: vec![held(1, "zlib", None)],
        ..version("gateway", 6, OLD_DIGEST, &["latest", "2.15", "2"], &packages[..1])
    };
    let gateway = Version {
        config_digest: Some(CONFIG.to_owned()),
        held: vec![
            held(1, "zlib", None),
            held(2, "openssl", None),
            held(4, "zlib", None),
            held(5, "curl", Some(12)),
        ],
        ..version("gateway", 7, DIGEST, &["latest", "2.16", "2"], &packages)
    };
    let packages = [("openssl", "3.1-r0"), ("zlib", "1.11.0-r0"), ("curl", "8.4.0-r0")];
    let node = Version {
        held: vec![held(2, "openssl", Some(16)), held(4, "zlib", None)],
        ..version("node", 3, &DIGEST.replace('a', "d"), &["latest", "20.1"], &packages)
    };
    let clean = version("clean", 1, &DIGEST.replace('a', "e"), &["latest"], &[]);
    Truth {
        starts_at: day(5),
        as_of: day(20),
        advisories: advisories.into_iter().enumerate().map(|(n, of)| (cve(n + 1), of)).collect(),
        versions: vec![old, gateway, node, clean],
    }
}
