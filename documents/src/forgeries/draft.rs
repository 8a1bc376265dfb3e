//! The files of a case while it is made, and what is done to them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::canonical;
use crate::error::Error;
use crate::timestamp::Timestamp;

/// Files of a case: the bundle.
pub const BUNDLE: &str = "bundle.sigstore.json";
/// The public key that must have signed.
pub const KEY: &str = "key.pub";
/// The logs that are trusted.
pub const TRUSTED_ROOT: &str = "trusted_root.json";
/// What the bundle must be about: the manifest of an image.
pub const ARTIFACT: &str = "artifact";
const DOCUMENT: &str = "origin of a forgery";
/// In `Case::changes`: the predicate type that is asked for.
pub(super) const EXPECTED: &str = "expected";
/// Pointers into a bundle: the signature,
pub(super) const SIGNATURE: &str = "/dsseEnvelope/signatures/0/sig";
/// all signatures,
pub(super) const SIGNATURES: &str = "/dsseEnvelope/signatures";
/// the statement,
pub(super) const PAYLOAD: &str = "/dsseEnvelope/payload";
/// the log entry,
pub(super) const ENTRY: &str = "/verificationMaterial/tlogEntries/0";
/// its index,
pub(super) const INDEX: &str = "/verificationMaterial/tlogEntries/0/logIndex";
/// its time,
pub(super) const TIME: &str = "/verificationMaterial/tlogEntries/0/integratedTime";
/// its body,
pub(super) const BODY: &str = "/verificationMaterial/tlogEntries/0/canonicalizedBody";
/// the log's promise,
pub(super) const PROMISE: &str =
    "/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp";
/// the proof,
pub(super) const PROOF: &str = "/verificationMaterial/tlogEntries/0/inclusionProof";
/// the index in it,
pub(super) const PROOF_INDEX: &str = "/verificationMaterial/tlogEntries/0/inclusionProof/logIndex";
/// its path,
pub(super) const HASHES: &str = "/verificationMaterial/tlogEntries/0/inclusionProof/hashes";
/// its root,
pub(super) const ROOT_HASH: &str = "/verificationMaterial/tlogEntries/0/inclusionProof/rootHash";
/// its size,
pub(super) const TREE_SIZE: &str = "/verificationMaterial/tlogEntries/0/inclusionProof/treeSize";
/// its checkpoint.
pub(super) const CHECKPOINT: &str =
    "/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope";

/// A case that is being made.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) bundle: Vec<u8>,
    pub(super) key: String,
    pub(super) root: Vec<u8>,
    pub(super) artifact: Vec<u8>,
}

impl Draft {
    pub(super) fn files(self) -> BTreeMap<&'static str, Vec<u8>> {
        BTreeMap::from([
            (BUNDLE, self.bundle),
            (KEY, self.key.into_bytes()),
            (TRUSTED_ROOT, self.root),
            (ARTIFACT, self.artifact),
        ])
    }

    /// The bundle's JSON.
    pub(super) fn read(&self) -> Result<Value, Error> {
        read(&self.bundle)
    }

    /// Changes the bundle's JSON; `edit` gives nothing if the bundle is not as it must be.
    pub(super) fn bundle(
        &mut self,
        edit: impl FnOnce(&mut Value) -> Option<()>,
    ) -> Result<(), Error> {
        self.bundle = edited(&self.bundle, edit)?;
        Ok(())
    }

    /// Changes the trusted root's JSON in the same way.
    pub(super) fn root(
        &mut self,
        edit: impl FnOnce(&mut Value) -> Option<()>,
    ) -> Result<(), Error> {
        self.root = edited(&self.root, edit)?;
        Ok(())
    }

    /// Puts a value into the bundle, in the place of the one that is there.
    pub(super) fn put(&mut self, pointer: &str, value: impl Into<Value>) -> Result<(), Error> {
        self.bundle(|bundle| {
            *bundle.pointer_mut(pointer)? = value.into();
            Some(())
        })
    }

    /// Changes a text in the bundle.
    pub(super) fn text(
        &mut self,
        pointer: &str,
        edit: impl FnOnce(&str) -> Option<String>,
    ) -> Result<(), Error> {
        self.bundle(|bundle| {
            let value = bundle.pointer_mut(pointer)?;
            *value = edit(value.as_str()?)?.into();
            Some(())
        })
    }

    /// Takes a member out of the bundle.
    pub(super) fn remove(&mut self, holder: &str, member: &str) -> Result<(), Error> {
        self.bundle(|bundle| {
            bundle.pointer_mut(holder)?.as_object_mut()?.remove(member).map(|_| ())
        })
    }

    /// Takes over a part of another bundle.
    pub(super) fn splice(&mut self, pointer: &str, from: &Value) -> Result<(), Error> {
        let part = from.pointer(pointer).cloned().ok_or_else(unusable)?;
        self.put(pointer, part)
    }

    /// The second at which the entry was logged.
    pub(super) fn seconds(&self) -> Result<i64, Error> {
        let bundle = self.read()?;
        let seconds = bundle.pointer(TIME).and_then(Value::as_str);
        seconds.and_then(|text| text.parse().ok()).ok_or_else(unusable)
    }

    /// The instant so many seconds after that at which the entry was logged, as text.
    pub(super) fn instant(&self, after_seconds: i64) -> Result<String, Error> {
        Ok(Timestamp::from_ms((self.seconds()? + after_seconds) * 1000)?.to_string())
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(bytes).map_err(|source| Error::Decode { document: DOCUMENT, source })
}

pub(super) fn edited(
    bytes: &[u8],
    edit: impl FnOnce(&mut Value) -> Option<()>,
) -> Result<Vec<u8>, Error> {
    let mut value = read(bytes)?;
    edit(&mut value).ok_or_else(unusable)?;
    // Canonical, so that the order of members hangs on nothing.
    canonical::to_vec(DOCUMENT, &value)
}

/// The origin of a case is not as worlds make it.
pub(super) fn unusable() -> Error {
    let reason = "it lacks what the forgery changes".to_owned();
    Error::Malformed { document: DOCUMENT, reason }
}

/// One bit of the base64 is another, a quarter into the bytes (of a signature: in its first number).
pub(super) fn flip(text: &str) -> Option<String> {
    let mut bytes = STANDARD.decode(text).ok()?;
    let place = bytes.len() / 4;
    *bytes.get_mut(place)? ^= 1;
    Some(STANDARD.encode(bytes))
}

/// The number after this one.
pub(super) fn next(text: &str) -> Option<String> {
    Some((text.parse::<u64>().ok()? + 1).to_string())
}

/// The last hexadecimal digit of a text is another.
pub(super) fn other_digit(text: &str) -> Option<String> {
    let (at, digit) = text.char_indices().rev().find(|(_, letter)| letter.is_ascii_hexdigit())?;
    let other = if digit == '0' { '1' } else { '0' };
    Some(format!("{}{other}{}", &text[..at], &text[at + 1..]))
}
