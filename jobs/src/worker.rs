//! Workers: one apalis worker a queue and process, started again whenever it ends; and a candidate for
//! the director of studies.
//!
//! apalis fetches and calls; what happens to a job is decided here ([`attempt`]).
//! The settings, each against a trap of apalis:
//! - names never repeat (queue, host, a ULID), for a name that comes back keeps what its
//!   predecessor had fetched;
//! - batches are small against the time after which a worker counts as dead, for it sends no
//!   heartbeat while fetched tasks wait in it;
//! - the wire is read by the handler, for a task that apalis cannot decode ends the worker;
//! - no locks and no results are written to the queue's table: the ledger has both.
mod attempt;
mod handler;
mod raw;
mod world_context;

use crate::job::JobContext;
use crate::queue::signals::Signals;
use crate::queue::strategy::WakeupStrategy;
use crate::queue::{self, QueueError};
use crate::registry::KINDS;
use crate::studies::{Director, Player, StudyTimeouts};
use apalis::layers::WorkerBuilderExt;
use apalis::prelude::{WorkerBuilder, WorkerContext};
use apalis_core::backend::ext::poll_strategy::PollWith;
use apalis_core::backend::ext::with_codec::WithCodec;
use apalis_core::task::task_id::TaskId;
use apalis_postgres::{Config, PostgresStorage};
pub use handler::{JobHandler, PlatformJobs};

use attempt::JobRunner;
pub(crate) use raw::Raw;
use raw::RawCodec;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use store::queue::Queue;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use world_context::WorldContext;

/// How long a stop waits for jobs that have begun. What has not ended by then is dropped, with its
/// transaction, and delivered again.
const DRAIN: Duration = Duration::from_secs(2);
/// How long a stopped worker tries to give back what it has fetched.
const GIVE_BACK: Duration = Duration::from_millis(500);
/// How often a worker sends a heartbeat, in whole seconds; the queue truncates.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// Missed heartbeats until the queue itself gives a worker's tasks to others.
const MISSED_HEARTBEATS: usize = 30;

/// Options of the workers of a process.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// Jobs of one queue at a time.
    pub concurrency: usize,
    /// The time one attempt may take.
    pub time_limit: Duration,
    /// Batches of studies that are played at the same time, beside the jobs of the world; each fills a
    /// core. None: this process has no part in studies.
    pub studies: usize,
    /// How patient the director of studies is.
    pub study_timeouts: StudyTimeouts,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        WorkerOptions {
            concurrency: 4,
            time_limit: Duration::from_secs(60),
            studies: 0,
            study_timeouts: StudyTimeouts::default(),
        }
    }
}

impl WorkerOptions {
    /// How many connections the workers use at the same time: one for each job that runs, one for
    /// each queue's fetches, one to listen. A smaller pool makes jobs wait for each other.
    pub fn connections(&self) -> u32 {
        let jobs: usize = KINDS.iter().map(|kind| (kind.concurrency)(self.concurrency)).sum();
        let studies = if self.studies == 0 { 0 } else { self.studies + 1 };
        u32::try_from(jobs + KINDS.len() + 1 + studies).unwrap_or(u32::MAX)
    }

    /// The same with as much concurrency as so many connections allow, one at the least of each.
    pub fn within(mut self, connections: u32) -> Self {
        while self.connections() > connections && self.concurrency.max(self.studies) > 1 {
            self.concurrency = self.concurrency.saturating_sub(1).max(1);
            self.studies = self.studies.saturating_sub(1).max(self.studies.min(1));
        }
        self
    }
}

/// The running workers of this process.
pub struct Workers {
    tasks: JoinSet<()>,
    signals: Arc<Signals>,
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers").field("tasks", &self.tasks.len()).finish_non_exhaustive()
    }
}

