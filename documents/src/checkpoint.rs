//! Signed checkpoints: a log's size and root as a C2SP signed note.
//!
//! The tiles log signs with Ed25519, as the C2SP formats ask. Inside Rekor-style entries the same
//! note stands with the log's ECDSA signature, as Sigstore's verifiers ask.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, shorten};
use crate::keys::{CheckpointKey, PublicKey, SignerKey, ed25519_verifies};
use crate::merkle::Hash;

const DOCUMENT: &str = "checkpoint";
/// The longest note that is read, bytes.
const MAX_NOTE_BYTES: usize = 16 << 10;
/// The most signature lines that are read.
const MAX_SIGNATURES: usize = 16;
/// The C2SP signature type of Ed25519.
const ED25519_TYPE: u8 = 1;

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's identity; in Rekor-style notes `name - treeID`.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Root hash.
    pub root: Hash,
}

/// An Ed25519 key as verifiers are told it: `name+hexid+base64(01 || key)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    public: [u8; 32],
}

impl Checkpoint {
    /// The signed text: origin, size and root, each on a line.
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// The note signed by a log's Ed25519 key under that name.
    pub fn sign_ed25519(&self, name: &str, key: &CheckpointKey) -> String {
        let body = self.body();
        let id = ed25519_key_id(name, &key.public());
        note(&body, name, id, &key.sign(body.as_bytes()))
    }

    /// The note as Rekor signs it: ECDSA, the key's id the first 4 bytes of SHA-256 of the SPKI.
    pub fn sign_ecdsa(&self, name: &str, key: &SignerKey) -> String {
        self.sign_ecdsa_with(name, key, "")
    }

    /// The same with extensions after the root: lines, none of them empty.
    pub(crate) fn sign_ecdsa_with(&self, name: &str, key: &SignerKey, lines: &str) -> String {
        let body = format!("{}{lines}", self.body());
        note(&body, name, ecdsa_key_id(key.public()), &key.sign(body.as_bytes()))
    }

    /// Reads a note and accepts it only if the key's signature is on it.
    ///
    /// # Errors
    /// [`Error::Malformed`] for text that is no checkpoint, [`Error::Rejected`] if the key did not
    /// sign it or if it is of another origin than expected.
    pub fn verify_ed25519(text: &str, key: &VerifierKey, origin: &str) -> Result<Self, Error> {
        let id = ed25519_key_id(&key.name, &key.public);
        Self::verify(text, origin, |name, signature| {
            let Some((found_id, signature)) = signature.split_first_chunk::<4>() else {
                return false;
            };
            name == key.name
                && *found_id == id
                && signature.try_into().is_ok_and(|signature| {
                    ed25519_verifies(&key.public, body_of(text).as_bytes(), signature)
                })
        })
    }

    /// Reads a Rekor-style note and accepts it only if the key's signature is on it.
    ///
    /// # Errors
    /// As [`Self::verify_ed25519`].
    pub fn verify_ecdsa(text: &str, key: &PublicKey, origin: &str) -> Result<Self, Error> {
        let id = ecdsa_key_id(key);
        Self::verify(text, origin, |_, signature| {
            signature.split_first_chunk::<4>().is_some_and(|(found_id, signature)| {
                *found_id == id && key.verifies(body_of(text).as_bytes(), signature)
            })
        })
    }

    fn verify(
        text: &str,
        origin: &str,
        signed: impl Fn(&str, &[u8]) -> bool,
    ) -> Result<Self, Error> {
        let (checkpoint, signatures) = parse(text)?;
        let rejected = |reason: String| Error::Rejected { document: DOCUMENT, reason };
        if checkpoint.origin != origin {
            let found = shorten(&checkpoint.origin);
            return Err(rejected(format!("it is of the log {found:?}, expected {origin:?}")));
        }
        if !signatures.iter().any(|(name, signature)| signed(name, signature)) {
            return Err(rejected("it has no valid signature by the log's key".to_owned()));
        }
        Ok(checkpoint)
    }
}

impl VerifierKey {
    /// The verifier's key of a log's key under that name.
    ///
    /// # Errors
    /// [`Error::Key`] for a name that is empty or holds a space or `+`.
    pub fn new(name: &str, public: [u8; 32]) -> Result<Self, Error> {
        if name.is_empty() || name.contains(|letter: char| letter.is_whitespace() || letter == '+')
        {
            let reason = "a log's name must not be empty or hold a space or +".to_owned();
            return Err(Error::Key { key: "verifier key", reason });
        }
        Ok(Self { name: name.to_owned(), public })
    }

