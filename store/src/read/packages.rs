//! Packages by name.
use sqlx::PgConnection;

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
