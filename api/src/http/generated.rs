//! Artifacts that the program makes of the world, such as the database of a scanner: the registry serves
//! them in repositories beside those of images, to everybody who may pull from the catalogue.
use bytes::Bytes;
use chrono::{DateTime, Utc};
use documents::Digest;
use futures::future::BoxFuture;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

/// An artifact as it is at one instant: one manifest, the tags that point to it, and the blobs that it
/// names.
#[derive(Clone, Debug)]
pub struct GeneratedArtifact {
    pub(crate) tags: Vec<String>,
    pub(crate) media_type: Arc<str>,
    pub(crate) manifest: Bytes,
    pub(crate) digest: Digest,
    pub(crate) blobs: BTreeMap<Digest, Bytes>,
}

impl GeneratedArtifact {
    /// From its tags, its manifest with its media type, and the blobs, the configuration among them.
    pub fn new(
        mut tags: Vec<String>,
        media_type: &str,
        manifest: Bytes,
        blobs: Vec<Bytes>,
    ) -> Self {
        tags.sort_unstable();
        let digest = Digest::of(&manifest);
        let blobs = blobs.into_iter().map(|blob| (Digest::of(&blob), blob)).collect();
        GeneratedArtifact { tags, media_type: media_type.into(), manifest, digest, blobs }
    }
}

/// A read-only repository of artifacts that are made when they are asked for.
pub trait GeneratedRepository: Debug + Send + Sync {
    /// The name, such as `wavetank/trivy-db`: with a slash in it, it is no image's.
    fn name(&self) -> &str;

    /// The artifact as of an instant; none: there was none then. It is called for every request, so what
    /// is dear is kept. `conn` is in a transaction that shows what the caller may see.
    ///
    /// # Errors
    /// What fails on our side; a client learns nothing of it.
    fn artifact<'a>(
        &'a self,
        conn: &'a mut PgConnection,
        as_of: DateTime<Utc>,
    ) -> BoxFuture<'a, anyhow::Result<Option<Arc<GeneratedArtifact>>>>;
}
