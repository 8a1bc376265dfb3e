//! The callback of an external orchestrator: a build that it made has ended.
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::examples;
use crate::http::problem::{Failure, failures};
use crate::http::state::ApiState;
use crate::http::strict_text::StrictText;
use crate::http::tag::Tag;
use crate::schemas::command::Stored;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object, OpenApi};
use store::requests::completion::{self, CompletionRequest};

pub(crate) struct CompletionApi(pub(crate) ApiState);

failures! {
    /// A completion that cannot count.
    CompleteBuild:
        InvalidParameter, InvalidBody, BodyTooLarge, UnsupportedMediaType, BuildNotFound,
        BuildEnded, BuildNotExternal, NotYourImage, Contradiction, KernelMismatch
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
    failure: Option<StrictText>,
    /// What the builder wrote: lines of text, kept at the end of the build's log.
    #[oai(validator(max_length = 32768))]
    log: Option<StrictText>,
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
    const OPERATIONS: &'static [(&'static str, Access)] = &[("completeBuild", Access::Orchestrate)];

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
        let request = CompletionRequest {
            build: id.0,
            succeeded: report.outcome == ReportedOutcome::Succeeded,
            failure: report.failure.as_deref(),
            log: report.log.as_deref(),
        };
        let mut write = self.0.write(&caller).await?;
        let row = completion::request(&mut write, caller.requester(), &request).await?;
        Ok(Stored::commit(write, row).await?)
    }
}

fn example_build() -> i64 {
    examples::BUILD
}
