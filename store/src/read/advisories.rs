//! Advisories as they were known at an instant.
use super::page::Slice;
use super::scans::ScanState;
use super::{Direction, Moment};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

/// An advisory as it was known.
#[derive(Clone, Debug, FromRow)]
pub struct AdvisoryRow {
    /// Its ordinal.
    pub id: i64,
    /// Its CVE id.
    pub cve: String,
    /// Its severity.
    pub severity: String,
    /// Its CVSS base score.
    pub score: f64,
    /// Its CVSS 3.1 base vector.
    pub vector: String,
    /// Whether it is known to be exploited.
    pub known_exploited: bool,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// From when on a scanner saw it, if that had come.
    pub detectable_at: Option<DateTime<Utc>>,
    /// When an upstream fix was there, if it was.
    pub fix_available_at: Option<DateTime<Utc>>,
    /// The first of the packages it affects.
    pub packages: Vec<String>,
    /// How many packages it affects.
    pub package_count: i64,
    /// Whether all that is in use has been looked at for it.
    pub scan: ScanState,
}

/// A place in the list: published, ordinal.
pub type AdvisoryPlace = (DateTime<Utc>, i64);

/// Which advisories a list holds.
#[derive(Clone, Debug, Default)]
pub struct AdvisoryFilter<'a> {
    /// Only those of this severity.
    pub severity: Option<&'a str>,
    /// Only those whose CVE id, or the name of an affected package, holds this text.
    pub q: Option<&'a str>,
    /// Only those that are, or are not, known to be exploited.
    pub known_exploited: Option<bool>,
    /// Only those for which an upstream fix was there, or was not.
    pub fix_available: Option<bool>,
    /// Only those published then or later.
    pub published_from: Option<DateTime<Utc>>,
    /// Only those published then or before.
    pub published_to: Option<DateTime<Utc>>,
    /// Only those that all that is in use has been looked at for, or not.
    pub scanned: Option<bool>,
    /// Which end comes first.
    pub direction: Direction,
}

const SHOWN: &str = "
    SELECT a.id, a.cve, a.severity, a.score::float8 AS score, a.vector, a.known_exploited,
           a.published_at,
           CASE WHEN a.detectable_at <= $1 THEN a.detectable_at END AS detectable_at,
           CASE WHEN a.fix_available_at <= $1 THEN a.fix_available_at END AS fix_available_at,
           ARRAY(SELECT p.name FROM advisory_packages ap JOIN packages p ON p.id = ap.package_id
                 WHERE ap.advisory_id = a.id ORDER BY ap.package_id LIMIT 10) AS packages,
           (SELECT count(*) FROM advisory_packages ap WHERE ap.advisory_id = a.id) AS package_count,
           CASE WHEN a.detectable_at <= (SELECT scan_pass_at($1)) THEN 'complete'
                ELSE 'pending' END AS scan
    FROM page a";

const KEYS: &[&str] = &["a.published_at", "a.id"];

