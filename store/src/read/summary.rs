//! What a run produced, counted in the database: the summary that `run` prints.
use crate::read::sla::{SlaFigures, figures};
use crate::retention;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;

/// Counts by two names.
pub type Table = BTreeMap<String, BTreeMap<String, i64>>;

/// The summary of a world.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Facts on the timeline.
    pub events: i64,
    /// Builds by trigger and status.
    pub builds: Table,
    /// Findings by severity and by what they say of the image: `open`, `fixed` or `not_affected`.
    pub findings: Table,
    /// How promises were kept.
    pub sla: SlaFigures,
    /// Documents of builds.
    pub artifacts: i64,
    /// Bytes of documents, counted once for each distinct content.
    pub bytes: i64,
    /// Advisories by severity.
    pub advisories: BTreeMap<String, i64>,
    /// Notifications by kind.
    pub notifications: BTreeMap<String, i64>,
    /// From when on all this is counted; none: from the beginning.
    pub history_from: Option<DateTime<Utc>>,
}

/// Counts a world that stands at `now`, its service levels from `from` on; the connection should hold a
/// snapshot.
///
/// # Errors
/// The database fails.
pub async fn summary(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    from: DateTime<Utc>,
) -> Result<Summary, sqlx::Error> {
    let events = sqlx::query_scalar("SELECT count(*) FROM timeline").fetch_one(&mut *conn).await?;
    let (artifacts, bytes) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM artifacts),
                (SELECT coalesce(sum(bytes), 0)::bigint
                 FROM (SELECT DISTINCT ON (sha256) bytes FROM artifacts) AS distinct_contents)",
    )
    .fetch_one(&mut *conn)
    .await?;
    Ok(Summary {
        events,
        builds: table(conn, "SELECT trigger, status, count(*) FROM build_events GROUP BY 1, 2")
            .await?,
        findings: table(
            conn,
            "SELECT severity,
                    CASE WHEN not_affected_at IS NOT NULL THEN 'not_affected'
                         WHEN resolved_at IS NOT NULL THEN 'fixed' ELSE 'open' END,
                    count(*)
             FROM cve_findings GROUP BY 1, 2",
        )
        .await?,
        sla: figures(conn, now, from, None, true).await?,
        artifacts,
        bytes,
        advisories: list(conn, "SELECT severity, count(*) FROM advisories GROUP BY 1").await?,
        notifications: list(conn, "SELECT kind, count(*) FROM notifications GROUP BY 1").await?,
        history_from: retention::history_from(conn).await?,
    })
}

async fn table(conn: &mut PgConnection, sql: &'static str) -> Result<Table, sqlx::Error> {
    let mut table = Table::new();
    for row in sqlx::query(sql).fetch_all(conn).await? {
        table.entry(row.get(0)).or_default().insert(row.get(1), row.get(2));
    }
    Ok(table)
}

async fn list(
    conn: &mut PgConnection,
    sql: &'static str,
) -> Result<BTreeMap<String, i64>, sqlx::Error> {
    let rows = sqlx::query(sql).fetch_all(conn).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// The sum over a table.
pub fn total(table: &Table) -> i64 {
    table.values().flat_map(BTreeMap::values).sum()
}

/// The namespaces of the first tenants, by ordinal.
pub async fn first_tenants(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("SELECT tenant_namespace FROM customers ORDER BY id LIMIT $1")
        .bind(limit)
        .fetch_all(conn)
        .await
}
