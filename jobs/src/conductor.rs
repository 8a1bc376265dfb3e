//! The conductor: advances the world, writes its facts, and has the jobs that follow from them done.
//!
//! One conductor leads at a time ([`leadership`]). It rebuilds the world from its record
//! ([`replay`]), then releases window after window ([`driver`], [`release`]) and takes each through
//! its stages ([`stages`], [`finalize`]); now and then it removes what is too old ([`retention`]).
//! A crash at any point loses nothing: the ledger owes the released window, the kernel produces
//! everything after it again, and all writes are idempotent.
mod create;
mod draft;
mod driver;
mod error;
mod finalize;
pub(crate) mod fingerprint;
mod in_flight;
mod leadership;
mod live_clock;
pub(crate) mod log;
mod obsolete;
mod options;
mod present;
mod progress;
mod release;
mod replace;
pub(crate) mod replay;
mod retention;
mod stages;
mod wakeup;
mod window;

use crate::plan::PlannedJob;
use crate::scheduler::Periodic;
use create::Wanted;
use driver::Driver;
pub use error::ConductorError;
pub use fingerprint::fingerprint;
use in_flight::InFlight;
use leadership::Leadership;
use live_clock::LiveClock;
use obsolete::Obsolete;
pub use present::{RecordPosition, WorldRecord, present};
pub use progress::{ConductorState, Phase, PhaseTimes, Progress, WindowProgress};
use replace::ActiveWorld;
use replay::{Replayed, replay};
use retention::Retention;
use sim::scenario::Scenario;
use stages::Stages;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::world::{Origin, World as Record};
use store::{commands, ledger, world};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use wakeup::Wakeup;
use window::Window;

pub use crate::queue::RescueTimeouts;
use options::Ending;
pub use options::{Bounds, Options, Resources, Stop};

/// Conducts one world.
#[derive(Debug)]
pub struct Conductor {
    resources: Resources,
    world: ActiveWorld,
    options: Options,
}

impl Conductor {
    /// Creates the world of a scenario and a seed, or finds it in the database. The schema and the
    /// queue's tables must be there ([`store::db::migrate`], [`crate::queue::setup`]).
    ///
    /// # Errors
    /// The database holds another world, or one of another kernel; nothing is changed then.
    pub async fn open(
        resources: Resources,
        scenario_text: &str,
        scenario: Arc<Scenario>,
        seed: u64,
        options: Options,
    ) -> Result<Conductor, ConductorError> {
        let Resources { pool, keys, .. } = &resources;
        let wanted = Wanted { text: scenario_text, scenario: &scenario, seed, keep: options.keep };
        let (origin, generation) = create::find_or_create(pool, keys, &wanted).await?;
        let world = ActiveWorld { scenario, origin, generation };
        Ok(Conductor { resources, world, options })
    }

    /// What the world is made from.
    pub fn origin(&self) -> &Origin {
        &self.world.origin
    }

