//! Outgoing webhooks: where notifications are sent. The API writes down what is to be sent; a
//! dispatcher sends it (`jobs::webhooks`); what became of it is in `deliveries.rs`.

use crate::http::access::{Access, Resource};
use crate::http::body::one_line;
use crate::http::caller::Caller;
use crate::http::pages::{CurrentPageQuery, Pager};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::query::query;
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::write::Outcome;
use crate::resources::webhooks::delivery::{
    DeliveryState, Queued, WebhookDelivery, WebhookDeliveryPage,
};
use crate::resources::webhooks::endpoint::{
    CreatedWebhookEndpoint, DEFAULT_DIGEST_SECONDS, NewWebhookEndpoint, WebhookEndpoint,
    WebhookEndpointChange, WebhookEndpointPage, WebhookKind, example_endpoint, href,
};
use crate::resources::webhooks::lookup::{disabled, no_endpoint, one_endpoint, owner, plain};
use jobs::webhooks::{SigningSecret, Target};
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{ApiResponse, OpenApi};
use store::webhooks::endpoints::{Change, MAX_ENDPOINTS, NewEndpoint};
use store::webhooks::{deliveries, endpoints};

pub(crate) struct WebhookEndpointsApi(pub(crate) ApiState);

failures! {
    /// A list of endpoints.
    ListEndpoints: InvalidParameter, UnknownParameter, InvalidPageToken
}
failures! {
    /// An endpoint that cannot be made.
    CreateEndpoint:
        InvalidBody, BodyTooLarge, UnsupportedMediaType, UnknownTenant, WebhookUrlRefused,
        TooManyWebhooks
}
failures! {
    /// One endpoint.
    OneEndpoint: UnknownParameter, WebhookEndpointNotFound
}
failures! {
    /// A change of an endpoint.
    ChangeEndpoint:
        UnknownParameter, InvalidBody, BodyTooLarge, UnsupportedMediaType, WebhookUrlRefused,
        WebhookEndpointNotFound
}
failures! {
    /// A list of deliveries.
    ListDeliveries:
        InvalidParameter, UnknownParameter, InvalidPageToken, StalePageToken, WebhookEndpointNotFound
}
failures! {
    /// A test of an endpoint.
    TestEndpoint: UnknownParameter, WebhookEndpointNotFound, WebhookDisabled, TooManyWebhooks
}
/// The answer to a new endpoint.
#[derive(ApiResponse)]
enum Created {
    /// The endpoint was made; the `Location` header says where it is.
    #[oai(status = 201)]
    Endpoint(
        Json<CreatedWebhookEndpoint>,
        /// Where the endpoint is.
        #[oai(header = "Location")]
        String,
    ),
}

query! {
    /// The parameters of listWebhookDeliveries.
    struct ListWebhookDeliveriesQuery {
        /// Only those in this state: `dead` lists the dead letter.
        state: Option<DeliveryState>,
    }
}

