//! Objects of worlds that were replaced: recorded when a world is replaced, deleted while the next
//! one runs.
//!
//! Objects are named by their content, so the new world may write one that the old world had. Before
//! it does, the key is taken off the list ([`spare`]). A key that is just being deleted cannot be: the
//! writer waits until it is gone, and writes the object anew. So no object of the new world is ever
//! deleted, whoever crashes when.
use crate::error::Error;
use sqlx::{PgConnection, PgPool};
use std::time::Duration;

/// How many objects are deleted by one request: as many as S3 takes.
pub const BATCH: i64 = 1_000;
/// How often a writer asks whether an object that is being deleted is gone.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// Puts keys on the list; those that are there stay as they are.
///
/// # Errors
/// Postgres failed.
pub async fn add(conn: &mut PgConnection, keys: &[String]) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO obsolete_objects (key) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING",
    )
    .bind(keys)
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the next keys to be deleted, those first that were taken before and never [`removed`]. The
/// caller commits before it deletes the objects.
///
/// # Errors
/// Postgres failed.
pub async fn take(conn: &mut PgConnection) -> Result<Vec<String>, Error> {
    Ok(sqlx::query_scalar(
        "UPDATE obsolete_objects SET taken_wall = now()
         WHERE key IN (SELECT key FROM obsolete_objects
                       ORDER BY (taken_wall IS NULL), key LIMIT $1 FOR UPDATE)
         RETURNING key",
    )
    .bind(BATCH)
    .fetch_all(conn)
    .await?)
}

/// Takes keys off the list whose objects are deleted.
///
/// # Errors
/// Postgres failed.
pub async fn removed(conn: &mut PgConnection, keys: &[String]) -> Result<(), Error> {
    sqlx::query("DELETE FROM obsolete_objects WHERE key = ANY($1) AND taken_wall IS NOT NULL")
        .bind(keys)
        .execute(conn)
        .await?;
    Ok(())
}

/// How many keys are on the list.
///
/// # Errors
/// Postgres failed.
pub async fn count(conn: &mut PgConnection) -> Result<u64, Error> {
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM obsolete_objects").fetch_one(conn).await?;
    Ok(count.unsigned_abs())
}

/// All keys on the list, in order.
///
/// # Errors
/// Postgres failed.
pub async fn keys(conn: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("SELECT key FROM obsolete_objects ORDER BY key").fetch_all(conn).await
}

/// Whether there is anything on the list: if not, nothing need be spared.
///
/// # Errors
/// Postgres failed.
pub async fn any(conn: &mut PgConnection) -> Result<bool, Error> {
    let any = sqlx::query_scalar("SELECT EXISTS (SELECT FROM obsolete_objects)");
    Ok(any.fetch_one(conn).await?)
}

/// Takes keys off the list because the world there is will write them; waits for those that are being
/// deleted at this moment. Each statement is a transaction of its own: whoever waits here must not hold
/// what the deletion needs, and a job that fails later is done again.
///
/// # Errors
/// Postgres failed.
pub async fn spare(pool: &PgPool, keys: &[&str]) -> Result<(), Error> {
    loop {
        sqlx::query(
            "DELETE FROM obsolete_objects WHERE key IN (
                 SELECT key FROM obsolete_objects WHERE key = ANY($1) AND taken_wall IS NULL
                 ORDER BY key FOR UPDATE)",
        )
        .bind(keys)
        .execute(pool)
        .await?;
        // Another statement, so that it sees what was taken meanwhile.
        let taken: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM obsolete_objects WHERE key = ANY($1))")
                .bind(keys)
                .fetch_one(pool)
                .await?;
        if !taken {
            return Ok(());
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}
