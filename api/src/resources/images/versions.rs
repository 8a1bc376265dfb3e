//! Versions of images as the API shows them.
use crate::http::examples;
use crate::http::pages::page;
use crate::http::snapshot::Snapshot;
use crate::http::time::{self, Instant};
use crate::resources::images::evidence::{Attestation, PROVENANCE, Sbom, SlsaEvidence, artifact};
use crate::resources::images::model::Assessed;
use crate::schemas::scan::ScanState;
use poem_openapi::Object;
use poem_openapi::types::Example;
use store::read::versions::{AssessmentRow, AttestationRow, SbomRow, VersionRow};

/// One published version of an image.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
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
    /// Whether its provenance has been assessed for a SLSA build level.
    slsa_assessment: Assessed,
    /// Its SLSA build level, computed from its provenance; absent until that is assessed.
    slsa_level: Option<i32>,
    /// What is known of it from scans.
    scan: ScanState,
    /// When it was scanned last; absent while that is pending.
    scanned_at: Option<Instant>,
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
            slsa_assessment: Assessed::of(row.slsa_level),
            slsa_level: row.slsa_level,
            scan: row.scan.into(),
            scanned_at: row.scanned_at.map(Into::into),
            base_version: row.base_version,
            base_digest: row.base_digest,
            build_href: format!("/v1/builds/{}", row.build_id),
        }
    }
}

page! {
    /// A page of versions.
    VersionPage of Version
}

/// A version with its documents and what its level rests on.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct VersionDetail {
    #[oai(flatten)]
    version: Version,
    /// The image's name.
    image: String,
    /// Its SBOMs.
    sboms: Vec<Sbom>,
    /// The newest attestations about it, one of each kind.
    attestations: Vec<Attestation>,
    /// What its SLSA level rests on; absent until it is assessed.
    slsa: Option<SlsaEvidence>,
    /// Its provenance: how it was built.
    provenance_href: Option<String>,
    /// The simulated instant this speaks of.
    as_of: Instant,
    /// Whether this answer can never change again.
    settled: bool,
}

impl VersionDetail {
    pub(super) fn new(
        image: String,
        version: VersionRow,
        sboms: Vec<SbomRow>,
        attestations: Vec<AttestationRow>,
        assessment: Option<AssessmentRow>,
        snapshot: &Snapshot,
    ) -> Self {
        let provenance = attestations.iter().find(|row| row.predicate_type == PROVENANCE);
        let provenance = provenance.and_then(|row| row.document_sha256.as_deref());
        VersionDetail {
            image,
            version: version.into(),
            sboms: sboms.into_iter().map(Sbom::from).collect(),
            provenance_href: provenance.map(artifact),
            slsa: assessment.map(SlsaEvidence::from),
            attestations: attestations.into_iter().map(Attestation::from).collect(),
            as_of: snapshot.as_of(),
            settled: snapshot.settled(),
        }
    }
}

impl Example for Version {
    fn example() -> Self {
        VersionRow {
            version: 5,
            digest: format!("sha256:{}", "a".repeat(64)),
            tags: vec!["latest".to_owned(), "1.27.3".to_owned()],
            published_at: time::example(2).datetime(),
            superseded_at: None,
            slsa_level: Some(3),
            packages: 61,
            build_id: 312,
            base_version: Some(3),
            base_digest: Some(format!("sha256:{}", "b".repeat(64))),
            scan: store::read::scans::ScanState::Complete,
            scanned_at: Some(time::example(4).datetime()),
        }
        .into()
    }
}

impl Example for VersionDetail {
    fn example() -> Self {
        VersionDetail {
            image: examples::IMAGE.to_owned(),
            version: Version::example(),
            sboms: vec![Sbom::example()],
            attestations: vec![Attestation::example()],
            slsa: Some(SlsaEvidence::example()),
            provenance_href: Some(artifact(&"f".repeat(64))),
            as_of: time::example(6),
            settled: true,
        }
    }
}
