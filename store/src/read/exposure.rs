//! Who runs what is affected: by advisory over all customers, and by customer over all advisories.
//!
//! A customer is exposed while it runs a version on which the advisory was found and not judged a
//! false positive; that a newer version is published ends nothing for whoever has not taken it.
use super::in_use::in_use_in_order;
use super::page::Bound;
use super::sla::{evaluated, excluded};
use super::{Moment, Page, SEVERITIES, page};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

/// An image that a customer runs, affected by an advisory.
#[derive(Clone, Debug, FromRow)]
pub struct ExposureRow {
    /// The customer's ordinal.
    pub customer_id: i64,
    /// The customer's namespace.
    pub tenant_namespace: String,
    /// The customer's name.
    pub customer: String,
    /// The image's ordinal.
    pub image_id: i64,
    /// The image's name.
    pub image: String,
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
    /// The days that the customer's policy counts: `calendar` or `business`.
    pub calendar: String,
    /// The advisory's ordinal.
    pub advisory_id: i64,
    /// The advisory's CVE id.
    pub cve: String,
    /// Its severity.
    pub severity: String,
    /// Its CVSS base score.
    pub score: f64,
    /// Whether it is known to be exploited.
    pub known_exploited: bool,
    /// The packages in which it is found.
    pub packages: Vec<String>,
    /// When it was found on this version.
    pub detected_at: DateTime<Utc>,
    /// When an upstream fix was there.
    pub fix_available_at: Option<DateTime<Utc>>,
    /// The newest version, if it is newer, was scanned, and the advisory was not found on it.
    pub fixed_in_version: Option<i32>,
    /// When the provider's timer opened, if it has not stopped.
    pub provider_opened_at: Option<DateTime<Utc>>,
    /// From when on it is at risk.
    pub provider_warn_at: Option<DateTime<Utc>>,
    /// Its deadline; none: it stands still.
    pub provider_due_at: Option<DateTime<Utc>>,
    /// Whether the policy excludes it.
    pub provider_excluded: Option<bool>,
    /// When the customer's timer opened, if it has not stopped.
    pub customer_opened_at: Option<DateTime<Utc>>,
    /// From when on it is at risk.
    pub customer_warn_at: Option<DateTime<Utc>>,
    /// Its deadline; none: it stands still.
    pub customer_due_at: Option<DateTime<Utc>>,
    /// Whether the policy excludes it.
    pub customer_excluded: Option<bool>,
}

/// All that is shown of the rows of `page`. What does not depend on the customer is looked up once for
/// all of them (`affected`), and both timers by one range of an index.
const SHOWN: &str = "
    , affected AS MATERIALIZED (
        SELECT e.image_id, e.version, e.advisory_id, i.name AS image, v.digest, a.cve, a.severity,
               a.score::float8 AS score, a.known_exploited, hit.detected_at, hit.packages,
               CASE WHEN a.fix_available_at <= $1 THEN a.fix_available_at END AS fix_available_at,
               fix.version AS fixed_in_version
        FROM (SELECT DISTINCT image_id, version, advisory_id FROM page) e
        JOIN images i ON i.id = e.image_id
        JOIN image_versions v ON v.image_id = e.image_id AND v.version = e.version
        JOIN advisories a ON a.id = e.advisory_id
        CROSS JOIN LATERAL (
            SELECT min(f.detected_at) AS detected_at, array_agg(p.name) AS packages
            FROM cve_findings f JOIN packages p ON p.id = f.package_id
            WHERE f.image_id = e.image_id AND f.version = e.version
              AND f.advisory_id = e.advisory_id AND f.detected_at <= $1
              AND (f.not_affected_at IS NULL OR f.not_affected_at > $1)) hit
        LEFT JOIN LATERAL (
            SELECT n.version FROM (
                SELECT n.version, n.published_at FROM image_versions n
                WHERE n.image_id = e.image_id AND n.version > e.version AND n.published_at <= $1
                ORDER BY n.version DESC LIMIT 1) n
            WHERE scanned_at(e.image_id, n.version, n.published_at, NULL, $1) IS NOT NULL
              AND (SELECT true FROM cve_findings f
                   WHERE f.image_id = e.image_id AND f.version = n.version
                     AND f.advisory_id = e.advisory_id AND f.detected_at <= $1 LIMIT 1) IS NULL
            ) fix ON true)
    SELECT e.customer_id, c.tenant_namespace, c.name AS customer, e.mode, e.environment, e.cluster,
           e.replicas, e.internet_exposed, e.valid_from AS running_since, p.calendar, x.*, t.*,
           (SELECT n FROM total) AS total
    FROM page e
    JOIN customers c ON c.id = e.customer_id
    JOIN sla_policies p ON p.id = c.policy_id
    JOIN affected x USING (image_id, version, advisory_id)
    LEFT JOIN seen s ON true
    CROSS JOIN LATERAL (
        SELECT min(t.opened_at) FILTER (WHERE t.clock = 'provider') AS provider_opened_at,
               bool_or(EXCLUDED) FILTER (WHERE t.clock = 'provider') AS provider_excluded,
               min(t.warn_at) FILTER (WHERE t.clock = 'provider' AND t.started_at <= s.at)
                 AS provider_warn_at,
               min(t.due_at) FILTER (WHERE t.clock = 'provider' AND t.started_at <= s.at)
                 AS provider_due_at,
               min(t.opened_at) FILTER (WHERE t.clock = 'customer') AS customer_opened_at,
               bool_or(EXCLUDED) FILTER (WHERE t.clock = 'customer') AS customer_excluded,
               min(t.warn_at) FILTER (WHERE t.clock = 'customer' AND t.started_at <= s.at)
                 AS customer_warn_at,
               min(t.due_at) FILTER (WHERE t.clock = 'customer' AND t.started_at <= s.at)
                 AS customer_due_at
        FROM sla_timers t
        WHERE t.customer_id = e.customer_id AND t.image_id = e.image_id
          AND t.advisory_id = e.advisory_id
          AND t.opened_at <= s.at AND (t.stopped_at IS NULL OR t.stopped_at > s.at)) t";

