//! Metrics of the installation for monitoring, each from an index or a single row.
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

/// Where the world stands and how it is meant to go.
#[derive(Clone, Debug, FromRow)]
pub struct WorldMetrics {
    /// Where simulated time begins.
    pub starts_at: DateTime<Utc>,
    /// Facts up to here have been handed to the workers.
    pub released_through: DateTime<Utc>,
    /// Every job up to here is done.
    pub materialized_through: DateTime<Utc>,
    /// `paused`, `live` or `fast`.
    pub mode: String,
    /// Simulated over real time, in live mode.
    pub factor: f64,
    /// Whether a defect holds the clock.
    pub held: bool,
    /// How many conductors there have been.
    pub term: i64,
    /// From here on history is whole.
    pub history_from: DateTime<Utc>,
    /// Rows that the retention has removed.
    pub removed_rows: i64,
    /// Objects that it has removed.
    pub removed_objects: i64,
}

/// The world's metrics; none: there is no world yet.
pub async fn world(conn: &mut PgConnection) -> sqlx::Result<Option<WorldMetrics>> {
    sqlx::query_as(
        "SELECT w.starts_at, w.released_through, w.materialized_through, w.term, c.mode, c.factor,
                c.held_reason IS NOT NULL AS held,
                coalesce(r.history_from, w.starts_at) AS history_from, r.removed_rows,
                r.removed_objects
         FROM world w CROSS JOIN clock c
         CROSS JOIN (SELECT max(history_from) AS history_from,
                            coalesce(sum(removed_rows), 0)::bigint AS removed_rows,
                            coalesce(sum(objects), 0)::bigint AS removed_objects
                     FROM retention_runs) r",
    )
    .fetch_optional(conn)
    .await
}

/// Jobs that are not done, by queue and state.
pub async fn jobs(conn: &mut PgConnection) -> sqlx::Result<Vec<(String, String, i64)>> {
    sqlx::query_as(
        "SELECT queue, state, count(*) FROM ledger WHERE state <> 'done' GROUP BY queue, state",
    )
    .fetch_all(conn)
    .await
}

/// Webhook deliveries that wait, and those that are dead.
pub async fn webhooks(conn: &mut PgConnection) -> sqlx::Result<(i64, i64)> {
    sqlx::query_as(
        "SELECT (SELECT count(*) FROM webhook_deliveries WHERE state = 'pending'),
                (SELECT count(*) FROM webhook_deliveries WHERE state = 'dead')",
    )
    .fetch_one(conn)
    .await
}
