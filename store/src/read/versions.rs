//! The published versions of an image, their tags and their documents.
use super::TOTAL_BOUND;
use super::scans::{self, ScanState};
use chrono::{DateTime, Utc};
use documents::slsa_level::CheckResult;
use sqlx::{AssertSqlSafe, FromRow, PgConnection};

/// One published version.
#[derive(Clone, Debug, FromRow)]
pub struct VersionRow {
    /// Its ordinal, from 1.
    pub version: i32,
    /// Its digest.
    pub digest: String,
    /// The tags that pointed to it at that instant.
    pub tags: Vec<String>,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// When the next version took its place, if that had happened.
    pub superseded_at: Option<DateTime<Utc>>,
    /// Its SLSA build level, once it is assessed.
    pub slsa_level: Option<i32>,
    /// How many packages it holds.
    pub packages: i32,
    /// The build that made it.
    pub build_id: i64,
    /// The version of the base that it stands on.
    pub base_version: Option<i32>,
    /// The digest of that version.
    pub base_digest: Option<String>,
    /// What is known of it from scans.
    pub scan: ScanState,
    /// When it was scanned last.
    pub scanned_at: Option<DateTime<Utc>>,
}

/// `$1` is the instant, `$2` the image.
fn shown() -> String {
    format!("{VERSION}, {} {FROM} {} {WHERE}", scans::COLUMNS, scans::joined("v.superseded_at"))
}

const VERSION: &str = "
    SELECT v.version, v.digest, v.published_at, s.slsa_level, v.build_id, v.base_version,
           cardinality(v.package_ids) AS packages, bv.digest AS base_digest,
           CASE WHEN v.superseded_at <= $1 THEN v.superseded_at END AS superseded_at,
           ARRAY(
               SELECT t.tag FROM unnest(v.tags) WITH ORDINALITY AS t (tag, place)
               WHERE NOT EXISTS (
                   SELECT 1 FROM image_versions n
                   WHERE n.image_id = v.image_id AND n.version > v.version
                     AND n.published_at <= $1 AND t.tag = ANY(n.tags))
               ORDER BY t.place) AS tags";

const FROM: &str = "
    FROM image_versions v
    LEFT JOIN LATERAL (
        SELECT a.slsa_level FROM slsa_assessments a
        WHERE a.image_id = v.image_id AND a.version = v.version AND a.assessed_at <= $1
        ORDER BY a.seq DESC LIMIT 1) s ON true
    LEFT JOIN image_versions bv
        ON bv.image_id = v.base_image_id AND bv.version = v.base_version";

const WHERE: &str = "WHERE v.image_id = $2 AND v.published_at <= $1";

/// The versions of an image, newest first, below the version `before`.
pub async fn versions(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    image_id: i64,
    before: Option<i32>,
    limit: i64,
) -> sqlx::Result<Vec<VersionRow>> {
    let shown = shown();
    let sql = format!(
        "{shown} AND ($3::integer IS NULL OR v.version < $3) ORDER BY v.version DESC LIMIT $4"
    );
    sqlx::query_as(AssertSqlSafe(sql))
        .bind(as_of)
        .bind(image_id)
        .bind(before)
        .bind(limit)
        .fetch_all(conn)
        .await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn versions_total(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    image_id: i64,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT FROM image_versions
                               WHERE image_id = $2 AND published_at <= $1 LIMIT $3) v",
    )
    .bind(as_of)
    .bind(image_id)
    .bind(TOTAL_BOUND + 1)
    .fetch_one(conn)
    .await
}

/// One version of an image; none when it was not published by that instant.
pub async fn version(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    image_id: i64,
    version: i32,
) -> sqlx::Result<Option<VersionRow>> {
    sqlx::query_as(AssertSqlSafe(format!("{} AND v.version = $3", shown())))
        .bind(as_of)
        .bind(image_id)
        .bind(version)
        .fetch_optional(conn)
        .await
}

/// A tag and what it pointed to.
#[derive(Clone, Debug, FromRow)]
pub struct TagRow {
    /// The tag.
    pub tag: String,
    /// The version.
    pub version: i32,
    /// Its digest.
    pub digest: String,
}

