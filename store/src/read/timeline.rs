//! What happened, in the order of facts or the other way round.
use super::event_details::{COLUMNS, JOINS};
use super::events::EventRow;
use super::page::Slice;
use super::{Direction, Moment, Visible};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

/// Something that happened.
#[derive(Clone, Debug, FromRow)]
pub struct TimelineRow {
    /// What it is.
    #[sqlx(flatten)]
    pub event: EventRow,
    /// The particulars, as an object of JSON.
    pub data: Value,
}

/// What of the timeline a list holds.
#[derive(Clone, Debug, Default)]
pub struct TimelineFilter<'a> {
    /// Only things of this kind.
    pub kind: Option<&'a str>,
    /// Whom it concerns.
    pub visible: Visible<'a>,
    /// Only what concerns this image.
    pub image_id: Option<i64>,
    /// Only what concerns this advisory.
    pub advisory_id: Option<i64>,
    /// Which end comes first.
    pub direction: Direction,
}

/// The last fact up to an instant, as a condition on what is numbered by facts: an index leads
/// there, however long ago it was. (Before the first fact nothing is.)
pub(super) fn up_to(query: &mut QueryBuilder<Postgres>, column: &str, as_of: DateTime<Utc>) {
    query.push(column).push(" <= (SELECT seq FROM timeline WHERE at <= ");
    query.push_bind(as_of).push(" ORDER BY at DESC, seq DESC LIMIT 1)");
}

/// Whether what is asked of concerns one image or advisory: that is little, whosever it is and of
/// whatever kind.
fn is_little(filter: &TimelineFilter<'_>) -> bool {
    filter.image_id.is_some() || filter.advisory_id.is_some()
}

fn page(
    moment: Moment,
    filter: &TimelineFilter<'_>,
    after: Option<i64>,
    slice: Slice,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("WITH ");
    query.push(slice.page());
    let little = is_little(filter);
    let visible = match filter.visible {
        Visible::To(_) if little => Visible::All,
        visible => visible,
    };
    // For one kind the order is that of the index that has the kinds apart: the planner would read
    // all facts instead, as if the kind's were spread evenly among them.
    let keys: &[&str] =
        if filter.kind.is_some() && !little { &["t.kind", "t.seq"] } else { &["t.seq"] };
    visible.list(&mut query, ("t", keys), filter.direction, slice.limit(), |query| {
        query.push("SELECT t.* FROM timeline t WHERE ");
        up_to(query, "t.seq", moment.as_of);
        match filter.kind {
            Some(kind) if !little => {
                query.push(" AND t.kind BETWEEN ").push_bind(kind.to_owned());
                query.push(" AND ").push_bind(kind.to_owned());
            }
            // IS TRUE: not by the index of the kinds.
            Some(kind) => {
                query.push(" AND (t.kind = ").push_bind(kind.to_owned()).push(") IS TRUE");
            }
            None => {}
        }
        if let Some(image_id) = filter.image_id {
            query.push(" AND t.image_id = ").push_bind(image_id);
        }
        if let Some(advisory_id) = filter.advisory_id {
            query.push(" AND t.advisory_id = ").push_bind(advisory_id);
        }
        if let Some(after) = after {
            query.push(format!(" AND t.seq {} ", filter.direction.beyond())).push_bind(after);
        }
    });
    query.push(") ");
    query
}

/// What happened, after a place in the order of facts.
pub async fn timeline(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &TimelineFilter<'_>,
    after: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<TimelineRow>> {
    let mut query = page(moment, filter, after, Slice::Page(limit));
    query.push(format!(
        "SELECT t.seq, t.at, t.kind, t.tenant_namespace, i.name AS image, t.build_id, a.cve, t.data,
                {COLUMNS}
         FROM page t
         LEFT JOIN images i ON i.id = t.image_id
         LEFT JOIN advisories a ON a.id = t.advisory_id {JOINS}",
    ));
    query.push(filter.direction.order(&["t.seq"]));
    query.build_query_as().fetch_all(conn).await
}

/// How much there is, counted up to the bound of totals and one more.
pub async fn timeline_total(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &TimelineFilter<'_>,
) -> sqlx::Result<i64> {
    let mut query = page(moment, filter, None, Slice::Total);
    query.push("SELECT count(*) FROM page");
    query.build_query_scalar().fetch_one(conn).await
}
