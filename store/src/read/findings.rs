//! Findings of all images as they were known at an instant.
use super::{Direction, Moment, SEVERITIES, TOTAL_BOUND};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

/// A finding as it was known.
#[derive(Clone, Debug, FromRow)]
pub struct FindingRow {
    /// The image's ordinal.
    pub image_id: i64,
    /// The image's name.
    pub image: String,
    /// The version it is on.
    pub version: i32,
    /// That version's digest.
    pub digest: String,
    /// The namespace of the image's owner.
    pub tenant_namespace: String,
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
    /// The package's ordinal.
    pub package_id: i64,
    /// The package's name.
    pub package: String,
    /// The version of the package that is installed.
    pub package_version: Option<String>,
    /// The first version of the package without it, if that was released.
    pub fixed_version: Option<String>,
    /// When a scan found it.
    pub detected_at: DateTime<Utc>,
    /// When a later version of the image without it was published.
    pub resolved_at: Option<DateTime<Utc>>,
    /// That version.
    pub resolved_version: Option<i32>,
    /// When it was judged a false positive.
    pub not_affected_at: Option<DateTime<Utc>>,
    /// Why.
    pub justification: Option<String>,
}

impl FindingRow {
    /// Whether its version had it: it was not judged a false positive. That a later version of the
    /// image is without it changes nothing about this one.
    pub const fn is_open(&self) -> bool {
        self.not_affected_at.is_none()
    }
}

/// A place in the list: detected, image, version, advisory, package.
pub type FindingPlace = (DateTime<Utc>, i64, i32, i64, i64);

/// What a finding says of the version that it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingStatus {
    /// The version has it, for ever.
    Open,
    /// It was judged a false positive.
    NotAffected,
}

/// What a finding says of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFindingStatus {
    /// No published version is known to be without it.
    Open,
    /// A later version without it was published.
    Fixed,
    /// It was judged a false positive.
    NotAffected,
}

/// Which findings a list holds.
#[derive(Clone, Debug, Default)]
pub struct FindingFilter<'a> {
    /// Only those of this severity.
    pub severity: Option<&'a str>,
    /// Only those that say this of their version.
    pub status: Option<FindingStatus>,
    /// Only those that say this of their image.
    pub image_status: Option<ImageFindingStatus>,
    /// Only those of this image.
    pub image_id: Option<i64>,
    /// Only those on this version.
    pub version: Option<i32>,
    /// Only those of this advisory.
    pub advisory_id: Option<i64>,
    /// Only those in this package.
    pub package_id: Option<i64>,
    /// Which end comes first.
    pub direction: Direction,
}

/// How many advisories were open on a version, by severity, as `f`. (`of`: the condition on the
/// changes `n` of that version.)
pub(super) fn by_severity(of: &str) -> String {
    format!(
        "(SELECT coalesce(sum(n.critical), 0) AS critical, coalesce(sum(n.high), 0) AS high,
                 coalesce(sum(n.medium), 0) AS medium, coalesce(sum(n.low), 0) AS low
          FROM finding_counts n WHERE {of} AND n.at <= $1) f"
    )
}

const KEYS: &[&str] =
    &["f.detected_at", "f.image_id", "f.version", "f.advisory_id", "f.package_id"];

/// Each with an index of its own, by severity: what is open now, was fixed, was judged.
const STATUSES: [(ImageFindingStatus, &str); 3] = [
    (ImageFindingStatus::Open, "f.resolved_at IS NULL AND f.not_affected_at IS NULL"),
    (ImageFindingStatus::Fixed, "f.resolved_at IS NOT NULL AND f.not_affected_at IS NULL"),
    (ImageFindingStatus::NotAffected, "f.not_affected_at IS NOT NULL"),
];

impl ImageFindingStatus {
    /// What it says of the version.
    const fn of_version(self) -> FindingStatus {
        match self {
            ImageFindingStatus::Open | ImageFindingStatus::Fixed => FindingStatus::Open,
            ImageFindingStatus::NotAffected => FindingStatus::NotAffected,
        }
    }

