//! The callback of an external orchestrator: a build that it made has ended.
use crate::http::access::{Access, Resource};
use crate::resources::builds::events::example_build;
use crate::http::caller::Caller;
use crate::schemas::command::{Stored, store_command};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::tag::Tag;
use crate::http::snapshot::world;
use crate::http::state::ApiState;
use crate::http::strict_text::Text;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object, OpenApi};
use sim::command::{Command, Report};
use sim::ids::BuildId;
use std::sync::Arc;
use store::read::Moment;
use store::read::builds::{BuildRow, build};
use store::read::commands::completion;

pub(crate) struct CompletionApi(pub(crate) ApiState);

failures! {
    /// A completion that cannot count.
    CompleteBuild:
        InvalidParameter, InvalidBody, BodyTooLarge, UnsupportedMediaType, BuildNotFound,
        BuildEnded, BuildNotExternal, NotYourImage, Contradiction, OtherKernel
}

/// How an external build ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum ReportedOutcome {
    /// It built the image.
    Succeeded,
    /// It did not.
    Failed,
}

/// What an orchestrator reports.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct Completion {
    /// How the build ended.
    outcome: ReportedOutcome,
    /// Why it failed, one line; only with `failed`.
    #[oai(validator(min_length = 1, max_length = 500))]
    failure: Option<Text>,
    /// What the builder wrote: lines of text, kept at the end of the build's log.
    #[oai(validator(max_length = 32768))]
    log: Option<Text>,
}

impl Example for Completion {
    fn example() -> Self {
        Completion {
            outcome: ReportedOutcome::Succeeded,
            failure: None,
            log: Some("resolved 34 packages\nassembled 1 layer\n".into()),
        }
    }
}

impl Resource for CompletionApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("completeBuild", Access::Orchestrate),
    ];

    fn new(state: &ApiState) -> Self {
        CompletionApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Builds")]
impl CompletionApi {
    /// Complete an external build
    ///
    /// The callback of whoever makes builds that were asked for with `builder: external`. A
    /// success publishes what is newest when the world takes it (or finds it `unchanged`), with
    /// provenance that names the builder `external`, which is trusted up to SLSA level 2. It
    /// counts once: a late or doubled callback is told how the build ended, and when.
    #[oai(path = "/v1/builds/:id/completion", method = "post", operation_id = "completeBuild")]
    async fn complete(
        &self,
        caller: Caller,
        /// The build's number.
        #[oai(validator(minimum(value = "0")), example = "example_build")]
        id: Path<i64>,
        report: Json<Completion>,
    ) -> Result<Stored, Failure<CompleteBuild>> {
        let report = checked(&report)?;
        let mut write = self.0.write(&caller).await?;
        store::commands::lock(&mut write).await.map_err(Problem::from)?;
        let position = world(&mut write).await?;
        let moment = Moment { as_of: position.released_through, newest: true };
        let row = build(&mut write, moment, id.0).await?.ok_or_else(|| {
            Problem::new(Code::BuildNotFound, format!("There is no build {}.", id.0))
        })?;
        waits(&row)?;
        if caller.tenant().is_some_and(|tenant| tenant != row.tenant_namespace) {
            let detail = "The build is of an image of the shared catalogue.";
            return Err(Problem::new(Code::NotYourImage, detail).into());
        }
        if let Some(before) = completion(&mut write, id.0).await? {
            let succeeded = before.command["report"]["succeeded"].as_bool() == Some(true);
            let how = if succeeded { "succeeded" } else { "failed" };
            let at = crate::http::time::Instant::from(before.received_wall);
            let detail = format!(
                "Build {} was reported as {how} at {at} (real time); the world takes it in turn.",
                id.0
            );
            return Err(Problem::new(Code::BuildEnded, detail).into());
        }
        let build = BuildId(u64::try_from(id.0).map_err(Problem::internal)?);
        let command = Command::CompleteBuild { build, report: Arc::new(report) };
        Ok(store_command(write, &row.tenant_namespace, command).await?)
    }
}

/// Whether a build can be completed from outside.
fn waits(row: &BuildRow) -> Result<(), Problem> {
    if !row.external {
        let detail = format!("Build {} is made by the platform.", row.id);
        return Err(Problem::new(Code::BuildNotExternal, detail));
    }
    let Some(finished_at) = row.finished_at else { return Ok(()) };
    let at = crate::http::time::Instant::from(finished_at);
    let detail = format!("Build {} ended at {at}; it is {}.", row.id, row.status);
    Err(Problem::new(Code::BuildEnded, detail))
}

fn checked(given: &Completion) -> Result<Report, Problem> {
    let control = |text: &str, allowed: &[char]| {
        text.chars().any(|letter| letter.is_control() && !allowed.contains(&letter))
    };
    if given.failure.as_ref().is_some_and(|text| control(text, &[])) {
        let detail = "`failure` is one line without control characters.";
        return Err(Problem::new(Code::InvalidBody, detail));
    }
    if given.log.as_ref().is_some_and(|text| control(text, &['\n', '\r', '\t'])) {
        let detail = "`log` holds control characters other than line ends and tabs.";
        return Err(Problem::new(Code::InvalidBody, detail));
    }
    let succeeded = given.outcome == ReportedOutcome::Succeeded;
    if succeeded && given.failure.is_some() {
        let detail = "`failure` says why a build failed, and this one succeeded.";
        return Err(Problem::new(Code::Contradiction, detail));
    }
    Ok(Report {
        succeeded,
        failure: given.failure.as_deref().map(Arc::from),
        log: given.log.as_deref().map(Arc::from),
    })
}
