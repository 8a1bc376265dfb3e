//! Drills: a mass event of a scenario is played and scored, apart from the world that runs.
mod model;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::file_errors::invalid;
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::turns::{Stop, threads};
use crate::http::write::Outcome;
use model::{Drill, NewDrill};
use poem_openapi::OpenApi;
use poem_openapi::payload::Json;
use std::sync::Arc;

/// How to ask for less.
const HINT: &str = "Ask for fewer replications, or have `wavetank drill` play it: it has all the \
                    time that it takes.";

pub(crate) struct DrillsApi(ApiState);

failures! {
    /// A drill that cannot be.
    CreateDrill:
        InvalidBody, BodyTooLarge, UnsupportedMediaType, InvalidScenario, UnknownScenario,
        Contradiction, NoSuchDrill, TooMuchWork
}

impl Resource for DrillsApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[("createDrill", Access::Read)];

    fn new(state: &ApiState) -> Self {
        DrillsApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Scenarios")]
impl DrillsApi {
    /// Play a drill
    ///
    /// Plays one mass vulnerability of a scenario's incidents and scores it, in hours from the
    /// disclosure: until it is known who runs it, until they were told, until 50, 80, 90, 95 and 99 %
    /// of the images are rebuilt and of the uses adopted, beside what real mass events took; and what
    /// is known and done when each clock of the Cyber Resilience Act ends. Nothing is stored, and the
    /// world that runs has no part in it. One forecast or drill is worked out at a time.
    #[oai(path = "/v1/drills", method = "post", operation_id = "createDrill")]
    async fn create(
        &self,
        caller: Caller,
        wanted: Json<NewDrill>,
    ) -> Result<Json<Drill>, Failure<CreateDrill>> {
        let (text, options) = wanted.0.text_and_options()?;
        let work = move |stop: &Stop| {
            let scenario = sim::scenario::parse("scenario", text.as_bytes())
                .map_err(|error| invalid(Code::InvalidScenario, &error))?;
            let scenario = Arc::new(scenario);
            let options = options.of(&scenario);
            study::drill::drill(&scenario, &options, threads(), &stop.flag)
                .map_err(|error| Problem::new(Code::NoSuchDrill, sentence(&error)))?
                .map(Drill::new)
                .transpose()
        };
        let body = self.0.turns()?.work(HINT, work).await?;
        let write = self.0.write(&caller).await?;
        let done = Outcome { status: 200, object: "/v1/drills", location: None, body: &body };
        write.commit(done).await?;
        Ok(Json(body))
    }
}

/// An error as a sentence.
fn sentence(error: &study::drill::Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    format!("{}{}.", first.map_or_else(String::new, String::from), letters.as_str())
}
