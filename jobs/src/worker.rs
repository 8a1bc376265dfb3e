//! Workers: one apalis worker a queue and process, started again whenever it ends.
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
use crate::registry::{JobKind, KINDS};
use apalis::layers::WorkerBuilderExt;
use apalis::prelude::{WorkerBuilder, WorkerContext};
use apalis_core::backend::ext::poll_strategy::PollWith;
use apalis_core::backend::ext::with_codec::WithCodec;
use apalis_core::task::task_id::TaskId;
use apalis_postgres::{Config, PostgresStorage};
pub use handler::{JobHandler, PlatformJobs};

use attempt::JobRunner;
use raw::{Raw, RawCodec};
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
}

impl Default for WorkerOptions {
    fn default() -> Self {
        WorkerOptions { concurrency: 4, time_limit: Duration::from_secs(60) }
    }
}

impl WorkerOptions {
    /// How many connections the workers use at the same time: one for each job that runs, one for
    /// each queue's fetches, one to listen. A smaller pool makes jobs wait for each other.
    pub fn connections(&self) -> u32 {
        let jobs: usize = KINDS.iter().map(|kind| (kind.concurrency)(self.concurrency)).sum();
        u32::try_from(jobs + KINDS.len() + 1).unwrap_or(u32::MAX)
    }

    /// The same with as much concurrency as so many connections allow, one at the least.
    pub fn within(mut self, connections: u32) -> Self {
        while self.concurrency > 1 && self.connections() > connections {
            self.concurrency -= 1;
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
    /// Starts a worker for each queue; they stop when `shutdown` is cancelled. The pool of `ctx`
    /// should commit with [`store::db::Durability::Relaxed`].
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
        let ctx = Arc::new(WorldContext::new(ctx));
        for kind in KINDS {
            let runner = JobRunner {
                ctx: ctx.clone(),
                signals: signals.clone(),
                handler: handler.clone(),
                time_limit: options.time_limit,
            };
            let concurrency = (kind.concurrency)(options.concurrency);
            tasks.spawn(supervise(kind, Arc::new(runner), concurrency, shutdown.clone()));
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

/// Runs a worker until the shutdown, starting another one when it ends: a cut connection ends it.
async fn supervise(
    kind: &'static JobKind,
    runner: Arc<JobRunner>,
    concurrency: usize,
    shutdown: CancellationToken,
) {
    let mut pause = Duration::from_millis(50);
    while !shutdown.is_cancelled() {
        let name = worker_name(kind.queue);
        let began = tokio::time::Instant::now();
        let ended = work(&name, kind, runner.clone(), concurrency, &shutdown).await;
        let pool = runner.ctx.pool();
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
async fn work(
    name: &str,
    kind: &JobKind,
    runner: Arc<JobRunner>,
    concurrency: usize,
    shutdown: &CancellationToken,
) -> String {
    let config = Config::default()
        .queue(kind.queue.as_str())
        .batch_size((kind.batch_size)(concurrency))
        .heartbeat_interval(HEARTBEAT)
        .missed_heartbeats(MISSED_HEARTBEATS)
        .lock_tasks(false)
        .persist_results(false);
    let storage = PostgresStorage::<Raw>::new(&runner.ctx.pool()).with_config(config);
    let strategy = WakeupStrategy::new(runner.signals.queue(kind.queue));
    let backend = WithCodec::new(PollWith::new(storage, strategy), RawCodec);
    let context = WorkerContext::new(name);
    let worker = WorkerBuilder::new(&context).backend(backend).concurrency(concurrency).build(
        move |raw: Raw, task: TaskId| {
            let runner = runner.clone();
            async move {
                runner.handle(raw, task).await;
                Ok::<(), std::convert::Infallible>(())
            }
        },
    );
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
    }
}
