//! Packages, their releases, and which images hold them.
use super::in_use::in_use;
use super::page::Slice;
use super::{Moment, Page, page};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

/// The ordinals of these packages, each with its name; unknown names are left out.
pub async fn by_name(
    conn: &mut PgConnection,
    names: &[String],
) -> sqlx::Result<Vec<(i64, String)>> {
    sqlx::query_as("SELECT id, name FROM packages WHERE name = ANY($1)")
        .bind(names)
        .fetch_all(conn)
        .await
}

/// A package as it was known.
#[derive(Clone, Debug, FromRow)]
pub struct PackageRow {
    /// Its ordinal.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its licence, an SPDX expression.
    pub license: String,
    /// Who supplies it.
    pub supplier: String,
    /// One line for people.
    pub description: String,
    /// Whether upstream makes no more releases.
    pub end_of_life: bool,
    /// Its newest version.
    pub latest_version: Option<String>,
    /// When that was released.
    pub latest_released_at: Option<DateTime<Utc>>,
    /// How many advisories affect it.
    pub advisories: i64,
}

const SHOWN: &str = "
    SELECT p.*, r.version AS latest_version, r.released_at AS latest_released_at,
           (SELECT count(*) FROM advisory_packages ap
            CROSS JOIN LATERAL (SELECT FROM advisories a
                                WHERE a.id = ap.advisory_id AND a.published_at <= $1 OFFSET 0) a
            WHERE ap.package_id = p.id) AS advisories
    FROM page p
    LEFT JOIN LATERAL (
        SELECT r.version, r.released_at FROM package_releases r
        WHERE r.package_id = p.id AND r.released_at <= $1
        ORDER BY r.release DESC LIMIT 1) r ON true
    ORDER BY p.name";

fn page(
    as_of: DateTime<Utc>,
    q: Option<&str>,
    after: Option<&str>,
    slice: Slice,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("WITH ");
    query.push(slice.page());
    query.push("SELECT p.* FROM packages p WHERE ");
    query.push_bind(as_of).push("::timestamptz IS NOT NULL");
    if let Some(q) = q {
        query.push(" AND position(lower(").push_bind(q.to_owned());
        query.push(") IN lower(p.name)) > 0");
    }
    if let Some(after) = after {
        query.push(" AND p.name > ").push_bind(after.to_owned());
    }
    query.push(" ORDER BY p.name LIMIT ").push(slice.limit()).push(") ");
    query
}

