//! Forecasts: possible futures of the world that runs, from what is known at its instant.
mod model;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::turns::{Stop, threads};
use crate::http::write::Outcome;
use jobs::conductor::{ConductorError, RecordPosition, WorldRecord};
use model::{Forecast, NewForecast};
use poem_openapi::OpenApi;
use poem_openapi::payload::Json;
use sim::World;
use std::sync::{Arc, Mutex, PoisonError};

/// How to ask for less.
const HINT: &str = "Ask for fewer futures or a shorter horizon, or have `wavetank forecast` work it \
                    out: it has all the time that it takes.";

pub(crate) struct ForecastsApi {
    state: ApiState,
    last: Arc<LastWorld>,
}

/// The world that was rebuilt last: telling a long past again costs more than its futures do. Forecasts
/// have turns, so it is rebuilt once for all who ask at the same instant.
#[derive(Default)]
struct LastWorld(Mutex<Option<(RecordPosition, Arc<World>)>>);

failures! {
    /// A forecast that cannot be.
    CreateForecast:
        InvalidBody, BodyTooLarge, UnsupportedMediaType, KernelMismatch, TooMuchWork
}

impl LastWorld {
    /// The world of a record; none: it was stopped.
    fn of(&self, record: &WorldRecord, stop: &Stop) -> Result<Option<Arc<World>>, Problem> {
        let position = record.position();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, world)) = last.as_ref().filter(|(known, _)| *known == position) {
            return Ok(Some(Arc::clone(world)));
        }
        // Not two of them at the same time.
        *last = None;
        let Some(world) = record.rebuild(&stop.token).map_err(refused)? else { return Ok(None) };
        let world = Arc::new(world);
        *last = Some((position, Arc::clone(&world)));
        Ok(Some(world))
    }
}

/// Why there is no world to fork.
fn refused(error: ConductorError) -> Problem {
    match error {
        ConductorError::Store(error) => error.into(),
        error @ (ConductorError::HistoryMismatch { .. } | ConductorError::Scenario(_)) => {
            let detail = "This program's kernel tells another story than the world's record: the \
                          world can be read, but it has no futures here.";
            Problem::caused_by(Code::KernelMismatch, detail, error)
        }
        other => Problem::internal(other),
    }
}

impl Resource for ForecastsApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[("createForecast", Access::Read)];

    fn new(state: &ApiState) -> Self {
        ForecastsApi { state: state.clone(), last: Arc::default() }
    }
}

#[OpenApi(tag = "Tag::Sla")]
impl ForecastsApi {
    /// Forecast what will be missed
    ///
    /// Forks the world at the instant that it has come to and plays many futures of it. What is known
    /// stays; what is not is drawn anew, conditional on it: a fix that has not come after nine days
    /// has the delay of fixes that take longer than nine days. The share of futures in which a
    /// deadline is missed is its probability. The same seed at the same instant gives the same
    /// forecast. A tenant sees its own rows, without totals and queue. One forecast or drill is worked
    /// out at a time; nothing is stored, and the world goes on as it would.
    #[oai(path = "/v1/forecasts", method = "post", operation_id = "createForecast")]
    async fn create(
        &self,
        caller: Caller,
        wanted: Json<NewForecast>,
    ) -> Result<Json<Forecast>, Failure<CreateForecast>> {
        let options = wanted.0.options()?;
        let mut tx = self.state.platform_read_tx().await?;
        let record = WorldRecord::read(&mut tx).await?;
        drop(tx);
        let last = Arc::clone(&self.last);
        let tenant = caller.tenant().map(str::to_owned);
        let work = move |stop: &Stop| {
            let Some(world) = last.of(&record, stop)? else { return Ok(None) };
            let ahead = study::forecast::forecast(&world, options, threads(), &stop.flag);
            ahead.map(|ahead| Forecast::new(&world, ahead, tenant.as_deref())).transpose()
        };
        let body = self.state.turns()?.work(HINT, work).await?;
        let write = self.state.write(&caller).await?;
        let done = Outcome { status: 200, object: "/v1/forecasts", location: None, body: &body };
        write.commit(done).await?;
        Ok(Json(body))
    }
}
