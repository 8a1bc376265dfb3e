//! Timers: those that have not stopped, the most urgent first, and those that have.
use super::{evaluated, excluded};
use crate::read::{Moment, Page, TOTAL_BOUND, page};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

/// A timer as it was known.
#[derive(Clone, Debug, FromRow)]
pub struct TimerRow {
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
    /// The advisory's severity.
    pub severity: String,
    /// Which exposure it is of, counted from 1.
    pub episode: i32,
    /// The policy's name.
    pub policy: String,
    /// The days that its promise counts: `calendar` or `business`.
    pub calendar: String,
    /// Whether the policy excludes it as part of a mass event.
    pub excluded: bool,
    /// Whether that is not decided yet.
    pub undecided: bool,
    /// When the exposure began to count.
    pub opened_at: DateTime<Utc>,
    /// When the clock started; none: it stands still, no fix exists.
    pub started_at: Option<DateTime<Utc>>,
    /// From when on it is at risk.
    pub warn_at: Option<DateTime<Utc>>,
    /// The deadline.
    pub due_at: Option<DateTime<Utc>>,
    /// When it stopped.
    pub stopped_at: Option<DateTime<Utc>>,
    /// Why: `fixed`, `not_affected`, `adopted` or `ended`.
    pub stop_reason: Option<String>,
    /// The evaluation that saw it at risk.
    pub warned_at: Option<DateTime<Utc>>,
    /// The evaluation that saw it breached.
    pub breached_at: Option<DateTime<Utc>>,
}

impl TimerRow {
    /// Its place in the list of those that have not stopped, or of those that have.
    pub fn place(&self) -> TimerPlace {
        TimerPlace {
            at: self.stopped_at.or(self.due_at),
            customer_id: self.customer_id,
            image_id: self.image_id,
            advisory_id: self.advisory_id,
            clock: self.clock.clone(),
        }
    }
}

/// A place in a list of timers.
#[derive(Clone, Debug)]
pub struct TimerPlace {
    /// The deadline (none: without one), or when it stopped.
    pub at: Option<DateTime<Utc>>,
    /// The customer's ordinal.
    pub customer_id: i64,
    /// The image's ordinal.
    pub image_id: i64,
    /// The advisory's ordinal.
    pub advisory_id: i64,
    /// The clock.
    pub clock: String,
}

/// How a timer that has not stopped stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerState {
    /// It runs, and there is time.
    Running,
    /// It has used up the policy's warning share.
    AtRisk,
    /// Its deadline has passed.
    Overdue,
    /// It stands still: no fix exists.
    Paused,
    /// The policy excludes it.
    Excluded,
}

/// Which timers a list holds.
#[derive(Clone, Debug, Default)]
pub struct TimerFilter<'a> {
    /// Only this tenant's.
    pub tenant_namespace: Option<&'a str>,
    /// Only those of this clock.
    pub clock: Option<&'a str>,
    /// Only those of this severity.
    pub severity: Option<&'a str>,
    /// Only those of this image.
    pub image_id: Option<i64>,
    /// Only those of this advisory.
    pub advisory_id: Option<i64>,
    /// Only those that stand so; not for stopped ones.
    pub state: Option<TimerState>,
    /// Only those that are overdue by then if nothing changes; not for stopped ones.
    pub due_by: Option<DateTime<Utc>>,
}

const KEYS: &str = "t.customer_id, t.image_id, t.advisory_id, t.clock";

/// The deadline as it is stored; the index of open timers is in this order.
const STORED: &str = "coalesce(t.due_at, 'infinity')";

/// A condition on some of the open timers, and the deadline that they had.
type Part = (&'static str, &'static str);

const NEWEST: Part = ("t.stopped_at IS NULL", STORED);

/// Those that ran at an instant of the past, each part in the order of an index.
const RAN: [Part; 3] = [
    ("t.stopped_at IS NULL AND t.started_at <= (SELECT at FROM seen)", STORED),
    (
        "t.stopped_at > (SELECT at FROM seen) AND t.due_at > (SELECT at FROM seen)
         AND t.started_at <= (SELECT at FROM seen)",
        "t.due_at",
    ),
    (
        "t.stopped_at > (SELECT at FROM seen) AND t.due_at <= (SELECT at FROM seen)
         AND t.stopped_at > t.due_at",
        "t.due_at",
    ),
];

