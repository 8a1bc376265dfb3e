//! Blobs: configurations and layers of versions, and the statements about them.
use super::answer::{Content, FOR_EVER, has_copy, name, sha256, typed, whole};
use super::kept::Piece;
use super::path::{AskedDigest, Evidence};
use super::pieces::{DAMAGED_AT, Extent, changed, pieces};
use super::range::{self, Wants};
use super::refusal::{Failure, OciCode, Refusal};
use super::service::{Registry, View};
use crate::http::problem::Problem;
use bytes::Bytes;
use documents::Digest;
use documents::bundle::Bundle;
use documents::oci::referrer::EMPTY;
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Body, Request, Response};
use store::read::registry;

/// What clients expect of a blob, whatever is in it.
const MEDIA_TYPE: &str = "application/octet-stream";
/// What is no larger is read as a whole and checked against its digest before its first byte goes out, bytes.
const CHECKED_BYTES: u64 = 256 << 10;
/// The largest bundle of which a part is taken out, bytes.
pub(super) const MAX_BUNDLE_BYTES: u64 = 64 << 20;

impl Registry {
    /// A blob of the repository, or the part of it that is asked for.
    pub(super) async fn blob(
        &self,
        mut view: View<'_>,
        asked: &AskedDigest,
        request: &Request,
    ) -> Result<Response, Failure> {
        let unknown =
            || Refusal::new(OciCode::BlobUnknown, format!("there is no blob {}", asked.text()));
        let Some(digest) = sha256(asked) else {
            view.image().await?;
            return Err(unknown().into());
        };
        let (as_of, repository) = (view.snapshot.as_of().datetime(), view.repository);
        let (image, hex) = (&repository.image, digest.hex());
        let row = registry::blob(view.snapshot.conn(), as_of, image, &hex).await?;
        let row = row.ok_or_else(|| view.name_unknown())?;
        let (Some(bytes), Some(key)) = (row.bytes, row.object_key) else {
            if digest == Digest::of(EMPTY) {
                return part(request, &digest, &Bytes::from_static(EMPTY));
            }
            if let Some(piece) = self.made.get(&(row.image_id, repository.evidence, digest)) {
                return part(request, &digest, &piece.bytes);
            }
            let envelope = self.envelope(&mut view, row.image_id, &digest).await?;
            return part(request, &digest, &envelope.ok_or_else(unknown)?);
        };
        // A reader may take its time: from here on the database is not needed.
        drop(view.snapshot);
        let bytes = u64::try_from(bytes).map_err(Problem::internal)?;
        let damaged = repository.damaged_layers && row.kind.as_deref() == Some("layer");
        if bytes <= CHECKED_BYTES && request.method() != Method::HEAD {
            let mut content = self.checked(row.image_id, digest, &key).await?;
            if damaged {
                let at = usize::try_from(DAMAGED_AT).map_err(Problem::internal)?;
                content = changed(&content, at);
            }
            return part(request, &digest, &content);
        }
        self.streamed(request, &digest, Extent { key, bytes, from: 0, until: bytes, damaged }).await
    }

    /// A blob that is read as a whole.
    async fn checked(&self, image: i64, digest: Digest, key: &str) -> Result<Bytes, Failure> {
        let kept = (image, Evidence::Genuine, digest);
        if let Some(piece) = self.stored.get(&kept) {
            return Ok(piece.bytes);
        }
        let bytes = self.state.objects()?.get(key, CHECKED_BYTES).await?;
        let piece = Piece { media_type: MEDIA_TYPE.into(), bytes: bytes.clone() };
        self.stored.put(kept, piece);
        Ok(bytes)
    }

