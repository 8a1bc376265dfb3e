//! The ledger: the source of truth about jobs. The queue only delivers what this table owes.
use crate::db::instant;
use crate::error::Error;
use crate::queue::Queue;
use crate::world;
use sim::time::SimTime;
use sqlx::PgConnection;
use std::time::Duration;

/// How often a job is tried before it goes to the dead letter.
pub const MAX_ATTEMPTS: i32 = 5;

/// A new job.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Its id, from its first fact and its number among the jobs that begin with that fact.
    pub id: i64,
    /// Its queue.
    pub queue: Queue,
    /// The order within the queue: the depth of a build, 0 elsewhere.
    pub phase: i32,
    /// The instant of its first fact.
    pub at: SimTime,
    /// What is to be done, as JSON.
    pub payload: String,
}

/// Inserts jobs, in one statement.
pub async fn insert(conn: &mut PgConnection, jobs: &[NewJob]) -> Result<(), Error> {
    if jobs.is_empty() {
        return Ok(());
    }
    let ats = jobs.iter().map(|j| instant(j.at)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "INSERT INTO ledger (id, queue, phase, at, payload, state)
         SELECT id, queue, phase, at, payload::json, 'owed'
         FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::timestamptz[], $5::text[])
              AS new (id, queue, phase, at, payload)",
    )
    .bind(jobs.iter().map(|j| j.id).collect::<Vec<_>>())
    .bind(jobs.iter().map(|j| j.queue.as_str()).collect::<Vec<_>>())
    .bind(jobs.iter().map(|j| j.phase).collect::<Vec<_>>())
    .bind(ats)
    .bind(jobs.iter().map(|j| j.payload.as_str()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// A job that is not done, as a conductor finds it when it takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfinishedJob {
    /// Its id.
    pub id: i64,
    /// Its queue.
    pub queue: Queue,
    /// The order within the queue.
    pub phase: i32,
}

/// All jobs that are not done, in order.
pub async fn unfinished(conn: &mut PgConnection) -> Result<Vec<UnfinishedJob>, Error> {
    let rows: Vec<(i64, String, i32)> =
        sqlx::query_as("SELECT id, queue, phase FROM ledger WHERE state <> 'done' ORDER BY id")
            .fetch_all(conn)
            .await?;
    rows.into_iter()
        .map(|(id, queue, phase)| {
            Ok(UnfinishedJob { id, queue: Queue::parse("ledger.queue", &queue)?, phase })
        })
        .collect()
}

/// What a worker gets when it takes a job.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Claim {
    /// What is to be done, as JSON.
    pub payload: String,
    /// How many deliveries of it nobody finished.
    pub lost: i32,
}

/// Takes a job and marks it done, both in the transaction that will hold its rows: they become
/// visible together or not at all. `None` when there is nothing to do: it is done or dead, or
/// another worker has it (its transaction holds the row), or the task is one of a world that has
/// been replaced (`generation` is not that of the world there is).
pub async fn claim(
    conn: &mut PgConnection,
    id: i64,
    generation: i64,
) -> Result<Option<Claim>, Error> {
    Ok(sqlx::query_as(
        "UPDATE ledger SET state = 'done', done_wall = now(), retry_wall = NULL
         WHERE id = (SELECT id FROM ledger WHERE id = $1 AND state = 'owed'
                     AND coalesce((SELECT generation FROM world), 0) = $2
                     FOR UPDATE SKIP LOCKED)
         RETURNING payload::text AS payload, lost",
    )
    .bind(id)
    .bind(generation)
    .fetch_optional(conn)
    .await?)
}

/// What became of a failed job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It will be tried again.
    Retry,
    /// It is in the dead letter, and holds the clock.
    Dead,
    /// It is no longer owed; there was nothing to say.
    Settled,
}

/// Records a failed attempt; `counted`: it was counted when it began. The back-off doubles from
/// half a second to a minute; after [`MAX_ATTEMPTS`] comes the dead letter.
pub async fn fail(
    conn: &mut PgConnection,
    id: i64,
    error: &str,
    counted: bool,
) -> Result<Verdict, Error> {
    record_failure(conn, id, error, MAX_ATTEMPTS, counted).await
}

/// Moves a job to the dead letter at once: trying again cannot help.
pub async fn dead_letter(conn: &mut PgConnection, id: i64, error: &str) -> Result<Verdict, Error> {
    record_failure(conn, id, error, 0, false).await
}

async fn record_failure(
    conn: &mut PgConnection,
    id: i64,
    error: &str,
    max_attempts: i32,
    counted: bool,
) -> Result<Verdict, Error> {
    let state: Option<String> = sqlx::query_scalar(
        "UPDATE ledger
         SET attempts = now_at, error = $2,
             state = CASE WHEN now_at >= $3 THEN 'dead' ELSE 'owed' END,
             retry_wall = CASE WHEN now_at >= $3 THEN NULL
                 ELSE now() + least(0.25 * 2 ^ now_at, 60) * interval '1 second' END
         FROM (SELECT attempts + (NOT $4)::integer AS now_at FROM ledger WHERE id = $1) AS counted
         WHERE id = $1 AND state = 'owed'
         RETURNING state",
    )
    .bind(id)
    .bind(error)
    .bind(max_attempts)
    .bind(counted)
    .fetch_optional(&mut *conn)
    .await?;
    match state.as_deref() {
        Some("dead") => {
            world::hold(conn, &format!("job {id} is in the dead letter: {error}")).await?;
            Ok(Verdict::Dead)
        }
        Some("owed") => Ok(Verdict::Retry),
        Some(other) => Err(Error::unknown("ledger.state", other)),
        None => Ok(Verdict::Settled),
    }
}

