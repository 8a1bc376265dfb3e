//! The tokens that requests carry: short-lived JWTs of one form and one algorithm (HS256).
use super::hs256;
use super::role::Role;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};

/// How long a token holds, in seconds.
pub const LIFETIME_SECONDS: u64 = 15 * 60;
const ISSUER: &str = "wavetank";
const AUDIENCE: &str = "wavetank-api";
/// The media type of access tokens (RFC 9068): no other kind of token passes for one.
const TYPE: &str = "at+jwt";
/// Clocks of machines that share a key may differ by as much, in seconds.
const LEEWAY_SECONDS: u64 = 5;
const MIN_KEY_BYTES: usize = 32;
/// The longest token that is looked at.
const MAX_TOKEN_BYTES: usize = 2048;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    iss: String,
    aud: String,
    /// The id of the API key.
    pub sub: String,
    /// What people call the key.
    pub name: String,
    /// The role.
    role: String,
    /// The tenant that the key is bound to; absent: the platform's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    iat: u64,
    nbf: u64,
    /// When it ends, in seconds since the epoch.
    pub exp: u64,
}

impl Claims {
    /// The role.
    pub fn role(&self) -> Option<Role> {
        Role::parse(&self.role)
    }
}

/// A token that does not hold: forged, of another kind, or past its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// It was good once.
    #[error("the token has expired")]
    Expired,
    /// It was never good here.
    #[error("the token is not one of this service")]
    Invalid,
}

/// The secret that tokens are made and checked with. Processes that serve one API share it.
#[derive(Clone)]
pub struct TokenKey {
    id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenKey({})", self.id)
    }
}

impl TokenKey {
    /// From a secret; none when it is shorter than 32 bytes.
    pub fn new(secret: &[u8]) -> Option<Self> {
        if secret.len() < MIN_KEY_BYTES {
            return None;
        }
        hs256::install();
        let hash = Sha256::new().chain_update(b"wavetank token key id\n").chain_update(secret);
        Some(TokenKey {
            id: hex::encode(&hash.finalize()[..8]),
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
        })
    }

    /// A new one that no other process knows.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut secret = [0; MIN_KEY_BYTES];
        getrandom::fill(&mut secret)?;
        Self::new(&secret).ok_or(getrandom::Error::UNEXPECTED)
    }

    /// A token for a key.
    ///
    /// # Errors
    /// The system's clock stands before 1970.
    pub fn issue(
        &self,
        key_id: &str,
        name: &str,
        role: Role,
        tenant: Option<&str>,
    ) -> Result<(String, Claims), anyhow::Error> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: key_id.to_owned(),
            name: name.to_owned(),
            role: role.as_str().to_owned(),
            tenant: tenant.map(str::to_owned),
            iat: now,
            nbf: now,
            exp: now + LIFETIME_SECONDS,
        };
        Ok((self.sign(&claims, TYPE, &self.id)?, claims))
    }

    fn sign(&self, claims: &Claims, kind: &str, kid: &str) -> Result<String, anyhow::Error> {
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(kind.to_owned());
        header.kid = Some(kid.to_owned());
        Ok(jsonwebtoken::encode(&header, claims, &self.encoding)?)
    }

    /// What a token says, when it holds.
    ///
    /// # Errors
    /// It does not hold.
    pub fn verify(&self, token: &str) -> Result<Claims, BadToken> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(BadToken::Invalid);
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY_SECONDS;
        let read = jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation);
        let data = read.map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::ExpiredSignature => BadToken::Expired,
            _ => BadToken::Invalid,
        })?;
        let header = &data.header;
        let ours = header.typ.as_deref() == Some(TYPE) && header.kid.as_deref() == Some(&self.id);
        if !ours || data.claims.role().is_none() {
            return Err(BadToken::Invalid);
        }
        Ok(data.claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

    fn claims() -> Claims {
        TokenKey::new(&[1; 32]).unwrap().issue("k1", "n", Role::Editor, Some("acme")).unwrap().1
    }

    #[test]
    fn a_token_comes_back() {
        let key = TokenKey::new(&[7; 32]).unwrap();
        let (token, claims) = key.issue("0123", "ci", Role::Viewer, Some("acme")).unwrap();
        assert_eq!(key.verify(&token), Ok(claims.clone()));
        assert_eq!((claims.role(), claims.tenant.as_deref()), (Some(Role::Viewer), Some("acme")));
        assert_eq!(claims.exp - claims.iat, LIFETIME_SECONDS);
        assert!(TokenKey::new(&[7; 31]).is_none());
    }

    #[test]
    fn what_is_not_exactly_ours_is_refused() {
        let key = TokenKey::new(&[7; 32]).unwrap();
        let good = claims();
        assert!(key.verify(&key.sign(&good, TYPE, &key.id).unwrap()).is_ok());
        let now = good.iat;
        let past = Claims { nbf: now - 100, iat: now - 100, exp: now - 50, ..good.clone() };
        let of = |claims: &Claims| key.verify(&key.sign(claims, TYPE, &key.id).unwrap());
        assert_eq!(of(&past), Err(BadToken::Expired));
        for wrong in [
            Claims { nbf: now + 60, ..good.clone() },
            Claims { iss: "elsewhere".to_owned(), ..good.clone() },
            Claims { aud: "elsewhere".to_owned(), ..good.clone() },
            Claims { role: "root".to_owned(), ..good.clone() },
        ] {
            assert_eq!(of(&wrong), Err(BadToken::Invalid), "{wrong:?}");
        }
        for (kind, kid) in [("JWT", key.id.as_str()), (TYPE, "other"), ("", "")] {
            let token = key.sign(&good, kind, kid).unwrap();
            assert_eq!(key.verify(&token), Err(BadToken::Invalid), "{kind} {kid}");
        }
        let other = TokenKey::new(&[8; 32]).unwrap();
        let forged = other.sign(&good, TYPE, &key.id).unwrap();
        assert_eq!(key.verify(&forged), Err(BadToken::Invalid));
    }

    #[test]
    fn no_other_algorithm_and_no_changed_part_passes() {
        let key = TokenKey::new(&[7; 32]).unwrap();
        let (token, _) = key.issue("0123", "ci", Role::Viewer, None).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        for header in [
            r#"{"alg":"none","typ":"at+jwt","kid":"KID"}"#,
            r#"{"alg":"HS384","typ":"at+jwt","kid":"KID"}"#,
            r#"{"alg":"RS256","typ":"at+jwt","kid":"KID"}"#,
        ] {
            let header = BASE64.encode(header.replace("KID", &key.id));
            for signature in ["", parts[2]] {
                let token = format!("{header}.{}.{signature}", parts[1]);
                assert_eq!(key.verify(&token), Err(BadToken::Invalid));
            }
        }
        let claims = BASE64.decode(parts[1]).unwrap();
        let claims = String::from_utf8(claims).unwrap().replace("viewer", "admin");
        let changed = format!("{}.{}.{}", parts[0], BASE64.encode(claims), parts[2]);
        assert_eq!(key.verify(&changed), Err(BadToken::Invalid));
        for text in ["", ".", "..", "a.b.c", &"A".repeat(5000)] {
            assert_eq!(key.verify(text), Err(BadToken::Invalid));
        }
    }
}
