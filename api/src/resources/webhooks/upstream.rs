//! What forges tell the platform: a push upstream asks for builds. The signature of the message is
//! the only identity of its sender.
mod push;
mod signed;

use crate::auth::Role;
use crate::http::access::{Access, Resource};
use crate::http::body::BodySchema;
use crate::http::caller::{Caller, Inner};
use crate::http::middleware::RequestId;
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::query::{ExampleValue, length, query};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::write::Outcome;
use crate::resources::webhooks::lookup::SOURCE;
use crate::schemas::build::Build;
use poem::Request;
use poem::web::Data;
use poem_openapi::param::Header;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Object, OpenApi};
use push::Received;
use sha2::{Digest, Sha256};
use signed::{SignedBody, delivery, event, is_signed};
use std::sync::Arc;
use store::requests::upstream::{self, PushRequest, Pushed};
use store::webhooks::sources::{Trusted, trusted};

pub(crate) struct WebhooksApi(pub(crate) ApiState);

failures! {
    /// A push that concerns nothing here.
    Push:
        InvalidParameter, InvalidBody, BodyTooLarge, UnsupportedMediaType, InvalidSignature,
        WebhookReplayed, Contradiction, UnknownImage, UnknownRepository, ImageEndOfLife,
        KernelMismatch
}

/// The builds that a push asks for.
#[derive(Object)]
#[oai(example)]
struct PushAccepted {
    /// The builds, one an image, as they wait.
    builds: Vec<Build>,
}

impl Example for PushAccepted {
    fn example() -> Self {
        PushAccepted { builds: vec![Build::example()] }
    }
}

/// A message that asks for nothing.
#[derive(Object)]
#[oai(example)]
struct PushIgnored {
    /// Why nothing is built.
    ignored: String,
}

impl Example for PushIgnored {
    fn example() -> Self {
        PushIgnored { ignored: "only push events ask for builds".to_owned() }
    }
}

/// The answer to a push.
#[derive(ApiResponse)]
enum PushResponse {
    /// The message is genuine, and asks for nothing.
    #[oai(status = 200)]
    Ignored(Json<PushIgnored>),
    /// The builds are pending; the `Location` header says where to watch the first.
    #[oai(status = 202)]
    Accepted(
        Json<PushAccepted>,
        /// Where to watch the first build.
        #[oai(header = "Location")]
        String,
    ),
}

query! {
    /// The parameters of pushUpstream.
    struct PushUpstreamQuery {
        /// The source whose secret signs.
        source: String = length(1, 64).example(ExampleValue::Text(SOURCE)),
    }
}

impl Resource for WebhooksApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[("pushUpstream", Access::Signed)];

    fn new(state: &ApiState) -> Self {
        WebhooksApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Webhooks")]
impl WebhooksApi {
    /// Tell of a push upstream
    ///
    /// Asks for a build of every image that is made from the repository. The first counts as the
    /// release upstream (trigger `upstream`); the others follow it (trigger `manual`).
    ///
    /// No token is needed: the message is signed with the secret of a source (POST
    /// /v1/webhook-sources), as GitHub, Gitea and Forgejo do it. Their push events are understood
    /// as they are; other events, and pushes to other branches than the default one, are answered
    /// with 200 and ignored. `X-Forgejo-*` and `X-Gitea-*` are read like the headers below. A
    /// delivery is taken once, and so is a body: sent again, the answer is `webhook_replayed`.
    #[oai(path = "/v1/webhooks/upstream", method = "post", operation_id = "pushUpstream")]
    async fn upstream(
        &self,
        request: &Request,
        request_id: Data<&RequestId>,
        schema: Data<&Arc<BodySchema>>,
        /// `sha256=` and the hexadecimal HMAC-SHA256 over the body, keyed with the source's secret.
        #[oai(name = "X-Hub-Signature-256", validator(max_length = 100))]
        _signature: Header<Option<String>>,
        /// The forge's name for this delivery, never given twice.
        #[oai(name = "X-GitHub-Delivery", validator(max_length = 100))]
        _delivery: Header<Option<String>>,
        body: SignedBody,
        query: PushUpstreamQuery,
    ) -> Result<PushResponse, Failure<Push>> {
        let trusted = self.sender(request, &query.source, &body.0).await?;
        let delivery = delivery(request)?;
        let received = push::read(event(request), &body.0, schema.0)?;
        let (pushed, revision) = match &received {
            Received::Image { name, revision } => (Pushed::Image(name), revision.as_deref()),
            Received::Repository { address, revision } => {
                (Pushed::Repository(address), revision.as_deref())
            }
            Received::Ignored { why } => {
                return Ok(PushResponse::Ignored(Json(PushIgnored { ignored: (*why).to_owned() })));
            }
        };
        let caller = Caller::new(Inner {
            actor: query.source.clone(),
            name: trusted.name,
            role: Role::Editor,
            tenant: trusted.tenant_namespace,
            expires: u64::MAX,
            operation: "pushUpstream".into(),
            request_id: request_id.0.0.clone(),
            idempotency: None,
        });
        let mut write = self.0.write(&caller).await?;
        let sha256 = Sha256::digest(&body.0);
        let source = query.source.as_str();
        let push = PushRequest { source, delivery, body_sha256: &sha256, pushed, revision };
        let rows = upstream::request(&mut write, caller.requester(), push).await?;
        let builds = rows.into_iter().map(Build::new).collect::<Result<Vec<_>, _>>()?;
        let location = builds.first().map(|build| build.href.clone()).unwrap_or_default();
        let body = PushAccepted { builds };
        let place = Some(location.as_str());
        write
            .commit(Outcome { status: 202, object: &location, location: place, body: &body })
            .await?;
        Ok(PushResponse::Accepted(Json(body), location))
    }
}

impl WebhooksApi {
    /// The source that signed the message. Nobody learns whether a source exists.
    async fn sender(&self, request: &Request, id: &str, body: &[u8]) -> Result<Trusted, Problem> {
        let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let mut tx = self.0.platform_read_tx().await?;
        let found = if plain { trusted(&mut tx, id).await? } else { None };
        found.filter(|source| is_signed(request, body, &source.secret)).ok_or_else(|| {
            let detail = "The message is not signed with the secret of this source.";
            Problem::new(Code::InvalidSignature, detail)
        })
    }
}
