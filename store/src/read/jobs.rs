//! Jobs as operators see them: what waits, what is in flight, what failed, what is dead.
use super::page::Slice;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

/// A job.
#[derive(Clone, Debug, FromRow)]
pub struct JobRow {
    /// Its number.
    pub id: i64,
    /// The queue.
    pub queue: String,
    /// The order within the queue.
    pub phase: i32,
    /// The simulated instant of its first fact.
    pub at: DateTime<Utc>,
    /// `waiting`, `in_flight`, `failed`, `dead`, `done` or `discarded`.
    pub state: String,
    /// How many attempts have failed.
    pub attempts: i32,
    /// How many deliveries nobody finished.
    pub lost: i32,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When it is delivered again.
    pub retry_wall: Option<DateTime<Utc>>,
    /// When it was delivered last.
    pub enqueued_wall: Option<DateTime<Utc>>,
    /// When it was done.
    pub done_wall: Option<DateTime<Utc>>,
}

/// How a job of the ledger stands.
const STATE: &str = "CASE WHEN l.state = 'dead' THEN 'dead'
         WHEN l.discarded_wall IS NOT NULL THEN 'discarded' WHEN l.state = 'done' THEN 'done'
         WHEN l.retry_wall IS NOT NULL THEN 'failed' WHEN l.enqueued_wall IS NULL THEN 'waiting'
         ELSE 'in_flight' END";

/// Which jobs a list holds.
#[derive(Clone, Debug, Default)]
pub struct JobFilter<'a> {
    /// Only those of this queue.
    pub queue: Option<&'a str>,
    /// Only those that stand so.
    pub state: Option<&'a str>,
}

fn page(filter: &JobFilter<'_>, before: Option<i64>, slice: Slice) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("WITH ");
    query.push(slice.page());
    query.push("SELECT l.*, ");
    query.push(STATE).push(" AS seen FROM ledger l WHERE ");
    // In words that indexes have: those that are not done are few, as are those that were given up.
    query.push(match filter.state {
        None => "true",
        Some("done") => "l.state = 'done' AND l.discarded_wall IS NULL",
        Some("discarded") => "l.discarded_wall IS NOT NULL",
        Some(_) => "l.state <> 'done'",
    });
    if let Some(state) = filter.state.filter(|state| !["done", "discarded"].contains(state)) {
        query.push(" AND ").push(STATE).push(" = ").push_bind(state.to_owned());
    }
    if let Some(queue) = filter.queue {
        query.push(" AND l.queue = ").push_bind(queue.to_owned());
    }
    if let Some(before) = before {
        query.push(" AND l.id < ").push_bind(before);
    }
    query.push(" ORDER BY l.id DESC LIMIT ").push(slice.limit()).push(") ");
    query
}

/// Jobs, the latest first, before one of them.
pub async fn jobs(
    conn: &mut PgConnection,
    filter: &JobFilter<'_>,
    before: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<JobRow>> {
    let mut query = page(filter, before, Slice::Page(limit));
    query.push(
        "SELECT id, queue, phase, at, seen AS state, attempts, lost, error, retry_wall,
                enqueued_wall, done_wall FROM page ORDER BY id DESC",
    );
    query.build_query_as().fetch_all(conn).await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn jobs_total(conn: &mut PgConnection, filter: &JobFilter<'_>) -> sqlx::Result<i64> {
    let mut query = page(filter, None, Slice::Total);
    query.push("SELECT count(*) FROM page");
    query.build_query_scalar().fetch_one(conn).await
}

/// A job with what is to be done.
#[derive(Clone, Debug, FromRow)]
pub struct JobDetailRow {
    /// The job.
    #[sqlx(flatten)]
    pub job: JobRow,
    /// What is to be done.
    pub payload: Value,
}

/// One job; none when it was never there, or was done long ago and is forgotten.
pub async fn job(conn: &mut PgConnection, id: i64) -> sqlx::Result<Option<JobDetailRow>> {
    let sql = format!(
        "SELECT l.id, l.queue, l.phase, l.at, {STATE} AS state, l.attempts, l.lost, l.error,
                l.retry_wall, l.enqueued_wall, l.done_wall, l.payload::jsonb AS payload
         FROM ledger l WHERE l.id = $1"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(conn).await
}

/// What a queue holds that is not done.
#[derive(Clone, Debug, FromRow)]
pub struct QueueRow {
    /// Its name.
    pub queue: String,
    /// Jobs whose turn has not come.
    pub waiting: i64,
    /// Jobs that were delivered.
    pub in_flight: i64,
    /// Jobs that failed and will be tried again.
    pub failed: i64,
    /// Jobs in the dead letter.
    pub dead: i64,
}

/// What each of these queues holds, in their order.
pub async fn queues(conn: &mut PgConnection, names: &[&str]) -> sqlx::Result<Vec<QueueRow>> {
    let sql = format!(
        "SELECT q.queue, count(*) FILTER (WHERE s.seen = 'waiting') AS waiting,
                count(*) FILTER (WHERE s.seen = 'in_flight') AS in_flight,
                count(*) FILTER (WHERE s.seen = 'failed') AS failed,
                count(*) FILTER (WHERE s.seen = 'dead') AS dead
         FROM unnest($1::text[]) WITH ORDINALITY AS q (queue, place)
         LEFT JOIN (SELECT l.queue, {STATE} AS seen FROM ledger l WHERE l.state <> 'done') s
             ON s.queue = q.queue
         GROUP BY q.queue, q.place ORDER BY q.place"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(names).fetch_all(conn).await
}
