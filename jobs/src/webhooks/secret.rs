//! Signatures of outgoing messages, as Standard Webhooks has them (symmetric, `v1`): whoever knows
//! the endpoint's secret can tell that a message is ours, whole, and of now.
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const PREFIX: &str = "whsec_";
const SECRET_BYTES: usize = 32;

/// The secret of an endpoint: `whsec_` and base64.
#[derive(Clone)]
pub struct SigningSecret(String);

impl SigningSecret {
    /// A new one from the system's randomness.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret)?;
        Ok(SigningSecret(format!("{PREFIX}{}", STANDARD.encode(secret))))
    }

    /// As it is stored, and shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningSecret(..)")
    }
}

/// The value of `webhook-signature` for a message: over its id, the instant of sending in seconds
/// of the Unix epoch, and its body. None when the secret has another form.
pub fn sign(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    let hmac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    let signed = hmac.chain_update(format!("{id}.{timestamp}.")).chain_update(body);
    Some(format!("v1,{}", STANDARD.encode(signed.finalize().into_bytes())))
}

/// The value of `webhook-signature` for a message that is signed with several secrets: one signature
/// after the other, a space between. None when a secret has another form.
pub(super) fn sign_with_all(
    secrets: &[&str],
    id: &str,
    timestamp: i64,
    body: &[u8],
) -> Option<String> {
    let signatures = secrets.iter().map(|secret| sign(secret, id, timestamp, body));
    Some(signatures.collect::<Option<Vec<_>>>()?.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries (standard-webhooks, `test_sign_function`).
    #[test]
    fn the_signature_is_that_of_the_specification() {
        let signed = sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn secrets_differ_and_do_not_show_in_logs() {
        let (one, other) = (SigningSecret::generate().unwrap(), SigningSecret::generate().unwrap());
        assert_ne!(one.reveal(), other.reveal());
        assert!(sign(one.reveal(), "a", 0, b"") != sign(other.reveal(), "a", 0, b""));
        assert!(!format!("{one:?}").contains(&one.reveal()[6..]));
        for bad in ["", "whsec_*", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert_eq!(sign(bad, "a", 0, b""), None);
        }
    }
}
