//! Builds: what one needs to know before it makes its documents, and what it leaves behind.
use crate::artifacts::StoredDocument;
use crate::db::instant;
use crate::error::Error;
use sim::fact::{BuildResult, Cause, Outcome};
use sim::ids::{BuilderId, ReleaseRef};
use sim::time::SimTime;
use sqlx::PgConnection;

/// The image of a build, the version of the base it stands on, and the names its cause goes by.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct BuildSubject {
    /// The image's name.
    pub name: String,
    /// The namespace of the owner.
    pub tenant_namespace: String,
    /// The package whose version names the tags.
    pub main_package_id: Option<i64>,
    /// The newest version of that package when the build began.
    pub main_version: Option<String>,
    /// The packages that are the image's own, without those of the base.
    pub own_packages: Vec<i64>,
    /// The base's name.
    pub base_name: Option<String>,
    /// The digest of the base's version.
    pub base_digest: Option<String>,
    /// The tags of the base's version.
    pub base_tags: Option<Vec<String>>,
    /// What the base's version holds, as [`crate::images::component_key`]s.
    pub base_components: Option<Vec<i64>>,
    /// The advisory of a fix.
    pub cause_cve: Option<String>,
    /// The package of an upstream release.
    pub cause_package: Option<String>,
    /// The version of an upstream release.
    pub cause_version: Option<String>,
    /// The digest of the base whose change asked for the build.
    pub cause_digest: Option<String>,
    /// The schedule that asked for a periodic rebuild; a reader fills it in from the scenario.
    #[sqlx(skip)]
    pub cause_schedule: Option<String>,
}

/// Reads the subject of a build; none when there is no such image.
pub async fn subject(
    conn: &mut PgConnection,
    result: &BuildResult,
) -> Result<Option<BuildSubject>, Error> {
    let base = match &result.outcome {
        Outcome::Published(published) => published.base,
        _ => None,
    };
    let (mut cve, mut release, mut changed) = (None, None, None);
    match &result.cause {
        Cause::CveFix { advisory, .. } => cve = Some(i64::from(advisory.0)),
        Cause::Upstream { release: pushed, .. } => release = *pushed,
        Cause::BaseChange { base } => changed = Some(*base),
        Cause::Bootstrap | Cause::Manual { .. } | Cause::Cron | Cause::Retry { .. } => {}
    }
    let row = sqlx::query_as(SUBJECT)
        .bind(i64::from(result.image.0))
        .bind(instant(result.started)?)
        .bind(base.map(|base| i64::from(base.image.0)))
        .bind(base.map(|base| base.version as i32))
        .bind(cve)
        .bind(release.map(|release| i64::from(release.package.0)))
        .bind(release.map(|release| release.release as i32))
        .bind(changed.map(|base| i64::from(base.image.0)))
        .bind(changed.map(|base| base.version as i32))
        .fetch_optional(conn)
        .await?;
    Ok(row)
}

const SUBJECT: &str = "
    SELECT i.name, i.tenant_namespace, i.main_package_id, i.own_packages,
           (SELECT r.version FROM package_releases r
            WHERE r.package_id = i.main_package_id AND r.released_at <= $2
            ORDER BY r.release DESC LIMIT 1) AS main_version,
           b.name AS base_name, v.digest AS base_digest, v.tags AS base_tags,
           v.components AS base_components,
           (SELECT a.cve FROM advisories a WHERE a.id = $5) AS cause_cve,
           (SELECT p.name FROM packages p WHERE p.id = $6) AS cause_package,
           (SELECT r.version FROM package_releases r
            WHERE r.package_id = $6 AND r.release = $7) AS cause_version,
           (SELECT c.digest FROM image_versions c
            WHERE c.image_id = $8 AND c.version = $9) AS cause_digest
    FROM images i
    LEFT JOIN images b ON b.id = $3
    LEFT JOIN image_versions v ON v.image_id = $3 AND v.version = $4
    WHERE i.id = $1";

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
    result.builder.map(BuilderId::name)
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
    let version = match &result.outcome {
        Outcome::Published(published) => Some(published.version),
        Outcome::Unchanged { version } | Outcome::Superseded { version } => Some(*version),
        Outcome::Failed { .. } => None,
    };
    let known: bool = sqlx::query_scalar(
        "WITH finished AS (
             UPDATE build_events
             SET status = $2, started_at = coalesce(started_at, $3), finished_at = $4,
                 attempts = $5, builder = $6, version = $7, failure = $8, log_sha256 = $9
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
    .bind(result.failure())
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
