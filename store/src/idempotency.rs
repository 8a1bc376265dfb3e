//! Responses to requests that carried an `Idempotency-Key`: stored in the transaction of the write,
//! and returned when the request is repeated.
use sqlx::{FromRow, PgConnection};

/// How long a response is kept, in hours.
pub const KEPT_HOURS: i32 = 24;

/// A response that was given.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct StoredResponse {
    /// SHA-256 over the method, the path and the body of the request.
    pub request_hash: Vec<u8>,
    /// The HTTP status.
    pub status: i32,
    /// The `Location` header.
    pub location: Option<String>,
    /// The body: JSON.
    pub body: String,
}

/// The response to this key of this caller, unless it has expired.
pub async fn find(
    conn: &mut PgConnection,
    api_key: &str,
    key: &str,
) -> sqlx::Result<Option<StoredResponse>> {
    sqlx::query_as(
        "SELECT request_hash, status, location, body FROM idempotency_keys
         WHERE api_key = $1 AND key = $2 AND created_wall >= now() - make_interval(hours => $3)",
    )
    .bind(api_key)
    .bind(key)
    .bind(KEPT_HOURS)
    .fetch_optional(conn)
    .await
}

/// Stores a response. Fails with a unique violation when the same request is being handled elsewhere:
/// this one must then be rolled back.
pub async fn insert(
    conn: &mut PgConnection,
    api_key: &str,
    key: &str,
    response: &StoredResponse,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO idempotency_keys (api_key, key, request_hash, status, location, body)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(api_key)
    .bind(key)
    .bind(&response.request_hash)
    .bind(response.status)
    .bind(&response.location)
    .bind(&response.body)
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes at most `limit` responses that are older than [`KEPT_HOURS`].
pub async fn delete_expired(conn: &mut PgConnection, limit: i64) -> sqlx::Result<u64> {
    let sql = "DELETE FROM idempotency_keys WHERE (api_key, key) IN (
                   SELECT api_key, key FROM idempotency_keys
                   WHERE created_wall < now() - make_interval(hours => $1) LIMIT $2)";
    Ok(sqlx::query(sql).bind(KEPT_HOURS).bind(limit).execute(conn).await?.rows_affected())
}
