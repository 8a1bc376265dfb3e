//! What the vulnerabilities of a version mean for it: the statements of its OpenVEX document.
use super::{Moment, Page, page};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

/// What one advisory means for one package of a version.
#[derive(Clone, Debug, FromRow)]
pub struct StatementRow {
    /// The advisory's ordinal.
    pub advisory_id: i64,
    /// The CVE id.
    pub cve: String,
    /// Its severity.
    pub severity: String,
    /// The package's ordinal.
    pub package_id: i64,
    /// The package's name.
    pub package: String,
    /// Its version in the image.
    pub package_version: Option<String>,
    /// `not_affected`, `affected`, `fixed` or `under_investigation`.
    pub status: String,
    /// Why it does not affect the image.
    pub justification: Option<String>,
    /// The version of the package to move to.
    pub fixed_version: Option<String>,
    /// Since when that is so.
    pub since: DateTime<Utc>,
}

/// The statements after a place. `$1` is the instant, `$2` the image, `$3` the version. What a
/// version before it had and a scan found to be gone is fixed in it.
fn list(query: &mut QueryBuilder<Postgres>, after: Option<(i64, i64)>, limit: i64) {
    query.push(
        "SELECT * FROM (
             SELECT f.advisory_id, f.package_id, false AS fixed, f.detected_at AS since,
                    CASE WHEN f.not_affected_at <= $1 THEN f.not_affected_at END AS judged_at,
                    f.justification
             FROM cve_findings f
             WHERE f.detected_at <= $1 AND f.image_id = $2 AND f.version = $3
             UNION ALL
             SELECT f.advisory_id, f.package_id, true, f.since, NULL, NULL
             FROM (SELECT advisory_id, package_id, min(resolved_at) AS since FROM cve_findings
                   WHERE resolved_at <= $1 AND image_id = $2 AND resolved_version = $3
                     AND version < $3
                   GROUP BY advisory_id, package_id) f
             WHERE (SELECT true FROM cve_findings n
                    WHERE n.image_id = $2 AND n.version = $3 AND n.advisory_id = f.advisory_id
                      AND n.package_id = f.package_id AND n.detected_at <= $1) IS NULL) x",
    );
    if let Some((advisory, package)) = after {
        query.push(" WHERE (x.advisory_id, x.package_id) > (").push_bind(advisory);
        query.push(", ").push_bind(package).push(")");
    }
    query.push(" ORDER BY x.advisory_id, x.package_id LIMIT ").push(limit);
}

/// The statements about a version, by advisory and package, after a place in that order.
pub async fn statements(
    conn: &mut PgConnection,
    moment: Moment,
    (image_id, version): (i64, i32),
    after: Option<(i64, i64)>,
    limit: i64,
) -> sqlx::Result<Page<StatementRow>> {
    let mut query = QueryBuilder::new("WITH asked AS (SELECT ");
    query.push_bind(moment.as_of).push("::timestamptz, ").push_bind(image_id);
    query.push("::bigint, ").push_bind(version).push("::integer), ");
    let bound = page::find(&mut query, page::EXPENSIVE_COUNT_BOUND, after, limit, list);
    query.push(
        "SELECT x.advisory_id, a.cve, a.severity, x.package_id, p.name AS package,
                r.version AS package_version,
                CASE WHEN x.fixed THEN 'fixed' WHEN x.judged_at IS NOT NULL THEN 'not_affected'
                     WHEN ap.fixed_at <= $1 THEN 'affected' ELSE 'under_investigation' END AS status,
                CASE WHEN x.judged_at IS NOT NULL THEN x.justification END AS justification,
                CASE WHEN ap.fixed_at <= $1 THEN ap.fixed_version END AS fixed_version,
                CASE WHEN x.fixed THEN x.since WHEN x.judged_at IS NOT NULL THEN x.judged_at
                     WHEN ap.fixed_at <= $1 THEN greatest(x.since, ap.fixed_at)
                     ELSE x.since END AS since,
                (SELECT n FROM total) AS total
         FROM page x
         JOIN advisories a ON a.id = x.advisory_id
         JOIN packages p ON p.id = x.package_id
         JOIN image_versions v ON v.image_id = $2 AND v.version = $3
         LEFT JOIN advisory_packages ap
             ON ap.advisory_id = x.advisory_id AND ap.package_id = x.package_id
         LEFT JOIN package_releases r
             ON r.package_id = x.package_id
            AND r.release = v.releases[array_position(v.package_ids, x.package_id)]
         ORDER BY x.advisory_id, x.package_id",
    );
    page::fetch(conn, query, bound).await
}

/// SHA-256 of the newest signed OpenVEX document about a version.
pub async fn document(
    conn: &mut PgConnection,
    moment: Moment,
    (image_id, version): (i64, i32),
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "SELECT a.document_sha256 FROM attestations a
         WHERE a.image_id = $2 AND a.version = $3 AND a.predicate_type = $4 AND a.created_at <= $1
           AND a.document_sha256 IS NOT NULL
         ORDER BY a.seq DESC LIMIT 1",
    )
    .bind(moment.as_of)
    .bind(image_id)
    .bind(version)
    .bind(documents::statement::PredicateType::OpenVex.uri())
    .fetch_optional(conn)
    .await
}
