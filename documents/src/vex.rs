//! OpenVEX 0.2.0: what a vulnerability means for one image.

use serde::Serialize;

use crate::error::{Error, to_json};
use crate::purl;
use crate::subject::{NAMESPACE, Subject};
use crate::timestamp::Timestamp;

/// `@context` of a document. As a predicate type the version is left out, see
/// [`crate::statement::PredicateType::OpenVex`].
pub const CONTEXT: &str = "https://openvex.dev/ns/v0.2.0";

/// Why an image is not affected (OpenVEX 0.2.0, "Status Justifications").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Justification {
    /// The component is not in the image.
    ComponentNotPresent,
    /// The vulnerable code is not in the component.
    VulnerableCodeNotPresent,
    /// The vulnerable code cannot run.
    VulnerableCodeNotInExecutePath,
    /// An adversary cannot reach the vulnerable code.
    VulnerableCodeCannotBeControlledByAdversary,
    /// Mitigations are in place already.
    InlineMitigationsAlreadyExist,
}

impl Justification {
    /// The justification of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            (Self::ComponentNotPresent, "component_not_present"),
            (Self::VulnerableCodeNotPresent, "vulnerable_code_not_present"),
            (Self::VulnerableCodeNotInExecutePath, "vulnerable_code_not_in_execute_path"),
            (
                Self::VulnerableCodeCannotBeControlledByAdversary,
                "vulnerable_code_cannot_be_controlled_by_adversary",
            ),
            (Self::InlineMitigationsAlreadyExist, "inline_mitigations_already_exist"),
        ]
        .into_iter()
        .find_map(|(justification, found)| (found == name).then_some(justification))
    }
}

/// What the vulnerability means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    /// Nothing is to be done.
    NotAffected {
        /// Why.
        justification: Justification,
    },
    /// Something is to be done.
    Affected {
        /// What.
        action_statement: String,
    },
    /// This image holds the fix.
    Fixed,
    /// It is not yet known.
    UnderInvestigation,
}

/// One vulnerability in one package of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The advisory's id.
    pub vulnerability: String,
    /// The package.
    pub package: String,
    /// Its version in the image.
    pub version: String,
    /// Since when this holds, simulated.
    pub since: Timestamp,
    /// What it means.
    pub status: Status,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@id")]
    id: String,
    author: &'a str,
    role: &'static str,
    timestamp: Timestamp,
    version: u64,
    tooling: &'static str,
    statements: Vec<Statement<'a>>,
}

#[derive(Serialize)]
struct Statement<'a> {
    vulnerability: Vulnerability<'a>,
    timestamp: Timestamp,
    products: [Product<'a>; 1],
    #[serde(flatten)]
    status: &'a Status,
}

#[derive(Serialize)]
struct Vulnerability<'a> {
    #[serde(rename = "@id")]
    id: String,
    name: &'a str,
}

#[derive(Serialize)]
struct Product<'a> {
    #[serde(rename = "@id")]
    id: &'a str,
    subcomponents: [Subcomponent; 1],
}

#[derive(Serialize)]
struct Subcomponent {
    #[serde(rename = "@id")]
    id: String,
}

/// The OpenVEX document of an image: one statement per finding, in the order given, as issued at
/// the simulated instant `issued`. `version` counts the issues of the image's document from 1.
///
/// # Errors
/// [`Error::Purl`] for a package without a name; [`Error::Malformed`] without findings, which
/// OpenVEX does not allow.
pub fn document(
    subject: &Subject<'_>,
    findings: &[Finding],
    issued: Timestamp,
    version: u64,
) -> Result<Vec<u8>, Error> {
    if findings.is_empty() {
        let reason = "a document needs at least one statement".to_owned();
        return Err(Error::Malformed { document: "OpenVEX document", reason });
    }
    let product = purl::image(subject.contents, subject.digest)?;
    let mut statements = Vec::with_capacity(findings.len());
    for finding in findings {
        let component = purl::component(subject.contents, &finding.package, &finding.version)?;
        statements.push(Statement {
            vulnerability: Vulnerability {
                id: format!("{NAMESPACE}/advisories/{}", finding.vulnerability),
                name: &finding.vulnerability,
            },
            timestamp: finding.since,
            products: [Product { id: &product, subcomponents: [Subcomponent { id: component }] }],
            status: &finding.status,
        });
    }
    let document = Document {
        context: CONTEXT,
        id: format!("{NAMESPACE}/vex/{}/{version}", subject.uuid("openvex")),
        author: &subject.contents.vendor,
        role: "Document Creator",
        timestamp: issued,
        version,
        tooling: "wavetank",
        statements,
    };
    to_json("OpenVEX document", 512 + findings.len() * 512, &document)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::sample;

    #[test]
    fn every_status() {
        let contents = sample::contents(4);
        let subject = sample::subject(&contents).unwrap();
        let finding = |id: &str, status| Finding {
            vulnerability: id.into(),
            package: "anchor".into(),
            version: "1.3.0-r0".into(),
            since: Timestamp::EPOCH,
            status,
        };
        let justification = Justification::VulnerableCodeNotInExecutePath;
        let findings = [
            finding("CVE-2026-1000001", Status::NotAffected { justification }),
            finding("CVE-2026-1000002", Status::Affected { action_statement: "update".into() }),
            finding("CVE-2026-1000003", Status::Fixed),
            finding("CVE-2026-1000004", Status::UnderInvestigation),
        ];
        let bytes = document(&subject, &findings, subject.created, 3).unwrap();
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        let statements = &value["statements"];
        assert_eq!(statements[0]["status"], "not_affected");
        assert_eq!(statements[0]["justification"], "vulnerable_code_not_in_execute_path");
        assert_eq!(statements[1]["action_statement"], "update");
        assert_eq!(statements[2]["status"], "fixed");
        assert_eq!(statements[3]["status"], "under_investigation");
        assert_eq!(value["version"], 3);
        assert!(document(&subject, &[], subject.created, 1).is_err());
    }
}
