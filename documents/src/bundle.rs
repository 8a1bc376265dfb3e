//! Sigstore bundles v0.3: a signed statement together with its place in the transparency log.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::dsse::{Envelope, WireEnvelope};
use crate::error::{Error, shorten, to_json};
use crate::keys::PublicKey;
use crate::merkle::Hash;
use crate::proto_json::{self, Number};
use crate::rekor::{InclusionProof, KIND, KIND_VERSION, LogEntry, LogIdentity};
use crate::statement::{self, ParsedStatement, PredicateType};

/// Media type of a bundle.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// The other media types that are read: 0.3 as it was written first, and 0.2, which differs in what
/// a bundle with certificates holds.
const OTHER_MEDIA_TYPES: [&str; 2] = [
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
];
const DOCUMENT: &str = "Sigstore bundle";
/// The largest bundle that is read, bytes.
pub const MAX_BUNDLE_BYTES: usize = 128 << 20;

/// A bundle with its parts decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Hint which key signed; not to be trusted.
    pub key_hint: String,
    /// The signed statement.
    pub envelope: Envelope,
    /// Its place in the log, once it is logged.
    pub log_entry: Option<LogEntry>,
}

/// What a verifier demands of a bundle.
#[derive(Clone, Copy, Debug)]
pub struct Expectation<'a> {
    /// The key that must have signed.
    pub signer: &'a PublicKey,
    /// The log that must hold it; nothing to accept a bundle without its log entry.
    pub log: Option<LogIdentity<'a>>,
    /// The digest that it must be about.
    pub subject: Digest,
    /// What it must say.
    pub predicate_type: PredicateType,
}

impl Bundle {
    /// The bundle as compact JSON (protobuf's JSON form: 64-bit numbers are strings).
    ///
    /// # Errors
    /// [`Error::Encode`], which does not happen.
    pub fn to_json(&self) -> Result<Vec<u8>, Error> {
        let wire = Wire {
            media_type: MEDIA_TYPE.to_owned(),
            verification_material: Material {
                public_key: Some(KeyHint { hint: self.key_hint.clone() }),
                tlog_entries: self.log_entry.iter().map(WireEntry::of).collect(),
                timestamps: None,
            },
            dsse_envelope: self.envelope.wire(),
        };
        to_json(DOCUMENT, self.envelope.payload.len() * 4 / 3 + 4096, &wire)
    }

    /// Reads a bundle; this alone trusts nothing in it.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Decode`] for broken JSON, [`Error::Malformed`] for another
    /// media type, certificates instead of a key, or more than one log entry.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            let (found, limit) = (bytes.len() as u64, MAX_BUNDLE_BYTES as u64);
            return Err(Error::TooLarge { what: "bytes of a bundle", found, limit });
        }
        let wire: Wire<'_> = serde_json::from_slice(bytes)
            .map_err(|source| Error::Decode { document: DOCUMENT, source })?;
        let media_type = wire.media_type.as_str();
        if media_type != MEDIA_TYPE && !OTHER_MEDIA_TYPES.contains(&media_type) {
            return Err(malformed(&format!("media type {:?}", shorten(media_type))));
        }
        let hint = wire.verification_material.public_key.ok_or_else(|| malformed("no key hint"))?;
        let mut entries = wire.verification_material.tlog_entries;
        if entries.len() > 1 {
            return Err(malformed("more than one log entry"));
        }
        Ok(Self {
            key_hint: hint.hint,
            envelope: wire.dsse_envelope.decode()?,
            log_entry: entries.pop().map(WireEntry::decode).transpose()?,
        })
    }

    /// The statement, if everything holds: signature, log entry, subject and predicate type.
    ///
    /// # Errors
    /// [`Error::Rejected`] naming the check that failed, and the errors of reading the statement.
    pub fn verify(&self, expected: &Expectation<'_>) -> Result<ParsedStatement<'_>, Error> {
        let rejected = |reason: String| Error::Rejected { document: DOCUMENT, reason };
        let payload = self.envelope.verify(expected.signer)?;
        if let Some(log) = &expected.log {
            let entry = self.log_entry.as_ref();
            let entry = entry.ok_or_else(|| rejected("it has no log entry".to_owned()))?;
            entry.verify(log, &self.envelope, expected.signer)?;
        }
        let statement = statement::parse(payload)?;
        if !statement.is_about(&expected.subject) {
            let (found, wanted) = (statement.subject(), expected.subject);
            return Err(rejected(format!("its subject is {found}, expected {wanted}")));
        }
        let wanted = expected.predicate_type.uri();
        if statement.predicate_type != wanted {
            let found = shorten(&statement.predicate_type);
            return Err(rejected(format!("its predicate type is {found}, expected {wanted}")));
        }
        Ok(statement)
    }
}

