//! Findings: which version of which image holds what an advisory affects.
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::lookup as filter;
use crate::http::order::{ByDetected, direction};
use crate::http::pages::{self as page, Turn, page};
use crate::http::problem::{Failure, failures};
use crate::schemas::finding::{Finding, FindingStatus};
use crate::schemas::severity::Severity;
use crate::http::tag::Tag;
use crate::http::state::ApiState;
use crate::http::time::{Instant, example_as_of};
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::OpenApi;
use store::read::findings::{FindingFilter, findings, findings_total};

pub(crate) struct FindingsApi(pub(crate) ApiState);

failures! {
    /// A list.
    ListFindings: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}

page! {
    /// A page of findings.
    FindingPage of Finding
}

impl Resource for FindingsApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("listFindings", Access::Read),
    ];

    fn new(state: &ApiState) -> Self {
        FindingsApi(state.clone())
    }
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
