//! What forges tell the platform: a push upstream asks for builds. The signature of the message is
//! the only identity of its sender.
mod push;
mod signed;

use crate::http::access::{Access, Resource};
use crate::schemas::build::Build;
use crate::http::caller::{Caller, Inner};
use crate::http::middleware::RequestId;
use crate::http::lookup::{is_name, ordinal};
use crate::resources::images::create::{Pending, insert_pending};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::tag::Tag;
use crate::http::snapshot::world;
use crate::http::state::ApiState;
use crate::resources::webhooks::sources::example_source;
use crate::http::write::Done;
use crate::auth::Role;
use chrono::{DateTime, Utc};
use poem::Request;
use poem::web::Data;
use poem_openapi::param::{Header, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Object, OpenApi};
use push::{Wish, last_part};
use sha2::{Digest, Sha256};
use signed::{SignedBody, delivery, event, is_signed};
use sim::command::Command;
use sim::fact::Cause;
use sim::ids::{BuildId, ImageId};
use sqlx::PgConnection;
use std::sync::Arc;
use store::read::definitions::{Source, definition, of_source};
use store::webhooks::sources::{Trusted, receive, trusted};

/// The most images that one push rebuilds.
const MAX_IMAGES: i64 = 100;
/// Who asks for the builds of the other images that are made from the same source.
const REQUESTED_BY: &str = "upstream webhook";

pub(crate) struct WebhooksApi(pub(crate) ApiState);

failures! {
    /// A push that concerns nothing here.
    Push:
        InvalidParameter, InvalidBody, BodyTooLarge, UnsupportedMediaType, InvalidSignature,
        WebhookReplayed, Contradiction, UnknownImage, UnknownRepository, ImageEndOfLife,
        OtherKernel
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

impl Resource for WebhooksApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("pushUpstream", Access::Signed),
    ];

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
        /// The source whose secret signs.
        #[oai(validator(min_length = 1, max_length = 64), example = "example_source")]
        source: Query<String>,
        /// `sha256=` and the hexadecimal HMAC-SHA256 over the body, keyed with the source's secret.
        #[oai(name = "X-Hub-Signature-256", validator(max_length = 100))]
        _signature: Header<Option<String>>,
        /// The forge's name for this delivery, never given twice.
        #[oai(name = "X-GitHub-Delivery", validator(max_length = 100))]
        _delivery: Header<Option<String>>,
        body: SignedBody,
    ) -> Result<PushResponse, Failure<Push>> {
        let trusted = self.sender(request, &source, &body.0).await?;
        let delivery = delivery(request)?;
        let wish = push::read(event(request), &body.0)?;
        if let Wish::Ignored { why } = wish {
            return Ok(PushResponse::Ignored(Json(PushIgnored { ignored: why.to_owned() })));
        }
        let caller = Caller::new(Inner {
            actor: source.0.clone(),
            name: trusted.name,
            role: Role::Editor,
            tenant: trusted.tenant_namespace,
            expires: u64::MAX,
            operation: "pushUpstream".into(),
            request_id: request_id.0.0.clone(),
            idempotency: None,
        });
        let mut write = self.0.write(&caller).await?;
        store::commands::lock(&mut write).await?;
        let sha256 = Sha256::digest(&body.0);
        if !receive(&mut write, &source, caller.tenant(), delivery, &sha256).await? {
            let detail = "This delivery, or its body, was taken before.";
            return Err(Problem::new(Code::WebhookReplayed, detail).into());
        }
        let builds = submit(&mut write, wish, caller.tenant()).await?;
        let Some(first) = builds.first() else {
            let detail = "No image made from it is built any more.";
            return Err(Problem::new(Code::ImageEndOfLife, detail).into());
        };
        let location = first.href.clone();
        let body = PushAccepted { builds };
        let place = Some(location.as_str());
        write.commit(Done { status: 202, object: &location, location: place, body: &body }).await?;
        Ok(PushResponse::Accepted(Json(body), location))
    }
}

