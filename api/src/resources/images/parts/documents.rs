//! The documents about an image: SBOMs, signed statements, VEX.
use crate::http::examples;
use crate::http::pages::{Total, page};
use crate::http::problem::Problem;
use crate::http::snapshot::Snapshot;
use crate::http::time::{self, Instant};
use crate::resources::images::evidence::artifact;
use crate::schemas::scan::ScanState;
use crate::schemas::severity::Severity;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use store::read::documents::{AttestationRow, SbomRow};
use store::read::versions::VersionRow;
use store::read::vex::StatementRow;

/// The format of an SBOM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub(super) enum SbomFormat {
    /// SPDX 2.3, JSON.
    Spdx,
    /// CycloneDX 1.6, JSON.
    Cyclonedx,
}

impl SbomFormat {
    /// The name in the database and the API.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            SbomFormat::Spdx => "spdx",
            SbomFormat::Cyclonedx => "cyclonedx",
        }
    }
}

/// An SBOM of a version.
#[derive(Object)]
#[oai(example)]
pub(super) struct VersionSbom {
    /// The version it is of.
    version: i32,
    /// That version's digest.
    digest: String,
    /// `spdx` or `cyclonedx`.
    format: String,
    /// The version of the format.
    spec_version: String,
    /// How many components it lists.
    components: i32,
    /// When it was made.
    created_at: Instant,
    /// SHA-256 of the document.
    sha256: String,
    /// Its size.
    bytes: i64,
    /// The document itself.
    href: String,
}

impl From<SbomRow> for VersionSbom {
    fn from(row: SbomRow) -> Self {
        VersionSbom {
            href: artifact(&row.sha256),
            version: row.version,
            digest: row.digest,
            format: row.format,
            spec_version: row.spec_version,
            components: row.components,
            created_at: row.created_at.into(),
            sha256: row.sha256,
            bytes: row.bytes,
        }
    }
}

page! {
    /// A page of SBOMs.
    SbomPage of VersionSbom
}

/// A signed statement about a version.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct VersionAttestation {
    /// The version it is about.
    version: i32,
    /// That version's digest: the subject.
    digest: String,
    /// The type of its predicate.
    predicate_type: String,
    /// When it was signed.
    created_at: Instant,
    /// Its index in the transparency log; absent until it is there.
    log_index: Option<i64>,
    /// Its entry in the transparency log.
    log_entry_href: Option<String>,
    /// SHA-256 of the Sigstore bundle; absent until that is made.
    sha256: Option<String>,
    /// The bundle's size.
    bytes: Option<i64>,
    /// The bundle itself: signature, statement and proof that it is logged.
    href: Option<String>,
    /// The document that it states, alone.
    document_href: Option<String>,
    /// Since when a bundle that nobody trusted has signed is in its place.
    replaced_at: Option<Instant>,
}

impl From<AttestationRow> for VersionAttestation {
    fn from(row: AttestationRow) -> Self {
        let entry = |index| format!("/v1/logs/transparency/entries/{index}");
        VersionAttestation {
            version: row.version,
            digest: row.digest,
            predicate_type: row.predicate_type,
            created_at: row.created_at.into(),
            log_index: row.log_index,
            log_entry_href: row.log_index.map(entry),
            href: row.sha256.as_deref().map(artifact),
            sha256: row.sha256,
            bytes: row.bytes,
            document_href: row.document_sha256.as_deref().map(artifact),
            replaced_at: row.replaced_at.map(Into::into),
        }
    }
}

page! {
    /// A page of attestations.
    AttestationPage of VersionAttestation
}

/// What a vulnerability means, in the words of OpenVEX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum VexStatus {
    /// Nothing is to be done.
    NotAffected,
    /// The version has it, and there is a fix to move to.
    Affected,
    /// An earlier version had it, this one has not.
    Fixed,
    /// The version has it; what to do is not known yet, for no fix is released.
    UnderInvestigation,
}

/// What one vulnerability means for one package of a version.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct VexStatement {
    /// The CVE id.
    cve: String,
    /// Its severity.
    severity: Severity,
    /// The package.
    package: String,
    /// Its version in the image.
    package_version: Option<String>,
    /// What the vulnerability means.
    status: VexStatus,
    /// Why the image is not affected.
    justification: Option<String>,
    /// The version of the package to move to.
    fixed_version: Option<String>,
    /// Since when that is so.
    since: Instant,
    /// The advisory.
    advisory_href: String,
}

