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
            let deleted = sqlx::query(sql).bind(batch).execute(pool).await?.rows_affected();
            total += deleted;
            if deleted < batch.unsigned_abs() {
                break;
            }
        }
    }
    let mut conn = pool.acquire().await?;
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
