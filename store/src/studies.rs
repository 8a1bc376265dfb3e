//! Studies that are asked for over the API: what was asked, how far it is, and where its documents
//! are. They stand beside the world (`migrations/20261201000900_studies.sql`). Batches of those that
//! run are in [`parts`]; what the director does with a study is in [`running`].
pub mod parts;
pub mod running;
pub mod summary;

use crate::locks::{Quota, lock_quota};
use crate::read::TOTAL_BOUND;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use summary::Summary;

/// The most studies that wait or run at the same time.
pub const MOST_OPEN: i64 = 20;

/// A study that is asked for.
#[derive(Clone, Debug)]
pub struct NewStudy<'a> {
    /// Its short name.
    pub name: &'a str,
    /// One line for people.
    pub title: &'a str,
    /// As it was written.
    pub study: &'a str,
    /// The scenarios that it names, as they were loaded: a list of `name` and `text`.
    pub scenarios: &'a Value,
    /// The seed of its first replication.
    pub seed: u64,
    /// About how many replications there will be.
    pub expected: i64,
    /// The id of the key that asks for it.
    pub requested_by: &'a str,
}

/// How a study stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nobody has begun with it.
    Queued,
    /// It is being played.
    Running,
    /// Its documents are there.
    Completed,
    /// It cannot be played.
    Failed,
    /// Somebody has stopped it.
    Cancelled,
}

impl Status {
    /// The name in the column.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Queued => "queued",
            Status::Running => "running",
            Status::Completed => "completed",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
        }
    }

    /// The status with this name.
    ///
    /// # Errors
    /// There is none.
    pub fn parse(name: &str) -> Result<Self, crate::error::Error> {
        use Status::{Cancelled, Completed, Failed, Queued, Running};
        let known = [Queued, Running, Completed, Failed, Cancelled];
        let found = known.into_iter().find(|status| status.as_str() == name);
        found.ok_or_else(|| crate::error::Error::unknown("studies.status", name))
    }
}

/// A study without its texts.
#[derive(Clone, Debug, FromRow)]
pub struct StudyRow {
    /// Its number.
    pub id: i64,
    /// Its short name.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// How it stands; see [`Status`].
    pub status: String,
    /// The seed of its first replication, as Postgres has it.
    pub seed: i64,
    /// The version of the kernel that plays it.
    pub kernel_version: Option<String>,
    /// Replications that count.
    pub done: i64,
    /// About how many there will be.
    pub expected: i64,
    /// The id of the key that asked for it.
    pub requested_by: String,
    /// What it waits for, that somebody should see to.
    pub obstacle: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_wall: DateTime<Utc>,
    /// When it began.
    pub started_wall: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_wall: Option<DateTime<Utc>>,
}

/// The columns of a [`StudyRow`].
const COLUMNS: &str = "id, name, title, status, seed, kernel_version, done, expected, requested_by, \
                       obstacle, error, created_wall, started_wall, ended_wall";

/// A study with its texts and what came of it.
#[derive(Clone, Debug, FromRow)]
pub struct StudyDetailRow {
    /// The study.
    #[sqlx(flatten)]
    pub study: StudyRow,
    /// As it was written.
    #[sqlx(rename = "study")]
    pub text: String,
    /// The answers, and the arms in short.
    pub summary: Option<Json<Summary>>,
}

/// A document of a study.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DocumentRow {
    /// `result`, `report` or `replications`.
    pub kind: String,
    /// The object.
    pub object_key: String,
    /// SHA-256 of the document, in hexadecimal.
    pub sha256: String,
    /// Its size in bytes, unpacked.
    pub bytes: i64,
}

fn select(rest: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM studies WHERE deleted_wall IS NULL {rest}"))
}

