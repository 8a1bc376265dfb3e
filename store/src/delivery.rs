//! What the delivery of jobs reads and writes: the ledger's side of it, and apalis's own tables, which
//! hold a task for each job that was delivered. Pushing tasks is apalis's own business (`jobs`).
use crate::error::Error;
use crate::queue::Queue;
use sqlx::{FromRow, PgConnection, PgPool};
use std::time::Duration;

/// A job that is delivered under a new task.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Delivered {
    /// The ledger row.
    pub id: i64,
    /// Its new task.
    pub new_task: String,
    /// The generation of the world it is of.
    pub generation: i64,
    /// The task before, which nobody finished.
    pub old_task: Option<String>,
}

/// Gives each job that is owed, and that no worker holds at this moment, the task beside it. A job that
/// was delivered before, and neither failed nor finished, counts as lost once more; its task before is
/// deleted.
pub async fn assign_tasks(
    conn: &mut PgConnection,
    ids: &[i64],
    tasks: &[String],
) -> Result<Vec<Delivered>, Error> {
    let delivered: Vec<Delivered> = sqlx::query_as(
        "UPDATE ledger SET task = free.new_task, enqueued_wall = now(), retry_wall = NULL,
                lost = lost + (free.old_task IS NOT NULL AND retry_wall IS NULL)::integer
         FROM (SELECT ledger.id, ledger.task AS old_task, new.task AS new_task
               FROM unnest($1::bigint[], $2::text[]) AS new (id, task)
               JOIN ledger ON ledger.id = new.id
               WHERE ledger.state = 'owed' FOR UPDATE OF ledger SKIP LOCKED) AS free
         WHERE ledger.id = free.id
         RETURNING ledger.id, free.new_task,
                   coalesce((SELECT generation FROM world), 0) AS generation, free.old_task",
    )
    .bind(ids)
    .bind(tasks)
    .fetch_all(&mut *conn)
    .await?;
    let replaced: Vec<&str> = delivered.iter().filter_map(|job| job.old_task.as_deref()).collect();
    if !replaced.is_empty() {
        sqlx::query(
            "DELETE FROM apalis.jobs WHERE id IN (
                 SELECT id FROM apalis.jobs WHERE id = ANY($1) ORDER BY id FOR UPDATE)",
        )
        .bind(&replaced)
        .execute(conn)
        .await?;
    }
    Ok(delivered)
}

/// Tells the workers of all processes, when the transaction commits, that a queue has tasks.
pub async fn announce(conn: &mut PgConnection, channel: &str, queue: Queue) -> Result<(), Error> {
    let notify = sqlx::query("SELECT pg_notify($1, $2)").bind(channel).bind(queue.as_str());
    notify.execute(conn).await?;
    Ok(())
}

/// Deletes the tasks of jobs that are settled, but for those that somebody else deletes at this moment.
pub async fn delete_settled_tasks(conn: &mut PgConnection, ids: &[i64]) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM apalis.jobs WHERE id IN (
             SELECT j.id FROM apalis.jobs j JOIN ledger l ON l.task = j.id
             WHERE l.id = ANY($1) AND l.state <> 'owed'
             FOR UPDATE OF j SKIP LOCKED)",
    )
    .bind(ids)
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes one task, by its own id.
pub async fn delete_task(conn: &mut PgConnection, task: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM apalis.jobs WHERE id = $1").bind(task).execute(conn).await?;
    Ok(())
}

/// Returns what a worker has fetched to the queue.
pub async fn release_tasks(conn: &mut PgConnection, worker: &str) -> Result<(), Error> {
    sqlx::query(
        "UPDATE apalis.jobs SET status = 'Pending', lock_by = NULL, lock_at = NULL
         WHERE id IN (SELECT id FROM apalis.jobs
                      WHERE lock_by = $1 AND status IN ('Queued', 'Running')
                      ORDER BY id FOR UPDATE)",
    )
    .bind(worker)
    .execute(conn)
    .await?;
    Ok(())
}

