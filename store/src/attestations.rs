//! Attestations: signed statements about versions. The job that signs inserts them, the conductor
//! gives them their places in the transparency log, the attest job adds the bundles.
use crate::db::instant;
use crate::error::Error;
use crate::logs::{hash, in_order};
use crate::row::number;
use documents::Digest;
use documents::merkle::Hash;
use documents::rekor::LoggedEnvelope;
use documents::statement::PredicateType;
use sim::ids::{ImageId, VersionRef};
use sim::time::SimTime;
use sqlx::{PgConnection, Row};

/// A signed statement.
#[derive(Clone, Debug)]
pub struct SignedStatement {
    /// The fact that brought it about.
    pub seq: u64,
    /// When.
    pub at: SimTime,
    /// What it is about.
    pub version: VersionRef,
    /// What it says.
    pub predicate_type: PredicateType,
    /// SHA-256 of the stored document that it states, if it states one.
    pub document_sha256: Option<String>,
    /// What the log keeps of it.
    pub logged: LoggedEnvelope,
    /// The hash of its leaf.
    pub leaf_hash: Hash,
}

/// Writes signed statements; existing ones stay as they are.
pub async fn insert(conn: &mut PgConnection, signed: &[SignedStatement]) -> Result<(), Error> {
    if signed.is_empty() {
        return Ok(());
    }
    let ats = signed.iter().map(|s| instant(s.at)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "INSERT INTO attestations (seq, image_id, version, predicate_type, tenant_namespace,
             created_at, document_sha256, envelope_sha256, payload_sha256, signature, leaf_hash)
         SELECT s.seq, s.image_id, s.version, s.predicate_type, i.tenant_namespace, s.at,
                s.document, s.envelope, s.payload, s.signature, s.leaf
         FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[], $5::timestamptz[],
                     $6::text[], $7::bytea[], $8::bytea[], $9::bytea[], $10::bytea[])
              AS s (seq, image_id, version, predicate_type, at, document, envelope, payload,
                    signature, leaf)
         JOIN images i ON i.id = s.image_id
         ON CONFLICT DO NOTHING",
    )
    .bind(signed.iter().map(|s| s.seq as i64).collect::<Vec<_>>())
    .bind(signed.iter().map(|s| i64::from(s.version.image.0)).collect::<Vec<_>>())
    .bind(signed.iter().map(|s| s.version.version as i32).collect::<Vec<_>>())
    .bind(signed.iter().map(|s| s.predicate_type.uri()).collect::<Vec<_>>())
    .bind(ats)
    .bind(signed.iter().map(|s| s.document_sha256.as_deref()).collect::<Vec<_>>())
    .bind(signed.iter().map(|s| s.logged.envelope_sha256.as_bytes().as_slice()).collect::<Vec<_>>())
    .bind(signed.iter().map(|s| s.logged.payload_sha256.as_bytes().as_slice()).collect::<Vec<_>>())
    .bind(signed.iter().map(|s| s.logged.signature.as_slice()).collect::<Vec<_>>())
    .bind(signed.iter().map(|s| s.leaf_hash.as_slice()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Assigns indexes in the log, from `first` on, to what was signed for the facts up to `through_seq`,
/// in the order of facts; the attestations of a fact share a checkpoint. Returns the hashes of the
/// leaves.
pub async fn append_to_log(
    conn: &mut PgConnection,
    first: u64,
    through_seq: u64,
) -> Result<Vec<Hash>, Error> {
    let rows = sqlx::query(
        "WITH next AS (
             SELECT seq, image_id, version, predicate_type,
                    $1 - 1 + row_number() OVER (
                        ORDER BY seq, image_id, version, predicate_type COLLATE \"C\"
                    ) AS log_index,
                    $1 + count(*) OVER (ORDER BY seq) AS tree_size
             FROM attestations WHERE log_index IS NULL AND seq <= $2
         )
         UPDATE attestations a SET log_index = next.log_index, tree_size = next.tree_size
         FROM next
         WHERE a.seq = next.seq AND a.image_id = next.image_id AND a.version = next.version
           AND a.predicate_type = next.predicate_type
         RETURNING a.log_index, a.leaf_hash",
    )
    .bind(first as i64)
    .bind(through_seq as i64)
    .fetch_all(conn)
    .await?;
    in_order(rows)
}

/// The hashes of all leaves from that index on, but for the log's first, which is no attestation; also
/// of attestations that are no longer kept.
pub async fn leaf_hashes(conn: &mut PgConnection, from: u64) -> Result<Vec<Hash>, Error> {
    let rows = sqlx::query(
        "SELECT log_index, leaf_hash FROM attestations WHERE log_index >= $1
         UNION ALL
         SELECT log_index, leaf_hash FROM expired_leaves
         WHERE log = 'transparency' AND log_index >= $1",
    )
    .bind(from as i64)
    .fetch_all(conn)
    .await?;
    in_order(rows)
}

/// What the log keeps of the envelopes with an index in that range, with the index, in order.
pub async fn logged(
    conn: &mut PgConnection,
    from: u64,
    to: u64,
) -> Result<Vec<(u64, LoggedEnvelope)>, Error> {
    let rows = sqlx::query(
        "SELECT envelope_sha256, payload_sha256, signature, log_index FROM attestations
         WHERE log_index >= $1 AND log_index < $2 ORDER BY log_index",
    )
    .bind(from as i64)
    .bind(to as i64)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let envelope = LoggedEnvelope {
                envelope_sha256: Digest::from_bytes(hash(row.try_get(0)?)?),
                payload_sha256: Digest::from_bytes(hash(row.try_get(1)?)?),
                signature: row.try_get(2)?,
            };
            Ok((number("attestations.log_index", row.try_get::<i64, _>(3)?)?, envelope))
        })
        .collect()
}

