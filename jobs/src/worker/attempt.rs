//! Runs a job: one attempt, its time limit, its panics, and what follows from its outcome.
//!
//! The first statement of the transaction marks the job done, the last one commits; between them
//! is the work. So a job is done exactly once however often it is delivered: a second delivery
//! finds the row locked or done. A failed attempt is counted in the ledger, and the rescuer
//! delivers the job again when its back-off is over. To apalis every task succeeds.
use super::handler::JobHandler;
use super::raw::Raw;
use super::world_context::WorldContext;
use crate::error::JobError;
use crate::queue::signals::Signals;
use crate::queue::{self, QueueError, Wire};
use crate::registry::Payload;
use apalis_core::task::task_id::TaskId;
use std::sync::Arc;
use std::time::Duration;
use store::ledger::{self, Verdict};
use store::objects::ObjectError;
use store::world;
use tracing::{Instrument, Span, field};

/// Runs jobs, one attempt at a time.
pub(crate) struct JobRunner {
    pub(crate) ctx: Arc<WorldContext>,
    pub(crate) signals: Arc<Signals>,
    pub(crate) handler: Arc<dyn JobHandler>,
    pub(crate) time_limit: Duration,
}

/// How an attempt ended when nothing failed.
enum Ended {
    /// The work is committed.
    Done,
    /// There was nothing to do: settled before, or in another worker's hands.
    Nothing,
}

/// Why an attempt failed.
struct Failure {
    why: String,
    /// Trying again cannot help.
    permanent: bool,
    /// The attempt was counted when it began.
    counted: bool,
}

impl Failure {
    fn new(why: impl Into<String>, permanent: bool) -> Self {
        Failure { why: why.into(), permanent, counted: false }
    }
}

impl From<JobError> for Failure {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Mismatch { .. } => Failure::new(error.to_string(), true),
            JobError::Failed(error) => {
                let why = format!("{error:#}");
                if !is_damage(&error) {
                    return Failure::new(why, false);
                }
                // A document that is lost stays lost: somebody has to make it again.
                Failure::new(format!("{why}; {REMEDY}"), true)
            }
        }
    }
}

/// What helps a job that found a document lost or damaged.
const REMEDY: &str =
    "hint: `wavetank repair` makes the document again, then the job can be retried";

/// Whether a lost or damaged document is what stopped the job.
fn is_damage(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<ObjectError>().is_some_and(ObjectError::is_damage))
}

impl From<store::error::Error> for Failure {
    fn from(error: store::error::Error) -> Self {
        Failure::new(error.to_string(), false)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Failure::new(error.to_string(), false)
    }
}

impl JobRunner {
    /// Handles one delivery, to the end.
    pub(super) async fn handle(self: Arc<Self>, raw: Raw, task: TaskId) {
        let Ok(wire) = serde_json::from_slice::<Wire>(&raw.0) else {
            // The job it stood for, if any, is still owed: the rescuer delivers it again.
            tracing::error!(task = %task, bytes = raw.0.len(), "discarded an unreadable task");
            return self.discard(&task).await;
        };
        let Wire { ledger: id, generation } = wire;
        // A task of its own, so that jobs use all cores and a panic ends only the attempt.
        let attempt = tokio::spawn({
            let runner = self.clone();
            let span = tracing::info_span!(
                "job",
                job = id,
                queue = field::Empty,
                otel.status_code = field::Empty
            );
            async move { runner.attempt(id, generation).await }.instrument(span)
        });
        let ended = attempt.await.unwrap_or_else(|error| {
            let why = match error.try_into_panic() {
                Ok(panic) => format!("the job panicked: {}", panic_text(panic.as_ref())),
                Err(_) => "the job was cancelled".to_owned(),
            };
            Err(Failure::new(why, false))
        });
        match ended {
            Ok(Ended::Done) => self.signals.done(id),
            Ok(Ended::Nothing) => self.discard(&task).await,
            Err(failure) => self.record(id, generation, &failure).await,
        }
    }

