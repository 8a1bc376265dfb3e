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
    /// Where the object store keeps it.
    pub object_key: String,
    /// The image whose build made it first.
    pub image: String,
    /// That build.
    pub build_id: i64,
}

/// The document or bundle with these bytes; the first one, when several are the same.
pub async fn by_sha256(conn: &mut PgConnection, sha256: &str) -> sqlx::Result<Option<StoredRow>> {
    let of_build = sqlx::query_as(
        "SELECT a.kind, a.media_type, a.object_key, i.name AS image, a.build_id
         FROM artifacts a
         JOIN build_events b ON b.id = a.build_id
         JOIN images i ON i.id = b.image_id
         WHERE a.sha256 = $1 ORDER BY a.build_id, a.kind LIMIT 1",
    )
    .bind(sha256)
    .fetch_optional(&mut *conn)
    .await?;
    match of_build {
        Some(row) => Ok(Some(row)),
        None => of_attestation(conn, sha256).await,
    }
}

/// The bundle with these bytes, or the document that one states: a scan's result, a VEX document,
/// or what a replaced bundle states.
async fn of_attestation(conn: &mut PgConnection, sha256: &str) -> sqlx::Result<Option<StoredRow>> {
    sqlx::query_as(
        "SELECT a.kind, a.media_type, a.object_key, i.name AS image, v.build_id
         FROM (SELECT image_id, version, seq, 'bundle' AS kind, $2 AS media_type,
                      'blobs/sha256/' || sha256 AS object_key
               FROM attestations WHERE sha256 = $1
               UNION ALL
               SELECT image_id, version, seq, 'scan', 'application/json',
                      'blobs/sha256/' || document_sha256
               FROM attestations WHERE document_sha256 = $1
               UNION ALL
               SELECT t.image_id, t.version, r.seq, r.kind, r.media_type, r.object_key
               FROM (SELECT log_index, seq, 'bundle' AS kind, $2 AS media_type,
                            'blobs/sha256/' || sha256 AS object_key
                     FROM attestation_replacements WHERE sha256 = $1
                     UNION ALL
                     SELECT log_index, seq, 'provenance', $3, 'blobs/sha256/' || document_sha256
                     FROM attestation_replacements WHERE document_sha256 = $1) AS r
               JOIN attestations t ON t.log_index = r.log_index) AS a
         JOIN images i ON i.id = a.image_id
         JOIN image_versions v ON v.image_id = a.image_id AND v.version = a.version
         ORDER BY a.seq LIMIT 1",
    )
    .bind(sha256)
    .bind(documents::bundle::MEDIA_TYPE)
    .bind(documents::statement::PAYLOAD_TYPE)
    .fetch_optional(conn)
    .await
}
