//! Files and texts in gzip for readers that accept it, compressed as the documents are. poem's own
//! middleware also offers brotli and zstd, and those take longer to compile than poem itself.
use crate::http::problem;
use poem::http::{HeaderMap, HeaderValue, StatusCode, header};
use poem::{Body, Endpoint, IntoResponse, Middleware, Request, Response};

/// What is shorter goes out as it is: compressed it would hardly be smaller.
const LEAST_BYTES: usize = 256;
/// The answers that operations write themselves. Documents say themselves what they are.
const TEXTS: [&str; 3] =
    ["application/json; charset=utf-8", "text/plain; charset=utf-8", problem::MEDIA_TYPE];

/// Compresses an answer of JSON, plain text or a problem, whatever its status. All of them say that
/// they depend on what the reader takes.
pub(crate) async fn compress_text(mut response: Response, takes_gzip: bool) -> Response {
    if !response.content_type().is_some_and(|kind| TEXTS.contains(&kind))
        || response.headers().contains_key(header::CONTENT_ENCODING)
    {
        return response;
    }
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if !takes_gzip {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // (It stands in memory as a whole already.)
    let plain = body.into_bytes().await.unwrap_or_default();
    if plain.len() < LEAST_BYTES {
        return Response::from_parts(parts, plain.into());
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    weaken_tag(&mut parts.headers);
    Response::from_parts(parts, documents::gzip::compress_fast(&plain).into())
}

/// Other bytes for the same answer: its tag is weak from now on.
fn weaken_tag(headers: &mut HeaderMap) {
    let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
    let weak = tag.filter(|tag| !tag.starts_with("W/")).map(|tag| format!("W/{tag}"));
    if let Some(Ok(weak)) = weak.map(HeaderValue::try_from) {
        headers.insert(header::ETAG, weak);
    }
}

/// Compresses the whole answers of the endpoints below it: files, never streams.
pub(crate) struct Gzip;

impl<E: Endpoint> Middleware<E> for Gzip {
    type Output = Compressed<E>;

    fn transform(&self, endpoint: E) -> Self::Output {
        Compressed(endpoint)
    }
}

/// An endpoint below [`Gzip`].
pub(crate) struct Compressed<E>(E);

impl<E: Endpoint> Endpoint for Compressed<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let taken = takes_gzip(request.header(header::ACCEPT_ENCODING));
        let mut response = self.0.call(request).await?.into_response();
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if !taken || response.status() != StatusCode::OK {
            return Ok(response);
        }
        let plain = response.take_body().into_bytes().await?;
        response.set_body(Body::from(documents::gzip::compress_fast(&plain)));
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        Ok(response)
    }
}

/// Whether a reader takes gzip: named, and not with a weight of zero.
pub(crate) fn takes_gzip(accept_encoding: Option<&str>) -> bool {
    let takes = |coding: &str| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let refused = parts.any(|part| {
            part.strip_prefix("q=").is_some_and(|weight| weight.parse::<f32>() == Ok(0.0))
        });
        named && !refused
    };
    accept_encoding.is_some_and(|codings| codings.split(',').any(takes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use poem::EndpointExt as _;
    use poem::endpoint::make_sync;

    const TEXT: &str = "packages, packages, packages, packages, packages, packages, packages";

    #[test]
    fn gzip_is_taken_only_if_it_is_named() {
        for takes in ["gzip", "br, GZIP;q=0.5", "deflate, gzip ; q=1"] {
            assert!(takes_gzip(Some(takes)), "{takes}");
        }
        for refuses in ["", "br", "gzip;q=0", "gzip; q=0.000", "x-gzip"] {
            assert!(!takes_gzip(Some(refuses)), "{refuses}");
        }
        assert!(!takes_gzip(None));
    }

    async fn ask(encoding: &str) -> Response {
        let request = Request::builder().header(header::ACCEPT_ENCODING, encoding).finish();
        make_sync(|_| TEXT).with(Gzip).get_response(request).await
    }

    #[tokio::test]
    async fn who_takes_gzip_gets_it() {
        let mut answer = ask("br, gzip").await;
        assert_eq!(answer.header(header::CONTENT_ENCODING), Some("gzip"));
        assert_eq!(answer.header(header::VARY), Some("Accept-Encoding"));
        let packed = answer.take_body().into_vec().await.unwrap();
        assert!(packed.len() < TEXT.len());
        assert_eq!(documents::gzip::decompress(&packed, 1000).unwrap(), TEXT.as_bytes());
    }

    #[tokio::test]
    async fn long_texts_are_compressed_whatever_their_status() {
        let long = TEXT.repeat(10);
        for kind in TEXTS {
            for status in [200, 404] {
                let answer = || {
                    let status = StatusCode::from_u16(status).unwrap();
                    let built = Response::builder().status(status).content_type(kind);
                    built.header(header::ETAG, "\"a\"").body(long.clone())
                };
                let mut packed = compress_text(answer(), true).await;
                assert_eq!(packed.header(header::CONTENT_ENCODING), Some("gzip"), "{kind}");
                assert_eq!(packed.header(header::VARY), Some("Accept-Encoding"));
                assert_eq!(packed.header(header::ETAG), Some("W/\"a\""));
                let bytes = packed.take_body().into_vec().await.unwrap();
                assert_eq!(documents::gzip::decompress(&bytes, 9000).unwrap(), long.as_bytes());
                let plain = compress_text(answer(), false).await;
                assert_eq!(plain.header(header::CONTENT_ENCODING), None);
                assert_eq!(plain.header(header::VARY), Some("Accept-Encoding"));
                assert_eq!(plain.header(header::ETAG), Some("\"a\""));
            }
        }
        let stream = Response::builder().content_type("text/event-stream").body(long);
        let stream = compress_text(stream, true).await;
        assert_eq!((stream.header(header::VARY), stream.header("content-encoding")), (None, None));
    }

    #[tokio::test]
    async fn others_get_the_text_and_caches_know_why() {
        let mut answer = ask("br").await;
        assert_eq!(answer.header(header::CONTENT_ENCODING), None);
        assert_eq!(answer.header(header::VARY), Some("Accept-Encoding"));
        assert_eq!(answer.take_body().into_string().await.unwrap(), TEXT);
    }
}
