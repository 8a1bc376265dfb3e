//! The trusted root of a world: with it, Sigstore's own tools verify its log entries offline.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::error::{Error, to_json};
use crate::keys::PublicKey;
use crate::timestamp::Timestamp;

/// Media type of the document.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";

/// The hash of its logs' trees.
pub const HASH_ALGORITHM: &str = "SHA2_256";
/// What its logs' keys are: ECDSA on P-256, over SHA-256.
pub const KEY_DETAILS: &str = "PKIX_ECDSA_P256_SHA_256";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TrustedRoot<'a> {
    media_type: &'static str,
    tlogs: [Log<'a>; 1],
    certificate_authorities: [(); 0],
    ctlogs: [(); 0],
    timestamp_authorities: [(); 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log<'a> {
    base_url: &'a str,
    hash_algorithm: &'static str,
    public_key: Key,
    log_id: KeyId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    raw_bytes: String,
    key_details: &'static str,
    valid_for: Validity,
}

#[derive(Serialize)]
struct Validity {
    start: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyId {
    key_id: String,
}

/// The trusted root that names one log: its address, its ECDSA key and the simulated instant from
/// which the key is valid. Entries are stamped in whole seconds, so validity begins with the second
/// that `start` falls into: otherwise what is logged at `start` would be older than its key.
///
/// # Errors
/// [`Error::Encode`], which does not happen.
pub fn document(base_url: &str, log: &PublicKey, start: Timestamp) -> Result<Vec<u8>, Error> {
    let root = TrustedRoot {
        media_type: MEDIA_TYPE,
        tlogs: [Log {
            base_url,
            hash_algorithm: HASH_ALGORITHM,
            public_key: Key {
                raw_bytes: STANDARD.encode(log.der()),
                key_details: KEY_DETAILS,
                valid_for: Validity { start: start.whole_second() },
            },
            log_id: KeyId { key_id: STANDARD.encode(log.id().as_bytes()) },
        }],
        certificate_authorities: [],
        ctlogs: [],
        timestamp_authorities: [],
    };
    to_json("trusted root", 1024, &root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::SignerKey;

    #[test]
    fn the_log_is_named_with_its_key() {
        let key = SignerKey::from_seed(b"7", "log").unwrap();
        let bytes = document("https://log.wavetank.example", key.public(), Timestamp::EPOCH);
        let value: serde_json::Value = serde_json::from_slice(&bytes.unwrap()).unwrap();
        let log = &value["tlogs"][0];
        assert_eq!(log["logId"]["keyId"], STANDARD.encode(key.public().id().as_bytes()));
        assert_eq!(log["publicKey"]["validFor"]["start"], "1970-01-01T00:00:00Z");
        assert_eq!(value["ctlogs"], serde_json::json!([]));
    }

    #[test]
    fn the_key_is_valid_from_the_second_of_the_first_entry() {
        let key = SignerKey::from_seed(b"7", "log").unwrap();
        let start = Timestamp::from_ms(1_767_571_200_500).unwrap();
        let bytes = document("https://log.wavetank.example", key.public(), start).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let valid = &value["tlogs"][0]["publicKey"]["validFor"];
        assert_eq!(valid["start"], "2026-01-05T00:00:00Z");
    }
}
