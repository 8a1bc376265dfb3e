//! Messages that are signed by whoever sends them: the body as it came, and the check of its
//! signature. What is signed is bytes, so nothing may read the body before.
use crate::http::problem::{Code, Problem};
use crate::resources::webhooks::upstream::push::PushBody;
use hmac::{Hmac, KeyInit, Mac};
use poem::{FromRequest, Request, RequestBody, Result};
use poem_openapi::impl_apirequest_for_payload;
use poem_openapi::payload::{ParsePayload, Payload};
use poem_openapi::registry::{MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use sha2::Sha256;

/// A body whose bytes are signed.
pub(crate) struct SignedBody(pub(crate) Vec<u8>);

impl Payload for SignedBody {
    const CONTENT_TYPE: &'static str = "application/json; charset=utf-8";

    fn check_content_type(content_type: &str) -> bool {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        media_type.eq_ignore_ascii_case("application/json")
    }

    fn schema_ref() -> MetaSchemaRef {
        PushBody::schema_ref()
    }

    fn register(registry: &mut Registry) {
        PushBody::register(registry);
    }
}

impl ParsePayload for SignedBody {
    const IS_REQUIRED: bool = true;

    async fn from_request(request: &Request, body: &mut RequestBody) -> Result<Self> {
        Ok(SignedBody(Vec::<u8>::from_request(request, body).await?))
    }
}

impl_apirequest_for_payload!(SignedBody);

/// The headers in which forges send the signature: hexadecimal HMAC-SHA256 over the body, GitHub's
/// with `sha256=` before it. Gitea and Forgejo send theirs beside GitHub's.
const SIGNATURES: [&str; 3] = ["X-Hub-Signature-256", "X-Forgejo-Signature", "X-Gitea-Signature"];
const DELIVERIES: [&str; 3] = ["X-GitHub-Delivery", "X-Forgejo-Delivery", "X-Gitea-Delivery"];
const EVENTS: [&str; 3] = ["X-GitHub-Event", "X-Forgejo-Event", "X-Gitea-Event"];
const MAX_DELIVERY_BYTES: usize = 100;

fn first<'a>(request: &'a Request, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| request.header(name))
}

/// Whether the request's body was signed with this secret, in a time that does not depend on how
/// much of the signature is right.
pub(super) fn is_signed(request: &Request, body: &[u8], secret: &str) -> bool {
    let Some(given) = first(request, &SIGNATURES) else { return false };
    let given = given.strip_prefix("sha256=").unwrap_or(given);
    let mut signature = [0; 32];
    if hex::decode_to_slice(given, &mut signature).is_err() {
        return false;
    }
    let Ok(hmac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    hmac.chain_update(body).verify_slice(&signature).is_ok()
}

/// The name that the forge gave this delivery.
pub(super) fn delivery(request: &Request) -> Result<&str, Problem> {
    let wrong = |detail: &str| Problem::new(Code::InvalidParameter, detail);
    let given = first(request, &DELIVERIES)
        .ok_or_else(|| wrong("The header `X-GitHub-Delivery` is missing."))?;
    let plain = |b: u8| (0x21..=0x7e).contains(&b);
    if given.is_empty() || given.len() > MAX_DELIVERY_BYTES || !given.bytes().all(plain) {
        return Err(wrong("The header `X-GitHub-Delivery` must hold 1 to 100 visible characters."));
    }
    Ok(given)
}

/// What the forge says has happened; `push` when it says nothing.
pub(super) fn event(request: &Request) -> &str {
    first(request, &EVENTS).unwrap_or("push")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of GitHub's documentation, "Validating webhook deliveries".
    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const SIGNATURE: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn with(name: &str, value: &str) -> Request {
        Request::builder().header(name, value).finish()
    }

    #[test]
    fn forges_sign_each_in_their_header() {
        let prefixed = format!("sha256={SIGNATURE}");
        for (name, value) in [
            ("X-Hub-Signature-256", prefixed.as_str()),
            ("X-Gitea-Signature", SIGNATURE),
            ("X-Forgejo-Signature", SIGNATURE),
        ] {
            assert!(is_signed(&with(name, value), BODY, SECRET), "{name}");
            assert!(!is_signed(&with(name, value), b"Hello, World?", SECRET), "{name}");
            assert!(!is_signed(&with(name, value), BODY, "another secret"), "{name}");
        }
    }

    #[test]
    fn anything_else_is_not_signed() {
        let short = format!("sha256={}", &SIGNATURE[..62]);
        for value in ["", "sha256=", "sha1=757107ea0eb2509fc211221cce984b8a37570b6d", &short] {
            assert!(!is_signed(&with("X-Hub-Signature-256", value), BODY, SECRET), "{value}");
        }
        assert!(!is_signed(&with("X-Hub-Signature", SIGNATURE), BODY, SECRET));
        assert!(!is_signed(&Request::default(), BODY, SECRET));
    }
}
