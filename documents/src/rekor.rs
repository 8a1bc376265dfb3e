//! Entries of the simulated Rekor: the body that is logged, the log's promise, and the proof.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::dsse::Envelope;
use crate::error::Error;
use crate::keys::{PublicKey, SignerKey};
use crate::merkle::{self, Hash};

const DOCUMENT: &str = "log entry";
/// Kind and version of the logged bodies.
pub const KIND: &str = "dsse";
/// Version of the kind.
pub const KIND_VERSION: &str = "0.0.1";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    api_version: &'a str,
    kind: &'a str,
    #[serde(borrow)]
    spec: Spec<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow)]
    envelope_hash: HashValue<'a>,
    payload_hash: HashValue<'a>,
    signatures: Vec<BodySignature>,
}

#[derive(Serialize, Deserialize)]
struct HashValue<'a> {
    algorithm: &'a str,
    value: String,
}

#[derive(Serialize, Deserialize)]
struct BodySignature {
    signature: String,
    verifier: String,
}

/// What a log keeps of an envelope: enough to write the entry's body, and small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedEnvelope {
    /// SHA-256 of the envelope as JSON.
    pub envelope_sha256: Digest,
    /// SHA-256 of its payload.
    pub payload_sha256: Digest,
    /// Its signature, ASN.1 DER.
    pub signature: Vec<u8>,
}

impl LoggedEnvelope {
    /// What a log keeps of that envelope.
    ///
    /// # Errors
    /// [`Error::Encode`], which does not happen.
    pub fn of(envelope: &Envelope) -> Result<Self, Error> {
        Ok(Self {
            envelope_sha256: Digest::of(&envelope.to_json()?),
            payload_sha256: Digest::of(&envelope.payload),
            signature: envelope.signature.clone(),
        })
    }

    /// The canonical JSON that is logged, which is the leaf of the Merkle tree.
    ///
    /// # Errors
    /// [`Error::Encode`], which does not happen.
    pub fn body(&self, key: &PublicKey) -> Result<Vec<u8>, Error> {
        let hash = |digest: &Digest| HashValue { algorithm: "sha256", value: digest.hex() };
        canonical(&Body {
            api_version: KIND_VERSION,
            kind: KIND,
            spec: Spec {
                envelope_hash: hash(&self.envelope_sha256),
                payload_hash: hash(&self.payload_sha256),
                signatures: vec![BodySignature {
                    signature: STANDARD.encode(&self.signature),
                    verifier: STANDARD.encode(key.pem()),
                }],
            },
        })
    }
}

/// The canonical JSON that is logged for an envelope, which is the leaf of the Merkle tree.
///
/// # Errors
/// [`Error::Encode`], which does not happen.
pub fn body(envelope: &Envelope, key: &PublicKey) -> Result<Vec<u8>, Error> {
    LoggedEnvelope::of(envelope)?.body(key)
}

/// The body of a log's first leaf, which belongs to no envelope: Sigstore's Go verifier takes log
/// index 0 for a missing value, so the first attestation must have index 1.
///
/// # Errors
/// [`Error::Encode`], which does not happen.
pub fn genesis_body(origin: &str) -> Result<Vec<u8>, Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Genesis<'a> {
        api_version: &'static str,
        kind: &'static str,
        spec: Origin<'a>,
    }
    #[derive(Serialize)]
    struct Origin<'a> {
        origin: &'a str,
    }
    let spec = Origin { origin };
    canonical(&Genesis { api_version: KIND_VERSION, kind: "wavetank-genesis", spec })
}

/// An entry of the log with all that a verifier needs to check it offline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its index in the log; 1 or more, see [`genesis_body`].
    pub index: u64,
    /// Simulated seconds since the Unix epoch at which it was logged.
    pub integrated_seconds: i64,
    /// The logged body, from [`body`].
    pub body: Vec<u8>,
    /// SHA-256 of the SPKI DER of the log's key.
    pub log_id: Digest,
    /// The log's signature over body, time and index ("SET").
    pub promise: Vec<u8>,
    /// The proof that it is in the tree.
    pub proof: InclusionProof,
}

/// The proof that an entry is in a log that a checkpoint describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    /// The tree's size.
    pub tree_size: u64,
    /// The tree's root.
    pub root: Hash,
    /// The path from the leaf to the root.
    pub hashes: Vec<Hash>,
    /// The checkpoint of that size and root, signed with the log's ECDSA key.
    pub checkpoint: String,
}

