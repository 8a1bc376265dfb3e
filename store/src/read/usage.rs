//! Who runs an image.
use super::Moment;
use super::in_use::in_use;
use super::page::Slice;
use super::scans::{self, ScanState};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

/// A customer that runs an image.
#[derive(Clone, Debug, FromRow)]
pub struct UserRow {
    /// The customer's namespace.
    pub tenant_namespace: String,
    /// The customer's name.
    pub customer: String,
    /// The version that runs.
    pub version: i32,
    /// Its digest.
    pub digest: String,
    /// `follow` (a tag) or `pin` (the digest).
    pub mode: String,
    /// Where it runs.
    pub environment: String,
    /// The cluster.
    pub cluster: String,
    /// How many replicas.
    pub replicas: i32,
    /// Whether it can be reached from the internet.
    pub internet_exposed: bool,
    /// Since when this version runs.
    pub running_since: DateTime<Utc>,
    /// Since when any version of the image runs.
    pub used_since: DateTime<Utc>,
    /// What is known from scans of the version that runs.
    pub scan: ScanState,
    /// When it was scanned last.
    pub scanned_at: Option<DateTime<Utc>>,
}

fn page(
    moment: Moment,
    image_id: i64,
    after: Option<&str>,
    slice: Slice,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("WITH ");
    query.push(slice.page());
    query.push("SELECT u.* FROM (SELECT ");
    query.push_bind(moment.as_of).push("::timestamptz, ").push_bind(image_id);
    query.push("::bigint AS id) i CROSS JOIN LATERAL ").push(in_use(moment, "image_id = i.id"));
    query.push(" WHERE true");
    if let Some(after) = after {
        query.push(" AND u.tenant_namespace COLLATE \"C\" > ").push_bind(after.to_owned());
    }
    query.push(" ORDER BY u.tenant_namespace COLLATE \"C\" LIMIT ").push(slice.limit()).push(") ");
    query
}

/// The customers that run an image, by namespace, after one of them.
pub async fn users(
    conn: &mut PgConnection,
    moment: Moment,
    image_id: i64,
    after: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<UserRow>> {
    let mut query = page(moment, image_id, after, Slice::Page(limit));
    query.push(
        "SELECT c.tenant_namespace, c.name AS customer, u.version, v.digest, u.mode, u.environment,
                u.cluster, u.replicas, u.internet_exposed, u.valid_from AS running_since,
                u.used_since, ",
    );
    query.push(scans::COLUMNS).push(
        " FROM page u
         JOIN customers c ON c.id = u.customer_id
         JOIN image_versions v ON v.image_id = u.image_id AND v.version = u.version ",
    );
    query.push(scans::joined("v.superseded_at"));
    query.push(" ORDER BY c.tenant_namespace COLLATE \"C\"");
    query.build_query_as().fetch_all(conn).await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn users_total(
    conn: &mut PgConnection,
    moment: Moment,
    image_id: i64,
) -> sqlx::Result<i64> {
    let mut query = page(moment, image_id, None, Slice::Total);
    query.push("SELECT count(*) FROM page");
    query.build_query_scalar().fetch_one(conn).await
}
