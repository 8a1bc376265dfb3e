//! Scores: reports of scanners compared with what was true of the world, as far as the caller may
//! see it.
mod model;
mod truth;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::write::Outcome;
use ::score::truth::Truth;
use ::score::{NamedReport, Options, ScoreError};
use model::{NewScore, Score, sentence};
use poem_openapi::OpenApi;
use poem_openapi::payload::Json;

/// How to ask for less.
const HINT: &str = "Send fewer reports, or have `wavetank score` work it out: it has all the time \
                    that it takes.";

pub(crate) struct ScoreApi(ApiState);

failures! {
    /// A score that cannot be.
    CreateScore:
        InvalidBody, BodyTooLarge, UnsupportedMediaType, AsOfInFuture, AsOfBeforeHistory,
        UnreadableReport, NothingToScore, TooMuchWork
}

impl Resource for ScoreApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[("createScore", Access::Read)];
    const LONG_BODIES: &'static [&'static str] = &["createScore"];

    fn new(state: &ApiState) -> Self {
        ScoreApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Findings")]
impl ScoreApi {
    /// Score reports of scanners
    ///
    /// Compares reports of vulnerability scanners with what was true of the images that they are
    /// about: Trivy's, Grype's and OSV-Scanner's JSON, SARIF 2.1.0, CycloneDX with vulnerabilities;
    /// Syft's JSON and CycloneDX without them as inventories. A vulnerability is expected in an
    /// image that holds an affected package, from `detectable_at` on, until it is judged
    /// `not_affected`. Answers with precision, recall and F1 in all, by severity, image and
    /// package, with the cause of each difference, and with how many packages were recognised. What
    /// is not known is null, never 0. A report is judged at `as_of`; else when it was written, if
    /// that lies in the world's time; else in the newest state of which all work is done. A
    /// tenant's reports are compared with its own images and the catalogue's. Nothing is stored;
    /// `wavetank score` says the same of an export.
    #[oai(path = "/v1/score", method = "post", operation_id = "createScore")]
    async fn create(
        &self,
        caller: Caller,
        wanted: Json<NewScore>,
    ) -> Result<Json<Score>, Failure<CreateScore>> {
        let mut snapshot = self.0.snapshot(&caller, wanted.0.as_of).await?;
        let turns = self.0.turns()?;
        let read = move |_: &_| wanted.0.read().map(Some);
        let (reports, asked) = turns.work(HINT, read).await?;
        let truth = truth::read(&mut snapshot, asked, &reports).await?;
        drop(snapshot);
        let options = Options { as_of: asked, ..Options::default() };
        let body = turns.work(HINT, move |_| scored(&truth, &reports, options).map(Some)).await?;
        let write = self.0.write(&caller).await?;
        let done = Outcome { status: 200, object: "/v1/score", location: None, body: &body };
        write.commit(done).await?;
        Ok(Json(body))
    }
}

fn scored(truth: &Truth, reports: &[NamedReport], options: Options) -> Result<Score, Problem> {
    match ::score::score(truth, reports, options) {
        Ok(score) => Ok(score.into()),
        Err(error @ ScoreError::NoImage(_)) => {
            Err(Problem::new(Code::NothingToScore, sentence(&error.to_string())))
        }
        // The snapshot has refused it already, but for an instant before the world began.
        Err(error @ ScoreError::AsOf { .. }) => {
            Err(Problem::new(Code::AsOfBeforeHistory, format!("The instant {error}.")))
        }
    }
}