    async fn attempt(&self, id: i64, generation: i64) -> Result<Ended, Failure> {
        let mut counted = false;
        let work = self.work((id, generation), &mut counted);
        let ended = match tokio::time::timeout(self.time_limit, work).await {
            Ok(ended) => ended,
            Err(_) => {
                let why = format!("the attempt took longer than {:?}", self.time_limit);
                Err(Failure::new(why, false))
            }
        };
        if ended.is_err() {
            Span::current().record("otel.status_code", "ERROR");
        }
        ended.map_err(|failure| Failure { counted, ..failure })
    }

    async fn work(
        &self,
        (id, generation): (i64, i64),
        counted: &mut bool,
    ) -> Result<Ended, Failure> {
        let ctx = self.ctx.of(generation);
        let mut tx = ctx.pool.begin().await?;
        let Some(mut claim) = ledger::claim(&mut tx, id, generation).await? else {
            return Ok(Ended::Nothing);
        };
        if claim.lost > 0 {
            // It may have killed its last worker: count the attempt before it begins.
            tx.rollback().await?;
            if !self.begin_counted_attempt(id, generation).await? {
                return Ok(Ended::Nothing);
            }
            *counted = true;
            tx = ctx.pool.begin().await?;
            match ledger::claim(&mut tx, id, generation).await? {
                Some(again) => claim = again,
                None => return Ok(Ended::Nothing),
            }
        }
        let payload: Payload = serde_json::from_str(&claim.payload)
            .map_err(|error| Failure::new(format!("the payload is unreadable: {error}"), true))?;
        Span::current().record("queue", payload.queue().as_str());
        self.handler.run(&ctx, &mut tx, &payload).await?;
        tx.commit().await?;
        Ok(Ended::Done)
    }

    async fn begin_counted_attempt(&self, id: i64, generation: i64) -> Result<bool, Failure> {
        let mut tx = self.ctx.pool().begin().await?;
        if world::generation(&mut tx).await? != generation {
            return Ok(false);
        }
        let verdict = ledger::begin_counted_attempt(&mut tx, id).await?;
        tx.commit().await?;
        if verdict == Verdict::Dead {
            tracing::error!(job = id, "a job killed its workers and is in the dead letter");
            self.signals.stuck(id);
        }
        Ok(verdict == Verdict::Retry)
    }

    /// Records a failure. While the database is away there is nothing else to do: an unrecorded
    /// failure would look like work in progress.
    async fn record(&self, id: i64, generation: i64, failure: &Failure) {
        let mut pause = Duration::from_millis(100);
        for _ in 0..20 {
            match self.try_record(id, generation, failure).await {
                Ok(Verdict::Dead) => {
                    tracing::error!(job = id, error = failure.why, "a job is in the dead letter");
                    return self.signals.stuck(id);
                }
                Ok(Verdict::Retry) => {
                    return tracing::warn!(job = id, error = failure.why, "a job failed");
                }
                Ok(Verdict::Settled) => return,
                Err(error) => tracing::debug!(job = id, %error, "a failure cannot be recorded yet"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
        tracing::warn!(
            job = id,
            error = failure.why,
            "a job failed, and the failure could not be recorded"
        );
    }

    async fn try_record(
        &self,
        id: i64,
        generation: i64,
        failure: &Failure,
    ) -> Result<Verdict, QueueError> {
        let mut tx = self.ctx.pool().begin().await?;
        // The world may have been replaced: its jobs are nobody's any more. (To have read that
        // keeps it from being replaced until this transaction ends.)
        if world::generation(&mut tx).await? != generation {
            return Ok(Verdict::Settled);
        }
        let verdict = match failure {
            Failure { permanent: true, why, .. } => ledger::dead_letter(&mut tx, id, why).await?,
            Failure { why, counted, .. } => ledger::fail(&mut tx, id, why, *counted).await?,
        };
        tx.commit().await?;
        Ok(verdict)
    }

    /// Deletes a task without a job; left behind it would look like work in progress.
    async fn discard(&self, task: &TaskId) {
        let discarded = async {
            let mut conn = self.ctx.pool().acquire().await?;
            queue::discard(&mut conn, &task.to_string()).await
        };
        if let Err(error) = discarded.await {
            tracing::debug!(task = %task, %error, "a task is left to the rescuer");
        }
    }
}

pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}
