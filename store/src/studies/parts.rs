//! The batches of studies that run. A row is the truth about a batch, as a row of the ledger is about a
//! job of the world: the queue only delivers what has no outcome yet.
//!
//! Whoever plays a batch holds its row locked to the end of a transaction that stays open meanwhile; so
//! a worker that dies lets go of it at once, and a batch that is delivered twice is played once.
use crate::error::Error;
use sqlx::{FromRow, PgConnection};
use std::time::Duration;

/// Which batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartKey {
    /// The study.
    pub study: i64,
    /// Its round.
    pub round: i32,
    /// The place within the round.
    pub place: i32,
}

/// Writes the batches of a round, in their order; those that are there stay as they are.
pub async fn insert(
    conn: &mut PgConnection,
    study: i64,
    round: i32,
    batches: &[String],
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO study_parts (study_id, round, place, batch)
         SELECT $1, $2, place - 1, batch
         FROM unnest($3::text[]) WITH ORDINALITY AS new (batch, place)
         ON CONFLICT DO NOTHING",
    )
    .bind(study)
    .bind(round)
    .bind(batches)
    .execute(conn)
    .await?;
    Ok(())
}

/// Batches to deliver: those that never were, until so many of the study are on their way; and those
/// whose delivery is lost, because it is that old, was fetched, and nobody holds the batch.
pub async fn to_deliver(
    conn: &mut PgConnection,
    (study, round): (i64, i32),
    on_their_way: i64,
    lost_after: Duration,
) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar(
        "SELECT place FROM study_parts WHERE (study_id, round, place) IN (
             (SELECT p.study_id, p.round, p.place
              FROM study_parts p LEFT JOIN apalis.jobs j ON j.id = p.task
              WHERE p.study_id = $1 AND p.round = $2 AND p.outcome IS NULL AND p.task IS NOT NULL
                AND p.enqueued_wall < now() - $4 * interval '1 second'
                AND (j.id IS NULL OR j.status <> 'Pending'))
             UNION ALL
             (SELECT p.study_id, p.round, p.place FROM study_parts p
              WHERE p.study_id = $1 AND p.round = $2 AND p.outcome IS NULL AND p.task IS NULL
              ORDER BY p.place
              LIMIT greatest(0, $3 - (SELECT count(*) FROM study_parts p
                                      WHERE p.study_id = $1 AND p.outcome IS NULL
                                        AND p.task IS NOT NULL))))
         ORDER BY place FOR UPDATE SKIP LOCKED",
    )
    .bind(study)
    .bind(round)
    .bind(on_their_way)
    .bind(lost_after.as_secs_f64())
    .fetch_all(conn)
    .await
}

/// Notes under which tasks batches of a round are delivered; their tasks before are deleted.
pub async fn assign_tasks(
    conn: &mut PgConnection,
    (study, round): (i64, i32),
    places: &[i32],
    tasks: &[String],
) -> sqlx::Result<()> {
    sqlx::query(
        "WITH new AS (SELECT * FROM unnest($3::integer[], $4::text[]) AS new (place, task)),
              old AS (DELETE FROM apalis.jobs WHERE id IN (
                          SELECT p.task FROM study_parts p JOIN new USING (place)
                          WHERE p.study_id = $1 AND p.round = $2))
         UPDATE study_parts p SET task = new.task, enqueued_wall = now()
         FROM new WHERE p.study_id = $1 AND p.round = $2 AND p.place = new.place",
    )
    .bind(study)
    .bind(round)
    .bind(places)
    .bind(tasks)
    .execute(conn)
    .await?;
    Ok(())
}

/// A batch that a worker is about to play.
#[derive(Clone, Debug, FromRow)]
pub struct Begun {
    /// What is to be played, as JSON.
    pub batch: String,
    /// How many attempts have begun, this one included.
    pub begun: i32,
}

/// Counts an attempt before it begins, should it end its worker. None when there is nothing to do: the
/// batch is played, somebody plays it, or its study does not run under this version of the kernel.
pub async fn begin(
    conn: &mut PgConnection,
    key: PartKey,
    kernel_version: &str,
) -> sqlx::Result<Option<Begun>> {
    sqlx::query_as(
        "UPDATE study_parts SET begun = begun + 1
         WHERE (study_id, round, place) = (
             SELECT p.study_id, p.round, p.place
             FROM study_parts p JOIN studies s ON s.id = p.study_id
             WHERE p.study_id = $1 AND p.round = $2 AND p.place = $3 AND p.outcome IS NULL
               AND s.status = 'running' AND s.kernel_version = $4
             FOR UPDATE OF p SKIP LOCKED)
         RETURNING batch, begun",
    )
    .bind(key.study)
    .bind(key.round)
    .bind(key.place)
    .bind(kernel_version)
    .fetch_optional(conn)
    .await
}

