//! Where a tenant, or the platform's own team, wants its notifications.
use crate::locks::{self, Quota};
use crate::read::TOTAL_BOUND;
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

/// The most endpoints of one tenant: each is a place that we send to on somebody's word.
pub const MAX_ENDPOINTS: i64 = 20;

/// An endpoint, without its secret.
#[derive(Clone, Debug, FromRow)]
pub struct EndpointRow {
    /// Its id.
    pub id: String,
    /// Whose notifications it is sent; none: the platform's own.
    pub tenant_namespace: Option<String>,
    /// The address.
    pub url: String,
    /// One line for people.
    pub description: String,
    /// The kinds of notifications that it is sent; none: all.
    pub kinds: Option<Vec<String>>,
    /// What is less severe is not sent.
    pub min_severity: Option<String>,
    /// How long notifications are collected before they go out as one, in seconds of the wall clock.
    pub digest_seconds: i32,
    /// The key that made it.
    pub created_by: String,
    /// When it was made.
    pub created_wall: DateTime<Utc>,
    /// Since when nothing is sent to it.
    pub disabled_wall: Option<DateTime<Utc>>,
    /// Why: `asked`, or `gone` (it answered 410).
    pub disabled_reason: Option<String>,
    /// Until when messages are signed with the secret before this one too, if they are.
    pub previous_secret_until_wall: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "id, tenant_namespace, url, description, kinds, min_severity,
                       digest_seconds, created_by, created_wall, disabled_wall, disabled_reason,
                       CASE WHEN previous_secret_until_wall > now()
                            THEN previous_secret_until_wall END AS previous_secret_until_wall";

/// An endpoint to be made.
#[derive(Clone, Debug)]
pub struct NewEndpoint<'a> {
    /// Whose notifications it is sent; none: the platform's own.
    pub tenant_namespace: Option<&'a str>,
    /// The address, checked.
    pub url: &'a str,
    /// One line for people.
    pub description: &'a str,
    /// What messages are signed with (`whsec_...`).
    pub secret: &'a str,
    /// The kinds of notifications; none: all.
    pub kinds: Option<&'a [&'a str]>,
    /// What is less severe is not sent.
    pub min_severity: Option<&'a str>,
    /// The window of its digests, in seconds.
    pub digest_seconds: i32,
    /// The key that makes it.
    pub created_by: &'a str,
}

/// Makes an endpoint; it is told what becomes known from now on.
pub async fn insert(conn: &mut PgConnection, new: &NewEndpoint<'_>) -> sqlx::Result<EndpointRow> {
    let statement = format!(
        "INSERT INTO webhook_endpoints (tenant_namespace, url, description, secret, kinds,
             min_severity, digest_seconds, told_through, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7,
                 coalesce((SELECT materialized_seq FROM world), 0), $8)
         RETURNING {COLUMNS}"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(statement))
        .bind(new.tenant_namespace)
        .bind(new.url)
        .bind(new.description)
        .bind(new.secret)
        .bind(new.kinds)
        .bind(new.min_severity)
        .bind(new.digest_seconds)
        .bind(new.created_by)
        .fetch_one(conn)
        .await
}

/// How many endpoints a tenant has, or the platform. Those who make one at the same time wait for
/// each other until their transactions end.
pub async fn count(conn: &mut PgConnection, tenant: Option<&str>) -> sqlx::Result<i64> {
    locks::lock_quota(conn, Quota::WebhookEndpoints, tenant).await?;
    sqlx::query_scalar(
        "SELECT count(*) FROM webhook_endpoints WHERE tenant_namespace IS NOT DISTINCT FROM $1",
    )
    .bind(tenant)
    .fetch_one(conn)
    .await
}

/// Endpoints by id, those after `after`.
pub async fn list(
    conn: &mut PgConnection,
    after: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<EndpointRow>> {
    let statement = format!(
        "SELECT {COLUMNS} FROM webhook_endpoints
         WHERE ($1::text IS NULL OR id > $1) ORDER BY id LIMIT $2"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(after).bind(limit).fetch_all(conn).await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn total(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT FROM webhook_endpoints ORDER BY id LIMIT $1) AS counted",
    )
    .bind(TOTAL_BOUND + 1)
    .fetch_one(conn)
    .await
}

/// One endpoint.
pub async fn get(conn: &mut PgConnection, id: &str) -> sqlx::Result<Option<EndpointRow>> {
    let statement = format!("SELECT {COLUMNS} FROM webhook_endpoints WHERE id = $1");
    sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(id).fetch_optional(conn).await
}

/// What is to be changed of an endpoint; none: stays.
#[derive(Clone, Debug, Default)]
pub struct Change<'a> {
    /// The address, checked.
    pub url: Option<&'a str>,
    /// One line for people.
    pub description: Option<&'a str>,
    /// The kinds; an empty list: all.
    pub kinds: Option<&'a [&'a str]>,
    /// The least severity; none within: everything.
    pub min_severity: Option<Option<&'a str>>,
    /// The window of its digests, in seconds.
    pub digest_seconds: Option<i32>,
    /// Whether anything is sent to it.
    pub enabled: Option<bool>,
}

