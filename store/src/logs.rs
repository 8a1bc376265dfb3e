//! The two Merkle logs, transparency and audit: what their newest checkpoints say.
use crate::error::Error;
use crate::row::number;
use documents::merkle::{Hash, empty_root};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

/// Which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Log {
    /// Signed documents: the simulated Rekor.
    Transparency,
    /// The audit log.
    Audit,
}

impl Log {
    /// Both.
    pub const ALL: [Log; 2] = [Log::Transparency, Log::Audit];

    /// The name in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Log::Transparency => "transparency",
            Log::Audit => "audit",
        }
    }

    /// The prefix of its tiles and checkpoint in the object store.
    pub fn prefix(self) -> &'static str {
        match self {
            Log::Transparency => "log/",
            Log::Audit => "audit/",
        }
    }
}

/// The state of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Its name in checkpoints.
    pub origin: String,
    /// How many leaves it has.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// Up to which size its tiles are known to be in the object store.
    pub published: u64,
}

/// Writes an empty log. The transparency log begins with one leaf, which is no attestation.
pub async fn create(conn: &mut PgConnection, log: Log, origin: &str) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO logs (name, origin, size, root, published_size) VALUES ($1, $2, 0, $3, 0)",
    )
    .bind(log.as_str())
    .bind(origin)
    .bind(empty_root().as_slice())
    .execute(conn)
    .await?;
    Ok(())
}

/// The state of a log; none before the world is made.
pub async fn state(conn: &mut PgConnection, log: Log) -> Result<Option<State>, Error> {
    let row = sqlx::query("SELECT origin, size, root, published_size FROM logs WHERE name = $1")
        .bind(log.as_str())
        .fetch_optional(conn)
        .await?;
    row.map(|row| {
        Ok(State {
            origin: row.try_get(0)?,
            size: number("logs.size", row.try_get::<i64, _>(1)?)?,
            root: hash(&row.try_get::<Vec<u8>, _>(2)?)?,
            published: number("logs.published_size", row.try_get::<i64, _>(3)?)?,
        })
    })
    .transpose()
}

/// Moves a log on to a size and root, and remembers up to where its tiles were published before.
pub async fn advance(
    conn: &mut PgConnection,
    log: Log,
    size: u64,
    root: &Hash,
    published: u64,
) -> Result<(), Error> {
    sqlx::query("UPDATE logs SET size = $2, root = $3, published_size = $4 WHERE name = $1")
        .bind(log.as_str())
        .bind(size as i64)
        .bind(root.as_slice())
        .bind(published as i64)
        .execute(conn)
        .await?;
    Ok(())
}

/// Rows of an index and a hash, by index.
pub(crate) fn in_order(rows: Vec<PgRow>) -> Result<Vec<Hash>, Error> {
    let mut hashes = rows
        .into_iter()
        .map(|row| Ok((row.try_get::<i64, _>(0)?, hash(&row.try_get::<Vec<u8>, _>(1)?)?)))
        .collect::<Result<Vec<_>, Error>>()?;
    hashes.sort_unstable();
    Ok(hashes.into_iter().map(|(_, hash)| hash).collect())
}

/// The columns are checked to be of this length.
pub(crate) fn hash(bytes: &[u8]) -> Result<Hash, Error> {
    let hash = bytes.try_into().map_err(|_| sqlx::Error::Decode("not 32 bytes".into()))?;
    Ok(hash)
}