impl Workers {
    /// Starts a worker for each queue, and what studies need if there is room for them; they stop when
    /// `shutdown` is cancelled. The pool of `ctx` should commit with
    /// [`store::db::Durability::Relaxed`].
    pub fn start(
        ctx: JobContext,
        signals: Arc<Signals>,
        options: WorkerOptions,
        shutdown: CancellationToken,
    ) -> Workers {
        Self::start_with(ctx, signals, options, shutdown, Arc::new(PlatformJobs))
    }

    /// The same with another handler.
    pub fn start_with(
        ctx: JobContext,
        signals: Arc<Signals>,
        options: WorkerOptions,
        shutdown: CancellationToken,
        handler: Arc<dyn JobHandler>,
    ) -> Workers {
        let mut tasks = JoinSet::new();
        tasks.spawn(listen(ctx.clone(), signals.clone(), shutdown.clone()));
        if options.studies > 0 {
            let director = Director {
                pool: ctx.pool.clone(),
                objects: ctx.objects.clone(),
                signals: signals.clone(),
                timeouts: options.study_timeouts,
            };
            tasks.spawn(director.run(shutdown.clone()));
            let player = Player::new(ctx.pool.clone(), signals.clone(), shutdown.clone());
            let lane = Lane {
                queue: Queue::Study,
                // What waits in a worker waits for nobody else.
                batch_size: 1,
                concurrency: options.studies,
                signals: signals.clone(),
                taker: Taker::Study(Arc::new(player)),
            };
            tasks.spawn(supervise(lane, shutdown.clone()));
        }
        let ctx = Arc::new(WorldContext::new(ctx));
        for kind in KINDS {
            let runner = JobRunner {
                ctx: ctx.clone(),
                signals: signals.clone(),
                handler: handler.clone(),
                time_limit: options.time_limit,
            };
            let concurrency = (kind.concurrency)(options.concurrency);
            let lane = Lane {
                queue: kind.queue,
                batch_size: (kind.batch_size)(concurrency),
                concurrency,
                signals: signals.clone(),
                taker: Taker::Job(Arc::new(runner)),
            };
            tasks.spawn(supervise(lane, shutdown.clone()));
        }
        signals.workers().fetch_add(1, Ordering::AcqRel);
        Workers { tasks, signals }
    }

    /// Waits until all workers have stopped: jobs that have begun are finished, or dropped after two
    /// seconds, fetched ones are given back.
    pub async fn stopped(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.signals.workers().fetch_sub(1, Ordering::AcqRel);
    }
}

