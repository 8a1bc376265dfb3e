//! What scans had looked at by an instant. What none has looked at is unknown; it is not clean.
use super::Moment;
use super::in_use::in_use;
use sqlx::{PgConnection, QueryBuilder};

/// What is known of a version, or of an advisory, from scans. The least is known of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ScanState {
    /// No scan has reported yet: what is there is unknown.
    Pending,
    /// Advisories have become detectable since the last scan.
    Outdated,
    /// The last scan looked for all that scanners could see.
    Complete,
}

impl ScanState {
    /// Its name in SQL.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            ScanState::Pending => "pending",
            ScanState::Outdated => "outdated",
            ScanState::Complete => "complete",
        }
    }
}

/// What is selected of a `scan`.
pub(super) const COLUMNS: &str = "scan.state AS scan, scan.at AS scanned_at";

/// Joins what scans had seen of the version `v`, as `scan`. `$1` is the instant; `superseded` is when
/// the version was superseded. (Its last scan is looked up once; OFFSET keeps it so.)
pub(super) fn joined(superseded: &str) -> String {
    format!(
        "
    LEFT JOIN LATERAL (
        SELECT s.at, CASE WHEN s.at IS NULL THEN 'pending'
                          WHEN s.at < (SELECT a.detectable_at FROM advisories a
                                       WHERE a.detectable_at <= $1
                                       ORDER BY a.detectable_at DESC LIMIT 1) THEN 'outdated'
                          ELSE 'complete' END AS state
        FROM (SELECT scanned_at(v.image_id, v.version, v.published_at, {superseded}, $1) AS at
              OFFSET 0) s) scan ON v.version IS NOT NULL"
    )
}

/// How well the versions that a customer runs have been looked at: as badly as the worst of them;
/// none when it runs nothing.
pub async fn of_customer(
    conn: &mut PgConnection,
    moment: Moment,
    customer_id: i64,
) -> sqlx::Result<Option<ScanState>> {
    let mut query = QueryBuilder::new("SELECT DISTINCT scan.state FROM (SELECT ");
    query.push_bind(moment.as_of).push("::timestamptz, ").push_bind(customer_id);
    query.push("::bigint AS id) c CROSS JOIN LATERAL ");
    query.push(in_use(moment, "customer_id = c.id"));
    query.push(" JOIN image_versions v ON v.image_id = u.image_id AND v.version = u.version");
    query.push(joined("v.superseded_at"));
    let states: Vec<ScanState> = query.build_query_scalar().fetch_all(conn).await?;
    Ok(states.into_iter().min())
}
