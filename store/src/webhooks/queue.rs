//! What dispatchers do: put notifications into deliveries, claim deliveries that are due, and record
//! their outcomes.
//!
//! Any number of dispatchers may run. A row lock (`SKIP LOCKED`) decides who takes a delivery, and
//! taking it moves `next_wall` past the longest attempt: whoever dies with it loses it to the next
//! one then. So a message may arrive twice after a crash, always under the same id.
use crate::webhooks::endpoints;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use std::time::Duration;

/// How often a message is sent before it goes to the dead letter: over some six hours.
pub const MAX_ATTEMPTS: i32 = 12;
/// The pause after the first failure, in seconds; it doubles with each, up to the longest.
const FIRST_PAUSE_SECONDS: f64 = 5.0;
const LONGEST_PAUSE_SECONDS: f64 = 3600.0;
/// A digest with as many notifications waits no longer.
const FULL_DIGEST: i32 = 5_000;
/// Ended deliveries are kept for as many days.
const KEPT_DAYS: i32 = 30;

/// Notifications, those as well that history no longer keeps and that are still owed.
const TOLD: &str = "(SELECT * FROM notifications UNION ALL SELECT * FROM owed_notifications)";

/// Puts notifications that came since into the digests of at most `endpoints` endpoints, at most
/// `each` for one. Returns how many endpoints had any: as many as asked for means that more wait.
///
/// Only what is materialized counts: jobs write notifications in any order, and a cursor over
/// their ids must not pass one that is still being written.
pub async fn fan_out(conn: &mut PgConnection, endpoints: i64, each: i64) -> sqlx::Result<u64> {
    let moved: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
        "WITH taken AS (
             SELECT e.id, e.tenant_namespace, e.kinds, e.digest_seconds, e.told_through,
                    array_position(ARRAY['low', 'medium', 'high', 'critical'], e.min_severity)
                        AS least,
                    w.materialized_seq
             FROM webhook_endpoints e CROSS JOIN world w
             WHERE e.disabled_wall IS NULL AND EXISTS (
                 SELECT FROM {TOLD} n
                 WHERE n.tenant_namespace = coalesce(e.tenant_namespace, 'catalogue')
                   AND n.id > e.told_through AND n.id <= w.materialized_seq)
             ORDER BY e.told_through, e.id LIMIT $1 FOR UPDATE OF e SKIP LOCKED
         ), seen AS (
             SELECT t.id, max(n.id) AS through,
                    array_agg(n.id ORDER BY n.id) FILTER (WHERE n.wanted) AS wanted
             FROM taken t CROSS JOIN LATERAL (
                 SELECT n.id, (t.kinds IS NULL OR n.kind = ANY (t.kinds))
                     AND (t.least IS NULL
                          OR coalesce(notification_severity(n.kind, n.body), t.least) >= t.least)
                     AS wanted
                 FROM {TOLD} n
                 WHERE n.tenant_namespace = coalesce(t.tenant_namespace, 'catalogue')
                   AND n.id > t.told_through AND n.id <= t.materialized_seq
                 ORDER BY n.id LIMIT $2) n
             GROUP BY t.id
         ), moved AS (
             UPDATE webhook_endpoints e SET told_through = seen.through
             FROM seen WHERE e.id = seen.id RETURNING e.id
         ), put AS (
             INSERT INTO webhook_deliveries AS d (endpoint_id, tenant_namespace, kind,
                 notification_ids, collecting, state, next_wall)
             SELECT t.id, t.tenant_namespace, 'notifications', s.wanted, true, 'pending',
                    now() + t.digest_seconds * interval '1 second'
             FROM taken t JOIN seen s ON s.id = t.id
             WHERE s.wanted IS NOT NULL ORDER BY t.id
             ON CONFLICT (endpoint_id) WHERE collecting DO UPDATE
             SET notification_ids = d.notification_ids || excluded.notification_ids,
                 next_wall = CASE WHEN cardinality(d.notification_ids) >= $3 THEN now()
                                  ELSE d.next_wall END
             RETURNING 1
         )
         SELECT count(*) FROM moved",
    )))
    .bind(endpoints)
    .bind(each)
    .bind(FULL_DIGEST)
    .fetch_one(conn)
    .await?;
    Ok(moved.unsigned_abs())
}

