//! A delivery to a webhook endpoint, as the API shows it.
use crate::http::pages::Total;
use crate::http::problem::Problem;
use crate::http::time::{self, Instant};
use crate::resources::webhooks::endpoint::example_endpoint;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Enum, Object};
use store::webhooks::deliveries::DeliveryRow;

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
    const ALL: [DeliveryState; 4] = [
        DeliveryState::Pending,
        DeliveryState::Delivered,
        DeliveryState::Dead,
        DeliveryState::Discarded,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            DeliveryState::Pending => "pending",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Dead => "dead",
            DeliveryState::Discarded => "discarded",
        }
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let found = DeliveryState::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| Problem::internal(format!("a webhook delivery's state is {text:?}")))
    }
}

impl DeliveryKind {
    fn parse(text: &str) -> Result<Self, Problem> {
        match text {
            "notifications" => Ok(DeliveryKind::Notifications),
            "test" => Ok(DeliveryKind::Test),
            _ => Err(Problem::internal(format!("a webhook delivery's kind is {text:?}"))),
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

impl WebhookDelivery {
    pub(super) fn new(row: DeliveryRow) -> Result<Self, Problem> {
        let state = DeliveryState::parse(&row.state)?;
        Ok(WebhookDelivery {
            id: row.id,
            endpoint_id: row.endpoint_id,
            kind: DeliveryKind::parse(&row.kind)?,
            notifications: row.notifications,
            state,
            attempts: row.attempts,
            next_wall: (state == DeliveryState::Pending).then(|| row.next_wall.into()),
            last_status: row.last_status,
            last_error: row.last_error,
            created_wall: row.created_wall.into(),
            attempted_wall: row.attempted_wall.map(Instant::from),
            delivered_wall: row.delivered_wall.map(Instant::from),
        })
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
pub(super) fn example_delivery() -> String {
    "msg_7c1d2e3f4a5b60718293a4b5c6d7e8f9".to_owned()
}

/// The answer to what is to be sent.
#[derive(ApiResponse)]
pub(super) enum Queued {
    /// It is sent within a second or two; the endpoint's deliveries tell what became of it.
    #[oai(status = 202)]
    Delivery(Json<WebhookDelivery>),
}
