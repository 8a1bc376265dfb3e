//! A document as an answer: its bytes, its media type, a name to save it under.
use crate::http::security_headers::DOCUMENT_POLICY;
use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::{Body, IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;
use store::read::artifacts::StoredRow;

/// The bytes of a document, or word that the copy at hand is right.
pub(super) struct Download(Response);

impl Download {
    /// The whole document, in so many bytes, which are gzip if it is packed.
    pub(super) fn whole(
        sha256: &str,
        row: StoredRow,
        bytes: u64,
        packed: bool,
        body: impl Into<Body>,
    ) -> Self {
        let name =
            format!("{}-{}-{}{}", row.image, row.build_id, row.kind, suffix(&row.media_type));
        let mut response = Response::builder().body(body);
        set(&mut response, header::CONTENT_TYPE, &row.media_type);
        set(&mut response, header::CONTENT_LENGTH, &bytes.to_string());
        set(&mut response, header::VARY, "Accept-Encoding");
        if packed {
            set(&mut response, header::CONTENT_ENCODING, "gzip");
        }
        let place = if shown(&row.media_type) { "inline" } else { "attachment" };
        let disposition = format!("{place}; filename=\"{}\"", file_name(&name));
        set(&mut response, header::CONTENT_DISPOSITION, &disposition);
        Download::addressed(response, sha256, packed)
    }

    /// The copy at hand is right.
    pub(super) fn unchanged(sha256: &str) -> Self {
        let response = Response::builder().status(StatusCode::NOT_MODIFIED).finish();
        Download::addressed(response, sha256, false)
    }

    fn addressed(mut response: Response, sha256: &str, packed: bool) -> Self {
        // Other bytes than those of the document, for the same document.
        let weak = if packed { "W/" } else { "" };
        set(&mut response, header::ETAG, &format!("{weak}\"{sha256}\""));
        set(&mut response, header::CACHE_CONTROL, "private, max-age=31536000, immutable");
        set(&mut response, header::CONTENT_SECURITY_POLICY, DOCUMENT_POLICY);
        Download(response)
    }
}

/// Whether one of the copies named by `If-None-Match` is this document.
pub(super) fn has_copy(if_none_match: Option<&str>, sha256: &str) -> bool {
    let tag = |text: &str| text.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    if_none_match.is_some_and(|tags| tags.split(',').map(tag).any(|t| t == sha256 || t == "*"))
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn is_json(media_type: &str) -> bool {
    media_type == "application/json" || media_type.contains("+json")
}

fn shown(media_type: &str) -> bool {
    is_json(media_type) || media_type.starts_with("text/plain")
}

fn suffix(media_type: &str) -> &'static str {
    match media_type {
        json if is_json(json) => ".json",
        text if text.starts_with("text/plain") => ".txt",
        layer if layer.ends_with("tar+gzip") => ".tar.gz",
        _ => "",
    }
}

/// Only what needs no escaping in a header or on a disk.
fn file_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    name.chars().map(|c| if plain(c) { c } else { '_' }).collect()
}

impl IntoResponse for Download {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for Download {
    fn meta() -> MetaResponses {
        let text_header = |name: &str, description: &str| MetaHeader {
            name: name.to_owned(),
            description: Some(description.to_owned()),
            required: false,
            deprecated: false,
            schema: String::schema_ref(),
        };
        let etag = || text_header("ETag", "The document's SHA-256, quoted.");
        // Any bytes: a reader may find JSON in them.
        let schema = MetaSchemaRef::Inline(Box::new(MetaSchema::ANY));
        let whole = MetaResponse {
            description: "The document, with the media type it was stored with.",
            status: Some(200),
            status_range: None,
            content: vec![MetaMediaType { content_type: "*/*", schema }],
            headers: vec![
                etag(),
                text_header("Content-Disposition", "A name to save the document under."),
            ],
        };
        let unchanged = MetaResponse {
            description: "The copy named by `If-None-Match` is right.",
            status: Some(304),
            status_range: None,
            content: Vec::new(),
            headers: vec![etag()],
        };
        MetaResponses { responses: vec![whole, unchanged] }
    }

    fn register(_registry: &mut Registry) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_recognized() {
        let sha256 = "e".repeat(64);
        for tags in [format!("\"{sha256}\""), format!("W/\"x\", \"{sha256}\""), "*".to_owned()] {
            assert!(has_copy(Some(&tags), &sha256), "{tags}");
        }
        assert!(!has_copy(Some("\"other\""), &sha256));
        assert!(!has_copy(None, &sha256));
    }

    #[test]
    fn names_hold_nothing_that_needs_escaping() {
        assert_eq!(file_name("a\"b/c\r\nd.json"), "a_b_c__d.json");
    }
}
