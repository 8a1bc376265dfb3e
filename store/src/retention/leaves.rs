//! Leaves of the Merkle logs whose rows are gone. Their hashes stay, so that every root and every
//! proof stays what it was; bundles of entries go when none of their entries is left.
use crate::error::Error;
use crate::logs::{Log, hash};
use crate::row::number;
use chrono::{DateTime, Utc};
use documents::merkle::Hash;
use documents::tlog::{self, TILE_WIDTH};
use sqlx::{PgConnection, Row};
use std::collections::BTreeSet;

const TRANSPARENCY: &str = "
    INSERT INTO expired_leaves (log, log_index, leaf_hash)
    SELECT 'transparency', a.log_index, a.leaf_hash
    FROM attestations a
    JOIN doomed_versions d ON d.image_id = a.image_id AND d.version = a.version
    WHERE a.log_index IS NOT NULL
    RETURNING log_index";

/// Lines of full tiles only: the last tile is written again whenever it has grown.
const AUDIT: &str = "
    INSERT INTO expired_leaves (log, log_index, leaf_hash)
    SELECT 'audit', a.log_index, a.leaf_hash
    FROM audit_logs a, logs l
    WHERE l.name = 'audit' AND a.at <= $1 AND a.log_index < l.size / $2 * $2
    RETURNING log_index";

/// Keeps the hashes of the leaves whose rows are about to go. Returns the keys of the bundles of
/// entries of which no entry is left.
pub(super) async fn expire(
    conn: &mut PgConnection,
    horizon: DateTime<Utc>,
) -> Result<Vec<String>, Error> {
    let width = i64::try_from(TILE_WIDTH).unwrap_or(i64::MAX);
    let mut keys = Vec::new();
    for log in Log::ALL {
        let expired: Vec<i64> = match log {
            Log::Transparency => sqlx::query_scalar(TRANSPARENCY).fetch_all(&mut *conn).await?,
            Log::Audit => {
                let query = sqlx::query_scalar(AUDIT).bind(horizon).bind(width);
                query.fetch_all(&mut *conn).await?
            }
        };
        let touched: BTreeSet<i64> = expired.into_iter().map(|index| index / width).collect();
        let touched: Vec<i64> = touched.into_iter().collect();
        keys.extend(
            tiles_among(conn, log, Some(&touched))
                .await?
                .into_iter()
                .map(|tile| format!("{}{}", log.prefix(), tlog::entries_path(tile, TILE_WIDTH))),
        );
    }
    Ok(keys)
}

/// The bundles of entries that are gone, by their number.
pub async fn expired_tiles(conn: &mut PgConnection, log: Log) -> Result<BTreeSet<u64>, Error> {
    tiles_among(conn, log, None).await
}

async fn tiles_among(
    conn: &mut PgConnection,
    log: Log,
    among: Option<&[i64]>,
) -> Result<BTreeSet<u64>, Error> {
    let width = i64::try_from(TILE_WIDTH).unwrap_or(i64::MAX);
    let tiles: Vec<i64> = sqlx::query_scalar(
        "SELECT log_index / $2 FROM expired_leaves
         WHERE log = $1 AND ($3::bigint[] IS NULL OR log_index / $2 = ANY ($3))
         GROUP BY 1 HAVING count(*) = $2 ORDER BY 1",
    )
    .bind(log.as_str())
    .bind(width)
    .bind(among)
    .fetch_all(conn)
    .await?;
    tiles.into_iter().map(|tile| number("expired_leaves.log_index", tile)).collect()
}

/// Whether the row of a leaf was removed.
pub async fn is_expired(conn: &mut PgConnection, log: Log, index: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM expired_leaves WHERE log = $1 AND log_index = $2)",
    )
    .bind(log.as_str())
    .bind(index)
    .fetch_one(conn)
    .await
}

/// The leaves of a log from an index on whose rows are gone, by index.
pub async fn expired(
    conn: &mut PgConnection,
    log: Log,
    from: u64,
) -> Result<Vec<(u64, Hash)>, Error> {
    let rows = sqlx::query(
        "SELECT log_index, leaf_hash FROM expired_leaves
         WHERE log = $1 AND log_index >= $2 ORDER BY log_index",
    )
    .bind(log.as_str())
    .bind(i64::try_from(from).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let index = number("expired_leaves.log_index", row.try_get::<i64, _>(0)?)?;
            Ok((index, hash(row.try_get(1)?)?))
        })
        .collect()
}