/// Packages by name, after one of them; only those whose name holds `q`.
pub async fn packages(
    conn: &mut PgConnection,
    moment: Moment,
    q: Option<&str>,
    after: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<PackageRow>> {
    let mut query = page(moment.as_of, q, after, Slice::Page(limit));
    query.push(SHOWN);
    query.build_query_as().fetch_all(conn).await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn packages_total(
    conn: &mut PgConnection,
    moment: Moment,
    q: Option<&str>,
) -> sqlx::Result<i64> {
    let mut query = page(moment.as_of, q, None, Slice::Total);
    query.push("SELECT count(*) FROM page");
    query.build_query_scalar().fetch_one(conn).await
}

/// The ordinal of the package with this name.
pub async fn id(conn: &mut PgConnection, name: &str) -> sqlx::Result<Option<i64>> {
    let sql = "SELECT id FROM packages WHERE name = $1";
    sqlx::query_scalar(sql).bind(name).fetch_optional(conn).await
}

/// The package with this ordinal.
pub async fn package(conn: &mut PgConnection, moment: Moment, id: i64) -> sqlx::Result<PackageRow> {
    let mut query =
        QueryBuilder::new("WITH page AS MATERIALIZED (SELECT p.* FROM packages p WHERE ");
    query.push_bind(moment.as_of).push("::timestamptz IS NOT NULL AND p.id = ");
    query.push_bind(id).push(") ").push(SHOWN);
    query.build_query_as().fetch_one(conn).await
}

/// A release of a package.
#[derive(Clone, Debug, FromRow)]
pub struct ReleaseRow {
    /// Its ordinal, from 0.
    pub release: i32,
    /// Its version.
    pub version: String,
    /// When it was released.
    pub released_at: DateTime<Utc>,
    /// Its size.
    pub size_bytes: i64,
    /// SHA-256 of its archive.
    pub sha256: String,
}

/// The releases of a package, the newest first; the first `limit` of them.
pub async fn releases(
    conn: &mut PgConnection,
    moment: Moment,
    package_id: i64,
    limit: i64,
) -> sqlx::Result<Vec<ReleaseRow>> {
    sqlx::query_as(
        "SELECT release, version, released_at, size_bytes, sha256 FROM package_releases
         WHERE package_id = $2 AND released_at <= $1 ORDER BY release DESC LIMIT $3",
    )
    .bind(moment.as_of)
    .bind(package_id)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// A version of an image that holds a package.
#[derive(Clone, Debug, FromRow)]
pub struct HolderRow {
    /// The image's ordinal.
    pub image_id: i64,
    /// The image's name.
    pub image: String,
    /// The namespace of the image's owner.
    pub tenant_namespace: String,
    /// The image's version.
    pub version: i32,
    /// Its digest.
    pub digest: String,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// Whether it was the newest of its image.
    pub current: bool,
    /// The version of the package that it holds.
    pub package_version: String,
    /// How many customers run it, of those the caller may see.
    pub customers: i64,
}

/// Which versions hold a package: current ones, and those that somebody runs.
///
/// By image and version, after a place in that order. With `version`, only that one's holders.
pub async fn holders(
    conn: &mut PgConnection,
    moment: Moment,
    package_id: i64,
    version: Option<&str>,
    after: Option<(i64, i32)>,
    limit: i64,
) -> sqlx::Result<Page<HolderRow>> {
    let mut query = QueryBuilder::new("WITH asked AS (SELECT ");
    query.push_bind(moment.as_of).push("::timestamptz, ").push_bind(package_id);
    query.push("::bigint), ");
    let bound =
        page::find(&mut query, page::EXPENSIVE_COUNT_BOUND, after, limit, |query, after, limit| {
            held(query, moment, version, after, limit);
        });
    query.push(
        "SELECT v.image_id, i.name AS image, v.tenant_namespace, v.version, v.digest,
                v.published_at, v.current, r.version AS package_version,
                (SELECT count(*) FROM customer_image_usage u
                 WHERE u.image_id = v.image_id AND u.version = v.version AND u.valid_from <= $1
                   AND (u.valid_to IS NULL OR u.valid_to > $1)) AS customers,
                (SELECT n FROM total) AS total
         FROM page v
         JOIN images i ON i.id = v.image_id
         JOIN package_releases r ON r.package_id = $2
          AND r.release = v.release
         ORDER BY v.image_id, v.version",
    );
    page::fetch(conn, query, bound).await
}

/// `$1` is the instant, `$2` the package. Of each image that it or a base is made with, the current
/// version and those that somebody runs are looked at.
fn held(
    query: &mut QueryBuilder<Postgres>,
    moment: Moment,
    version: Option<&str>,
    after: Option<(i64, i32)>,
    limit: i64,
) {
    let (image, number) = after.unwrap_or((-1, -1));
    query.push(
        "    SELECT v.*
             FROM (SELECT m.image_id AS id FROM image_packages m
                   WHERE m.package_id = $2 AND m.image_id >= ",
    );
    query.push_bind(image).push(
        " ORDER BY m.image_id OFFSET 0) i
             CROSS JOIN LATERAL (SELECT v.* FROM (
                 SELECT v.image_id, v.version, v.digest, v.tenant_namespace, v.published_at,
                        v.releases[array_position(v.package_ids, $2)] AS release,
                        v.superseded_at IS NULL OR v.superseded_at > $1 AS current
                 FROM image_versions v
                 WHERE v.image_id = i.id AND v.published_at <= $1 AND v.version IN (
                     (SELECT n.version FROM image_versions n
                      WHERE n.image_id = i.id AND n.published_at <= $1
                      ORDER BY n.version DESC LIMIT 1)
                     UNION SELECT u.version FROM ",
    );
    query.push(in_use(moment, "image_id = i.id"));
    query.push(") OFFSET 0) v WHERE ");
    match version {
        Some(version) => {
            query.push(
                "v.release = ANY (ARRAY(SELECT r.release FROM package_releases r
                                        WHERE r.package_id = $2 AND r.version = ",
            );
            query.push_bind(version.to_owned()).push("))");
        }
        None => _ = query.push("v.release IS NOT NULL"),
    }
    query.push(" AND (v.image_id, v.version) > (");
    query.push_bind(image).push(", ").push_bind(number);
    query.push(") ORDER BY v.version) v LIMIT ").push(limit);
}
