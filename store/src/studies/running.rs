//! What becomes of a study: the director begins it, notes how far it is, and ends it; a worker ends it
//! when it cannot be played.
use super::summary::Summary;
use super::{DocumentRow, parts};
use crate::error::Error;
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};

/// A study as it is played.
#[derive(Clone, Debug, FromRow)]
pub struct Text {
    /// As it was written.
    pub study: String,
    /// The scenarios that it names: a list of `name` and `text`.
    pub scenarios: Value,
}

/// A study that waits or runs.
#[derive(Clone, Debug, FromRow)]
pub struct Open {
    /// Its number.
    pub id: i64,
    /// Whether it has begun.
    pub has_begun: bool,
    /// The version of the kernel that began with it.
    pub kernel_version: Option<String>,
}

/// The first studies that wait or run, at most so many.
pub async fn open(conn: &mut PgConnection, most: i64) -> sqlx::Result<Vec<Open>> {
    sqlx::query_as(
        "SELECT id, status = 'running' AS has_begun, kernel_version FROM studies
         WHERE ended_wall IS NULL ORDER BY id LIMIT $1",
    )
    .bind(most)
    .fetch_all(conn)
    .await
}

/// What is to be played, if the study runs under this version of the kernel.
pub async fn text(
    conn: &mut PgConnection,
    id: i64,
    kernel_version: &str,
) -> sqlx::Result<Option<Text>> {
    sqlx::query_as(
        "SELECT study, scenarios FROM studies
         WHERE id = $1 AND status = 'running' AND kernel_version = $2",
    )
    .bind(id)
    .bind(kernel_version)
    .fetch_optional(conn)
    .await
}

/// Begins a study, or begins it anew under this version of the kernel; whether it still waits or runs.
pub async fn begin(conn: &mut PgConnection, id: i64, kernel_version: &str) -> sqlx::Result<bool> {
    let begun = sqlx::query(
        "UPDATE studies SET status = 'running', kernel_version = $2, done = 0, obstacle = NULL,
                started_wall = coalesce(started_wall, now())
         WHERE id = $1 AND ended_wall IS NULL",
    )
    .bind(id)
    .bind(kernel_version)
    .execute(&mut *conn)
    .await?;
    sqlx::query("DELETE FROM study_parts WHERE study_id = $1").bind(id).execute(conn).await?;
    Ok(begun.rows_affected() > 0)
}

/// Whether a study runs under this version of the kernel.
pub async fn runs(conn: &mut PgConnection, id: i64, kernel_version: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM studies
                        WHERE id = $1 AND status = 'running' AND kernel_version = $2)",
    )
    .bind(id)
    .bind(kernel_version)
    .fetch_one(conn)
    .await
}

/// Notes how many replications count, of about how many.
pub async fn progress(
    conn: &mut PgConnection,
    id: i64,
    done: u64,
    expected: u64,
) -> Result<(), Error> {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    sqlx::query(
        "UPDATE studies SET done = $2, expected = $3
         WHERE id = $1 AND status = 'running' AND (done, expected) IS DISTINCT FROM ($2, $3)",
    )
    .bind(id)
    .bind(number(done))
    .bind(number(expected))
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes what a study waits for; none: nothing any more.
pub async fn obstacle(
    conn: &mut PgConnection,
    id: i64,
    obstacle: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE studies SET obstacle = $2
         WHERE id = $1 AND status = 'running' AND obstacle IS DISTINCT FROM $2",
    )
    .bind(id)
    .bind(obstacle)
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a study that cannot be played.
pub async fn fail(conn: &mut PgConnection, id: i64, error: &str) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE studies SET status = 'failed', error = $2, obstacle = NULL, ended_wall = now()
         WHERE id = $1 AND ended_wall IS NULL",
    )
    .bind(id)
    .bind(error)
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a study whose documents are stored; whether it still ran.
pub async fn complete(
    conn: &mut PgConnection,
    id: i64,
    summary: &Summary,
    documents: &[DocumentRow],
) -> sqlx::Result<bool> {
    let completed = sqlx::query(
        "UPDATE studies SET status = 'completed', summary = $2, obstacle = NULL, expected = done,
                ended_wall = now()
         WHERE id = $1 AND status = 'running'",
    )
    .bind(id)
    .bind(Json(summary))
    .execute(&mut *conn)
    .await?;
    if completed.rows_affected() == 0 {
        return Ok(false);
    }
    for document in documents {
        sqlx::query(
            "INSERT INTO study_documents (study_id, kind, object_key, sha256, bytes)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(id)
        .bind(&document.kind)
        .bind(&document.object_key)
        .bind(&document.sha256)
        .bind(document.bytes)
        .execute(&mut *conn)
        .await?;
    }
    Ok(true)
}

/// The studies that were deleted and whose documents may still be there.
pub async fn deleted(conn: &mut PgConnection) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar("SELECT id FROM studies WHERE deleted_wall IS NOT NULL ORDER BY id")
        .fetch_all(conn)
        .await
}

/// Forgets a study that was deleted, unless a worker is at one of its batches; whether it is gone.
pub async fn forget(conn: &mut PgConnection, id: i64) -> sqlx::Result<bool> {
    parts::delete_ended(conn).await?;
    let gone = sqlx::query(
        "DELETE FROM studies s WHERE s.id = $1 AND s.deleted_wall IS NOT NULL
         AND NOT EXISTS (SELECT FROM study_parts p WHERE p.study_id = s.id)",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(gone.rows_affected() > 0)
}
