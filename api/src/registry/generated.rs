//! Answers from repositories of what the program makes of the world.
use super::answer::{ASK_AGAIN, Content, sha256, whole};
use super::blobs::part;
use super::kept::Piece;
use super::path::{AskedDigest, Reference, Wanted};
use super::refusal::{Failure, OciCode, Refusal};
use super::service::{Registry, View};
use super::{lists, referrers};
use crate::http::generated::GeneratedRepository;
use crate::http::problem::Problem;
use documents::Digest;
use poem::{Request, Response};

impl Registry {
    /// The generated repository of that name.
    pub(super) fn generated_as(&self, name: &str) -> Option<&dyn GeneratedRepository> {
        self.generated.iter().find(|one| one.name() == name).map(|one| &**one)
    }
}

/// The answer of a generated repository.
pub(super) async fn answer(
    repository: &dyn GeneratedRepository,
    view: &mut View<'_>,
    wanted: &Wanted,
    request: &Request,
) -> Result<Response, Failure> {
    let as_of = view.snapshot.as_of().datetime();
    let artifact = repository.artifact(view.snapshot.conn(), as_of).await;
    let artifact = artifact.map_err(Problem::internal)?.ok_or_else(|| view.name_unknown())?;
    match wanted {
        Wanted::Tags(_) => lists::page_of(&view.repository.name, &artifact.tags, request),
        Wanted::Manifest(_, reference) => {
            let (known, text) = match reference {
                Reference::Tag(tag) => (artifact.tags.contains(tag), tag.clone()),
                Reference::Digest(digest) => (is(digest, artifact.digest), digest.text()),
            };
            if !known {
                return Err(Refusal::manifest_unknown(&text).into());
            }
            let (media_type, bytes) = (artifact.media_type.clone(), artifact.manifest.clone());
            let piece = Piece { media_type, bytes };
            let digest = artifact.digest.to_string();
            Ok(whole(request, &Content { piece, digest, cache: ASK_AGAIN }))
        }
        Wanted::Blob(_, asked) => {
            let found = sha256(asked).and_then(|digest| artifact.blobs.get_key_value(&digest));
            let (digest, bytes) = found.ok_or_else(|| {
                Refusal::new(OciCode::BlobUnknown, format!("there is no blob {}", asked.text()))
            })?;
            part(request, digest, bytes)
        }
        _ => referrers::nothing(),
    }
}

fn is(asked: &AskedDigest, digest: Digest) -> bool {
    sha256(asked) == Some(digest)
}