/// Takes a batch for as long as the transaction lasts; whether nobody else has it and it is not played.
pub async fn hold(conn: &mut PgConnection, key: PartKey) -> sqlx::Result<bool> {
    let held = sqlx::query(
        "SELECT FROM study_parts
         WHERE study_id = $1 AND round = $2 AND place = $3 AND outcome IS NULL
         FOR UPDATE SKIP LOCKED",
    )
    .bind(key.study)
    .bind(key.round)
    .bind(key.place)
    .fetch_optional(conn)
    .await?;
    Ok(held.is_some())
}

/// Notes what came of a batch, and deletes its task.
pub async fn played(conn: &mut PgConnection, key: PartKey, outcome: &[u8]) -> sqlx::Result<()> {
    sqlx::query(
        "WITH done AS (UPDATE study_parts SET outcome = $4
                       WHERE study_id = $1 AND round = $2 AND place = $3 AND outcome IS NULL
                       RETURNING task)
         DELETE FROM apalis.jobs WHERE id IN (SELECT task FROM done)",
    )
    .bind(key.study)
    .bind(key.round)
    .bind(key.place)
    .bind(outcome)
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives back a batch that was begun and is not to be ended here: the attempt does not count, and it is
/// delivered anew.
pub async fn give_back(conn: &mut PgConnection, key: PartKey) -> sqlx::Result<()> {
    sqlx::query(
        "WITH back AS (UPDATE study_parts p
                       SET begun = greatest(0, p.begun - 1), task = NULL, enqueued_wall = NULL
                       FROM study_parts old
                       WHERE (old.study_id, old.round, old.place) = (p.study_id, p.round, p.place)
                         AND p.study_id = $1 AND p.round = $2 AND p.place = $3
                         AND p.outcome IS NULL
                       RETURNING old.task)
         DELETE FROM apalis.jobs WHERE id IN (SELECT task FROM back)",
    )
    .bind(key.study)
    .bind(key.round)
    .bind(key.place)
    .execute(conn)
    .await?;
    Ok(())
}

/// What came of a batch.
#[derive(Clone, Debug, FromRow)]
pub struct PlayedPart {
    /// Its place in the round.
    pub place: i32,
    /// What came of it.
    pub outcome: Vec<u8>,
}

/// The played batches of a round from a place on, at most so many, without gaps.
pub async fn played_from(
    conn: &mut PgConnection,
    (study, round): (i64, i32),
    from: i32,
    most: i64,
) -> sqlx::Result<Vec<PlayedPart>> {
    let rows: Vec<PlayedPart> = sqlx::query_as(
        "SELECT place, outcome FROM study_parts
         WHERE study_id = $1 AND round = $2 AND place >= $3 AND outcome IS NOT NULL
           AND place < coalesce((SELECT min(place) FROM study_parts
                                 WHERE study_id = $1 AND round = $2 AND outcome IS NULL),
                                2147483647)
         ORDER BY place LIMIT $4",
    )
    .bind(study)
    .bind(round)
    .bind(from)
    .bind(most)
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Deletes the batches of studies that have ended, but for those that somebody is at.
pub async fn delete_ended(conn: &mut PgConnection) -> sqlx::Result<u64> {
    let deleted = sqlx::query(
        "DELETE FROM study_parts WHERE (study_id, round, place) IN (
             SELECT p.study_id, p.round, p.place
             FROM study_parts p JOIN studies s ON s.id = p.study_id
             WHERE s.ended_wall IS NOT NULL FOR UPDATE OF p SKIP LOCKED)",
    )
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected())
}

/// Deletes tasks of the queue that no batch waits under any more, but for those that somebody is at.
pub async fn delete_stale_tasks(conn: &mut PgConnection) -> sqlx::Result<u64> {
    let deleted = sqlx::query(
        "DELETE FROM apalis.jobs WHERE id IN (
             SELECT j.id FROM apalis.jobs j
             WHERE j.job_type = 'study'
               AND NOT EXISTS (SELECT FROM study_parts p WHERE p.task = j.id AND p.outcome IS NULL)
             FOR UPDATE OF j SKIP LOCKED)",
    )
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected())
}
