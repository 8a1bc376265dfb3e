//! What a delivery says: a CloudEvent (1.0, structured JSON). The same delivery always makes the
//! same bytes, for notifications never change.
use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use store::error::Error;
use store::instants;
use store::read::world::position;
use store::webhooks::queue::{ClaimedDelivery, Notification, counts, notifications};

/// The media type of a structured CloudEvent.
pub(super) const MEDIA_TYPE: &str = "application/cloudevents+json; charset=utf-8";
/// How many notifications a digest tells one by one; it counts all of them.
const LISTED: usize = 100;
/// How many things each notification of a digest lists.
const LISTED_ITEMS: usize = 10;

/// The body of a delivery's message.
pub(super) async fn body(
    conn: &mut PgConnection,
    delivery: &ClaimedDelivery,
) -> anyhow::Result<Vec<u8>> {
    let world = position(conn).await?;
    let mut event = Map::new();
    event.insert("specversion".to_owned(), "1.0".into());
    event.insert("id".to_owned(), delivery.id.as_str().into());
    let source = match &world {
        Some(world) => {
            let sha256 = &world.scenario_sha256;
            let scenario = sha256.get(..16).unwrap_or(sha256);
            format!("urn:wavetank:world:{scenario}:{}", world.seed.cast_unsigned())
        }
        None => "urn:wavetank:world:none".to_owned(),
    };
    event.insert("source".to_owned(), source.into());
    let owner = delivery.tenant_namespace.as_deref().unwrap_or("platform");
    event.insert("subject".to_owned(), owner.into());
    event.insert("datacontenttype".to_owned(), "application/json".into());
    let first = &delivery.notification_ids[..delivery.notification_ids.len().min(LISTED)];
    let listed = notifications(conn, first).await?;
    let (kind, time, data) = match (&listed[..], delivery.kind.as_str()) {
        (_, "test") => {
            let told = "A test: this endpoint can be reached, and its secret fits.";
            (test_type(), None, json!({ "message": told }))
        }
        ([one], "notifications") if delivery.notification_ids.len() == 1 => {
            (single_type(&one.kind), Some(one.at), notification(one, usize::MAX))
        }
        (_, "notifications") => {
            let counts = counts(conn, &delivery.notification_ids).await?;
            (digest_type(), listed.last().map(|n| n.at), digest(delivery, &listed, &counts))
        }
        (_, other) => return Err(Error::unknown("webhook_deliveries.kind", other).into()),
    };
    event.insert("type".to_owned(), kind.into());
    if let Some(at) = time {
        event.insert("time".to_owned(), instants::text(at).into());
    }
    event.insert("data".to_owned(), data);
    Ok(serde_json::to_vec(&event)?)
}

fn single_type(kind: &str) -> String {
    format!("dev.wavetank.notification.{kind}.v1")
}

fn digest_type() -> String {
    "dev.wavetank.notification.digest.v1".to_owned()
}

fn test_type() -> String {
    "dev.wavetank.webhook.test.v1".to_owned()
}

/// One notification with at most so many of its things.
fn notification(notice: &Notification, most: usize) -> Value {
    let items = notice.body["items"].as_array().map_or(&[][..], Vec::as_slice);
    let mut listed: Value = items.iter().take(most).cloned().collect();
    // Rows of release 0.1.0 have other forms.
    instants::rewrite(&mut listed);
    json!({
        "id": notice.id,
        "kind": notice.kind,
        "at": instants::text(notice.at),
        "subject": notice.subject,
        "count": notice.items,
        "items": listed,
    })
}

/// Many notifications as one message: all are counted, the first are told.
fn digest(
    delivery: &ClaimedDelivery,
    listed: &[Notification],
    counts: &[(String, i64, i64)],
) -> Value {
    let by_kind: Map<String, Value> = counts
        .iter()
        .map(|(kind, notifications, items)| {
            (kind.clone(), json!({ "notifications": notifications, "items": items }))
        })
        .collect();
    let told: Vec<Value> = listed.iter().map(|n| notification(n, LISTED_ITEMS)).collect();
    json!({
        "count": delivery.notification_ids.len(),
        "counts": by_kind,
        "first_id": delivery.notification_ids.first(),
        "last_id": delivery.notification_ids.last(),
        "notifications": told,
    })
}