// Unknown members are refused everywhere below, as Sigstore's protobuf parsers do: a bundle that we
// accept must not be one that they take for broken. As they do, both names of a member are read: that
// of JSON, and that of the field (ProtoJSON).

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire<'a> {
    #[serde(alias = "media_type")]
    media_type: String,
    #[serde(alias = "verification_material")]
    verification_material: Material,
    #[serde(borrow, alias = "dsse_envelope")]
    dsse_envelope: WireEnvelope<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Material {
    #[serde(skip_serializing_if = "Option::is_none", alias = "public_key")]
    public_key: Option<KeyHint>,
    #[serde(default, alias = "tlog_entries")]
    tlog_entries: Vec<WireEntry>,
    /// No authority of these worlds gives timestamps: what would hold them may be there, empty.
    #[serde(
        rename = "timestampVerificationData",
        alias = "timestamp_verification_data",
        skip_serializing_if = "Option::is_none"
    )]
    timestamps: Option<Timestamps>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Timestamps {
    #[serde(default, alias = "rfc3161_timestamps")]
    rfc3161_timestamps: [(); 0],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyHint {
    hint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireEntry {
    #[serde(alias = "log_index")]
    log_index: Number,
    #[serde(alias = "log_id")]
    log_id: KeyId,
    #[serde(alias = "kind_version")]
    kind_version: KindVersion,
    #[serde(alias = "integrated_time")]
    integrated_time: Number,
    #[serde(alias = "inclusion_promise")]
    inclusion_promise: Promise,
    #[serde(alias = "inclusion_proof")]
    inclusion_proof: WireProof,
    #[serde(alias = "canonicalized_body")]
    canonicalized_body: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KeyId {
    #[serde(alias = "key_id")]
    key_id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KindVersion {
    kind: String,
    version: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Promise {
    #[serde(alias = "signed_entry_timestamp")]
    signed_entry_timestamp: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireProof {
    #[serde(alias = "log_index")]
    log_index: Number,
    #[serde(alias = "root_hash")]
    root_hash: String,
    #[serde(alias = "tree_size")]
    tree_size: Number,
    hashes: Vec<String>,
    checkpoint: WireCheckpoint,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCheckpoint {
    envelope: String,
}

impl WireEntry {
    fn of(entry: &LogEntry) -> Self {
        let proof = &entry.proof;
        Self {
            log_index: Number(entry.index.to_string()),
            log_id: KeyId { key_id: STANDARD.encode(entry.log_id.as_bytes()) },
            kind_version: KindVersion { kind: KIND.to_owned(), version: KIND_VERSION.to_owned() },
            integrated_time: Number(entry.integrated_seconds.to_string()),
            inclusion_promise: Promise { signed_entry_timestamp: STANDARD.encode(&entry.promise) },
            inclusion_proof: WireProof {
                log_index: Number(entry.index.to_string()),
                root_hash: STANDARD.encode(proof.root),
                tree_size: Number(proof.tree_size.to_string()),
                hashes: proof.hashes.iter().map(|hash| STANDARD.encode(hash)).collect(),
                checkpoint: WireCheckpoint { envelope: proof.checkpoint.clone() },
            },
            canonicalized_body: STANDARD.encode(&entry.body),
        }
    }

    fn decode(self) -> Result<LogEntry, Error> {
        let proof = self.inclusion_proof;
        if self.log_index != proof.log_index {
            return Err(malformed("entry and proof have different indexes"));
        }
        if (self.kind_version.kind.as_str(), self.kind_version.version.as_str())
            != (KIND, KIND_VERSION)
        {
            return Err(malformed("the log entry is of another kind"));
        }
        let hashes: Result<Vec<Hash>, Error> = proof.hashes.iter().map(|text| hash(text)).collect();
        Ok(LogEntry {
            index: number(&self.log_index)?,
            integrated_seconds: number(&self.integrated_time)?,
            body: decode(&self.canonicalized_body)?,
            log_id: Digest::from_bytes(hash(&self.log_id.key_id)?),
            promise: decode(&self.inclusion_promise.signed_entry_timestamp)?,
            proof: InclusionProof {
                tree_size: number(&proof.tree_size)?,
                root: hash(&proof.root_hash)?,
                hashes: hashes?,
                checkpoint: proof.checkpoint.envelope,
            },
        })
    }
}

fn number<T: std::str::FromStr>(number: &Number) -> Result<T, Error> {
    let text = &number.0;
    text.parse().map_err(|_| malformed(&format!("{:?} is not a number", shorten(text))))
}

fn decode(text: &str) -> Result<Vec<u8>, Error> {
    proto_json::bytes(text).ok_or_else(|| malformed("not base64"))
}

fn hash(text: &str) -> Result<Hash, Error> {
    decode(text)?.try_into().map_err(|_| malformed("a hash is not 32 bytes"))
}

fn malformed(reason: &str) -> Error {
    Error::Malformed { document: DOCUMENT, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
