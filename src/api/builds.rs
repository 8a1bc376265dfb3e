//! Builds: the list and one of them, as of an instant.
pub(crate) mod model;

use super::caller::Caller;
use super::images::{is_name, number};
use super::page::{self, Scope};
use super::problem::{Code, Failure, Problem, failures};
use super::spec::Tag;
use super::state::{ApiState, View};
use super::time::{Instant, example_as_of};
use chrono::DateTime;
use model::{Build, BuildDetail, BuildPage, BuildStatus, BuildTrigger};
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use store::read::builds::{BuildFilter, BuildPlace, BuildRow, build, builds};

pub(crate) struct BuildsApi(pub(crate) ApiState);

failures! {
    /// A list.
    ListBuilds: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}
failures! {
    /// One build.
    OneBuild: InvalidParameter, UnknownParameter, AsOfInFuture, BuildNotFound
}

#[OpenApi(tag = "Tag::Builds")]
impl BuildsApi {
    /// List builds
    ///
    /// The latest asked for first. Statuses are those of the instant that is asked about.
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
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many builds a page holds, 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<BuildPage>, Failure<ListBuilds>> {
        let status = status.0.map(BuildStatus::as_str);
        let trigger = trigger.0.map(BuildTrigger::as_str);
        let at_ms = as_of.map(|at| at.datetime().timestamp_millis());
        let scope = Scope::new("builds", &(&image.0, status, trigger, at_ms))?;
        let start = page::start::<(i64, i64)>(&scope, page_token.as_deref())?;
        let mut view = self.0.page_view(&caller, as_of.0, start.as_ref()).await?;
        let image_id = match image.as_deref() {
            Some(image) => Some(image_number(&mut view, image).await?),
            None => None,
        };
        let after = start.map(|start| place(start.key)).transpose()?;
        let filter = BuildFilter { image_id, status, trigger, after };
        let size = page_size.unwrap_or(page::DEFAULT_SIZE);
        let moment = view.moment;
        let mut rows = builds(view.conn(), moment, &filter, i64::from(size) + 1).await?;
        let more = page::cut(&mut rows, size);
        let last = rows.last().filter(|_| more);
        let last = last.map(|row| (row.requested_at.timestamp_millis(), row.id));
        Ok(Json(BuildPage {
            next_page_token: last.map(|key| page::token(&scope, moment, key)).transpose()?,
            items: rows.into_iter().map(Build::new).collect::<Result<_, _>>()?,
            as_of: view.as_of(),
            settled: view.settled(),
        }))
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
}

pub(crate) fn example_build() -> i64 {
    312
}

/// A build as of the view's instant.
pub(crate) async fn one_build(view: &mut View, id: i64) -> Result<BuildRow, Problem> {
    let moment = view.moment;
    build(view.conn(), moment, id).await?.ok_or_else(|| {
        let detail = format!("There is no build {id} as of {}.", view.as_of());
        Problem::new(Code::BuildNotFound, detail)
    })
}

async fn image_number(view: &mut View, image: &str) -> Result<i64, Problem> {
    let found = if is_name(image) { number(view, image).await? } else { None };
    found.ok_or_else(|| {
        let detail = format!("The parameter `image` is wrong: there is no image {image:?}.");
        Problem::new(Code::InvalidParameter, detail)
    })
}

fn place((requested_ms, id): (i64, i64)) -> Result<BuildPlace, Problem> {
    let requested_at = DateTime::from_timestamp_millis(requested_ms).ok_or_else(|| {
        Problem::new(Code::InvalidPageToken, "The page token is not one of this query.")
    })?;
    Ok(BuildPlace { requested_at, id })
}
