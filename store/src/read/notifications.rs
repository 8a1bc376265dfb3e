//! What customers and the platform's own team were told.
use super::page::Slice;
use super::timeline::up_to;
use super::{Direction, Moment, Visible};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

/// A notification.
#[derive(Clone, Debug, FromRow)]
pub struct NotificationRow {
    /// Its number: the place of its fact.
    pub id: i64,
    /// Who was told; `catalogue`: the platform's own team.
    pub tenant_namespace: String,
    /// What it is about.
    pub kind: String,
    /// When it was sent.
    pub at: DateTime<Utc>,
    /// How many things it sums up.
    pub items: i32,
    /// In a few words.
    pub subject: String,
    /// What it sums up.
    pub body: Value,
}

/// Which notifications a list holds.
#[derive(Clone, Debug, Default)]
pub struct NotificationFilter<'a> {
    /// Only those of this kind.
    pub kind: Option<&'a str>,
    /// To whom.
    pub visible: Visible<'a>,
    /// Which end comes first.
    pub direction: Direction,
}

fn page(
    moment: Moment,
    filter: &NotificationFilter<'_>,
    after: Option<i64>,
    slice: Slice,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("WITH ");
    query.push(slice.page());
    // In the order of the index that has the kinds apart: the planner would read all of them.
    let keys: &[&str] = if filter.kind.is_some() { &["n.kind", "n.id"] } else { &["n.id"] };
    filter.visible.list(&mut query, ("n", keys), filter.direction, slice.limit(), |query| {
        query.push("SELECT n.* FROM notifications n WHERE ");
        up_to(query, "n.id", moment.as_of);
        if let Some(kind) = filter.kind {
            query.push(" AND n.kind BETWEEN ").push_bind(kind.to_owned());
            query.push(" AND ").push_bind(kind.to_owned());
        }
        if let Some(after) = after {
            query.push(format!(" AND n.id {} ", filter.direction.beyond())).push_bind(after);
        }
    });
    query.push(") ");
    query
}

/// Notifications, after one of them.
pub async fn notifications(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &NotificationFilter<'_>,
    after: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<NotificationRow>> {
    let mut query = page(moment, filter, after, Slice::Page(limit));
    query.push("SELECT * FROM page").push(filter.direction.order(&["id"]));
    query.build_query_as().fetch_all(conn).await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn notifications_total(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &NotificationFilter<'_>,
) -> sqlx::Result<i64> {
    let mut query = page(moment, filter, None, Slice::Total);
    query.push("SELECT count(*) FROM page");
    query.build_query_scalar().fetch_one(conn).await
}

/// One notification, if it was sent by then.
pub async fn notification(
    conn: &mut PgConnection,
    moment: Moment,
    id: i64,
) -> sqlx::Result<Option<NotificationRow>> {
    sqlx::query_as("SELECT * FROM notifications WHERE id = $2 AND at <= $1")
        .bind(moment.as_of)
        .bind(id)
        .fetch_optional(conn)
        .await
}
