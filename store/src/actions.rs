//! The actions of the API's callers, done or refused: kept beside the world, not in it.
use crate::read::TOTAL_BOUND;
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

/// An action to be recorded.
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

/// Records an action, with the simulated instant of the world.
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

/// A recorded action.
#[derive(Clone, Debug, FromRow)]
pub struct ActionRow {
    /// Its number, in the order of writing.
    pub id: i64,
    /// When it happened.
    pub happened_wall: DateTime<Utc>,
    /// The simulated instant of the world.
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
    /// Only those of this tenant.
    pub tenant_namespace: Option<&'a str>,
    /// Only those of this key.
    pub actor: Option<&'a str>,
    /// Only those of this operation.
    pub operation: Option<&'a str>,
    /// Only those that ended so.
    pub outcome: Option<&'a str>,
    /// Only those that happened when the world stood here or earlier.
    pub as_of: Option<DateTime<Utc>>,
}

/// What a list holds, of what the session may see.
fn select(start: &'static str, filter: &ActionFilter<'_>) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(start);
    query.push(" FROM actions WHERE true");
    for (column, wanted) in [
        ("tenant_namespace", filter.tenant_namespace),
        ("actor", filter.actor),
        ("operation", filter.operation),
    ] {
        if let Some(wanted) = wanted {
            query.push(" AND ").push(column).push(" = ").push_bind(wanted.to_owned());
        }
    }
    match filter.outcome {
        // As it is written at an index of its own.
        Some("refused") => _ = query.push(" AND outcome = 'refused'"),
        Some(outcome) => _ = query.push(" AND outcome = ").push_bind(outcome.to_owned()),
        None => {}
    }
    if let Some(as_of) = filter.as_of {
        query.push(" AND at <= ").push_bind(as_of);
    }
    query
}

/// Actions, the latest first, at most `limit` of them, before one of them.
pub async fn list(
    conn: &mut PgConnection,
    filter: &ActionFilter<'_>,
    before: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<ActionRow>> {
    let mut query = select("SELECT *", filter);
    if let Some(before) = before {
        query.push(" AND id < ").push_bind(before);
    }
    query.push(" ORDER BY id DESC LIMIT ").push(limit);
    query.build_query_as().fetch_all(conn).await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn total(conn: &mut PgConnection, filter: &ActionFilter<'_>) -> sqlx::Result<i64> {
    let mut query = select("SELECT count(*) FROM (SELECT", filter);
    query.push(" ORDER BY id DESC LIMIT ").push(TOTAL_BOUND + 1).push(") AS counted");
    query.build_query_scalar().fetch_one(conn).await
}
