//! The conductor: advances the world, writes what it tells, and sees to it that the work is done.
//!
//! One conducts at a time ([`lead`]). It makes the world again from its record ([`replay`]),
//! then releases window after window ([`releaser`], [`release`]) and leads each through its
//! phases ([`stages`], [`close`]). A crash at any point loses nothing: the released window is
//! owed by the ledger, everything after it is told again by the kernel, and all writes are
//! idempotent.
mod close;
mod ears;
mod error;
mod fingerprint;
mod flow;
mod lead;
mod load;
mod log;
mod open;
mod pace;
mod progress;
mod release;
mod releaser;
mod replay;
mod stages;
mod window;

use crate::keys::Keyring;
use crate::queue::signals::Signals;
use crate::scheduler::Periodic;
use ears::Ears;
pub use error::ConductorError;
use flow::Flow;
use lead::Lead;
use load::Conducted;
use pace::Pace;
pub use progress::{ConductorState, Phase, Progress, Walls};
use releaser::Releaser;
use replay::{Replayed, replay};
use sim::scenario::Scenario;
use sim::time::SimTime;
use sqlx::PgPool;
use stages::Stages;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::objects::ObjectStore;
use store::world::{Origin, World as Record};
use store::{commands, ledger, world};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use window::{Job, Window};

pub use crate::queue::Patience;

/// How a conductor conducts.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Run as fast as the workers to this instant and stop there, whatever the clock says.
    pub stop_at: Option<SimTime>,
    /// Stop when a defect holds the clock, instead of waiting for somebody to mend it.
    pub stop_when_held: bool,
    /// How far releases may run ahead of the work.
    pub bounds: Bounds,
    /// When the sweeper calls a delivery lost.
    pub patience: Patience,
}

/// How far releases may run ahead of the work, in what is released and not sealed.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Jobs.
    pub jobs: usize,
    /// Windows, in fast time.
    pub windows: usize,
    /// Facts, which are kept in memory.
    pub facts: usize,
    /// Builds (or as much other work) after which a window in fast time ends.
    pub window_jobs: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { jobs: 2_000, windows: 4, facts: 200_000, window_jobs: 256 }
    }
}

/// Why a conductor stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The instant of [`Options::stop_at`] is reached and every job up to it is done.
    ReachedEnd,
    /// It was asked to.
    Shutdown,
    /// A defect holds the clock ([`Options::stop_when_held`]).
    Held {
        /// The defect.
        reason: String,
    },
}

/// What a conductor works with.
#[derive(Clone, Debug)]
pub struct Resources {
    /// The database; it should commit with [`store::db::Durability::Full`].
    pub pool: PgPool,
    /// The object store, for the tiles of the logs.
    pub objects: ObjectStore,
    /// The keys that logs are signed with.
    pub keys: Arc<Keyring>,
    /// What this process's workers and conductor tell each other.
    pub signals: Arc<Signals>,
}

/// A world, ready to be conducted.
#[derive(Debug)]
pub struct Conductor {
    resources: Resources,
    world: Conducted,
    options: Options,
}

/// Why the lead is given up or taken anew.
enum Ending {
    /// It is over.
    Stop(Stop),
    /// Another world is to take the place of this one.
    Load,
}