/// A delivery that this dispatcher has claimed, with what sending it needs.
#[derive(Clone, Debug, FromRow)]
pub struct ClaimedDelivery {
    /// Its place in the order of making.
    pub seq: i64,
    /// The `webhook-id`.
    pub id: String,
    /// The number of this attempt, from 1.
    pub attempts: i32,
    /// `notifications` or `test`.
    pub kind: String,
    /// What it tells, in order.
    pub notification_ids: Vec<i64>,
    /// The endpoint's owner; none: the platform.
    pub tenant_namespace: Option<String>,
    /// The endpoint.
    pub endpoint_id: String,
    /// Its address.
    pub url: String,
    /// What the message is signed with.
    pub secret: String,
    /// What it is signed with too, while the secret before holds.
    pub previous_secret: Option<String>,
}

/// Claims deliveries that are due, for as long as `lease`.
pub async fn claim(
    conn: &mut PgConnection,
    limit: i64,
    lease: Duration,
) -> sqlx::Result<Vec<ClaimedDelivery>> {
    sqlx::query_as(
        "WITH due AS (
             SELECT d.seq FROM webhook_deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint_id
             WHERE d.state = 'pending' AND d.next_wall <= now() AND d.attempts < $3
               AND e.disabled_wall IS NULL
             ORDER BY d.next_wall LIMIT $1 FOR UPDATE OF d SKIP LOCKED)
         UPDATE webhook_deliveries d
         SET attempts = d.attempts + 1, collecting = false, attempted_wall = now(),
             next_wall = now() + $2 * interval '1 second'
         FROM due, webhook_endpoints e
         WHERE d.seq = due.seq AND e.id = d.endpoint_id
         RETURNING d.seq, d.id, d.attempts, d.kind, d.notification_ids, d.tenant_namespace,
                   d.endpoint_id, e.url, e.secret,
                   CASE WHEN e.previous_secret_until_wall > now() THEN e.previous_secret END
                       AS previous_secret",
    )
    .bind(limit)
    .bind(lease.as_secs_f64())
    .bind(MAX_ATTEMPTS)
    .fetch_all(conn)
    .await
}

/// Moves deliveries to the dead letter whose last attempt never ended.
pub async fn dead_letter_abandoned(conn: &mut PgConnection) -> sqlx::Result<u64> {
    let buried = sqlx::query(
        "UPDATE webhook_deliveries
         SET state = 'dead', last_error = coalesce(last_error, 'the last attempt never ended')
         WHERE seq IN (SELECT seq FROM webhook_deliveries
                       WHERE state = 'pending' AND next_wall <= now() AND attempts >= $1
                       FOR UPDATE SKIP LOCKED)",
    );
    Ok(buried.bind(MAX_ATTEMPTS).execute(conn).await?.rows_affected())
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The HTTP status; none: no answer.
    pub status: Option<u16>,
    /// What went wrong; none: it arrived.
    pub error: Option<String>,
}

/// An answer that means: never send anything here again.
const GONE: u16 = 410;

/// Writes down what became of an attempt, unless another has begun since, and disables an endpoint
/// that says it is gone. Returns the state.
pub async fn record(
    conn: &mut PgConnection,
    delivery: &ClaimedDelivery,
    outcome: &Outcome,
) -> sqlx::Result<Option<String>> {
    let gone = outcome.status == Some(GONE);
    if gone {
        // An endpoint is locked before its deliveries, as everywhere (`locks.rs`).
        endpoints::lock(conn, &delivery.endpoint_id).await?;
    }
    let state = record_attempt(conn, delivery, outcome).await?;
    if gone && state.is_some() {
        endpoints::gone(conn, &delivery.endpoint_id).await?;
    }
    Ok(state)
}

