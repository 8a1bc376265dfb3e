//! Build events as they stood at an instant: the status is computed from the row's instants.
use super::page::Slice;
use super::{Direction, Moment};
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Postgres, QueryBuilder};

/// A build as it stood.
#[derive(Clone, Debug, FromRow)]
pub struct BuildRow {
    /// Its number.
    pub id: i64,
    /// What is built.
    pub image_id: i64,
    /// The image's name.
    pub image: String,
    /// The namespace of the owner.
    pub tenant_namespace: String,
    /// What asked for it.
    pub trigger: String,
    /// The advisory whose fix asked for it.
    pub cve: Option<String>,
    /// The package whose release asked for it.
    pub package: Option<String>,
    /// The version of that release.
    pub package_version: Option<String>,
    /// The base image whose new version asked for it.
    pub base: Option<String>,
    /// That version.
    pub base_version: Option<i64>,
    /// The revision a webhook named.
    pub revision: Option<String>,
    /// Who asked.
    pub requested_by: Option<String>,
    /// The build that failed and is tried again.
    pub retry_of: Option<i64>,
    /// Whether somebody outside builds it.
    pub external: bool,
    /// The status at that instant.
    pub status: String,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When a builder first took it, if that had happened.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, if it had.
    pub finished_at: Option<DateTime<Utc>>,
    /// How many attempts it took, once it has ended.
    pub attempts: Option<i32>,
    /// The machine that built it, once it has ended.
    pub builder: Option<String>,
    /// The build that covers it.
    pub merged_into: Option<i64>,
    /// Why it failed.
    pub failure: Option<String>,
    /// The version it published or found to be current.
    pub version: Option<i32>,
    /// That version's digest.
    pub digest: Option<String>,
    /// SHA-256 of its log.
    pub log_sha256: Option<String>,
}

/// A place in the order of builds.
#[derive(Clone, Copy, Debug)]
pub struct BuildPlace {
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// Its number.
    pub id: i64,
}

/// Which builds a list holds.
#[derive(Clone, Debug, Default)]
pub struct BuildFilter<'a> {
    /// Only those of this image.
    pub image_id: Option<i64>,
    /// Only those with this status.
    pub status: Option<&'a str>,
    /// Only those with this trigger.
    pub trigger: Option<&'a str>,
    /// Only those that come after this place.
    pub after: Option<BuildPlace>,
    /// Which end comes first.
    pub direction: Direction,
}

/// `$1` is the instant, `$2` whether it is the newest state. `width_bucket` counts the instants of
/// an array up to it: between a flake and the next attempt a build waits.
const SEEN: &str = "
    SELECT b.*, s.status AS seen, s.status IN (
               'finishing', 'completed', 'unchanged', 'superseded', 'merged', 'failed') AS ended
    FROM build_events b
    CROSS JOIN LATERAL (SELECT CASE
        WHEN b.status = 'merged' AND coalesce(b.finished_at, b.requested_at) <= $1 THEN 'merged'
        WHEN b.finished_at <= $1 THEN b.status
        WHEN b.started_at <= $1
             AND width_bucket($1, b.restarted_at) = width_bucket($1, b.flaked_at) THEN 'running'
        ELSE 'pending' END AS status) s
    WHERE b.requested_at <= $1
      AND ($2 OR NOT EXISTS (
          SELECT 1 FROM commands c WHERE c.applied_at IS NULL AND c.seq = b.id - 1000000000))";

