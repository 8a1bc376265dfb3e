//! Images as the API shows them.
mod examples;

use crate::api::state::View;
use crate::api::time::Instant;
use documents::slsa_level::{Check, CheckResult};
use poem_openapi::{Enum, Object};
use store::read::images::ImageRow;
use store::read::versions::{AssessmentRow, AttestationRow, SbomRow, TagRow, VersionRow};

/// The predicate type of SLSA provenance.
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// Where an image is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum ImageStatus {
    /// It has no version yet.
    Unpublished,
    /// It is built and used.
    Active,
    /// It is no longer built.
    EndOfLife,
}

/// How many advisories are open, by severity.
#[derive(Clone, Copy, Debug, Object)]
pub(super) struct SeverityCounts {
    /// Critical ones.
    critical: i64,
    /// High ones.
    high: i64,
    /// Medium ones.
    medium: i64,
    /// Low ones.
    low: i64,
}

/// The version that was current.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct CurrentVersion {
    /// Its ordinal, from 1.
    version: i32,
    /// The digest of its manifest.
    digest: String,
    /// When it was published.
    published_at: Instant,
    /// How many packages it holds, those of its base included.
    packages: i32,
    /// Its SLSA build level, computed from its provenance; absent until that is assessed.
    slsa_level: Option<i32>,
    /// The digest of the base it stands on.
    base_digest: Option<String>,
}

/// Where more about an image is.
#[derive(Object)]
pub(super) struct ImageLinks {
    /// This image.
    #[oai(rename = "self")]
    own: String,
    /// Its versions.
    versions: String,
    /// Its builds.
    builds: String,
}

/// An image: a named stream of versions.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct Image {
    /// Its number.
    id: i64,
    /// Its name.
    name: String,
    /// One line for people.
    description: String,
    /// The namespace of the owner; `catalogue` is shared.
    tenant_namespace: String,
    /// Where it is in its life.
    status: ImageStatus,
    /// The name of the image it is built on.
    base: Option<String>,
    /// When it was added.
    created_at: Instant,
    /// When its life ends.
    end_of_life_at: Option<Instant>,
    /// The current version; absent before the first is published.
    current: Option<CurrentVersion>,
    /// Advisories open on the current version.
    open_findings: SeverityCounts,
    /// Where more is.
    links: ImageLinks,
}

impl Image {
    pub(super) fn new(row: ImageRow, as_of: Instant) -> Self {
        let end_of_life_at = row.end_of_life_at.map(Instant::from);
        let current = match (row.version, row.digest, row.published_at) {
            (Some(version), Some(digest), Some(published_at)) => Some(CurrentVersion {
                version,
                digest,
                published_at: published_at.into(),
                packages: row.packages.unwrap_or_default(),
                slsa_level: row.slsa_level,
                base_digest: row.base_digest,
            }),
            _ => None,
        };
        let status = match (&current, end_of_life_at) {
            (_, Some(end)) if end <= as_of => ImageStatus::EndOfLife,
            (None, _) => ImageStatus::Unpublished,
            (Some(_), _) => ImageStatus::Active,
        };
        Image {
            id: row.id,
            links: ImageLinks {
                own: format!("/v1/images/{}", row.name),
                versions: format!("/v1/images/{}/versions", row.name),
                builds: format!("/v1/builds?image={}", row.name),
            },
            name: row.name,
            description: row.description,
            tenant_namespace: row.tenant_namespace,
            status,
            base: row.base,
            created_at: row.created_at.into(),
            end_of_life_at,
            current,
            open_findings: SeverityCounts {
                critical: row.critical,
                high: row.high,
                medium: row.medium,
                low: row.low,
            },
        }
    }
}

/// A page of images.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct ImagePage {
    /// The images, by name.
    pub(super) items: Vec<Image>,
    /// The simulated instant this speaks of.
    pub(super) as_of: Instant,
    /// Whether this answer can never change again.
    pub(super) settled: bool,
    /// For the next page; absent on the last.
    pub(super) next_page_token: Option<String>,
}

/// A tag and what it pointed to.
#[derive(Object)]
struct Tag {
    /// The tag.
    tag: String,
    /// The version.
    version: i32,
    /// Its digest.
    digest: String,
}

/// An SBOM of the current version.
#[derive(Object)]
struct Sbom {
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

/// The newest signed statement of its kind about the current version.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Attestation {
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
struct EvidenceCheck {
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
enum CheckName {
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

/// The SLSA build level of the current version, with the evidence that gives it.
#[derive(Object)]
struct SlsaEvidence {
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

/// An image with what belongs to its current version.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct ImageDetail {
    #[oai(flatten)]
    image: Image,
    /// Its tags, the newest version's first.
    tags: Vec<Tag>,
    /// The SBOMs of the current version.
    sboms: Vec<Sbom>,
    /// The newest attestations of the current version, one of each kind.
    attestations: Vec<Attestation>,
    /// What its SLSA level rests on; absent until it is assessed.
    slsa: Option<SlsaEvidence>,
    /// The provenance of the current version: how it was built.
    provenance_href: Option<String>,
    /// The simulated instant this speaks of.
    as_of: Instant,
    /// Whether this answer can never change again.
    settled: bool,
}

impl ImageDetail {
    pub(super) fn new(
        image: Image,
        tags: Vec<TagRow>,
        sboms: Vec<SbomRow>,
        attestations: Vec<AttestationRow>,
        assessment: Option<AssessmentRow>,
        view: &View,
    ) -> Self {
        let provenance = attestations.iter().find(|row| row.predicate_type == PROVENANCE);
        let provenance = provenance.and_then(|row| row.document_sha256.as_deref());
        ImageDetail {
            image,
            tags: tags.into_iter().map(Tag::from).collect(),
            sboms: sboms.into_iter().map(Sbom::from).collect(),
            provenance_href: provenance.map(artifact),
            slsa: assessment.map(SlsaEvidence::from),
            attestations: attestations.into_iter().map(Attestation::from).collect(),
            as_of: view.as_of(),
            settled: view.settled(),
        }
    }
}

fn artifact(sha256: &str) -> String {
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

/// One published version of an image.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct Version {
    /// Its ordinal, from 1.
    version: i32,
    /// The digest of its manifest.
    digest: String,
    /// The tags that pointed to it at that instant.
    tags: Vec<String>,
    /// When it was published.
    published_at: Instant,
    /// When the next version took its place, if that had happened.
    superseded_at: Option<Instant>,
    /// How many packages it holds, those of its base included.
    packages: i32,
    /// Its SLSA build level, computed from its provenance; absent until that is assessed.
    slsa_level: Option<i32>,
    /// The version of the base it stands on.
    base_version: Option<i32>,
    /// The digest of that version.
    base_digest: Option<String>,
    /// The build that made it; its artifacts are the documents of this version.
    build_href: String,
}

impl From<VersionRow> for Version {
    fn from(row: VersionRow) -> Self {
        Version {
            version: row.version,
            digest: row.digest,
            tags: row.tags,
            published_at: row.published_at.into(),
            superseded_at: row.superseded_at.map(Into::into),
            packages: row.packages,
            slsa_level: row.slsa_level,
            base_version: row.base_version,
            base_digest: row.base_digest,
            build_href: format!("/v1/builds/{}", row.build_id),
        }
    }
}

/// A page of versions.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct VersionPage {
    /// The versions, newest first.
    pub(super) items: Vec<Version>,
    /// The simulated instant this speaks of.
    pub(super) as_of: Instant,
    /// Whether this answer can never change again.
    pub(super) settled: bool,
    /// For the next page; absent on the last.
    pub(super) next_page_token: Option<String>,
}
