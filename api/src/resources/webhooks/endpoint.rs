//! A webhook endpoint, as the API shows it.
use crate::http::examples;
use crate::http::pages::Total;
use crate::http::problem::Problem;
use crate::http::strict_text::StrictText;
use crate::http::time::{self, Instant};
use poem_openapi::types::{Example, MaybeUndefined};
use poem_openapi::{Enum, Object};
use store::webhooks::endpoints::EndpointRow;

/// The window of digests, in seconds, when nobody says.
pub(super) const DEFAULT_DIGEST_SECONDS: i32 = 30;

/// The path of an endpoint.
pub(super) fn href(id: &str) -> String {
    format!("/v1/webhook-endpoints/{id}")
}

/// What a notification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum WebhookKind {
    /// Builds failed; told to the platform's own team.
    BuildFailed,
    /// Critical findings on what the tenant runs.
    CriticalCve,
    /// Timers that used up their warning share.
    SlaAtRisk,
    /// Deadlines that passed.
    SlaBreached,
    /// Missed deadlines that were resolved.
    SlaResolved,
}

impl WebhookKind {
    const ALL: [WebhookKind; 5] = [
        WebhookKind::BuildFailed,
        WebhookKind::CriticalCve,
        WebhookKind::SlaAtRisk,
        WebhookKind::SlaBreached,
        WebhookKind::SlaResolved,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            WebhookKind::BuildFailed => "build_failed",
            WebhookKind::CriticalCve => "critical_cve",
            WebhookKind::SlaAtRisk => "sla_at_risk",
            WebhookKind::SlaBreached => "sla_breached",
            WebhookKind::SlaResolved => "sla_resolved",
        }
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let found = WebhookKind::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| Problem::internal(format!("a stored kind is {text:?}")))
    }
}

/// The least severity that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum LeastSeverity {
    /// Everything that has a severity.
    Low,
    /// Medium and worse.
    Medium,
    /// High and critical.
    High,
    /// Critical alone.
    Critical,
}

impl LeastSeverity {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            LeastSeverity::Low => "low",
            LeastSeverity::Medium => "medium",
            LeastSeverity::High => "high",
            LeastSeverity::Critical => "critical",
        }
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        match text {
            "low" => Ok(LeastSeverity::Low),
            "medium" => Ok(LeastSeverity::Medium),
            "high" => Ok(LeastSeverity::High),
            "critical" => Ok(LeastSeverity::Critical),
            other => Err(Problem::internal(format!("a stored severity is {other:?}"))),
        }
    }
}

/// Where notifications are sent.
#[derive(Clone, Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct WebhookEndpoint {
    /// Its id.
    pub(super) id: String,
    /// The tenant whose notifications it is sent; absent: the platform's own team.
    tenant_namespace: Option<String>,
    /// The address that messages are posted to.
    url: String,
    /// One line for people.
    description: String,
    /// The kinds of notifications it is sent; absent: all.
    kinds: Option<Vec<WebhookKind>>,
    /// Notifications whose worst thing is less severe are not sent; those without a severity are.
    min_severity: Option<LeastSeverity>,
    /// How long notifications are collected before they go out as one message, in seconds of real
    /// time.
    digest_window_seconds: i32,
    /// Whether anything is sent to it.
    enabled: bool,
    /// Why it is disabled: `asked`, or `gone` when it answered 410.
    disabled_reason: Option<String>,
    /// Until when messages are signed with the secret before this one too; absent when they are not.
    previous_secret_until_wall: Option<Instant>,
    /// The key that made it.
    created_by: String,
    /// When it was made.
    created_wall: Instant,
    /// Its deliveries.
    deliveries_href: String,
}

impl WebhookEndpoint {
    pub(super) fn new(row: EndpointRow) -> Result<Self, Problem> {
        let kinds = row.kinds.map(|kinds| kinds.iter().map(|k| WebhookKind::parse(k)).collect());
        let deliveries_href = format!("{}/deliveries", href(&row.id));
        Ok(WebhookEndpoint {
            id: row.id,
            tenant_namespace: row.tenant_namespace,
            url: row.url,
            description: row.description,
            kinds: kinds.transpose()?,
            min_severity: row.min_severity.as_deref().map(LeastSeverity::parse).transpose()?,
            digest_window_seconds: row.digest_seconds,
            enabled: row.disabled_wall.is_none(),
            disabled_reason: row.disabled_reason,
            previous_secret_until_wall: row.previous_secret_until_wall.map(Instant::from),
            created_by: row.created_by,
            created_wall: row.created_wall.into(),
            deliveries_href,
        })
    }
}

