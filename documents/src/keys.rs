//! The keys of a world: the simulated signer and log sign for real, with keys that anyone can
//! derive again from the seed unless the operator brings their own.

use ed25519_dalek::Signer as _;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::elliptic_curve::PublicKey as CurveKey;
use p256::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePublicKey as _, LineEnding};
use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::error::Error;

/// An ECDSA P-256 key pair. Signatures are deterministic (RFC 6979), so the same document has the
/// same signature wherever it is made.
#[derive(Clone)]
pub struct SignerKey {
    key: SigningKey,
    public: PublicKey,
}

/// The public half of a [`SignerKey`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    der: Vec<u8>,
    pem: String,
    id: Digest,
}

impl SignerKey {
    /// The key of that purpose in the world of that seed. Whoever knows the seed knows the key:
    /// it makes runs repeatable and protects nothing.
    ///
    /// # Errors
    /// [`Error::Key`], which happens with a probability of 2^-32 per try over 256 tries.
    pub fn from_seed(seed: &[u8], purpose: &str) -> Result<Self, Error> {
        for attempt in 0..=u8::MAX {
            // A scalar outside 1..n is refused; then the next attempt's hash is taken.
            if let Ok(key) = SigningKey::from_slice(&derive(seed, purpose, attempt)) {
                return Self::new(key);
            }
        }
        Err(refused("signing key", "no valid scalar from this seed"))
    }

    /// The operator's own key: PKCS#8 PEM (`openssl genpkey -algorithm EC -pkeyopt
    /// ec_paramgen_curve:P-256`), unencrypted.
    ///
    /// # Errors
    /// [`Error::Key`] for anything else.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        let key = SigningKey::from_pkcs8_pem(text)
            .map_err(|_| refused("signing key", "expected an unencrypted PKCS#8 P-256 PEM"))?;
        Self::new(key)
    }

    fn new(key: SigningKey) -> Result<Self, Error> {
        let public = PublicKey::new(*key.verifying_key())?;
        Ok(Self { key, public })
    }

    /// The ASN.1 DER signature over SHA-256 of the message.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.key.sign(message);
        signature.to_der().as_bytes().to_vec()
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }
}

/// Never shows the secret.
impl std::fmt::Debug for SignerKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SignerKey").field("id", &self.public.id).finish_non_exhaustive()
    }
}

impl PublicKey {
    fn new(key: VerifyingKey) -> Result<Self, Error> {
        let curve_key: CurveKey<p256::NistP256> = key.into();
        let encoded = |_| refused("public key", "cannot be encoded");
        let der = curve_key.to_public_key_der().map_err(encoded)?.as_bytes().to_vec();
        let pem = curve_key.to_public_key_pem(LineEnding::LF).map_err(encoded)?;
        let id = Digest::of(&der);
        Ok(Self { key, der, pem, id })
    }

    /// Reads a `PUBLIC KEY` PEM of a P-256 key.
    ///
    /// # Errors
    /// [`Error::Key`] for anything else.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        let curve_key = CurveKey::<p256::NistP256>::from_public_key_pem(text)
            .map_err(|_| refused("public key", "expected a P-256 PUBLIC KEY PEM"))?;
        Self::new(curve_key.into())
    }

    /// Reads the SubjectPublicKeyInfo of a P-256 key, DER.
    ///
    /// # Errors
    /// [`Error::Key`] for anything else.
    pub fn from_der(bytes: &[u8]) -> Result<Self, Error> {
        let curve_key = CurveKey::<p256::NistP256>::from_public_key_der(bytes)
            .map_err(|_| refused("public key", "expected the DER of a P-256 key"))?;
        Self::new(curve_key.into())
    }

    /// SubjectPublicKeyInfo, DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SubjectPublicKeyInfo, PEM with a final newline.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The key's id: SHA-256 of its SPKI DER. Also the log id of a log that signs with it.
    pub fn id(&self) -> Digest {
        self.id
    }

    /// Whether the DER signature is by this key over SHA-256 of the message.
    pub fn verifies(&self, message: &[u8], signature_der: &[u8]) -> bool {
        Signature::from_der(signature_der)
            .is_ok_and(|signature| self.key.verify(message, &signature).is_ok())
    }
}

