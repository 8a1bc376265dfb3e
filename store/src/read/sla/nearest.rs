//! By when the advisories on an image must be gone.
use super::{evaluated, excluded};
use crate::read::Moment;
use crate::read::findings::FindingRow;
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use std::collections::BTreeSet;

/// How the timer of one clock stands that is due first, of those that have not stopped for an
/// advisory on an image. One that stands still comes after those that run, an excluded one last.
#[derive(Clone, Debug, FromRow)]
pub struct NearestRow {
    /// The advisory's ordinal.
    pub advisory_id: i64,
    /// `provider` or `customer`.
    pub clock: String,
    /// The days that its promise counts: `calendar` or `business`.
    pub calendar: String,
    /// Whether the policy excludes it.
    pub excluded: bool,
    /// From when on it is at risk.
    pub warn_at: Option<DateTime<Utc>>,
    /// Its deadline; none: it stands still.
    pub due_at: Option<DateTime<Utc>>,
}

/// For each advisory that is open among these findings of an image the nearest deadline by clock, as
/// it was known; only of the timers of `tenant`, if one is named.
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
    match tenant {
        None => of_all(&mut query, moment, image_id, open),
        Some(tenant) => of_tenant(&mut query, moment, image_id, open, tenant),
    }
    query.build_query_as().fetch_all(conn).await
}

/// A timer `t` that was there at the last evaluation.
const THERE: &str = "t.opened_at <= s.at AND (t.stopped_at IS NULL OR t.stopped_at > s.at)";

const CALENDAR: &str =
    "(SELECT p.calendar FROM sla_policies p WHERE p.id = t.policy_id) AS calendar";

/// Clock by clock the first entry of an index: of those that run, else of all.
fn of_all(query: &mut QueryBuilder<Postgres>, moment: Moment, image_id: i64, advisories: Vec<i64>) {
    let excluded = excluded(moment);
    query.push("SELECT a.id AS advisory_id, c.clock, t.* FROM seen s CROSS JOIN (SELECT ");
    query.push_bind(image_id).push("::bigint AS id) i CROSS JOIN unnest(");
    query.push_bind(advisories).push(
        ") a (id) CROSS JOIN (VALUES ('provider'), ('customer')) c (clock) CROSS JOIN LATERAL (",
    );
    let timers = |query: &mut QueryBuilder<Postgres>, columns: &str| {
        query.push(format!(
            "(SELECT {excluded} AS excluded, {CALENDAR}, {columns} FROM sla_timers t
              WHERE t.image_id = i.id AND t.advisory_id = a.id AND t.clock = c.clock AND {THERE}"
        ));
    };
    timers(query, "t.warn_at, t.due_at");
    query.push(format!(" AND NOT {excluded} AND t.started_at <= s.at ORDER BY t.due_at LIMIT 1)"));
    query.push(" UNION ALL ");
    timers(query, "NULL, NULL");
    query.push(format!(" ORDER BY {excluded} LIMIT 1) LIMIT 1) t ORDER BY a.id, c.clock DESC"));
}

/// A tenant has one timer for each advisory and clock that has not stopped.
fn of_tenant(
    query: &mut QueryBuilder<Postgres>,
    moment: Moment,
    image_id: i64,
    advisories: Vec<i64>,
    tenant: &str,
) {
    let excluded = excluded(moment);
    query.push(format!(
        "SELECT t.advisory_id, t.clock, {excluded} AS excluded, {CALENDAR},
                CASE WHEN NOT {excluded} AND t.started_at <= s.at THEN t.warn_at END AS warn_at,
                CASE WHEN NOT {excluded} AND t.started_at <= s.at THEN t.due_at END AS due_at
         FROM seen s JOIN sla_timers t ON {THERE}
         WHERE t.customer_id = (SELECT c.id FROM customers c WHERE c.tenant_namespace = "
    ));
    query.push_bind(tenant.to_owned()).push(") AND t.image_id = ").push_bind(image_id);
    query.push(" AND t.advisory_id = ANY (").push_bind(advisories);
    query.push(") ORDER BY t.advisory_id, t.clock DESC");
}
