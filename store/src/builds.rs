//! Builds: what one needs to know before it makes its documents, and what it leaves behind.
use crate::artifacts::StoredDocument;
use crate::db::instant;
use crate::error::Error;
use sim::fact::{BuildResult, Outcome};
use sim::ids::{ImageId, ReleaseRef, VersionRef};
use sim::time::SimTime;
use sqlx::PgConnection;

/// The image of a build, with the version of the base it stands on.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct BuildSubject {
    /// The image's name.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// The namespace of the owner.
    pub tenant_namespace: String,
    /// The package whose version names the tags.
    pub main_package_id: Option<i64>,
    /// The base's name.
    pub base_name: Option<String>,
    /// The digest of the base's version.
    pub base_digest: Option<String>,
    /// The tags of the base's version.
    pub base_tags: Option<Vec<String>>,
    /// The packages of the base's version.
    pub base_package_ids: Option<Vec<i64>>,
    /// Their releases, aligned.
    pub base_releases: Option<Vec<i32>>,
}

/// Reads the image of a build; none when there is no such image or no such version of its base.
pub async fn subject(
    conn: &mut PgConnection,
    image: ImageId,
    base: Option<VersionRef>,
) -> Result<Option<BuildSubject>, Error> {
    let row = sqlx::query_as(
        "SELECT i.name, i.description, i.tenant_namespace, i.main_package_id,
                b.name AS base_name, v.digest AS base_digest, v.tags AS base_tags,
                v.package_ids AS base_package_ids, v.releases AS base_releases
         FROM images i
         LEFT JOIN images b ON b.id = i.base_image_id
         LEFT JOIN image_versions v ON v.image_id = i.base_image_id AND v.version = $3
         WHERE i.id = $1 AND i.base_image_id IS NOT DISTINCT FROM $2
           AND (v.version IS NULL) = ($2::bigint IS NULL)",
    )
    .bind(i64::from(image.0))
    .bind(base.map(|base| i64::from(base.image.0)))
    .bind(base.map(|base| base.version as i32))
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// A release of a package as a build resolved it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ResolvedRelease {
    /// The package.
    pub package_id: i64,
    /// The ordinal of the release.
    pub release: i32,
    /// The package's name.
    pub name: String,
    /// An SPDX licence expression.
    pub license: String,
    /// Who makes it.
    pub supplier: String,
    /// One line for people.
    pub description: String,
    /// The apk version.
    pub version: String,
    /// The size of the package file.
    pub size_bytes: i64,
    /// The SHA-256 of the package file, in hexadecimal.
    pub sha256: String,
    /// Whether a newer release was out before that instant.
    pub outdated: bool,
}

/// The releases among `contents` that were out at `at`, by name.
pub async fn resolve(
    conn: &mut PgConnection,
    contents: &[ReleaseRef],
    at: SimTime,
) -> Result<Vec<ResolvedRelease>, Error> {
    let rows = sqlx::query_as(
        "SELECT c.package_id, c.release, p.name, p.license, p.supplier, p.description, r.version,
                r.size_bytes, r.sha256,
                EXISTS (SELECT FROM package_releases n
                        WHERE n.package_id = c.package_id AND n.release > c.release
                          AND n.released_at < $3) AS outdated
         FROM unnest($1::bigint[], $2::integer[]) AS c (package_id, release)
         JOIN packages p ON p.id = c.package_id
         JOIN package_releases r ON r.package_id = c.package_id AND r.release = c.release
         WHERE r.released_at <= $3
         ORDER BY p.name COLLATE \"C\"",
    )
    .bind(contents.iter().map(|c| i64::from(c.package.0)).collect::<Vec<_>>())
    .bind(contents.iter().map(|c| c.release as i32).collect::<Vec<_>>())
    .bind(instant(at)?)
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// The name of a builder in documents and rows.
pub fn builder_name(result: &BuildResult) -> Option<String> {
    result.builder.map(|builder| format!("builder-{}", builder.0))
}

/// Writes how a build ended and which objects it stored; false when there is no such build.
/// Repeating it changes nothing.
pub async fn finish(
    conn: &mut PgConnection,
    result: &BuildResult,
    at: SimTime,
    log_sha256: &str,
    documents: &[StoredDocument],
) -> Result<bool, Error> {
    let (version, failure) = match &result.outcome {
        Outcome::Published(published) => (Some(published.version), None),
        Outcome::Unchanged { version } | Outcome::Superseded { version } => (Some(*version), None),
        Outcome::Failed { reason } => (None, Some(reason.as_str())),
    };
    let known: bool = sqlx::query_scalar(
        "WITH finished AS (
             UPDATE build_events
             SET status = $2, started_at = $3, finished_at = $4, attempts = $5, builder = $6,
                 version = $7, failure = $8, log_sha256 = $9
             WHERE id = $1
             RETURNING id, tenant_namespace
         ), kept AS (
             INSERT INTO artifacts (build_id, kind, tenant_namespace, media_type, sha256, bytes,
                                    object_key)
             SELECT b.id, d.kind, b.tenant_namespace, d.media_type, d.sha256, d.bytes, d.key
             FROM finished b
             CROSS JOIN unnest($10::text[], $11::text[], $12::text[], $13::bigint[], $14::text[])
                        AS d (kind, media_type, sha256, bytes, key)
             ON CONFLICT DO NOTHING
         )
         SELECT EXISTS (SELECT FROM finished)",
    )
    .bind(result.build.0 as i64)
    .bind(result.outcome.as_str())
    .bind(instant(result.started)?)
    .bind(instant(at)?)
    .bind(result.attempts as i32)
    .bind(builder_name(result))
    .bind(version.map(|version| version as i32))
    .bind(failure)
    .bind(log_sha256)
    .bind(documents.iter().map(|d| d.kind).collect::<Vec<_>>())
    .bind(documents.iter().map(|d| d.media_type).collect::<Vec<_>>())
    .bind(documents.iter().map(|d| d.sha256.as_str()).collect::<Vec<_>>())
    .bind(documents.iter().map(|d| d.bytes as i64).collect::<Vec<_>>())
    .bind(documents.iter().map(StoredDocument::key).collect::<Vec<_>>())
    .fetch_one(conn)
    .await?;
    Ok(known)
}
