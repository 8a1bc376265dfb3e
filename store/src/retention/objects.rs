//! Objects whose rows are gone: noted with the rows' removal, deleted afterwards batch by batch, and
//! remembered for a while. A crash in between leaves them noted, and the next leader goes on.
use crate::db::instant;
use crate::error::Error;
use crate::objects::CONTENT_PREFIX;
use chrono::{DateTime, Utc};
use sim::time::SimTime;
use sqlx::{FromRow, PgConnection};

/// What became objects to be deleted.
#[derive(Clone, Copy, Debug, FromRow)]
pub(super) struct Expired {
    /// How many.
    pub(super) objects: i64,
    /// The size of the documents in them, where a row told it.
    pub(super) bytes: i64,
}

/// Notes the documents that no row names any more.
pub(super) async fn expire_documents(
    conn: &mut PgConnection,
    at: SimTime,
) -> Result<Expired, Error> {
    Ok(sqlx::query_as(
        "WITH unnamed AS (
             SELECT $2 || d.sha256 AS object_key, d.tenant_namespace, d.bytes
             FROM doomed_documents d
             WHERE NOT EXISTS (SELECT FROM artifacts n WHERE n.sha256 = d.sha256)
               AND NOT EXISTS (SELECT FROM build_events n WHERE n.log_sha256 = d.sha256)
               AND NOT EXISTS (SELECT FROM sbom_records n WHERE n.sha256 = d.sha256)
               AND NOT EXISTS (SELECT FROM attestations n WHERE n.sha256 = d.sha256)
               AND NOT EXISTS (SELECT FROM attestations n WHERE n.document_sha256 = d.sha256)
               AND NOT EXISTS (SELECT FROM attestation_replacements n WHERE n.sha256 = d.sha256)
               AND NOT EXISTS (SELECT FROM attestation_replacements n
                               WHERE n.document_sha256 = d.sha256)),
         noted AS (
             INSERT INTO expired_objects (object_key, tenant_namespace, expired_at)
             SELECT object_key, tenant_namespace, $1 FROM unnamed
             ON CONFLICT (object_key) DO UPDATE SET
                 tenant_namespace = excluded.tenant_namespace, expired_at = excluded.expired_at,
                 deleted_wall = NULL)
         SELECT count(*) AS objects, coalesce(sum(bytes), 0)::bigint AS bytes FROM unnamed",
    )
    .bind(instant(at)?)
    .bind(CONTENT_PREFIX)
    .fetch_one(conn)
    .await?)
}

/// Notes bundles of log entries.
pub(super) async fn expire_tiles(
    conn: &mut PgConnection,
    at: SimTime,
    keys: &[String],
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO expired_objects (object_key, tenant_namespace, expired_at)
         SELECT key, 'catalogue', $1 FROM unnest($2::text[]) AS new (key)
         ON CONFLICT DO NOTHING",
    )
    .bind(instant(at)?)
    .bind(keys)
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets objects that were removed before the horizon.
pub(super) async fn forget(conn: &mut PgConnection, horizon: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query("DELETE FROM expired_objects WHERE deleted_wall IS NOT NULL AND expired_at <= $1")
        .bind(horizon)
        .execute(conn)
        .await?;
    Ok(())
}

/// Objects that are still to be deleted, at most so many.
pub async fn waiting(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT object_key FROM expired_objects WHERE deleted_wall IS NULL
         ORDER BY object_key LIMIT $1",
    )
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// Records that objects were deleted.
pub async fn deleted(conn: &mut PgConnection, keys: &[String]) -> sqlx::Result<()> {
    sqlx::query("UPDATE expired_objects SET deleted_wall = now() WHERE object_key = ANY ($1)")
        .bind(keys)
        .execute(conn)
        .await?;
    Ok(())
}

/// Records that all objects of the runs so far are deleted.
pub async fn all_deleted(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("UPDATE retention_runs SET done_wall = now() WHERE done_wall IS NULL")
        .execute(conn)
        .await?;
    Ok(())
}

/// When an object was removed, if it was and that is not long ago.
pub async fn expired_at(
    conn: &mut PgConnection,
    object_key: &str,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar("SELECT expired_at FROM expired_objects WHERE object_key = $1")
        .bind(object_key)
        .fetch_optional(conn)
        .await
}
