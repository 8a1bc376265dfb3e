//! Findings: which version of which image holds what an advisory affects.
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::lookup;
use crate::http::order::{ByDetected, direction};
use crate::http::pages::{self, PageQuery, Pager, page};
use crate::http::problem::{Failure, failures};
use crate::http::query::{length, query};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::schemas::finding::{Finding, FindingStatus, ImageFindingStatus};
use crate::schemas::severity::Severity;
use poem_openapi::OpenApi;
use poem_openapi::payload::Json;
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

query! {
    /// The parameters of listFindings.
    struct ListFindingsQuery {
        /// Only findings of this severity.
        severity: Option<Severity>,
        /// Only findings that said this of their version at that instant.
        status: Option<FindingStatus>,
        /// Only findings that said this of their image at that instant; `open` is what is still to
        /// be fixed.
        image_status: Option<ImageFindingStatus>,
        /// Only findings on this image: its name or number.
        image: Option<String> = length(1, 63),
        /// Only findings of this advisory: its CVE id.
        cve: Option<String> = length(1, 63),
        /// Only findings in the package of this name.
        package: Option<String> = length(1, 128),
        /// The order; `-detected_at` when absent.
        order_by: Option<ByDetected>,
    }
}

impl Resource for FindingsApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[("listFindings", Access::Read)];

    fn new(state: &ApiState) -> Self {
        FindingsApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Findings")]
impl FindingsApi {
    /// List findings
    ///
    /// Of all images and versions, by when they were detected. `status` is about the version that a
    /// finding is on, `image_status` about the newest of the image. What no scan has looked at yet is
    /// not here: see `scan` of images and advisories.
    #[oai(path = "/v1/findings", method = "get", operation_id = "listFindings")]
    async fn list(
        &self,
        caller: Caller,
        query: ListFindingsQuery,
        page: PageQuery,
    ) -> Result<Json<FindingPage>, Failure<ListFindings>> {
        let severity = query.severity.map(Severity::as_str);
        let direction = direction(query.order_by);
        let mut pager = Pager::<Key>::begin(&self.0, &caller, page).await?;
        let filter = FindingFilter {
            severity,
            status: query.status.map(Into::into),
            image_status: query.image_status.map(Into::into),
            image_id: lookup::image(&mut pager.snapshot, query.image.as_deref()).await?,
            version: None,
            advisory_id: lookup::cve(&mut pager.snapshot, query.cve.as_deref()).await?,
            package_id: lookup::package(&mut pager.snapshot, query.package.as_deref()).await?,
            direction,
        };
        let (moment, limit) = (pager.moment, pager.limit());
        let after = match pager.after {
            Some((ms, image, version, advisory, package)) => {
                Some((pages::instant(ms)?, image, version, advisory, package))
            }
            None => None,
        };
        let conn = pager.snapshot.conn();
        let total = findings_total(conn, moment, &filter).await?;
        let mut rows = findings(conn, moment, &filter, after.as_ref(), limit).await?;
        let next = pager.end(&mut rows, |row| {
            let ms = row.detected_at.timestamp_millis();
            (ms, row.image_id, row.version, row.advisory_id, row.package_id)
        })?;
        let items = rows.into_iter().map(Finding::new).collect::<Result<_, _>>()?;
        Ok(Json(FindingPage::new(items, total, next, &pager.snapshot)))
    }
}

/// Detected (milliseconds), image, version, advisory, package.
type Key = (i64, i64, i32, i64, i64);
