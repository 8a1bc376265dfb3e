//! What is signed for the catalogue: statements of the world, signed anew with the catalogue's own
//! key and logged in the catalogue's own log.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::draft::{Draft, PROMISE, TIME, read, unusable};
use super::evidence::{Attested, Evidence};
use crate::bundle::Bundle;
use crate::checkpoint::Checkpoint;
use crate::dsse::Envelope;
use crate::error::Error;
use crate::keys::SignerKey;
use crate::merkle::{Tree, leaf_hash};
use crate::rekor::{self, InclusionProof, LogEntry, LoggedEnvelope};
use crate::statement::PredicateType;
use crate::trusted_root;
use crate::world_keys::{WorldIdentity, WorldKeys};

/// An envelope and the body that the log has for it.
#[derive(Clone, Debug)]
pub(super) struct Anew {
    pub(super) envelope: Envelope,
    pub(super) body: Vec<u8>,
}

/// All that cases are made with.
pub(super) struct Bench<'a> {
    evidence: &'a Evidence,
    statement: Vec<u8>,
    /// The keys and the log of the catalogue.
    pub(super) keys: WorldKeys,
    /// Keys that nobody trusts, and a log that nobody knows.
    pub(super) stranger: WorldKeys,
    /// By the name of their case, in the order of the log, whose first entry is its own.
    entries: Vec<(&'static str, Anew)>,
    tree: Tree,
    /// The size of the tree in which cases are proven; it went on growing.
    pub(super) size: u64,
    seconds: i64,
}

impl<'a> Bench<'a> {
    /// Signs and logs what the cases need.
    ///
    /// # Errors
    /// Those of reading the bundles, and [`Error::Malformed`] if one is missing.
    pub(super) fn new(evidence: &'a Evidence) -> Result<Self, Error> {
        let keys = |what: &str| {
            let name = format!("{what} of {}", evidence.scenario_sha256);
            WorldKeys::of(&name, evidence.seed, None)
        };
        let victim = Bundle::parse(bundle(&evidence.victim, PredicateType::ImageSignature)?)?;
        let mut bench = Bench {
            keys: keys("forgeries")?,
            stranger: keys("strangers")?,
            evidence,
            statement: victim.envelope.payload,
            entries: Vec::new(),
            tree: Tree::default(),
            size: 0,
            seconds: victim.log_entry.ok_or_else(unusable)?.integrated_seconds,
        };
        let genesis = rekor::genesis_body(&bench.keys.identity.rekor_origin)?;
        bench.tree.push(leaf_hash(&genesis));
        Ok(bench)
    }

    /// The statement that is signed anew: the world's image signature.
    pub(super) fn statement(&self) -> Vec<u8> {
        self.statement.clone()
    }

    /// The tree in which the cases are proven is as large as now; it goes on growing.
    ///
    /// # Errors
    /// Those of reading the bundles of the other image.
    pub(super) fn grow(&mut self) -> Result<(), Error> {
        self.size = self.tree.size();
        for bundle in self.evidence.other.bundles.values() {
            let anew = self.signed(Bundle::parse(bundle)?.envelope.payload)?;
            self.push("", anew);
        }
        Ok(())
    }

    /// Logs what the case of that name has signed.
    pub(super) fn push(&mut self, name: &'static str, anew: Anew) {
        self.tree.push(leaf_hash(&anew.body));
        self.entries.push((name, anew));
    }

    /// A statement as it should be signed and logged.
    pub(super) fn signed(&self, statement: Vec<u8>) -> Result<Anew, Error> {
        self.logged(Envelope::sign(&self.keys.signer, statement))
    }

    /// An envelope as it should be logged.
    pub(super) fn logged(&self, envelope: Envelope) -> Result<Anew, Error> {
        let body = LoggedEnvelope::of(&envelope)?.body(self.keys.signer.public())?;
        Ok(Anew { envelope, body })
    }

    /// The newest size of the catalogue's log.
    pub(super) fn later_size(&self) -> u64 {
        self.tree.size()
    }

    /// A bundle of the world, with the world's key and log.
    pub(super) fn draft_of_the_world(&self, kind: PredicateType) -> Result<Draft, Error> {
        let Evidence { identity, victim, .. } = self.evidence;
        self.draft(bundle(victim, kind)?.to_vec(), identity)
    }

