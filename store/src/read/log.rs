//! Entries of the transparency log, found by index or by digest.
use super::TOTAL_BOUND;
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

/// An entry.
#[derive(Clone, Debug, FromRow)]
pub struct EntryRow {
    /// Its index.
    pub log_index: i64,
    /// The size of the tree in whose checkpoint its bundle proves it.
    pub tree_size: i64,
    /// When it was logged.
    pub created_at: DateTime<Utc>,
    /// The type of the predicate.
    pub predicate_type: String,
    /// The image's name.
    pub image: String,
    /// The version.
    pub version: i32,
    /// The version's digest: the subject.
    pub digest: String,
    /// SHA-256 of the bundle, once it is made.
    pub sha256: Option<String>,
    /// SHA-256 of the document that is stated, if one is.
    pub document_sha256: Option<String>,
    /// The hash of the leaf.
    pub leaf_hash: Vec<u8>,
}

const COLUMNS: &str = "
    SELECT a.log_index, a.tree_size, a.created_at, a.predicate_type, i.name AS image, a.version,
           v.digest, a.sha256, a.document_sha256, a.leaf_hash
    FROM attestations a
    JOIN images i ON i.id = a.image_id
    JOIN image_versions v ON v.image_id = a.image_id AND v.version = a.version";

/// The entry of an index.
pub async fn entry(conn: &mut PgConnection, index: i64) -> sqlx::Result<Option<EntryRow>> {
    let sql = format!("{COLUMNS} WHERE a.log_index = $1");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(index).fetch_optional(conn).await
}

/// Which entries a list holds: `$1` is a SHA-256 (hexadecimal) or nothing, `$2` the first index,
/// `$4` the instant.
const fn listed(sha256: Option<&str>) -> &'static str {
    match sha256 {
        None => "a.log_index >= $2 AND $1::text IS NULL AND a.created_at <= $4",
        Some(_) => {
            "a.log_index IN (
                 SELECT t.log_index FROM attestations t
                 JOIN image_versions n ON n.image_id = t.image_id AND n.version = t.version
                 WHERE n.digest = 'sha256:' || $1 AND t.log_index >= $2
                 UNION SELECT log_index FROM attestations WHERE sha256 = $1 AND log_index >= $2
                 UNION SELECT log_index FROM attestations
                       WHERE document_sha256 = $1 AND log_index >= $2
                 UNION SELECT log_index FROM attestations
                       WHERE payload_sha256 = decode($1, 'hex') AND log_index >= $2)
             AND a.created_at <= $4"
        }
    }
}

/// Entries logged by an instant, from an index on: all, or those about the image of that SHA-256
/// (hexadecimal), or whose bundle, document or statement has it.
pub async fn entries(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    sha256: Option<&str>,
    from: i64,
    limit: i64,
) -> sqlx::Result<Vec<EntryRow>> {
    let sql = format!("{COLUMNS} WHERE {} ORDER BY a.log_index LIMIT $3", listed(sha256));
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(sha256)
        .bind(from)
        .bind(limit)
        .bind(as_of)
        .fetch_all(conn)
        .await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn entries_total(
    conn: &mut PgConnection,
    as_of: DateTime<Utc>,
    sha256: Option<&str>,
) -> sqlx::Result<i64> {
    let sql = format!(
        "SELECT count(*) FROM (
             SELECT FROM attestations a WHERE {} ORDER BY a.log_index LIMIT $3) AS counted",
        listed(sha256)
    );
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(sha256)
        .bind(1_i64)
        .bind(TOTAL_BOUND + 1)
        .bind(as_of)
        .fetch_one(conn)
        .await
}
