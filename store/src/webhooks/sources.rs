//! The forges that may tell of pushes upstream, and what was taken from them.
use crate::locks::{self, Quota};
use crate::read::TOTAL_BOUND;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow, PgConnection};

/// The most sources of one tenant that are not revoked.
pub const MAX_SOURCES: i64 = 20;

/// A source, without its secret.
#[derive(Clone, Debug, FromRow)]
pub struct SourceRow {
    /// Its id.
    pub id: String,
    /// Whose images its pushes rebuild; none: those of the platform.
    pub tenant_namespace: Option<String>,
    /// What people call it.
    pub name: String,
    /// The key that made it.
    pub created_by: String,
    /// When it was made.
    pub created_wall: DateTime<Utc>,
    /// When a push of it was last taken.
    pub last_used_wall: Option<DateTime<Utc>>,
    /// Since when nothing is taken from it.
    pub revoked_wall: Option<DateTime<Utc>>,
}

const COLUMNS: &str =
    "id, tenant_namespace, name, created_by, created_wall, last_used_wall, revoked_wall";

/// Makes a source.
pub async fn insert(
    conn: &mut PgConnection,
    tenant: Option<&str>,
    name: &str,
    secret: &str,
    created_by: &str,
) -> sqlx::Result<SourceRow> {
    let statement = format!(
        "INSERT INTO webhook_sources (tenant_namespace, name, secret, created_by)
         VALUES ($1, $2, $3, $4) RETURNING {COLUMNS}"
    );
    sqlx::query_as(AssertSqlSafe(statement))
        .bind(tenant)
        .bind(name)
        .bind(secret)
        .bind(created_by)
        .fetch_one(conn)
        .await
}

/// How many sources that are not revoked a tenant has, or the platform. Those who make one at the
/// same time wait for each other until their transactions end.
pub async fn count(conn: &mut PgConnection, tenant: Option<&str>) -> sqlx::Result<i64> {
    locks::lock_quota(conn, Quota::WebhookSources, tenant).await?;
    sqlx::query_scalar(
        "SELECT count(*) FROM webhook_sources
         WHERE tenant_namespace IS NOT DISTINCT FROM $1 AND revoked_wall IS NULL",
    )
    .bind(tenant)
    .fetch_one(conn)
    .await
}

/// Sources by id, those after `after`, revoked ones too.
pub async fn list(
    conn: &mut PgConnection,
    after: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<SourceRow>> {
    let statement = format!(
        "SELECT {COLUMNS} FROM webhook_sources
         WHERE ($1::text IS NULL OR id > $1) ORDER BY id LIMIT $2"
    );
    sqlx::query_as(AssertSqlSafe(statement)).bind(after).bind(limit).fetch_all(conn).await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn total(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT FROM webhook_sources ORDER BY id LIMIT $1) AS counted",
    )
    .bind(TOTAL_BOUND + 1)
    .fetch_one(conn)
    .await
}

/// Takes nothing from a source any more; again changes nothing. None: there is no such source.
pub async fn revoke(conn: &mut PgConnection, id: &str) -> sqlx::Result<Option<SourceRow>> {
    let statement = format!(
        "UPDATE webhook_sources SET revoked_wall = coalesce(revoked_wall, now())
         WHERE id = $1 RETURNING {COLUMNS}"
    );
    sqlx::query_as(AssertSqlSafe(statement)).bind(id).fetch_optional(conn).await
}

/// What checking a signature needs of a source.
#[derive(Clone, Debug, FromRow)]
pub struct Trusted {
    /// Whose images its pushes rebuild; none: those of the platform.
    pub tenant_namespace: Option<String>,
    /// What people call it.
    pub name: String,
    /// What its messages are signed with.
    pub secret: String,
}

/// A source that is not revoked, with its secret.
pub async fn trusted(conn: &mut PgConnection, id: &str) -> sqlx::Result<Option<Trusted>> {
    sqlx::query_as(
        "SELECT tenant_namespace, name, secret FROM webhook_sources
         WHERE id = $1 AND revoked_wall IS NULL",
    )
    .bind(id)
    .fetch_optional(conn)
    .await
}

/// Remembers a delivery of a source; false when it, or its body, was taken before.
pub async fn receive(
    conn: &mut PgConnection,
    source: &str,
    tenant: Option<&str>,
    delivery: &str,
    body_sha256: &[u8],
) -> sqlx::Result<bool> {
    let received = sqlx::query(
        "INSERT INTO webhook_receipts (source_id, delivery, tenant_namespace, body_sha256)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(source)
    .bind(delivery)
    .bind(tenant)
    .bind(body_sha256)
    .execute(&mut *conn)
    .await?;
    if received.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("UPDATE webhook_sources SET last_used_wall = now() WHERE id = $1")
        .bind(source)
        .execute(conn)
        .await?;
    Ok(true)
}
