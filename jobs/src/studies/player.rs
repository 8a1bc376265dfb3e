//! Plays batches of studies: the worker's side of the queue `study`.
//!
//! The row of a batch stays locked by an open transaction while it is played, so that a worker that dies
//! lets go of it at once. The same transaction asks every moment whether the study still runs, which
//! keeps it from being ended as idle. What is played fills a core: it runs on a thread of its own, never
//! on one that serves the world's jobs.
use super::cache::ReadyStudies;
use super::{Wire, outcome};
use crate::queue::signals::Signals;
use crate::queue::{self};
use crate::worker::Raw;
use apalis_core::task::task_id::TaskId;
use sim::KERNEL_VERSION;
use sqlx::{Connection, PgConnection, PgPool};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::studies::parts::{self, PartKey};
use store::studies::running;
use study::arms::Compiled;
use study::campaign::{Batch, play};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, field};

/// How often it is asked whether the study still runs.
const ASK: Duration = Duration::from_millis(250);
/// How often a batch may begin and never end.
const MOST_ATTEMPTS: i32 = 5;

/// Plays batches, one a call.
pub(crate) struct Player {
    pool: PgPool,
    signals: Arc<Signals>,
    ready: ReadyStudies,
    shutdown: CancellationToken,
}

/// How a delivery ended.
enum Ended {
    /// The batch is played and stored.
    Played,
    /// There was nothing to do, or no more.
    Nothing,
    /// This process stops: somebody else has to play it.
    Stopped,
    /// It cannot be played, and with it the study.
    Failed(String),
}

/// Stops what is being played when nobody waits for it any more.
struct Stop(Arc<AtomicBool>);

impl Stop {
    fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.now();
    }
}

impl Player {
    pub(crate) fn new(pool: PgPool, signals: Arc<Signals>, shutdown: CancellationToken) -> Self {
        Player { pool, signals, ready: ReadyStudies::new(), shutdown }
    }

    /// The database.
    pub(crate) fn pool(&self) -> PgPool {
        self.pool.clone()
    }

    /// Handles one delivery, to the end. What fails on the way is handed out again by the director.
    pub(crate) async fn handle(self: Arc<Self>, raw: Raw, task: TaskId) {
        let Ok(wire) = serde_json::from_slice::<Wire>(&raw.0) else {
            tracing::error!(task = %task, bytes = raw.0.len(), "discarded an unreadable task");
            return self.discard(&task).await;
        };
        let Wire { study, round, place } = wire;
        let span =
            tracing::info_span!("batch", study, round, place, otel.status_code = field::Empty);
        let attempt = self.attempt(wire.into(), &task).instrument(span.clone()).await;
        if let Err(error) = attempt {
            span.record("otel.status_code", "ERROR");
            tracing::warn!(study, round, place, %error, "a batch will be played again");
        }
    }

    async fn attempt(&self, key: PartKey, task: &TaskId) -> sqlx::Result<()> {
        let mut conn = self.pool.acquire().await?;
        match self.work(&mut conn, key).await? {
            Ended::Played => self.signals.played(),
            Ended::Nothing => {
                drop(conn);
                self.discard(task).await;
            }
            Ended::Stopped => parts::give_back(&mut conn, key).await?,
            Ended::Failed(why) => {
                tracing::error!(study = key.study, error = why, "a study cannot be played");
                running::fail(&mut conn, key.study, &why).await?;
            }
        }
        Ok(())
    }

    async fn work(&self, conn: &mut PgConnection, key: PartKey) -> sqlx::Result<Ended> {
        let Some(begun) = parts::begin(conn, key, KERNEL_VERSION).await? else {
            return Ok(Ended::Nothing);
        };
        let Ok(batch) = serde_json::from_str::<Batch>(&begun.batch) else {
            return Ok(Ended::Failed("a batch is stored in another form".to_owned()));
        };
        if begun.begun > MOST_ATTEMPTS {
            let (what, times) = (replications(&batch), MOST_ATTEMPTS);
            return Ok(Ended::Failed(format!(
                "{what} ended the worker that played them {times} times"
            )));
        }
        let compiled = match self.ready.get(conn, key.study).await? {
            None => return Ok(Ended::Nothing),
            Some(Err(why)) => return Ok(Ended::Failed(why)),
            Some(Ok(compiled)) => compiled,
        };
        let mut tx = conn.begin().await?;
        if !parts::hold(&mut tx, key).await? {
            return Ok(Ended::Nothing);
        }
        let ended = self.play(&mut tx, key, compiled, batch).await?;
        match &ended {
            Ended::Played => tx.commit().await?,
            _ => tx.rollback().await?,
        }
        Ok(ended)
    }

    /// Plays a batch and stores what came of it.
    async fn play(
        &self,
        tx: &mut PgConnection,
        key: PartKey,
        compiled: Arc<Compiled>,
        batch: Batch,
    ) -> sqlx::Result<Ended> {
        let stop = Stop(Arc::default());
        let flag = Arc::clone(&stop.0);
        let mut playing: JoinHandle<_> = tokio::task::spawn_blocking(move || {
            play(&compiled, &batch, &flag).map(|played| outcome::encode(&played))
        });
        let mut runs = true;
        let played = loop {
            tokio::select! {
                played = &mut playing => break played,
                () = tokio::time::sleep(ASK) => {
                    runs = running::runs(tx, key.study, KERNEL_VERSION).await?;
                    if !runs {
                        stop.now();
                    }
                }
                () = self.shutdown.cancelled(), if !stop.0.load(Ordering::Relaxed) => stop.now(),
            }
        };
        match played {
            Ok(Some(Ok(outcome))) => {
                parts::played(tx, key, &outcome).await?;
                Ok(Ended::Played)
            }
            Ok(Some(Err(why))) => {
                Ok(Ended::Failed(format!("{} cannot be stored: {why}", replications(&batch))))
            }
            Ok(None) if runs && self.shutdown.is_cancelled() => Ok(Ended::Stopped),
            Ok(None) if runs => {
                Ok(Ended::Failed(format!("{} are not of this study", replications(&batch))))
            }
            Ok(None) => Ok(Ended::Nothing),
            Err(error) => {
                let why = crate::worker::said(error);
                Ok(Ended::Failed(format!("{} failed: {why}", replications(&batch))))
            }
        }
    }

    /// Deletes a task without a batch.
    async fn discard(&self, task: &TaskId) {
        let discarded = async {
            let mut conn = self.pool.acquire().await?;
            queue::discard(&mut conn, &task.to_string()).await
        };
        if let Err(error) = discarded.await {
            tracing::debug!(task = %task, %error, "a task is left to the director");
        }
    }
}

/// Which replications a batch is of, for messages.
fn replications(batch: &Batch) -> String {
    let (first, last) =
        (u64::from(batch.first) + 1, u64::from(batch.first) + u64::from(batch.count));
    match batch.variation {
        0 => format!("replications {first} to {last}"),
        nth => format!("replications {first} to {last} of the drawn inputs {nth}"),
    }
}
