//! The form of an API key, and what is stored of it.
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

const PREFIX: &str = "wt_";
const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 32;

/// An API key with its secret, as it is shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    id: String,
    secret: String,
}

/// A text that is no API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an API key has the form wt_<id>_<secret>")]
pub struct BadApiKey;

impl ApiKey {
    /// A new key from the system's randomness.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let (mut id, mut secret) = ([0; ID_BYTES], [0; SECRET_BYTES]);
        getrandom::fill(&mut id)?;
        getrandom::fill(&mut secret)?;
        Ok(ApiKey { id: hex::encode(id), secret: URL_SAFE_NO_PAD.encode(secret) })
    }

    /// Reads a key. A well-formed one need not exist.
    ///
    /// # Errors
    /// The text has another form.
    pub fn parse(text: &str) -> Result<Self, BadApiKey> {
        let (id, secret) =
            text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or(BadApiKey)?;
        let hexadecimal = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let id_fits = id.len() == 2 * ID_BYTES && id.bytes().all(hexadecimal);
        let bytes = URL_SAFE_NO_PAD.decode(secret).map_err(|_| BadApiKey)?;
        if !id_fits || bytes.len() != SECRET_BYTES {
            return Err(BadApiKey);
        }
        Ok(ApiKey { id: id.to_owned(), secret: secret.to_owned() })
    }

    /// The public part.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// SHA-256 of the secret: what is stored.
    pub fn secret_sha256(&self) -> [u8; 32] {
        Sha256::digest(self.secret.as_bytes()).into()
    }

    /// Whether the stored hash is of this secret, in a time that does not depend on either.
    pub fn matches(&self, stored_sha256: &[u8]) -> bool {
        self.secret_sha256().as_slice().ct_eq(stored_sha256).into()
    }

    /// The whole key, for the one time it is shown.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}_{}", self.id, self.secret)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({PREFIX}{}_...)", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_and_no_other_matches() {
        let key = ApiKey::generate().unwrap();
        let shown = key.reveal();
        assert_eq!(ApiKey::parse(&shown), Ok(key.clone()));
        assert!(key.matches(&key.secret_sha256()));
        let other = ApiKey::generate().unwrap();
        assert_ne!(other.id(), key.id());
        assert!(!other.matches(&key.secret_sha256()) && !key.matches(b""));
        assert!(!format!("{key:?}").contains(&key.secret), "a log never shows a secret");
    }

    #[test]
    fn other_texts_are_no_keys() {
        let shown = ApiKey::generate().unwrap().reveal();
        let upper = shown.to_uppercase();
        for text in ["", "wt_", "wt__", "wt_1_2", &shown[1..], &shown[..60], &upper, "Bearer x"] {
            assert_eq!(ApiKey::parse(text), Err(BadApiKey), "{text}");
        }
        assert!(ApiKey::parse(&format!("{shown}A")).is_err());
    }
}