/// [`SHOWN`] as of an instant.
fn shown(moment: Moment) -> String {
    SHOWN.replace("EXCLUDED", excluded(moment))
}

/// The customers that run an image affected by an advisory, by image and customer, after a place
/// in that order; only `tenant`, if one is named.
pub async fn of_advisory(
    conn: &mut PgConnection,
    moment: Moment,
    advisory_id: i64,
    tenant: Option<&str>,
    after: Option<(i64, i64)>,
    limit: i64,
) -> sqlx::Result<Page<ExposureRow>> {
    let mut query = evaluated(moment.as_of);
    query.push(", ");
    let bound =
        page::find(&mut query, page::EXPENSIVE_COUNT_BOUND, after, limit, |query, after, limit| {
            match tenant {
                Some(tenant) => by_tenant(query, moment, (advisory_id, tenant), after, limit),
                None => by_advisory(query, moment, advisory_id, after, limit),
            }
        });
    query.push(shown(moment)).push(" ORDER BY e.image_id, e.customer_id");
    fetch(conn, query, bound).await
}

/// Image by image, and of each what is run of the affected versions: so the first page ends the
/// search.
fn by_advisory(
    query: &mut QueryBuilder<Postgres>,
    moment: Moment,
    advisory_id: i64,
    after: Option<(i64, i64)>,
    limit: i64,
) {
    let (image, customer) = after.unwrap_or((-1, -1));
    query.push("SELECT u.*, i.advisory_id FROM (SELECT f.image_id AS id, f.advisory_id, ");
    query.push("array_agg(f.version) AS versions FROM cve_findings f WHERE f.advisory_id = ");
    query.push_bind(advisory_id).push(" AND f.image_id >= ").push_bind(image).push(
        " AND f.detected_at <= $1 AND (f.not_affected_at IS NULL OR f.not_affected_at > $1)
               GROUP BY f.advisory_id, f.image_id ORDER BY f.image_id OFFSET 0) i
          CROSS JOIN LATERAL ",
    );
    query.push("(SELECT u.* FROM ").push(in_use_in_order(
        moment,
        "image_id = i.id",
        " ORDER BY u.customer_id",
    ));
    query.push(" WHERE u.version = ANY (i.versions) AND (u.image_id, u.customer_id) > (");
    query.push_bind(image).push(", ").push_bind(customer);
    query.push(") ORDER BY u.customer_id) u LIMIT ").push(limit);
}

/// Of the images that a tenant runs: they are few, however many are affected.
fn by_tenant(
    query: &mut QueryBuilder<Postgres>,
    moment: Moment,
    (advisory_id, tenant): (i64, &str),
    after: Option<(i64, i64)>,
    limit: i64,
) {
    let (image, customer) = after.unwrap_or((-1, -1));
    query.push("SELECT u.*, a.id AS advisory_id FROM (SELECT ").push_bind(advisory_id);
    query.push(
        "::bigint AS id) a CROSS JOIN (SELECT c.id FROM customers c WHERE c.tenant_namespace = ",
    );
    query.push_bind(tenant.to_owned()).push(") c CROSS JOIN LATERAL ");
    query.push(in_use_in_order(moment, "customer_id = c.id", " ORDER BY u.image_id"));
    query.push(
        " WHERE (SELECT true FROM cve_findings f
                 WHERE f.image_id = u.image_id AND f.version = u.version AND f.advisory_id = a.id
                   AND f.detected_at <= $1
                   AND (f.not_affected_at IS NULL OR f.not_affected_at > $1) LIMIT 1)
            AND (u.image_id, u.customer_id) > (",
    );
    query.push_bind(image).push(", ").push_bind(customer);
    query.push(") ORDER BY u.image_id, u.customer_id LIMIT ").push(limit);
}

