//! Periodic work by the wall clock in the leading conductor: the rescuer, the cleaner, the watchdog.
//!
//! Nothing in simulated time comes from here. tokio-cron-scheduler elects nobody, so only the
//! leader starts it, and a run that takes long is not started a second time.
use crate::queue::cleaner;
use crate::queue::rescuer::{self, RescueTimeouts};
use crate::queue::signals::Signals;
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;
use store::delivery::OverdueJob;
use tokio::sync::Mutex;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Rows deleted in one statement.
const BATCH: i64 = 2_000;
/// A job that is owed for longer than this is worth a line in the log.
const OVERDUE: Duration = Duration::from_secs(60);

/// The running periodic work.
pub(crate) struct Periodic {
    scheduler: JobScheduler,
    /// The scheduler's tasks outlive a leader that is dropped; they do nothing then.
    _alive: DropGuard,
}

impl Periodic {
    /// Starts it.
    pub(crate) async fn start(
        pool: PgPool,
        signals: Arc<Signals>,
        rescue_timeouts: RescueTimeouts,
    ) -> Result<Periodic, JobSchedulerError> {
        let scheduler = JobScheduler::new().await?;
        let gone = CancellationToken::new();
        let (rescuer_pool, cleaner_pool) = (pool.clone(), pool.clone());
        every(&scheduler, &gone, "* * * * * *", move || {
            let (pool, signals) = (rescuer_pool.clone(), signals.clone());
            async move { rescue(&pool, &signals, &rescue_timeouts).await }
        })
        .await?;
        every(&scheduler, &gone, "*/10 * * * * *", move || {
            let pool = cleaner_pool.clone();
            async move { clean(&pool).await }
        })
        .await?;
        every(&scheduler, &gone, "*/15 * * * * *", move || {
            let pool = pool.clone();
            async move { watch(&pool).await }
        })
        .await?;
        scheduler.start().await?;
        Ok(Periodic { scheduler, _alive: gone.drop_guard() })
    }

    /// Stops it.
    pub(crate) async fn stop(mut self) {
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::debug!(%error, "the periodic work did not stop");
        }
    }
}

/// Runs `work` whenever `cron` says so, never twice at a time, until `gone`.
async fn every<F, W>(
    scheduler: &JobScheduler,
    gone: &CancellationToken,
    cron: &str,
    work: F,
) -> Result<(), JobSchedulerError>
where
    F: Fn() -> W + Send + Sync + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    let busy = Arc::new(Mutex::new(()));
    let gone = gone.clone();
    let job = Job::new_async(cron, move |_, _| {
        let (busy, work, gone) = (busy.clone(), work(), gone.clone());
        Box::pin(async move {
            if let Ok(_alone) = busy.try_lock() {
                gone.run_until_cancelled(work).await;
            }
        })
    })?;
    scheduler.add(job).await?;
    Ok(())
}

async fn rescue(pool: &PgPool, signals: &Signals, rescue_timeouts: &RescueTimeouts) {
    match rescuer::redeliver(pool, rescue_timeouts).await {
        Ok(delivered) => {
            for (queue, jobs) in delivered {
                tracing::info!(queue = queue.as_str(), jobs, "delivered jobs again");
                signals.wake(queue);
            }
        }
        Err(error) => tracing::warn!(%error, "the rescuer failed; it will try again"),
    }
}

async fn clean(pool: &PgPool) {
    match cleaner::clean(pool, BATCH).await {
        Ok(0) => {}
        Ok(rows) => tracing::debug!(rows, "deleted old rows"),
        Err(error) => tracing::warn!(%error, "the cleaner failed; it will try again"),
    }
}

/// Logs what has been owed for too long: a stalled job would otherwise look like idle time.
async fn watch(pool: &PgPool) {
    match store::delivery::overdue(pool, OVERDUE).await {
        Ok(Some(OverdueJob { id: job, queue, attempts, lost })) => {
            tracing::warn!(job, queue, attempts, lost, "a job has been owed for over a minute");
        }
        Ok(None) => {}
        Err(error) => tracing::debug!(%error, "the watchdog failed"),
    }
}
