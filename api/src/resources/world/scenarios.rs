//! Scenarios: those that come with the program, whether one is right, and another world in the
//! place of this one.
mod model;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::file_errors::invalid;
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::write::Outcome;
use model::{
    CheckedScenario, LoadMode, NewLoad, ScenarioDetail, ScenarioList, ScenarioSummary,
    ScenarioText, WorldLoad,
};
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi};
use sim::bundled::BUNDLED;
use std::sync::Arc;
use store::obsolete_objects;
use store::requests::scenario_load;
use store::world_loads;
use tokio::sync::{OnceCell, Semaphore};

/// The name of the scenario that the world was made from.
const CURRENT: &str = "current";

pub(crate) struct ScenariosApi {
    state: ApiState,
    /// Scenarios are made one at a time: each may cost a second and some memory.
    thinking: Arc<Semaphore>,
    bundled: OnceCell<Vec<ScenarioSummary>>,
}

failures! {
    /// The list.
    ListScenarios: UnknownParameter
}
failures! {
    /// One scenario.
    OneScenario: UnknownParameter, ScenarioNotFound
}
failures! {
    /// A scenario that is wrong.
    CheckScenario: InvalidBody, BodyTooLarge, UnsupportedMediaType, InvalidScenario
}
failures! {
    /// A load that cannot be.
    LoadScenario:
        InvalidBody, BodyTooLarge, UnsupportedMediaType, InvalidScenario, UnknownScenario,
        Contradiction, OtherWorld, KernelMismatch, LoadUnderWay
}
failures! {
    /// One load.
    OneLoad: InvalidParameter, UnknownParameter, ScenarioLoadNotFound
}

/// A load that was asked for.
#[derive(ApiResponse)]
enum LoadAccepted {
    /// The load waits for the conductor; the `Location` header and `href` say where to watch it.
    #[oai(status = 202)]
    Load(
        Json<WorldLoad>,
        /// Where to watch the load.
        #[oai(header = "Location")]
        String,
    ),
}

impl ScenariosApi {
    fn with_state(state: ApiState) -> Self {
        let thinking = Arc::new(Semaphore::new(1));
        ScenariosApi { state, thinking, bundled: OnceCell::new() }
    }

    /// What is in a scenario; a problem when it is wrong.
    async fn summary(&self, text: String, seed: Option<u64>) -> Result<ScenarioSummary, Problem> {
        let _turn = self.thinking.clone().acquire_owned().await.map_err(Problem::internal)?;
        tokio::task::spawn_blocking(move || ScenarioSummary::read(&text, seed))
            .await
            .map_err(Problem::internal)?
            .map_err(|error| invalid(Code::InvalidScenario, &error))
    }

    async fn bundled(&self) -> Result<&Vec<ScenarioSummary>, Problem> {
        let read = self.bundled.get_or_try_init(|| async {
            let mut all = Vec::new();
            for scenario in BUNDLED {
                all.push(self.summary(scenario.text.to_owned(), None).await?);
            }
            Ok::<_, Problem>(all)
        });
        read.await
    }
}

impl Resource for ScenariosApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("listScenarios", Access::Read),
        ("getScenario", Access::Read),
        ("checkScenario", Access::Edit),
        ("loadScenario", Access::Admin),
        ("getScenarioLoad", Access::Admin),
    ];

    fn new(state: &ApiState) -> Self {
        ScenariosApi::with_state(state.clone())
    }
}

#[OpenApi(tag = "Tag::Scenarios")]
impl ScenariosApi {
    /// List scenarios
    ///
    /// Those that come with the program, the smallest first, and which one this world was made
    /// from.
    #[oai(path = "/v1/scenarios", method = "get", operation_id = "listScenarios")]
    async fn list(&self, caller: Caller) -> Result<Json<ScenarioList>, Failure<ListScenarios>> {
        let current = self.state.snapshot(&caller, None).await?.position;
        let items = self.bundled().await?.clone();
        Ok(Json(ScenarioList::new(items, current, caller.tenant().is_none())))
    }

