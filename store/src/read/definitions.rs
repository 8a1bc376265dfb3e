//! What images are made of, as they were defined: for what builds them or asks for builds.
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

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
