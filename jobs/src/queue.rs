//! The queues: apalis over Postgres as the delivery of what the ledger says is owed.
//!
//! A task on the wire is the id of a ledger row and nothing else. What is to be done stays in the
//! ledger, so that a task that cannot be read costs a delivery and never the work, and a job that
//! is delivered twice finds the row taken or done. Tasks are not acknowledged one by one: when a
//! phase of a window is over, the conductor deletes its tasks in one statement ([`forget`]).
pub(crate) mod cleaner;
pub(crate) mod rescuer;
pub(crate) mod signals;
pub(crate) mod strategy;

use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::task_id::TaskId;
use apalis_postgres::{PgTask, PostgresStorage};
pub use cleaner::clean;
pub use rescuer::{RescueTimeouts, redeliver};
use serde::{Deserialize, Serialize};
pub use signals::Signals;
use sqlx::{PgConnection, PgPool};
use store::delivery::{self, Delivered};
use store::queue::Queue;
use ulid::Ulid;

/// The channel that tells workers that a queue has tasks; the payload is the queue's name.
/// One message a delivery: apalis sends one a task, and a worker that listens to those fetches
/// once for each.
pub const CHANNEL: &str = "wavetank_jobs";

/// A task on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wire {
    /// The ledger row.
    pub(crate) ledger: i64,
    /// The world it is of: one that took its place may have a row of the same number.
    #[serde(default)]
    pub(crate) generation: i64,
}

/// Why the queue could not do its part.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The ledger.
    #[error(transparent)]
    Store(#[from] store::error::Error),
    /// The queue's own tables.
    #[error("the queue's tables")]
    Apalis(#[from] apalis_postgres::Error),
    /// The wire.
    #[error("a task cannot be written")]
    Encode(#[from] serde_json::Error),
}

impl From<sqlx::Error> for QueueError {
    fn from(error: sqlx::Error) -> Self {
        QueueError::Store(error.into())
    }
}

/// Creates or updates the queue's own tables (the schema `apalis`), beside ours.
///
/// # Errors
/// The migration failed; it creates the extensions `hstore` and `pgcrypto`, which needs the right
/// to do so.
pub async fn setup(pool: &PgPool) -> Result<(), QueueError> {
    PostgresStorage::setup(pool).await.map_err(|error| match error {
        apalis_postgres::Error::Database(sqlx::Error::Migrate(error)) => {
            QueueError::Store((*error).into())
        }
        other => other.into(),
    })
}

/// Delivers jobs of one queue in the caller's transaction: pushes a task for each that is owed
/// and that no worker holds at this moment, and wakes the workers of all processes at its end.
/// A job that was delivered before, and neither failed nor finished, counts as lost once more.
///
/// # Errors
/// Postgres failed; the transaction is of no more use.
pub async fn deliver(
    conn: &mut PgConnection,
    queue: Queue,
    ids: &[i64],
) -> Result<usize, QueueError> {
    if ids.is_empty() {
        return Ok(0);
    }
    let tasks: Vec<String> = ids.iter().map(|_| Ulid::generate().to_string()).collect();
    let delivered = delivery::assign_tasks(&mut *conn, ids, &tasks).await?;
    let tasks = delivered.iter().map(task).collect::<Result<Vec<PgTask>, QueueError>>()?;
    let count = tasks.len();
    push(conn, queue, tasks).await?;
    Ok(count)
}

/// Pushes tasks in the caller's transaction, and wakes the workers of all processes at its end.
///
/// # Errors
/// Postgres failed; the transaction is of no more use.
pub(crate) async fn push(
    conn: &mut PgConnection,
    queue: Queue,
    tasks: Vec<PgTask>,
) -> Result<(), QueueError> {
    apalis_postgres::queries::push_tasks(&mut *conn, queue.as_str(), tasks).await?;
    Ok(delivery::announce(conn, CHANNEL, queue).await?)
}

/// New tasks with their ids.
pub(crate) fn tasks<W: Serialize>(
    wires: impl Iterator<Item = W>,
) -> Result<(Vec<String>, Vec<PgTask>), QueueError> {
    let new = wires.map(|wire| {
        let id = Ulid::generate();
        Ok((id.to_string(), new_task(serde_json::to_vec(&wire)?, id)))
    });
    new.collect()
}

fn task(job: &Delivered) -> Result<PgTask, QueueError> {
    let wire = serde_json::to_vec(&Wire { ledger: job.id, generation: job.generation })?;
    let id = Ulid::from_string(&job.new_task).unwrap_or_else(|_| Ulid::generate());
    Ok(new_task(wire, id))
}

fn new_task(wire: Vec<u8>, id: Ulid) -> PgTask {
    // Due since 1970: a worker's clock may be behind ours, and the queue compares with `now()`.
    TaskBuilder::new(wire).task_id(TaskId::from_ulid(id)).run_at_timestamp(1).build()
}

/// Deletes the tasks of jobs that are settled.
///
/// # Errors
/// Postgres failed.
pub async fn forget(conn: &mut PgConnection, ids: &[i64]) -> Result<(), QueueError> {
    Ok(delivery::delete_settled_tasks(conn, ids).await?)
}

/// Deletes one task, by its own id.
pub(crate) async fn discard(conn: &mut PgConnection, task: &str) -> Result<(), QueueError> {
    Ok(delivery::delete_task(conn, task).await?)
}

/// Returns what a stopped worker has fetched to the queue, so that others need not wait until it
/// counts as dead.
pub(crate) async fn give_back(conn: &mut PgConnection, worker: &str) -> Result<(), QueueError> {
    Ok(delivery::release_tasks(conn, worker).await?)
}