    /// A blob that is never as a whole in memory, or the part of it that is asked for.
    async fn streamed(
        &self,
        request: &Request,
        digest: &Digest,
        mut extent: Extent,
    ) -> Result<Response, Failure> {
        let bytes = extent.bytes;
        let tag = format!("\"{digest}\"");
        if has_copy(request, &tag) {
            let mut response = Response::builder().status(StatusCode::NOT_MODIFIED).finish();
            name(&mut response, &digest.to_string(), FOR_EVER);
            return Ok(response);
        }
        let mut response = match wanted(request, &tag, bytes) {
            Wants::Nothing => return Err(unsatisfiable(bytes).into()),
            Wants::Whole => typed(MEDIA_TYPE, Bytes::new()),
            Wants::Part(from, until) => {
                (extent.from, extent.until) = (from, until);
                partial(from, until, bytes)
            }
        };
        let length = extent.until - extent.from;
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        response.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        name(&mut response, &digest.to_string(), FOR_EVER);
        if request.method() != Method::HEAD {
            let pieces = pieces(self.state.objects()?, extent).await?;
            response.set_body(Body::from_bytes_stream(pieces));
        }
        Ok(response)
    }

    /// An envelope alone, as cosign 1 and 2 attach it: it is inside of a bundle.
    async fn envelope(
        &self,
        view: &mut View<'_>,
        image: i64,
        digest: &Digest,
    ) -> Result<Option<Bytes>, Failure> {
        let as_of = view.snapshot.as_of().datetime();
        let conn = view.snapshot.conn();
        let key = registry::bundle_of_envelope(conn, as_of, image, digest.as_bytes()).await?;
        let Some(key) = key else { return Ok(None) };
        let envelope = self.bundle(&key).await?.envelope.to_json()?;
        Ok((Digest::of(&envelope) == *digest).then(|| envelope.into()))
    }

    /// A bundle as it is stored.
    pub(super) async fn bundle(&self, key: &str) -> Result<Bundle, Failure> {
        let stored = self.state.objects()?.get(key, MAX_BUNDLE_BYTES).await?;
        Ok(Bundle::parse(&stored)?)
    }
}

/// What a request wants of so many bytes; `If-Range` with another tag wants all of them.
fn wanted(request: &Request, tag: &str, bytes: u64) -> Wants {
    if request.header(header::IF_RANGE).is_some_and(|given| given != tag) {
        return Wants::Whole;
    }
    range::wants(request.header(header::RANGE), bytes)
}

fn unsatisfiable(bytes: u64) -> Refusal {
    Refusal::new(OciCode::RangeInvalid, "the blob has no such bytes")
        .header(header::CONTENT_RANGE, &format!("bytes */{bytes}"))
}

fn partial(from: u64, until: u64, bytes: u64) -> Response {
    let mut response = typed(MEDIA_TYPE, Bytes::new());
    response.set_status(StatusCode::PARTIAL_CONTENT);
    let range = format!("bytes {from}-{}/{bytes}", until - 1);
    if let Ok(range) = HeaderValue::try_from(range) {
        response.headers_mut().insert(header::CONTENT_RANGE, range);
    }
    response
}

/// A blob that is in memory, or the part of it that is asked for.
pub(super) fn part(request: &Request, digest: &Digest, bytes: &Bytes) -> Result<Response, Failure> {
    let (tag, length) = (format!("\"{digest}\""), bytes.len() as u64);
    let mut response = match wanted(request, &tag, length) {
        _ if has_copy(request, &tag) => content(request, digest, bytes),
        Wants::Whole => content(request, digest, bytes),
        Wants::Nothing => return Err(unsatisfiable(length).into()),
        Wants::Part(from, until) => {
            let mut response = partial(from, until, length);
            let offset = |at: u64| usize::try_from(at).map_err(Problem::internal);
            let body = bytes.slice(offset(from)?..offset(until)?);
            response.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
            response.set_body(body);
            name(&mut response, &digest.to_string(), FOR_EVER);
            response
        }
    };
    accepts_ranges(response.headers_mut());
    Ok(response)
}

fn accepts_ranges(headers: &mut HeaderMap) {
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
}

fn content(request: &Request, digest: &Digest, bytes: &Bytes) -> Response {
    let piece = Piece { media_type: MEDIA_TYPE.into(), bytes: bytes.clone() };
    whole(request, &Content { piece, digest: digest.to_string(), cache: FOR_EVER })
}
