//! Violations: deadlines that passed, in the order in which evaluations saw it.
use crate::read::page::Slice;
use crate::read::{Direction, Moment};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

/// A violation as it was known.
#[derive(Clone, Debug, FromRow)]
pub struct ViolationRow {
    /// The customer's ordinal.
    pub customer_id: i64,
    /// The customer's namespace.
    pub tenant_namespace: String,
    /// The customer's name.
    pub customer: String,
    /// The image's ordinal.
    pub image_id: i64,
    /// The image's name.
    pub image: String,
    /// The advisory's ordinal.
    pub advisory_id: i64,
    /// The advisory's CVE id.
    pub cve: String,
    /// `provider` or `customer`.
    pub clock: String,
    /// Which exposure it is of, counted from 1.
    pub episode: i32,
    /// The advisory's severity.
    pub severity: String,
    /// The deadline.
    pub due_at: DateTime<Utc>,
    /// The evaluation that saw it pass.
    pub recorded_at: DateTime<Utc>,
    /// When the timer stopped after all.
    pub resolved_at: Option<DateTime<Utc>>,
}

/// Which violations a list holds.
#[derive(Clone, Debug, Default)]
pub struct ViolationFilter<'a> {
    /// Only this tenant's.
    pub tenant_namespace: Option<&'a str>,
    /// Only those of this clock.
    pub clock: Option<&'a str>,
    /// Only those of this severity.
    pub severity: Option<&'a str>,
    /// Only those that are open, or that are not.
    pub open: Option<bool>,
    /// Which end comes first.
    pub direction: Direction,
}

/// A place in the list of violations: when it was recorded, customer, image, advisory, clock, episode.
pub type ViolationPlace = (DateTime<Utc>, i64, i64, i64, String, i32);

fn page(
    moment: Moment,
    filter: &ViolationFilter<'_>,
    after: Option<&ViolationPlace>,
    slice: Slice,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("WITH ");
    query.push(slice.page());
    query.push("SELECT v.* FROM sla_violations v WHERE v.recorded_at <= ");
    query.push_bind(moment.as_of);
    match filter.open {
        Some(true) if moment.newest => {
            query.push(" AND v.resolved_at IS NULL");
        }
        Some(true) => {
            query.push(" AND (v.resolution_recorded_at IS NULL OR v.resolution_recorded_at > $1)");
        }
        Some(false) => {
            query.push(" AND v.resolution_recorded_at <= $1");
        }
        None => {}
    }
    if let Some(tenant) = filter.tenant_namespace {
        query.push(" AND v.tenant_namespace = ").push_bind(tenant.to_owned());
    }
    if let Some(clock) = filter.clock {
        query.push(" AND v.clock = ").push_bind(clock.to_owned());
    }
    if let Some(severity) = filter.severity {
        query.push(" AND v.severity = ").push_bind(severity.to_owned());
    }
    if let Some((recorded, customer, image, advisory, clock, episode)) = after {
        query.push(format!(" AND ({}) {} (", KEYS.join(", "), filter.direction.beyond()));
        query.push_bind(*recorded).push(", ").push_bind(*customer);
        query.push(", ").push_bind(*image).push(", ").push_bind(*advisory);
        query.push(", ").push_bind(clock.clone()).push(", ").push_bind(*episode).push(")");
    }
    query.push(filter.direction.order(KEYS)).push(" LIMIT ").push(slice.limit()).push(") ");
    query
}

const KEYS: &[&str] =
    &["v.recorded_at", "v.customer_id", "v.image_id", "v.advisory_id", "v.clock", "v.episode"];

/// Violations by when they were recorded.
pub async fn violations(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &ViolationFilter<'_>,
    after: Option<&ViolationPlace>,
    limit: i64,
) -> sqlx::Result<Vec<ViolationRow>> {
    let mut query = page(moment, filter, after, Slice::Page(limit));
    query.push(
        "SELECT v.customer_id, v.tenant_namespace, c.name AS customer, v.image_id,
                i.name AS image, v.advisory_id, a.cve, v.clock, v.episode, v.severity, v.due_at,
                v.recorded_at,
                CASE WHEN v.resolution_recorded_at <= $1 THEN v.resolved_at END AS resolved_at
         FROM page v
         JOIN customers c ON c.id = v.customer_id
         JOIN images i ON i.id = v.image_id
         JOIN advisories a ON a.id = v.advisory_id",
    );
    query.push(filter.direction.order(KEYS));
    query.build_query_as().fetch_all(conn).await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn violations_total(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &ViolationFilter<'_>,
) -> sqlx::Result<i64> {
    let mut query = page(moment, filter, None, Slice::Total);
    query.push("SELECT count(*) FROM page");
    query.build_query_scalar().fetch_one(conn).await
}