/// Puts a study in the queue; none when as many wait or run as may.
pub async fn insert(conn: &mut PgConnection, new: &NewStudy<'_>) -> sqlx::Result<Option<StudyRow>> {
    lock_quota(conn, Quota::Studies, None).await?;
    let open: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM studies WHERE ended_wall IS NULL OR deleted_wall IS NOT NULL",
    )
    .fetch_one(&mut *conn)
    .await?;
    if open >= MOST_OPEN {
        return Ok(None);
    }
    let sql = format!(
        "INSERT INTO studies (name, title, study, scenarios, seed, expected, requested_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {COLUMNS}"
    );
    let row = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(new.name)
        .bind(new.title)
        .bind(new.study)
        .bind(new.scenarios)
        .bind(new.seed.cast_signed())
        .bind(new.expected)
        .bind(new.requested_by)
        .fetch_one(conn)
        .await?;
    Ok(Some(row))
}

fn filtered(start: &str, status: Option<Status>) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(start);
    query.push(" FROM studies WHERE deleted_wall IS NULL");
    if let Some(status) = status {
        query.push(" AND status = ").push_bind(status.as_str());
    }
    query
}

/// Studies, the latest first, at most `limit` of them, before one of them.
pub async fn list(
    conn: &mut PgConnection,
    status: Option<Status>,
    before: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<StudyRow>> {
    let mut query = filtered(&format!("SELECT {COLUMNS}"), status);
    if let Some(before) = before {
        query.push(" AND id < ").push_bind(before);
    }
    query.push(" ORDER BY id DESC LIMIT ").push(limit);
    query.build_query_as().fetch_all(conn).await
}

/// The number of studies, counted up to one more than the bound of totals.
pub async fn total(conn: &mut PgConnection, status: Option<Status>) -> sqlx::Result<i64> {
    let mut query = filtered("SELECT count(*) FROM (SELECT", status);
    query.push(" ORDER BY id DESC LIMIT ").push(TOTAL_BOUND + 1).push(") AS counted");
    query.build_query_scalar().fetch_one(conn).await
}

/// One study, without its texts.
pub async fn find(conn: &mut PgConnection, id: i64) -> sqlx::Result<Option<StudyRow>> {
    sqlx::query_as(select("AND id = $1")).bind(id).fetch_optional(conn).await
}

/// One study, with its texts.
pub async fn detail(conn: &mut PgConnection, id: i64) -> sqlx::Result<Option<StudyDetailRow>> {
    let sql = format!(
        "SELECT {COLUMNS}, study, summary FROM studies WHERE id = $1 AND deleted_wall IS NULL"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(conn).await
}

/// The documents of a study, in the order of their kinds.
pub async fn documents(conn: &mut PgConnection, id: i64) -> sqlx::Result<Vec<DocumentRow>> {
    sqlx::query_as(
        "SELECT kind, object_key, sha256, bytes FROM study_documents WHERE study_id = $1
         ORDER BY kind",
    )
    .bind(id)
    .fetch_all(conn)
    .await
}

/// Stops a study that waits or runs; whether it did.
pub async fn cancel(conn: &mut PgConnection, id: i64) -> sqlx::Result<bool> {
    let stopped = sqlx::query(
        "UPDATE studies SET status = 'cancelled', ended_wall = now()
         WHERE id = $1 AND ended_wall IS NULL AND deleted_wall IS NULL",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(stopped.rows_affected() > 0)
}

/// Takes a study out of sight, and stops it if it waits or runs; whether it was there. Its documents
/// are deleted by the director, and then its row.
pub async fn delete(conn: &mut PgConnection, id: i64) -> sqlx::Result<bool> {
    let deleted = sqlx::query(
        "UPDATE studies SET deleted_wall = now(), ended_wall = coalesce(ended_wall, now()),
                status = CASE WHEN ended_wall IS NULL THEN 'cancelled' ELSE status END
         WHERE id = $1 AND deleted_wall IS NULL",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected() > 0)
}

/// How many studies wait or run, by status.
pub async fn open(conn: &mut PgConnection) -> sqlx::Result<Vec<(String, i64)>> {
    let sql = "SELECT status, count(*) FROM studies WHERE ended_wall IS NULL GROUP BY status";
    sqlx::query_as(sql).fetch_all(conn).await
}
