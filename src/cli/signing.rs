//! The key that documents are signed with.
use anyhow::{Context, Result};
use documents::keys::SignerKey;
use jobs::keys::Keyring;
use std::path::PathBuf;
use std::sync::Arc;

/// Which key signs.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct SigningOptions {
    /// Sign with this P-256 key (PKCS#8 PEM, unencrypted) instead of one that follows from the
    /// scenario and seed. Whoever knows these can derive that one: it protects nothing. Make your
    /// own with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`; every process of
    /// a world needs the same one.
    #[arg(long, value_name = "FILE", env = "WAVETANK_SIGNING_KEY")]
    signing_key: Option<PathBuf>,
}

impl SigningOptions {
    /// Reads the key, if one is named.
    pub(super) fn keyring(&self) -> Result<Arc<Keyring>> {
        let own = self.signing_key.as_ref().map(|path| {
            let shown = path.display();
            let pem =
                std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
            SignerKey::from_pem(&pem).with_context(|| format!("{shown} cannot be used"))
        });
        Ok(Arc::new(Keyring::with_own(own.transpose()?)))
    }
}
