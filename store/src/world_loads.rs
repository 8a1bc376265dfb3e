//! World loads: requests to replace the world by another one.
//!
//! The API records the request; the leading conductor replaces the world. API keys, actions, webhook
//! endpoints and sources are kept; everything the old world wrote is deleted.
use crate::digest::TABLES;
use crate::error::Error;
use crate::world;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow, PgConnection};

/// A load to be requested.
#[derive(Clone, Debug)]
pub struct NewLoad<'a> {
    /// The scenario file, byte for byte.
    pub scenario: &'a str,
    /// The scenario's name.
    pub name: &'a str,
    /// The seed.
    pub seed: u64,
    /// How the clock begins: `paused`, `live` or `fast`.
    pub mode: &'a str,
    /// The id of the API key that asks.
    pub requested_by: &'a str,
}

/// A load.
#[derive(Clone, Debug, FromRow)]
pub struct Load {
    /// Its number: the generation of the world that it makes.
    pub id: i64,
    /// The scenario file, byte for byte.
    pub scenario: String,
    /// The scenario's name.
    pub name: String,
    /// The bits of the unsigned seed.
    pub seed: i64,
    /// How the clock begins.
    pub mode: String,
    /// The id of the API key that asked.
    pub requested_by: String,
    /// When it was asked for.
    pub requested_wall: DateTime<Utc>,
    /// When the world was replaced.
    pub replaced_wall: Option<DateTime<Utc>>,
    /// When the new world could begin, or the load failed.
    pub done_wall: Option<DateTime<Utc>>,
    /// When the objects of the old world were gone; until then they are deleted while the new one
    /// runs.
    pub deleted_wall: Option<DateTime<Utc>>,
    /// Why it failed; the old world goes on then.
    pub error: Option<String>,
}

/// Requests a load and wakes the conductor; none when another one is in progress.
///
/// # Errors
/// [`Error::KernelMismatch`] when nobody can conduct the world there is, or Postgres failed.
pub async fn request(conn: &mut PgConnection, load: &NewLoad<'_>) -> Result<Option<i64>, Error> {
    world::assert_kernel(conn).await?;
    let id = sqlx::query_scalar(
        "INSERT INTO world_loads (scenario, name, seed, mode, requested_by)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT ((true)) WHERE done_wall IS NULL DO NOTHING
         RETURNING id",
    )
    .bind(load.scenario)
    .bind(load.name)
    .bind(load.seed.cast_signed())
    .bind(load.mode)
    .bind(load.requested_by)
    .fetch_optional(&mut *conn)
    .await?;
    if id.is_some() {
        let notify = sqlx::query("SELECT pg_notify($1, '')").bind(world::CLOCK_CHANNEL);
        notify.execute(conn).await?;
    }
    Ok(id)
}

/// One load.
pub async fn find(conn: &mut PgConnection, id: i64) -> sqlx::Result<Option<Load>> {
    sqlx::query_as("SELECT * FROM world_loads WHERE id = $1").bind(id).fetch_optional(conn).await
}

/// The load that is in progress.
pub async fn in_progress(conn: &mut PgConnection) -> sqlx::Result<Option<Load>> {
    sqlx::query_as("SELECT * FROM world_loads WHERE done_wall IS NULL").fetch_optional(conn).await
}

/// Deletes everything the world has written, so that another can be created in the same transaction.
/// Waits for jobs that run: each holds its row of the ledger to its end. Those that come later
/// wait for this, and find that their task is of another world.
pub async fn clear_world(conn: &mut PgConnection, term: i64) -> Result<(), Error> {
    sqlx::query("LOCK TABLE ledger IN ACCESS EXCLUSIVE MODE").execute(&mut *conn).await?;
    world::assert_term(conn, term).await?;
    // Endpoints are locked before their deliveries, as everywhere (`locks.rs`).
    sqlx::query("SELECT FROM webhook_endpoints ORDER BY id FOR NO KEY UPDATE")
        .execute(&mut *conn)
        .await?;
    let tables = TABLES.iter().map(|table| table.name).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "TRUNCATE {tables}, false_positives, finding_counts, image_packages, image_tags, ledger,
                  clock, webhook_deliveries, first_findings, expired_leaves, expired_objects,
                  owed_notifications, retention_runs"
    );
    sqlx::query(AssertSqlSafe(sql)).execute(&mut *conn).await?;
    sqlx::query("DELETE FROM apalis.jobs WHERE job_type <> 'study'").execute(&mut *conn).await?;
    sqlx::query("UPDATE webhook_endpoints SET told_through = 0").execute(conn).await?;
    Ok(())
}

/// Records that the world has been replaced by the one that was just created.
pub async fn mark_replaced(conn: &mut PgConnection, load: &Load, term: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE world SET generation = $1, term = $2")
        .bind(load.id)
        .bind(term)
        .execute(&mut *conn)
        .await?;
    // Fast means to the end of the scenario; from there on the world is live.
    sqlx::query(
        "UPDATE clock SET mode = $1, then_mode = 'live',
                run_until = CASE WHEN $1 = 'fast' THEN (SELECT ends_at FROM world) END",
    )
    .bind(&load.mode)
    .execute(&mut *conn)
    .await?;
    sqlx::query("UPDATE world_loads SET replaced_wall = now() WHERE id = $1")
        .bind(load.id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Records that the objects of all worlds before are deleted.
pub async fn objects_deleted(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE world_loads SET deleted_wall = now()
         WHERE done_wall IS NOT NULL AND error IS NULL AND deleted_wall IS NULL",
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Records that a load has ended: done, or failed for a reason.
pub async fn finish(conn: &mut PgConnection, id: i64, error: Option<&str>) -> sqlx::Result<()> {
    sqlx::query("UPDATE world_loads SET done_wall = now(), error = $2 WHERE id = $1")
        .bind(id)
        .bind(error)
        .execute(conn)
        .await?;
    Ok(())
}
