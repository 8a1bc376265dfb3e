//! Images as they stood at an instant.
use super::Moment;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow, PgConnection};

/// An image with the version that was current.
#[derive(Clone, Debug, FromRow)]
pub struct ImageRow {
    /// Its ordinal.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// The name of the image it is built on.
    pub base: Option<String>,
    /// The namespace of the owner.
    pub tenant_namespace: String,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When its life ends.
    pub end_of_life_at: Option<DateTime<Utc>>,
    /// The current version; none before the first is published.
    pub version: Option<i32>,
    /// Its digest.
    pub digest: Option<String>,
    /// When it was published.
    pub published_at: Option<DateTime<Utc>>,
    /// Its SLSA build level.
    pub slsa_level: Option<i32>,
    /// How many packages it holds.
    pub packages: Option<i32>,
    /// The base's digest that it stands on.
    pub base_digest: Option<String>,
    /// Advisories open on it, by severity.
    pub critical: i64,
    /// Advisories open on it, by severity.
    pub high: i64,
    /// Advisories open on it, by severity.
    pub medium: i64,
    /// Advisories open on it, by severity.
    pub low: i64,
}

/// Which images a list holds.
#[derive(Clone, Debug, Default)]
pub struct ImageFilter<'a> {
    /// Only those whose name holds this text, whatever its case.
    pub name: Option<&'a str>,
    /// Only those built on this image.
    pub base_image_id: Option<i64>,
    /// Only those whose name comes after this one.
    pub after: Option<&'a str>,
}

/// `$1` is the instant, `$2` whether it is the newest state.
const COLUMNS: &str = "
    SELECT i.id, i.name, i.description, base.name AS base, i.tenant_namespace, i.created_at,
           i.end_of_life_at, v.version, v.digest, v.published_at, s.slsa_level,
           cardinality(v.package_ids) AS packages, bv.digest AS base_digest,
           f.critical, f.high, f.medium, f.low
    FROM images i
    LEFT JOIN images base ON base.id = i.base_image_id
    LEFT JOIN LATERAL (
        SELECT * FROM image_versions v
        WHERE v.image_id = i.id AND v.published_at <= $1
        ORDER BY v.version DESC LIMIT 1) v ON true
    LEFT JOIN LATERAL (
        SELECT a.slsa_level FROM slsa_assessments a
        WHERE a.image_id = v.image_id AND a.version = v.version AND a.assessed_at <= $1
        ORDER BY a.seq DESC LIMIT 1) s ON true
    LEFT JOIN image_versions bv
        ON bv.image_id = v.base_image_id AND bv.version = v.base_version
    CROSS JOIN LATERAL (
        SELECT count(DISTINCT f.advisory_id) FILTER (WHERE f.severity = 'critical') AS critical,
               count(DISTINCT f.advisory_id) FILTER (WHERE f.severity = 'high') AS high,
               count(DISTINCT f.advisory_id) FILTER (WHERE f.severity = 'medium') AS medium,
               count(DISTINCT f.advisory_id) FILTER (WHERE f.severity = 'low') AS low
        FROM cve_findings f
        WHERE f.image_id = i.id AND f.version = v.version AND f.detected_at <= $1
          AND (f.resolved_at IS NULL OR f.resolved_at > $1)
          AND (f.not_affected_at IS NULL OR f.not_affected_at > $1)) f
    WHERE i.created_at <= $1
      AND ($2 OR NOT EXISTS (
          SELECT 1 FROM commands c
          WHERE c.applied_at IS NULL AND jsonb_typeof(c.command -> 'create') = 'object'
            AND (c.command ->> 'image')::bigint = i.id))";

