//! The sweeper: what the ledger says is owed and nobody holds is delivered again, and what is no
//! longer needed is deleted, in pieces.
//!
//! The queue's own recovery of orphans adds attempts but never looks at them, and takes half a
//! minute; it is left on as the last resort, and this comes first.
use super::{QueueError, deliver};
use sqlx::{PgConnection, PgPool};
use std::time::Duration;
use store::queue::Queue;

/// What the sweeper waits for before it calls a delivery lost.
#[derive(Clone, Copy, Debug)]
pub struct RescueTimeouts {
    /// Since the delivery, whatever became of it.
    pub delivery: Duration,
    /// Since the last sign of life of the worker that fetched it.
    pub worker: Duration,
    /// Since the delivery, when a live worker fetched it: longer than an attempt may take.
    pub attempt: Duration,
}

impl Default for RescueTimeouts {
    fn default() -> Self {
        RescueTimeouts {
            delivery: Duration::from_secs(3),
            worker: Duration::from_secs(10),
            attempt: Duration::from_secs(150),
        }
    }
}

/// Delivers again what failed and is due, and what was lost. Returns the queues that have new
/// tasks and how many.
///
/// # Errors
/// Postgres failed; nothing is changed.
pub async fn redeliver(
    pool: &PgPool,
    rescue_timeouts: &RescueTimeouts,
) -> Result<Vec<(Queue, usize)>, QueueError> {
    let mut tx = pool.begin().await?;
    let found = find(&mut tx, rescue_timeouts).await?;
    let mut delivered = Vec::new();
    for queue in Queue::ALL {
        let ids: Vec<i64> =
            found.iter().filter(|(name, _)| name == queue.as_str()).map(|(_, id)| *id).collect();
        if !ids.is_empty() {
            delivered.push((queue, deliver(&mut tx, queue, &ids).await?));
        }
    }
    tx.commit().await?;
    Ok(delivered)
}

/// A row that a worker holds is locked by its transaction, and skipped. A task that waits in the
/// queue is not lost, however long the queue is.
async fn find(
    conn: &mut PgConnection,
    rescue_timeouts: &RescueTimeouts,
) -> Result<Vec<(String, i64)>, QueueError> {
    Ok(sqlx::query_as(
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
    .bind(rescue_timeouts.delivery.as_secs_f64())
    .bind(rescue_timeouts.worker.as_secs_f64())
    .bind(rescue_timeouts.attempt.as_secs_f64())
    .fetch_all(conn)
    .await?)
}

/// Deletes, in pieces of at most `piece` rows each: tasks of jobs that are settled or unknown,
/// workers that have long been gone, old ledger rows, and answers under an `Idempotency-Key` whose
/// time is over. Returns how many rows.
///
/// # Errors
/// Postgres failed; pieces deleted before stay deleted.
pub async fn prune(pool: &PgPool, piece: i64) -> Result<u64, QueueError> {
    let mut total = 0;
    for sql in [
        // Of settled jobs, and tasks that no ledger row knows (not ours, or unreadable).
        "DELETE FROM apalis.jobs WHERE id IN (
             SELECT j.id FROM apalis.jobs j LEFT JOIN ledger l ON l.task = j.id
             WHERE j.run_at < now() - interval '30 seconds'
               AND (l.id IS NULL OR l.state <> 'owed')
               AND (j.lock_at IS NULL OR j.lock_at < now() - interval '30 seconds')
             LIMIT $1)",
        "DELETE FROM apalis.workers WHERE id IN (
             SELECT w.id FROM apalis.workers w
             WHERE w.last_seen < now() - interval '10 minutes'
               AND NOT EXISTS (SELECT FROM apalis.jobs j WHERE j.lock_by = w.id)
             LIMIT $1)",
    ] {
        loop {
            let deleted = sqlx::query(sql).bind(piece).execute(pool).await?.rows_affected();
            total += deleted;
            if deleted < piece as u64 {
                break;
            }
        }
    }
    let mut conn = pool.acquire().await?;
    loop {
        let age = Duration::from_secs(600);
        let ledger = store::ledger::delete_done(&mut conn, age, piece).await?;
        let answers = store::idempotency::delete_expired(&mut conn, piece).await?;
        total += ledger + answers;
        if ledger.max(answers) < piece as u64 {
            return Ok(total);
        }
    }
}
