//! The audit log of the world.
use super::page::Slice;
use super::timeline::up_to;
use super::{Direction, Moment};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

/// A line of the audit log.
#[derive(Clone, Debug, FromRow)]
pub struct AuditRow {
    /// Its number: the place of its fact.
    pub id: i64,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub object: String,
    /// Whose it is; `catalogue` for what all see.
    pub tenant_namespace: String,
    /// The particulars.
    pub detail: Value,
    /// The hash of its leaf in the log.
    pub leaf_hash: Vec<u8>,
    /// Its index in the log, once it is there.
    pub log_index: Option<i64>,
}

/// Which lines a list holds.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter<'a> {
    /// Only what this actor did.
    pub actor: Option<&'a str>,
    /// Only this action.
    pub action: Option<&'a str>,
    /// Only what was done to this.
    pub object: Option<&'a str>,
    /// Only what belongs to this tenant.
    pub tenant_namespace: Option<&'a str>,
    /// Which end comes first.
    pub direction: Direction,
}

fn page(
    moment: Moment,
    filter: &AuditFilter<'_>,
    after: Option<i64>,
    slice: Slice,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("WITH ");
    query.push(slice.page());
    query.push("SELECT l.* FROM audit_logs l WHERE ");
    up_to(&mut query, "l.id", moment.as_of);
    let wanted = [
        ("l.object", filter.object),
        ("l.actor", filter.actor),
        ("l.action", filter.action),
        ("l.tenant_namespace", filter.tenant_namespace),
    ];
    let wanted = wanted.into_iter().filter_map(|(column, wanted)| Some((column, wanted?)));
    for (column, wanted) in wanted.clone() {
        query.push(" AND ").push(column).push(" BETWEEN ").push_bind(wanted.to_owned());
        query.push(" AND ").push_bind(wanted.to_owned());
    }
    // In the order of the index that has what is wanted apart: the planner would read all lines.
    let keys: Vec<&str> = wanted.map(|(column, _)| column).take(1).chain(["l.id"]).collect();
    if let Some(after) = after {
        query.push(format!(" AND l.id {} ", filter.direction.beyond())).push_bind(after);
    }
    query.push(filter.direction.order(&keys)).push(" LIMIT ").push(slice.limit()).push(") ");
    query
}

/// Lines, after one of them.
pub async fn lines(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &AuditFilter<'_>,
    after: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<AuditRow>> {
    let mut query = page(moment, filter, after, Slice::Page(limit));
    query.push("SELECT * FROM page").push(filter.direction.order(&["id"]));
    query.build_query_as().fetch_all(conn).await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn lines_total(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &AuditFilter<'_>,
) -> sqlx::Result<i64> {
    let mut query = page(moment, filter, None, Slice::Total);
    query.push("SELECT count(*) FROM page");
    query.build_query_scalar().fetch_one(conn).await
}

/// One line, if it was written by then.
pub async fn line(
    conn: &mut PgConnection,
    moment: Moment,
    id: i64,
) -> sqlx::Result<Option<AuditRow>> {
    sqlx::query_as("SELECT * FROM audit_logs WHERE id = $2 AND at <= $1")
        .bind(moment.as_of)
        .bind(id)
        .fetch_optional(conn)
        .await
}

/// How many entries the two logs had at an instant: the transparency log, the audit log.
pub async fn log_sizes(conn: &mut PgConnection, as_of: DateTime<Utc>) -> sqlx::Result<(i64, i64)> {
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT greatest(
             (SELECT max(log_index) + 1 FROM expired_leaves WHERE log = 'transparency'),
             (SELECT a.tree_size FROM attestations a
                          WHERE a.log_index IS NOT NULL AND ",
    );
    up_to(&mut query, "a.seq", as_of);
    query.push(
        " ORDER BY a.seq DESC LIMIT 1), 0), greatest(
             (SELECT max(log_index) + 1 FROM expired_leaves WHERE log = 'audit'),
             (SELECT l.log_index + 1 FROM audit_logs l
                 WHERE l.log_index IS NOT NULL AND ",
    );
    up_to(&mut query, "l.id", as_of);
    query.push(" ORDER BY l.id DESC LIMIT 1), 0)");
    query.build_query_as().fetch_one(conn).await
}