/// Counts an attempt before it begins. For a job that was lost before: should it kill its worker, the
/// attempt is counted all the same. The last one leads to the dead letter like any other.
pub async fn begin_counted_attempt(conn: &mut PgConnection, id: i64) -> Result<Verdict, Error> {
    let begun: Option<i32> = sqlx::query_scalar(
        "UPDATE ledger SET attempts = attempts + 1,
                error = 'an attempt began and its worker did not come back'
         WHERE id = (SELECT id FROM ledger WHERE id = $1 AND state = 'owed'
                     FOR UPDATE SKIP LOCKED) AND attempts < $2
         RETURNING attempts",
    )
    .bind(id)
    .bind(MAX_ATTEMPTS)
    .fetch_optional(&mut *conn)
    .await?;
    if begun.is_some() {
        return Ok(Verdict::Retry);
    }
    let error: Option<String> = sqlx::query_scalar(
        "SELECT error FROM ledger WHERE id = $1 AND state = 'owed' AND attempts >= $2
         FOR UPDATE SKIP LOCKED",
    )
    .bind(id)
    .bind(MAX_ATTEMPTS)
    .fetch_optional(&mut *conn)
    .await?;
    match error {
        Some(error) => dead_letter(conn, id, &error).await,
        None => Ok(Verdict::Settled),
    }
}

/// How many of some jobs are unfinished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct UnfinishedCounts {
    /// Still to be done.
    pub owed: i64,
    /// In the dead letter.
    pub dead: i64,
}

/// How many of these jobs are unfinished.
pub async fn count_unfinished(
    conn: &mut PgConnection,
    ids: &[i64],
) -> Result<UnfinishedCounts, Error> {
    Ok(sqlx::query_as(
        "SELECT count(*) FILTER (WHERE state = 'owed') AS owed,
                count(*) FILTER (WHERE state = 'dead') AS dead
         FROM ledger WHERE id = ANY($1) AND state <> 'done'",
    )
    .bind(ids)
    .fetch_one(conn)
    .await?)
}

/// Takes a job out of the dead letter and owes it again; releases the clock when it was the last.
/// Whether it was there.
///
/// # Errors
/// [`Error::KernelMismatch`] when the world cannot go on, or Postgres failed.
pub async fn retry(conn: &mut PgConnection, id: i64) -> Result<bool, Error> {
    world::assert_kernel(conn).await?;
    let changed = sqlx::query(
        "UPDATE ledger SET state = 'owed', attempts = 0, lost = 0, retry_wall = now()
         WHERE id = $1 AND state = 'dead'",
    )
    .bind(id)
    .execute(&mut *conn)
    .await?;
    world::release_hold(conn).await?;
    Ok(changed.rows_affected() > 0)
}

/// Gives a job up for good: takes it out of the dead letter without its work being done, and
/// releases the clock when it was the last. Whether it was there.
///
/// From then on the job counts as done, so no barrier waits for it. What it would have written is
/// missing: the world is no longer the one that its scenario and seed make, its digest is another,
/// and jobs that read those rows may fail in turn, each to be retried or discarded. So this is the
/// last resort, for a defect that nobody can mend; [`retry`] is for all others. The ledger keeps
/// the row with its error for ever ([`discarded`]), and a job given up is never owed again.
///
/// # Errors
/// [`Error::KernelMismatch`] when the world cannot go on, or Postgres failed.
pub async fn discard(conn: &mut PgConnection, id: i64) -> Result<bool, Error> {
    world::assert_kernel(conn).await?;
    let changed = sqlx::query(
        "UPDATE ledger SET state = 'done', done_wall = now(), discarded_wall = now()
         WHERE id = $1 AND state = 'dead'",
    )
    .bind(id)
    .execute(&mut *conn)
    .await?;
    world::release_hold(conn).await?;
    Ok(changed.rows_affected() > 0)
}

/// How many jobs were given up ([`discard`]). If any was, the world's digest stands for nothing.
pub async fn discarded(conn: &mut PgConnection) -> Result<i64, Error> {
    let count = sqlx::query_scalar("SELECT count(*) FROM ledger WHERE discarded_wall IS NOT NULL");
    Ok(count.fetch_one(conn).await?)
}

/// Deletes at most `limit` jobs that finished more than `age` ago and whose facts are materialized.
/// Jobs that were given up are kept. Returns how many were deleted.
pub async fn delete_done(conn: &mut PgConnection, age: Duration, limit: i64) -> Result<u64, Error> {
    let deleted = sqlx::query(
        "DELETE FROM ledger WHERE id IN (
             SELECT id FROM ledger
             WHERE state = 'done' AND discarded_wall IS NULL AND done_wall < now() - $1 * interval '1 second'
               AND at < (SELECT materialized_through FROM world)
             ORDER BY done_wall LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind(age.as_secs_f64())
    .bind(limit)
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected())
}

/// How many jobs each queue has in each state.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Count {
    /// The queue's name.
    pub queue: String,
    /// `owed`, `done` or `dead`.
    pub state: String,
    /// How many.
    pub jobs: i64,
}

/// How many jobs each queue has in each state (of those done, the recent ones).
pub async fn counts(conn: &mut PgConnection) -> Result<Vec<Count>, Error> {
    Ok(sqlx::query_as(
        "SELECT queue, state, count(*) AS jobs FROM ledger
         GROUP BY queue, state ORDER BY queue, state",
    )
    .fetch_all(conn)
    .await?)
}
