//! What two versions of an image hold, so that they can be compared: packages, and the advisories
//! that affect them, whether a scanner has looked yet or not.
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

/// A package that either version holds; the versions are those of the package.
#[derive(Clone, Debug, FromRow)]
pub struct PackageRow {
    /// The package's name.
    pub package: String,
    /// Its version in the older one; none: it is not there.
    pub before: Option<String>,
    /// Its version in the newer one.
    pub after: Option<String>,
}

/// The packages that are not the same in two versions of an image, by name.
pub async fn packages(
    conn: &mut PgConnection,
    image_id: i64,
    (from, to): (i32, i32),
) -> sqlx::Result<Vec<PackageRow>> {
    sqlx::query_as(
        "WITH held AS (
             SELECT v.version, c.package_id, c.release
             FROM image_versions v
             CROSS JOIN LATERAL unnest(v.package_ids, v.releases) AS c (package_id, release)
             WHERE v.image_id = $1 AND v.version IN ($2, $3))
         SELECT p.name AS package, x.version AS before, y.version AS after
         FROM (SELECT package_id, max(release) FILTER (WHERE version = $2) AS before,
                      max(release) FILTER (WHERE version = $3) AS after
               FROM held GROUP BY package_id) h
         JOIN packages p ON p.id = h.package_id
         LEFT JOIN package_releases x ON x.package_id = h.package_id AND x.release = h.before
         LEFT JOIN package_releases y ON y.package_id = h.package_id AND y.release = h.after
         WHERE h.before IS DISTINCT FROM h.after
         ORDER BY p.name",
    )
    .bind(image_id)
    .bind(from)
    .bind(to)
    .fetch_all(conn)
    .await
}

/// An advisory that affects only one of two versions.
#[derive(Clone, Debug, FromRow)]
pub struct AdvisoryRow {
    /// The CVE id.
    pub cve: String,
    /// Its severity.
    pub severity: String,
    /// Its CVSS base score.
    pub score: f64,
    /// Whether it is known to be exploited.
    pub known_exploited: bool,
    /// The packages through which it affects the version.
    pub packages: Vec<String>,
    /// Whether it is the newer version that it affects.
    pub introduced: bool,
}

/// The advisories published by an instant that affect only one of two versions of an image, the
/// most severe first.
pub async fn advisories(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    image_id: i64,
    (from, to): (i32, i32),
) -> sqlx::Result<Vec<AdvisoryRow>> {
    sqlx::query_as(
        "WITH held AS MATERIALIZED (
             SELECT h.package_id, p.name, h.before, h.after
             FROM (SELECT c.package_id, max(c.release) FILTER (WHERE v.version = $3) AS before,
                          max(c.release) FILTER (WHERE v.version = $4) AS after
                   FROM image_versions v
                   CROSS JOIN LATERAL unnest(v.package_ids, v.releases) AS c (package_id, release)
                   WHERE v.image_id = $2 AND v.version IN ($3, $4)
                   GROUP BY c.package_id) h
             JOIN packages p ON p.id = h.package_id),
         affected AS (
             SELECT r.advisory_id, h.name,
                    coalesce(h.before >= r.introduced_release
                             AND (r.fixed_release IS NULL OR h.before < r.fixed_release), false)
                        AS before,
                    coalesce(h.after >= r.introduced_release
                             AND (r.fixed_release IS NULL OR h.after < r.fixed_release), false)
                        AS after
             FROM held h
             CROSS JOIN LATERAL (SELECT r.* FROM advisory_packages r
                                 WHERE r.package_id = h.package_id OFFSET 0) r),
         changed AS MATERIALIZED (
             SELECT advisory_id, bool_or(after) AS introduced, array_agg(name ORDER BY name) AS packages
             FROM affected WHERE before OR after
             GROUP BY advisory_id HAVING bool_or(before) <> bool_or(after))
         SELECT a.cve, a.severity, a.score::float8 AS score, a.known_exploited, x.introduced,
                x.packages
         FROM changed x
         CROSS JOIN LATERAL (SELECT a.* FROM advisories a
                             WHERE a.id = x.advisory_id AND a.published_at <= $1 OFFSET 0) a
         ORDER BY a.score DESC, a.cve",
    )
    .bind(as_of)
    .bind(image_id)
    .bind(from)
    .bind(to)
    .fetch_all(conn)
    .await
}
