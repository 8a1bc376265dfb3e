//! Headers that keep a browser from doing with an answer what was not meant.
use poem::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Nothing of an answer may be run or shown as a page.
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// What Swagger UI needs: its own files, inline styles (React writes them), data: images.
pub(crate) const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// A document is data, even when somebody opens it.
pub(crate) const DOCUMENT_POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// Adds what an answer does not say itself.
pub(crate) fn apply(headers: &mut HeaderMap) {
    let defaults: [(HeaderName, &'static str); 6] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, API_POLICY),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}
