//! The documents of builds, as links.
use sqlx::{FromRow, PgConnection};

/// One stored document.
#[derive(Clone, Debug, FromRow)]
pub struct ArtifactRow {
    /// What it is: `log`, `spdx`, ...
    pub kind: String,
    /// Its media type.
    pub media_type: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Its size.
    pub bytes: i64,
}

/// The documents of a build, by kind.
pub async fn of_build(conn: &mut PgConnection, build_id: i64) -> sqlx::Result<Vec<ArtifactRow>> {
    sqlx::query_as(
        "SELECT kind, media_type, sha256, bytes FROM artifacts
         WHERE build_id = $1 ORDER BY kind",
    )
    .bind(build_id)
    .fetch_all(conn)
    .await
}

/// A stored document and where its bytes are.
#[derive(Clone, Debug, FromRow)]
pub struct StoredRow {
    /// What it is.
    pub kind: String,
    /// Its media type.
    pub media_type: String,
    /// Its size.
    pub bytes: i64,
    /// Where the object store keeps it.
    pub object_key: String,
    /// The image whose build made it first.
    pub image: String,
    /// That build.
    pub build_id: i64,
}

/// The document with these bytes; the first build that made it, when several did.
pub async fn by_sha256(conn: &mut PgConnection, sha256: &str) -> sqlx::Result<Option<StoredRow>> {
    sqlx::query_as(
        "SELECT a.kind, a.media_type, a.bytes, a.object_key, i.name AS image, a.build_id
         FROM artifacts a
         JOIN build_events b ON b.id = a.build_id
         JOIN images i ON i.id = b.image_id
         WHERE a.sha256 = $1 ORDER BY a.build_id, a.kind LIMIT 1",
    )
    .bind(sha256)
    .fetch_optional(conn)
    .await
}
