//! OpenVEX 0.2.0: what a vulnerability means for one image.

use std::borrow::Cow;

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
    products: Vec<Product<'a>>,
    #[serde(flatten)]
    status: Said<'a>,
}

/// What a statement says.
#[derive(Serialize)]
#[serde(untagged)]
enum Said<'a> {
    Of(&'a Status),
    Nothing { status: &'static str, justification: Justification, impact_statement: &'static str },
}

#[derive(Serialize)]
struct Vulnerability<'a> {
    #[serde(rename = "@id")]
    id: String,
    name: &'a str,
}

#[derive(Clone, Serialize)]
struct Product<'a> {
    #[serde(rename = "@id")]
    id: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identifiers: Option<Identifiers<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hashes: Option<Hashes<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subcomponents: Vec<Subcomponent>,
}

#[derive(Clone, Copy, Serialize)]
struct Identifiers<'a> {
    purl: &'a str,
}

#[derive(Clone, Copy, Serialize)]
struct Hashes<'a> {
    #[serde(rename = "sha-256")]
    sha256: &'a str,
}

#[derive(Clone, Serialize)]
struct Subcomponent {
    #[serde(rename = "@id")]
    id: String,
}

/// The name that stands for all vulnerabilities where none was found: OpenVEX knows no document
/// without a statement, and no scanner reports one of that name.
pub const NOTHING_FOUND: &str = "NONE-FOUND";

/// The OpenVEX document of an image: one statement per finding, in the order given, as issued at
/// the simulated instant `issued`. `version` counts the issues of the image's document from 1.
///
/// A statement names the image, by purl and by digest, with the package as its subcomponent, and
/// the package as a product by itself: scans of images match the first, those of SBOMs and layouts
/// the second. So a document is to be used with its image alone. Without findings there is one
/// statement, about [`NOTHING_FOUND`].
///
/// # Errors
/// [`Error::Purl`] for a package without a name.
pub fn document(
    subject: &Subject<'_>,
    findings: &[Finding],
    issued: Timestamp,
    version: u64,
) -> Result<Vec<u8>, Error> {
    let (contents, sha256) = (subject.contents, subject.digest.hex());
    let published = purl::product(contents, subject.digest)?;
    let anywhere = purl::product_anywhere(contents, subject.digest)?;
    let image = Product {
        id: published.as_str().into(),
        identifiers: Some(Identifiers { purl: &anywhere }),
        hashes: Some(Hashes { sha256: &sha256 }),
        subcomponents: Vec::new(),
    };
    let mut statements = Vec::with_capacity(findings.len().max(1));
    for finding in findings {
        let id = purl::subcomponent(contents, &finding.package, &finding.version)?;
        let package = Product {
            id: id.clone().into(),
            identifiers: None,
            hashes: None,
            subcomponents: Vec::new(),
        };
        let held = Product { subcomponents: vec![Subcomponent { id }], ..image.clone() };
        statements.push(Statement {
            vulnerability: vulnerability(&finding.vulnerability),
            timestamp: finding.since,
            products: vec![held, package],
            status: Said::Of(&finding.status),
        });
    }
    if statements.is_empty() {
        statements.push(Statement {
            vulnerability: vulnerability(NOTHING_FOUND),
            timestamp: issued,
            products: vec![image.clone()],
            status: Said::Nothing {
                status: "not_affected",
                justification: Justification::ComponentNotPresent,
                impact_statement: "The scan found no known vulnerability in this image.",
            },
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
    to_json("OpenVEX document", 1024 + findings.len() * 896, &document)
}

fn vulnerability(name: &str) -> Vulnerability<'_> {
    Vulnerability { id: format!("{NAMESPACE}/advisories/{name}"), name }
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
        let digest = subject.digest.hex();
        let expected = serde_json::json!([
            {
                "@id": format!(
                    "pkg:oci/harbor-web@sha256:{digest}\
                     ?repository_url=registry.wavetank.example%2Fharbor-web"
                ),
                "identifiers": { "purl": format!("pkg:oci/harbor-web@sha256:{digest}") },
                "hashes": { "sha-256": digest },
                "subcomponents": [{ "@id": "pkg:apk/alpine/anchor@1.3.0-r0" }],
            },
            { "@id": "pkg:apk/alpine/anchor@1.3.0-r0" },
        ]);
        for statement in statements.as_array().unwrap() {
            assert_eq!(statement["products"], expected);
        }
    }

    #[test]
    fn nothing_found_is_a_document_too() {
        let contents = sample::contents(4);
        let subject = sample::subject(&contents).unwrap();
        let bytes = document(&subject, &[], subject.created, 1).unwrap();
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        let [statement] = value["statements"].as_array().unwrap().as_slice() else { panic!() };
        assert_eq!(statement["vulnerability"]["name"], NOTHING_FOUND);
        assert_eq!(statement["status"], "not_affected");
        assert_eq!(statement["justification"], "component_not_present");
        assert!(statement["impact_statement"].is_string());
        assert_eq!(statement["products"].as_array().unwrap().len(), 1);
    }
}