async fn record_attempt(
    conn: &mut PgConnection,
    delivery: &ClaimedDelivery,
    outcome: &Outcome,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "UPDATE webhook_deliveries SET
             state = CASE WHEN $4::text IS NULL THEN 'delivered'
                          WHEN attempts >= $5 THEN 'dead' ELSE 'pending' END,
             delivered_wall = CASE WHEN $4::text IS NULL THEN now() END,
             last_status = $3, last_error = $4,
             next_wall = now() + least($6 * 2.0 ^ (attempts - 1), $7) * (0.75 + random() / 2)
                                 * interval '1 second'
         WHERE seq = $1 AND attempts = $2 AND state = 'pending'
         RETURNING state",
    )
    .bind(delivery.seq)
    .bind(delivery.attempts)
    .bind(outcome.status.map(i32::from))
    .bind(&outcome.error)
    .bind(MAX_ATTEMPTS)
    .bind(FIRST_PAUSE_SECONDS)
    .bind(LONGEST_PAUSE_SECONDS)
    .fetch_optional(conn)
    .await
}

/// Deletes what ended long ago, at most `limit` rows.
pub async fn delete_ended(conn: &mut PgConnection, limit: i64) -> sqlx::Result<u64> {
    let deleted = sqlx::query(
        "DELETE FROM webhook_deliveries WHERE seq IN (
             SELECT seq FROM webhook_deliveries
             WHERE state <> 'pending' AND created_wall < now() - $1 * interval '1 day'
             ORDER BY created_wall LIMIT $2 FOR UPDATE SKIP LOCKED)",
    );
    Ok(deleted.bind(KEPT_DAYS).bind(limit).execute(conn).await?.rows_affected())
}

/// A notification as a message tells it.
#[derive(Clone, Debug, FromRow)]
pub struct Notification {
    /// Its id: the fact's sequence number.
    pub id: i64,
    /// What it is about.
    pub kind: String,
    /// The simulated instant.
    pub at: DateTime<Utc>,
    /// How many things it sums up.
    pub items: i32,
    /// One line.
    pub subject: String,
    /// The things.
    pub body: serde_json::Value,
}

/// Notifications by their ids, in order.
pub async fn notifications(
    conn: &mut PgConnection,
    ids: &[i64],
) -> sqlx::Result<Vec<Notification>> {
    sqlx::query_as(AssertSqlSafe(format!(
        "SELECT id, kind, at, items, subject, body FROM {TOLD} n
         WHERE id = ANY ($1) ORDER BY id",
    )))
    .bind(ids)
    .fetch_all(conn)
    .await
}

/// A version of an image, as notifications tell it.
#[derive(Clone, Debug, FromRow)]
pub struct VersionAt {
    /// The image's name.
    pub image: String,
    /// The instant that was asked about.
    pub at: DateTime<Utc>,
    /// The version that was current.
    pub version: i32,
    /// Its digest.
    pub digest: String,
    /// The tags that it was published under.
    pub tags: Vec<String>,
}

/// The versions of images that were current, each at an instant.
pub async fn versions_at(
    conn: &mut PgConnection,
    images: &[&str],
    ats: &[DateTime<Utc>],
) -> sqlx::Result<Vec<VersionAt>> {
    sqlx::query_as(
        "SELECT asked.image, asked.at, v.version, v.digest, v.tags
         FROM (SELECT DISTINCT image, at FROM unnest($1::text[], $2::timestamptz[]) u (image, at)) asked
         JOIN images i ON i.name = asked.image
         CROSS JOIN LATERAL (
             SELECT version, digest, tags FROM image_versions
             WHERE image_id = i.id AND published_at <= asked.at ORDER BY version DESC LIMIT 1) v",
    )
    .bind(images)
    .bind(ats)
    .fetch_all(conn)
    .await
}

/// How many notifications of each kind there are among these, and of how many things they tell.
pub async fn counts(conn: &mut PgConnection, ids: &[i64]) -> sqlx::Result<Vec<(String, i64, i64)>> {
    sqlx::query_as(AssertSqlSafe(format!(
        "SELECT kind, count(*), sum(items)::bigint FROM {TOLD} n
         WHERE id = ANY ($1) GROUP BY kind ORDER BY kind",
    )))
    .bind(ids)
    .fetch_all(conn)
    .await
}
