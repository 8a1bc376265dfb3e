//! What is true of versions, as far as it was known at an instant: for those who compare reports of
//! scanners with it. (Whether a finding is a false positive that nobody has judged yet is for
//! exports alone; here it is not known.)
use super::evidence::AdvisoryRow;
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

/// A version that a report may be about.
#[derive(Clone, Debug, FromRow)]
pub struct CandidateRow {
    /// The image's number.
    pub image_id: i64,
    /// The image's name.
    pub image: String,
    /// The version's ordinal.
    pub version: i32,
    /// Its digest.
    pub digest: String,
    /// The digest of its configuration.
    pub config_digest: Option<String>,
    /// Its tags when it was published.
    pub tags: Vec<String>,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// When the next version took its place, if that had happened.
    pub superseded_at: Option<DateTime<Utc>>,
}

/// The versions, published by then, with one of these digests (of manifest or configuration,
/// `sha256:...`), or of an image with one of these names; by image and version, at most `limit`.
pub async fn candidates(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    digests: &[String],
    names: &[String],
    limit: i64,
) -> sqlx::Result<Vec<CandidateRow>> {
    let hashes: Vec<_> =
        digests.iter().filter_map(|digest| digest.strip_prefix("sha256:")).collect();
    sqlx::query_as(
        "WITH meant AS (
             SELECT image_id, version FROM image_versions WHERE digest = ANY($2)
             UNION
             SELECT w.image_id, w.version FROM artifacts a
             JOIN image_versions w ON w.build_id = a.build_id
             WHERE a.sha256 = ANY($3) AND a.kind = 'config'
             UNION
             SELECT w.image_id, w.version FROM images j
             JOIN image_versions w ON w.image_id = j.id
             WHERE j.name = ANY($4))
         SELECT v.image_id, i.name AS image, v.version, v.digest, v.tags, v.published_at,
                CASE WHEN v.superseded_at <= $1 THEN v.superseded_at END AS superseded_at,
                (SELECT 'sha256:' || a.sha256 FROM artifacts a
                 WHERE a.build_id = v.build_id AND a.kind = 'config') AS config_digest
         FROM meant m
         JOIN image_versions v ON v.image_id = m.image_id AND v.version = m.version
         JOIN images i ON i.id = v.image_id
         WHERE v.published_at <= $1
         ORDER BY v.image_id, v.version LIMIT $5",
    )
    .bind(as_of)
    .bind(digests)
    .bind(hashes)
    .bind(names)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// A vulnerability that a package of a version has.
#[derive(Clone, Debug, FromRow)]
pub struct HeldRow {
    /// The image's number.
    pub image_id: i64,
    /// The version's ordinal.
    pub version: i32,
    /// The CVE id.
    pub cve: String,
    /// The package.
    pub package: String,
    /// When it was judged not to matter in the image, if that had happened.
    pub judged_at: Option<DateTime<Utc>>,
}

/// The vulnerabilities, published by then, that versions have, by version, advisory and package.
pub async fn held(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    versions: &[(i64, i32)],
) -> sqlx::Result<Vec<HeldRow>> {
    let (images, ordinals): (Vec<_>, Vec<_>) = versions.iter().copied().unzip();
    sqlx::query_as(
        "SELECT v.image_id, v.version, a.cve, p.name AS package,
                (SELECT t.at FROM triages t
                 WHERE t.image_id = v.image_id AND t.advisory_id = a.id AND t.at <= $1) AS judged_at
         FROM unnest($2::bigint[], $3::integer[]) AS w (image_id, version)
         JOIN image_versions v ON v.image_id = w.image_id AND v.version = w.version
         CROSS JOIN LATERAL unnest(v.package_ids, v.releases) AS c (package_id, release)
         JOIN advisory_packages r ON r.package_id = c.package_id
              AND c.release >= r.introduced_release
              AND (r.fixed_release IS NULL OR c.release < r.fixed_release)
         JOIN advisories a ON a.id = r.advisory_id AND a.published_at <= $1
         JOIN packages p ON p.id = c.package_id
         ORDER BY v.image_id, v.version, a.id, p.name COLLATE \"C\"",
    )
    .bind(as_of)
    .bind(images)
    .bind(ordinals)
    .fetch_all(conn)
    .await
}

/// The advisories with these CVE ids as known at an instant, by number and package.
pub async fn advisories(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    cves: &[String],
) -> sqlx::Result<Vec<AdvisoryRow>> {
    sqlx::query_as(
        "SELECT a.id, a.cve, a.vector, a.severity, a.published_at, a.detectable_at,
                r.package_id, p.name AS package, r.introduced_release, r.introduced_version,
                CASE WHEN r.fixed_at <= $1 THEN r.fixed_release END AS fixed_release,
                CASE WHEN r.fixed_at <= $1 THEN r.fixed_version END AS fixed_version,
                CASE WHEN r.fixed_at <= $1 THEN r.fixed_at END AS fixed_at
         FROM advisories a
         JOIN advisory_packages r ON r.advisory_id = a.id
         JOIN packages p ON p.id = r.package_id
         WHERE a.published_at <= $1 AND a.cve = ANY($2)
         ORDER BY a.id, r.package_id",
    )
    .bind(as_of)
    .bind(cves)
    .fetch_all(conn)
    .await
}