impl Resource for WebhookEndpointsApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("listWebhookEndpoints", Access::Read),
        ("createWebhookEndpoint", Access::Edit),
        ("getWebhookEndpoint", Access::Read),
        ("changeWebhookEndpoint", Access::Edit),
        ("deleteWebhookEndpoint", Access::Edit),
        ("listWebhookDeliveries", Access::Read),
        ("testWebhookEndpoint", Access::Edit),
    ];

    fn new(state: &ApiState) -> Self {
        WebhookEndpointsApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Webhooks")]
impl WebhookEndpointsApi {
    /// List webhook endpoints
    #[oai(path = "/v1/webhook-endpoints", method = "get", operation_id = "listWebhookEndpoints")]
    async fn list(
        &self,
        caller: Caller,
        page: CurrentPageQuery,
    ) -> Result<Json<WebhookEndpointPage>, Failure<ListEndpoints>> {
        let mut pager = Pager::<String>::begin(&self.0, &caller, page).await?;
        let limit = pager.limit();
        let (conn, after) = (pager.snapshot.conn(), pager.after.as_deref());
        let total = endpoints::total(conn).await?.into();
        let mut rows = endpoints::list(conn, after, limit).await?;
        let next_page_token = pager.end(&mut rows, |row| row.id.clone())?;
        let items = rows.into_iter().map(WebhookEndpoint::new).collect::<Result<_, _>>()?;
        Ok(Json(WebhookEndpointPage { items, total, next_page_token }))
    }

    /// Make a webhook endpoint
    ///
    /// Notifications that become known from now on are posted to it, as CloudEvents 1.0
    /// (`application/cloudevents+json`), signed as Standard Webhooks has it (`webhook-id`,
    /// `webhook-timestamp`, `webhook-signature`). Several within a window go out as one event
    /// (`dev.wavetank.notification.digest.v1`). Any 2xx counts as arrived; everything else is
    /// tried again, 12 times over some hours, and then waits in the dead letter. The secret is
    /// shown this once.
    #[oai(path = "/v1/webhook-endpoints", method = "post", operation_id = "createWebhookEndpoint")]
    async fn create(
        &self,
        caller: Caller,
        wanted: Json<NewWebhookEndpoint>,
    ) -> Result<Created, Failure<CreateEndpoint>> {
        let url = self.checked(&wanted.url)?;
        let description = described(wanted.description.as_deref().unwrap_or_default())?;
        let kinds = names(wanted.kinds.as_deref());
        let mut write = self.0.write(&caller).await?;
        let wanted_namespace = wanted.tenant_namespace.as_deref();
        let tenant = owner(&mut write, &caller, wanted_namespace).await?;
        if endpoints::count(&mut write, tenant).await? >= MAX_ENDPOINTS {
            let detail = format!("There are {MAX_ENDPOINTS} endpoints already.");
            return Err(Problem::new(Code::TooManyWebhooks, detail).into());
        }
        let secret = SigningSecret::generate().map_err(Problem::internal)?;
        let new = NewEndpoint {
            tenant_namespace: tenant,
            url: &url,
            description,
            secret: secret.reveal(),
            kinds: kinds.as_deref().filter(|kinds| !kinds.is_empty()),
            min_severity: wanted.min_severity.map(|least| least.as_str()),
            digest_seconds: wanted.digest_window_seconds.unwrap_or(DEFAULT_DIGEST_SECONDS),
            created_by: &caller.actor,
        };
        let row = endpoints::insert(&mut write, &new).await?;
        let object = href(&row.id);
        let endpoint = WebhookEndpoint::new(row)?;
        let mut created = CreatedWebhookEndpoint { secret: None, endpoint };
        let location = Some(object.as_str());
        write.commit(Outcome { status: 201, object: &object, location, body: &created }).await?;
        created.secret = Some(secret.reveal().to_owned());
        Ok(Created::Endpoint(Json(created), object))
    }

    /// Read a webhook endpoint
    #[oai(path = "/v1/webhook-endpoints/:id", method = "get", operation_id = "getWebhookEndpoint")]
    async fn get(
        &self,
        caller: Caller,
        /// The endpoint's id.
        #[oai(example = "example_endpoint")]
        id: Path<String>,
    ) -> Result<Json<WebhookEndpoint>, Failure<OneEndpoint>> {
        let mut tx = self.0.read_tx(&caller).await?;
        Ok(Json(WebhookEndpoint::new(one_endpoint(&mut tx, &id).await?)?))
    }

    /// Change a webhook endpoint
    ///
    /// What is already on its way still goes to where it was going. An endpoint that answered 410
    /// is disabled; this enables it again.
    #[oai(
        path = "/v1/webhook-endpoints/:id",
        method = "patch",
        operation_id = "changeWebhookEndpoint"
    )]
    async fn change(
        &self,
        caller: Caller,
        /// The endpoint's id.
        #[oai(example = "example_endpoint")]
        id: Path<String>,
        wanted: Json<WebhookEndpointChange>,
    ) -> Result<Json<WebhookEndpoint>, Failure<ChangeEndpoint>> {
        let url = wanted.url.as_deref().map(|url| self.checked(url)).transpose()?;
        let kinds = names(wanted.kinds.as_deref());
        let change = Change {
            url: url.as_deref(),
            description: wanted.description.as_deref().map(described).transpose()?,
            kinds: kinds.as_deref(),
            min_severity: match &wanted.min_severity {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(None),
                MaybeUndefined::Value(least) => Some(Some(least.as_str())),
            },
            digest_seconds: wanted.digest_window_seconds,
            enabled: wanted.enabled,
        };
        let id = plain(&id).ok_or_else(no_endpoint)?;
        let mut write = self.0.write(&caller).await?;
        let row = endpoints::update(&mut write, id, &change).await?.ok_or_else(no_endpoint)?;
        let endpoint = WebhookEndpoint::new(row)?;
        let object = href(&endpoint.id);
        write
            .commit(Outcome { status: 200, object: &object, location: None, body: &endpoint })
            .await?;
        Ok(Json(endpoint))
    }

    /// Delete a webhook endpoint
    ///
    /// With all its deliveries. The answer is what it was.
    #[oai(
        path = "/v1/webhook-endpoints/:id",
        method = "delete",
        operation_id = "deleteWebhookEndpoint"
    )]
    async fn delete(
        &self,
        caller: Caller,
        /// The endpoint's id.
        #[oai(example = "example_endpoint")]
        id: Path<String>,
    ) -> Result<Json<WebhookEndpoint>, Failure<OneEndpoint>> {
        let mut write = self.0.write(&caller).await?;
        let endpoint = WebhookEndpoint::new(one_endpoint(&mut write, &id).await?)?;
        if !endpoints::delete(&mut write, &endpoint.id).await? {
            return Err(no_endpoint().into());
        }
        let object = href(&endpoint.id);
        write
            .commit(Outcome { status: 200, object: &object, location: None, body: &endpoint })
            .await?;
        Ok(Json(endpoint))
    }

    /// List the deliveries of a webhook endpoint
    ///
    /// The latest first. What ended is kept for 30 days.
    #[oai(
        path = "/v1/webhook-endpoints/:id/deliveries",
        method = "get",
        operation_id = "listWebhookDeliveries"
    )]
    async fn deliveries(
        &self,
        caller: Caller,
        /// The endpoint's id.
        #[oai(example = "example_endpoint")]
        id: Path<String>,
        query: ListWebhookDeliveriesQuery,
        page: CurrentPageQuery,
    ) -> Result<Json<WebhookDeliveryPage>, Failure<ListDeliveries>> {
        let state = query.state.map(DeliveryState::as_str);
        let mut pager = Pager::<i64>::begin(&self.0, &caller, page.of_world()).await?;
        let (before, limit) = (pager.after, pager.limit());
        let conn = pager.snapshot.conn();
        let endpoint = one_endpoint(conn, &id).await?.id;
        let total = deliveries::total(conn, &endpoint, state).await?.into();
        let mut rows = deliveries::list(conn, &endpoint, state, before, limit).await?;
        let next_page_token = pager.end(&mut rows, |row| row.seq)?;
        let items = rows.into_iter().map(WebhookDelivery::new).collect::<Result<_, _>>()?;
        Ok(Json(WebhookDeliveryPage { items, total, next_page_token }))
    }

    /// Test a webhook endpoint
    ///
    /// Sends an event of the type `dev.wavetank.webhook.test.v1`, signed like all others.
    #[oai(
        path = "/v1/webhook-endpoints/:id/test",
        method = "post",
        operation_id = "testWebhookEndpoint"
    )]
    async fn test(
        &self,
        caller: Caller,
        /// The endpoint's id.
        #[oai(example = "example_endpoint")]
        id: Path<String>,
    ) -> Result<Queued, Failure<TestEndpoint>> {
        let mut write = self.0.write(&caller).await?;
        let endpoint = one_endpoint(&mut write, &id).await?;
        if endpoint.disabled_wall.is_some() {
            return Err(disabled().into());
        }
        if deliveries::waiting_tests(&mut write, &endpoint.id).await? >= deliveries::MAX_TESTS {
            let detail = "Earlier tests of this endpoint still wait.";
            return Err(Problem::new(Code::TooManyWebhooks, detail).into());
        }
        let tenant = endpoint.tenant_namespace.as_deref();
        let row = deliveries::insert_test(&mut write, &endpoint.id, tenant).await?;
        let delivery = WebhookDelivery::new(row)?;
        let object = href(&endpoint.id);
        write
            .commit(Outcome { status: 202, object: &object, location: None, body: &delivery })
            .await?;
        Ok(Queued::Delivery(Json(delivery)))
    }
}

impl WebhookEndpointsApi {
    /// An address as it will be called, when it may be.
    fn checked(&self, url: &str) -> Result<String, Problem> {
        let target = Target::parse(url, self.0.webhook_policy()).map_err(|why| {
            Problem::new(Code::WebhookUrlRefused, format!("The address cannot be used: {why}."))
        })?;
        Ok(target.url.into())
    }
}

fn names(kinds: Option<&[WebhookKind]>) -> Option<Vec<&'static str>> {
    kinds.map(|kinds| kinds.iter().map(|kind| kind.as_str()).collect())
}

fn described(text: &str) -> Result<&str, Problem> {
    one_line("/description", text)
}
