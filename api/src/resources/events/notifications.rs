//! What customers and the platform's own team were told.
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::examples;
use crate::http::lookup;
use crate::http::order::{ByTime, direction};
use crate::http::pages::{PageQuery, Pager, page};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::query::{AsOf, length, query};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::time::{self, Instant};
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::{Any, Example, ToJSON};
use poem_openapi::{Enum, Object, OpenApi};
use serde_json::{Value, json};
use store::read::Visible;
use store::read::notifications::{
    NotificationFilter, NotificationRow, notification, notifications, notifications_total,
};

pub(crate) struct NotificationsApi(pub(crate) ApiState);

failures! {
    /// A list.
    ListNotifications: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}
failures! {
    /// One notification.
    OneNotification: InvalidParameter, UnknownParameter, AsOfInFuture, NotificationNotFound
}

/// What a notification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum NotificationKind {
    /// Builds failed.
    BuildFailed,
    /// Critical advisories were found in what the customer runs.
    CriticalCve,
    /// Deadlines come near.
    SlaAtRisk,
    /// Deadlines passed.
    SlaBreached,
    /// What was late is done.
    SlaResolved,
}

/// A notification.
#[derive(Object)]
#[oai(example)]
pub(crate) struct Notification {
    /// Its number.
    id: i64,
    /// Who was told; `catalogue`: the platform's own team.
    tenant_namespace: String,
    /// What it is about.
    kind: String,
    /// When it was sent.
    at: Instant,
    /// How many things it sums up.
    items: i32,
    /// In a few words.
    subject: String,
    /// From when to when it sums up, how many things, and the first hundred of them.
    body: Any<Value>,
    /// This notification.
    href: String,
}

impl From<NotificationRow> for Notification {
    fn from(mut row: NotificationRow) -> Self {
        // Rows of release 0.1.0 have other forms.
        store::instants::rewrite(&mut row.body);
        Notification {
            href: format!("/v1/notifications/{}", row.id),
            id: row.id,
            tenant_namespace: row.tenant_namespace,
            kind: row.kind,
            at: row.at.into(),
            items: row.items,
            subject: row.subject,
            body: Any(row.body),
        }
    }
}

impl Example for Notification {
    fn example() -> Self {
        NotificationRow {
            id: 1_812,
            tenant_namespace: examples::TENANT.to_owned(),
            kind: "sla_breached".to_owned(),
            at: time::example(4).datetime(),
            items: 1,
            subject: "1 deadline missed".to_owned(),
            body: json!({
                "from": "2026-01-12T00:00:00Z", "to": "2026-01-12T04:00:00Z", "count": 1,
                "items": [{"image": examples::IMAGE, "cve": examples::CVE, "clock": "customer",
                           "severity": "critical", "due": "2026-01-12T03:00:00Z"}],
            }),
        }
        .into()
    }
}

page! {
    /// A page of notifications.
    NotificationPage of Notification
}

query! {
    /// The parameters of listNotifications.
    struct ListNotificationsQuery {
        /// Only notifications of this kind.
        kind: Option<NotificationKind>,
        /// Only notifications to this tenant, or `catalogue`.
        tenant: Option<String> = length(1, 128),
        /// The order; `-at` when absent.
        order_by: Option<ByTime>,
    }
}

impl Resource for NotificationsApi {
    const OPERATIONS: &'static [(&'static str, Access)] =
        &[("listNotifications", Access::Read), ("getNotification", Access::Read)];

    fn new(state: &ApiState) -> Self {
        NotificationsApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Sla")]
impl NotificationsApi {
    /// List notifications
    ///
    /// What customers and the platform's own team were told. Webhooks carry the same to other
    /// systems.
    #[oai(path = "/v1/notifications", method = "get", operation_id = "listNotifications")]
    async fn list(
        &self,
        caller: Caller,
        query: ListNotificationsQuery,
        page: PageQuery,
    ) -> Result<Json<NotificationPage>, Failure<ListNotifications>> {
        let kind = query.kind.and_then(|kind| kind.to_json());
        let kind = kind.as_ref().and_then(Value::as_str);
        let direction = direction(query.order_by);
        let mut pager = Pager::<i64>::begin(&self.0, &caller, page).await?;
        let tenant = lookup::namespace(&mut pager.snapshot, query.tenant.as_deref()).await?;
        let visible = Visible::new(caller.tenant(), tenant.as_deref());
        let filter = NotificationFilter { kind, visible, direction };
        let (moment, limit, before) = (pager.moment, pager.limit(), pager.after);
        let conn = pager.snapshot.conn();
        let total = notifications_total(conn, moment, &filter).await?;
        let mut rows = notifications(conn, moment, &filter, before, limit).await?;
        let next = pager.end(&mut rows, |row| row.id)?;
        let items = rows.into_iter().map(Notification::from).collect();
        Ok(Json(NotificationPage::new(items, total, next, &pager.snapshot)))
    }

    /// Read a notification
    #[oai(path = "/v1/notifications/:id", method = "get", operation_id = "getNotification")]
    async fn get(
        &self,
        caller: Caller,
        /// The notification's number.
        #[oai(validator(minimum(value = "0")), example = "example_notification")]
        id: Path<i64>,
        as_of: AsOf,
    ) -> Result<Json<Notification>, Failure<OneNotification>> {
        let mut snapshot = self.0.snapshot(&caller, as_of.0).await?;
        let moment = snapshot.moment;
        let row = notification(snapshot.conn(), moment, id.0).await?.ok_or_else(|| {
            let detail = format!("There is no notification {} as of {}.", id.0, snapshot.as_of());
            Problem::new(Code::NotificationNotFound, detail)
        })?;
        Ok(Json(row.into()))
    }
}

fn example_notification() -> i64 {
    examples::NOTIFICATION
}
