//! What an image is built on, and what is built on it.
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow, PgConnection};

/// An image of a lineage with the version of its base that its current version stands on.
#[derive(Clone, Debug, FromRow)]
pub struct LineageRow {
    /// How many steps away it is, from 1.
    pub distance: i32,
    /// The image's ordinal.
    pub image_id: i64,
    /// The image's name.
    pub image: String,
    /// The namespace of its owner.
    pub tenant_namespace: String,
    /// Its current version; none before the first is published.
    pub version: Option<i32>,
    /// That version's digest.
    pub digest: Option<String>,
    /// The name of the image it is built on.
    pub base: Option<String>,
    /// The version of that image it stands on.
    pub base_version: Option<i32>,
    /// The current version of that image.
    pub base_current_version: Option<i32>,
}

const SHOWN: &str = "
    SELECT l.distance, i.id AS image_id, i.name AS image, i.tenant_namespace, v.version, v.digest,
           b.name AS base, v.base_version, bv.version AS base_current_version
    FROM (SELECT * FROM lineage WHERE distance > 0 ORDER BY distance, id LIMIT $3) l
    JOIN images i ON i.id = l.id
    LEFT JOIN images b ON b.id = i.base_image_id
    LEFT JOIN LATERAL (
        SELECT v.version, v.digest, v.base_version FROM image_versions v
        WHERE v.image_id = i.id AND v.published_at <= $1
        ORDER BY v.version DESC LIMIT 1) v ON true
    LEFT JOIN LATERAL (
        SELECT n.version FROM image_versions n
        WHERE n.image_id = i.base_image_id AND n.published_at <= $1
        ORDER BY n.version DESC LIMIT 1) bv ON true
    ORDER BY l.distance, i.name";

/// What an image is built on: its base first.
pub async fn bases(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    image_id: i64,
    limit: i64,
) -> sqlx::Result<Vec<LineageRow>> {
    let step = "SELECT b.id, b.base_image_id, l.distance + 1
                FROM lineage l JOIN images b ON b.id = l.base_image_id";
    lineage(conn, as_of, image_id, limit, step).await
}

/// What is built on an image: directly, then on that, and so on.
pub async fn derived(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    image_id: i64,
    limit: i64,
) -> sqlx::Result<Vec<LineageRow>> {
    let step = "SELECT d.id, d.base_image_id, l.distance + 1
                FROM lineage l JOIN images d ON d.base_image_id = l.id AND d.created_at <= $1";
    lineage(conn, as_of, image_id, limit, step).await
}

async fn lineage(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    image_id: i64,
    limit: i64,
    step: &str,
) -> sqlx::Result<Vec<LineageRow>> {
    let sql = format!(
        "WITH RECURSIVE lineage (id, base_image_id, distance) AS (
             SELECT id, base_image_id, 0 FROM images WHERE id = $2
             UNION ALL {step}) {SHOWN}"
    );
    sqlx::query_as(AssertSqlSafe(sql)).bind(as_of).bind(image_id).bind(limit).fetch_all(conn).await
}
