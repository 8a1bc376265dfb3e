//! Manifests, by tag and by digest: of versions, of what refers to them, and the lists that stand under
//! tags for clients that know no referrers.
use super::answer::{ASK_AGAIN, Content, FOR_EVER, sha256};
use super::kept::Piece;
use super::path::{AskedDigest, Evidence};
use super::refusal::{Failure, Refusal};
use super::service::{Registry, View};
use crate::http::problem::Problem;
use documents::Digest;
use documents::oci::{Blob, MANIFEST_TYPE};
use std::sync::Arc;
use store::objects::content_key;
use store::read::registry;

/// The largest manifest: what distribution-spec 1.1 asks of registries and clients, bytes.
const MAX_MANIFEST_BYTES: u64 = 4 << 20;

impl Registry {
    /// What a tag points to.
    pub(super) async fn by_tag(&self, view: &mut View<'_>, tag: &str) -> Result<Content, Failure> {
        let as_of = view.snapshot.as_of().datetime();
        let name = &view.repository.image;
        let row = registry::by_tag(view.snapshot.conn(), as_of, name, tag).await?;
        let row = row.ok_or_else(|| view.name_unknown())?;
        if let Some(digest) = row.digest {
            let digest = digest.parse()?;
            let piece = self.of_version(row.image_id, digest).await?;
            return Ok(Content { piece, digest: digest.to_string(), cache: ASK_AGAIN });
        }
        match self.of_referrers(view, row.image_id, tag).await? {
            Some(made) => {
                let digest = made.digest.to_string();
                let piece = self.keep(row.image_id, view.repository.evidence, made);
                Ok(Content { piece, digest, cache: ASK_AGAIN })
            }
            None => Err(Refusal::manifest_unknown(tag).into()),
        }
    }

    /// What has that digest.
    pub(super) async fn by_digest(
        &self,
        view: &mut View<'_>,
        asked: &AskedDigest,
    ) -> Result<Content, Failure> {
        let unknown = || Failure::from(Refusal::manifest_unknown(&asked.text()));
        let Some(digest) = sha256(asked) else {
            view.image().await?;
            return Err(unknown());
        };
        let as_of = view.snapshot.as_of().datetime();
        let (name, text) = (&view.repository.image, digest.to_string());
        let row = registry::by_digest(view.snapshot.conn(), as_of, name, &text).await?;
        let row = row.ok_or_else(|| view.name_unknown())?;
        let evidence = view.repository.evidence;
        let piece = if row.digest.is_some() {
            self.of_version(row.image_id, digest).await?
        } else if let Some(piece) = self.made.get(&(row.image_id, evidence, digest)) {
            piece
        } else {
            let made = self.of_referrer(view, row.image_id, digest).await?;
            let made = made.ok_or_else(unknown)?;
            Piece { media_type: Arc::from(made.media_type), bytes: made.bytes.into() }
        };
        Ok(Content { piece, digest: text, cache: FOR_EVER })
    }

    /// The manifest of a version, as it is stored.
    async fn of_version(&self, image: i64, digest: Digest) -> Result<Piece, Failure> {
        let key = (image, Evidence::Genuine, digest);
        if let Some(piece) = self.stored.get(&key) {
            return Ok(piece);
        }
        let object = content_key(&digest.hex());
        let bytes = self.state.objects()?.get(&object, MAX_MANIFEST_BYTES).await;
        let bytes = bytes.map_err(Problem::from)?;
        let piece = Piece { media_type: MANIFEST_TYPE.into(), bytes };
        self.stored.put(key, piece.clone());
        Ok(piece)
    }

    /// Keeps what was made: its digest is asked for next.
    pub(super) fn keep(&self, image: i64, evidence: Evidence, made: Blob) -> Piece {
        let piece = Piece { media_type: Arc::from(made.media_type), bytes: made.bytes.into() };
        self.made.put((image, evidence, made.digest), piece.clone());
        piece
    }
}
