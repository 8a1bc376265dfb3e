//! The evidence of a world from which the catalogue is made.
use std::collections::BTreeMap;

use crate::statement::PredicateType;
use crate::timestamp::Timestamp;
use crate::world_keys::WorldIdentity;

/// The evidence of a world from which the catalogue is made.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The keys and names of the world, public ones.
    pub identity: WorldIdentity,
    /// SHA-256 of its scenario, and its seed: the keys of the catalogue follow from them.
    pub scenario_sha256: String,
    /// See there.
    pub seed: u64,
    /// When the world began, and so the validity of the log's key.
    pub starts: Timestamp,
    /// The version that the cases are about.
    pub victim: Attested,
    /// A version of another image.
    pub other: Attested,
}

/// A version of an image with what is signed about it.
#[derive(Clone, Debug)]
pub struct Attested {
    /// The manifest, whose SHA-256 is the digest of the image.
    pub manifest: Vec<u8>,
    /// A bundle of each predicate type.
    pub bundles: BTreeMap<PredicateType, Vec<u8>>,
}
