//! What is sent to webhook endpoints, what became of it, and what is done about what never arrived.
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::pages::Total;
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::tag::Tag;
use crate::http::state::ApiState;
use crate::http::time::{self, Instant};
use crate::resources::webhooks::endpoints::model::example_endpoint;
use crate::resources::webhooks::endpoints::{disabled, plain};
use crate::http::write::{Done, Write};
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use store::webhooks::deliveries::{self, DeliveryRow};

pub(crate) struct WebhookDeliveriesApi(pub(crate) ApiState);

failures! {
    /// A delivery that cannot be sent again.
    RetryDelivery:
        UnknownParameter, WebhookDeliveryNotFound, WebhookDelivered, WebhookDisabled, WebhookNotDead
}
failures! {
    /// A delivery that cannot be given up.
    DiscardDelivery: UnknownParameter, WebhookDeliveryNotFound, WebhookNotDead
}

/// What a delivery carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum DeliveryKind {
    /// One notification or a digest of several.
    Notifications,
    /// A test that somebody asked for.
    Test,
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum DeliveryState {
    /// It waits for the end of its window or for its next attempt, or is being sent.
    Pending,
    /// It arrived: the endpoint answered with 2xx.
    Delivered,
    /// All attempts failed: it waits until somebody retries or discards it.
    Dead,
    /// Somebody gave it up.
    Discarded,
}

impl DeliveryState {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            DeliveryState::Pending => "pending",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Dead => "dead",
            DeliveryState::Discarded => "discarded",
        }
    }
}

/// A message to an endpoint.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct WebhookDelivery {
    /// Its id: the header `webhook-id`, the same for all its attempts.
    pub(super) id: String,
    /// The endpoint.
    endpoint_id: String,
    /// What it carries.
    kind: DeliveryKind,
    /// How many notifications it carries.
    notifications: i32,
    /// How far it is.
    state: DeliveryState,
    /// How often it was sent.
    attempts: i32,
    /// When it is sent next, while it is pending.
    next_wall: Option<Instant>,
    /// The HTTP status of the last answer.
    last_status: Option<i32>,
    /// What went wrong the last time.
    last_error: Option<String>,
    /// When it was made.
    created_wall: Instant,
    /// When it was last sent.
    attempted_wall: Option<Instant>,
    /// When it arrived.
    delivered_wall: Option<Instant>,
}

impl From<DeliveryRow> for WebhookDelivery {
    fn from(row: DeliveryRow) -> Self {
        let state = match row.state.as_str() {
            "delivered" => DeliveryState::Delivered,
            "dead" => DeliveryState::Dead,
            "discarded" => DeliveryState::Discarded,
            _ => DeliveryState::Pending,
        };
        let is_test = row.kind == "test";
        WebhookDelivery {
            id: row.id,
            endpoint_id: row.endpoint_id,
            kind: if is_test { DeliveryKind::Test } else { DeliveryKind::Notifications },
            notifications: row.notifications,
            state,
            attempts: row.attempts,
            next_wall: (state == DeliveryState::Pending).then(|| row.next_wall.into()),
            last_status: row.last_status,
            last_error: row.last_error,
            created_wall: row.created_wall.into(),
            attempted_wall: row.attempted_wall.map(Instant::from),
            delivered_wall: row.delivered_wall.map(Instant::from),
        }
    }
}

impl Example for WebhookDelivery {
    fn example() -> Self {
        WebhookDelivery {
            id: example_delivery(),
            endpoint_id: example_endpoint(),
            kind: DeliveryKind::Notifications,
            notifications: 3,
            state: DeliveryState::Pending,
            attempts: 1,
            next_wall: Some(time::example(1)),
            last_status: Some(503),
            last_error: Some("it answered 503".to_owned()),
            created_wall: time::example(0),
            attempted_wall: Some(time::example(0)),
            delivered_wall: None,
        }
    }
}

