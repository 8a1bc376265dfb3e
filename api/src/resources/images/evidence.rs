//! What a version rests on: its SBOMs, its signed statements, and the checks behind its level.
use crate::http::time::{self, Instant};
use documents::slsa_level::{Check, CheckResult};
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use store::read::versions::{AssessmentRow, AttestationRow, SbomRow, TagRow};

/// The predicate type of SLSA provenance.
pub(super) const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// A tag and what it pointed to.
#[derive(Object)]
pub(super) struct Tag {
    /// The tag.
    pub(super) tag: String,
    /// The version.
    pub(super) version: i32,
    /// Its digest.
    pub(super) digest: String,
}

/// An SBOM.
#[derive(Object)]
pub(super) struct Sbom {
    /// `spdx` or `cyclonedx`.
    format: String,
    /// The version of the format.
    spec_version: String,
    /// How many components it lists.
    components: i32,
    /// SHA-256 of the document.
    sha256: String,
    /// Its size.
    bytes: i64,
    /// The document itself.
    href: String,
}

/// The newest signed statement of its kind.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct Attestation {
    /// The type of its predicate.
    predicate_type: String,
    /// When it was signed.
    created_at: Instant,
    /// Its index in the transparency log; absent until it is there.
    log_index: Option<i64>,
    /// SHA-256 of the Sigstore bundle; absent until that is made.
    sha256: Option<String>,
    /// The bundle's size.
    bytes: Option<i64>,
    /// The bundle itself: signature, statement and proof that it is logged.
    href: Option<String>,
    /// The document that it states, alone.
    document_href: Option<String>,
}

/// One check of the evidence for a SLSA level.
#[derive(Object)]
pub(super) struct EvidenceCheck {
    /// What was checked.
    check: CheckName,
    /// Whether it held.
    passed: bool,
    /// What was found.
    detail: String,
}

/// The checks, in the order in which they are made.
#[derive(Clone, Copy, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum CheckName {
    /// There is a statement that can be read.
    Statement,
    /// Its predicate type is SLSA Provenance v1.
    PredicateType,
    /// Its subject is the image.
    Subject,
    /// The predicate is provenance of the known build type.
    Provenance,
    /// A trusted key signed it.
    Signature,
    /// It is in the transparency log.
    Log,
    /// The builder is trusted with that key.
    Builder,
    /// All external parameters are known.
    Parameters,
}

impl From<Check> for CheckName {
    fn from(check: Check) -> Self {
        match check {
            Check::Statement => CheckName::Statement,
            Check::PredicateType => CheckName::PredicateType,
            Check::Subject => CheckName::Subject,
            Check::Provenance => CheckName::Provenance,
            Check::Signature => CheckName::Signature,
            Check::Log => CheckName::Log,
            Check::Builder => CheckName::Builder,
            Check::Parameters => CheckName::Parameters,
        }
    }
}

/// A SLSA build level, with the evidence that gives it.
#[derive(Object)]
pub(super) struct SlsaEvidence {
    /// The level, 0 to 3.
    level: i32,
    /// When it was assessed.
    assessed_at: Instant,
    /// Every check that was made; those that rest on one that failed are left out.
    checks: Vec<EvidenceCheck>,
}

impl From<AssessmentRow> for SlsaEvidence {
    fn from(row: AssessmentRow) -> Self {
        let check = |result: CheckResult| EvidenceCheck {
            check: result.check.into(),
            passed: result.passed,
            detail: result.detail,
        };
        SlsaEvidence {
            level: row.slsa_level,
            assessed_at: row.assessed_at.into(),
            checks: row.checks.0.into_iter().map(check).collect(),
        }
    }
}

pub(super) fn artifact(sha256: &str) -> String {
    format!("/v1/artifacts/{sha256}")
}

impl From<TagRow> for Tag {
    fn from(row: TagRow) -> Self {
        Tag { tag: row.tag, version: row.version, digest: row.digest }
    }
}

impl From<SbomRow> for Sbom {
    fn from(row: SbomRow) -> Self {
        Sbom {
            href: artifact(&row.sha256),
            format: row.format,
            spec_version: row.spec_version,
            components: row.components,
            sha256: row.sha256,
            bytes: row.bytes,
        }
    }
}

impl From<AttestationRow> for Attestation {
    fn from(row: AttestationRow) -> Self {
        Attestation {
            href: row.sha256.as_deref().map(artifact),
            document_href: row.document_sha256.as_deref().map(artifact),
            predicate_type: row.predicate_type,
            created_at: row.created_at.into(),
            log_index: row.log_index,
            sha256: row.sha256,
            bytes: row.bytes,
        }
    }
}

impl Example for Sbom {
    fn example() -> Self {
        SbomRow {
            format: "spdx".to_owned(),
            spec_version: "2.3".to_owned(),
            sha256: "c".repeat(64),
            bytes: 48_213,
            components: 61,
        }
        .into()
    }
}

impl Example for Attestation {
    fn example() -> Self {
        AttestationRow {
            predicate_type: PROVENANCE.to_owned(),
            created_at: time::example(2).datetime(),
            log_index: Some(1_207),
            sha256: Some("d".repeat(64)),
            bytes: Some(16_120),
            document_sha256: Some("f".repeat(64)),
        }
        .into()
    }
}

impl Example for SlsaEvidence {
    fn example() -> Self {
        let detail = "https://wavetank.example/builders/builder-2 is granted level 3".to_owned();
        let check = EvidenceCheck { check: CheckName::Builder, passed: true, detail };
        SlsaEvidence { level: 3, assessed_at: time::example(2), checks: vec![check] }
    }
}
