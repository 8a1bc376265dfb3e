//! The evidence of an invented world, for tests and examples.

use std::collections::BTreeMap;

use super::evidence::{Attested, Evidence};
use crate::bundle::Bundle;
use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::dsse::Envelope;
use crate::error::Error;
use crate::merkle::{Tree, leaf_hash};
use crate::rekor::{self, InclusionProof, LogEntry};
use crate::statement::{PredicateType, image_signature, statement};
use crate::timestamp::Timestamp;
use crate::world_keys::WorldKeys;

const SCENARIO: &str = "an invented scenario";
const SECONDS: i64 = 1_767_578_400;

/// The evidence of a world of two images, always the same for the same seed.
///
/// # Errors
/// Those of making documents, which do not happen.
pub fn sample(seed: u64) -> Result<Evidence, Error> {
    let keys = WorldKeys::of(SCENARIO, seed, None)?;
    let mut signed = Vec::new();
    let names = ["victim", "other"];
    let mut manifests = Vec::new();
    for (image, name) in names.into_iter().enumerate() {
        let manifest = format!("{{\"schemaVersion\":2,\"annotations\":{{\"name\":\"{name}\"}}}}");
        let digest = Digest::of(manifest.as_bytes());
        for kind in PredicateType::ALL {
            let predicate = BTreeMap::from([("of", name)]);
            let statement = match kind {
                PredicateType::ImageSignature => image_signature(name, digest)?,
                _ => statement(name, digest, kind, &predicate)?,
            };
            signed.push((image, kind, Envelope::sign(&keys.signer, statement)));
        }
        manifests.push(manifest.into_bytes());
    }
    let mut bodies = vec![rekor::genesis_body(&keys.identity.rekor_origin)?];
    for (_, _, envelope) in &signed {
        bodies.push(rekor::body(envelope, keys.signer.public())?);
    }
    let tree = Tree::from_leaf_hashes(bodies.iter().map(|body| leaf_hash(body)));
    let mut bundles = [BTreeMap::new(), BTreeMap::new()];
    for (place, (image, kind, envelope)) in signed.into_iter().enumerate() {
        let entry = entry(&keys, &tree, place as u64 + 1, &bodies[place + 1])?;
        let key_hint = keys.identity.signer.id().hex();
        let bundle = Bundle { key_hint, envelope, log_entry: Some(entry) };
        bundles[image].insert(kind, bundle.to_json()?);
    }
    let mut images = manifests
        .into_iter()
        .zip(bundles)
        .map(|(manifest, bundles)| Attested { manifest, bundles });
    let mut next = || images.next().ok_or_else(super::draft::unusable);
    let (victim, other) = (next()?, next()?);
    Ok(Evidence {
        scenario_sha256: SCENARIO.to_owned(),
        seed,
        starts: Timestamp::from_ms((SECONDS - 3_600) * 1000)?,
        victim,
        other,
        identity: keys.identity.clone(),
    })
}

fn entry(keys: &WorldKeys, tree: &Tree, index: u64, body: &[u8]) -> Result<LogEntry, Error> {
    let size = tree.size();
    let root = tree.root(size).unwrap_or_default();
    let checkpoint = Checkpoint { origin: keys.identity.rekor_origin.clone(), size, root };
    Ok(LogEntry {
        index,
        integrated_seconds: SECONDS,
        body: body.to_vec(),
        log_id: keys.identity.log.id(),
        promise: rekor::promise(&keys.log, body, index, SECONDS)?,
        proof: InclusionProof {
            tree_size: size,
            root,
            hashes: tree.inclusion_proof(index, size).unwrap_or_default(),
            checkpoint: checkpoint.sign_ecdsa(keys.identity.log_verifier.name(), &keys.log),
        },
    })
}