/// A page of deliveries.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct WebhookDeliveryPage {
    /// The deliveries, the latest first.
    pub(super) items: Vec<WebhookDelivery>,
    /// How many there are on all pages.
    pub(super) total: Total,
    /// For the next page; absent on the last.
    pub(super) next_page_token: Option<String>,
}

impl Example for WebhookDeliveryPage {
    fn example() -> Self {
        WebhookDeliveryPage {
            items: vec![WebhookDelivery::example()],
            total: 1.into(),
            next_page_token: None,
        }
    }
}

/// The id of a delivery, for examples.
fn example_delivery() -> String {
    "msg_7c1d2e3f4a5b60718293a4b5c6d7e8f9".to_owned()
}

/// The answer to what is to be sent.
#[derive(ApiResponse)]
pub(super) enum Queued {
    /// It is sent within a second or two; the endpoint's deliveries tell what became of it.
    #[oai(status = 202)]
    Delivery(Json<WebhookDelivery>),
}

impl Resource for WebhookDeliveriesApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("retryWebhookDelivery", Access::Edit),
        ("discardWebhookDelivery", Access::Edit),
    ];

    fn new(state: &ApiState) -> Self {
        WebhookDeliveriesApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Webhooks")]
impl WebhookDeliveriesApi {
    /// Send a webhook delivery again
    ///
    /// One that is dead, or that waits for its next attempt: it is sent at once, with all its
    /// attempts before it again, under the same `webhook-id`.
    #[oai(
        path = "/v1/webhook-deliveries/:id/retry",
        method = "post",
        operation_id = "retryWebhookDelivery"
    )]
    async fn retry(
        &self,
        caller: Caller,
        /// The delivery's id.
        #[oai(example = "example_delivery")]
        id: Path<String>,
    ) -> Result<Queued, Failure<RetryDelivery>> {
        let mut write = self.0.write(&caller).await?;
        let (row, enabled) = locked(&mut write, &id).await?;
        match row.state.as_str() {
            "delivered" => {
                let detail = "The delivery has arrived.";
                return Err(Problem::new(Code::WebhookDelivered, detail).into());
            }
            "discarded" => return Err(not_dead("It was given up.").into()),
            _ if !enabled => return Err(disabled().into()),
            _ => {}
        }
        let delivery = WebhookDelivery::from(deliveries::retry(&mut write, &row.id).await?);
        commit(write, 202, &delivery).await?;
        Ok(Queued::Delivery(Json(delivery)))
    }

    /// Give a webhook delivery up
    ///
    /// One that is dead: it leaves the dead letter without being sent, and cannot be sent again.
    #[oai(
        path = "/v1/webhook-deliveries/:id/discard",
        method = "post",
        operation_id = "discardWebhookDelivery"
    )]
    async fn discard(
        &self,
        caller: Caller,
        /// The delivery's id.
        #[oai(example = "example_delivery")]
        id: Path<String>,
    ) -> Result<Json<WebhookDelivery>, Failure<DiscardDelivery>> {
        let mut write = self.0.write(&caller).await?;
        let (row, _) = locked(&mut write, &id).await?;
        if row.state != "dead" {
            return Err(not_dead(&format!("It is {}.", row.state)).into());
        }
        let delivery = WebhookDelivery::from(deliveries::discard(&mut write, &row.id).await?);
        commit(write, 200, &delivery).await?;
        Ok(Json(delivery))
    }
}

/// A delivery, locked, and whether its endpoint takes anything.
async fn locked(write: &mut Write, id: &str) -> Result<(DeliveryRow, bool), Problem> {
    let missing = || Problem::new(Code::WebhookDeliveryNotFound, "There is no such delivery.");
    deliveries::lock(write, plain(id).ok_or_else(missing)?).await?.ok_or_else(missing)
}

async fn commit(write: Write, status: u16, delivery: &WebhookDelivery) -> Result<(), Problem> {
    let object = format!("/v1/webhook-deliveries/{}", delivery.id);
    write.commit(Done { status, object: &object, location: None, body: delivery }).await
}

fn not_dead(detail: &str) -> Problem {
    Problem::new(Code::WebhookNotDead, detail)
}
