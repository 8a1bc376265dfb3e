//! `Idempotency-Key`: the same request under the same key is done once, and answered the same.
use crate::http::caller::{Caller, Idempotency, Inner};
use crate::http::problem::{Code, Problem};
use crate::http::state::ApiState;
use poem::http::{Method, StatusCode, header};
use poem::{Request, Response};
use sha2::{Digest, Sha256};

/// The header of requests.
pub(crate) const HEADER: &str = "Idempotency-Key";
/// The header of an answer that was given before.
pub(crate) const REPLAYED: &str = "Idempotency-Replayed";
const MAX_BYTES: usize = 128;

/// The caller with the key that the request carries. The body must have been read before.
pub(crate) async fn of(request: &mut Request, caller: Caller) -> Result<Caller, Problem> {
    let Some(given) = request.headers().get(HEADER).filter(|_| request.method() == Method::POST)
    else {
        return Ok(caller);
    };
    let plain = |b: u8| (0x21..=0x7e).contains(&b);
    let bytes = given.as_bytes();
    if bytes.is_empty() || bytes.len() > MAX_BYTES || !bytes.iter().copied().all(plain) {
        let detail = format!(
            "The header `{HEADER}` must hold 1 to {MAX_BYTES} visible ASCII \
                              characters."
        );
        return Err(Problem::new(Code::InvalidParameter, detail));
    }
    let key = String::from_utf8_lossy(bytes).into_owned();
    let body = request.take_body().into_bytes().await.map_err(Problem::internal)?;
    let mut hash = Sha256::new();
    hash.update(format!("{} {}\n", request.method(), request.uri()));
    hash.update(&body);
    request.set_body(body);
    let request_hash = hash.finalize().into();
    let inner = Inner::clone(&caller);
    Ok(Caller::new(Inner { idempotency: Some(Idempotency { key, request_hash }), ..inner }))
}

/// The answer that was given to this request before.
pub(crate) async fn answered(
    state: &ApiState,
    caller: &Caller,
) -> Result<Option<Response>, Problem> {
    let Some(given) = &caller.idempotency else { return Ok(None) };
    let mut tx = state.platform_read_tx().await?;
    let found = store::idempotency::find(&mut tx, &caller.actor, &given.key).await?;
    let Some(found) = found else { return Ok(None) };
    if found.request_hash != given.request_hash {
        let detail = "Another request was sent under this `Idempotency-Key` before.";
        return Err(Problem::new(Code::IdempotencyKeyReused, detail));
    }
    let status = u16::try_from(found.status).ok().and_then(|s| StatusCode::from_u16(s).ok());
    let mut response = Response::builder()
        .status(status.ok_or_else(|| Problem::internal("a stored status is none"))?)
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .header(REPLAYED, "true");
    if let Some(location) = found.location {
        response = response.header(header::LOCATION, location);
    }
    Ok(Some(response.body(found.body)))
}