/// Those that stood still: no fix was there, though one may have come since. They are the last of
/// the list, and not looked at before it comes to them.
const STOOD: [Part; 3] = [
    ("t.stopped_at IS NULL AND t.started_at IS NULL", STORED),
    // A deadline lies after its start, so the index leads to those that start later.
    (
        "t.stopped_at IS NULL AND coalesce(t.due_at, 'infinity') > (SELECT at FROM seen)
         AND t.started_at > (SELECT at FROM seen)",
        "'infinity'::timestamptz",
    ),
    (
        "t.stopped_at > (SELECT at FROM seen)
         AND (t.started_at IS NULL OR t.started_at > (SELECT at FROM seen))",
        "'infinity'::timestamptz",
    ),
];

fn equal(query: &mut QueryBuilder<Postgres>, filter: &TimerFilter<'_>) {
    if let Some(tenant) = filter.tenant_namespace {
        query.push(" AND t.tenant_namespace = ").push_bind(tenant.to_owned());
    }
    if let Some(clock) = filter.clock {
        query.push(" AND t.clock = ").push_bind(clock.to_owned());
    }
    if let Some(severity) = filter.severity {
        query.push(" AND t.severity = ").push_bind(severity.to_owned());
    }
    if let Some(image_id) = filter.image_id {
        query.push(" AND t.image_id = ").push_bind(image_id);
    }
    if let Some(advisory_id) = filter.advisory_id {
        query.push(" AND t.advisory_id = ").push_bind(advisory_id);
    }
}

fn standing(
    query: &mut QueryBuilder<Postgres>,
    moment: Moment,
    due: &str,
    filter: &TimerFilter<'_>,
) {
    let excluded = excluded(moment);
    if let Some(state) = filter.state {
        let condition = match state {
            TimerState::Running => format!("{due} > $1 AND {due} < 'infinity' AND t.warn_at > $1"),
            TimerState::AtRisk => format!("{due} > $1 AND {due} < 'infinity' AND t.warn_at <= $1"),
            TimerState::Overdue => format!("{due} <= $1"),
            TimerState::Paused => format!("{due} = 'infinity'"),
            TimerState::Excluded => excluded.to_owned(),
        };
        query.push(format!(" AND {condition}"));
        if state != TimerState::Excluded {
            query.push(format!(" AND NOT {excluded}"));
        }
    }
    if let Some(by) = filter.due_by {
        query.push(format!(" AND NOT {excluded} AND {due} <= ")).push_bind(by);
    }
}

/// The first timers of a part, with the deadline they are sorted by as `due`.
fn push_part(
    query: &mut QueryBuilder<Postgres>,
    (moment, (condition, due)): (Moment, Part),
    filter: &TimerFilter<'_>,
    after: Option<&TimerPlace>,
    more: &str,
    limit: i64,
) {
    query.push(format!("(SELECT t.*, {due} AS due FROM sla_timers t WHERE {condition}{more}"));
    equal(query, filter);
    standing(query, moment, due, filter);
    if let Some(place) = after {
        query.push(format!(" AND ({due}, {KEYS}) > (coalesce(")).push_bind(place.at);
        query.push(", 'infinity'), ").push_bind(place.customer_id);
        query.push(", ").push_bind(place.image_id);
        query.push(", ").push_bind(place.advisory_id);
        query.push(", ").push_bind(place.clock.clone()).push(")");
    }
    query.push(format!(" ORDER BY {due}, {KEYS} LIMIT ")).push(limit).push(")");
}

/// Timers that have not stopped, with the deadline they are sorted by as `due`.
fn open(
    query: &mut QueryBuilder<Postgres>,
    moment: Moment,
    filter: &TimerFilter<'_>,
    after: Option<&TimerPlace>,
    limit: i64,
) {
    if moment.newest {
        return push_part(query, (moment, NEWEST), filter, after, "", limit);
    }
    const OPENED: &str = " AND t.opened_at <= (SELECT at FROM seen)";
    query.push("WITH ran AS MATERIALIZED (SELECT t.* FROM (");
    for (n, part) in RAN.into_iter().enumerate() {
        query.push(if n == 0 { "" } else { " UNION ALL " });
        push_part(query, (moment, part), filter, after, OPENED, limit);
    }
    query.push(format!(") t ORDER BY t.due, {KEYS} LIMIT ")).push(limit);
    query.push(") SELECT t.* FROM (SELECT t.* FROM ran t");
    let more = format!("{OPENED} AND (SELECT count(*) FROM ran) < {limit}");
    // What stands still has no deadline that could be near or past.
    let stand = matches!(filter.state, None | Some(TimerState::Paused | TimerState::Excluded))
        && filter.due_by.is_none();
    for part in STOOD.into_iter().filter(|_| stand) {
        query.push(" UNION ALL ");
        push_part(query, (moment, part), filter, after, &more, limit);
    }
    query.push(format!(") t ORDER BY t.due, {KEYS} LIMIT ")).push(limit);
}

