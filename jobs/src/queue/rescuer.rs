//! The rescuer: delivers again what the ledger owes and no worker holds.
//!
//! The queue's own recovery of orphans counts attempts without a limit, and takes half a minute; it
//! is left on as the last resort, and this comes first.
use super::{QueueError, deliver};
use sqlx::PgPool;
use std::time::Duration;
use store::delivery::lost;
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
    let RescueTimeouts { delivery, worker, attempt } = *timeouts;
    let found = lost(&mut tx, delivery, worker, attempt).await?;
    let mut delivered = Vec::new();
    for queue in Queue::OF_WORLD {
        let ids: Vec<i64> =
            found.iter().filter(|(of, _)| *of == queue).map(|(_, id)| *id).collect();
        if !ids.is_empty() {
            delivered.push((queue, deliver(&mut tx, queue, &ids).await?));
        }
    }
    tx.commit().await?;
    Ok(delivered)
}
