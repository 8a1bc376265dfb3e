//! What the registry works with, and the view that one request has of a repository.
use super::by_digest::ByDigest;
use super::kept::Kept;
use super::path::Repository;
use super::refusal::{Failure, Refusal};
use super::trivy_db::TrivyDb;
use super::trust::Trust;
use crate::http::authorize::Authorizer;
use crate::http::generated::GeneratedRepository;
use crate::http::snapshot::Snapshot;
use crate::http::state::ApiState;
use std::sync::Arc;

/// What metrics, traces and the log of refusals call it.
pub(super) const OPERATION: &str = "registry";

/// The registry.
pub(crate) struct Registry {
    pub(super) state: ApiState,
    pub(super) authorizer: Arc<Authorizer>,
    /// Manifests of versions: each is read from the object store once.
    pub(super) stored: Kept,
    /// What was made for a list, and is asked for next.
    pub(super) made: Kept,
    pub(super) index: ByDigest,
    /// Repositories beside those of images.
    pub(super) generated: Vec<Arc<dyn GeneratedRepository>>,
}

/// A repository that the caller may see, as of the instant that it asks about.
pub(super) struct View<'a> {
    pub(super) snapshot: Snapshot,
    pub(super) repository: &'a Repository,
}

impl Registry {
    pub(crate) fn new(state: ApiState, authorizer: Arc<Authorizer>) -> Self {
        let mut generated: Vec<Arc<dyn GeneratedRepository>> =
            vec![Arc::new(Trust), Arc::new(TrivyDb::default())];
        generated.extend(state.generated().iter().cloned());
        Registry {
            generated,
            state,
            authorizer,
            stored: Kept::default(),
            made: Kept::default(),
            index: ByDigest::default(),
        }
    }
}

impl View<'_> {
    /// The image of the repository, or that there is none.
    pub(super) async fn image(&mut self) -> Result<i64, Failure> {
        let (as_of, name) = (self.snapshot.as_of().datetime(), &self.repository.image);
        let found = store::read::registry::image(self.snapshot.conn(), as_of, name).await?;
        found.ok_or_else(|| self.name_unknown().into())
    }

    pub(super) fn name_unknown(&self) -> Refusal {
        Refusal::name_unknown(&self.repository.name)
    }
}