/// An attestation that is in the log, with what its bundle needs.
#[derive(Clone, Debug)]
pub struct LoggedAttestation {
    /// The fact that brought it about.
    pub seq: u64,
    /// When.
    pub at: SimTime,
    /// What it is about.
    pub version: VersionRef,
    /// The image's name.
    pub image_name: String,
    /// The version's digest.
    pub digest: String,
    /// What it says.
    pub predicate_type: PredicateType,
    /// SHA-256 of the stored document that it states, if it states one.
    pub document_sha256: Option<String>,
    /// What the log keeps of it.
    pub logged: LoggedEnvelope,
    /// Its index in the log.
    pub log_index: u64,
    /// The size of the tree in whose checkpoint it is proven.
    pub tree_size: u64,
}

/// The attestations of the facts in a range, by index in the log.
pub async fn in_log(
    conn: &mut PgConnection,
    from_seq: u64,
    to_seq: u64,
) -> Result<Vec<LoggedAttestation>, Error> {
    let rows = sqlx::query(
        "SELECT a.seq, sim_ms(a.created_at), a.image_id, a.version, i.name, v.digest,
                a.predicate_type, a.document_sha256, a.envelope_sha256, a.payload_sha256,
                a.signature, a.log_index, a.tree_size
         FROM attestations a
         JOIN images i ON i.id = a.image_id
         JOIN image_versions v ON v.image_id = a.image_id AND v.version = a.version
         WHERE a.seq BETWEEN $1 AND $2 AND a.log_index IS NOT NULL
         ORDER BY a.log_index",
    )
    .bind(from_seq as i64)
    .bind(to_seq as i64)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let predicate_type: &str = row.try_get(6)?;
            let unknown = || Error::unknown("attestations.predicate_type", predicate_type);
            Ok(LoggedAttestation {
                seq: number("attestations.seq", row.try_get::<i64, _>(0)?)?,
                at: SimTime(row.try_get(1)?),
                version: VersionRef {
                    image: ImageId(number::<i64, _>("attestations.image_id", row.try_get(2)?)?),
                    version: number("attestations.version", row.try_get::<i32, _>(3)?)?,
                },
                image_name: row.try_get(4)?,
                digest: row.try_get(5)?,
                predicate_type: PredicateType::from_uri(predicate_type).ok_or_else(unknown)?,
                document_sha256: row.try_get(7)?,
                logged: LoggedEnvelope {
                    envelope_sha256: Digest::from_bytes(hash(row.try_get(8)?)?),
                    payload_sha256: Digest::from_bytes(hash(row.try_get(9)?)?),
                    signature: row.try_get(10)?,
                },
                log_index: number("attestations.log_index", row.try_get::<i64, _>(11)?)?,
                tree_size: number("attestations.tree_size", row.try_get::<i64, _>(12)?)?,
            })
        })
        .collect()
}

/// A bundle that is in the object store.
#[derive(Clone, Debug)]
pub struct StoredBundle {
    /// Its index in the log.
    pub log_index: u64,
    /// Its key in the object store.
    pub object_key: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// Records where the bundles are.
pub async fn record_bundles(
    conn: &mut PgConnection,
    bundles: &[StoredBundle],
) -> Result<(), Error> {
    if bundles.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE attestations a SET object_key = b.object_key, sha256 = b.sha256, bytes = b.bytes
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[])
              AS b (log_index, object_key, sha256, bytes)
         WHERE a.log_index = b.log_index",
    )
    .bind(bundles.iter().map(|b| b.log_index as i64).collect::<Vec<_>>())
    .bind(bundles.iter().map(|b| b.object_key.as_str()).collect::<Vec<_>>())
    .bind(bundles.iter().map(|b| b.sha256.as_str()).collect::<Vec<_>>())
    .bind(bundles.iter().map(|b| b.bytes as i64).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}