impl VexStatement {
    pub(super) fn new(row: StatementRow) -> Result<Self, Problem> {
        let status = match row.status.as_str() {
            "not_affected" => VexStatus::NotAffected,
            "affected" => VexStatus::Affected,
            "fixed" => VexStatus::Fixed,
            "under_investigation" => VexStatus::UnderInvestigation,
            other => return Err(Problem::internal(format!("a VEX status named {other:?}"))),
        };
        Ok(VexStatement {
            status,
            advisory_href: format!("/v1/advisories/{}", row.cve),
            cve: row.cve,
            severity: Severity::parse(&row.severity)?,
            package: row.package,
            package_version: row.package_version,
            justification: row.justification,
            fixed_version: row.fixed_version,
            since: row.since.into(),
        })
    }
}

/// A page of VEX statements.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct VexPage {
    /// The version they are about.
    version: i32,
    /// Its digest.
    digest: String,
    /// What is known of it from scans. `pending`: that nothing is stated says nothing.
    scan: ScanState,
    /// When it was scanned last; absent while that is pending.
    scanned_at: Option<Instant>,
    /// The newest signed OpenVEX document about it; absent before its first scan.
    document_href: Option<String>,
    /// The statements, by advisory and package.
    items: Vec<VexStatement>,
    /// How many there are on all pages.
    total: Total,
    /// The simulated instant this speaks of.
    as_of: Instant,
    /// Whether this answer can never change again.
    settled: bool,
    /// For the next page; absent on the last.
    next_page_token: Option<String>,
}

impl VexPage {
    pub(super) fn new(
        items: Vec<VexStatement>,
        total: store::read::Total,
        next_page_token: Option<String>,
        (version, document): (VersionRow, Option<String>),
        snapshot: &Snapshot,
    ) -> Self {
        VexPage {
            version: version.version,
            digest: version.digest,
            scan: version.scan.into(),
            scanned_at: version.scanned_at.map(Into::into),
            document_href: document.as_deref().map(artifact),
            items,
            total: total.into(),
            as_of: snapshot.as_of(),
            settled: snapshot.settled(),
            next_page_token,
        }
    }
}

fn digest() -> String {
    format!("sha256:{}", "a".repeat(64))
}

impl Example for VersionSbom {
    fn example() -> Self {
        SbomRow {
            version: 5,
            digest: digest(),
            format: "spdx".to_owned(),
            spec_version: "2.3".to_owned(),
            sha256: "c".repeat(64),
            bytes: 48_213,
            components: 61,
            created_at: time::example(2).datetime(),
        }
        .into()
    }
}

impl Example for VersionAttestation {
    fn example() -> Self {
        AttestationRow {
            seq: 812,
            version: 5,
            digest: digest(),
            predicate_type: "https://slsa.dev/provenance/v1".to_owned(),
            created_at: time::example(2).datetime(),
            log_index: Some(1_207),
            sha256: Some("d".repeat(64)),
            bytes: Some(16_120),
            document_sha256: Some("f".repeat(64)),
            replaced_at: None,
        }
        .into()
    }
}

impl Example for VexStatement {
    fn example() -> Self {
        VexStatement {
            cve: examples::CVE.to_owned(),
            severity: Severity::Critical,
            package: examples::PACKAGE.to_owned(),
            package_version: Some("1.3.1-r0".to_owned()),
            status: VexStatus::Affected,
            justification: None,
            fixed_version: Some("1.3.2-r0".to_owned()),
            since: time::example(4),
            advisory_href: format!("/v1/advisories/{}", examples::CVE),
        }
    }
}

impl Example for VexPage {
    fn example() -> Self {
        VexPage {
            version: 5,
            digest: digest(),
            scan: ScanState::Complete,
            scanned_at: Some(time::example(4)),
            document_href: Some(artifact(&"e".repeat(64))),
            items: vec![VexStatement::example()],
            total: 1.into(),
            as_of: time::example(6),
            settled: true,
            next_page_token: None,
        }
    }
}