/// Jobs to be delivered again, at most 1,000: those that failed and are due, and those whose delivery
/// was lost. It was lost when it is `delivery` old and its task is gone or ended; when the worker that
/// fetched it has given no sign of life for `worker`; or when it is `attempt` old. A row that a worker
/// holds is locked by its transaction, and skipped. A task that waits in the queue is not lost, however
/// long the queue is.
pub async fn lost(
    conn: &mut PgConnection,
    delivery: Duration,
    worker: Duration,
    attempt: Duration,
) -> Result<Vec<(Queue, i64)>, Error> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT l.queue, l.id
         FROM ledger l
              LEFT JOIN apalis.jobs j ON j.id = l.task
              LEFT JOIN apalis.workers w ON w.id = j.lock_by
         WHERE l.state = 'owed' AND (l.retry_wall <= now()
            OR (l.retry_wall IS NULL AND l.task IS NOT NULL
                AND l.enqueued_wall < now() - $1 * interval '1 second'
                AND (j.id IS NULL OR j.status NOT IN ('Pending', 'Queued', 'Running')
                     OR (j.status <> 'Pending'
                         AND (w.last_seen < now() - $2 * interval '1 second'
                              OR l.enqueued_wall < now() - $3 * interval '1 second')))))
         ORDER BY l.id LIMIT 1000
         FOR UPDATE OF l SKIP LOCKED",
    )
    .bind(delivery.as_secs_f64())
    .bind(worker.as_secs_f64())
    .bind(attempt.as_secs_f64())
    .fetch_all(conn)
    .await?;
    let parsed = rows.into_iter().map(|(name, id)| Ok((Queue::parse("ledger.queue", &name)?, id)));
    parsed.collect()
}

/// Deletes, at most `batch` rows a statement, the tasks of jobs of the world that are settled or that no
/// ledger row knows (not ours, or unreadable). Returns how many rows.
pub async fn delete_stale(pool: &PgPool, batch: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM apalis.jobs WHERE id IN (
             SELECT j.id FROM apalis.jobs j LEFT JOIN ledger l ON l.task = j.id
             WHERE j.job_type <> 'study' AND j.run_at < now() - interval '30 seconds'
               AND (l.id IS NULL OR l.state <> 'owed')
               AND (j.lock_at IS NULL OR j.lock_at < now() - interval '30 seconds')
             LIMIT $1 FOR UPDATE OF j SKIP LOCKED)";
    let mut total = 0;
    loop {
        let deleted = sqlx::query(sql).bind(batch).execute(pool).await?.rows_affected();
        total += deleted;
        if deleted < batch.unsigned_abs() {
            return Ok(total);
        }
    }
}

/// Deletes workers that have long been gone. Returns how many.
pub async fn delete_stale_workers(conn: &mut PgConnection) -> Result<u64, Error> {
    let sql = "DELETE FROM apalis.workers WHERE id IN (
             SELECT w.id FROM apalis.workers w
             WHERE w.last_seen < now() - interval '10 minutes'
               AND NOT EXISTS (SELECT FROM apalis.jobs j WHERE j.lock_by = w.id)
             LIMIT 1000 FOR UPDATE OF w SKIP LOCKED)";
    Ok(sqlx::query(sql).execute(conn).await?.rows_affected())
}

/// A job that has been owed for long.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct OverdueJob {
    /// The ledger row.
    pub id: i64,
    /// The queue's name.
    pub queue: String,
    /// How many attempts failed.
    pub attempts: i32,
    /// How many deliveries nobody finished.
    pub lost: i32,
}

/// The first job that was delivered longer ago than `age` and is still owed.
pub async fn overdue(pool: &PgPool, age: Duration) -> Result<Option<OverdueJob>, Error> {
    Ok(sqlx::query_as(
        "SELECT id, queue, attempts, lost FROM ledger
         WHERE state = 'owed' AND enqueued_wall < now() - $1 * interval '1 second'
         ORDER BY id LIMIT 1",
    )
    .bind(age.as_secs_f64())
    .fetch_optional(pool)
    .await?)
}
