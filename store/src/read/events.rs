//! The timeline in the order of facts, for those who watch the world as it goes on.
use super::event_details::{COLUMNS, EventDetails, JOINS};
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow, PgConnection};

/// Something that happened.
#[derive(Clone, Debug, FromRow)]
pub struct EventRow {
    /// Its place in the order of facts.
    pub seq: i64,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What kind of thing it is.
    pub kind: String,
    /// The image it concerns.
    pub image: Option<String>,
    /// The build it concerns.
    pub build_id: Option<i64>,
    /// The CVE it concerns.
    pub cve: Option<String>,
    /// The tenant it concerns; `catalogue` for what all see.
    pub tenant_namespace: String,
    /// The version it concerns, and what was open in it.
    #[sqlx(flatten)]
    pub details: EventDetails,
}

/// What happened after `after` and up to `through`, in order, at most `limit` of it.
pub async fn events(
    conn: &mut PgConnection,
    after: i64,
    through: i64,
    limit: i64,
) -> sqlx::Result<Vec<EventRow>> {
    let statement = format!(
        "SELECT t.seq, t.at, t.kind, i.name AS image, t.build_id, a.cve, t.tenant_namespace,
                {COLUMNS}
         FROM (SELECT * FROM timeline WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3) t
         LEFT JOIN images i ON i.id = t.image_id
         LEFT JOIN advisories a ON a.id = t.advisory_id {JOINS}
         ORDER BY t.seq"
    );
    sqlx::query_as(AssertSqlSafe(statement))
        .bind(after)
        .bind(through)
        .bind(limit)
        .fetch_all(conn)
        .await
}

/// The last fact that is no longer kept, where history is whole after `from`; none: nothing has happened
/// since.
pub async fn gone_before(
    conn: &mut PgConnection,
    from: DateTime<Utc>,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("SELECT seq - 1 FROM timeline WHERE at > $1 ORDER BY at, seq LIMIT 1")
        .bind(from)
        .fetch_optional(conn)
        .await
}
