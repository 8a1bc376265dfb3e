//! SLA timers and violations as they were known at an instant.
//!
//! An evaluation writes down what happened since the one before, so what was known at an instant
//! is what the last evaluation by then (`seen`) had seen: a timer that began to count after it is
//! not shown yet, however late its row was written. Deadlines themselves are arithmetic.
mod figures;
mod nearest;
mod remediation;
mod timers;
mod violations;

pub use figures::{ExposureDays, MassEvent, SlaFigures, TimerFigures, figures};
pub use nearest::{NearestRow, nearest};
pub use remediation::{Durations, durations};
pub use timers::{
    TimerFilter, TimerPlace, TimerRow, TimerState, open_timers, open_total, stopped_timers,
};
pub use violations::{ViolationFilter, ViolationPlace, ViolationRow, violations, violations_total};

use crate::read::Moment;
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

/// A query that knows the instant as `$1` and the last evaluation by then as `seen`.
pub(super) fn evaluated(as_of: DateTime<Utc>) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "WITH seen AS MATERIALIZED (
             SELECT at FROM timeline WHERE kind = 'sla_checked' AND at <= ",
    );
    query.push_bind(as_of).push(" ORDER BY at DESC LIMIT 1) ");
    query
}

/// Whether a timer `t` was excluded as far as was known: that is decided after it has opened. Of the
/// newest state the column alone says it, which indexes hold.
pub(super) fn excluded(moment: Moment) -> &'static str {
    if moment.newest {
        return "t.excluded";
    }
    "(t.excluded AND NOT EXISTS (SELECT FROM mass_event_decisions d
        WHERE d.advisory_id = t.advisory_id AND d.policy_id = t.policy_id
          AND d.decided_at > (SELECT at FROM seen)))"
}

/// The last evaluation by an instant; none: nobody has looked for deadlines yet.
pub async fn evaluated_at(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar(
        "SELECT at FROM timeline WHERE kind = 'sla_checked' AND at <= $1 ORDER BY at DESC LIMIT 1",
    )
    .bind(as_of)
    .fetch_optional(conn)
    .await
}

/// What is promised to customers.
#[derive(Clone, Debug, FromRow)]
pub struct PolicyRow {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Days for critical advisories; none: no deadline.
    pub critical_days: Option<i32>,
    /// Days for high ones.
    pub high_days: Option<i32>,
    /// Days for medium ones.
    pub medium_days: Option<i32>,
    /// Days for low ones.
    pub low_days: Option<i32>,
    /// `calendar` or `business` days.
    pub calendar: String,
    /// What starts the clock: `fix_available`, `detected` or `published`.
    pub clock_start: String,
    /// Whether the clock stands still while no fix exists.
    pub pause_without_fix: bool,
    /// Advisories that hit a larger share of all images, in thousandths, are excluded.
    pub exclude_over_permille: Option<i32>,
    /// The share of the time, in thousandths, after which a timer is at risk.
    pub warn_permille: i32,
    /// What an exposure that begins anew is owed: `continue`, `restart` or `ignore`.
    pub on_reexposure: String,
    /// How many customers it is promised to.
    pub customers: i64,
}

/// All policies, by name.
pub async fn policies(conn: &mut PgConnection) -> sqlx::Result<Vec<PolicyRow>> {
    sqlx::query_as(
        "SELECT p.*, (SELECT count(*) FROM customers c WHERE c.policy_id = p.id) AS customers
         FROM sla_policies p ORDER BY p.name",
    )
    .fetch_all(conn)
    .await
}
