//! The keys that jobs sign with, and the name that packages go by. They follow from the world's record, so a worker can start before
//! there is a world.
use crate::error::JobError;
use anyhow::anyhow;
use documents::Distribution;
use documents::keys::SignerKey;
use documents::world_keys::WorldKeys;
use sqlx::PgConnection;
use std::sync::Arc;
use store::world;
use tokio::sync::OnceCell;

/// The keys and the distribution of the world, once it is known.
#[derive(Debug, Default)]
pub struct Keyring {
    own: Option<SignerKey>,
    keys: OnceCell<Arc<WorldKeys>>,
    distribution: OnceCell<Distribution>,
}

impl Keyring {
    /// A keyring with the operator's own signing key instead of one that follows from the seed.
    pub fn with_own(own: Option<SignerKey>) -> Self {
        Keyring { own, ..Keyring::default() }
    }

    /// The same for another world.
    pub fn renewed(&self) -> Self {
        Keyring::with_own(self.own.clone())
    }

    /// Whether the signing key follows from the seed, so that everybody can have it.
    pub fn is_derived(&self) -> bool {
        self.own.is_none()
    }

    /// The keys of the world of that scenario, by the SHA-256 of its file, and seed.
    ///
    /// # Errors
    /// A key cannot be derived, which does not happen.
    pub(crate) fn of(
        &self,
        scenario_sha256: &str,
        seed: u64,
    ) -> Result<WorldKeys, documents::Error> {
        WorldKeys::of(scenario_sha256, seed, self.own.clone())
    }

    /// The keys of the world that the database holds.
    ///
    /// # Errors
    /// There is no world yet, or its documents are signed with another key than this process has.
    pub async fn get(&self, conn: &mut PgConnection) -> Result<Arc<WorldKeys>, JobError> {
        let keys = self.keys.get_or_try_init(|| async {
            let origin = world::get(conn).await?.origin;
            let keys = self.of(&origin.scenario_sha256, origin.seed)?;
            if keys.identity.signer.pem() == origin.signer_key {
                return Ok(Arc::new(keys));
            }
            Err(JobError::from(anyhow!(
                "this world's documents are signed with another key than this process has; \
                 hint: start every worker with the --signing-key that the world was made with"
            )))
        });
        Ok(keys.await?.clone())
    }

    /// As whose packages the documents of the world that the database holds show its packages.
    ///
    /// # Errors
    /// There is no world yet, or a later release made it look like a distribution unknown here.
    pub async fn distribution(&self, conn: &mut PgConnection) -> Result<Distribution, JobError> {
        let distribution = self.distribution.get_or_try_init(|| async {
            let name = world::get(conn).await?.origin.distribution;
            let known = Distribution::named(&name);
            known.ok_or_else(|| JobError::from(anyhow!("the distribution {name} is unknown")))
        });
        Ok(*distribution.await?)
    }
}
