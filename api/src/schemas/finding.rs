//! A finding, as lists of findings and an image's own show it.
use crate::http::examples;
use crate::http::problem::Problem;
use crate::http::time::{self, Instant};
use crate::schemas::severity::Severity;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use store::read::findings::FindingRow;

/// What a finding says of the version that it is on: the same as its VEX document, the counts of open
/// findings, the exposure of those who run it, and the answer key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum FindingStatus {
    /// The version has it, and always will: a version does not change. VEX says `affected`, or
    /// `under_investigation` while no fix is released.
    Open,
    /// It was judged a false positive, for all versions of the image.
    NotAffected,
}

/// What a finding says of the image, whose versions come one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum ImageFindingStatus {
    /// No version without it was published.
    Open,
    /// A later version without it was published: `fixed_in_version`. Who runs the version that the
    /// finding is on is exposed until it moves.
    Fixed,
    /// It was judged a false positive, for all versions of the image.
    NotAffected,
}

impl From<FindingStatus> for store::read::findings::FindingStatus {
    fn from(status: FindingStatus) -> Self {
        match status {
            FindingStatus::Open => Self::Open,
            FindingStatus::NotAffected => Self::NotAffected,
        }
    }
}

impl From<ImageFindingStatus> for store::read::findings::ImageFindingStatus {
    fn from(status: ImageFindingStatus) -> Self {
        match status {
            ImageFindingStatus::Open => Self::Open,
            ImageFindingStatus::Fixed => Self::Fixed,
            ImageFindingStatus::NotAffected => Self::NotAffected,
        }
    }
}

/// An advisory found in a package of a version of an image.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(crate) struct Finding {
    /// What it says of the version that it is on.
    status: FindingStatus,
    /// What it says of the image.
    image_status: ImageFindingStatus,
    /// The advisory's CVE id.
    cve: String,
    /// Its severity.
    severity: Severity,
    /// Its CVSS base score.
    score: f64,
    /// Whether it is known to be exploited.
    known_exploited: bool,
    /// The image's name.
    image: String,
    /// The image's number.
    image_id: i64,
    /// The namespace of the image's owner.
    tenant_namespace: String,
    /// The version it is on.
    version: i32,
    /// That version's digest.
    digest: String,
    /// The package it is in.
    package: String,
    /// The version of the package that is installed.
    package_version: Option<String>,
    /// The first version of the package without it, once that is released.
    fixed_version: Option<String>,
    /// When a scan found it.
    detected_at: Instant,
    /// The later version of the image that was published without it. (What was found only when such
    /// a version was out already: the newest one then.)
    fixed_in_version: Option<i32>,
    /// When that version was published.
    fixed_in_at: Option<Instant>,
    /// When it was judged a false positive.
    not_affected_at: Option<Instant>,
    /// Why: a justification of VEX.
    justification: Option<String>,
    /// The advisory.
    advisory_href: String,
    /// The image.
    image_href: String,
}

impl Finding {
    pub(crate) fn new(row: FindingRow) -> Result<Self, Problem> {
        let (status, image_status) = match (row.not_affected_at, row.resolved_at) {
            (Some(_), _) => (FindingStatus::NotAffected, ImageFindingStatus::NotAffected),
            (None, Some(_)) => (FindingStatus::Open, ImageFindingStatus::Fixed),
            (None, None) => (FindingStatus::Open, ImageFindingStatus::Open),
        };
        Ok(Finding {
            status,
            image_status,
            advisory_href: format!("/v1/advisories/{}", row.cve),
            image_href: format!("/v1/images/{}", row.image),
            cve: row.cve,
            severity: Severity::parse(&row.severity)?,
            score: row.score,
            known_exploited: row.known_exploited,
            image: row.image,
            image_id: row.image_id,
            tenant_namespace: row.tenant_namespace,
            version: row.version,
            digest: row.digest,
            package: row.package,
            package_version: row.package_version,
            fixed_version: row.fixed_version,
            detected_at: row.detected_at.into(),
            fixed_in_version: row.resolved_version,
            fixed_in_at: row.resolved_at.map(Into::into),
            not_affected_at: row.not_affected_at.map(Into::into),
            justification: row.justification,
        })
    }
}

impl Example for Finding {
    fn example() -> Self {
        Finding {
            status: FindingStatus::Open,
            image_status: ImageFindingStatus::Open,
            cve: examples::CVE.to_owned(),
            severity: Severity::Critical,
            score: 9.8,
            known_exploited: true,
            image: examples::IMAGE.to_owned(),
            image_id: 7,
            tenant_namespace: "catalogue".to_owned(),
            version: 5,
            digest: format!("sha256:{}", "a".repeat(64)),
            package: examples::PACKAGE.to_owned(),
            package_version: Some("1.3.1-r0".to_owned()),
            fixed_version: Some("1.3.2-r0".to_owned()),
            detected_at: time::example(4),
            fixed_in_version: None,
            fixed_in_at: None,
            not_affected_at: None,
            justification: None,
            advisory_href: format!("/v1/advisories/{}", examples::CVE),
            image_href: format!("/v1/images/{}", examples::IMAGE),
        }
    }
}