/// The log's signature that promises to include a body: over canonical JSON, as Rekor v1 does.
///
/// # Errors
/// [`Error::Encode`], which does not happen.
pub fn promise(
    key: &SignerKey,
    body: &[u8],
    index: u64,
    integrated_seconds: i64,
) -> Result<Vec<u8>, Error> {
    Ok(key.sign(&promised(key.public().id(), body, index, integrated_seconds)?))
}

impl LogEntry {
    /// Checks all of the entry offline: it is about this envelope and signer, the log promised
    /// it, and it is in the tree of a checkpoint that the log signed.
    ///
    /// # Errors
    /// [`Error::Rejected`] naming the first check that fails; [`Error::Malformed`] or
    /// [`Error::Decode`] for a body or checkpoint that cannot be read.
    pub fn verify(
        &self,
        log: &LogIdentity<'_>,
        envelope: &Envelope,
        signer: &PublicKey,
    ) -> Result<(), Error> {
        let rejected =
            |reason: &str| Error::Rejected { document: DOCUMENT, reason: reason.to_owned() };
        if self.log_id != log.key.id() {
            return Err(rejected("it is of another log"));
        }
        // In protobuf zero is absence: Sigstore's verifiers find neither index nor time then.
        if self.index == 0 {
            return Err(rejected("it has no index"));
        }
        if self.integrated_seconds <= 0 {
            return Err(rejected("it has no integrated time"));
        }
        self.check_body(envelope, signer)?;
        let promised = promised(self.log_id, &self.body, self.index, self.integrated_seconds)?;
        if !log.key.verifies(&promised, &self.promise) {
            return Err(rejected("the log did not sign this promise"));
        }
        let proof = &self.proof;
        let checkpoint = Checkpoint::verify_ecdsa(&proof.checkpoint, log.key, log.origin)?;
        if (checkpoint.size, checkpoint.root) != (proof.tree_size, proof.root) {
            return Err(rejected("the checkpoint is of another tree than the proof"));
        }
        let leaf = merkle::leaf_hash(&self.body);
        let hashes = &proof.hashes;
        if !merkle::verify_inclusion(&leaf, self.index, proof.tree_size, hashes, &proof.root) {
            return Err(rejected("the inclusion proof does not lead to the root"));
        }
        Ok(())
    }

    fn check_body(&self, envelope: &Envelope, signer: &PublicKey) -> Result<(), Error> {
        let rejected =
            |reason: &str| Error::Rejected { document: DOCUMENT, reason: reason.to_owned() };
        let body: Body<'_> = serde_json::from_slice(&self.body)
            .map_err(|source| Error::Decode { document: DOCUMENT, source })?;
        if (body.kind, body.api_version) != (KIND, KIND_VERSION) {
            return Err(rejected("it is of another kind"));
        }
        let payload = &body.spec.payload_hash;
        if payload.algorithm != "sha256" || payload.value != Digest::of(&envelope.payload).hex() {
            return Err(rejected("it is about another payload"));
        }
        let [signature] = body.spec.signatures.as_slice() else {
            return Err(rejected("expected exactly one signature"));
        };
        if signature.signature != STANDARD.encode(&envelope.signature) {
            return Err(rejected("it is about another signature"));
        }
        if signature.verifier != STANDARD.encode(signer.pem()) {
            return Err(rejected("it is about another signer"));
        }
        Ok(())
    }
}

/// How a verifier knows a log: its key, and the origin of its checkpoints.
#[derive(Clone, Copy, Debug)]
pub struct LogIdentity<'a> {
    /// The log's ECDSA key.
    pub key: &'a PublicKey,
    /// The origin in the ECDSA-signed checkpoints: `name - treeID`.
    pub origin: &'a str,
}

/// The origin of Rekor-style checkpoints: the log's name and the decimal tree id, which is made of
/// the first 8 bytes of the log's id (positive, as in Rekor).
pub fn origin(name: &str, log_id: Digest) -> String {
    let [a, b, c, d, e, f, g, h, ..] = *log_id.as_bytes();
    let tree_id = u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1;
    format!("{name} - {tree_id}")
}

fn promised(log_id: Digest, body: &[u8], index: u64, seconds: i64) -> Result<Vec<u8>, Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Promised {
        body: String,
        integrated_time: i64,
        #[serde(rename = "logID")]
        log_id: String,
        log_index: u64,
    }
    canonical(&Promised {
        body: STANDARD.encode(body),
        integrated_time: seconds,
        log_id: log_id.hex(),
        log_index: index,
    })
}

fn canonical<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    crate::canonical::to_vec(DOCUMENT, value)
}
