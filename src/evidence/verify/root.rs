//! The trusted root as Sigstore's verifiers read it: which key the log has, and from when to when
//! it is valid. An entry from outside of that time is refused, however well it is signed.
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use documents::keys::PublicKey;
use documents::trusted_root::{self, HASH_ALGORITHM, KEY_DETAILS, MEDIA_TYPE};
use documents::world_keys::WorldIdentity;
use documents::{Digest, rekor};
use serde::Deserialize;
use store::instants::text;

/// When the log's key is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    from: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
}

impl Validity {
    /// Why an entry of that second is not to be believed, if it is not.
    pub(super) fn objection(&self, integrated_seconds: i64) -> Option<String> {
        let Some(at) = DateTime::from_timestamp(integrated_seconds, 0) else {
            return Some(format!("its integrated time is {integrated_seconds} s"));
        };
        if at < self.from {
            let from = text(self.from);
            return Some(format!("it was logged at {}, before its key: {from}", text(at)));
        }
        let until = self.until.filter(|until| at > *until)?;
        Some(format!("it was logged at {}, after its key: {}", text(at), text(until)))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Root {
    media_type: String,
    #[serde(default)]
    tlogs: Vec<Log>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    base_url: String,
    hash_algorithm: String,
    public_key: Key,
    log_id: KeyId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    raw_bytes: String,
    key_details: String,
    valid_for: ValidFor,
}

#[derive(Deserialize)]
struct ValidFor {
    start: DateTime<Utc>,
    end: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyId {
    key_id: String,
}

/// A log of a trusted root.
#[derive(Clone, Debug)]
pub(super) struct TrustedLog {
    pub(super) key: PublicKey,
    /// The origin of its checkpoints, which follows from its address and its key.
    pub(super) origin: String,
    pub(super) validity: Validity,
}

fn read(bytes: &[u8]) -> Result<Root, String> {
    let root: Root = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if root.media_type != MEDIA_TYPE {
        return Err(format!("its media type is {:?}", root.media_type));
    }
    Ok(root)
}

/// Reads a trusted root for the log with that id, whichever others it names.
pub(super) fn log(bytes: &[u8], id: Digest) -> Result<TrustedLog, String> {
    let wanted = STANDARD.encode(id.as_bytes());
    let named = read(bytes)?.tlogs.into_iter().find(|log| log.log_id.key_id == wanted);
    let log = named.ok_or_else(|| format!("it does not name the log {}", id.hex()))?;
    for (what, found, wanted) in [
        ("hashAlgorithm", &log.hash_algorithm, HASH_ALGORITHM),
        ("keyDetails", &log.public_key.key_details, KEY_DETAILS),
    ] {
        if found != wanted {
            return Err(format!("{what} is {found:?}, expected {wanted:?}"));
        }
    }
    let der = STANDARD.decode(&log.public_key.raw_bytes).map_err(|error| error.to_string())?;
    let key = PublicKey::from_der(&der).map_err(|error| error.to_string())?;
    if key.id() != id {
        return Err("the log's id is not that of its key".to_owned());
    }
    let name = log.base_url.strip_prefix("https://").unwrap_or(&log.base_url);
    let ValidFor { start, end } = log.public_key.valid_for;
    let validity = Validity { from: start, until: end };
    Ok(TrustedLog { origin: rekor::origin(name, id), key, validity })
}

/// Reads a trusted root: it must name the log of that identity, its key and when that is valid.
pub(super) fn validity(bytes: &[u8], identity: &WorldIdentity) -> Result<Validity, String> {
    let root = read(bytes)?;
    // What it must say of the key is what we would write.
    let epoch = documents::Timestamp::EPOCH;
    let expected = trusted_root::document(&identity.log_url(), &identity.log, epoch)
        .map_err(|error| error.to_string())?;
    let expected: Root = serde_json::from_slice(&expected).map_err(|error| error.to_string())?;
    let expected = expected.tlogs.first().ok_or("no log is expected")?;
    let named = root.tlogs.iter().find(|log| log.log_id.key_id == expected.log_id.key_id);
    let Some(log) = named.filter(|log| log.public_key.raw_bytes == expected.public_key.raw_bytes)
    else {
        return Err("it does not name the log's key".to_owned());
    };
    for (what, found, wanted) in [
        ("baseUrl", &log.base_url, &expected.base_url),
        ("hashAlgorithm", &log.hash_algorithm, &expected.hash_algorithm),
        ("keyDetails", &log.public_key.key_details, &expected.public_key.key_details),
    ] {
        if found != wanted {
            return Err(format!("{what} is {found:?}, expected {wanted:?}"));
        }
    }
    let ValidFor { start, end } = log.public_key.valid_for;
    Ok(Validity { from: start, until: end })
}

#[cfg(test)]
mod tests {
    use super::*;
    use documents::Timestamp;
    use documents::world_keys::WorldKeys;

    const START: i64 = 1_767_571_200;

    fn root(change: impl Fn(&mut serde_json::Value)) -> Result<Validity, String> {
        let identity = WorldKeys::of("aa", 1, None).unwrap().identity;
        let start = Timestamp::from_ms(START * 1000 + 500).unwrap();
        let bytes = trusted_root::document(&identity.log_url(), &identity.log, start).unwrap();
        let mut value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        change(&mut value);
        validity(value.to_string().as_bytes(), &identity)
    }

    #[test]
    fn a_key_is_valid_in_its_time_alone() {
        // A world that begins half a second later: its first entries have the second itself.
        let valid = root(|_| ()).unwrap();
        assert_eq!(valid.objection(START), None);
        assert!(valid.objection(START - 1).unwrap().contains("before its key"));
        assert_eq!(valid.objection(i64::from(u32::MAX)), None);
        assert!(valid.objection(i64::MAX).is_some());
        let ended = root(|root| {
            root["tlogs"][0]["publicKey"]["validFor"]["end"] = "2026-01-06T00:00:00Z".into();
        });
        let ended = ended.unwrap();
        assert_eq!(ended.objection(START + 86_400), None);
        assert!(ended.objection(START + 86_401).unwrap().contains("after its key"));
        let late = root(|root| {
            root["tlogs"][0]["publicKey"]["validFor"]["start"] = "2026-01-05T00:00:00.500Z".into();
        });
        let told = late.unwrap().objection(START).unwrap();
        assert!(told.contains("2026-01-05T00:00:00Z, before its key: 2026-01-05T00:00:00.500Z"));
    }

    #[test]
    fn a_root_that_peers_cannot_use_is_refused() {
        for (pointer, value) in [
            ("/mediaType", "application/json"),
            ("/tlogs/0/hashAlgorithm", "SHA2_512"),
            ("/tlogs/0/baseUrl", "https://elsewhere.example"),
            ("/tlogs/0/publicKey/keyDetails", "PKIX_ED25519"),
            ("/tlogs/0/publicKey/rawBytes", "AAAA"),
            ("/tlogs/0/publicKey/validFor/start", "yesterday"),
            ("/tlogs/0/logId/keyId", "AAAA"),
        ] {
            let changed = root(|root| *root.pointer_mut(pointer).unwrap() = value.into());
            assert!(changed.is_err(), "{pointer}");
        }
        let without = root(|root| {
            root["tlogs"][0]["publicKey"].as_object_mut().unwrap().remove("validFor");
        });
        assert!(without.unwrap_err().contains("validFor"));
    }
}
