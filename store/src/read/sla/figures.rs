//! How promises were kept, in figures: counts with their denominators, and exposure-days beside them.
use super::evaluated_at;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{AssertSqlSafe, FromRow, PgConnection};

/// The timers of one clock and severity. Each is counted once below `opened`.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, Serialize)]
pub struct TimerFigures {
    /// `provider` or `customer`.
    pub clock: String,
    /// The severity.
    pub severity: String,
    /// All that opened.
    pub opened: i64,
    /// Excluded, as part of a mass event.
    pub excluded: i64,
    /// Of which it is not decided yet whether they are.
    pub undecided: i64,
    /// Stopped before their clock ran.
    pub never_ran: i64,
    /// Stand still: no fix exists.
    pub paused: i64,
    /// Run, with time left.
    pub running: i64,
    /// Stopped at or before the deadline.
    pub kept: i64,
    /// Missed their deadline, whether or not an evaluation has recorded it, and whether or not they have
    /// stopped since.
    pub breached: i64,
    /// Of these, recorded as violations.
    pub recorded: i64,
}

/// How long customers ran what was affected.
#[derive(Clone, Debug, PartialEq, FromRow, Serialize)]
pub struct ExposureDays {
    /// The severity.
    pub severity: String,
    /// Days, summed over customer, image and advisory, to hundredths.
    pub days: f64,
}

/// An advisory that a policy excludes as a mass event.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, Serialize)]
pub struct MassEvent {
    /// The advisory's CVE id.
    pub cve: String,
    /// The policy's name.
    pub policy: String,
    /// The evaluation that decided it.
    pub decided_at: DateTime<Utc>,
    /// On how many images it had been found then; only for the platform, for it counts those of all
    /// tenants.
    pub images_hit: Option<i32>,
    /// Of how many; likewise.
    pub images: Option<i32>,
    /// How many timers are excluded for it.
    pub timers: i64,
}

/// The figures of a world at an instant.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SlaFigures {
    /// The evaluation that they rest on: the last one by that instant. None: there was none yet, and
    /// nothing is known.
    pub evaluated_at: Option<DateTime<Utc>>,
    /// Timers by clock and severity.
    pub timers: Vec<TimerFigures>,
    /// Exposure-days by severity.
    pub exposure_days: Vec<ExposureDays>,
    /// How many mass events exclude timers.
    pub mass_events_total: i64,
    /// The latest of them first; at most 100.
    pub mass_events: Vec<MassEvent>,
}

/// How many mass events the figures name.
pub(super) const MASS_EVENTS: i64 = 100;

/// The figures as of an instant, of timers that opened at or after `from` and exposures from then on;
/// only of `tenant`, if one is named. `platform`: for somebody who may know of all tenants' images.
///
/// # Errors
/// The database fails.
pub async fn figures(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    from: DateTime<Utc>,
    tenant: Option<&str>,
    platform: bool,
) -> sqlx::Result<SlaFigures> {
    let evaluated_at = evaluated_at(&mut *conn, as_of).await?;
    let timers = sqlx::query_as(TIMERS)
        .bind(as_of)
        .bind(from)
        .bind(tenant)
        .bind(evaluated_at)
        .fetch_all(&mut *conn)
        .await?;
    let exposure_days =
        sqlx::query_as(DAYS).bind(as_of).bind(from).bind(tenant).fetch_all(&mut *conn).await?;
    let mass_events_total =
        sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) {EXCLUDING}")))
            .bind(as_of)
            .bind(from)
            .bind(tenant)
            .fetch_one(&mut *conn)
            .await?;
    let mass_events = sqlx::query_as(AssertSqlSafe(events(platform)))
        .bind(as_of)
        .bind(from)
        .bind(tenant)
        .bind(MASS_EVENTS)
        .fetch_all(conn)
        .await?;
    Ok(SlaFigures { evaluated_at, timers, exposure_days, mass_events_total, mass_events })
}

