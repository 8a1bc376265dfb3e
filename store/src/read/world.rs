//! Where the world stands, and who drives it.
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

/// The world's record without its scenario's text.
#[derive(Clone, Debug, FromRow)]
pub struct Position {
    /// The scenario's name.
    pub name: String,
    /// SHA-256 of the scenario, in hexadecimal.
    pub scenario_sha256: String,
    /// The bits of the unsigned seed.
    pub seed: i64,
    /// The version of the kernel that made the record.
    pub kernel_version: String,
    /// Where simulated time begins.
    pub starts_at: DateTime<Utc>,
    /// Where the scenario ends; a live world goes on.
    pub ends_at: DateTime<Utc>,
    /// Facts up to here have been handed to the workers.
    pub released_through: DateTime<Utc>,
    /// The last fact among them.
    pub released_seq: i64,
    /// Every job up to here is done.
    pub materialized_through: DateTime<Utc>,
    /// The last fact among those.
    pub materialized_seq: i64,
    /// The load that made the world; 0 when it was there from the start.
    pub generation: i64,
    /// How long history is kept, in simulated milliseconds; none: for ever.
    pub keep_ms: Option<i64>,
    /// From here on history is whole; none: nothing was removed.
    pub history_from: Option<DateTime<Utc>>,
}

/// Where the world stands; none when this database holds no world yet.
pub async fn position(conn: &mut PgConnection) -> sqlx::Result<Option<Position>> {
    sqlx::query_as(
        "SELECT name, scenario_sha256, seed, kernel_version, starts_at, ends_at,
                released_through, released_seq, materialized_through, materialized_seq, generation,
                keep_ms, (SELECT r.history_from FROM retention_runs r ORDER BY r.at DESC LIMIT 1)
                    AS history_from
         FROM world",
    )
    .fetch_optional(conn)
    .await
}

/// How much a world began with.
#[derive(Clone, Copy, Debug, FromRow)]
pub struct Beginning {
    /// Images.
    pub images: i64,
    /// Packages.
    pub packages: i64,
    /// Customers.
    pub customers: i64,
    /// SLA policies.
    pub policies: i64,
}

/// How much the world began with.
pub async fn beginning(conn: &mut PgConnection) -> sqlx::Result<Beginning> {
    sqlx::query_as(
        "SELECT (SELECT count(*) FROM images WHERE created_at <= world.starts_at) AS images,
                (SELECT count(*) FROM packages) AS packages,
                (SELECT count(*) FROM customers) AS customers,
                (SELECT count(*) FROM sla_policies) AS policies
         FROM world",
    )
    .fetch_one(conn)
    .await
}
