//! A new secret for a webhook endpoint, beside which the old one holds for a while.
use super::endpoint::{WebhookEndpoint, href};
use super::lookup::{no_endpoint, plain};
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::problem::{Failure, Problem, failures};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::write::Outcome;
use jobs::webhooks::SigningSecret;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use store::webhooks::endpoints;

/// How long both secrets hold when nobody says, in seconds: a day.
const DEFAULT_OVERLAP_SECONDS: u32 = 86_400;

pub(crate) struct WebhookSecretsApi(pub(crate) ApiState);

failures! {
    /// A secret that cannot be put in another's place.
    RotateSecret:
        UnknownParameter, InvalidBody, BodyTooLarge, UnsupportedMediaType, WebhookEndpointNotFound
}

/// How the secret of an endpoint is to be replaced.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct SecretRotation {
    /// How long messages are signed with both secrets, in seconds of real time; a day when absent,
    /// 0: not at all.
    #[oai(validator(maximum(value = "604800")))]
    overlap_seconds: Option<u32>,
}

impl Example for SecretRotation {
    fn example() -> Self {
        SecretRotation { overlap_seconds: Some(DEFAULT_OVERLAP_SECONDS) }
    }
}

/// An endpoint with its new secret.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct RotatedSecret {
    /// What messages are signed with from now on. It is shown this once: it is absent when the
    /// answer is given again under the same `Idempotency-Key`.
    secret: Option<String>,
    /// The endpoint; `previous_secret_until_wall` says how long the old secret holds too.
    endpoint: WebhookEndpoint,
}

impl Example for RotatedSecret {
    fn example() -> Self {
        RotatedSecret {
            secret: Some(format!("whsec_{}=", "B".repeat(43))),
            endpoint: WebhookEndpoint::example(),
        }
    }
}

impl Resource for WebhookSecretsApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[("rotateWebhookSecret", Access::Edit)];

    fn new(state: &ApiState) -> Self {
        WebhookSecretsApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Webhooks")]
impl WebhookSecretsApi {
    /// Replace the secret of a webhook endpoint
    ///
    /// From now on messages are signed with a new secret. For a while they carry a second signature,
    /// by the old one: `webhook-signature` lists both, the new one first, with a space between, as
    /// Standard Webhooks has it, and a receiver takes a message that either fits. Two secrets hold
    /// at most: replacing the secret again ends the one before the last at once.
    #[oai(
        path = "/v1/webhook-endpoints/:id/rotate-secret",
        method = "post",
        operation_id = "rotateWebhookSecret"
    )]
    async fn rotate(
        &self,
        caller: Caller,
        /// The endpoint's id.
        id: Path<String>,
        wanted: Json<SecretRotation>,
    ) -> Result<Json<RotatedSecret>, Failure<RotateSecret>> {
        let id = plain(&id).ok_or_else(no_endpoint)?;
        let overlap_seconds = wanted.overlap_seconds.unwrap_or(DEFAULT_OVERLAP_SECONDS);
        let secret = SigningSecret::generate().map_err(Problem::internal)?;
        let mut write = self.0.write(&caller).await?;
        let row = endpoints::rotate(&mut write, id, secret.reveal(), overlap_seconds).await?;
        let endpoint = WebhookEndpoint::new(row.ok_or_else(no_endpoint)?)?;
        let object = href(&endpoint.id);
        let mut rotated = RotatedSecret { secret: None, endpoint };
        write
            .commit(Outcome { status: 200, object: &object, location: None, body: &rotated })
            .await?;
        rotated.secret = Some(secret.reveal().to_owned());
        Ok(Json(rotated))
    }
}