impl WebhooksApi {
    /// The source that signed the message. Nobody learns whether a source exists.
    async fn sender(&self, request: &Request, id: &str, body: &[u8]) -> Result<Trusted, Problem> {
        let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let mut tx = self.0.platform_snapshot().await?;
        let found = if plain { trusted(&mut tx, id).await? } else { None };
        found.filter(|source| is_signed(request, body, &source.secret)).ok_or_else(|| {
            let detail = "The message is not signed with the secret of this source.";
            Problem::new(Code::InvalidSignature, detail)
        })
    }
}

/// Asks for the builds of all images that the push concerns and that are still built.
async fn submit(
    conn: &mut PgConnection,
    wish: Wish,
    tenant: Option<&str>,
) -> Result<Vec<Build>, Problem> {
    let position = world(conn).await?;
    let (mut sources, revision) = concerned(conn, wish, tenant).await?;
    let built = |end: Option<DateTime<Utc>>| end.is_none_or(|end| end > position.released_through);
    sources.retain(|source| built(source.end_of_life_at));
    let mut builds = Vec::with_capacity(sources.len());
    for source in sources {
        let image = ImageId(ordinal(source.id)?);
        let asked = Asked { image, first: builds.is_empty(), revision: &revision };
        let make = |sequence| asked.command(BuildId::of_command(sequence));
        let sequence = store::commands::submit_for(conn, &source.tenant_namespace, make)
            .await
            .map_err(Problem::from)?;
        let pending = Pending { image_id: source.id, tenant_namespace: &source.tenant_namespace };
        let cause = asked.cause();
        builds.push(insert_pending(conn, sequence, pending, &cause, &position).await?);
    }
    Ok(builds)
}

/// A build that a push asks for. Only the first image's counts as the release upstream, for one
/// push is one release, however many images are made from it.
struct Asked<'a> {
    image: ImageId,
    first: bool,
    revision: &'a Option<Arc<str>>,
}

impl Asked<'_> {
    fn command(&self, build: BuildId) -> Command {
        let image = self.image;
        if self.first {
            return Command::UpstreamChanged { build, image, revision: self.revision.clone() };
        }
        let requested_by = Some(REQUESTED_BY.into());
        Command::BuildImage { build, image, create: None, requested_by, external: false }
    }

    fn cause(&self) -> Cause {
        if self.first {
            return Cause::Upstream { release: None, revision: self.revision.clone() };
        }
        Cause::Manual { requested_by: Some(REQUESTED_BY.into()), external: false }
    }
}

/// The images that the push concerns, and its revision. A tenant's source rebuilds that tenant's
/// images alone.
async fn concerned(
    conn: &mut PgConnection,
    wish: Wish,
    tenant: Option<&str>,
) -> Result<(Vec<Source>, Option<Arc<str>>), Problem> {
    let theirs = |owner: &str| tenant.is_none_or(|tenant| tenant == owner);
    match wish {
        Wish::Image { name, revision } => {
            let found = if is_name(&name) { definition(conn, &name).await? } else { None };
            let found = found.filter(|found| theirs(&found.tenant_namespace)).ok_or_else(|| {
                Problem::new(Code::UnknownImage, format!("There is no image {name:?}."))
            })?;
            let source = Source {
                id: found.id,
                tenant_namespace: found.tenant_namespace,
                end_of_life_at: found.end_of_life_at,
            };
            Ok((vec![source], revision.map(Arc::from)))
        }
        Wish::Repository { address, revision } => {
            let found = match last_part(&address) {
                Some(name) => of_source(conn, name, tenant, MAX_IMAGES).await?,
                None => Vec::new(),
            };
            if found.is_empty() {
                let detail = format!("No image is built from {address:?}.");
                return Err(Problem::new(Code::UnknownRepository, detail));
            }
            Ok((found, revision.map(Arc::from)))
        }
        Wish::Ignored { .. } => Ok((Vec::new(), None)),
    }
}
