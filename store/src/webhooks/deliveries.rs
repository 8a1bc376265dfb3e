//! What was and is to be delivered to endpoints, as the API shows it.
use crate::read::TOTAL_BOUND;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow, PgConnection};

/// A delivery.
#[derive(Clone, Debug, FromRow)]
pub struct DeliveryRow {
    /// Its place in the order of making.
    pub seq: i64,
    /// Its id: the `webhook-id` of the message, the same for all its attempts.
    pub id: String,
    /// The endpoint.
    pub endpoint_id: String,
    /// `notifications` or `test`.
    pub kind: String,
    /// How many notifications go out with it.
    pub notifications: i32,
    /// `pending`, `delivered`, `dead` or `discarded`.
    pub state: String,
    /// How often it was sent, the attempt that runs included.
    pub attempts: i32,
    /// When it is sent next, while it is pending.
    pub next_wall: DateTime<Utc>,
    /// The HTTP status of the last answer.
    pub last_status: Option<i32>,
    /// What went wrong the last time.
    pub last_error: Option<String>,
    /// When it was made.
    pub created_wall: DateTime<Utc>,
    /// When it was last sent.
    pub attempted_wall: Option<DateTime<Utc>>,
    /// When it arrived.
    pub delivered_wall: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "seq, id, endpoint_id, kind, cardinality(notification_ids) AS notifications,
                       state, attempts, next_wall, last_status, last_error, created_wall,
                       attempted_wall, delivered_wall";

/// An endpoint's deliveries, the latest first, those before `before`.
pub async fn list(
    conn: &mut PgConnection,
    endpoint: &str,
    state: Option<&str>,
    before: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<DeliveryRow>> {
    let statement = format!(
        "SELECT {COLUMNS} FROM webhook_deliveries
         WHERE endpoint_id = $1 AND ($2::text IS NULL OR state = $2)
           AND ($3::bigint IS NULL OR seq < $3)
         ORDER BY seq DESC LIMIT $4"
    );
    sqlx::query_as(AssertSqlSafe(statement))
        .bind(endpoint)
        .bind(state)
        .bind(before)
        .bind(limit)
        .fetch_all(conn)
        .await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn total(
    conn: &mut PgConnection,
    endpoint: &str,
    state: Option<&str>,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT count(*) FROM (
             SELECT FROM webhook_deliveries
             WHERE endpoint_id = $1 AND ($2::text IS NULL OR state = $2)
             ORDER BY seq DESC LIMIT $3) AS counted",
    )
    .bind(endpoint)
    .bind(state)
    .bind(TOTAL_BOUND + 1)
    .fetch_one(conn)
    .await
}

/// Orders a message without a notification, to be sent at once.
pub async fn insert_test(
    conn: &mut PgConnection,
    endpoint: &str,
    tenant: Option<&str>,
) -> sqlx::Result<DeliveryRow> {
    let statement = format!(
        "INSERT INTO webhook_deliveries (endpoint_id, tenant_namespace, kind, notification_ids,
                                         collecting, state, next_wall)
         VALUES ($1, $2, 'test', '{{}}', false, 'pending', now())
         RETURNING {COLUMNS}"
    );
    sqlx::query_as(AssertSqlSafe(statement)).bind(endpoint).bind(tenant).fetch_one(conn).await
}

/// One delivery, locked to the end of the transaction, and whether its endpoint takes anything.
pub async fn lock(conn: &mut PgConnection, id: &str) -> sqlx::Result<Option<(DeliveryRow, bool)>> {
    let statement = format!("SELECT {COLUMNS} FROM webhook_deliveries WHERE id = $1 FOR UPDATE");
    let row: Option<DeliveryRow> =
        sqlx::query_as(AssertSqlSafe(statement)).bind(id).fetch_optional(&mut *conn).await?;
    let Some(row) = row else { return Ok(None) };
    let enabled: bool =
        sqlx::query_scalar("SELECT disabled_wall IS NULL FROM webhook_endpoints WHERE id = $1")
            .bind(&row.endpoint_id)
            .fetch_one(conn)
            .await?;
    Ok(Some((row, enabled)))
}

/// Sends a delivery at once, with all its attempts before it again.
pub async fn retry(conn: &mut PgConnection, id: &str) -> sqlx::Result<DeliveryRow> {
    let statement = format!(
        "UPDATE webhook_deliveries
         SET state = 'pending', attempts = 0, collecting = false, next_wall = now()
         WHERE id = $1 RETURNING {COLUMNS}"
    );
    sqlx::query_as(AssertSqlSafe(statement)).bind(id).fetch_one(conn).await
}

/// Gives up a delivery that is dead. It is kept as long as all that ended.
pub async fn discard(conn: &mut PgConnection, id: &str) -> sqlx::Result<DeliveryRow> {
    let statement = format!(
        "UPDATE webhook_deliveries SET state = 'discarded' WHERE id = $1 RETURNING {COLUMNS}"
    );
    sqlx::query_as(AssertSqlSafe(statement)).bind(id).fetch_one(conn).await
}

/// The most tests of one endpoint that wait at a time.
pub const MAX_TESTS: i64 = 10;

/// How many tests of an endpoint wait.
pub async fn waiting_tests(conn: &mut PgConnection, endpoint: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT count(*) FROM webhook_deliveries
         WHERE endpoint_id = $1 AND kind = 'test' AND state = 'pending'",
    )
    .bind(endpoint)
    .fetch_one(conn)
    .await
}