const TIMERS: &str = "
    WITH known AS (
        SELECT t.clock, t.severity, t.due_at, t.breached_at,
               t.excluded AND (d.decided_at IS NULL OR d.decided_at <= $4) AS excluded,
               t.undecided OR coalesce(d.decided_at > $4, false) AS undecided,
               t.started_at <= $4 AS started, t.stopped_at <= $4 AS stopped, t.stopped_at
        FROM sla_timers t
        LEFT JOIN mass_event_decisions d
               ON d.advisory_id = t.advisory_id AND d.policy_id = t.policy_id
        WHERE t.opened_at >= $2 AND t.opened_at <= $4
          AND ($3::text IS NULL OR t.tenant_namespace = $3)),
    stood AS (
        SELECT clock, severity, breached_at,
               CASE WHEN excluded THEN 'excluded'
                    WHEN undecided THEN 'undecided'
                    WHEN started IS NOT true AND stopped IS true THEN 'never_ran'
                    WHEN started IS NOT true THEN 'paused'
                    WHEN stopped IS true AND stopped_at <= due_at THEN 'kept'
                    WHEN due_at <= $1 THEN 'breached'
                    ELSE 'running' END AS state
        FROM known)
    SELECT clock, severity, count(*) AS opened,
           count(*) FILTER (WHERE state = 'excluded') AS excluded,
           count(*) FILTER (WHERE state = 'undecided') AS undecided,
           count(*) FILTER (WHERE state = 'never_ran') AS never_ran,
           count(*) FILTER (WHERE state = 'paused') AS paused,
           count(*) FILTER (WHERE state = 'running') AS running,
           count(*) FILTER (WHERE state = 'kept') AS kept,
           count(*) FILTER (WHERE state = 'breached') AS breached,
           count(*) FILTER (WHERE state = 'breached' AND breached_at <= $4) AS recorded
    FROM stood GROUP BY clock, severity
    ORDER BY clock COLLATE \"C\" DESC,
             array_position(ARRAY['critical', 'high', 'medium', 'low'], severity)";

const DAYS: &str = "
    WITH found AS MATERIALIZED (
        SELECT image_id, version, severity, min(detected_at) AS detected_at,
               min(not_affected_at) AS judged_at
        FROM cve_findings WHERE detected_at <= $1
        GROUP BY image_id, version, advisory_id, severity),
    exposed AS (
        SELECT f.severity, greatest(u.valid_from, f.detected_at, $2) AS began_at,
               least(u.valid_to, f.judged_at, $1) AS ended_at
        FROM customer_image_usage u JOIN found f USING (image_id, version)
        WHERE u.valid_from <= $1 AND ($3::text IS NULL OR u.tenant_namespace = $3))
    SELECT severity,
           round(sum(extract(epoch FROM ended_at - began_at)) / 86400, 2)::float8 AS days
    FROM exposed WHERE ended_at > began_at
    GROUP BY severity
    ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low'], severity)";

/// The decisions that exclude timers.
const EXCLUDING: &str = "
    FROM mass_event_decisions d
    CROSS JOIN LATERAL (
        SELECT count(*) AS timers FROM sla_timers t
        WHERE t.advisory_id = d.advisory_id AND t.policy_id = d.policy_id AND t.excluded
          AND t.opened_at >= $2 AND t.opened_at <= $1
          AND ($3::text IS NULL OR t.tenant_namespace = $3)) n
    WHERE d.excluded AND d.decided_at <= $1 AND n.timers > 0";

fn events(platform: bool) -> String {
    // Tenants may not read these columns at all.
    let counts = if platform { "d.images_hit, d.images" } else { "NULL::integer, NULL::integer" };
    format!(
        "SELECT a.cve, p.name AS policy, e.decided_at, e.images_hit, e.images, e.timers
         FROM (SELECT d.advisory_id, d.policy_id, d.decided_at, {counts}, n.timers {EXCLUDING}
               ORDER BY d.decided_at DESC, d.advisory_id DESC, d.policy_id LIMIT $4)
              AS e (advisory_id, policy_id, decided_at, images_hit, images, timers)
         JOIN advisories a ON a.id = e.advisory_id
         JOIN sla_policies p ON p.id = e.policy_id
         ORDER BY e.decided_at DESC, e.advisory_id DESC, e.policy_id"
    )
}