/// Images by name, at most `limit` of them.
pub async fn images(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &ImageFilter<'_>,
    limit: i64,
) -> sqlx::Result<Vec<ImageRow>> {
    let sql = format!(
        "{COLUMNS}
           AND ($3::text IS NULL OR position(lower($3) IN lower(i.name)) > 0)
           AND ($4::bigint IS NULL OR i.base_image_id = $4)
           AND ($5::text IS NULL OR i.name > $5)
         ORDER BY i.name LIMIT $6"
    );
    sqlx::query_as(AssertSqlSafe(sql))
        .bind(moment.as_of)
        .bind(moment.newest)
        .bind(filter.name)
        .bind(filter.base_image_id)
        .bind(filter.after)
        .bind(limit)
        .fetch_all(conn)
        .await
}

/// One image; none when it was not there at that instant.
pub async fn image(
    conn: &mut PgConnection,
    moment: Moment,
    id: i64,
) -> sqlx::Result<Option<ImageRow>> {
    sqlx::query_as(AssertSqlSafe(format!("{COLUMNS} AND i.id = $3")))
        .bind(moment.as_of)
        .bind(moment.newest)
        .bind(id)
        .fetch_optional(conn)
        .await
}

/// The ordinal of the image with this name, or with this number when no image has that name.
pub async fn find(
    conn: &mut PgConnection,
    name: &str,
    number: Option<i64>,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "SELECT id FROM images WHERE name = $1 OR id = $2 ORDER BY name = $1 DESC LIMIT 1",
    )
    .bind(name)
    .bind(number)
    .fetch_optional(conn)
    .await
}

/// What an image is made of, as it was defined.
#[derive(Clone, Debug, FromRow)]
pub struct Definition {
    /// Its ordinal.
    pub id: i64,
    /// The image it is built on.
    pub base_image_id: Option<i64>,
    /// Its own packages, without those of the base.
    pub own_packages: Vec<i64>,
    /// 0 for an image without a base.
    pub depth: i32,
    /// The namespace of the owner.
    pub tenant_namespace: String,
    /// When its life ends.
    pub end_of_life_at: Option<DateTime<Utc>>,
}

/// The definition of the image with this name.
pub async fn definition(conn: &mut PgConnection, name: &str) -> sqlx::Result<Option<Definition>> {
    sqlx::query_as(
        "SELECT id, base_image_id, own_packages, depth, tenant_namespace, end_of_life_at
         FROM images WHERE name = $1",
    )
    .bind(name)
    .fetch_optional(conn)
    .await
}

/// The packages of an image with those of its bases.
pub async fn all_packages(conn: &mut PgConnection, image_id: i64) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar(
        "WITH RECURSIVE lineage AS (
             SELECT id, base_image_id, own_packages FROM images WHERE id = $1
             UNION ALL
             SELECT i.id, i.base_image_id, i.own_packages
             FROM images i JOIN lineage l ON i.id = l.base_image_id)
         SELECT DISTINCT package_id FROM lineage CROSS JOIN LATERAL unnest(own_packages) AS package_id",
    )
    .bind(image_id)
    .fetch_all(conn)
    .await
}

/// An image that is made from some source.
#[derive(Clone, Debug, FromRow)]
pub struct Source {
    /// Its ordinal.
    pub id: i64,
    /// The namespace of the owner.
    pub tenant_namespace: String,
    /// When its life ends.
    pub end_of_life_at: Option<DateTime<Utc>>,
}

/// The images whose main package has this name, or that have this name themselves; with `tenant`,
/// only those that it owns. The first `limit` of them by ordinal.
pub async fn of_source(
    conn: &mut PgConnection,
    source: &str,
    tenant: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<Source>> {
    sqlx::query_as(
        "SELECT i.id, i.tenant_namespace, i.end_of_life_at
         FROM images i LEFT JOIN packages p ON p.id = i.main_package_id
         WHERE (p.name = $1 OR i.name = $1) AND ($2::text IS NULL OR i.tenant_namespace = $2)
         ORDER BY i.id LIMIT $3",
    )
    .bind(source)
    .bind(tenant)
    .bind(limit)
    .fetch_all(conn)
    .await
}
