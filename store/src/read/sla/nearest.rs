//! By when the advisories on an image must be gone.
use super::evaluated;
use crate::read::Moment;
use crate::read::findings::FindingRow;
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use std::collections::BTreeSet;

/// The timers of one clock that have not stopped for an advisory on an image, in one row.
#[derive(Clone, Debug, FromRow)]
pub struct NearestRow {
    /// The advisory's ordinal.
    pub advisory_id: i64,
    /// `provider` or `customer`.
    pub clock: String,
    /// How many timers, each of one customer that the caller may see.
    pub timers: i64,
    /// Whether policies exclude all of them.
    pub excluded: bool,
    /// From when on one of them is at risk.
    pub warn_at: Option<DateTime<Utc>>,
    /// The nearest deadline; none: all stand still.
    pub due_at: Option<DateTime<Utc>>,
}

/// For each advisory that is open among these findings of an image the nearest deadline by clock, as
/// it was known; only the timers of `tenant`, if one is named.
pub async fn nearest(
    conn: &mut PgConnection,
    moment: Moment,
    image_id: i64,
    findings: &[FindingRow],
    tenant: Option<&str>,
) -> sqlx::Result<Vec<NearestRow>> {
    let open = findings.iter().filter(|row| row.is_open()).map(|row| row.advisory_id);
    let open: Vec<i64> = open.collect::<BTreeSet<_>>().into_iter().collect();
    let mut query = evaluated(moment.as_of);
    query.push(
        "SELECT a.id AS advisory_id, t.*
         FROM seen s
         CROSS JOIN unnest(",
    );
    query.push_bind(open).push(
        ") a (id)
         CROSS JOIN LATERAL (
             SELECT t.clock, count(*) AS timers, bool_and(t.excluded) AS excluded,
                    min(t.warn_at) FILTER (WHERE NOT t.excluded AND t.started_at <= s.at) AS warn_at,
                    min(t.due_at) FILTER (WHERE NOT t.excluded AND t.started_at <= s.at) AS due_at
             FROM sla_timers t
             WHERE t.opened_at <= s.at AND (t.stopped_at IS NULL OR t.stopped_at > s.at)
               AND t.advisory_id = a.id AND t.image_id = ",
    );
    query.push_bind(image_id);
    if let Some(tenant) = tenant {
        query
            .push(" AND t.customer_id = (SELECT c.id FROM customers c WHERE c.tenant_namespace = ");
        query.push_bind(tenant.to_owned()).push(")");
    }
    query.push(" GROUP BY t.clock) t ORDER BY a.id, t.clock DESC");
    query.build_query_as().fetch_all(conn).await
}