    /// What the case of that name has signed anew, with the catalogue's own key and log.
    pub(super) fn draft_signed_anew(&self, name: &str) -> Result<Draft, Error> {
        self.draft(self.bundle(name, self.size)?.to_json()?, &self.keys.identity)
    }

    fn draft(&self, bundle: Vec<u8>, identity: &WorldIdentity) -> Result<Draft, Error> {
        let Evidence { starts, victim, .. } = self.evidence;
        Ok(Draft {
            bundle,
            key: identity.signer.pem().to_owned(),
            root: trusted_root::document(&identity.log_url(), &identity.log, *starts)?,
            artifact: victim.manifest.clone(),
        })
    }

    /// The bundle of a case that was signed anew, proven in the tree of that size.
    pub(super) fn bundle(&self, name: &str, size: u64) -> Result<Bundle, Error> {
        let place = self.entries.iter().position(|(known, _)| *known == name);
        let place = place.ok_or_else(unusable)?;
        let anew = &self.entries[place].1;
        let index = place as u64 + 1;
        Ok(Bundle {
            key_hint: self.keys.identity.signer.id().hex(),
            envelope: anew.envelope.clone(),
            log_entry: Some(LogEntry {
                index,
                integrated_seconds: self.seconds,
                body: anew.body.clone(),
                log_id: self.keys.identity.log.id(),
                promise: rekor::promise(&self.keys.log, &anew.body, index, self.seconds)?,
                proof: self.proof(index, size)?,
            }),
        })
    }

    /// The proof that the entry is in the tree of that size.
    fn proof(&self, index: u64, size: u64) -> Result<InclusionProof, Error> {
        let checkpoint = self.checkpoint(size)?;
        let hashes = self.tree.inclusion_proof(index, size).ok_or_else(unusable)?;
        let root = checkpoint.root;
        Ok(InclusionProof { tree_size: size, root, hashes, checkpoint: self.note(&checkpoint) })
    }

    /// What the catalogue's log says of its tree of that size.
    pub(super) fn checkpoint(&self, size: u64) -> Result<Checkpoint, Error> {
        let root = self.tree.root(size).ok_or_else(unusable)?;
        Ok(Checkpoint { origin: self.keys.identity.rekor_origin.clone(), size, root })
    }

    /// A checkpoint as the catalogue's log signs it.
    pub(super) fn note(&self, checkpoint: &Checkpoint) -> String {
        sign_note(checkpoint, &self.keys)
    }

    /// A bundle of the other image.
    pub(super) fn other(&self, kind: PredicateType) -> Result<Value, Error> {
        read(bundle(&self.evidence.other, kind)?)
    }

    /// Another bundle of the same image.
    pub(super) fn victim(&self, kind: PredicateType) -> Result<Value, Error> {
        read(bundle(&self.evidence.victim, kind)?)
    }

    /// The manifest of the other image.
    pub(super) fn other_manifest(&self) -> &[u8] {
        &self.evidence.other.manifest
    }

    /// The world itself.
    pub(super) fn evidence(&self) -> &Evidence {
        self.evidence
    }
}

/// A checkpoint as the log of those keys signs it.
pub(super) fn sign_note(checkpoint: &Checkpoint, keys: &WorldKeys) -> String {
    checkpoint.sign_ecdsa(keys.identity.log_verifier.name(), &keys.log)
}

/// The promise of that log's key for the entry of a draft, at that second.
pub(super) fn promise(draft: &mut Draft, log: &SignerKey, seconds: i64) -> Result<(), Error> {
    let bundle = Bundle::parse(&draft.bundle)?;
    let entry = bundle.log_entry.ok_or_else(unusable)?;
    let promise = rekor::promise(log, &entry.body, entry.index, seconds)?;
    draft.put(TIME, seconds.to_string())?;
    draft.put(PROMISE, STANDARD.encode(promise))
}

fn bundle(attested: &Attested, kind: PredicateType) -> Result<&[u8], Error> {
    attested.bundles.get(&kind).map(Vec::as_slice).ok_or_else(unusable)
}