fn page(
    moment: Moment,
    filter: &AdvisoryFilter<'_>,
    after: Option<&AdvisoryPlace>,
    slice: Slice,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("WITH ");
    query.push(slice.page());
    query.push("SELECT a.* FROM advisories a WHERE a.published_at <= ");
    query.push_bind(moment.as_of);
    if let Some(severity) = filter.severity {
        query.push(" AND a.severity = ").push_bind(severity.to_owned());
    }
    if let Some(exploited) = filter.known_exploited {
        query.push(" AND a.known_exploited = ").push_bind(exploited);
    }
    match filter.fix_available {
        Some(true) => {
            query.push(" AND a.fix_available_at <= $1");
        }
        Some(false) => {
            query.push(" AND (a.fix_available_at IS NULL OR a.fix_available_at > $1)");
        }
        None => {}
    }
    match filter.scanned {
        Some(true) => _ = query.push(" AND a.detectable_at <= (SELECT scan_pass_at($1))"),
        Some(false) => {
            query.push(" AND a.detectable_at > (SELECT coalesce(scan_pass_at($1), '-infinity'))");
        }
        None => {}
    }
    if let Some(from) = filter.published_from {
        query.push(" AND a.published_at >= ").push_bind(from);
    }
    if let Some(to) = filter.published_to {
        query.push(" AND a.published_at <= ").push_bind(to);
    }
    if let Some(q) = filter.q {
        query.push(" AND (position(upper(").push_bind(q.to_owned());
        query.push(
            ") IN a.cve) > 0 OR EXISTS (
                 SELECT FROM advisory_packages ap JOIN packages p ON p.id = ap.package_id
                 WHERE ap.advisory_id = a.id AND position(lower(",
        );
        query.push_bind(q.to_owned()).push(") IN lower(p.name)) > 0))");
    }
    if let Some((published, id)) = after {
        query.push(format!(" AND (a.published_at, a.id) {} (", filter.direction.beyond()));
        query.push_bind(*published);
        query.push(", ").push_bind(*id).push(")");
    }
    query.push(filter.direction.order(KEYS)).push(" LIMIT ").push(slice.limit()).push(") ");
    query
}

/// Advisories by when they were published.
pub async fn advisories(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &AdvisoryFilter<'_>,
    after: Option<&AdvisoryPlace>,
    limit: i64,
) -> sqlx::Result<Vec<AdvisoryRow>> {
    let mut query = page(moment, filter, after, Slice::Page(limit));
    query.push(SHOWN).push(filter.direction.order(KEYS));
    query.build_query_as().fetch_all(conn).await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn advisories_total(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &AdvisoryFilter<'_>,
) -> sqlx::Result<i64> {
    let mut query = page(moment, filter, None, Slice::Total);
    query.push("SELECT count(*) FROM page");
    query.build_query_scalar().fetch_one(conn).await
}

/// The ordinal of the advisory with this CVE id, once it was published.
pub async fn id(conn: &mut PgConnection, moment: Moment, cve: &str) -> sqlx::Result<Option<i64>> {
    let sql = "SELECT id FROM advisories WHERE cve = $1 AND published_at <= $2";
    sqlx::query_scalar(sql).bind(cve).bind(moment.as_of).fetch_optional(conn).await
}

/// The advisory with this ordinal.
pub async fn advisory(
    conn: &mut PgConnection,
    moment: Moment,
    id: i64,
) -> sqlx::Result<AdvisoryRow> {
    let mut query = QueryBuilder::new(
        "WITH page AS MATERIALIZED (SELECT a.* FROM advisories a WHERE a.published_at <= ",
    );
    query.push_bind(moment.as_of).push(" AND a.id = ").push_bind(id).push(") ").push(SHOWN);
    query.build_query_as().fetch_one(conn).await
}

/// A package that an advisory affects.
#[derive(Clone, Debug, FromRow)]
pub struct AffectedRow {
    /// The package's name.
    pub package: String,
    /// The first affected version.
    pub introduced_version: String,
    /// The first version that is not affected any more, if it was released.
    pub fixed_version: Option<String>,
    /// When it was released.
    pub fixed_at: Option<DateTime<Utc>>,
}

/// What an advisory affects, by package; the first `limit` of them.
pub async fn affected(
    conn: &mut PgConnection,
    moment: Moment,
    advisory_id: i64,
    limit: i64,
) -> sqlx::Result<Vec<AffectedRow>> {
    sqlx::query_as(
        "SELECT p.name AS package, ap.introduced_version,
                CASE WHEN ap.fixed_at <= $1 THEN ap.fixed_version END AS fixed_version,
                CASE WHEN ap.fixed_at <= $1 THEN ap.fixed_at END AS fixed_at
         FROM advisory_packages ap JOIN packages p ON p.id = ap.package_id
         WHERE ap.advisory_id = $2 ORDER BY p.name LIMIT $3",
    )
    .bind(moment.as_of)
    .bind(advisory_id)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// How far an advisory reached, of what the caller may see.
#[derive(Clone, Debug, FromRow)]
pub struct ReachRow {
    /// When a scan first found it.
    pub first_detected_at: Option<DateTime<Utc>>,
    /// How many images it was found on.
    pub images_affected: i64,
    /// How many of them had no version without it.
    pub images_open: i64,
    /// How many findings were on versions and not judged false positives.
    pub findings_open: i64,
    /// On how many images it was judged a false positive.
    pub images_not_affected: i64,
}

/// How far an advisory reached.
pub async fn reach(
    conn: &mut PgConnection,
    moment: Moment,
    advisory_id: i64,
) -> sqlx::Result<ReachRow> {
    sqlx::query_as(
        "SELECT min(detected_at) AS first_detected_at,
                count(DISTINCT image_id) FILTER (WHERE NOT judged) AS images_affected,
                count(DISTINCT image_id) FILTER (WHERE NOT judged AND NOT resolved) AS images_open,
                count(*) FILTER (WHERE NOT judged) AS findings_open,
                count(DISTINCT image_id) FILTER (WHERE judged) AS images_not_affected
         FROM (SELECT image_id, detected_at, coalesce(resolved_at <= $1, false) AS resolved,
                      coalesce(not_affected_at <= $1, false) AS judged
               FROM cve_findings WHERE advisory_id = $2 AND detected_at <= $1) f",
    )
    .bind(moment.as_of)
    .bind(advisory_id)
    .fetch_one(conn)
    .await
}
