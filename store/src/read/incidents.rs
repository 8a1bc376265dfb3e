//! Incidents that were injected: commands of certain kinds, as they stood at an instant.
use super::TOTAL_BOUND;
use super::commands::{COLUMNS, CommandRow};
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection};

/// Which commands are incidents: in the words of the index `commands_incidents`, which serves only
/// queries that say it like this.
const INCIDENT: &str = "command ->> 'command' IN ('disclose_advisory', 'builder_outage', \
                        'tamper_attestation', 'distrust_builder')";

/// Incidents that the world had not taken at an instant, the latest first, below a number. They
/// belong to no past: whoever asks for them asks for the newest state, or turns its pages.
pub async fn waiting_incidents(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    before: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<CommandRow>> {
    let sql = format!(
        "{COLUMNS} WHERE {INCIDENT} AND (applied_at IS NULL OR applied_at > $1)
         AND ($2::bigint IS NULL OR seq < $2) ORDER BY seq DESC LIMIT $3"
    );
    let query = sqlx::query_as(AssertSqlSafe(sql)).bind(as_of).bind(before).bind(limit);
    query.fetch_all(conn).await
}

/// Incidents that the world had taken, or refused, by an instant: the latest first, after a place
/// in that order, which is the instant and the number of a command.
pub async fn taken_incidents(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    after: Option<(DateTime<Utc>, i64)>,
    limit: i64,
) -> sqlx::Result<Vec<CommandRow>> {
    let (at, seq) = after.unwrap_or((as_of, i64::MAX));
    let sql = format!(
        "{COLUMNS} WHERE {INCIDENT} AND applied_at <= $1 AND (applied_at, seq) < ($2, $3)
         ORDER BY applied_at DESC, seq DESC LIMIT $4"
    );
    let query = sqlx::query_as(AssertSqlSafe(sql)).bind(as_of).bind(at).bind(seq).bind(limit);
    query.fetch_all(conn).await
}

/// How many of both there are, up to one more than [`TOTAL_BOUND`].
pub async fn incidents_total(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    waiting: bool,
) -> sqlx::Result<i64> {
    let sql = format!(
        "SELECT count(*) FROM (
             (SELECT FROM commands WHERE {INCIDENT} AND applied_at <= $1 LIMIT $3)
             UNION ALL
             (SELECT FROM commands
              WHERE $2 AND {INCIDENT} AND (applied_at IS NULL OR applied_at > $1) LIMIT $3)
             LIMIT $3) AS counted"
    );
    let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(as_of).bind(waiting);
    query.bind(TOTAL_BOUND + 1).fetch_one(conn).await
}
