//! Who may tell of pushes upstream: each forge (or repository) has a secret of its own.
use crate::http::access::{Access, Resource};
use crate::http::body::one_line;
use crate::http::caller::Caller;
use crate::http::pages::{CurrentPageQuery, Pager, Total};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::state::ApiState;
use crate::http::strict_text::StrictText;
use crate::http::tag::Tag;
use crate::http::time::{self, Instant};
use crate::http::write::Outcome;
use crate::resources::webhooks::lookup::{example_source, owner};
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Object, OpenApi};
use store::webhooks::sources::{self, MAX_SOURCES, SourceRow};

pub(crate) struct WebhookSourcesApi(pub(crate) ApiState);

const SECRET_BYTES: usize = 32;

failures! {
    /// A list.
    ListSources: InvalidParameter, UnknownParameter, InvalidPageToken
}
failures! {
    /// A source that cannot be made.
    CreateSource:
        InvalidBody, BodyTooLarge, UnsupportedMediaType, UnknownTenant, TooManyWebhooks
}
failures! {
    /// A source that is not there.
    RevokeSource: UnknownParameter, WebhookSourceNotFound
}

/// A forge that may tell of pushes, without its secret.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct WebhookSource {
    /// Its id.
    id: String,
    /// The tenant whose images its pushes rebuild; absent: all images.
    tenant_namespace: Option<String>,
    /// What people call it.
    name: String,
    /// The path that its webhooks are posted to.
    upstream_href: String,
    /// The key that made it.
    created_by: String,
    /// When it was made.
    created_wall: Instant,
    /// When a push of it was last taken.
    last_used_wall: Option<Instant>,
    /// When it was revoked.
    revoked_wall: Option<Instant>,
}

impl From<SourceRow> for WebhookSource {
    fn from(row: SourceRow) -> Self {
        WebhookSource {
            upstream_href: format!("/v1/webhooks/upstream?source={}", row.id),
            id: row.id,
            tenant_namespace: row.tenant_namespace,
            name: row.name,
            created_by: row.created_by,
            created_wall: row.created_wall.into(),
            last_used_wall: row.last_used_wall.map(Instant::from),
            revoked_wall: row.revoked_wall.map(Instant::from),
        }
    }
}

impl Example for WebhookSource {
    fn example() -> Self {
        SourceRow {
            id: example_source(),
            tenant_namespace: None,
            name: "git.example".to_owned(),
            created_by: "0123456789abcdef".to_owned(),
            created_wall: time::example(0).datetime(),
            last_used_wall: None,
            revoked_wall: None,
        }
        .into()
    }
}

/// A page of sources.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct WebhookSourcePage {
    /// The sources, by id; revoked ones too.
    items: Vec<WebhookSource>,
    /// How many there are on all pages.
    total: Total,
    /// For the next page; absent on the last.
    next_page_token: Option<String>,
}

impl Example for WebhookSourcePage {
    fn example() -> Self {
        WebhookSourcePage {
            items: vec![WebhookSource::example()],
            total: 1.into(),
            next_page_token: None,
        }
    }
}

/// A source to be made.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct NewWebhookSource {
    /// What people will call it.
    #[oai(validator(min_length = 1, max_length = 100))]
    name: StrictText,
    /// The tenant whose images its pushes rebuild. Keys of a tenant may leave it out; keys of the
    /// platform leave it out for all images.
    #[oai(validator(min_length = 1, max_length = 63))]
    tenant_namespace: Option<StrictText>,
}

impl Example for NewWebhookSource {
    fn example() -> Self {
        NewWebhookSource { name: "git.example".into(), tenant_namespace: None }
    }
}

/// A new source with its secret.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct CreatedWebhookSource {
    /// What the forge signs with: its webhook's "secret". It is shown this once: it is absent when
    /// the answer is given again under the same `Idempotency-Key`.
    secret: Option<String>,
    /// What is stored.
    source: WebhookSource,
}

