//! Customers and what they run.
use super::Moment;
use super::findings::by_severity;
use super::in_use::{in_use, in_use_in_order};
use super::page::Slice;
use super::scans::{self, ScanState};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

/// A customer.
#[derive(Clone, Debug, FromRow)]
pub struct CustomerRow {
    /// Its ordinal.
    pub id: i64,
    /// Its namespace.
    pub tenant_namespace: String,
    /// Its name.
    pub name: String,
    /// Whom to talk to.
    pub contact_name: String,
    /// Where.
    pub contact_email: String,
    /// Its tier.
    pub sla_tier: String,
    /// The name of the policy that is promised to it.
    pub policy: String,
    /// How many images it runs.
    pub images: i64,
    /// How many of them can be reached from the internet.
    pub internet_exposed: i64,
}

/// All that is shown of the rows of `page`.
fn shown(query: &mut QueryBuilder<Postgres>, moment: Moment) {
    query.push(
        "
    SELECT c.id, c.tenant_namespace, c.name, c.contact_name, c.contact_email, c.sla_tier,
           p.name AS policy, u.images, u.internet_exposed
    FROM page c
    JOIN sla_policies p ON p.id = c.policy_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS images, count(*) FILTER (WHERE u.internet_exposed) AS internet_exposed
        FROM ",
    );
    query
        .push(in_use(moment, "customer_id = c.id"))
        .push(") u ORDER BY c.tenant_namespace COLLATE \"C\"");
}

fn page(
    as_of: DateTime<Utc>,
    q: Option<&str>,
    after: Option<&str>,
    slice: Slice,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("WITH ");
    query.push(slice.page());
    query.push("SELECT c.* FROM customers c WHERE ");
    query.push_bind(as_of).push("::timestamptz IS NOT NULL");
    if let Some(q) = q {
        query.push(" AND position(lower(").push_bind(q.to_owned());
        query.push(") IN lower(c.tenant_namespace || ' ' || c.name)) > 0");
    }
    if let Some(after) = after {
        query.push(" AND c.tenant_namespace COLLATE \"C\" > ").push_bind(after.to_owned());
    }
    query.push(" ORDER BY c.tenant_namespace COLLATE \"C\" LIMIT ").push(slice.limit()).push(") ");
    query
}

/// Customers by namespace, after one of them.
pub async fn customers(
    conn: &mut PgConnection,
    moment: Moment,
    q: Option<&str>,
    after: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<CustomerRow>> {
    let mut query = page(moment.as_of, q, after, Slice::Page(limit));
    shown(&mut query, moment);
    query.build_query_as().fetch_all(conn).await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn customers_total(
    conn: &mut PgConnection,
    moment: Moment,
    q: Option<&str>,
) -> sqlx::Result<i64> {
    let mut query = page(moment.as_of, q, None, Slice::Total);
    query.push("SELECT count(*) FROM page");
    query.build_query_scalar().fetch_one(conn).await
}

/// The ordinal of the customer with this namespace.
pub async fn id(conn: &mut PgConnection, tenant_namespace: &str) -> sqlx::Result<Option<i64>> {
    let sql = "SELECT id FROM customers WHERE tenant_namespace = $1";
    sqlx::query_scalar(sql).bind(tenant_namespace).fetch_optional(conn).await
}

/// The customer with this ordinal.
pub async fn customer(
    conn: &mut PgConnection,
    moment: Moment,
    id: i64,
) -> sqlx::Result<CustomerRow> {
    let mut query =
        QueryBuilder::new("WITH page AS MATERIALIZED (SELECT c.* FROM customers c WHERE ");
    query.push_bind(moment.as_of).push("::timestamptz IS NOT NULL AND c.id = ");
    query.push_bind(id).push(") ");
    shown(&mut query, moment);
    query.build_query_as().fetch_one(conn).await
}

/// An image that a customer runs.
#[derive(Clone, Debug, FromRow)]
pub struct UsageRow {
    /// The image's ordinal.
    pub image_id: i64,
    /// The image's name.
    pub image: String,
    /// The version that runs.
    pub version: i32,
    /// Its digest.
    pub digest: String,
    /// The version that is current.
    pub current_version: Option<i32>,
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
    /// Advisories on the version that runs, by severity.
    pub critical: i64,
    /// Advisories on the version that runs, by severity.
    pub high: i64,
    /// Advisories on the version that runs, by severity.
    pub medium: i64,
    /// Advisories on the version that runs, by severity.
    pub low: i64,
    /// What is known of that version from scans; while it is pending the numbers say nothing.
    pub scan: ScanState,
    /// When it was scanned last.
    pub scanned_at: Option<DateTime<Utc>>,
}

/// What a customer runs, by image, after one of them.
pub async fn usage(
    conn: &mut PgConnection,
    moment: Moment,
    customer_id: i64,
    after: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<UsageRow>> {
    let mut query = QueryBuilder::new("WITH page AS MATERIALIZED (SELECT u.* FROM (SELECT ");
    query.push_bind(moment.as_of).push("::timestamptz, ").push_bind(customer_id);
    query.push("::bigint AS id) c CROSS JOIN LATERAL ");
    query.push(in_use_in_order(moment, "customer_id = c.id", " ORDER BY u.image_id"));
    query.push(" WHERE u.image_id > ").push_bind(after.unwrap_or(-1));
    query.push(" ORDER BY u.image_id LIMIT ").push(limit).push(
        ")
         SELECT u.image_id, i.name AS image, u.version, v.digest, n.version AS current_version,
                u.mode, u.environment, u.cluster, u.replicas, u.internet_exposed,
                u.valid_from AS running_since, u.used_since, f.critical, f.high, f.medium, f.low, ",
    );
    query.push(scans::COLUMNS).push(
        " FROM page u
         JOIN images i ON i.id = u.image_id
         JOIN image_versions v ON v.image_id = u.image_id AND v.version = u.version
         LEFT JOIN LATERAL (
             SELECT n.version FROM image_versions n
             WHERE n.image_id = u.image_id AND n.published_at <= $1
             ORDER BY n.version DESC LIMIT 1) n ON true
         CROSS JOIN LATERAL ",
    );
    query.push(by_severity("n.image_id = u.image_id AND n.version = u.version"));
    query.push(scans::joined("v.superseded_at"));
    query.push(" ORDER BY u.image_id");
    query.build_query_as().fetch_all(conn).await
}