/// The tags of an image, newest version first.
pub async fn tags(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    image_id: i64,
    limit: i64,
) -> sqlx::Result<Vec<TagRow>> {
    sqlx::query_as(
        "SELECT tag, version, digest FROM (
             SELECT DISTINCT ON (t.tag) t.tag, v.version, v.digest
             FROM image_versions v CROSS JOIN LATERAL unnest(v.tags) AS t (tag)
             WHERE v.image_id = $2 AND v.published_at <= $1
             ORDER BY t.tag, v.version DESC) newest
         ORDER BY version DESC, tag LIMIT $3",
    )
    .bind(as_of)
    .bind(image_id)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// One SBOM of a version.
#[derive(Clone, Debug, FromRow)]
pub struct SbomRow {
    /// `spdx` or `cyclonedx`.
    pub format: String,
    /// The version of the format.
    pub spec_version: String,
    /// SHA-256 of the document.
    pub sha256: String,
    /// Its size.
    pub bytes: i64,
    /// How many components it lists.
    pub components: i32,
}

/// The SBOMs of a version.
pub async fn sboms(
    conn: &mut PgConnection,
    image_id: i64,
    version: i32,
) -> sqlx::Result<Vec<SbomRow>> {
    sqlx::query_as(
        "SELECT format, spec_version, sha256, bytes, components FROM sbom_records
         WHERE image_id = $1 AND version = $2 ORDER BY format DESC",
    )
    .bind(image_id)
    .bind(version)
    .fetch_all(conn)
    .await
}

/// The newest attestation of a kind about a version.
#[derive(Clone, Debug, FromRow)]
pub struct AttestationRow {
    /// The type of its predicate.
    pub predicate_type: String,
    /// When it was signed.
    pub created_at: DateTime<Utc>,
    /// Its index in the transparency log, once it is there.
    pub log_index: Option<i64>,
    /// SHA-256 of its bundle, once that is made.
    pub sha256: Option<String>,
    /// The bundle's size.
    pub bytes: Option<i64>,
    /// SHA-256 of the document that it states, if it states one.
    pub document_sha256: Option<String>,
}

/// The newest attestations about a version at an instant, one for each type of predicate; where an
/// attacker had replaced a bundle by then, the bundle that was found there.
pub async fn attestations(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    image_id: i64,
    version: i32,
) -> sqlx::Result<Vec<AttestationRow>> {
    sqlx::query_as(
        "SELECT DISTINCT ON (a.predicate_type COLLATE \"C\") a.predicate_type, a.created_at,
                a.log_index, coalesce(r.sha256, a.sha256) AS sha256,
                coalesce(r.bytes, a.bytes) AS bytes,
                coalesce(r.document_sha256, a.document_sha256) AS document_sha256
         FROM attestations a
         LEFT JOIN LATERAL (
             SELECT n.sha256, n.bytes, n.document_sha256 FROM attestation_replacements n
             WHERE n.log_index = a.log_index AND n.replaced_at <= $3
             ORDER BY n.seq DESC LIMIT 1) AS r ON true
         WHERE a.image_id = $1 AND a.version = $2 AND a.created_at <= $3
         ORDER BY a.predicate_type COLLATE \"C\", a.seq DESC",
    )
    .bind(image_id)
    .bind(version)
    .bind(as_of)
    .fetch_all(conn)
    .await
}

/// An assessment of a version's SLSA level.
#[derive(Clone, Debug, FromRow)]
pub struct AssessmentRow {
    /// The level.
    pub slsa_level: i32,
    /// When it was assessed.
    pub assessed_at: DateTime<Utc>,
    /// The evidence: each check, whether it held, what was found.
    pub checks: sqlx::types::Json<Vec<CheckResult>>,
}

/// The assessment of a version that held at an instant.
pub async fn assessment(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    image_id: i64,
    version: i32,
) -> sqlx::Result<Option<AssessmentRow>> {
    sqlx::query_as(
        "SELECT slsa_level, assessed_at, checks FROM slsa_assessments
         WHERE image_id = $1 AND version = $2 AND assessed_at <= $3
         ORDER BY seq DESC LIMIT 1",
    )
    .bind(image_id)
    .bind(version)
    .bind(as_of)
    .fetch_optional(conn)
    .await
}