/// An Ed25519 key pair that signs a log's checkpoints.
#[derive(Clone)]
pub struct CheckpointKey {
    key: ed25519_dalek::SigningKey,
}

impl CheckpointKey {
    /// The key of that purpose in the world of that seed; as public as the seed.
    pub fn from_seed(seed: &[u8], purpose: &str) -> Self {
        Self { key: ed25519_dalek::SigningKey::from_bytes(&derive(seed, purpose, 0)) }
    }

    /// The 64-byte signature of the message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// The 32 bytes of the public key.
    pub fn public(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }
}

/// Never shows the secret.
impl std::fmt::Debug for CheckpointKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "CheckpointKey({})", hex::encode(self.public()))
    }
}

/// Whether an Ed25519 signature holds, by the strict rules of RFC 8032 (no weak keys).
pub(crate) fn ed25519_verifies(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    ed25519_dalek::VerifyingKey::from_bytes(public).is_ok_and(|key| {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        key.verify_strict(message, &signature).is_ok()
    })
}

fn derive(seed: &[u8], purpose: &str, attempt: u8) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"wavetank key v1\0");
    hasher.update((purpose.len() as u64).to_be_bytes());
    hasher.update(purpose);
    hasher.update([attempt]);
    hasher.update(seed);
    hasher.finalize().into()
}

fn refused(key: &'static str, reason: &str) -> Error {
    Error::Key { key, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_repeat_and_differ_by_seed_and_purpose() {
        let key = |seed: &[u8], purpose| SignerKey::from_seed(seed, purpose).unwrap();
        let one = key(b"7", "signer");
        assert_eq!(one.public(), key(b"7", "signer").public());
        assert_ne!(one.public(), key(b"8", "signer").public());
        assert_ne!(one.public(), key(b"7", "log").public());
        assert_eq!(
            one.public().id().to_string(),
            "sha256:df8306bb21acfe3fb8cb5b23c612003a11d87e8ef42280a2549f5f781290fea6",
        );
        let edwards = CheckpointKey::from_seed(b"7", "log");
        assert_eq!(edwards.public(), CheckpointKey::from_seed(b"7", "log").public());
        assert!(!format!("{one:?}{edwards:?}").contains("key:"));
    }

    #[test]
    fn signatures_are_deterministic_and_bound_to_key_and_message() {
        let one = SignerKey::from_seed(b"7", "signer").unwrap();
        let signature = one.sign(b"message");
        assert_eq!(signature, one.sign(b"message"));
        assert!(one.public().verifies(b"message", &signature));
        assert!(!one.public().verifies(b"massage", &signature));
        let other = SignerKey::from_seed(b"8", "signer").unwrap();
        assert!(!other.public().verifies(b"message", &signature));
        for index in 0..signature.len() {
            let mut flipped = signature.clone();
            flipped[index] ^= 1;
            assert!(!one.public().verifies(b"message", &flipped), "byte {index}");
        }
        assert!(!one.public().verifies(b"message", b""));
    }

    #[test]
    fn pem_round_trip() {
        let one = SignerKey::from_seed(b"7", "signer").unwrap();
        assert_eq!(&PublicKey::from_pem(one.public().pem()).unwrap(), one.public());
        assert!(one.public().pem().starts_with("-----BEGIN PUBLIC KEY-----\n"));
        assert!(PublicKey::from_pem("-----BEGIN PUBLIC KEY-----").is_err());
        assert_eq!(&PublicKey::from_der(one.public().der()).unwrap(), one.public());
        assert!(PublicKey::from_der(&one.public().der()[1..]).is_err());
        assert!(SignerKey::from_pem(one.public().pem()).is_err());
    }

    #[test]
    fn edwards_signatures() {
        let key = CheckpointKey::from_seed(b"7", "log");
        let mut signature = key.sign(b"message");
        assert!(ed25519_verifies(&key.public(), b"message", &signature));
        assert!(!ed25519_verifies(&key.public(), b"massage", &signature));
        signature[3] ^= 1;
        assert!(!ed25519_verifies(&key.public(), b"message", &signature));
        assert!(!ed25519_verifies(&[0; 32], b"message", &signature));
    }
}
