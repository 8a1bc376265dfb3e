//! The world's clock: where simulated time stands and how it goes on.
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::problem::{Failure, failures};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::time::{self, Instant};
use crate::http::write::Outcome;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object, OpenApi};
use sim::KERNEL_VERSION;
use sim::time::SimTime;
use store::read::world::Position;
use store::requests::clock;

pub(crate) struct ClockApi(pub(crate) ApiState);

failures! {
    /// Reading needs nothing.
    ReadClock:
}

failures! {
    /// An update that contradicts itself.
    SetClock: InvalidBody, BodyTooLarge, UnsupportedMediaType, Contradiction, KernelMismatch
}

/// How simulated time goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum Mode {
    /// It stands still; commands are kept until it moves.
    Paused,
    /// It follows real time, `factor` times as fast.
    Live,
    /// As fast as the workers drain.
    Fast,
}

impl From<Mode> for store::world::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Paused => store::world::Mode::Paused,
            Mode::Live => store::world::Mode::Live,
            Mode::Fast => store::world::Mode::Fast,
        }
    }
}

impl From<store::world::Mode> for Mode {
    fn from(mode: store::world::Mode) -> Self {
        match mode {
            store::world::Mode::Paused => Mode::Paused,
            store::world::Mode::Live => Mode::Live,
            store::world::Mode::Fast => Mode::Fast,
        }
    }
}

/// What follows when `run_until` is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum AfterRun {
    /// Stand still.
    Paused,
    /// Follow real time.
    Live,
}

impl From<AfterRun> for store::world::Mode {
    fn from(then: AfterRun) -> Self {
        match then {
            AfterRun::Paused => store::world::Mode::Paused,
            AfterRun::Live => store::world::Mode::Live,
        }
    }
}

/// The clock, and how far the world is.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct Clock {
    /// How simulated time goes on.
    mode: Mode,
    /// Simulated seconds in a second, when live.
    factor: f64,
    /// Where the mode ends.
    run_until: Option<Instant>,
    /// What follows there.
    then: Option<AfterRun>,
    /// Why the clock stands still whatever its mode: a defect holds it (what exactly, only an admin
    /// is told), or another version of the kernel made the world than this program has.
    held_reason: Option<String>,
    /// Jobs up to here have been handed to the workers: the newest state there is.
    released_through: Instant,
    /// Every job up to here is done: what lies before can never change.
    materialized_through: Instant,
    /// What is simulated.
    world: World,
}

/// What the world is made from: enough to make it again.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct World {
    /// The scenario's name.
    name: String,
    /// SHA-256 of the scenario's file.
    scenario_sha256: String,
    /// The seed, as a text because it has 64 bits. With it and the scenario the whole world can be
    /// made again, so tenants do not see it.
    seed: Option<String>,
    /// The version of the kernel that made it; GET /health tells the one of this program.
    kernel_version: String,
    /// Where simulated time begins.
    starts_at: Instant,
    /// Where the scenario ends; a live world goes on.
    ends_at: Instant,
    /// From here on history is whole: counts over all time are since then. Absent: nothing was removed.
    history_from: Option<Instant>,
}

/// What the clock should do. What is left out is off, except `factor`, which stays.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct ClockUpdate {
    /// How simulated time should go on.
    mode: Mode,
    /// Simulated seconds in a second: 3600 is an hour a second. Stays when left out.
    #[oai(validator(minimum(value = "0.001"), maximum(value = "1000000000")))]
    factor: Option<f64>,
    /// Where the mode should end; later than `released_through`.
    run_until: Option<Instant>,
    /// What should follow there; `paused` when left out.
    then: Option<AfterRun>,
}

impl Example for ClockUpdate {
    fn example() -> Self {
        ClockUpdate { mode: Mode::Live, factor: Some(600.0), run_until: None, then: None }
    }
}

impl Example for Clock {
    fn example() -> Self {
        Clock {
            mode: Mode::Live,
            factor: 3600.0,
            run_until: None,
            then: None,
            held_reason: None,
            released_through: time::example(6),
            materialized_through: time::example(6),
            world: World {
                name: "four-weeks".to_owned(),
                scenario_sha256: "0".repeat(64),
                seed: Some("42".to_owned()),
                kernel_version: KERNEL_VERSION.to_owned(),
                starts_at: time::example(-168),
                ends_at: time::example(504),
                history_from: None,
            },
        }
    }
}

impl Resource for ClockApi {
    const OPERATIONS: &'static [(&'static str, Access)] =
        &[("getClock", Access::Builds), ("setClock", Access::Admin)];

    fn new(state: &ApiState) -> Self {
        ClockApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Clock")]
impl ClockApi {
    /// Read the clock
    ///
    /// Where simulated time stands, how it goes on, and what the world is made from.
    #[oai(path = "/v1/clock", method = "get", operation_id = "getClock")]
    async fn get(&self, caller: Caller) -> Result<Json<Clock>, Failure<ReadClock>> {
        let mut snapshot = self.0.snapshot(&caller, None).await?;
        let clock = store::world::clock(snapshot.conn()).await?;
        Ok(Json(Clock::new(clock, snapshot.position, &caller)))
    }

    /// Set the clock
    ///
    /// Pause, run live, or run as fast as the workers can; with `run_until`, up to an instant.
    /// `{"mode": "fast", "run_until": "2026-02-01T00:00:00Z"}` plays until then and pauses.
    #[oai(path = "/v1/clock", method = "put", operation_id = "setClock")]
    async fn set(
        &self,
        caller: Caller,
        wanted: Json<ClockUpdate>,
    ) -> Result<Json<Clock>, Failure<SetClock>> {
        let update = clock::ClockUpdate {
            mode: wanted.mode.into(),
            factor: wanted.factor,
            run_until: wanted.run_until.map(Instant::datetime),
            after_run: wanted.then.map(Into::into),
        };
        let mut tx = self.0.write(&caller).await?;
        let (now, position) = clock::request(&mut tx, &update).await?;
        let clock = Clock::new(now, position, &caller);
        let done = Outcome { status: 200, object: "/v1/clock", location: None, body: &clock };
        tx.commit(done).await?;
        Ok(Json(clock))
    }
}

impl Clock {
    fn new(clock: store::world::Clock, position: Position, caller: &Caller) -> Self {
        let run_until = clock.run_until.and_then(SimTime::to_datetime).map(Instant::from);
        let then = match clock.then_mode {
            store::world::Mode::Live => AfterRun::Live,
            _ => AfterRun::Paused,
        };
        Clock {
            mode: clock.mode.into(),
            factor: clock.factor,
            run_until,
            then: run_until.map(|_| then),
            held_reason: caller.held_reason(clock.held_reason, &position),
            released_through: position.released_through.into(),
            materialized_through: position.materialized_through.into(),
            world: World {
                name: position.name,
                scenario_sha256: position.scenario_sha256,
                seed: caller.tenant().is_none().then(|| position.seed.cast_unsigned().to_string()),
                kernel_version: position.kernel_version,
                starts_at: position.starts_at.into(),
                ends_at: position.ends_at.into(),
                history_from: position.history_from.map(Into::into),
            },
        }
    }
}
