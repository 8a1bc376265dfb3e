//! Files in gzip for readers that accept it, compressed as the documents are. poem's own middleware
//! also offers brotli and zstd, and those take longer to compile than poem itself.
use poem::http::{HeaderValue, StatusCode, header};
use poem::{Body, Endpoint, IntoResponse, Middleware, Request, Response};

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
    async fn others_get_the_text_and_caches_know_why() {
        let mut answer = ask("br").await;
        assert_eq!(answer.header(header::CONTENT_ENCODING), None);
        assert_eq!(answer.header(header::VARY), Some("Accept-Encoding"));
        assert_eq!(answer.take_body().into_string().await.unwrap(), TEXT);
    }
}
