//! The rows that a caller sees before the world has taken the command: written beside the stored
//! command, in its transaction. Their instants are provisional; the release writes the final ones.
use crate::catalogue::image_packages;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// An image that a command adds.
#[derive(Clone, Debug)]
pub struct PendingImage<'a> {
    /// Its ordinal.
    pub id: i64,
    /// Its name.
    pub name: &'a str,
    /// The image it is built on.
    pub base_image_id: Option<i64>,
    /// 0 for an image without a base.
    pub depth: i32,
    /// Its own packages, without those of the base.
    pub own_packages: &'a [i64],
    /// The namespace of the owner.
    pub tenant_namespace: &'a str,
    /// Where the world stands.
    pub created_at: DateTime<Utc>,
}

/// The ordinal of the next image. Only true while the lock of the commands is held.
pub async fn next_image_id(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT next_image_id()").fetch_one(conn).await
}

/// Writes an image that the world does not know yet; the first of its own packages is its main
/// package.
pub async fn insert_image(conn: &mut PgConnection, image: &PendingImage<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO images (id, name, description, base_image_id, depth, main_package_id,
                             own_packages, tenant_namespace, created_at)
         VALUES ($1, $2, '', $3, $4, $5, $6, $7, $8)",
    )
    .bind(image.id)
    .bind(image.name)
    .bind(image.base_image_id)
    .bind(image.depth)
    .bind(image.own_packages.first())
    .bind(image.own_packages)
    .bind(image.tenant_namespace)
    .bind(image.created_at)
    .execute(&mut *conn)
    .await?;
    image_packages(conn, &[image.id]).await
}

/// A build that a command asks for.
#[derive(Clone, Debug)]
pub struct PendingBuild<'a> {
    /// Its number, from the command.
    pub id: i64,
    /// What is built.
    pub image_id: i64,
    /// The namespace of the image's owner.
    pub tenant_namespace: &'a str,
    /// What asked for it.
    pub trigger: &'a str,
    /// The same with its particulars.
    pub cause: &'a serde_json::Value,
    /// Where the world stands.
    pub requested_at: DateTime<Utc>,
}

/// Writes a build that the world does not know yet, as pending.
pub async fn insert_build(conn: &mut PgConnection, build: &PendingBuild<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO build_events (id, image_id, tenant_namespace, trigger, cause, status,
                                   requested_at)
         VALUES ($1, $2, $3, $4, $5, 'pending', $6)",
    )
    .bind(build.id)
    .bind(build.image_id)
    .bind(build.tenant_namespace)
    .bind(build.trigger)
    .bind(build.cause)
    .bind(build.requested_at)
    .execute(conn)
    .await?;
    Ok(())
}