    /// Runs: stands by until no other conductor leads, replays the record, and goes on from there.
    /// Tries again when the database goes away.
    ///
    /// # Errors
    /// The record is not what this kernel tells, or the database refused something that trying
    /// again cannot help.
    pub async fn run(
        mut self,
        progress: watch::Sender<Progress>,
        shutdown: CancellationToken,
    ) -> Result<Stop, ConductorError> {
        let mut pause = Duration::from_millis(100);
        loop {
            progress.send_modify(|progress| progress.state = ConductorState::Standby);
            let error = match self.lead_once(&progress, &shutdown).await {
                Ok(Ending::Stop(stop)) => return Ok(stop),
                Ok(Ending::Replace) => continue,
                Err(error) if error.is_transient() => error,
                Err(error) => return Err(error),
            };
            if progress.borrow().state == ConductorState::Leading {
                pause = Duration::from_millis(100);
            }
            tracing::warn!(%error, "lost the leadership; trying again");
            shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    async fn lead_once(
        &mut self,
        progress: &watch::Sender<Progress>,
        shutdown: &CancellationToken,
    ) -> Result<Ending, ConductorError> {
        let Some(mut leadership) = Leadership::wait(&self.resources.pool, shutdown).await? else {
            return Ok(Ending::Stop(Stop::Shutdown));
        };
        if let Some(world) = replace::finish_pending(&self.resources, &self.world).await? {
            world::check_kernel(&world.origin.kernel_version)?;
            self.resources.keys = Arc::new(self.resources.keys.renewed());
            self.world = world;
        }
        let Resources { pool, signals, .. } = self.resources.clone();
        let periodic = Periodic::start(pool, signals, self.options.rescue_timeouts).await?;
        let term = leadership.term;
        let result = tokio::select! {
            result = self.conduct(term, progress, shutdown) => result,
            error = leadership.lost() => Err(error),
        };
        periodic.stop().await;
        if let Ok(Ending::Replace) = &result {
            replace::replace(&self.resources, term, self.options.keep).await?;
        }
        leadership.resign().await;
        result
    }

    async fn conduct(
        &self,
        term: i64,
        progress: &watch::Sender<Progress>,
        shutdown: &CancellationToken,
    ) -> Result<Ending, ConductorError> {
        progress.send_modify(|progress| progress.state = ConductorState::Replaying);
        let Some((record, open, replayed)) = self.replay(shutdown).await? else {
            return Ok(Ending::Stop(Stop::Shutdown));
        };
        progress.send_modify(|progress| {
            progress.state = ConductorState::Leading;
            progress.now = record.released.at;
            progress.materialized_through = record.materialized.at;
            progress.facts = record.released.seq;
            progress.jobs_in_flight = 0;
            progress.window = None;
        });
        // Everything below ends when this set is dropped.
        let mut tasks = JoinSet::new();
        let in_flight = Arc::new(InFlight::new(progress.clone(), record.materialized));
        let Resources { pool, objects, keys, signals } = self.resources.clone();
        let keys = keys.get(&mut *pool.acquire().await?).await?;
        let retention = match record.keep {
            Some(keep) => {
                let (start, now) = (record.origin.starts_at, record.released.at);
                let (pool, objects) = (pool.clone(), objects.clone());
                Some(Retention::resume(pool, objects, term, start, keep, now).await?)
            }
            None => None,
        };
        let obsolete = Obsolete {
            pool: pool.clone(),
            objects: objects.clone(),
            in_flight: in_flight.clone(),
            term,
        };
        tasks.spawn(obsolete.delete());
        let stages = Arc::new(Stages {
            pool: pool.clone(),
            objects,
            keys,
            signals,
            catalogue: Arc::new(replayed.world.catalogue().clone()),
            in_flight: in_flight.clone(),
            term,
        });
        let wakeup = Arc::new(Wakeup::default());
        let (listening_on, listening) = (pool.clone(), wakeup.clone());
        tasks.spawn(async move {
            listening.listen(&listening_on).await;
            Ok(())
        });
        let to_stages = stages.start(&mut tasks);
        let unfinished = Window {
            from: record.materialized.at,
            to: record.released,
            facts: replayed.unfinished,
            size: open.len(),
            jobs: open,
            windows: 1,
        };
        if record.released != record.materialized || unfinished.size > 0 {
            in_flight.released(&unfinished);
            let _ = to_stages.send(unfinished);
        }
        let driver = Driver {
            pool,
            term,
            options: self.options.clone(),
            shutdown: shutdown.clone(),
            in_flight,
            wakeup,
            stages: to_stages,
            world: replayed.world,
            fingerprint: replayed.fingerprint,
            released: record.released,
            last_command: replayed.last_command,
            live_clock: LiveClock::default(),
            last_window: Instant::now(),
            last_poll: None,
            retention,
        };
        let mut releasing = JoinSet::new();
        releasing.spawn(driver.run());
        tokio::select! {
            Some(stopped) = releasing.join_next() => stopped.map_err(ended)?,
            failed = first_failure(&mut tasks) => Err(failed),
        }
    }

    /// The record and the world it is of; none when it was asked to stop on the way.
    async fn replay(
        &self,
        shutdown: &CancellationToken,
    ) -> Result<Option<(Record, Vec<PlannedJob>, Replayed)>, ConductorError> {
        let mut conn = self.resources.pool.acquire().await?;
        let record = world::get(&mut conn).await?;
        let applied = commands::applied(&mut conn).await?;
        let open = ledger::unfinished(&mut conn).await?;
        drop(conn);
        let began = Instant::now();
        let (scenario, shutdown) = (self.world.scenario.clone(), shutdown.clone());
        // The kernel may compute for seconds: not on a thread that others share.
        let (record, replayed) = tokio::task::spawn_blocking(move || {
            replay(scenario, &record, &applied, &shutdown).map(|replayed| (record, replayed))
        })
        .await
        .map_err(ended)??;
        let Some(replayed) = replayed else { return Ok(None) };
        if record.released.seq > 0 {
            let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let (to, jobs) = (record.released.at, open.len());
            tracing::info!(%to, facts = record.released.seq, jobs, took_ms, "replayed the record");
        }
        Ok(Some((record, open.iter().map(PlannedJob::from).collect(), replayed)))
    }
}

fn ended(error: JoinError) -> ConductorError {
    ConductorError::Ended(error.to_string())
}

/// The first task that fails; a stage ends by itself only when the driver has.
async fn first_failure(tasks: &mut JoinSet<Result<(), ConductorError>>) -> ConductorError {
    while let Some(ended_task) = tasks.join_next().await {
        match ended_task {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return error,
            Err(error) => return ended(error),
        }
    }
    std::future::pending().await
}
