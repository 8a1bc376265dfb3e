//! The result of a scan as cosign's vulnerability predicate.

use serde::Serialize;

use crate::cvss::{BaseScore, Severity};
use crate::error::Error;
use crate::purl;
use crate::statement::{self, PredicateType};
use crate::subject::{NAMESPACE, Subject, TOOL_VERSION};
use crate::timestamp::Timestamp;

/// One vulnerability that the scan found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanFinding {
    /// The advisory's id.
    pub vulnerability: String,
    /// The package.
    pub package: String,
    /// Its version in the image.
    pub version: String,
    /// First fixed version, if a fix was known.
    pub fixed: Option<String>,
    /// CVSS 3.1 base vector.
    pub cvss_vector: String,
}

/// One scan of one image.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    /// The scan's identity, unique in its world.
    pub scan_id: &'a str,
    /// When it began, simulated.
    pub started: Timestamp,
    /// When it ended, simulated.
    pub finished: Timestamp,
    /// The state of the advisories it knew, for example their number or last change.
    pub database_version: &'a str,
    /// What it found.
    pub findings: &'a [ScanFinding],
}

#[derive(Serialize)]
struct Predicate<'a> {
    invocation: Invocation<'a>,
    scanner: Scanner<'a>,
    metadata: Metadata,
}

#[derive(Serialize)]
struct Invocation<'a> {
    parameters: [(); 0],
    uri: &'static str,
    event_id: &'a str,
    #[serde(rename = "builder.id")]
    builder_id: String,
}

#[derive(Serialize)]
struct Scanner<'a> {
    uri: String,
    version: &'static str,
    db: Database<'a>,
    result: Outcome<'a>,
}

#[derive(Serialize)]
struct Database<'a> {
    uri: String,
    version: &'a str,
}

#[derive(Serialize)]
struct Outcome<'a> {
    vulnerabilities: Vec<Vulnerability<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Vulnerability<'a> {
    id: &'a str,
    purl: String,
    severity: Severity,
    score: String,
    cvss_vector: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed_version: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    scan_started_on: Timestamp,
    scan_finished_on: Timestamp,
}

/// The in-toto statement with the result of a scan. Scores are computed from the vectors.
///
/// # Errors
/// [`Error::CvssVector`] for a bad vector, [`Error::Purl`] for a package without a name.
pub fn statement(subject: &Subject<'_>, scan: &Scan<'_>) -> Result<Vec<u8>, Error> {
    let mut vulnerabilities = Vec::with_capacity(scan.findings.len());
    for finding in scan.findings {
        let score = BaseScore::of(&finding.cvss_vector)?;
        vulnerabilities.push(Vulnerability {
            id: &finding.vulnerability,
            purl: purl::component(subject.contents, &finding.package, &finding.version)?,
            severity: score.severity(),
            score: score.to_string(),
            cvss_vector: &finding.cvss_vector,
            fixed_version: finding.fixed.as_deref(),
        });
    }
    let predicate = Predicate {
        invocation: Invocation {
            parameters: [],
            uri: NAMESPACE,
            event_id: scan.scan_id,
            builder_id: format!("{NAMESPACE}/scanner"),
        },
        scanner: Scanner {
            uri: format!("{NAMESPACE}/scanner"),
            version: TOOL_VERSION,
            db: Database { uri: format!("{NAMESPACE}/advisories"), version: scan.database_version },
            result: Outcome { vulnerabilities },
        },
        metadata: Metadata { scan_started_on: scan.started, scan_finished_on: scan.finished },
    };
    let kind = PredicateType::VulnerabilityScan;
    statement::statement(&subject.contents.repository, subject.digest, kind, &predicate)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::sample;

    #[test]
    fn findings_with_computed_scores() {
        let contents = sample::contents(4);
        let subject = sample::subject(&contents).unwrap();
        let scan = |vector: &str| {
            let findings = [ScanFinding {
                vulnerability: "CVE-2026-1000001".into(),
                package: "anchor".into(),
                version: "1.3.0-r0".into(),
                fixed: Some("1.3.0-r1".into()),
                cvss_vector: vector.into(),
            }];
            statement(
                &subject,
                &Scan {
                    scan_id: "scan-1",
                    started: Timestamp::EPOCH,
                    finished: subject.created,
                    database_version: "17",
                    findings: &findings,
                },
            )
        };
        let bytes = scan("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H").unwrap();
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        let found = &value["predicate"]["scanner"]["result"]["vulnerabilities"][0];
        assert_eq!(found["score"], "9.8");
        assert_eq!(found["severity"], "critical");
        assert_eq!(found["fixedVersion"], "1.3.0-r1");
        assert!(scan("none").is_err());
    }
}