    /// The name under which the log signs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads `name+hexid+base64(01 || key)`.
    ///
    /// # Errors
    /// [`Error::Key`] for anything else, or if the id does not belong to name and key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refused = || Error::Key {
            key: "verifier key",
            reason: "expected name+hexid+base64 of an Ed25519 key".to_owned(),
        };
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(refused());
        };
        let bytes = STANDARD.decode(key).map_err(|_| refused())?;
        let Some((&ED25519_TYPE, public)) = bytes.split_first() else {
            return Err(refused());
        };
        let public: [u8; 32] = public.try_into().map_err(|_| refused())?;
        if id != hex::encode(ed25519_key_id(name, &public)) {
            return Err(refused());
        }
        Self::new(name, public)
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = hex::encode(ed25519_key_id(&self.name, &self.public));
        let mut typed = vec![ED25519_TYPE];
        typed.extend_from_slice(&self.public);
        write!(formatter, "{}+{id}+{}", self.name, STANDARD.encode(typed))
    }
}

fn ed25519_key_id(name: &str, public: &[u8; 32]) -> [u8; 4] {
    let hash: Hash = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', ED25519_TYPE])
        .chain_update(public)
        .finalize()
        .into();
    [hash[0], hash[1], hash[2], hash[3]]
}

fn ecdsa_key_id(key: &PublicKey) -> [u8; 4] {
    let [a, b, c, d, ..] = *key.id().as_bytes();
    [a, b, c, d]
}

fn note(body: &str, name: &str, key_id: [u8; 4], signature: &[u8]) -> String {
    let mut signed = key_id.to_vec();
    signed.extend_from_slice(signature);
    format!("{body}\n\u{2014} {name} {}\n", STANDARD.encode(signed))
}

/// The signed part of a note: all before the empty line.
fn body_of(text: &str) -> &str {
    text.split_once("\n\n").map_or("", |(body, _)| &text[..=body.len()])
}

/// A signature line: the signer's name, and the key's id with the signature.
type SignatureLine<'a> = (&'a str, Vec<u8>);

/// The parts of a note: what it says, and its signatures.
fn parse(text: &str) -> Result<(Checkpoint, Vec<SignatureLine<'_>>), Error> {
    let malformed =
        |reason: &str| Error::Malformed { document: DOCUMENT, reason: reason.to_owned() };
    if text.len() > MAX_NOTE_BYTES {
        let (found, limit) = (text.len() as u64, MAX_NOTE_BYTES as u64);
        return Err(Error::TooLarge { what: "bytes of a checkpoint", found, limit });
    }
    let (body, signatures) =
        text.split_once("\n\n").ok_or_else(|| malformed("no empty line before the signatures"))?;
    let mut lines = body.split('\n');
    // Lines after these are extensions (C2SP tlog-checkpoint); Rekor has written some.
    let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
        return Err(malformed("expected origin, size and root, each on a line"));
    };
    let number = size.parse().ok().filter(|number: &u64| number.to_string() == size);
    let number = number.ok_or_else(|| malformed("the size is not a plain number"))?;
    let root = STANDARD.decode(root).ok().and_then(|bytes| bytes.try_into().ok());
    let root = root.ok_or_else(|| malformed("the root is not 32 bytes in base64"))?;
    let signatures =
        signatures.strip_suffix('\n').ok_or_else(|| malformed("no newline at the end"))?;
    let mut found = Vec::new();
    for line in signatures.split('\n') {
        let (name, signature) = line
            .strip_prefix("\u{2014} ")
            .and_then(|rest| rest.rsplit_once(' '))
            .ok_or_else(|| malformed("a signature line is not \u{2014} name base64"))?;
        let signature =
            STANDARD.decode(signature).map_err(|_| malformed("a signature is not base64"))?;
        found.push((name, signature));
        if found.len() > MAX_SIGNATURES {
            return Err(malformed("too many signatures"));
        }
    }
    Ok((Checkpoint { origin: origin.to_owned(), size: number, root }, found))
}

#[cfg(test)]
mod tests;
