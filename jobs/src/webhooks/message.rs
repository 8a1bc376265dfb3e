//! What a delivery says: a CloudEvent (1.0, structured JSON). The same delivery always makes the
//! same bytes, for notifications never change.
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use store::error::Error;
use store::instants;
use store::read::world::position;
use store::webhooks::queue::{
    ClaimedDelivery, Notification, VersionAt, counts, notifications, versions_at,
};

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
            let versions = versions(conn, &listed, usize::MAX).await?;
            (single_type(&one.kind), Some(one.at), notification(one, usize::MAX, &versions))
        }
        (_, "notifications") => {
            let counts = counts(conn, &delivery.notification_ids).await?;
            let last = listed.last().map(|n| n.at);
            (digest_type(), last, digest(conn, delivery, &listed, &counts).await?)
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

/// Versions of images by name and instant.
type Versions = BTreeMap<(String, DateTime<Utc>), VersionAt>;

/// The first things of a notification.
fn first_items(notice: &Notification, most: usize) -> impl Iterator<Item = &Value> {
    notice.body["items"].as_array().map_or(&[][..], Vec::as_slice).iter().take(most)
}

/// The versions that were current of the images that these notifications tell of.
async fn versions(
    conn: &mut PgConnection,
    notices: &[Notification],
    most: usize,
) -> sqlx::Result<Versions> {
    let named = notices.iter().flat_map(|notice| {
        first_items(notice, most).filter_map(|item| Some((item["image"].as_str()?, notice.at)))
    });
    let (images, ats): (Vec<_>, Vec<_>) = named.unzip();
    let found = versions_at(conn, &images, &ats).await?.into_iter();
    Ok(found.map(|version| ((version.image.clone(), version.at), version)).collect())
}

/// One notification with at most so many of its things, each with the version that was current.
fn notification(notice: &Notification, most: usize, versions: &Versions) -> Value {
    let mut items: Vec<Value> = first_items(notice, most).cloned().collect();
    for item in &mut items {
        // Rows of release 0.1.0 have other forms.
        instants::rewrite(item);
        let image = item["image"].as_str().unwrap_or_default().to_owned();
        if let Some(known) = versions.get(&(image, notice.at)) {
            item["version"] = known.version.into();
            item["digest"] = known.digest.as_str().into();
            item["tags"] = json!(known.tags);
        }
        if let Some(href) = href(item) {
            item["href"] = href.into();
        }
    }
    let all = notice.body["items"].as_array().map_or(&[][..], Vec::as_slice);
    json!({
        "id": notice.id,
        "kind": notice.kind,
        "at": instants::text(notice.at),
        "subject": notice.subject,
        "count": notice.items,
        "severities": severities(&notice.kind, all),
        "href": format!("/v1/notifications/{}", notice.id),
        "items": items,
    })
}

/// Where to read on about a thing.
fn href(item: &Value) -> Option<String> {
    let build = item["build"].as_i64().map(|build| format!("/v1/builds/{build}"));
    build.or_else(|| item["cve"].as_str().map(|cve| format!("/v1/advisories/{cve}")))
}

/// How many of the things that a notification lists are of each severity.
fn severities(kind: &str, items: &[Value]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        // What is told as critical does not say so again.
        let severity = match kind {
            "critical_cve" => Some("critical"),
            _ => item["severity"].as_str(),
        };
        if let Some(severity) = severity {
            *counts.entry(severity.to_owned()).or_default() += 1;
        }
    }
    counts
}

/// Many notifications as one message: all are counted, the first are told.
async fn digest(
    conn: &mut PgConnection,
    delivery: &ClaimedDelivery,
    listed: &[Notification],
    counts: &[(String, i64, i64)],
) -> sqlx::Result<Value> {
    let by_kind: Map<String, Value> = counts
        .iter()
        .map(|(kind, notifications, items)| {
            (kind.clone(), json!({ "notifications": notifications, "items": items }))
        })
        .collect();
    let versions = versions(conn, listed, LISTED_ITEMS).await?;
    let told = listed.iter().map(|notice| notification(notice, LISTED_ITEMS, &versions));
    let told: Vec<Value> = told.collect();
    Ok(json!({
        "count": delivery.notification_ids.len(),
        "counts": by_kind,
        "first_id": delivery.notification_ids.first(),
        "last_id": delivery.notification_ids.last(),
        "notifications": told,
    }))
}
