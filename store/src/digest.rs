//! The digest of a world: the one number that reliability is measured by. It must be the same
//! after any number of workers, machines and crashes.
//!
//! It covers every column that holds simulated history, as Postgres prints it under fixed
//! settings, in the order of keys by bytes; and the key and size of every object. Wall-clock
//! columns, the clock, the ledger and the queue are how a world was made, not what it is.
use crate::objects::{ObjectError, ObjectStore};
use crate::obsolete_objects;
use futures::TryStreamExt;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sqlx::{PgConnection, PgPool};
use std::collections::BTreeSet;

mod tables;
pub use tables::{EXCLUDED, TABLES, Table};

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

/// Computes the digest from one snapshot of the database and a listing of the bucket.
pub async fn world_digest(
    pool: &PgPool,
    objects: &ObjectStore,
) -> Result<WorldDigest, DigestError> {
    let mut tx = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    sqlx::raw_sql(
        "SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, MDY'; \
                   SET LOCAL extra_float_digits = 1; SET LOCAL client_encoding = 'UTF8'",
    )
    .execute(&mut *tx)
    .await?;
    let mut tables = Vec::with_capacity(TABLES.len());
    for table in &TABLES {
        tables.push(table_digest(&mut tx, table).await?);
    }
    let obsolete = obsolete_objects::keys(&mut tx).await?.into_iter().collect();
    tx.rollback().await?;
    let objects = objects_digest(objects, &obsolete).await?;
    let mut total = Sha256::new();
    for table in &tables {
        total.update(format!("{} {} {}\n", table.name, table.rows, table.sha256));
    }
    total.update(format!("objects {} {} {}\n", objects.count, objects.bytes, objects.sha256));
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

/// Without what is left of a world before.
async fn objects_digest(
    objects: &ObjectStore,
    obsolete: &BTreeSet<String>,
) -> Result<ObjectsDigest, ObjectError> {
    let mut hasher = Sha256::new();
    let (mut count, mut bytes) = (0, 0);
    for object in objects.list("").await? {
        if obsolete.contains(&object.key) {
            continue;
        }
        hasher.update(format!("{} {}\n", object.key, object.bytes));
        count += 1;
        bytes += object.bytes;
    }
    Ok(ObjectsDigest { count, bytes, sha256: hex::encode(hasher.finalize()) })
}
