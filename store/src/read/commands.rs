//! Commands as whoever sent them sees them, and what a command must know of the world.
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

/// A stored command.
#[derive(Clone, Debug, FromRow)]
pub struct CommandRow {
    /// Its number.
    pub seq: i64,
    /// What was asked.
    pub kind: String,
    /// All of it.
    pub command: serde_json::Value,
    /// Whom it is about.
    pub tenant_namespace: String,
    /// When the world took it.
    pub applied_at: Option<DateTime<Utc>>,
    /// Why the world refused it.
    pub rejected: Option<String>,
    /// When it was stored.
    pub received_wall: DateTime<Utc>,
}

pub(super) const COLUMNS: &str =
    "SELECT seq, command ->> 'command' AS kind, command, tenant_namespace, applied_at, rejected,
            received_wall FROM commands";

/// One command.
pub async fn command(conn: &mut PgConnection, seq: i64) -> sqlx::Result<Option<CommandRow>> {
    let sql = format!("{COLUMNS} WHERE seq = $1");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(seq).fetch_optional(conn).await
}

/// A completion of an external build that the world has not refused.
pub async fn completion(conn: &mut PgConnection, build: i64) -> sqlx::Result<Option<CommandRow>> {
    let sql = format!(
        "{COLUMNS} WHERE command ->> 'command' = 'complete_build' AND rejected IS NULL
         AND (command ->> 'build')::bigint = $1"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(build).fetch_optional(conn).await
}

/// The version of an image with this digest.
pub async fn version_of(
    conn: &mut PgConnection,
    image_id: i64,
    digest: &str,
) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar(
        "SELECT version FROM image_versions WHERE digest = $2 AND image_id = $1
         ORDER BY version DESC LIMIT 1",
    )
    .bind(image_id)
    .bind(digest)
    .fetch_optional(conn)
    .await
}

/// Whether a customer uses an image now.
pub async fn uses(conn: &mut PgConnection, customer: i64, image: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM customer_image_usage
                        WHERE customer_id = $1 AND image_id = $2 AND valid_to IS NULL)",
    )
    .bind(customer)
    .bind(image)
    .fetch_one(conn)
    .await
}

/// A release of a package, by its version.
#[derive(Clone, Copy, Debug, FromRow)]
pub struct Release {
    /// The package.
    pub package_id: i64,
    /// The ordinal of the release.
    pub release: i32,
}

/// The release of a package with this version; the first one when no version is named.
pub async fn release(
    conn: &mut PgConnection,
    package: &str,
    version: Option<&str>,
) -> sqlx::Result<Option<Release>> {
    sqlx::query_as(
        "SELECT r.package_id, r.release FROM packages p
         JOIN package_releases r ON r.package_id = p.id
         WHERE p.name = $1 AND ($2::text IS NULL AND r.release = 0 OR r.version = $2)",
    )
    .bind(package)
    .bind(version)
    .fetch_optional(conn)
    .await
}
