//! The rescuer: delivers again what the ledger owes and no worker holds.
//!
//! The queue's own recovery of orphans counts attempts without a limit, and takes half a minute; it
//! is left on as the last resort, and this comes first.
use super::{QueueError, deliver};
use sqlx::{PgConnection, PgPool};
use std::time::Duration;
use store::queue::Queue;

/// How long the rescuer waits before it takes a delivery for lost.
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
    timeouts: &RescueTimeouts,
) -> Result<Vec<(Queue, usize)>, QueueError> {
    let mut tx = pool.begin().await?;
    let found = find(&mut tx, timeouts).await?;
    let mut delivered = Vec::new();
    for queue in Queue::ALL {
        let ids: Vec<i64> =
            found.iter().filter(|(of, _)| *of == queue).map(|(_, id)| *id).collect();
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
    timeouts: &RescueTimeouts,
) -> Result<Vec<(Queue, i64)>, QueueError> {
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
    .bind(timeouts.delivery.as_secs_f64())
    .bind(timeouts.worker.as_secs_f64())
    .bind(timeouts.attempt.as_secs_f64())
    .fetch_all(conn)
    .await?;
    let parsed = rows.into_iter().map(|(name, id)| Ok((Queue::parse("ledger.queue", &name)?, id)));
    parsed.collect()
}