    /// What may have stood so at an instant: whatever ended since was open then, and what was
    /// judged since may have been fixed before.
    const fn may_now_be(self, now: ImageFindingStatus, moment: Moment) -> bool {
        use ImageFindingStatus::{Fixed, NotAffected, Open};
        match (self, now) {
            (Open, Open) | (Fixed, Fixed) | (NotAffected, NotAffected) => true,
            (Open, _) | (Fixed, NotAffected) => !moment.newest,
            _ => false,
        }
    }
}

/// The condition that something had not been judged by the instant.
const NOT_JUDGED: &str = " AND (f.not_affected_at IS NULL OR f.not_affected_at > $1)";

impl FindingFilter<'_> {
    /// Whether it leaves something out for what it says of version or image.
    const fn by_status(&self) -> bool {
        self.status.is_some() || self.image_status.is_some()
    }

    /// Whether it takes in what stands so.
    fn takes(&self, standing: ImageFindingStatus) -> bool {
        self.status.is_none_or(|only| only == standing.of_version())
            && self.image_status.is_none_or(|only| only == standing)
    }

    /// The condition that what is taken in stood so at the instant.
    const fn stood(&self) -> &'static str {
        use FindingStatus::{NotAffected, Open};
        use ImageFindingStatus as Image;
        match (self.status, self.image_status) {
            (None, None) => "",
            (Some(Open), None) => NOT_JUDGED,
            (None | Some(Open), Some(Image::Open)) => {
                " AND (f.resolved_at IS NULL OR f.resolved_at > $1)
                  AND (f.not_affected_at IS NULL OR f.not_affected_at > $1)"
            }
            (None | Some(Open), Some(Image::Fixed)) => {
                " AND f.resolved_at <= $1
                  AND (f.not_affected_at IS NULL OR f.not_affected_at > $1)"
            }
            (None, Some(Image::NotAffected))
            | (Some(NotAffected), None | Some(Image::NotAffected)) => {
                " AND f.not_affected_at <= $1"
            }
            (Some(Open), Some(Image::NotAffected))
            | (Some(NotAffected), Some(Image::Open | Image::Fixed)) => " AND false",
        }
    }
}

/// The findings of a list that meet one more condition, in order.
fn part(
    query: &mut QueryBuilder<Postgres>,
    condition: &str,
    filter: &FindingFilter<'_>,
    after: Option<&FindingPlace>,
    limit: i64,
) {
    query.push("SELECT f.* FROM cve_findings f WHERE f.detected_at <= $1").push(condition);
    query.push(filter.stood());
    if let Some(severity) = filter.severity {
        query.push(" AND f.severity = ").push_bind(severity.to_owned());
    }
    if let Some(image_id) = filter.image_id {
        query.push(" AND f.image_id = ").push_bind(image_id);
    }
    if let Some(version) = filter.version {
        query.push(" AND f.version = ").push_bind(version);
    }
    if let Some(advisory_id) = filter.advisory_id {
        query.push(" AND f.advisory_id = ").push_bind(advisory_id);
    }
    if let Some(package_id) = filter.package_id {
        query.push(" AND f.package_id = ").push_bind(package_id);
    }
    if let Some((detected, image, version, advisory, package)) = after {
        query.push(format!(" AND ({}) {} (", KEYS.join(", "), filter.direction.beyond()));
        query.push_bind(*detected).push(", ").push_bind(*image).push(", ");
        query.push_bind(*version).push(", ").push_bind(*advisory).push(", ");
        query.push_bind(*package).push(")");
    }
    query.push(filter.direction.order(KEYS)).push(" LIMIT ").push(limit);
}

