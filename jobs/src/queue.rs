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
    let delivered: Vec<Delivered> = sqlx::query_as(
        "UPDATE ledger SET task = free.new_task, enqueued_wall = now(), retry_wall = NULL,
                lost = lost + (free.old_task IS NOT NULL AND retry_wall IS NULL)::integer
         FROM (SELECT ledger.id, ledger.task AS old_task, new.task AS new_task
               FROM unnest($1::bigint[], $2::text[]) AS new (id, task)
               JOIN ledger ON ledger.id = new.id
               WHERE ledger.state = 'owed' FOR UPDATE OF ledger SKIP LOCKED) AS free
         WHERE ledger.id = free.id
         RETURNING ledger.id, free.new_task, coalesce((SELECT generation FROM world), 0),
                   free.old_task",
    )
    .bind(ids)
    .bind(&tasks)
    .fetch_all(&mut *conn)
    .await?;
    let replaced: Vec<&str> = delivered.iter().filter_map(|(.., old)| old.as_deref()).collect();
    if !replaced.is_empty() {
        sqlx::query("DELETE FROM apalis.jobs WHERE id = ANY($1)")
            .bind(&replaced)
            .execute(&mut *conn)
            .await?;
    }
    let tasks = delivered.iter().map(task).collect::<Result<Vec<PgTask>, QueueError>>()?;
    let count = tasks.len();
    apalis_postgres::queries::push_tasks(conn, queue.as_str(), tasks).await?;
    sqlx::query("SELECT pg_notify($1, $2)")
        .bind(CHANNEL)
        .bind(queue.as_str())
        .execute(conn)
        .await?;
    Ok(count)
}

/// The ledger row, its task, the world, and the task before.
type Delivered = (i64, String, i64, Option<String>);

fn task((id, task, generation, _): &Delivered) -> Result<PgTask, QueueError> {
    let wire = serde_json::to_vec(&Wire { ledger: *id, generation: *generation })?;
    let task = Ulid::from_string(task).unwrap_or_else(|_| Ulid::generate());
    // Due since 1970: a worker's clock may be behind ours, and the queue compares with `now()`.
    Ok(TaskBuilder::new(wire).task_id(TaskId::from_ulid(task)).run_at_timestamp(1).build())
}

/// Deletes the tasks of jobs that are settled.
///
/// # Errors
/// Postgres failed.
pub async fn forget(conn: &mut PgConnection, ids: &[i64]) -> Result<(), QueueError> {
    sqlx::query(
        "DELETE FROM apalis.jobs USING ledger
         WHERE ledger.id = ANY($1) AND ledger.state <> 'owed' AND jobs.id = ledger.task",
    )
    .bind(ids)
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes one task, by its own id.
pub(crate) async fn discard(conn: &mut PgConnection, task: &str) -> Result<(), QueueError> {
    sqlx::query("DELETE FROM apalis.jobs WHERE id = $1").bind(task).execute(conn).await?;
    Ok(())
}

/// Returns what a stopped worker has fetched to the queue, so that others need not wait until it
/// counts as dead.
pub(crate) async fn give_back(conn: &mut PgConnection, worker: &str) -> Result<(), QueueError> {
    sqlx::query(
        "UPDATE apalis.jobs SET status = 'Pending', lock_by = NULL, lock_at = NULL
         WHERE lock_by = $1 AND status IN ('Queued', 'Running')",
    )
    .bind(worker)
    .execute(conn)
    .await?;
    Ok(())
}