    /// Read a scenario
    ///
    /// With its YAML: one that comes with the program, or `current`, from which this world was
    /// made. That one names all customers and tells what is to come: tenants do not see it.
    #[oai(path = "/v1/scenarios/:name", method = "get", operation_id = "getScenario")]
    async fn get(
        &self,
        caller: Caller,
        /// The scenario's name, or `current`.
        #[oai(example = "example_scenario")]
        name: Path<String>,
    ) -> Result<Json<ScenarioDetail>, Failure<OneScenario>> {
        let mut snapshot = self.state.snapshot(&caller, None).await?;
        if name.0 == CURRENT && caller.tenant().is_none() {
            let origin = store::world::get(snapshot.conn()).await.map_err(Problem::from)?.origin;
            let counts = store::read::world::beginning(snapshot.conn()).await?;
            let summary = ScenarioSummary::stored(&origin, &counts);
            return Ok(Json(ScenarioDetail::new(summary, origin.scenario)));
        }
        let place = BUNDLED.iter().position(|scenario| scenario.name == name.0);
        let place = place.ok_or_else(|| {
            let shown: String = name.0.chars().take(64).collect();
            Problem::new(Code::ScenarioNotFound, format!("There is no scenario {shown:?}."))
        })?;
        let summary = self.bundled().await?.get(place).cloned();
        let summary = summary.ok_or_else(|| Problem::internal("a scenario is not listed"))?;
        Ok(Json(ScenarioDetail::new(summary, BUNDLED[place].text.to_owned())))
    }

    /// Check a scenario
    ///
    /// Reads it strictly and says what is in it, or what is wrong: line, column, field, what was
    /// expected and what was found. Nothing is changed.
    #[oai(path = "/v1/scenarios/check", method = "post", operation_id = "checkScenario")]
    async fn check(
        &self,
        caller: Caller,
        given: Json<ScenarioText>,
    ) -> Result<Json<CheckedScenario>, Failure<CheckScenario>> {
        let summary = self.summary(given.0.scenario.0, None).await?;
        let write = self.state.write(&caller).await?;
        let body = CheckedScenario::new(summary);
        let done =
            Outcome { status: 200, object: "/v1/scenarios/check", location: None, body: &body };
        write.commit(done).await?;
        Ok(Json(body))
    }

    /// Load a scenario
    ///
    /// Makes another world in the place of this one: its rows, its documents and its history are
    /// deleted, the documents while the new world runs. API keys, webhook endpoints and the list of
    /// actions stay. `replace` must name the
    /// world there is now, so that none is lost by mistake. (A world can always be made again from
    /// its scenario, its seed and its commands.)
    #[oai(path = "/v1/scenarios/load", method = "post", operation_id = "loadScenario")]
    async fn load(
        &self,
        caller: Caller,
        wanted: Json<NewLoad>,
    ) -> Result<LoadAccepted, Failure<LoadScenario>> {
        let (text, seed) = wanted.0.text_and_seed()?;
        let summary = self.summary(text.clone(), seed).await?;
        let load = world_loads::NewLoad {
            scenario: &text,
            name: summary.name(),
            seed: seed.unwrap_or(summary.own_seed()),
            mode: wanted.clock.unwrap_or(LoadMode::Fast).as_str(),
            requested_by: &caller.actor,
        };
        let mut write = self.state.write(&caller).await?;
        let row = scenario_load::request(&mut write, &wanted.replace, &load).await?;
        let body = WorldLoad::new(row, 0);
        let location = body.href.clone();
        let done =
            Outcome { status: 202, object: &location, location: Some(&location), body: &body };
        write.commit(done).await?;
        Ok(LoadAccepted::Load(Json(body), location))
    }

    /// Read a load
    ///
    /// Whether the world is replaced yet, or why not, and how much of the old one is left.
    #[oai(path = "/v1/scenarios/loads/:id", method = "get", operation_id = "getScenarioLoad")]
    async fn get_load(
        &self,
        caller: Caller,
        /// The load's number.
        #[oai(validator(minimum(value = "0")), example = "example_load")]
        id: Path<i64>,
    ) -> Result<Json<WorldLoad>, Failure<OneLoad>> {
        let mut tx = self.state.read_tx(&caller).await?;
        let row = world_loads::find(&mut tx, id.0).await?.ok_or_else(|| {
            Problem::new(Code::ScenarioLoadNotFound, format!("There is no load {}.", id.0))
        })?;
        let left = obsolete_objects::count(&mut tx).await?;
        Ok(Json(WorldLoad::new(row, left)))
    }
}

fn example_scenario() -> String {
    "classroom".to_owned()
}

fn example_load() -> i64 {
    1
}
