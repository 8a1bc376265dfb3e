//! How answers of the registry look: bare media types, digests, what clients may keep.
use super::kept::Piece;
use super::path::AskedDigest;
use crate::http::etags;
use bytes::Bytes;
use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::{Request, Response};

const DIGEST_HEADER: HeaderName = HeaderName::from_static("docker-content-digest");
/// What has a digest as its name never changes; who may see it can.
pub(super) const FOR_EVER: &str = "private, max-age=31536000, immutable";
/// What can be another thing the next time.
pub(super) const ASK_AGAIN: &str = "private, no-cache";

/// A whole answer, as a client names it.
pub(super) struct Content {
    pub(super) piece: Piece,
    pub(super) digest: String,
    pub(super) cache: &'static str,
}

/// An answer in JSON that is no manifest.
pub(super) fn json(body: String) -> Response {
    let mut response = typed("application/json", body.into());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(ASK_AGAIN));
    response
}

/// An answer of exactly that media type: clients compare it as text.
pub(super) fn typed(media_type: &str, bytes: Bytes) -> Response {
    let length = bytes.len();
    let mut response = Response::builder().status(StatusCode::OK).body(bytes);
    let headers = response.headers_mut();
    if let Ok(media_type) = HeaderValue::from_str(media_type) {
        headers.insert(header::CONTENT_TYPE, media_type);
    }
    headers.insert(header::CONTENT_LENGTH, length.into());
    response
}

/// What is known by its digest, whole; nothing of it when the client has it already.
pub(super) fn whole(request: &Request, content: &Content) -> Response {
    let tag = format!("\"{}\"", content.digest);
    let mut response = if has_copy(request, &tag) {
        Response::builder().status(StatusCode::NOT_MODIFIED).finish()
    } else {
        typed(&content.piece.media_type, content.piece.bytes.clone())
    };
    name(&mut response, &content.digest, content.cache);
    response
}

/// Says what is in an answer, and how long that holds.
pub(super) fn name(response: &mut Response, digest: &str, cache: &'static str) {
    let headers = response.headers_mut();
    for (name, value) in [(header::ETAG, format!("\"{digest}\"")), (DIGEST_HEADER, digest.into())] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
}

/// Whether the client says that it has what that tag names.
pub(super) fn has_copy(request: &Request, tag: &str) -> bool {
    let lines = request.headers().get_all(header::IF_NONE_MATCH);
    lines.iter().any(|line| etags::holds(line.to_str().ok(), tag))
}

/// The SHA-256 that is asked for; others name nothing here.
pub(super) fn sha256(digest: &AskedDigest) -> Option<documents::Digest> {
    match digest {
        AskedDigest::Sha256(digest) => Some(*digest),
        AskedDigest::Other(_) => None,
    }
}
