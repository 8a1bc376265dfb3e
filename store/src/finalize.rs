//! Finalizes a window: ends the rows that something newer has replaced. Jobs only insert; this runs
//! after the window's builds and scans, and running it again changes nothing.
use crate::db::instant;
use crate::error::Error;
use chrono::{DateTime, Utc};
use sim::fact::UsageMode;
use sim::ids::{AdvisoryId, CustomerId, ImageId, PackageId};
use sim::time::SimTime;
use sqlx::PgConnection;

fn instants(ats: impl Iterator<Item = SimTime>) -> Result<Vec<DateTime<Utc>>, Error> {
    ats.map(instant).collect()
}

/// A version that was published.
#[derive(Clone, Copy, Debug)]
pub struct PublishedVersion {
    /// The image.
    pub image: ImageId,
    /// The new version.
    pub version: u32,
    /// When.
    pub at: SimTime,
}

/// Ends the versions before these, and makes these the current ones.
pub async fn supersede_versions(
    conn: &mut PgConnection,
    published: &[PublishedVersion],
) -> Result<(), Error> {
    if published.is_empty() {
        return Ok(());
    }
    let images: Vec<_> = published.iter().map(|p| i64::from(p.image.0)).collect();
    let versions: Vec<_> = published.iter().map(|p| p.version as i32).collect();
    sqlx::query(
        "UPDATE image_versions v SET superseded_at = new.at
         FROM unnest($1::bigint[], $2::integer[], $3::timestamptz[]) AS new (image, version, at)
         WHERE v.image_id = new.image AND v.version = new.version - 1
           AND v.superseded_at IS NULL",
    )
    .bind(&images)
    .bind(&versions)
    .bind(instants(published.iter().map(|p| p.at))?)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "UPDATE images SET current_version = new.version
         FROM (SELECT image, max(version) AS version
               FROM unnest($1::bigint[], $2::integer[]) AS all_new (image, version)
               GROUP BY image) AS new
         WHERE images.id = new.image
           AND (images.current_version IS NULL OR images.current_version < new.version)",
    )
    .bind(&images)
    .bind(&versions)
    .execute(conn)
    .await?;
    Ok(())
}

/// A finding that a published version no longer has.
#[derive(Clone, Copy, Debug)]
pub struct FixedFinding {
    /// The image.
    pub image: ImageId,
    /// The advisory.
    pub advisory: AdvisoryId,
    /// The package.
    pub package: PackageId,
    /// The version without it.
    pub version: u32,
    /// When that was published.
    pub at: SimTime,
}

/// Resolves findings on the versions before, each by the first version that ends it.
pub async fn resolve_findings(
    conn: &mut PgConnection,
    fixed: &[FixedFinding],
) -> Result<(), Error> {
    if fixed.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE cve_findings f SET resolved_at = first.at, resolved_version = first.version
         FROM (SELECT DISTINCT ON (f.image_id, f.version, f.advisory_id, f.package_id)
                      f.image_id, f.version AS found_in, f.advisory_id, f.package_id,
                      new.at, new.version
               FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::integer[],
                           $5::timestamptz[]) AS new (image, advisory, package, version, at)
               JOIN cve_findings f ON f.image_id = new.image AND f.advisory_id = new.advisory
                    AND f.package_id = new.package
               WHERE f.resolved_at IS NULL AND f.detected_at <= new.at AND f.version < new.version
               ORDER BY f.image_id, f.version, f.advisory_id, f.package_id, new.at) AS first
         WHERE f.image_id = first.image_id AND f.version = first.found_in
           AND f.advisory_id = first.advisory_id AND f.package_id = first.package_id",
    )
    .bind(fixed.iter().map(|f| i64::from(f.image.0)).collect::<Vec<_>>())
    .bind(fixed.iter().map(|f| i64::from(f.advisory.0)).collect::<Vec<_>>())
    .bind(fixed.iter().map(|f| i64::from(f.package.0)).collect::<Vec<_>>())
    .bind(fixed.iter().map(|f| f.version as i32).collect::<Vec<_>>())
    .bind(instants(fixed.iter().map(|f| f.at))?)
    .execute(conn)
    .await?;
    Ok(())
}