/// One listener for all queues of the process.
async fn listen(ctx: JobContext, signals: Arc<Signals>, shutdown: CancellationToken) {
    let hear = async {
        loop {
            if let Err(error) = hear(&ctx, &signals).await {
                // The workers look every 100 ms anyway.
                tracing::debug!(%error, "lost the connection that listens for tasks");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    shutdown.run_until_cancelled(hear).await;
}

async fn hear(ctx: &JobContext, signals: &Signals) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(&ctx.pool).await?;
    listener.listen(queue::CHANNEL).await?;
    loop {
        let heard = listener.recv().await?;
        if let Some(queue) = Queue::ALL.into_iter().find(|q| q.as_str() == heard.payload()) {
            signals.wake(queue);
        }
    }
}

/// A queue as a process works on it.
struct Lane {
    queue: Queue,
    /// Tasks that are fetched at a time.
    batch_size: usize,
    concurrency: usize,
    signals: Arc<Signals>,
    taker: Taker,
}

/// Who takes the tasks of a queue.
#[derive(Clone)]
enum Taker {
    /// Those of the world.
    Job(Arc<JobRunner>),
    /// Those of studies.
    Study(Arc<Player>),
}

impl Taker {
    fn pool(&self) -> PgPool {
        match self {
            Taker::Job(runner) => runner.ctx.pool(),
            Taker::Study(player) => player.pool(),
        }
    }

    async fn take(self, raw: Raw, task: TaskId) {
        match self {
            Taker::Job(runner) => runner.handle(raw, task).await,
            Taker::Study(player) => player.handle(raw, task).await,
        }
    }
}

/// Runs a worker until the shutdown, starting another one when it ends: a cut connection ends it.
async fn supervise(lane: Lane, shutdown: CancellationToken) {
    let mut pause = Duration::from_millis(50);
    while !shutdown.is_cancelled() {
        let name = worker_name(lane.queue);
        let began = tokio::time::Instant::now();
        let ended = work(&name, &lane, &shutdown).await;
        let pool = lane.taker.pool();
        match tokio::time::timeout(GIVE_BACK, give_back(&pool, &name)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(worker = name, %error, "fetched tasks are left to the rescuer");
            }
            Err(_) => tracing::debug!(worker = name, "fetched tasks are left to the rescuer"),
        }
        if shutdown.is_cancelled() {
            break;
        }
        if began.elapsed() > Duration::from_secs(10) {
            pause = Duration::from_millis(50);
        }
        tracing::warn!(worker = name, error = ended, "a worker stopped; starting another");
        shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}

fn worker_name(queue: Queue) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() { "host" } else { host.trim() };
    format!("{}-{host}-{}", queue.as_str(), ulid::Ulid::generate())
}

async fn give_back(pool: &PgPool, worker: &str) -> Result<(), QueueError> {
    let mut conn = pool.acquire().await?;
    queue::give_back(&mut conn, worker).await
}

/// One life of a worker; returns what ended it.
async fn work(name: &str, lane: &Lane, shutdown: &CancellationToken) -> String {
    let config = Config::default()
        .queue(lane.queue.as_str())
        .batch_size(lane.batch_size)
        .heartbeat_interval(HEARTBEAT)
        .missed_heartbeats(MISSED_HEARTBEATS)
        .lock_tasks(false)
        .persist_results(false);
    let storage = PostgresStorage::<Raw>::new(&lane.taker.pool()).with_config(config);
    let strategy = WakeupStrategy::new(lane.signals.queue(lane.queue));
    let backend = WithCodec::new(PollWith::new(storage, strategy), RawCodec);
    let context = WorkerContext::new(name);
    let builder = WorkerBuilder::new(&context).backend(backend).concurrency(lane.concurrency);
    let taker = lane.taker.clone();
    let worker = builder.build(move |raw: Raw, task: TaskId| {
        let taker = taker.clone();
        async move {
            taker.take(raw, task).await;
            Ok::<(), std::convert::Infallible>(())
        }
    });
    let run = worker.run();
    tokio::pin!(run);
    let ended = tokio::select! {
        ended = &mut run => ended,
        () = shutdown.cancelled() => {
            // A worker that has not begun yet refuses to stop, and has nothing to finish.
            if context.stop().is_err() {
                return "stopped before it began".to_owned();
            }
            match tokio::time::timeout(DRAIN, run).await {
                Ok(ended) => ended,
                Err(_) => return "jobs did not finish in time".to_owned(),
            }
        }
    };
    ended.err().map_or_else(|| "stopped".to_owned(), |error| error.to_string())
}

/// What is to be said of a task that did not end.
pub(crate) fn said(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => format!("it panicked: {}", attempt::panic_text(panic.as_ref())),
        Err(_) => "it was cancelled".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concurrency_fits_the_connections() {
        let wanted = |concurrency| WorkerOptions { concurrency, ..WorkerOptions::default() };
        let fits = wanted(16).connections();
        assert_eq!(wanted(16).within(fits).concurrency, 16);
        let less = wanted(16).within(fits - 1);
        assert_eq!(less.concurrency, 15);
        assert!(less.connections() < fits);
        assert_eq!(wanted(16).within(0).concurrency, 1);
        let plays = WorkerOptions { studies: 8, ..wanted(4) };
        assert!(plays.connections() > wanted(4).connections() + 8);
        let few = plays.within(0);
        assert_eq!((few.concurrency, few.studies), (1, 1));
        assert_eq!(wanted(4).within(0).studies, 0);
    }
}