impl Conductor {
    /// Makes the world of a scenario and a seed, or finds it in the database. The schema and the
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
        let opened = open::open(pool, keys, scenario_text, &scenario, seed).await?;
        let (origin, generation) = opened;
        let world = Conducted { scenario, origin, generation };
        Ok(Conductor { resources, world, options })
    }

    /// What the world is made from.
    pub fn origin(&self) -> &Origin {
        &self.world.origin
    }

    /// Conducts: stands by until no other conductor leads, replays the record, goes on. Tries
    /// again when the database goes away.
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
                Ok(Ending::Load) => continue,
                Err(error) if error.is_transient() => error,
                Err(error) => return Err(error),
            };
            if progress.borrow().state == ConductorState::Leading {
                pause = Duration::from_millis(100);
            }
            tracing::warn!(%error, "lost the lead; trying again");
            shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    async fn lead_once(
        &mut self,
        progress: &watch::Sender<Progress>,
        shutdown: &CancellationToken,
    ) -> Result<Ending, ConductorError> {
        let Some(mut lead) = Lead::wait(&self.resources.pool, shutdown).await? else {
            return Ok(Ending::Stop(Stop::Shutdown));
        };
        if let Some(world) = load::catch_up(&self.resources, &self.world).await? {
            world::check_kernel(&world.origin.kernel_version)?;
            self.resources.keys = Arc::new(self.resources.keys.renewed());
            self.world = world;
        }
        let Resources { pool, signals, .. } = self.resources.clone();
        let periodic = Periodic::start(pool, signals, self.options.patience).await?;
        let term = lead.term;
        let result = tokio::select! {
            result = self.conduct(term, progress, shutdown) => result,
            error = lead.lost() => Err(error),
        };
        periodic.stop().await;
        if let Ok(Ending::Load) = &result {
            load::replace(&self.resources, term).await?;
        }
        lead.resign().await;
        result
    }

    async fn conduct(
        &self,
        term: i64,
        progress: &watch::Sender<Progress>,
        shutdown: &CancellationToken,
    ) -> Result<Ending, ConductorError> {
        progress.send_modify(|progress| progress.state = ConductorState::Replaying);
        let (record, open, replayed) = self.replay().await?;
        progress.send_modify(|progress| {
            progress.state = ConductorState::Leading;
            progress.now = record.released.at;
            progress.materialized_through = record.materialized.at;
            progress.facts = record.released.seq;
            progress.jobs_in_flight = 0;
        });
        // Everything below ends when this set is dropped.
        let mut tasks = JoinSet::new();
        let flow = Arc::new(Flow::new(progress.clone(), record.materialized));
        let Resources { pool, objects, keys, signals } = self.resources.clone();
        let keys = keys.get(&mut *pool.acquire().await?).await?;
        let stages = Arc::new(Stages {
            pool: pool.clone(),
            objects,
            keys,
            signals,
            catalogue: Arc::new(replayed.world.catalogue().clone()),
            flow: flow.clone(),
            term,
        });
        let ears = Arc::new(Ears::default());
        let (listening_on, listening) = (pool.clone(), ears.clone());
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
            flow.released(&unfinished);
            let _ = to_stages.send(unfinished);
        }
        let releaser = Releaser {
            pool,
            term,
            options: self.options.clone(),
            shutdown: shutdown.clone(),
            flow,
            ears,
            stages: to_stages,
            world: replayed.world,
            fingerprint: replayed.fingerprint,
            released: record.released,
            last_command: replayed.last_command,
            pace: Pace::default(),
            last_window: Instant::now(),
            last_look: None,
        };
        let mut releasing = JoinSet::new();
        releasing.spawn(releaser.run());
        tokio::select! {
            Some(stopped) = releasing.join_next() => stopped.map_err(ended)?,
            failed = first_failure(&mut tasks) => Err(failed),
        }
    }

    async fn replay(&self) -> Result<(Record, Vec<Job>, Replayed), ConductorError> {
        let mut conn = self.resources.pool.acquire().await?;
        let record = world::get(&mut conn).await?;
        let applied = commands::applied(&mut conn).await?;
        let open = ledger::open(&mut conn).await?;
        drop(conn);
        let began = Instant::now();
        let scenario = self.world.scenario.clone();
        // The kernel may think for seconds: not on a thread that others share.
        let (record, replayed) = tokio::task::spawn_blocking(move || {
            replay(scenario, &record, &applied).map(|replayed| (record, replayed))
        })
        .await
        .map_err(ended)??;
        if record.released.seq > 0 {
            let took_ms = began.elapsed().as_millis() as u64;
            let (to, jobs) = (record.released.at, open.len());
            tracing::info!(%to, facts = record.released.seq, jobs, took_ms, "replayed the record");
        }
        Ok((record, open.iter().map(Job::from).collect(), replayed))
    }
}

fn ended(error: JoinError) -> ConductorError {
    ConductorError::Ended(error.to_string())
}

/// The first task that fails; a stage ends by itself only when the releaser has.
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