/// Carries judgements over to findings: those judged in the window to all findings of image and
/// advisory so far, and earlier ones to the findings of the window.
pub async fn apply_triage(
    conn: &mut PgConnection,
    from: SimTime,
    through: SimTime,
) -> Result<(), Error> {
    // Two statements, for one index each: an OR over both tables would read all of both.
    for window in ["t.at", "f.detected_at"] {
        let sql = format!(
            "UPDATE cve_findings f SET not_affected_at = t.at, justification = t.justification
             FROM triages t
             WHERE t.image_id = f.image_id AND t.advisory_id = f.advisory_id
               AND f.not_affected_at IS NULL AND t.at <= $2 AND f.detected_at <= $2
               AND {window} BETWEEN $1 AND $2"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(instant(from)?)
            .bind(instant(through)?)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Counts the advisories of versions by severity, as changes at the instants of the window. All is
/// counted that is known of an instant, so windows may share one. (What was judged before it was found
/// comes and goes at one instant. So a count that is made again never lacks a row it had.)
pub async fn count_findings(
    conn: &mut PgConnection,
    from: SimTime,
    through: SimTime,
) -> Result<(), Error> {
    sqlx::query(
        "WITH touched AS (
             SELECT f.image_id, f.version, f.advisory_id FROM cve_findings f
             WHERE f.detected_at BETWEEN $1 AND $2
             UNION
             SELECT f.image_id, f.version, f.advisory_id
             FROM triages t JOIN cve_findings f USING (image_id, advisory_id)
             WHERE t.at BETWEEN $1 AND $2 AND f.detected_at <= $2),
         known AS (
             SELECT t.image_id, t.version, f.* FROM touched t
             CROSS JOIN LATERAL (
                 SELECT min(f.severity) AS severity, min(f.tenant_namespace) AS tenant_namespace,
                        min(f.detected_at) AS found_at, min(f.not_affected_at) AS judged_at
                 FROM cve_findings f
                 WHERE f.image_id = t.image_id AND f.version = t.version
                   AND f.advisory_id = t.advisory_id) f),
         changes AS (
             SELECT image_id, version, tenant_namespace, severity, found_at AS at, 1 AS n FROM known
             UNION ALL
             SELECT image_id, version, tenant_namespace, severity, greatest(judged_at, found_at), -1
             FROM known WHERE judged_at IS NOT NULL)
         INSERT INTO finding_counts
             (image_id, version, at, tenant_namespace, critical, high, medium, low)
         SELECT image_id, version, at, tenant_namespace,
                coalesce(sum(n) FILTER (WHERE severity = 'critical'), 0),
                coalesce(sum(n) FILTER (WHERE severity = 'high'), 0),
                coalesce(sum(n) FILTER (WHERE severity = 'medium'), 0),
                coalesce(sum(n) FILTER (WHERE severity = 'low'), 0)
         FROM changes WHERE at BETWEEN $1 AND $2
         GROUP BY image_id, version, at, tenant_namespace
         ON CONFLICT (image_id, version, at) DO UPDATE SET critical = excluded.critical,
             high = excluded.high, medium = excluded.medium, low = excluded.low",
    )
    .bind(instant(from)?)
    .bind(instant(through)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// A customer's move to a version.
#[derive(Clone, Debug)]
pub struct Usage {
    /// The customer.
    pub customer: CustomerId,
    /// The customer's namespace.
    pub namespace: String,
    /// The image.
    pub image: ImageId,
    /// The version that runs from `from` on.
    pub version: u32,
    /// Since when.
    pub from: SimTime,
    /// When this use of the image began, if the same window says so; else it goes on.
    pub used_since: Option<SimTime>,
    /// Until when, if the same window says so.
    pub until: Option<SimTime>,
    /// Follows the tag or pins the digest.
    pub mode: UsageMode,
    /// `production`, `staging` or `development`.
    pub environment: String,
    /// The cluster's name.
    pub cluster: String,
    /// How many replicas.
    pub replicas: u32,
    /// Whether it can be reached from the internet.
    pub internet_exposed: bool,
}

/// Ends what runs, for each customer and image at the first change of a window.
async fn end_uses(
    conn: &mut PgConnection,
    changed: &[(CustomerId, ImageId, SimTime)],
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE customer_image_usage u SET valid_to = new.at
         FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) AS new (customer, image, at)
         WHERE u.customer_id = new.customer AND u.image_id = new.image
           AND u.valid_to IS NULL AND u.valid_from < new.at",
    )
    .bind(changed.iter().map(|(customer, ..)| i64::from(customer.0)).collect::<Vec<_>>())
    .bind(changed.iter().map(|(_, image, _)| i64::from(image.0)).collect::<Vec<_>>())
    .bind(instants(changed.iter().map(|(.., at)| *at))?)
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends what ran before and enters what runs now. Moves of one customer and image are in order
/// and end each other. A move may be there already, entered by a window that is now finalized again
/// joined with the one that ends it.
pub async fn update_usage(
    conn: &mut PgConnection,
    changed: &[(CustomerId, ImageId, SimTime)],
    moves: &[Usage],
) -> Result<(), Error> {
    if !changed.is_empty() {
        end_uses(conn, changed).await?;
    }
    if moves.is_empty() {
        return Ok(());
    }
    let customers: Vec<_> = moves.iter().map(|m| i64::from(m.customer.0)).collect();
    let images: Vec<_> = moves.iter().map(|m| i64::from(m.image.0)).collect();
    let from = instants(moves.iter().map(|m| m.from))?;
    let until =
        moves.iter().map(|m| m.until.map(instant).transpose()).collect::<Result<Vec<_>, _>>()?;
    let since = moves
        .iter()
        .map(|m| m.used_since.map(instant).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "INSERT INTO customer_image_usage AS u (customer_id, image_id, version, valid_from,
             valid_to, used_since, tenant_namespace, mode, environment, cluster, replicas,
             internet_exposed)
         SELECT new.customer, new.image, new.version, new.since, new.until,
                coalesce(new.used_since,
                         (SELECT old.used_since FROM customer_image_usage old
                          WHERE old.customer_id = new.customer AND old.image_id = new.image
                            AND old.valid_from < new.since
                          ORDER BY old.valid_from DESC LIMIT 1), new.since),
                new.namespace, new.mode, new.environment, new.cluster, new.replicas, new.exposed
         FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::timestamptz[],
                     $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::text[],
                     $10::integer[], $11::boolean[], $12::timestamptz[])
              AS new (customer, image, version, since, until, namespace, mode, environment,
                      cluster, replicas, exposed, used_since)
         ON CONFLICT (customer_id, image_id, valid_from) DO UPDATE SET
             version = excluded.version, mode = excluded.mode,
             valid_to = coalesce(u.valid_to, excluded.valid_to)",
    )
    .bind(&customers)
    .bind(&images)
    .bind(moves.iter().map(|m| m.version as i32).collect::<Vec<_>>())
    .bind(&from)
    .bind(until)
    .bind(moves.iter().map(|m| m.namespace.as_str()).collect::<Vec<_>>())
    .bind(moves.iter().map(|m| m.mode.as_str()).collect::<Vec<_>>())
    .bind(moves.iter().map(|m| m.environment.as_str()).collect::<Vec<_>>())
    .bind(moves.iter().map(|m| m.cluster.as_str()).collect::<Vec<_>>())
    .bind(moves.iter().map(|m| m.replicas as i32).collect::<Vec<_>>())
    .bind(moves.iter().map(|m| m.internet_exposed).collect::<Vec<_>>())
    .bind(since)
    .execute(conn)
    .await?;
    Ok(())
}
