//! The cleaner: deletes what is no longer needed, batch by batch.
use super::QueueError;
use sqlx::PgPool;
use std::time::Duration;

/// Deletes, at most `batch` rows a statement: tasks of jobs that are settled or unknown, workers that
/// have long been gone, old ledger rows, and responses whose `Idempotency-Key` has expired. Returns
/// how many rows.
///
/// # Errors
/// Postgres failed; batches deleted before stay deleted.
pub async fn clean(pool: &PgPool, batch: i64) -> Result<u64, QueueError> {
    let mut total = store::delivery::delete_stale(pool, batch).await?;
    let mut conn = pool.acquire().await?;
    total += store::delivery::delete_stale_workers(&mut conn).await?;
    loop {
        let age = Duration::from_secs(600);
        let ledger = store::ledger::delete_done(&mut conn, age, batch).await?;
        let responses = store::idempotency::delete_expired(&mut conn, batch).await?;
        total += ledger + responses;
        if ledger.max(responses) < batch.unsigned_abs() {
            return Ok(total);
        }
    }
}
