//! Advisories: what they affect, how far they reach, and who is exposed to them.
mod model;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::schemas::exposure::{Exposure, ExposurePage};
use crate::http::lookup::{advisory_id, text};
use crate::http::order::{ByPublished, direction};
use crate::http::pages::{self as page, Turn};
use crate::http::problem::{Failure, failures};
use crate::schemas::severity::Severity;
use crate::http::tag::Tag;
use crate::http::state::ApiState;
use crate::http::time::{self, Instant, example_as_of};
use crate::http::examples;
use model::{Advisory, AdvisoryDetail, AdvisoryPage};
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use store::read::Page;
use store::read::advisories::{
    AdvisoryFilter, advisories, advisories_total, advisory, affected, reach,
};
use store::read::exposure::of_advisory;

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
        /// Only advisories of this severity.
        severity: Query<Option<Severity>>,
        /// Only advisories whose CVE id, or the name of a package that they affect, holds this
        /// text, whatever its case.
        #[oai(validator(min_length = 1, max_length = 63))]
        q: Query<Option<String>>,
        /// Only advisories that are, or are not, known to be exploited.
        known_exploited: Query<Option<bool>>,
        /// Only advisories with, or without, an upstream fix at that instant.
        fix_available: Query<Option<bool>>,
        /// Only advisories published at this instant or later.
        #[oai(example = "example_from")]
        published_from: Query<Option<Instant>>,
        /// Only advisories published at this instant or before.
        #[oai(example = "example_to")]
        published_to: Query<Option<Instant>>,
        /// The order; `-published_at` when absent.
        order_by: Query<Option<ByPublished>>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many advisories a page holds, 25 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<AdvisoryPage>, Failure<ListAdvisories>> {
        let filter = AdvisoryFilter {
            severity: severity.0.map(Severity::as_str),
            q: text("q", q.as_deref())?,
            known_exploited: known_exploited.0,
            fix_available: fix_available.0,
            published_from: published_from.map(Instant::datetime),
            published_to: published_to.map(Instant::datetime),
            direction: direction(order_by.0),
        };
        let range = (filter.published_from, filter.published_to);
        let range = (range.0.map(|at| at.to_rfc3339()), range.1.map(|at| at.to_rfc3339()));
        let range = (range, filter.direction.is_ascending());
        let filters =
            (filter.severity, filter.q, filter.known_exploited, filter.fix_available, range);
        let list = ("advisories", &filters);
        let turning = (page_size.0, page_token.as_deref());
        let mut turn = Turn::<(i64, i64)>::begin(&self.0, &caller, list, as_of.0, turning).await?;
        let after = match turn.after {
            Some((ms, id)) => Some((page::instant(ms)?, id)),
            None => None,
        };
        let (moment, limit) = (turn.moment, turn.limit());
        let conn = turn.view.conn();
        let total = advisories_total(conn, moment, &filter).await?;
        let mut rows = advisories(conn, moment, &filter, after.as_ref(), limit).await?;
        let next = turn.end(&mut rows, |row| (row.published_at.timestamp_millis(), row.id))?;
        let items = rows.into_iter().map(Advisory::new).collect::<Result<_, _>>()?;
        Ok(Json(AdvisoryPage::new(items, total, next, &turn.view)))
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
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
    ) -> Result<Json<AdvisoryDetail>, Failure<OneAdvisory>> {
        let mut view = self.0.view(&caller, as_of.0).await?;
        let (id, moment) = (advisory_id(&mut view, &cve).await?, view.moment);
        let row = advisory(view.conn(), moment, id).await?;
        let affected = affected(view.conn(), moment, id, MAX_AFFECTED).await?;
        let reach = reach(view.conn(), moment, id).await?;
        Ok(Json(AdvisoryDetail::new(row, affected, reach, &view)?))
    }

    /// List who is exposed to an advisory
    ///
    /// The customers that run a version on which it was found, by image and customer, with where
    /// it runs and how many hours there are until the deadline.
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
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many exposures a page holds, 25 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<ExposurePage>, Failure<BelowAdvisory>> {
        let list = ("advisory exposure", &cve.0);
        let turning = (page_size.0, page_token.as_deref());
        let mut turn = Turn::<(i64, i64)>::begin(&self.0, &caller, list, as_of.0, turning).await?;
        let id = advisory_id(&mut turn.view, &cve).await?;
        let (moment, limit, after) = (turn.moment, turn.limit(), turn.after);
        let Page { mut rows, total } =
            of_advisory(turn.view.conn(), moment, id, caller.tenant(), after, limit).await?;
        let next = turn.end(&mut rows, |row| (row.image_id, row.customer_id))?;
        let items = rows.into_iter().map(|row| Exposure::new(row, moment.as_of));
        let items = items.collect::<Result<_, _>>()?;
        Ok(Json(ExposurePage::new(items, total, next, &turn.view)))
    }
}

fn example_from() -> Option<Instant> {
    Some(time::example(24))
}

fn example_to() -> Option<Instant> {
    Some(time::example(48))
}

pub(crate) fn example_cve() -> String {
    examples::CVE.to_owned()
}
