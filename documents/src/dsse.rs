//! DSSE envelopes: a payload with its type and exactly one signature over both.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::error::{Error, to_json};
use crate::keys::{PublicKey, SignerKey};
use crate::proto_json;
use crate::statement::PAYLOAD_TYPE;

const DOCUMENT: &str = "DSSE envelope";

/// An envelope with its parts decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Media type of the payload.
    pub payload_type: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// ASN.1 DER signature over SHA-256 of [`pae`].
    pub signature: Vec<u8>,
}

/// The envelope as it stands in JSON, alone or in a bundle.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WireEnvelope<'a> {
    #[serde(borrow)]
    payload: Cow<'a, str>,
    #[serde(borrow, alias = "payload_type")]
    payload_type: Cow<'a, str>,
    signatures: Vec<WireSignature>,
}

/// The `keyid` stays empty, as cosign leaves it: it is not signed, and verifiers in Go skip a
/// signature whose `keyid` is not in their own form. The bundle's hint names the key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature {
    sig: String,
    #[serde(default)]
    keyid: String,
}

/// The pre-authentication encoding, which is what gets signed.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

impl Envelope {
    /// Signs an in-toto statement.
    pub fn sign(key: &SignerKey, statement: Vec<u8>) -> Self {
        let signature = key.sign(&pae(PAYLOAD_TYPE, &statement));
        Self { payload_type: PAYLOAD_TYPE.to_owned(), payload: statement, signature }
    }

    /// The envelope as compact JSON.
    ///
    /// # Errors
    /// [`Error::Encode`], which does not happen.
    pub fn to_json(&self) -> Result<Vec<u8>, Error> {
        to_json(DOCUMENT, self.payload.len() * 4 / 3 + 512, &self.wire())
    }

    /// Reads an envelope; this alone trusts nothing in it.
    ///
    /// # Errors
    /// [`Error::Decode`] for broken JSON, [`Error::Malformed`] for bad base64 or another number of
    /// signatures than one.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let wire: WireEnvelope<'_> = serde_json::from_slice(bytes)
            .map_err(|source| Error::Decode { document: DOCUMENT, source })?;
        wire.decode()
    }

    /// The payload, if the key signed it as an in-toto statement.
    ///
    /// # Errors
    /// [`Error::Rejected`] otherwise.
    pub fn verify(&self, key: &PublicKey) -> Result<&[u8], Error> {
        let rejected =
            |reason: &str| Error::Rejected { document: DOCUMENT, reason: reason.to_owned() };
        if self.payload_type != PAYLOAD_TYPE {
            return Err(rejected("the payload is not an in-toto statement"));
        }
        if !key.verifies(&pae(&self.payload_type, &self.payload), &self.signature) {
            return Err(rejected("the signature is not by this key over this payload"));
        }
        Ok(&self.payload)
    }

    pub(crate) fn wire(&self) -> WireEnvelope<'_> {
        WireEnvelope {
            payload: STANDARD.encode(&self.payload).into(),
            payload_type: self.payload_type.as_str().into(),
            signatures: vec![WireSignature {
                sig: STANDARD.encode(&self.signature),
                keyid: String::new(),
            }],
        }
    }
}

impl WireEnvelope<'_> {
    pub(crate) fn decode(self) -> Result<Envelope, Error> {
        let malformed =
            |reason: &str| Error::Malformed { document: DOCUMENT, reason: reason.to_owned() };
        let decode = |text: &str| proto_json::bytes(text).ok_or_else(|| malformed("not base64"));
        let [signature] = self.signatures.as_slice() else {
            return Err(malformed("expected exactly one signature"));
        };
        Ok(Envelope {
            payload: decode(&self.payload)?,
            payload_type: self.payload_type.into_owned(),
            signature: decode(&signature.sig)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::statement::image_signature;

    fn signed() -> (SignerKey, Envelope) {
        let key = SignerKey::from_seed(b"7", "signer").unwrap();
        let statement = image_signature("img", Digest::of(b"x")).unwrap();
        let envelope = Envelope::sign(&key, statement);
        (key, envelope)
    }

    #[test]
    fn pae_as_in_the_specification() {
        let expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
        assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), expected);
    }

    #[test]
    fn round_trip_and_determinism() {
        let (key, envelope) = signed();
        let bytes = envelope.to_json().unwrap();
        assert_eq!(bytes, signed().1.to_json().unwrap());
        let read = Envelope::parse(&bytes).unwrap();
        assert_eq!(read, envelope);
        assert_eq!(read.verify(key.public()).unwrap(), envelope.payload);
    }

    #[test]
    fn every_change_is_rejected() {
        let (key, envelope) = signed();
        let other = SignerKey::from_seed(b"8", "signer").unwrap();
        assert!(matches!(envelope.verify(other.public()), Err(Error::Rejected { .. })));
        let mut changed = envelope.clone();
        changed.payload[10] ^= 1;
        assert!(changed.verify(key.public()).is_err());
        let mut changed = envelope.clone();
        changed.signature[20] ^= 1;
        assert!(changed.verify(key.public()).is_err());
        let mut changed = envelope;
        changed.payload_type = "text/plain".into();
        assert!(changed.verify(key.public()).is_err());
    }

    #[test]
    fn malformed_envelopes() {
        let text = String::from_utf8(signed().1.to_json().unwrap()).unwrap();
        for bad in [
            text.replace("\"signatures\":[", "\"signatures\":[{\"sig\":\"\"},"),
            text.replace("\"payload\":\"", "\"payload\":\"!"),
            text.replace("\"payload\"", "\"body\""),
            "{}".to_owned(),
        ] {
            assert!(Envelope::parse(bad.as_bytes()).is_err());
        }
    }
}
