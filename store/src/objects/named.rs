//! Which objects the rows of a world name, and whether those are there and whole.
use super::{ObjectError, ObjectStore, content_key};
use futures::stream::{self, StreamExt, TryStreamExt};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use std::fmt;

/// The largest object that is looked at, in bytes: as much as a reader of documents takes.
pub const MAX_OBJECT_BYTES: u64 = 128 << 20;
/// Objects that are read at the same time.
const CONCURRENT_READS: usize = 8;

/// A row that names an object.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct NamedObject {
    /// The row's table.
    pub table_name: String,
    /// What the object is: a kind of artifact, the format of an SBOM, `bundle`, or the `document`
    /// that a bundle states.
    pub kind: String,
    /// The build that makes it, where the row tells.
    pub build_id: Option<i64>,
    /// Otherwise the fact that brings it about.
    pub seq: Option<i64>,
    /// The key.
    pub object_key: String,
    /// SHA-256 of the document, in hexadecimal.
    pub sha256: String,
    /// Its size in bytes, if the row tells.
    pub bytes: Option<i64>,
}

impl fmt::Display for NamedObject {
    /// The row, for people: `artifacts, layer of build 7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.table_name, self.kind)?;
        match (self.build_id, self.seq) {
            (Some(build), _) => write!(f, " of build {build}"),
            (None, Some(seq)) => write!(f, " of fact {seq}"),
            (None, None) => Ok(()),
        }
    }
}

const NAMED: &str = "
    SELECT 'artifacts' AS table_name, kind, build_id, NULL::bigint AS seq, object_key, sha256,
           bytes
    FROM artifacts
    UNION ALL
    SELECT 'build_events', 'log', id, NULL, $1 || log_sha256, log_sha256, NULL
    FROM build_events WHERE log_sha256 IS NOT NULL
    UNION ALL
    SELECT 'sbom_records', s.format, v.build_id, NULL, s.object_key, s.sha256, s.bytes
    FROM sbom_records s
    JOIN image_versions v ON v.image_id = s.image_id AND v.version = s.version
    UNION ALL
    SELECT 'attestations', 'bundle', NULL, seq, object_key, sha256, bytes
    FROM attestations WHERE sha256 IS NOT NULL
    UNION ALL
    SELECT 'attestations', 'document', NULL, seq, $1 || document_sha256, document_sha256, NULL
    FROM attestations WHERE document_sha256 IS NOT NULL
    UNION ALL
    SELECT 'attestation_replacements', 'bundle', NULL, seq, object_key, sha256, bytes
    FROM attestation_replacements
    UNION ALL
    SELECT 'attestation_replacements', 'document', NULL, seq, $1 || document_sha256,
           document_sha256, NULL
    FROM attestation_replacements";

/// All rows that name an object. The tiles of the two logs are named by no row: they follow from the
/// size of each log.
pub async fn named(conn: &mut PgConnection) -> sqlx::Result<Vec<NamedObject>> {
    sqlx::query_as(NAMED).bind(super::CONTENT_PREFIX).fetch_all(conn).await
}

/// A document that a signed statement carries whole, in a bundle.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct StatedDocument {
    /// SHA-256 of the document.
    pub sha256: String,
    /// SHA-256 of the bundle.
    pub bundle_sha256: String,
    /// What the statement says.
    pub predicate_type: String,
}

/// The bundles that state one of these documents.
pub async fn stated(
    conn: &mut PgConnection,
    documents: &[String],
) -> sqlx::Result<Vec<StatedDocument>> {
    sqlx::query_as(
        "SELECT document_sha256 AS sha256, sha256 AS bundle_sha256, predicate_type
         FROM attestations WHERE document_sha256 = ANY($1) AND sha256 IS NOT NULL
         UNION
         SELECT r.document_sha256, r.sha256, a.predicate_type
         FROM attestation_replacements r JOIN attestations a ON a.log_index = r.log_index
         WHERE r.document_sha256 = ANY($1)",
    )
    .bind(documents)
    .fetch_all(conn)
    .await
}

/// A forgery that an attacker has put in the place of a bundle.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct ForgeryRow {
    /// The fact that tells of it.
    pub seq: i64,
    /// When.
    pub replaced_at: chrono::DateTime<chrono::Utc>,
    /// The image.
    pub image_id: i64,
    /// The version.
    pub version: i32,
}

/// The forgeries of these facts.
pub async fn forgeries(conn: &mut PgConnection, facts: &[i64]) -> sqlx::Result<Vec<ForgeryRow>> {
    sqlx::query_as(
        "SELECT DISTINCT r.seq, r.replaced_at, a.image_id, a.version
         FROM attestation_replacements r JOIN attestations a ON a.log_index = r.log_index
         WHERE r.seq = ANY($1) ORDER BY r.seq",
    )
    .bind(facts)
    .fetch_all(conn)
    .await
}

/// An object that rows name and that is lost or damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedObject {
    /// Its key.
    pub key: String,
    /// What is wrong.
    pub reason: String,
    /// The rows that name it.
    pub rows: Vec<NamedObject>,
}

/// What came of looking at objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// How many objects were looked at.
    pub objects: usize,
    /// Those that are lost or damaged, by key.
    pub damaged: Vec<DamagedObject>,
    /// Rows that say something else of a whole object than it is, and what.
    pub contradictions: Vec<(NamedObject, String)>,
}

/// Reads every object that the rows name: whether it is there, of the size that they tell, and has
/// the SHA-256 that its key promises.
///
/// # Errors
/// The store does not answer: then nothing is known of its objects.
pub async fn examine(
    objects: &ObjectStore,
    rows: Vec<NamedObject>,
) -> Result<Examined, ObjectError> {
    let mut by_key: BTreeMap<String, Vec<NamedObject>> = BTreeMap::new();
    for row in rows {
        by_key.entry(row.object_key.clone()).or_default().push(row);
    }
    let reads = by_key.into_iter().map(|(key, rows)| async move {
        match objects.get(&key, MAX_OBJECT_BYTES).await {
            Ok(bytes) => Ok((key, rows, Ok(bytes.len() as u64))),
            Err(error) if error.is_damage() => Ok((key, rows, Err(error.to_string()))),
            Err(error) => Err(error),
        }
    });
    // Collected first: a lazy iterator of borrowing futures is not `Send` to the compiler.
    let reads: Vec<_> = reads.collect();
    let mut reads = stream::iter(reads).buffered(CONCURRENT_READS);
    let mut examined = Examined::default();
    while let Some((key, rows, read)) = reads.try_next().await? {
        examined.objects += 1;
        match read {
            Ok(bytes) => {
                let wrong =
                    rows.into_iter().filter_map(|row| Some((contradiction(&row, bytes)?, row)));
                examined.contradictions.extend(wrong.map(|(reason, row)| (row, reason)));
            }
            Err(reason) => examined.damaged.push(DamagedObject { key, reason, rows }),
        }
    }
    Ok(examined)
}

fn contradiction(row: &NamedObject, bytes: u64) -> Option<String> {
    if row.object_key != content_key(&row.sha256) {
        let (key, sha256) = (&row.object_key, &row.sha256);
        return Some(format!("it names the object {key:?} and the SHA-256 {sha256}"));
    }
    let told = row.bytes.filter(|told| u64::try_from(*told) != Ok(bytes))?;
    Some(format!("it says {told} bytes, and {:?} has {bytes}", row.object_key))
}
