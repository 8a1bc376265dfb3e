//! What callers of the API did, and what they were refused: kept beside the world, not in it.
use crate::read::TOTAL_BOUND;
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

/// An action to be written down.
#[derive(Clone, Debug)]
pub struct NewAction<'a> {
    /// The id of the caller's key, or who else it was.
    pub actor: &'a str,
    /// The caller's role.
    pub role: &'a str,
    /// The caller's tenant; none: the platform.
    pub tenant_namespace: Option<&'a str>,
    /// The operation of the specification.
    pub operation: &'a str,
    /// What it was done to: a path or an id.
    pub object: &'a str,
    /// The code of the problem when it was refused.
    pub refused: Option<&'a str>,
    /// The request.
    pub request_id: &'a str,
}

/// Writes an action down, with the simulated instant at which the world stands.
pub async fn insert(conn: &mut PgConnection, action: &NewAction<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO actions (at, actor, role, tenant_namespace, operation, object, outcome, code,
                              request_id)
         VALUES ((SELECT released_through FROM world), $1, $2, $3, $4, $5,
                 CASE WHEN $6::text IS NULL THEN 'done' ELSE 'refused' END, $6, $7)",
    )
    .bind(action.actor)
    .bind(action.role)
    .bind(action.tenant_namespace)
    .bind(action.operation)
    .bind(action.object)
    .bind(action.refused)
    .bind(action.request_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// An action as it was written down.
#[derive(Clone, Debug, FromRow)]
pub struct ActionRow {
    /// Its number, in the order of writing.
    pub id: i64,
    /// When it happened.
    pub happened_wall: DateTime<Utc>,
    /// Where the world stood.
    pub at: Option<DateTime<Utc>>,
    /// The id of the caller's key, or who else it was.
    pub actor: String,
    /// The caller's role.
    pub role: String,
    /// The caller's tenant.
    pub tenant_namespace: Option<String>,
    /// The operation.
    pub operation: String,
    /// What it was done to.
    pub object: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// Why it was refused.
    pub code: Option<String>,
    /// The request.
    pub request_id: String,
}

/// Which actions a list holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct ActionFilter<'a> {
    /// Only those of this key.
    pub actor: Option<&'a str>,
    /// Only those of this operation.
    pub operation: Option<&'a str>,
    /// Only those that ended so.
    pub outcome: Option<&'a str>,
    /// Only those that happened when the world stood here or earlier.
    pub as_of: Option<DateTime<Utc>>,
}

const LISTED: &str = "($1::text IS NULL OR actor = $1) AND ($2::text IS NULL OR operation = $2)
           AND ($3::text IS NULL OR outcome = $3) AND ($4::timestamptz IS NULL OR at <= $4)";

/// Actions, the latest first, at most `limit` of them, before one of them.
pub async fn list(
    conn: &mut PgConnection,
    filter: &ActionFilter<'_>,
    before: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<ActionRow>> {
    let sql = format!(
        "SELECT * FROM actions WHERE {LISTED} AND ($5::bigint IS NULL OR id < $5)
         ORDER BY id DESC LIMIT $6"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(filter.actor)
        .bind(filter.operation)
        .bind(filter.outcome)
        .bind(filter.as_of)
        .bind(before)
        .bind(limit)
        .fetch_all(conn)
        .await
}

/// How many there are, counted up to the bound of totals and one more.
pub async fn total(conn: &mut PgConnection, filter: &ActionFilter<'_>) -> sqlx::Result<i64> {
    let sql = format!(
        "SELECT count(*) FROM (
             SELECT FROM actions WHERE {LISTED} ORDER BY id DESC LIMIT $5) AS counted"
    );
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(filter.actor)
        .bind(filter.operation)
        .bind(filter.outcome)
        .bind(filter.as_of)
        .bind(TOTAL_BOUND + 1)
        .fetch_one(conn)
        .await
}
