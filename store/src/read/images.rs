//! Images as they stood at an instant.
mod filter;

pub use filter::{ImageFilter, ImageOrder, ImagePlace, ImageStatus};

use super::findings::by_severity;
use super::scans::{self, ScanState};
use super::{Moment, Page, SEVERITIES, TOTAL_BOUND, page};
use chrono::{DateTime, Utc};
use filter::ByVersion;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

/// An image with the version that was current.
#[derive(Clone, Debug, FromRow)]
pub struct ImageRow {
    /// Its ordinal.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// The name of the image it is built on.
    pub base: Option<String>,
    /// The namespace of the owner.
    pub tenant_namespace: String,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When its life ends.
    pub end_of_life_at: Option<DateTime<Utc>>,
    /// The current version; none before the first is published.
    pub version: Option<i32>,
    /// Its digest.
    pub digest: Option<String>,
    /// When it was published.
    pub published_at: Option<DateTime<Utc>>,
    /// Its SLSA build level.
    pub slsa_level: Option<i32>,
    /// How many packages it holds.
    pub packages: Option<i32>,
    /// The base's digest that it stands on.
    pub base_digest: Option<String>,
    /// Advisories open on it, by severity.
    pub critical: i64,
    /// Advisories open on it, by severity.
    pub high: i64,
    /// Advisories open on it, by severity.
    pub medium: i64,
    /// Advisories open on it, by severity.
    pub low: i64,
    /// What is known of it from scans; none without a version. While it is pending the numbers say
    /// nothing.
    pub scan: Option<ScanState>,
    /// When it was scanned last.
    pub scanned_at: Option<DateTime<Utc>>,
}

impl ImageRow {
    /// Its place in a list of that order.
    pub fn place(&self, order: ImageOrder) -> ImagePlace {
        let at = match order {
            ImageOrder::Name => None,
            ImageOrder::CreatedAt => Some(self.created_at),
            ImageOrder::PublishedAt => self.published_at,
        };
        ImagePlace { name: self.name.clone(), at }
    }
}

/// The version of the image `i` that was current. In the past there are newer ones to be passed over,
/// which the index does.
const fn current(moment: Moment) -> &'static str {
    if moment.newest {
        "
    LEFT JOIN LATERAL (
        SELECT v.* FROM image_versions v
        WHERE v.image_id = i.id AND v.published_at <= $1
        ORDER BY v.version DESC LIMIT 1) v ON true"
    } else {
        "
    LEFT JOIN LATERAL (
        SELECT v.* FROM image_versions v
        WHERE v.image_id = i.id AND v.version = (
            SELECT n.version FROM image_versions n
            WHERE n.image_id = i.id AND n.published_at <= $1
            ORDER BY n.version DESC LIMIT 1)
        OFFSET 0) v ON true"
    }
}

/// The current versions of all images at once: for those who must look at every one.
const fn currents(moment: Moment) -> &'static str {
    if moment.newest {
        "
    LEFT JOIN (
        SELECT v.image_id, max(v.version) AS version, max(v.published_at) AS published_at
        FROM image_versions v WHERE v.superseded_at IS NULL AND v.published_at <= $1
        GROUP BY v.image_id) v ON v.image_id = i.id"
    } else {
        "
    LEFT JOIN (
        SELECT v.image_id, max(v.version) AS version, max(v.published_at) AS published_at
        FROM image_versions v
        WHERE CASE WHEN v.superseded_at IS NULL THEN 'infinity' ELSE v.superseded_at END > $1
          AND v.published_at <= $1
        GROUP BY v.image_id) v ON v.image_id = i.id"
    }
}

/// The level of that version.
const LEVEL: &str = "
    LEFT JOIN LATERAL (
        SELECT a.slsa_level FROM slsa_assessments a
        WHERE a.image_id = v.image_id AND a.version = v.version AND a.assessed_at <= $1
        ORDER BY a.seq DESC LIMIT 1) s ON true";

/// All that is shown of the images of `page`.
fn shown(query: &mut QueryBuilder<Postgres>, moment: Moment) {
    query.push(
        "SELECT i.id, i.name, i.description, base.name AS base, i.tenant_namespace, i.created_at,
                i.end_of_life_at, v.version, v.digest, v.published_at, s.slsa_level,
                cardinality(v.package_ids) AS packages, bv.digest AS base_digest,
                f.critical, f.high, f.medium, f.low, (SELECT n FROM total) AS total, ",
    );
    query.push(scans::COLUMNS);
    query.push(" FROM page i LEFT JOIN images base ON base.id = i.base_image_id ");
    query.push(current(moment)).push(LEVEL).push(scans::joined("v.superseded_at")).push(
        " LEFT JOIN image_versions bv
              ON bv.image_id = v.base_image_id AND bv.version = v.base_version
          CROSS JOIN LATERAL ",
    );
    query.push(by_severity("n.image_id = i.id AND n.version = v.version"));
}

