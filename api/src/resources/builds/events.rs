//! Builds: the list, one of them and its log, as of an instant.
pub(crate) mod model;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::lookup as filter;
use crate::http::order::{ByRequested, direction};
use crate::http::pages::{self as page, Turn};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::tag::Tag;
use crate::http::snapshot::View;
use crate::http::state::ApiState;
use crate::http::time::{Instant, example_as_of};
use crate::http::examples;
use model::{Build, BuildDetail, BuildPage, BuildStatus, BuildTrigger};
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{Json, PlainText};
use store::objects::content_key;
use store::read::builds::{BuildFilter, BuildPlace, BuildRow, build, builds, builds_total};

pub(crate) struct BuildsApi(pub(crate) ApiState);

failures! {
    /// A list.
    ListBuilds: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}
failures! {
    /// One build.
    OneBuild: InvalidParameter, UnknownParameter, AsOfInFuture, BuildNotFound
}

failures! {
    /// A log.
    BuildLog:
        InvalidParameter, UnknownParameter, AsOfInFuture, BuildNotFound, BuildLogNotFound,
        ObjectStoreUnavailable
}

/// The longest log that is given at once; those of builds are a few kilobytes.
const MAX_LOG_BYTES: u64 = 8 << 20;

impl Resource for BuildsApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("listBuilds", Access::Builds),
        ("getBuild", Access::Builds),
        ("getBuildLog", Access::Builds),
    ];

    fn new(state: &ApiState) -> Self {
        BuildsApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Builds")]
impl BuildsApi {
    /// List builds
    ///
    /// By when they were asked for. Statuses are those of the instant that is asked about.
    #[oai(path = "/v1/builds", method = "get", operation_id = "listBuilds")]
    async fn list(
        &self,
        caller: Caller,
        /// Only builds of this image: its name or number.
        #[oai(validator(min_length = 1, max_length = 63))]
        image: Query<Option<String>>,
        /// Only builds with this status at that instant.
        status: Query<Option<BuildStatus>>,
        /// Only builds that this asked for.
        trigger: Query<Option<BuildTrigger>>,
        /// The order; `-requested_at` when absent.
        order_by: Query<Option<ByRequested>>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many builds a page holds, 25 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<BuildPage>, Failure<ListBuilds>> {
        let status = status.0.map(BuildStatus::as_str);
        let trigger = trigger.0.map(BuildTrigger::as_str);
        let direction = direction(order_by.0);
        let filters = (&image.0, status, trigger, direction.is_ascending());
        let list = ("builds", &filters);
        let turning = (page_size.0, page_token.as_deref());
        let mut turn = Turn::<(i64, i64)>::begin(&self.0, &caller, list, as_of.0, turning).await?;
        let image_id = filter::image(&mut turn.view, image.as_deref()).await?;
        let after = match turn.after {
            Some((ms, id)) => Some(BuildPlace { requested_at: page::instant(ms)?, id }),
            None => None,
        };
        let filter = BuildFilter { image_id, status, trigger, after, direction };
        let (moment, limit) = (turn.moment, turn.limit());
        let conn = turn.view.conn();
        let total = builds_total(conn, moment, &filter).await?;
        let mut rows = builds(conn, moment, &filter, limit).await?;
        let next = turn.end(&mut rows, |row| (row.requested_at.timestamp_millis(), row.id))?;
        let items = rows.into_iter().map(Build::new).collect::<Result<_, _>>()?;
        Ok(Json(BuildPage::new(items, total, next, &turn.view)))
    }

    /// Read a build
    #[oai(path = "/v1/builds/:id", method = "get", operation_id = "getBuild")]
    async fn get(
        &self,
        caller: Caller,
        /// The build's number.
        #[oai(validator(minimum(value = "0")), example = "example_build")]
        id: Path<i64>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
    ) -> Result<Json<BuildDetail>, Failure<OneBuild>> {
        let mut view = self.0.view(&caller, as_of.0).await?;
        let build = Build::new(one_build(&mut view, id.0).await?)?;
        Ok(Json(BuildDetail { build, as_of: view.as_of(), settled: view.settled() }))
    }

    /// Read a build's log
    ///
    /// What the builder wrote, as plain text.
    #[oai(path = "/v1/builds/:id/log", method = "get", operation_id = "getBuildLog")]
    async fn log(
        &self,
        caller: Caller,
        /// The build's number.
        #[oai(validator(minimum(value = "0")), example = "example_build")]
        id: Path<i64>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
    ) -> Result<PlainText<String>, Failure<BuildLog>> {
        let mut view = self.0.view(&caller, as_of.0).await?;
        let build = one_build(&mut view, id.0).await?;
        let sha256 = build.log_sha256.ok_or_else(|| {
            let detail = format!("Build {} has no log as of {}.", id.0, view.as_of());
            Problem::new(Code::BuildLogNotFound, detail)
        })?;
        drop(view);
        let log = self.0.objects()?.get(&content_key(&sha256), MAX_LOG_BYTES).await;
        let log = log.map_err(Problem::from)?;
        Ok(PlainText(String::from_utf8_lossy(&log).into_owned()))
    }
}

pub(crate) fn example_build() -> i64 {
    examples::BUILD
}

/// A build as of the view's instant.
pub(crate) async fn one_build(view: &mut View, id: i64) -> Result<BuildRow, Problem> {
    let moment = view.moment;
    build(view.conn(), moment, id).await?.ok_or_else(|| {
        let detail = format!("There is no build {id} as of {}.", view.as_of());
        Problem::new(Code::BuildNotFound, detail)
    })
}
