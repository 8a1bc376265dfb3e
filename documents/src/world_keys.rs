//! The keys and names of a world: who signs its documents, which log holds them, and how a
//! verifier knows both.

use crate::checkpoint::VerifierKey;
use crate::digest::Digest;
use crate::error::Error;
use crate::keys::{CheckpointKey, PublicKey, SignerKey};
use crate::rekor::{self, LogIdentity};

/// What a verifier must know of a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldIdentity {
    /// 16 hexadecimal digits that no other scenario and seed have.
    pub id: String,
    /// The key that signs every document.
    pub signer: PublicKey,
    /// The key of the simulated Rekor.
    pub log: PublicKey,
    /// The origin in the checkpoints of Rekor-style log entries.
    pub rekor_origin: String,
    /// The key of the transparency log's own checkpoints; its name is their origin.
    pub log_verifier: VerifierKey,
    /// The key of the audit log's checkpoints; its name is their origin.
    pub audit_verifier: VerifierKey,
}

impl WorldIdentity {
    /// The log as a verifier of bundles knows it.
    pub fn log_identity(&self) -> LogIdentity<'_> {
        LogIdentity { key: &self.log, origin: &self.rekor_origin }
    }

    /// The address under which the trusted root names the log.
    pub fn log_url(&self) -> String {
        format!("https://{}", self.log_verifier.name())
    }
}

/// All keys of a world.
///
/// The log's keys, and the signer's unless the operator brings one, are derived from scenario and
/// seed: whoever knows these knows the keys. That makes runs repeatable and protects nothing.
#[derive(Clone, Debug)]
pub struct WorldKeys {
    /// The public side.
    pub identity: WorldIdentity,
    /// Signs documents.
    pub signer: SignerKey,
    /// Signs promises and checkpoints inside bundles.
    pub log: SignerKey,
    /// Signs the transparency log's own checkpoints.
    pub log_checkpoint: CheckpointKey,
    /// Signs the audit log's checkpoints.
    pub audit_checkpoint: CheckpointKey,
}

impl WorldKeys {
    /// The keys of the world of that scenario (by the SHA-256 of its file) and seed; documents are
    /// signed with the operator's own key if there is one.
    ///
    /// # Errors
    /// [`Error::Key`], which does not happen.
    pub fn of(scenario_sha256: &str, seed: u64, own: Option<SignerKey>) -> Result<Self, Error> {
        let material = Digest::of(format!("wavetank world\n{scenario_sha256}\n{seed}").as_bytes());
        let id = Digest::of(material.as_bytes()).hex()[..16].to_owned();
        let derived = |purpose| SignerKey::from_seed(material.as_bytes(), purpose);
        let signer = own.map_or_else(|| derived("signer"), Ok)?;
        let log = derived("log")?;
        let log_checkpoint = CheckpointKey::from_seed(material.as_bytes(), "log checkpoint");
        let audit_checkpoint = CheckpointKey::from_seed(material.as_bytes(), "audit checkpoint");
        let log_name = format!("log.wavetank.example/{id}");
        let audit_name = format!("audit.wavetank.example/{id}");
        let identity = WorldIdentity {
            id,
            signer: signer.public().clone(),
            log: log.public().clone(),
            rekor_origin: rekor::origin(&log_name, log.public().id()),
            log_verifier: VerifierKey::new(&log_name, log_checkpoint.public())?,
            audit_verifier: VerifierKey::new(&audit_name, audit_checkpoint.public())?,
        };
        Ok(Self { identity, signer, log, log_checkpoint, audit_checkpoint })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worlds_share_nothing() {
        let world = |sha256: &str, seed| WorldKeys::of(sha256, seed, None).unwrap().identity;
        let one = world("aa", 1);
        assert_eq!(one, world("aa", 1));
        for other in [world("aa", 2), world("ab", 1)] {
            assert_ne!(one.id, other.id);
            assert_ne!(one.signer, other.signer);
            assert_ne!(one.log, other.log);
            assert_ne!(one.rekor_origin, other.rekor_origin);
            assert_ne!(one.log_verifier, other.log_verifier);
            assert_ne!(one.audit_verifier, other.audit_verifier);
        }
    }

    #[test]
    fn an_own_key_signs_and_the_log_stays() {
        let own = SignerKey::from_seed(b"mine", "signer").unwrap();
        let derived = WorldKeys::of("aa", 1, None).unwrap();
        let brought = WorldKeys::of("aa", 1, Some(own.clone())).unwrap();
        assert_eq!(brought.identity.signer, *own.public());
        assert_eq!(brought.identity.log, derived.identity.log);
    }
}
