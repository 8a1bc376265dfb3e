//! The keys of the API's callers: only hashes of their secrets are kept.
use crate::read::TOTAL_BOUND;
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

/// A key without its secret.
#[derive(Clone, Debug, FromRow)]
pub struct ApiKeyRow {
    /// Its public part.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// `admin`, `editor`, `viewer` or `orchestrator`.
    pub role: String,
    /// The tenant it is bound to; none: the platform's own.
    pub tenant_namespace: Option<String>,
    /// SHA-256 of the secret.
    pub secret_sha256: Vec<u8>,
    /// The key, or the program, that made it.
    pub created_by: String,
    /// When it was made.
    pub created_wall: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_wall: Option<DateTime<Utc>>,
    /// When a token was last had for it.
    pub last_used_wall: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_wall: Option<DateTime<Utc>>,
}

/// A key to be stored.
#[derive(Clone, Debug)]
pub struct NewApiKey<'a> {
    /// Its public part.
    pub id: &'a str,
    /// What people call it.
    pub name: &'a str,
    /// Its role.
    pub role: &'a str,
    /// The tenant it is bound to.
    pub tenant_namespace: Option<&'a str>,
    /// SHA-256 of its secret.
    pub secret_sha256: [u8; 32],
    /// Who makes it.
    pub created_by: &'a str,
    /// After how many days it ends by itself.
    pub expires_in_days: Option<i32>,
}

/// Stores a key.
pub async fn insert(conn: &mut PgConnection, key: &NewApiKey<'_>) -> sqlx::Result<ApiKeyRow> {
    sqlx::query_as(
        "INSERT INTO api_keys (id, name, role, tenant_namespace, secret_sha256, created_by,
                               expires_wall)
         VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(days => $7)) RETURNING *",
    )
    .bind(key.id)
    .bind(key.name)
    .bind(key.role)
    .bind(key.tenant_namespace)
    .bind(key.secret_sha256.as_slice())
    .bind(key.created_by)
    .bind(key.expires_in_days)
    .fetch_one(conn)
    .await
}

/// A key that can be used now: neither revoked nor past its end.
pub async fn valid(conn: &mut PgConnection, id: &str) -> sqlx::Result<Option<ApiKeyRow>> {
    sqlx::query_as(
        "SELECT * FROM api_keys
         WHERE id = $1 AND revoked_wall IS NULL AND (expires_wall IS NULL OR expires_wall > now())",
    )
    .bind(id)
    .fetch_optional(conn)
    .await
}

/// Notes that a key was used.
pub async fn touch(conn: &mut PgConnection, id: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE api_keys SET last_used_wall = now() WHERE id = $1")
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Revokes a key; whether there was one that was not revoked yet.
pub async fn revoke(conn: &mut PgConnection, id: &str) -> sqlx::Result<bool> {
    let sql = "UPDATE api_keys SET revoked_wall = now() WHERE id = $1 AND revoked_wall IS NULL";
    Ok(sqlx::query(sql).bind(id).execute(conn).await?.rows_affected() > 0)
}

/// Keys by id, at most `limit` of them, after `after`.
pub async fn list(
    conn: &mut PgConnection,
    after: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<ApiKeyRow>> {
    sqlx::query_as(
        "SELECT * FROM api_keys WHERE ($1::text IS NULL OR id > $1) ORDER BY id LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn total(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT FROM api_keys ORDER BY id LIMIT $1) AS counted",
    )
    .bind(TOTAL_BOUND + 1)
    .fetch_one(conn)
    .await
}

/// One key, also one that was revoked.
pub async fn get(conn: &mut PgConnection, id: &str) -> sqlx::Result<Option<ApiKeyRow>> {
    sqlx::query_as("SELECT * FROM api_keys WHERE id = $1").bind(id).fetch_optional(conn).await
}

/// Whether the world has such a tenant.
pub async fn tenant_exists(conn: &mut PgConnection, namespace: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM customers WHERE tenant_namespace = $1)")
        .bind(namespace)
        .fetch_one(conn)
        .await
}

/// Revokes the keys with this name.
pub async fn revoke_named(conn: &mut PgConnection, name: &str) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE api_keys SET revoked_wall = now() WHERE name = $1 AND revoked_wall IS NULL",
    )
    .bind(name)
    .execute(conn)
    .await?;
    Ok(())
}