/// The findings of a list, from an index in their order: that of the image, the advisory or the
/// package; or of each severity and status that the list may hold; or of all.
fn listed(
    query: &mut QueryBuilder<Postgres>,
    moment: Moment,
    filter: &FindingFilter<'_>,
    after: Option<&FindingPlace>,
    limit: i64,
) {
    let FindingFilter { severity, image_id, advisory_id, package_id, .. } = *filter;
    let of_one = image_id.or(advisory_id).or(package_id).is_some();
    let may_be = |now: ImageFindingStatus| {
        let mut then = STATUSES.into_iter().map(|(then, _)| then);
        then.any(|then| filter.takes(then) && then.may_now_be(now, moment))
    };
    let nothing = !STATUSES.into_iter().any(|(now, _)| may_be(now));
    if of_one || nothing || (severity.is_none() && !filter.by_status()) {
        return part(query, "", filter, after, limit);
    }
    query.push("SELECT f.* FROM (");
    let mut before = "(";
    for (now, condition) in STATUSES {
        if !may_be(now) {
            continue;
        }
        for of in SEVERITIES.into_iter().filter(|of| severity.is_none_or(|only| only == *of)) {
            query.push(before);
            before = ") UNION ALL (";
            let condition = format!(" AND {condition} AND f.severity = '{of}'");
            let rest = FindingFilter { severity: None, ..filter.clone() };
            part(query, &condition, &rest, after, limit);
        }
    }
    query.push(")) f").push(filter.direction.order(KEYS)).push(" LIMIT ").push(limit);
}

fn page(
    moment: Moment,
    filter: &FindingFilter<'_>,
    after: Option<&FindingPlace>,
    limit: i64,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("WITH asked AS (SELECT ");
    query.push_bind(moment.as_of).push("::timestamptz), page AS MATERIALIZED (");
    listed(&mut query, moment, filter, after, limit);
    query.push(") ");
    query
}

/// Findings by when they were detected.
pub async fn findings(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &FindingFilter<'_>,
    after: Option<&FindingPlace>,
    limit: i64,
) -> sqlx::Result<Vec<FindingRow>> {
    let mut query = page(moment, filter, after, limit);
    query.push(
        "SELECT f.image_id, i.name AS image, f.version, v.digest, f.tenant_namespace,
                f.advisory_id, a.cve, f.severity, f.score::float8 AS score, a.known_exploited,
                f.package_id, p.name AS package, r.version AS package_version,
                CASE WHEN ap.fixed_at <= $1 THEN ap.fixed_version END AS fixed_version,
                f.detected_at,
                CASE WHEN f.resolved_at <= $1 THEN f.resolved_at END AS resolved_at,
                CASE WHEN f.resolved_at <= $1 THEN f.resolved_version END AS resolved_version,
                CASE WHEN f.not_affected_at <= $1 THEN f.not_affected_at END AS not_affected_at,
                CASE WHEN f.not_affected_at <= $1 THEN f.justification END AS justification
         FROM page f
         JOIN images i ON i.id = f.image_id
         JOIN image_versions v ON v.image_id = f.image_id AND v.version = f.version
         JOIN advisories a ON a.id = f.advisory_id
         JOIN packages p ON p.id = f.package_id
         LEFT JOIN advisory_packages ap
             ON ap.advisory_id = f.advisory_id AND ap.package_id = f.package_id
         LEFT JOIN package_releases r
             ON r.package_id = f.package_id
            AND r.release = v.releases[array_position(v.package_ids, f.package_id)]",
    );
    query.push(filter.direction.order(KEYS));
    query.build_query_as().fetch_all(conn).await
}

/// The number of entries, counted up to one more than the bound of totals.
pub async fn findings_total(
    conn: &mut PgConnection,
    moment: Moment,
    filter: &FindingFilter<'_>,
) -> sqlx::Result<i64> {
    // With the rows: the planner would count all of an image in another index than that of their order.
    let mut query = page(moment, filter, None, TOTAL_BOUND + 1);
    query.push("SELECT count(*) FROM page");
    query.build_query_scalar().fetch_one(conn).await
}
