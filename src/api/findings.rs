//! Findings: which version of which image holds what an advisory affects.
use super::caller::Caller;
use super::filter;
use super::order::{ByDetected, direction};
use super::page::{self, Turn, page};
use super::problem::{Failure, Problem, failures};
use super::severity::Severity;
use super::spec::Tag;
use super::state::ApiState;
use super::time::{self, Instant, example_as_of};
use super::tour;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object, OpenApi};
use store::read::findings::{FindingFilter, FindingRow, findings, findings_total};

pub(crate) struct FindingsApi(pub(crate) ApiState);

failures! {
    /// A list.
    ListFindings: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}

/// How a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum FindingStatus {
    /// It is there.
    Open,
    /// A version of the image without it was published.
    Resolved,
    /// It was judged a false positive.
    NotAffected,
}

impl From<FindingStatus> for store::read::findings::FindingStatus {
    fn from(status: FindingStatus) -> Self {
        match status {
            FindingStatus::Open => Self::Open,
            FindingStatus::Resolved => Self::Resolved,
            FindingStatus::NotAffected => Self::NotAffected,
        }
    }
}

/// An advisory found in a package of a version of an image.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(crate) struct Finding {
    /// How it stood.
    status: FindingStatus,
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
    /// When a version of the image without it was published.
    resolved_at: Option<Instant>,
    /// That version.
    resolved_version: Option<i32>,
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
        let status = match (row.not_affected_at, row.resolved_at) {
            (Some(_), _) => FindingStatus::NotAffected,
            (None, Some(_)) => FindingStatus::Resolved,
            (None, None) => FindingStatus::Open,
        };
        Ok(Finding {
            status,
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
            resolved_at: row.resolved_at.map(Into::into),
            resolved_version: row.resolved_version,
            not_affected_at: row.not_affected_at.map(Into::into),
            justification: row.justification,
        })
    }
}

impl Example for Finding {
    fn example() -> Self {
        Finding {
            status: FindingStatus::Open,
            cve: tour::CVE.to_owned(),
            severity: Severity::Critical,
            score: 9.8,
            known_exploited: true,
            image: tour::IMAGE.to_owned(),
            image_id: 7,
            tenant_namespace: "catalogue".to_owned(),
            version: 5,
            digest: format!("sha256:{}", "a".repeat(64)),
            package: tour::PACKAGE.to_owned(),
            package_version: Some("1.3.1-r0".to_owned()),
            fixed_version: Some("1.3.2-r0".to_owned()),
            detected_at: time::example(4),
            resolved_at: None,
            resolved_version: None,
            not_affected_at: None,
            justification: None,
            advisory_href: format!("/v1/advisories/{}", tour::CVE),
            image_href: format!("/v1/images/{}", tour::IMAGE),
        }
    }
}

page! {
    /// A page of findings.
    FindingPage of Finding
}

#[OpenApi(tag = "Tag::Findings")]
impl FindingsApi {
    /// List findings
    ///
    /// Of all images and versions, by when they were detected.
    #[oai(path = "/v1/findings", method = "get", operation_id = "listFindings")]
    async fn list(
        &self,
        caller: Caller,
        /// Only findings of this severity.
        severity: Query<Option<Severity>>,
        /// Only findings that stood so at that instant.
        status: Query<Option<FindingStatus>>,
        /// Only findings on this image: its name or number.
        #[oai(validator(min_length = 1, max_length = 63))]
        image: Query<Option<String>>,
        /// Only findings of this advisory: its CVE id.
        #[oai(validator(min_length = 1, max_length = 63))]
        cve: Query<Option<String>>,
        /// Only findings in the package of this name.
        #[oai(validator(min_length = 1, max_length = 128))]
        package: Query<Option<String>>,
        /// The order; `-detected_at` when absent.
        order_by: Query<Option<ByDetected>>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many findings a page holds, 25 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<FindingPage>, Failure<ListFindings>> {
        let severity = severity.0.map(Severity::as_str);
        let direction = direction(order_by.0);
        let filters = (severity, status.0.map(|s| s as u8), &image.0, &cve.0, &package.0);
        let filters = (filters, direction.is_ascending());
        let list = ("findings", &filters);
        let turning = (page_size.0, page_token.as_deref());
        let mut turn = Turn::<Key>::begin(&self.0, &caller, list, as_of.0, turning).await?;
        let filter = FindingFilter {
            severity,
            status: status.0.map(Into::into),
            image_id: filter::image(&mut turn.view, image.as_deref()).await?,
            version: None,
            advisory_id: filter::cve(&mut turn.view, cve.as_deref()).await?,
            package_id: filter::package(&mut turn.view, package.as_deref()).await?,
            direction,
        };
        let (moment, limit) = (turn.moment, turn.limit());
        let after = match turn.after {
            Some((ms, image, version, advisory, package)) => {
                Some((page::instant(ms)?, image, version, advisory, package))
            }
            None => None,
        };
        let conn = turn.view.conn();
        let total = findings_total(conn, moment, &filter).await?;
        let mut rows = findings(conn, moment, &filter, after.as_ref(), limit).await?;
        let next = turn.end(&mut rows, |row| {
            let ms = row.detected_at.timestamp_millis();
            (ms, row.image_id, row.version, row.advisory_id, row.package_id)
        })?;
        let items = rows.into_iter().map(Finding::new).collect::<Result<_, _>>()?;
        Ok(Json(FindingPage::new(items, total, next, &turn.view)))
    }
}

/// Detected (milliseconds), image, version, advisory, package.
type Key = (i64, i64, i32, i64, i64);