/// Changes an endpoint. One that is disabled gives up what waits; one that is enabled again is
/// told what becomes known from then on.
pub async fn update(
    conn: &mut PgConnection,
    id: &str,
    change: &Change<'_>,
) -> sqlx::Result<Option<EndpointRow>> {
    let statement = format!(
        "UPDATE webhook_endpoints SET
             url = coalesce($2, url),
             description = coalesce($3, description),
             kinds = CASE WHEN $4::text[] IS NULL THEN kinds
                          WHEN cardinality($4) = 0 THEN NULL ELSE $4 END,
             min_severity = CASE WHEN $5 THEN $6 ELSE min_severity END,
             digest_seconds = coalesce($7, digest_seconds),
             told_through = CASE WHEN $8 AND disabled_wall IS NOT NULL
                                 THEN coalesce((SELECT materialized_seq FROM world), told_through)
                                 ELSE told_through END,
             disabled_reason = CASE WHEN $8 THEN NULL WHEN NOT $8
                                    THEN coalesce(disabled_reason, 'asked')
                                    ELSE disabled_reason END,
             disabled_wall = CASE WHEN $8 THEN NULL WHEN NOT $8
                                  THEN coalesce(disabled_wall, now()) ELSE disabled_wall END
         WHERE id = $1
         RETURNING {COLUMNS}"
    );
    let changed: Option<EndpointRow> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
        .bind(id)
        .bind(change.url)
        .bind(change.description)
        .bind(change.kinds)
        .bind(change.min_severity.is_some())
        .bind(change.min_severity.flatten())
        .bind(change.digest_seconds)
        .bind(change.enabled)
        .fetch_optional(&mut *conn)
        .await?;
    if changed.is_some() && change.enabled == Some(false) {
        give_up(conn, id, "the endpoint was disabled").await?;
    }
    Ok(changed)
}

/// Signs with another secret from now on, and for a while with the one that it replaces too. (The
/// caller cannot read that one: a trigger keeps it.)
pub async fn rotate(
    conn: &mut PgConnection,
    id: &str,
    secret: &str,
    overlap_seconds: u32,
) -> sqlx::Result<Option<EndpointRow>> {
    let statement = format!(
        "UPDATE webhook_endpoints SET
             secret = $2,
             previous_secret_until_wall
                 = CASE WHEN $3 > 0 THEN now() + $3 * interval '1 second' END
         WHERE id = $1
         RETURNING {COLUMNS}"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(statement))
        .bind(id)
        .bind(secret)
        .bind(f64::from(overlap_seconds))
        .fetch_optional(conn)
        .await
}

/// Locks an endpoint to the end of the transaction: before its deliveries, for whoever locks both.
pub async fn lock(conn: &mut PgConnection, id: &str) -> sqlx::Result<()> {
    let locked = sqlx::query("SELECT FROM webhook_endpoints WHERE id = $1 FOR NO KEY UPDATE");
    locked.bind(id).execute(conn).await?;
    Ok(())
}

/// Disables an endpoint that says it is gone, with everything that waits for it.
pub(super) async fn gone(conn: &mut PgConnection, id: &str) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE webhook_endpoints SET disabled_wall = now(), disabled_reason = 'gone'
         WHERE id = $1 AND disabled_wall IS NULL",
    )
    .bind(id)
    .execute(&mut *conn)
    .await?;
    give_up(conn, id, "the endpoint is gone").await
}

async fn give_up(conn: &mut PgConnection, id: &str, why: &str) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE webhook_deliveries SET state = 'dead', collecting = false, last_error = $2
         WHERE seq IN (SELECT seq FROM webhook_deliveries
                       WHERE endpoint_id = $1 AND state = 'pending' ORDER BY seq FOR UPDATE)",
    )
    .bind(id)
    .bind(why)
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes an endpoint with its deliveries; whether there was one.
pub async fn delete(conn: &mut PgConnection, id: &str) -> sqlx::Result<bool> {
    let deleted = sqlx::query("DELETE FROM webhook_endpoints WHERE id = $1").bind(id);
    Ok(deleted.execute(conn).await?.rows_affected() == 1)
}

/// Whether a tenant of that name is a customer of this world.
pub async fn tenant_exists(conn: &mut PgConnection, tenant: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM customers WHERE tenant_namespace = $1)")
        .bind(tenant)
        .fetch_one(conn)
        .await
}