fn stopped(
    query: &mut QueryBuilder<Postgres>,
    filter: &TimerFilter<'_>,
    after: Option<&TimerPlace>,
    limit: i64,
) {
    query.push("SELECT t.* FROM sla_timers t WHERE t.stopped_at <= (SELECT at FROM seen)");
    equal(query, filter);
    if let Some(place) = after {
        query.push(format!(" AND (t.stopped_at, {KEYS}) < (")).push_bind(place.at);
        query.push(", ").push_bind(place.customer_id);
        query.push(", ").push_bind(place.image_id);
        query.push(", ").push_bind(place.advisory_id);
        query.push(", ").push_bind(place.clock.clone()).push(")");
    }
    query.push(
        " ORDER BY t.stopped_at DESC, t.customer_id DESC, t.image_id DESC, t.advisory_id DESC,
                   t.clock DESC LIMIT ",
    );
    query.push(limit);
}

/// What a row shows of what was known.
const SHOWN: &str = "
    SELECT t.customer_id, t.tenant_namespace, c.name AS customer, t.image_id, i.name AS image,
           t.advisory_id, a.cve, t.clock, t.episode, t.severity, p.name AS policy, p.calendar,
           t.excluded AND (d.decided_at IS NULL OR d.decided_at <= s.at) AS excluded,
           t.undecided OR coalesce(d.decided_at > s.at, false) AS undecided, t.opened_at,
           CASE WHEN t.started_at <= s.at THEN t.started_at END AS started_at,
           CASE WHEN t.started_at <= s.at THEN t.warn_at END AS warn_at,
           CASE WHEN t.started_at <= s.at THEN t.due_at END AS due_at,
           CASE WHEN t.stopped_at <= s.at THEN t.stopped_at END AS stopped_at,
           CASE WHEN t.stopped_at <= s.at THEN t.stop_reason END AS stop_reason,
           CASE WHEN t.warned_at <= s.at THEN t.warned_at END AS warned_at,
           CASE WHEN t.breached_at <= s.at THEN t.breached_at END AS breached_at,
           (SELECT n FROM total) AS total
    FROM page t
    CROSS JOIN seen s
    JOIN customers c ON c.id = t.customer_id
    JOIN images i ON i.id = t.image_id
    JOIN advisories a ON a.id = t.advisory_id
    JOIN sla_policies p ON p.id = t.policy_id
    LEFT JOIN mass_event_decisions d
           ON d.advisory_id = t.advisory_id AND d.policy_id = t.policy_id";

/// Timers that have not stopped, the most urgent first; those without a deadline last.
pub async fn open_timers(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &TimerFilter<'_>,
    after: Option<&TimerPlace>,
    limit: i64,
) -> sqlx::Result<Page<TimerRow>> {
    let mut query = evaluated(moment.as_of);
    query.push(", ");
    let bound =
        page::find(&mut query, page::EXPENSIVE_COUNT_BOUND, after, limit, |query, after, limit| {
            open(query, moment, filter, after, limit);
        });
    query.push(SHOWN);
    query.push(format!(" ORDER BY t.due, {KEYS}"));
    page::fetch(conn, query, bound).await
}

/// How many timers have not stopped, counted up to the bound of totals and one more.
pub async fn open_total(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &TimerFilter<'_>,
) -> sqlx::Result<i64> {
    let mut query = evaluated(moment.as_of);
    query.push("SELECT count(*) FROM (");
    open(&mut query, moment, filter, None, TOTAL_BOUND + 1);
    query.push(") t");
    query.build_query_scalar().fetch_one(conn).await
}

/// Timers that have stopped, the latest first.
pub async fn stopped_timers(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &TimerFilter<'_>,
    after: Option<&TimerPlace>,
    limit: i64,
) -> sqlx::Result<Page<TimerRow>> {
    let mut query = evaluated(moment.as_of);
    query.push(", ");
    let bound =
        page::find(&mut query, page::EXPENSIVE_COUNT_BOUND, after, limit, |query, after, limit| {
            stopped(query, filter, after, limit);
        });
    query.push(SHOWN);
    query.push(
        " ORDER BY t.stopped_at DESC, t.customer_id DESC, t.image_id DESC, t.advisory_id DESC,
                   t.clock DESC",
    );
    page::fetch(conn, query, bound).await
}