impl Example for CreatedWebhookSource {
    fn example() -> Self {
        let secret = Some("a".repeat(2 * SECRET_BYTES));
        CreatedWebhookSource { secret, source: Example::example() }
    }
}

#[derive(ApiResponse)]
enum Created {
    /// The source was made.
    #[oai(status = 201)]
    Source(Json<CreatedWebhookSource>),
}

impl Resource for WebhookSourcesApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("listWebhookSources", Access::Read),
        ("createWebhookSource", Access::Edit),
        ("revokeWebhookSource", Access::Edit),
    ];

    fn new(state: &ApiState) -> Self {
        WebhookSourcesApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Webhooks")]
impl WebhookSourcesApi {
    /// List webhook sources
    #[oai(path = "/v1/webhook-sources", method = "get", operation_id = "listWebhookSources")]
    async fn list(
        &self,
        caller: Caller,
        page: CurrentPageQuery,
    ) -> Result<Json<WebhookSourcePage>, Failure<ListSources>> {
        let mut pager = Pager::<String>::begin(&self.0, &caller, page).await?;
        let limit = pager.limit();
        let (conn, after) = (pager.snapshot.conn(), pager.after.as_deref());
        let total = sources::total(conn).await?.into();
        let mut rows = sources::list(conn, after, limit).await?;
        let next_page_token = pager.end(&mut rows, |row| row.id.clone())?;
        let items = rows.into_iter().map(WebhookSource::from).collect();
        Ok(Json(WebhookSourcePage { items, total, next_page_token }))
    }

    /// Make a webhook source
    ///
    /// Enter `upstream_href` (with this API's host before it) and the secret as a webhook of the
    /// forge, with the content type `application/json` and push events. The secret is shown this
    /// once.
    #[oai(path = "/v1/webhook-sources", method = "post", operation_id = "createWebhookSource")]
    async fn create(
        &self,
        caller: Caller,
        wanted: Json<NewWebhookSource>,
    ) -> Result<Created, Failure<CreateSource>> {
        one_line("/name", &wanted.name)?;
        let mut write = self.0.write(&caller).await?;
        let wanted_namespace = wanted.tenant_namespace.as_deref();
        let tenant = owner(&mut write, &caller, wanted_namespace).await?;
        if sources::count(&mut write, tenant).await? >= MAX_SOURCES {
            let detail = format!("There are {MAX_SOURCES} sources already.");
            return Err(Problem::new(Code::TooManyWebhooks, detail).into());
        }
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret).map_err(Problem::internal)?;
        let secret = hex::encode(secret);
        let made =
            sources::insert(&mut write, tenant, &wanted.name, &secret, &caller.actor).await?;
        let object = format!("/v1/webhook-sources/{}", made.id);
        let mut created = CreatedWebhookSource { secret: None, source: made.into() };
        write
            .commit(Outcome { status: 201, object: &object, location: None, body: &created })
            .await?;
        created.secret = Some(secret);
        Ok(Created::Source(Json(created)))
    }

    /// Revoke a webhook source
    ///
    /// Nothing is taken from it any more.
    #[oai(
        path = "/v1/webhook-sources/:id",
        method = "delete",
        operation_id = "revokeWebhookSource"
    )]
    async fn revoke(
        &self,
        caller: Caller,
        /// The source's id.
        #[oai(example = "example_source")]
        id: Path<String>,
    ) -> Result<Json<WebhookSource>, Failure<RevokeSource>> {
        let missing = || Problem::new(Code::WebhookSourceNotFound, "There is no such source.");
        let fits = id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !fits {
            return Err(missing().into());
        }
        let mut write = self.0.write(&caller).await?;
        let row = sources::revoke(&mut write, &id).await?.ok_or_else(missing)?;
        let source = WebhookSource::from(row);
        let object = format!("/v1/webhook-sources/{}", source.id);
        write
            .commit(Outcome { status: 200, object: &object, location: None, body: &source })
            .await?;
        Ok(Json(source))
    }
}