const COLUMNS: &str = "
    SELECT b.id, b.image_id, i.name AS image, b.tenant_namespace, b.trigger,
           a.cve, p.name AS package, r.version AS package_version, base.name AS base,
           (b.cause #>> '{base,version}')::bigint AS base_version,
           b.cause ->> 'revision' AS revision, b.cause ->> 'requested_by' AS requested_by,
           (b.cause ->> 'of')::bigint AS retry_of,
           coalesce((b.cause ->> 'external')::boolean, false) AS external,
           b.seen AS status, b.requested_at,
           CASE WHEN b.started_at <= $1 THEN b.started_at END AS started_at,
           CASE WHEN b.finished_at <= $1 THEN b.finished_at END AS finished_at,
           CASE WHEN b.ended THEN b.attempts END AS attempts,
           CASE WHEN b.ended THEN b.builder END AS builder,
           CASE WHEN b.ended THEN b.merged_into END AS merged_into,
           CASE WHEN b.ended THEN b.failure END AS failure,
           CASE WHEN b.ended THEN b.version END AS version,
           CASE WHEN b.ended THEN v.digest END AS digest,
           CASE WHEN b.ended THEN b.log_sha256 END AS log_sha256";

const JOINS: &str = "
    JOIN images i ON i.id = b.image_id
    LEFT JOIN image_versions v ON v.image_id = b.image_id AND v.version = b.version
    LEFT JOIN advisories a ON a.id = (b.cause ->> 'advisory')::bigint
    LEFT JOIN package_releases r
        ON r.package_id = (b.cause #>> '{release,package}')::bigint
       AND r.release = (b.cause #>> '{release,release}')::integer
    LEFT JOIN packages p ON p.id = r.package_id
    LEFT JOIN images base ON base.id = (b.cause #>> '{base,image}')::bigint";

/// Statuses that never change again.
const FINAL: [&str; 5] = ["completed", "unchanged", "superseded", "merged", "failed"];

const KEYS: &[&str] = &["b.requested_at", "b.id"];

/// Statuses that a row has before it is final.
const NOT_FINAL: &str = " AND b.status IN ('pending', 'running', 'finishing')";

fn page(moment: Moment, filter: &BuildFilter<'_>, slice: Slice) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("WITH at AS (SELECT ");
    query.push_bind(moment.as_of).push("::timestamptz, ").push_bind(moment.newest);
    query.push("::boolean), ").push(slice.page()).push(SEEN);
    if let Some(image_id) = filter.image_id {
        query.push(" AND b.image_id = ").push_bind(image_id);
    }
    if let Some(status) = filter.status {
        if FINAL.contains(&status) {
            // The same as `s.status`, in words that the planner knows how many rows have.
            query.push(" AND b.status = ").push_bind(status.to_owned());
            query.push(match status {
                "merged" => " AND coalesce(b.finished_at, b.requested_at) <= $1",
                _ => " AND b.finished_at <= $1",
            });
        } else {
            query.push(" AND s.status = ").push_bind(status.to_owned());
            query.push(if moment.newest { NOT_FINAL } else { "" });
        }
    }
    if let Some(trigger) = filter.trigger {
        query.push(" AND b.trigger = ").push_bind(trigger.to_owned());
    }
    if let Some(after) = filter.after {
        query.push(format!(" AND (b.requested_at, b.id) {} (", filter.direction.beyond()));
        query.push_bind(after.requested_at);
        query.push(", ").push_bind(after.id).push(")");
    }
    query.push(filter.direction.order(KEYS)).push(" LIMIT ").push(slice.limit()).push(") ");
    query
}

/// Builds by when they were asked for, at most `limit` of them.
pub async fn builds(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &BuildFilter<'_>,
    limit: i64,
) -> sqlx::Result<Vec<BuildRow>> {
    let mut query = page(moment, filter, Slice::Page(limit));
    query.push(COLUMNS).push(" FROM page b ").push(JOINS);
    query.push(filter.direction.order(KEYS));
    query.build_query_as().fetch_all(conn).await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn builds_total(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &BuildFilter<'_>,
) -> sqlx::Result<i64> {
    let mut query = page(moment, &BuildFilter { after: None, ..filter.clone() }, Slice::Total);
    query.push("SELECT count(*) FROM page");
    query.build_query_scalar().fetch_one(conn).await
}

/// One build; none when nobody had asked for it at that instant.
pub async fn build(
    conn: &mut PgConnection,
    moment: Moment,
    id: i64,
) -> sqlx::Result<Option<BuildRow>> {
    let sql = format!("{COLUMNS} FROM ({SEEN} AND b.id = $3) b {JOINS}");
    sqlx::query_as(AssertSqlSafe(sql))
        .bind(moment.as_of)
        .bind(moment.newest)
        .bind(id)
        .fetch_optional(conn)
        .await
}