/// A query that knows the instant as `$1`.
fn asked(moment: Moment) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("WITH asked AS (SELECT ");
    query.push_bind(moment.as_of).push("::timestamptz), ");
    query
}

/// What is found of an image `i`.
const COLUMNS: &str = "
    SELECT i.id, i.name, i.description, i.base_image_id, i.tenant_namespace, i.created_at,
           i.end_of_life_at";

/// Images that had a tag, by name. They had a version then, so they were there.
fn tagged(
    query: &mut QueryBuilder<Postgres>,
    tag: &str,
    after: Option<&ImagePlace>,
    descending: bool,
    limit: i64,
) {
    query.push("SELECT t.image_id FROM image_tags t WHERE t.since <= $1 AND t.tag = ");
    query.push_bind(tag.to_owned());
    if let Some(after) = after {
        query.push(if descending { " AND t.name < " } else { " AND t.name > " });
        query.push_bind(after.name.clone());
    }
    query.push(if descending { " ORDER BY t.name DESC" } else { " ORDER BY t.name" });
    query.push(" LIMIT ").push(limit);
}

const IMAGES: &str = "images i";

/// Images that were there, with what the filter and the order need of them.
fn there(query: &mut QueryBuilder<Postgres>, moment: Moment, images: &str, joins: &[&str]) {
    query.push(COLUMNS).push(" FROM ").push(images);
    joins.iter().for_each(|join| {
        query.push(join);
    });
    query.push(" WHERE i.created_at <= $1");
    if !moment.newest {
        query.push(
            " AND NOT EXISTS (
                  SELECT 1 FROM commands c
                  WHERE c.applied_at IS NULL AND jsonb_typeof(c.command -> 'create') = 'object'
                    AND (c.command ->> 'image')::bigint = i.id)",
        );
    }
}

fn list(
    query: &mut QueryBuilder<Postgres>,
    moment: Moment,
    filter: &ImageFilter<'_>,
    after: Option<&ImagePlace>,
    limit: i64,
) {
    let key = filter.order.key();
    let order = order(key, filter.descending);
    let level = if filter.by_level() { LEVEL } else { "" };
    // A version that was current had not been superseded.
    let scanned = if filter.by_scan() { scans::joined("NULL") } else { String::new() };
    match filter.by_version() {
        ByVersion::No => there(query, moment, IMAGES, &[]),
        ByVersion::OneByOne => {
            // In order from the beginning: few are looked at before a page is full.
            let images = format!("(SELECT i.* FROM images i{order} OFFSET 0) i");
            there(query, moment, &images, &[current(moment), level, &scanned]);
        }
        ByVersion::All => there(query, moment, IMAGES, &[currents(moment), level, &scanned]),
    }
    narrow(query, filter);
    if let Some(after) = after {
        query.push(" AND (");
        if let Some(key) = key {
            query.push(key).push(", ");
        }
        query.push("i.name) ").push(if filter.descending { "<" } else { ">" }).push(" (");
        match (key, after.at) {
            (Some(_), Some(at)) => _ = query.push_bind(at).push(", "),
            (Some(_), None) => _ = query.push("timestamptz '-infinity', "),
            (None, _) => {}
        }
        query.push_bind(after.name.clone()).push(")");
    }
    query.push(order).push(" LIMIT ").push(limit);
}

fn order(key: Option<&str>, descending: bool) -> String {
    let direction = if descending { " DESC" } else { "" };
    let key = key.map_or(String::new(), |key| format!("{key}{direction}, "));
    format!(" ORDER BY {key}i.name{direction}")
}

