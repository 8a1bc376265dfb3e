//! Images as the API shows them.
mod examples;

use crate::http::pages::page;
use crate::http::snapshot::Snapshot;
use crate::http::time::Instant;
use crate::resources::images::evidence::{
    Attestation, PROVENANCE, Sbom, SlsaEvidence, Tag, artifact,
};
use crate::schemas::scan::ScanState;
use poem_openapi::{Enum, Object};
use store::read::images::{ImageOrder, ImageRow};
use store::read::versions::{AssessmentRow, AttestationRow, SbomRow, TagRow};

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

impl From<ImageStatus> for store::read::images::ImageStatus {
    fn from(status: ImageStatus) -> Self {
        match status {
            ImageStatus::Unpublished => Self::Unpublished,
            ImageStatus::Active => Self::Active,
            ImageStatus::EndOfLife => Self::EndOfLife,
        }
    }
}

/// The order of the list of images; with `-` the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(super) enum ImageOrderBy {
    /// By name.
    #[oai(rename = "name")]
    Name,
    /// By name, z first.
    #[oai(rename = "-name")]
    NameDown,
    /// By when they were added, the oldest first.
    #[oai(rename = "created_at")]
    CreatedAt,
    /// By when they were added, the newest first.
    #[oai(rename = "-created_at")]
    CreatedAtDown,
    /// By when the current version was published, unpublished ones first.
    #[oai(rename = "published_at")]
    PublishedAt,
    /// By when the current version was published, the newest first.
    #[oai(rename = "-published_at")]
    PublishedAtDown,
}

impl ImageOrderBy {
    /// The order, and whether it is turned round.
    pub(super) const fn order(self) -> (ImageOrder, bool) {
        match self {
            ImageOrderBy::Name => (ImageOrder::Name, false),
            ImageOrderBy::NameDown => (ImageOrder::Name, true),
            ImageOrderBy::CreatedAt => (ImageOrder::CreatedAt, false),
            ImageOrderBy::CreatedAtDown => (ImageOrder::CreatedAt, true),
            ImageOrderBy::PublishedAt => (ImageOrder::PublishedAt, false),
            ImageOrderBy::PublishedAtDown => (ImageOrder::PublishedAt, true),
        }
    }
}

/// How many advisories are open, by severity, as the last scan found them.
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

/// Whether provenance has been assessed for a SLSA build level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum Assessed {
    /// Not yet: the level is unknown, not 0.
    Pending,
    /// It was assessed.
    Complete,
}

impl Assessed {
    pub(super) const fn of(level: Option<i32>) -> Self {
        if level.is_some() { Assessed::Complete } else { Assessed::Pending }
    }
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
    /// Whether its provenance has been assessed for a SLSA build level.
    slsa_assessment: Assessed,
    /// Its SLSA build level, computed from its provenance; absent until that is assessed.
    slsa_level: Option<i32>,
    /// What is known of it from scans.
    scan: ScanState,
    /// When it was scanned last; absent while that is pending.
    scanned_at: Option<Instant>,
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
    /// What scanners found in it, with deadlines.
    findings: String,
    /// Its SBOMs.
    sboms: String,
    /// The signed statements about it.
    attestations: String,
    /// What its vulnerabilities mean.
    vex: String,
    /// Who runs it.
    usage: String,
    /// What it is built on, and what is built on it.
    lineage: String,
    /// How its current version differs from the one before.
    diff: String,
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
    /// Advisories open on the current version, as its last scan found them; absent while no scan of
    /// it has reported (`scan` of `current`), and before the first version.
    open_findings: Option<SeverityCounts>,
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
                slsa_assessment: Assessed::of(row.slsa_level),
                slsa_level: row.slsa_level,
                scan: row.scan.map_or(ScanState::Pending, Into::into),
                scanned_at: row.scanned_at.map(Into::into),
                base_digest: row.base_digest,
            }),
            _ => None,
        };
        let status = match (&current, end_of_life_at) {
            (_, Some(end)) if end <= as_of => ImageStatus::EndOfLife,
            (None, _) => ImageStatus::Unpublished,
            (Some(_), _) => ImageStatus::Active,
        };
        let own = format!("/v1/images/{}", row.name);
        let part = |name: &str| format!("{own}/{name}");
        Image {
            id: row.id,
            links: ImageLinks {
                versions: part("versions"),
                builds: format!("/v1/builds?image={}", row.name),
                findings: part("findings"),
                sboms: part("sboms"),
                attestations: part("attestations"),
                vex: part("vex"),
                usage: part("usage"),
                lineage: part("lineage"),
                diff: part("diff"),
                own,
            },
            name: row.name,
            description: row.description,
            tenant_namespace: row.tenant_namespace,
            status,
            base: row.base,
            created_at: row.created_at.into(),
            end_of_life_at,
            current,
            open_findings: row.scanned_at.map(|_| SeverityCounts {
                critical: row.critical,
                high: row.high,
                medium: row.medium,
                low: row.low,
            }),
        }
    }
}

page! {
    /// A page of images.
    ImagePage of Image
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
        snapshot: &Snapshot,
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
            as_of: snapshot.as_of(),
            settled: snapshot.settled(),
        }
    }
}
