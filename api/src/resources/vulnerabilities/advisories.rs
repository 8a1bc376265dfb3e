//! Advisories: what they affect, how far they reach, and who is exposed to them.
mod model;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::examples;
use crate::http::lookup::{advisory_id, text};
use crate::http::order::{ByPublished, direction};
use crate::http::pages::{self, PageQuery, Pager};
use crate::http::problem::{Failure, failures};
use crate::http::query::{AsOf, ExampleValue, example, length, query};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::time::Instant;
use crate::schemas::exposure::{Exposure, ExposurePage, LookedAt};
use crate::schemas::scan::AdvisoryScan;
use crate::schemas::severity::Severity;
use model::{Advisory, AdvisoryDetail, AdvisoryPage};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use store::read::advisories::{
    AdvisoryFilter, advisories, advisories_total, advisory, affected, reach,
};
use store::read::exposure::of_advisory;
use store::read::{Page, sla};

/// The most affected packages that one advisory shows.
const MAX_AFFECTED: i64 = 200;

pub(crate) struct AdvisoriesApi(pub(crate) ApiState);

failures! {
    /// A list.
    ListAdvisories: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}
failures! {
    /// One advisory.
    OneAdvisory: InvalidParameter, UnknownParameter, AsOfInFuture, AdvisoryNotFound
}
failures! {
    /// A list below one advisory.
    BelowAdvisory:
        InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken, AdvisoryNotFound
}

query! {
    /// The parameters of listAdvisories.
    struct ListAdvisoriesQuery {
        /// Only advisories of this severity.
        severity: Option<Severity>,
        /// Only advisories whose CVE id, or the name of a package that they affect, holds this
        /// text, whatever its case.
        q: Option<String> = length(1, 63),
        /// Only advisories that are, or are not, known to be exploited.
        known_exploited: Option<bool>,
        /// Only advisories with, or without, an upstream fix at that instant.
        fix_available: Option<bool>,
        /// Only advisories that all versions in use have been looked at for, or not.
        scan: Option<AdvisoryScan>,
        /// Only advisories published at this instant or later.
        published_from: Option<Instant> = example(ExampleValue::Hours(24)),
        /// Only advisories published at this instant or before.
        published_to: Option<Instant> = example(ExampleValue::Hours(48)),
        /// The order; `-published_at` when absent.
        order_by: Option<ByPublished>,
    }
}

impl Resource for AdvisoriesApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("listAdvisories", Access::Read),
        ("getAdvisory", Access::Read),
        ("listAdvisoryExposure", Access::Read),
    ];

    fn new(state: &ApiState) -> Self {
        AdvisoriesApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Advisories")]
impl AdvisoriesApi {
    /// List advisories
    ///
    /// By when they were published.
    #[oai(path = "/v1/advisories", method = "get", operation_id = "listAdvisories")]
    async fn list(
        &self,
        caller: Caller,
        query: ListAdvisoriesQuery,
        page: PageQuery,
    ) -> Result<Json<AdvisoryPage>, Failure<ListAdvisories>> {
        let filter = AdvisoryFilter {
            severity: query.severity.map(Severity::as_str),
            q: text("q", query.q.as_deref())?,
            known_exploited: query.known_exploited,
            fix_available: query.fix_available,
            scanned: query.scan.map(|scan| scan == AdvisoryScan::Complete),
            published_from: query.published_from.map(Instant::datetime),
            published_to: query.published_to.map(Instant::datetime),
            direction: direction(query.order_by),
        };
        let mut pager = Pager::<(i64, i64)>::begin(&self.0, &caller, page).await?;
        let after = match pager.after {
            Some((ms, id)) => Some((pages::instant(ms)?, id)),
            None => None,
        };
        let (moment, limit) = (pager.moment, pager.limit());
        let conn = pager.snapshot.conn();
        let total = advisories_total(conn, moment, &filter).await?;
        let mut rows = advisories(conn, moment, &filter, after.as_ref(), limit).await?;
        let next = pager.end(&mut rows, |row| (row.published_at.timestamp_millis(), row.id))?;
        let items = rows.into_iter().map(Advisory::new).collect::<Result<_, _>>()?;
        Ok(Json(AdvisoryPage::new(items, total, next, &pager.snapshot)))
    }

    /// Read an advisory
    ///
    /// With the packages and ranges that it affects, what happened to it, and how far it reached.
    #[oai(path = "/v1/advisories/:cve", method = "get", operation_id = "getAdvisory")]
    async fn get(
        &self,
        caller: Caller,
        /// The advisory's CVE id.
        #[oai(example = "example_cve")]
        cve: Path<String>,
        as_of: AsOf,
    ) -> Result<Json<AdvisoryDetail>, Failure<OneAdvisory>> {
        let mut snapshot = self.0.snapshot(&caller, as_of.0).await?;
        let (id, moment) = (advisory_id(&mut snapshot, &cve).await?, snapshot.moment);
        let row = advisory(snapshot.conn(), moment, id).await?;
        let affected = affected(snapshot.conn(), moment, id, MAX_AFFECTED).await?;
        let reach = reach(snapshot.conn(), moment, id).await?;
        Ok(Json(AdvisoryDetail::new(row, affected, reach, &snapshot)?))
    }

    /// List who is exposed to an advisory
    ///
    /// The customers that run a version on which it was found, by image and customer, with where
    /// it runs and how many hours there are until the deadline. While `scan` is pending nobody has
    /// looked everywhere: who is not listed may be exposed too.
    #[oai(
        path = "/v1/advisories/:cve/exposure",
        method = "get",
        operation_id = "listAdvisoryExposure"
    )]
    async fn exposure(
        &self,
        caller: Caller,
        /// The advisory's CVE id.
        #[oai(example = "example_cve")]
        cve: Path<String>,
        page: PageQuery,
    ) -> Result<Json<ExposurePage>, Failure<BelowAdvisory>> {
        let mut pager = Pager::<(i64, i64)>::begin(&self.0, &caller, page).await?;
        let id = advisory_id(&mut pager.snapshot, &cve).await?;
        let (moment, limit, after) = (pager.moment, pager.limit(), pager.after);
        let Page { mut rows, total } =
            of_advisory(pager.snapshot.conn(), moment, id, caller.tenant(), after, limit).await?;
        let next = pager.end(&mut rows, |row| (row.image_id, row.customer_id))?;
        let items = rows.into_iter().map(|row| Exposure::new(row, moment.as_of));
        let items = items.collect::<Result<_, _>>()?;
        let conn = pager.snapshot.conn();
        let scan = AdvisoryScan::from(advisory(conn, moment, id).await?.scan);
        let evaluated_at = sla::evaluated_at(conn, moment.as_of).await?;
        let looked = LookedAt { scan: Some(scan.into()), evaluated_at };
        Ok(Json(ExposurePage::new(items, total, next, looked, &pager.snapshot)))
    }
}

pub(crate) fn example_cve() -> String {
    examples::CVE.to_owned()
}
