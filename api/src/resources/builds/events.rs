//! Builds: the list, one of them and its log, as of an instant.

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::examples;
use crate::http::lookup;
use crate::http::order::{ByRequested, direction};
use crate::http::pages::{self, PageQuery, Pager};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::query::{AsOf, length, query};
use crate::http::snapshot::Snapshot;
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::schemas::build::{Build, BuildDetail, BuildPage, BuildStatus, BuildTrigger};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
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
        DocumentDamaged, ObjectStoreUnavailable
}

/// The longest log that is given at once; those of builds are a few kilobytes.
const MAX_LOG_BYTES: u64 = 8 << 20;

query! {
    /// The parameters of listBuilds.
    struct ListBuildsQuery {
        /// Only builds of this image: its name or number.
        image: Option<String> = length(1, 63),
        /// Only builds with this status at that instant.
        status: Option<BuildStatus>,
        /// Only builds that this asked for.
        trigger: Option<BuildTrigger>,
        /// The order; `-requested_at` when absent.
        order_by: Option<ByRequested>,
    }
}

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
        query: ListBuildsQuery,
        page: PageQuery,
    ) -> Result<Json<BuildPage>, Failure<ListBuilds>> {
        let status = query.status.map(BuildStatus::as_str);
        let trigger = query.trigger.map(BuildTrigger::as_str);
        let direction = direction(query.order_by);
        let mut pager = Pager::<(i64, i64)>::begin(&self.0, &caller, page).await?;
        let image_id = lookup::image(&mut pager.snapshot, query.image.as_deref()).await?;
        let after = match pager.after {
            Some((ms, id)) => Some(BuildPlace { requested_at: pages::instant(ms)?, id }),
            None => None,
        };
        let filter = BuildFilter { image_id, status, trigger, after, direction };
        let (moment, limit) = (pager.moment, pager.limit());
        let conn = pager.snapshot.conn();
        let total = builds_total(conn, moment, &filter).await?;
        let mut rows = builds(conn, moment, &filter, limit).await?;
        let next = pager.end(&mut rows, |row| (row.requested_at.timestamp_millis(), row.id))?;
        let items = rows.into_iter().map(Build::new).collect::<Result<_, _>>()?;
        Ok(Json(BuildPage::new(items, total, next, &pager.snapshot)))
    }

    /// Read a build
    #[oai(path = "/v1/builds/:id", method = "get", operation_id = "getBuild")]
    async fn get(
        &self,
        caller: Caller,
        /// The build's number.
        #[oai(validator(minimum(value = "0")), example = "example_build")]
        id: Path<i64>,
        as_of: AsOf,
    ) -> Result<Json<BuildDetail>, Failure<OneBuild>> {
        let mut snapshot = self.0.snapshot(&caller, as_of.0).await?;
        let build = Build::new(one_build(&mut snapshot, id.0).await?)?;
        Ok(Json(BuildDetail { build, as_of: snapshot.as_of(), settled: snapshot.settled() }))
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
        as_of: AsOf,
    ) -> Result<PlainText<String>, Failure<BuildLog>> {
        let mut snapshot = self.0.snapshot(&caller, as_of.0).await?;
        let build = one_build(&mut snapshot, id.0).await?;
        let merged_into = build.merged_into;
        let sha256 = build.log_sha256.ok_or_else(|| no_log(id.0, merged_into, &snapshot))?;
        drop(snapshot);
        let log = self.0.objects()?.get(&content_key(&sha256), MAX_LOG_BYTES).await;
        let log = log.map_err(Problem::from)?;
        Ok(PlainText(String::from_utf8_lossy(&log).into_owned()))
    }
}

/// Why a build has no log: it is not over, or another one covers it.
fn no_log(id: i64, merged_into: Option<i64>, snapshot: &Snapshot) -> Problem {
    let Some(other) = merged_into else {
        let detail = format!("Build {id} has no log as of {}.", snapshot.as_of());
        return Problem::new(Code::BuildLogNotFound, detail);
    };
    let detail = format!("Build {id} was merged into build {other}, and made nothing of its own.");
    let hint = format!("What was built, and its log, is at GET /v1/builds/{other}/log.");
    Problem::new(Code::BuildLogNotFound, detail).hint(hint)
}

pub(crate) fn example_build() -> i64 {
    examples::BUILD
}

/// A build as of the view's instant.
pub(crate) async fn one_build(snapshot: &mut Snapshot, id: i64) -> Result<BuildRow, Problem> {
    let moment = snapshot.moment;
    build(snapshot.conn(), moment, id).await?.ok_or_else(|| {
        let detail = format!("There is no build {id} as of {}.", snapshot.as_of());
        Problem::new(Code::BuildNotFound, detail)
    })
}
