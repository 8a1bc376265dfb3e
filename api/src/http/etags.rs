//! `ETag` and `If-None-Match`: an answer that the client has already is not sent again.
use crate::http::problem::Problem;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Request, Response};
use sha2::{Digest, Sha256};

/// The copies of an answer that the client says it has.
pub(crate) struct Copy {
    asked: bool,
    known: Option<String>,
}

impl Copy {
    pub(crate) fn of(request: &Request) -> Self {
        let asked = matches!(*request.method(), Method::GET | Method::HEAD);
        let known = request.header(header::IF_NONE_MATCH).map(str::to_owned);
        Copy { asked, known: known.filter(|_| asked) }
    }

    /// Marks JSON and plain text with the hash of the body, or leaves the body out when the client
    /// has it. Documents say themselves what they are, and streams have no end.
    pub(crate) async fn apply(&self, response: Response) -> Result<Response, Problem> {
        let whole = response.content_type().is_some_and(is_marked);
        let marked = response.headers().contains_key(header::ETAG);
        if !self.asked || marked || !whole || response.status() != StatusCode::OK {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let bytes = body.into_bytes().await.map_err(Problem::internal)?;
        let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&bytes)[..16]));
        let value = HeaderValue::from_str(&tag).map_err(Problem::internal)?;
        let mut response = Response::from_parts(parts, bytes.into());
        if holds(self.known.as_deref(), &tag) {
            response = Response::builder().status(StatusCode::NOT_MODIFIED).finish();
        }
        let headers = response.headers_mut();
        headers.insert(header::ETAG, value);
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("private, no-cache"));
        Ok(response)
    }
}

/// Whether answers of this media type are marked.
pub(crate) fn is_marked(media_type: &str) -> bool {
    media_type.starts_with("application/json") || media_type.starts_with("text/plain")
}

/// Whether `If-None-Match` lists the tag; weak and strong tags compare alike (RFC 9110).
pub(crate) fn holds(known: Option<&str>, tag: &str) -> bool {
    let same = |given: &str| {
        let given = given.trim();
        given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag
    };
    known.is_some_and(|known| known.split(',').any(same))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_in_lists() {
        for known in ["\"a\"", "\"b\", \"a\"", "W/\"a\"", "*"] {
            assert!(holds(Some(known), "\"a\""), "{known}");
        }
        assert!(!holds(Some("\"b\""), "\"a\"") && !holds(None, "\"a\""));
    }
}