/// Reads what is shown, and puts the names of packages in order.
async fn fetch(
    conn: &mut PgConnection,
    query: QueryBuilder<Postgres>,
    bound: Bound,
) -> sqlx::Result<Page<ExposureRow>> {
    let mut listed: Page<ExposureRow> = page::fetch(conn, query, bound).await?;
    listed.rows.iter_mut().for_each(|row| row.packages.sort_unstable());
    Ok(listed)
}

/// A place in the list of a customer's exposures: rank of the severity (0: critical), image,
/// advisory.
pub type ExposurePlace = (i32, i64, i64);

/// Which exposures of a customer a list holds.
#[derive(Clone, Debug, Default)]
pub struct ExposureFilter<'a> {
    /// Only those of this severity.
    pub severity: Option<&'a str>,
    /// Only those of this image.
    pub image_id: Option<i64>,
}

/// What a customer is exposed to, the most severe first.
pub async fn of_customer(
    conn: &mut PgConnection,
    moment: Moment,
    customer_id: i64,
    filter: &ExposureFilter<'_>,
    after: Option<ExposurePlace>,
    limit: i64,
) -> sqlx::Result<Page<ExposureRow>> {
    let mut query = evaluated(moment.as_of);
    query.push(", ");
    let bound =
        page::find(&mut query, page::EXPENSIVE_COUNT_BOUND, after, limit, |query, after, limit| {
            by_customer(query, moment, customer_id, filter, after, limit);
        });
    query.push(shown(moment)).push(" ORDER BY e.rank, e.image_id, e.advisory_id");
    fetch(conn, query, bound).await
}

/// One severity after the other, and image by image: so the first page ends the search, and what is
/// less severe costs nothing.
fn by_customer(
    query: &mut QueryBuilder<Postgres>,
    moment: Moment,
    customer_id: i64,
    filter: &ExposureFilter<'_>,
    after: Option<ExposurePlace>,
    limit: i64,
) {
    query.push("SELECT f.* FROM (VALUES ");
    let ranked = SEVERITIES.into_iter().zip(0..);
    let wanted = ranked.filter(|(name, _)| filter.severity.is_none_or(|only| only == *name));
    for (n, (name, rank)) in wanted.enumerate() {
        let comma = if n == 0 { "" } else { ", " };
        query.push(format!("{comma}('{name}', {rank})"));
    }
    query.push(
        ") s (severity, rank) CROSS JOIN LATERAL (
             SELECT u.*, f.advisory_id, s.rank FROM (SELECT u.* FROM (SELECT ",
    );
    query.push_bind(customer_id).push("::bigint AS id) c CROSS JOIN LATERAL ");
    query
        .push(in_use_in_order(moment, "customer_id = c.id", " ORDER BY u.image_id"))
        .push(" WHERE true");
    if let Some(image_id) = filter.image_id {
        query.push(" AND u.image_id = ").push_bind(image_id);
    }
    if let Some((rank, image, _)) = after {
        query.push(" AND u.image_id >= CASE WHEN s.rank > ").push_bind(rank);
        query.push(" THEN -1 WHEN s.rank = ").push_bind(rank);
        query.push(" THEN ").push_bind(image).push(" END");
    }
    query.push(
        " ORDER BY u.image_id OFFSET 0) u
          CROSS JOIN LATERAL (
              SELECT DISTINCT f.advisory_id FROM cve_findings f
              WHERE f.image_id = u.image_id AND f.version = u.version AND f.detected_at <= $1
                AND (f.not_affected_at IS NULL OR f.not_affected_at > $1)
                AND f.severity = s.severity",
    );
    if let Some((rank, image, advisory)) = after {
        query.push(" AND (s.rank, u.image_id, f.advisory_id) > (").push_bind(rank);
        query.push(", ").push_bind(image).push(", ").push_bind(advisory).push(")");
    }
    query.push(" ORDER BY f.advisory_id) f LIMIT ").push(limit);
    query.push(") f LIMIT ").push(limit);
}