impl Example for WebhookEndpoint {
    fn example() -> Self {
        let id = example_endpoint();
        WebhookEndpoint {
            tenant_namespace: Some(examples::TENANT.to_owned()),
            url: "https://hooks.example.com/wavetank".to_owned(),
            description: "the channel of the on-call team".to_owned(),
            kinds: Some(vec![WebhookKind::CriticalCve, WebhookKind::SlaBreached]),
            min_severity: Some(LeastSeverity::High),
            digest_window_seconds: DEFAULT_DIGEST_SECONDS,
            enabled: true,
            disabled_reason: None,
            previous_secret_until_wall: None,
            created_by: "0123456789abcdef".to_owned(),
            created_wall: time::example(0),
            deliveries_href: format!("{}/deliveries", href(&id)),
            id,
        }
    }
}

/// The id of an endpoint, for examples.
pub(crate) fn example_endpoint() -> String {
    "whe_0f6f2a1c9b7d3e580f6f2a1c9b7d3e58".to_owned()
}

/// An endpoint to be made.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct NewWebhookEndpoint {
    /// The address that messages are posted to: https, a public host, no user or password.
    #[oai(validator(min_length = 1, max_length = 2000))]
    pub(super) url: StrictText,
    /// The tenant whose notifications it is sent. Keys of a tenant may leave it out; keys of the
    /// platform leave it out for what concerns the shared catalogue.
    #[oai(validator(min_length = 1, max_length = 63))]
    pub(super) tenant_namespace: Option<StrictText>,
    /// One line for people.
    #[oai(validator(max_length = 200))]
    pub(super) description: Option<StrictText>,
    /// The kinds of notifications it is sent; all when absent or empty.
    #[oai(validator(max_items = 5, unique_items))]
    pub(super) kinds: Option<Vec<WebhookKind>>,
    /// Notifications whose worst thing is less severe are not sent; those without a severity are.
    pub(super) min_severity: Option<LeastSeverity>,
    /// How long notifications are collected before they go out as one message, in seconds of real
    /// time; 30 when absent.
    #[oai(validator(minimum(value = "1"), maximum(value = "86400")))]
    pub(super) digest_window_seconds: Option<i32>,
}

impl Example for NewWebhookEndpoint {
    fn example() -> Self {
        NewWebhookEndpoint {
            url: "https://hooks.example.com/wavetank".into(),
            tenant_namespace: None,
            description: Some("the channel of the on-call team".into()),
            kinds: Some(vec![WebhookKind::CriticalCve, WebhookKind::SlaBreached]),
            min_severity: Some(LeastSeverity::High),
            digest_window_seconds: Some(DEFAULT_DIGEST_SECONDS),
        }
    }
}

/// What is to be changed of an endpoint. Fields that are left out stay.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct WebhookEndpointChange {
    /// Another address.
    #[oai(validator(min_length = 1, max_length = 2000))]
    pub(super) url: Option<StrictText>,
    /// Another line for people.
    #[oai(validator(max_length = 200))]
    pub(super) description: Option<StrictText>,
    /// The kinds of notifications it is sent; all when empty.
    #[oai(validator(max_items = 5, unique_items))]
    pub(super) kinds: Option<Vec<WebhookKind>>,
    /// The least severity that is sent; null: everything.
    pub(super) min_severity: MaybeUndefined<LeastSeverity>,
    /// The window of digests, in seconds of real time.
    #[oai(validator(minimum(value = "1"), maximum(value = "86400")))]
    pub(super) digest_window_seconds: Option<i32>,
    /// Whether anything is sent to it. Disabling gives up what waits; after enabling, what became
    /// known in between is not sent.
    pub(super) enabled: Option<bool>,
}

impl Example for WebhookEndpointChange {
    fn example() -> Self {
        WebhookEndpointChange {
            url: None,
            description: None,
            kinds: None,
            min_severity: MaybeUndefined::Value(LeastSeverity::Critical),
            digest_window_seconds: Some(300),
            enabled: Some(true),
        }
    }
}

/// A new endpoint with its secret.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct CreatedWebhookEndpoint {
    /// What messages to it are signed with (Standard Webhooks, `whsec_` and base64). It is shown
    /// this once: it is absent when the answer is given again under the same `Idempotency-Key`.
    pub(super) secret: Option<String>,
    /// What is stored.
    pub(super) endpoint: WebhookEndpoint,
}

impl Example for CreatedWebhookEndpoint {
    fn example() -> Self {
        CreatedWebhookEndpoint {
            secret: Some(format!("whsec_{}=", "A".repeat(43))),
            endpoint: WebhookEndpoint::example(),
        }
    }
}

/// A page of endpoints.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct WebhookEndpointPage {
    /// The endpoints, by id.
    pub(super) items: Vec<WebhookEndpoint>,
    /// How many there are on all pages.
    pub(super) total: Total,
    /// For the next page; absent on the last.
    pub(super) next_page_token: Option<String>,
}

impl Example for WebhookEndpointPage {
    fn example() -> Self {
        WebhookEndpointPage {
            items: vec![WebhookEndpoint::example()],
            total: 1.into(),
            next_page_token: None,
        }
    }
}
