//! Notifications: what each sums up, read from rows, and the notification itself.
use crate::db::instant;
use crate::error::Error;
use crate::instants;
use sim::fact::{Notification, NotificationKind};
use sim::time::SimTime;
use sqlx::{PgConnection, Row};

/// How many things a notification lists one by one; it counts all of them.
pub const LISTED_ITEMS: i64 = 100;

/// What a notification sums up.
#[derive(Clone, Debug)]
pub struct Items {
    /// How many there are.
    pub count: i64,
    /// The first of them, as JSON objects.
    pub listed: serde_json::Value,
}

/// Failed builds: of shared images, for the platform's own team; of a customer's, for that
/// customer.
const FAILED: &str = "
    SELECT jsonb_build_object('build', b.id, 'image', i.name, 'trigger', b.trigger,
                              'reason', b.failure) AS item, b.id AS place
    FROM build_events b JOIN images i ON i.id = b.image_id
    WHERE b.status = 'failed'
      AND b.tenant_namespace
          = coalesce((SELECT c.tenant_namespace FROM customers c WHERE c.id = $3), 'catalogue')
      AND b.finished_at > $1 AND b.finished_at <= $2";

/// Critical findings on what a customer runs: the timers of its own clock that began.
const CRITICAL: &str = "
    SELECT jsonb_build_object('image', i.name, 'cve', a.cve, 'excluded', coalesce(d.excluded, false),
                              'due', CASE WHEN t.started_at <= $2 THEN t.due_at END) AS item,
           row_number() OVER (ORDER BY t.image_id, t.advisory_id, t.episode) AS place
    FROM sla_timers t JOIN images i ON i.id = t.image_id JOIN advisories a ON a.id = t.advisory_id
    LEFT JOIN mass_event_decisions d ON d.advisory_id = t.advisory_id
         AND d.policy_id = t.policy_id AND d.decided_at <= $2
    WHERE t.customer_id = $3 AND t.clock = 'customer' AND t.severity = 'critical'
      AND t.opened_at > $1 AND t.opened_at <= $2";

/// Timers that were seen at risk at that evaluation.
const AT_RISK: &str = "
    SELECT jsonb_build_object('image', i.name, 'cve', a.cve, 'clock', t.clock,
                              'severity', t.severity, 'due', t.due_at) AS item,
           row_number() OVER (ORDER BY t.image_id, t.advisory_id, t.clock DESC, t.episode)
               AS place
    FROM sla_timers t JOIN images i ON i.id = t.image_id JOIN advisories a ON a.id = t.advisory_id
    WHERE t.customer_id = $3 AND t.warned_at = $2 AND $1 < $2";

/// Violations that were recorded at that evaluation; those resolved by it too are told as that.
const BREACHED: &str = "
    SELECT jsonb_build_object('image', i.name, 'cve', a.cve, 'clock', v.clock,
                              'severity', v.severity, 'due', v.due_at) AS item,
           row_number() OVER (ORDER BY v.image_id, v.advisory_id, v.clock DESC, v.episode)
               AS place
    FROM sla_violations v
    JOIN images i ON i.id = v.image_id
    JOIN advisories a ON a.id = v.advisory_id
    WHERE v.customer_id = $3 AND v.recorded_at = $2 AND $1 < $2
      AND (v.resolution_recorded_at IS NULL OR v.resolution_recorded_at > $2)";

/// Violations whose timer was seen stopped at that evaluation.
const RESOLVED: &str = "
    SELECT jsonb_build_object('image', i.name, 'cve', a.cve, 'clock', v.clock,
                              'severity', v.severity, 'due', v.due_at, 'resolved', v.resolved_at)
               AS item,
           row_number() OVER (ORDER BY v.image_id, v.advisory_id, v.clock DESC, v.episode)
               AS place
    FROM sla_violations v
    JOIN images i ON i.id = v.image_id
    JOIN advisories a ON a.id = v.advisory_id
    WHERE v.customer_id = $3 AND v.resolution_recorded_at = $2 AND $1 < $2";

/// Counts and lists what a notification at `at` sums up.
pub async fn items(
    conn: &mut PgConnection,
    notification: &Notification,
    at: SimTime,
) -> Result<Items, Error> {
    let source = match notification.kind {
        NotificationKind::BuildFailed => FAILED,
        NotificationKind::CriticalCve => CRITICAL,
        NotificationKind::SlaAtRisk => AT_RISK,
        NotificationKind::SlaBreached => BREACHED,
        NotificationKind::SlaResolved => RESOLVED,
    };
    let statement = format!(
        "SELECT count(*),
                coalesce(jsonb_agg(item ORDER BY place) FILTER (WHERE place_no <= $4), '[]')
         FROM (SELECT item, place, row_number() OVER (ORDER BY place) AS place_no
               FROM ({source}) found) numbered"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(instant(notification.previous)?)
        .bind(instant(at)?)
        .bind(notification.customer.map(|customer| i64::from(customer.0)))
        .bind(LISTED_ITEMS)
        .fetch_one(conn)
        .await?;
    let mut listed = row.try_get(1)?;
    instants::rewrite(&mut listed);
    Ok(Items { count: row.try_get(0)?, listed })
}

/// A notification to be written.
#[derive(Clone, Debug)]
pub struct NewNotification {
    /// The fact's sequence number.
    pub seq: u64,
    /// The simulated instant.
    pub at: SimTime,
    /// The receiver, by customer; none is the platform's own team.
    pub customer_id: Option<i64>,
    /// What it is about.
    pub kind: &'static str,
    /// How many things it sums up.
    pub items: u32,
    /// One line.
    pub subject: String,
    /// The things.
    pub body: serde_json::Value,
}

/// Writes notifications; repeating it changes nothing.
pub async fn insert(conn: &mut PgConnection, new: &[NewNotification]) -> Result<(), Error> {
    let ats = new.iter().map(|t| instant(t.at)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "INSERT INTO notifications (id, tenant_namespace, customer_id, kind, at, items, subject,
                                    body)
         SELECT t.id, coalesce(c.tenant_namespace, 'catalogue'), t.customer_id, t.kind, t.at,
                t.items, t.subject, t.body
         FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::timestamptz[], $5::integer[],
                     $6::text[], $7::jsonb[])
              AS t (id, customer_id, kind, at, items, subject, body)
         LEFT JOIN customers c ON c.id = t.customer_id
         ON CONFLICT DO NOTHING",
    )
    .bind(new.iter().map(|t| t.seq as i64).collect::<Vec<_>>())
    .bind(new.iter().map(|t| t.customer_id).collect::<Vec<_>>())
    .bind(new.iter().map(|t| t.kind).collect::<Vec<_>>())
    .bind(ats)
    .bind(new.iter().map(|t| t.items as i32).collect::<Vec<_>>())
    .bind(new.iter().map(|t| t.subject.as_str()).collect::<Vec<_>>())
    .bind(new.iter().map(|t| &t.body).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}
