//! How many things were open, running or waiting at instants of the past, for curves over time.
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{FromRow, PgConnection};
use std::collections::BTreeMap;

/// The series that are counted, by their names: findings by severity (an image and an advisory, from the
/// first detection until a published version or a judgement has ended the last of them), builds that run
/// and that wait, and timers past their deadline.
pub const SERIES: [&str; 7] =
    ["critical", "high", "medium", "low", "builds_running", "builds_waiting", "overdue"];

/// Instants with equal distances, the last of them the one that is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Samples {
    /// The first one.
    pub from: DateTime<Utc>,
    /// The last one.
    pub as_of: DateTime<Utc>,
    /// How many; 2 at least.
    pub count: u32,
}

impl Samples {
    /// From one to the next, in milliseconds.
    fn step_ms(&self) -> f64 {
        let whole = (self.as_of - self.from).num_milliseconds().max(1);
        whole as f64 / f64::from(self.count.max(2) - 1)
    }

    /// The instants.
    pub fn instants(&self) -> Vec<DateTime<Utc>> {
        let whole = (self.as_of - self.from).num_milliseconds().max(0);
        let last = i64::from(self.count.max(2) - 1);
        let at = |place| self.from + TimeDelta::milliseconds(whole * place / last);
        (0..=last).map(at).collect()
    }
}

#[derive(FromRow)]
struct ChangeRow {
    series: String,
    place: i64,
    change: i64,
}

/// The values of each series at the samples.
///
/// Of timers it is known what the last evaluation by then had seen: so a past answer never changes. It
/// reads the index entries of all findings, so whoever answers many callers keeps the answer.
pub async fn history(
    conn: &mut PgConnection,
    samples: &Samples,
) -> sqlx::Result<BTreeMap<&'static str, Vec<i64>>> {
    let rows: Vec<ChangeRow> = sqlx::query_as(
        "WITH seen AS MATERIALIZED (
             SELECT at FROM timeline WHERE kind = 'sla_checked' AND at <= $1
             ORDER BY at DESC LIMIT 1),
         spans (series, began_at, ended_at) AS (
             SELECT severity, min(detected_at),
                    CASE WHEN bool_and(coalesce(least(resolved_at, not_affected_at) <= $1, false))
                         THEN max(least(resolved_at, not_affected_at)) END
             FROM cve_findings WHERE detected_at <= $1
             GROUP BY image_id, advisory_id, severity
             UNION ALL
             SELECT 'builds_running', started_at, finished_at
             FROM build_events WHERE started_at <= $1
             UNION ALL
             SELECT 'builds_waiting', requested_at, least(started_at, finished_at)
             FROM build_events WHERE requested_at <= $1
             UNION ALL
             SELECT 'overdue', t.due_at, CASE WHEN t.stopped_at <= seen.at THEN t.stopped_at END
             FROM seen, sla_timers t
             WHERE t.due_at <= $1 AND t.opened_at <= seen.at AND t.started_at <= seen.at
               AND (t.stopped_at IS NULL OR t.stopped_at > t.due_at)
               AND NOT (t.excluded AND NOT EXISTS (
                   SELECT FROM mass_event_decisions d
                   WHERE d.advisory_id = t.advisory_id AND d.policy_id = t.policy_id
                     AND d.decided_at > seen.at)))
         SELECT series, place, sum(change)::bigint AS change
         FROM (
             SELECT series, 1 AS change,
                    ceil(extract(epoch FROM began_at - $2) * 1000 / $3)::bigint AS place
             FROM spans
             UNION ALL
             SELECT series, -1, ceil(extract(epoch FROM ended_at - $2) * 1000 / $3)::bigint
             FROM spans WHERE ended_at <= $1) changes
         GROUP BY series, place ORDER BY series, place",
    )
    .bind(samples.as_of)
    .bind(samples.from)
    .bind(samples.step_ms())
    .fetch_all(conn)
    .await?;
    let mut all = BTreeMap::new();
    for name in SERIES {
        let mut changes = rows.iter().filter(|row| row.series == name).peekable();
        let mut value = 0;
        let values = (0..i64::from(samples.count.max(2))).map(|place| {
            while let Some(row) = changes.next_if(|row| row.place <= place) {
                value += row.change;
            }
            value
        });
        all.insert(name, values.collect());
    }
    Ok(all)
}
