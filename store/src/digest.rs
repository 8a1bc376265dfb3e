//! The digest of a world: the one number that reliability is measured by. It must be the same
//! after any number of workers, machines and crashes.
//!
//! It covers every column that holds simulated history, as Postgres prints it under fixed
//! settings, in the order of keys by bytes; and the key and size of every object. Wall-clock
//! columns, the clock, the ledger and the queue are how a world was made, not what it is. Nor does
//! anything of an installation count: addresses, buckets, roles, time zones, locales.
//!
//! The quick digest trusts that an object holds what its key and size say. The deep one reads all.
use crate::objects::named::MAX_OBJECT_BYTES;
use crate::objects::{ListedObject, ObjectError, ObjectStore};
use crate::{obsolete_objects, retention};
use futures::TryStreamExt;
use futures::stream::{self, StreamExt};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sqlx::{PgConnection, PgPool};
use std::collections::BTreeSet;

mod tables;
pub use tables::{EXCLUDED, TABLES, Table};

/// Objects that are read at the same time.
const CONCURRENT_READS: usize = 8;

/// The digest of a world and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorldDigest {
    /// SHA-256 over the parts, in hexadecimal.
    pub total: String,
    /// Each table, in a fixed order.
    pub tables: Vec<TableDigest>,
    /// All objects of the bucket.
    pub objects: ObjectsDigest,
}

/// The digest of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableDigest {
    /// The table.
    pub name: &'static str,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 of its canonical dump, in hexadecimal.
    pub sha256: String,
}

/// The digest of the object listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectsDigest {
    /// How many objects there are.
    pub count: u64,
    /// How many bytes they have together.
    pub bytes: u64,
    /// SHA-256 over keys and sizes, in hexadecimal.
    pub sha256: String,
    /// SHA-256 over keys and contents, in hexadecimal, if these were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents_sha256: Option<String>,
}

/// How closely objects are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Their keys and sizes.
    Listing,
    /// What is in them, too.
    Contents,
}

/// Why there is no digest.
#[derive(Debug, thiserror::Error)]
pub enum DigestError {
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The object store failed.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// Objects are not what their keys promise.
    #[error("{}\nhint: `wavetank repair` makes lost and damaged documents again", .0.join("\n"))]
    Damaged(Vec<String>),
}

impl WorldDigest {
    /// The names of the parts in which two digests differ, for a message.
    pub fn differences(&self, other: &WorldDigest) -> Vec<&'static str> {
        let pairs = self.tables.iter().zip(&other.tables);
        let mut names: Vec<_> = pairs.filter(|(a, b)| a != b).map(|(a, _)| a.name).collect();
        if self.objects != other.objects {
            names.push("objects");
        }
        names
    }
}

/// All that Postgres lets a server, a database, a role or a session choose of how values are printed.
const FIXED_SETTINGS: &str = "
    SET LOCAL timezone = 'UTC';
    SET LOCAL datestyle = 'ISO, MDY';
    SET LOCAL intervalstyle = 'postgres';
    SET LOCAL bytea_output = 'hex';
    SET LOCAL extra_float_digits = 1;
    SET LOCAL client_encoding = 'UTF8'";

/// Computes the digest from one snapshot of the database and a listing of the bucket.
pub async fn world_digest(
    pool: &PgPool,
    objects: &ObjectStore,
) -> Result<WorldDigest, DigestError> {
    world_digest_of(pool, objects, Depth::Listing).await
}

/// The same, of objects as closely as asked. The two depths give different numbers.
///
/// # Errors
/// [`DigestError::Damaged`] names every content-addressed object that is not what its key says.
pub async fn world_digest_of(
    pool: &PgPool,
    objects: &ObjectStore,
    depth: Depth,
) -> Result<WorldDigest, DigestError> {
    let mut tx = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    sqlx::raw_sql(FIXED_SETTINGS).execute(&mut *tx).await?;
    let mut tables = Vec::with_capacity(TABLES.len());
    for table in &TABLES {
        tables.push(table_digest(&mut tx, table).await?);
    }
    let mut obsolete: BTreeSet<String> =
        obsolete_objects::keys(&mut tx).await?.into_iter().collect();
    obsolete.extend(retention::objects::waiting(&mut tx, i64::MAX).await?);
    tx.rollback().await?;
    let objects = objects_digest(objects, &obsolete, depth).await?;
    let mut total = Sha256::new();
    for table in &tables {
        total.update(format!("{} {} {}\n", table.name, table.rows, table.sha256));
    }
    total.update(format!("objects {} {} {}\n", objects.count, objects.bytes, objects.sha256));
    if let Some(contents) = &objects.contents_sha256 {
        total.update(format!("contents {contents}\n"));
    }
    Ok(WorldDigest { total: hex::encode(total.finalize()), tables, objects })
}

async fn table_digest(conn: &mut PgConnection, table: &Table) -> sqlx::Result<TableDigest> {
    let statement = format!(
        "COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT",
        table.columns, table.name, table.order
    );
    let mut hasher = Sha256::new();
    let mut rows = 0;
    let mut dump = conn.copy_out_raw(&statement).await?;
    while let Some(chunk) = dump.try_next().await? {
        // COPY escapes a line feed within a value, so each one ends a row.
        rows += chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
        hasher.update(&chunk);
    }
    Ok(TableDigest { name: table.name, rows, sha256: hex::encode(hasher.finalize()) })
}

/// Without what is about to be deleted: of a world before, or of history that is no longer kept.
async fn objects_digest(
    objects: &ObjectStore,
    obsolete: &BTreeSet<String>,
    depth: Depth,
) -> Result<ObjectsDigest, DigestError> {
    let mut listed = objects.list_world().await?;
    listed.retain(|object| !obsolete.contains(&object.key));
    let mut hasher = Sha256::new();
    let (mut count, mut bytes) = (0, 0);
    for object in &listed {
        hasher.update(format!("{} {}\n", object.key, object.bytes));
        count += 1;
        bytes += object.bytes;
    }
    let contents_sha256 = match depth {
        Depth::Listing => None,
        Depth::Contents => Some(contents_digest(objects, listed).await?),
    };
    Ok(ObjectsDigest { count, bytes, sha256: hex::encode(hasher.finalize()), contents_sha256 })
}

async fn contents_digest(
    objects: &ObjectStore,
    listed: Vec<ListedObject>,
) -> Result<String, DigestError> {
    let reads = listed.into_iter().map(|object| async move {
        let read = objects.get(&object.key, MAX_OBJECT_BYTES).await;
        (object.key, read.map(|bytes| hex::encode(Sha256::digest(&bytes))))
    });
    // Collected first: a lazy iterator of borrowing futures is not `Send` to the compiler.
    let reads: Vec<_> = reads.collect();
    let mut reads = stream::iter(reads).buffered(CONCURRENT_READS);
    let mut hasher = Sha256::new();
    let mut damaged = Vec::new();
    while let Some((key, read)) = reads.next().await {
        match read {
            Ok(sha256) => hasher.update(format!("{key} {sha256}\n")),
            Err(error) if error.is_damage() => damaged.push(error.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    if damaged.is_empty() {
        return Ok(hex::encode(hasher.finalize()));
    }
    Err(DigestError::Damaged(damaged))
}
