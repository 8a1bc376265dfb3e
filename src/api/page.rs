//! Pages by key: a token says where the next page begins and of which instant it speaks, so that
//! turning pages neither skips nor repeats while the world runs.
use super::problem::{Code, Problem};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::read::Moment;

/// The number of entries of a page when the caller does not say.
pub(crate) const DEFAULT_SIZE: u32 = 50;
const VERSION: u8 = 1;
const CHECK_BYTES: usize = 8;
const MAX_TOKEN_BYTES: usize = 1024;

/// What a query asks for, apart from the page: a token fits only the query that it came from.
pub(crate) struct Scope(String);

impl Scope {
    /// The scope of an operation with its filters, in a fixed order.
    pub(crate) fn new(operation: &str, filters: &impl Serialize) -> Result<Self, Problem> {
        let filters = serde_json::to_string(filters).map_err(Problem::internal)?;
        Ok(Scope(format!("{operation}\n{filters}\n")))
    }

    fn check(&self, payload: &[u8]) -> [u8; CHECK_BYTES] {
        let hash = Sha256::new().chain_update(&self.0).chain_update(payload).finalize();
        let mut check = [0; CHECK_BYTES];
        check.copy_from_slice(&hash[..CHECK_BYTES]);
        check
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload<K> {
    v: u8,
    at_ms: i64,
    newest: bool,
    key: K,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Start<K> {
    /// The instant of the first page.
    pub(crate) as_of: DateTime<Utc>,
    /// Whether the first page showed the newest state.
    pub(crate) newest: bool,
    /// The last entry of the page before.
    pub(crate) key: K,
}

/// The token for the page after `key`.
pub(crate) fn token<K: Serialize>(
    scope: &Scope,
    moment: Moment,
    key: K,
) -> Result<String, Problem> {
    let at_ms = moment.as_of.timestamp_millis();
    let payload = Payload { v: VERSION, at_ms, newest: moment.newest, key };
    let payload = serde_json::to_vec(&payload).map_err(Problem::internal)?;
    let mut bytes = scope.check(&payload).to_vec();
    bytes.extend(payload);
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Reads a token that [`token`] made for the same scope.
pub(crate) fn start<K: DeserializeOwned>(
    scope: &Scope,
    token: Option<&str>,
) -> Result<Option<Start<K>>, Problem> {
    let Some(token) = token else { return Ok(None) };
    let wrong = || Problem::new(Code::InvalidPageToken, "The page token is not one of this query.");
    if token.len() > MAX_TOKEN_BYTES {
        return Err(wrong());
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| wrong())?;
    let (check, payload) = bytes.split_at_checked(CHECK_BYTES).ok_or_else(wrong)?;
    if check != scope.check(payload) {
        return Err(wrong());
    }
    let payload: Payload<K> = serde_json::from_slice(payload).map_err(|_| wrong())?;
    let as_of = DateTime::from_timestamp_millis(payload.at_ms).ok_or_else(wrong)?;
    if payload.v != VERSION {
        return Err(wrong());
    }
    Ok(Some(Start { as_of, newest: payload.newest, key: payload.key }))
}

/// Cuts off the one entry that was fetched beyond the page, and says whether there was one.
pub(crate) fn cut<T>(rows: &mut Vec<T>, size: u32) -> bool {
    let more = rows.len() > size as usize;
    rows.truncate(size as usize);
    more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_and_fits_nothing_else() {
        let scope = Scope::new("images", &("ngi", None::<i64>)).unwrap();
        let as_of = DateTime::from_timestamp_millis(1_767_571_200_123).unwrap();
        let made = token(&scope, Moment { as_of, newest: true }, "nginx").unwrap();
        let read: Start<String> = start(&scope, Some(&made)).unwrap().unwrap();
        assert_eq!(read, Start { as_of, newest: true, key: "nginx".to_owned() });

        let other = Scope::new("images", &("ngx", None::<i64>)).unwrap();
        assert!(start::<String>(&other, Some(&made)).is_err());
        for place in 0..made.len() {
            let mut bytes = made.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            let result = start::<String>(&scope, Some(&changed));
            assert_eq!(result.unwrap_err().code(), "invalid_page_token", "{changed}");
        }
        for token in ["", "A", "*", "\0", &made[1..], &"A".repeat(5000)] {
            assert!(start::<String>(&scope, Some(token)).is_err());
        }
    }
}