fn narrow(query: &mut QueryBuilder<Postgres>, filter: &ImageFilter<'_>) {
    match filter.q {
        Some(digest) if digest.starts_with("sha256:") => {
            query.push(" AND i.id IN (SELECT d.image_id FROM image_versions d WHERE d.digest = ");
            query.push_bind(digest.to_owned()).push(" AND d.published_at <= $1)");
        }
        Some(text) => {
            query.push(" AND position(lower(").push_bind(text.to_owned());
            query.push(") IN lower(i.name || ' ' || i.description)) > 0");
        }
        None => {}
    }
    if let Some(name) = filter.name {
        query
            .push(" AND position(lower(")
            .push_bind(name.to_owned())
            .push(") IN lower(i.name)) > 0");
    }
    if let Some(tag) = filter.tag {
        query.push(" AND i.id IN (SELECT t.image_id FROM image_tags t WHERE t.tag = ");
        query.push_bind(tag.to_owned()).push(" AND t.since <= $1)");
    }
    query.push(match filter.status {
        None => "",
        Some(ImageStatus::EndOfLife) => " AND i.end_of_life_at <= $1",
        Some(ImageStatus::Active) => {
            " AND (i.end_of_life_at IS NULL OR i.end_of_life_at > $1) AND v.version IS NOT NULL"
        }
        Some(ImageStatus::Unpublished) => {
            " AND (i.end_of_life_at IS NULL OR i.end_of_life_at > $1) AND v.version IS NULL"
        }
    });
    if let Some(base) = filter.base_image_id {
        query.push(" AND i.base_image_id = ").push_bind(base);
    }
    if let Some(severity) = filter.severity {
        let column = SEVERITIES.into_iter().find(|known| *known == severity);
        query.push(match column {
            Some(column) => format!(
                " AND scan.at IS NOT NULL
                  AND (SELECT sum(n.{column}) FROM finding_counts n
                       WHERE n.image_id = i.id AND n.version = v.version AND n.at <= $1) > 0"
            ),
            None => " AND false".to_owned(),
        });
    }
    if let Some(level) = filter.slsa_level {
        query.push(" AND s.slsa_level = ").push_bind(level);
    }
    if let Some(state) = filter.scan {
        query.push(" AND scan.state = ").push_bind(state.as_str());
    }
    match filter.assessed {
        Some(true) => _ = query.push(" AND s.slsa_level IS NOT NULL"),
        Some(false) => _ = query.push(" AND s.slsa_level IS NULL AND v.version IS NOT NULL"),
        None => {}
    }
}

/// Images in the filter's order, after a place, at most `limit` of them.
pub async fn images(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &ImageFilter<'_>,
    after: Option<&ImagePlace>,
    limit: i64,
) -> sqlx::Result<Page<ImageRow>> {
    let mut query = asked(moment);
    let bound = if let Some(tag) = filter.tag_alone() {
        let all = |query: &mut QueryBuilder<Postgres>, counted| {
            tagged(query, tag, None, false, counted);
        };
        page::find_cheap(&mut query, TOTAL_BOUND, limit, all, |query, limit| {
            query.push(COLUMNS).push(" FROM (");
            tagged(query, tag, after, filter.descending, limit);
            query.push(") t JOIN images i ON i.id = t.image_id");
        })
    } else if filter.narrows() {
        let expensive = filter.by_version() == ByVersion::OneByOne;
        let bound = if expensive { page::EXPENSIVE_COUNT_BOUND } else { TOTAL_BOUND };
        page::find(&mut query, bound, after, limit, |query, after, limit| {
            list(query, moment, filter, after, limit);
        })
    } else {
        let all = |query: &mut QueryBuilder<Postgres>, counted| {
            there(query, moment, IMAGES, &[]);
            query.push(" LIMIT ").push(counted);
        };
        page::find_cheap(&mut query, TOTAL_BOUND, limit, all, |query, limit| {
            list(query, moment, filter, after, limit);
        })
    };
    shown(&mut query, moment);
    query.push(order(filter.order.key(), filter.descending));
    page::fetch(conn, query, bound).await
}

/// One image; none when it was not there at that instant.
pub async fn image(
    conn: &mut PgConnection,
    moment: Moment,
    id: i64,
) -> sqlx::Result<Option<ImageRow>> {
    let mut query = asked(moment);
    query.push("total AS (SELECT 1 AS n), page AS MATERIALIZED (");
    there(&mut query, moment, IMAGES, &[]);
    query.push(" AND i.id = ").push_bind(id).push(") ");
    shown(&mut query, moment);
    query.build_query_as().fetch_optional(conn).await
}

/// An image that is asked about.
#[derive(Clone, Debug, FromRow)]
pub struct KnownImage {
    /// Its ordinal.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The current version; none before the first is published.
    pub version: Option<i32>,
}

/// The image with this name, or with this number when no image has that name; none when it was not
/// there at that instant. (Two look-ups: under row security an OR of them reads all images.)
pub async fn known(
    conn: &mut PgConnection,
    moment: Moment,
    name: &str,
    number: Option<i64>,
) -> sqlx::Result<Option<KnownImage>> {
    let mut query = asked(moment);
    query.push("page AS MATERIALIZED ((");
    there(&mut query, moment, IMAGES, &[]);
    query.push(" AND i.name = ").push_bind(name.to_owned()).push(")");
    if let Some(number) = number {
        query.push(" UNION ALL (");
        there(&mut query, moment, IMAGES, &[]);
        query.push(" AND i.id = ").push_bind(number).push(")");
    }
    query.push(" LIMIT 1) SELECT i.id, i.name, v.version FROM page i");
    query.push(current(moment));
    query.build_query_as().fetch_optional(conn).await
}

/// The ordinal of the image with this name, or with this number when no image has that name.
pub async fn find(
    conn: &mut PgConnection,
    name: &str,
    number: Option<i64>,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "(SELECT id FROM images WHERE name = $1) UNION ALL (SELECT id FROM images WHERE id = $2)
         LIMIT 1",
    )
    .bind(name)
    .bind(number)
    .fetch_optional(conn)
    .await
}
