//! The evidence of a world of which the catalogue of forgeries is made: the oldest that it keeps of two
//! images of the shared catalogue, so that the same world has the same forgeries for as long as it keeps
//! that evidence.
use crate::objects::{ObjectError, ObjectStore, content_key};
use crate::world::Origin;
use documents::Timestamp;
use documents::forgeries::{Attested, Evidence};
use documents::keys::PublicKey;
use documents::statement::PredicateType;
use documents::world_keys::WorldKeys;
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// So many of the oldest statements are looked at: the first images are among them.
const LOOKED_AT: i64 = 2_000;
/// The largest document that is read.
const MAX_BYTES: u64 = 16 << 20;

/// Why there is no evidence.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// Not enough was signed yet, or is kept.
    #[error("there are not two images yet of which everything is signed")]
    Missing,
    /// The database.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The object store.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A key or an instant of the world cannot be read.
    #[error(transparent)]
    Document(#[from] documents::Error),
}

/// A version that is attested in full: its digest, and the SHA-256 of its bundles.
struct Found {
    image: i64,
    digest: String,
    bundles: BTreeMap<PredicateType, String>,
}

/// Reads the evidence of the world of `origin`.
///
/// # Errors
/// [`EvidenceError`].
pub async fn evidence(
    conn: &mut PgConnection,
    objects: &ObjectStore,
    origin: &Origin,
) -> Result<Evidence, EvidenceError> {
    let mut found = attested(conn).await?.into_iter();
    let victim = found.next().ok_or(EvidenceError::Missing)?;
    let other = found.find(|other| other.image != victim.image).ok_or(EvidenceError::Missing)?;
    let mut identity = WorldKeys::of(&origin.scenario_sha256, origin.seed, None)?.identity;
    identity.signer = PublicKey::from_pem(&origin.signer_key)?;
    Ok(Evidence {
        identity,
        scenario_sha256: origin.scenario_sha256.clone(),
        seed: origin.seed,
        starts: Timestamp::from_ms(origin.starts_at.0)?,
        victim: read(objects, victim).await?,
        other: read(objects, other).await?,
    })
}

/// Versions of which there is a bundle of every type, by their first entry in the log. What an attacker
/// has replaced is left out.
async fn attested(conn: &mut PgConnection) -> sqlx::Result<Vec<Found>> {
    let rows: Vec<(i64, i32, String, String, String)> = sqlx::query_as(
        "SELECT a.image_id, a.version, v.digest, a.predicate_type, a.sha256
         FROM (SELECT log_index, image_id, version, predicate_type, sha256 FROM attestations
               WHERE tenant_namespace = 'catalogue' ORDER BY log_index LIMIT $1) AS a
         JOIN image_versions v ON v.image_id = a.image_id AND v.version = a.version
         WHERE a.sha256 IS NOT NULL
           AND NOT EXISTS (SELECT FROM attestation_replacements r WHERE r.log_index = a.log_index)
         ORDER BY a.log_index",
    )
    .bind(LOOKED_AT)
    .fetch_all(conn)
    .await?;
    let mut found: Vec<Found> = Vec::new();
    let mut places = BTreeMap::new();
    for (image, version, digest, kind, sha256) in rows {
        let Some(kind) = PredicateType::from_uri(&kind) else { continue };
        let place = *places.entry((image, version)).or_insert_with(|| {
            found.push(Found { image, digest, bundles: BTreeMap::new() });
            found.len() - 1
        });
        if let Some(of) = found.get_mut(place) {
            of.bundles.entry(kind).or_insert(sha256);
        }
    }
    found.retain(|of| of.bundles.len() == PredicateType::ALL.len());
    Ok(found)
}

async fn read(objects: &ObjectStore, found: Found) -> Result<Attested, ObjectError> {
    let hex = found.digest.strip_prefix("sha256:").unwrap_or(&found.digest);
    let manifest = objects.get(&content_key(hex), MAX_BYTES).await?.to_vec();
    let mut bundles = BTreeMap::new();
    for (kind, sha256) in found.bundles {
        bundles.insert(kind, objects.get(&content_key(&sha256), MAX_BYTES).await?.to_vec());
    }
    Ok(Attested { manifest, bundles })
}
