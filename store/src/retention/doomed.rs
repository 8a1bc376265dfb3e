//! Which rows a run removes, and their removal: set-based, by way of temporary tables, so that every
//! table is told the same.
use super::Removed;
use crate::error::Error;
use chrono::{DateTime, Utc};
use documents::tlog::TILE_WIDTH;
use sqlx::{AssertSqlSafe, PgConnection};

/// Versions that stay, and with them everything that says something about them:
/// - the newest of each image, those that somebody runs, and the one before each of these, with which
///   a report of a scan compares it;
/// - those that were superseded, or whose use ended, after the horizon; and the one with which a use
///   began that goes on, for the evaluations ask since when an image is used;
/// - the first of each image: how many images have a version is counted by it;
/// - those that a build which has not ended may stand on, or was asked for because of;
/// - those with an open finding that the newest version has not: it decides when a timer stops;
/// - those whose place in the transparency log is in a tile that is not full, for it is written again;
/// - and the bases of all these.
const KEPT: &str = "
    CREATE TEMPORARY TABLE retained ON COMMIT DROP AS
    WITH RECURSIVE uses AS (
        SELECT u.* FROM customer_image_usage u
        WHERE u.valid_to IS NULL OR u.valid_to > $1
           OR (u.valid_from = u.used_since
               AND EXISTS (SELECT FROM customer_image_usage w
                           WHERE w.customer_id = u.customer_id AND w.image_id = u.image_id
                             AND w.used_since = u.used_since
                             AND (w.valid_to IS NULL OR w.valid_to > $1)))),
    scanned AS (
        SELECT image_id, version FROM image_versions WHERE superseded_at IS NULL
        UNION SELECT image_id, version FROM uses WHERE valid_to IS NULL),
    stays AS (
        SELECT image_id, version FROM scanned
        UNION SELECT image_id, version - 1 FROM scanned WHERE version > 1
        UNION SELECT image_id, version FROM uses
        UNION SELECT image_id, version FROM image_versions
              WHERE version = 1 OR superseded_at > $1
        UNION SELECT v.image_id, v.version
              FROM build_events b
              JOIN images i ON i.id = b.image_id
              JOIN image_versions v ON v.image_id = i.base_image_id
              WHERE b.finished_at IS NULL AND v.superseded_at >= b.requested_at
        UNION SELECT f.image_id, f.version
              FROM cve_findings f
              JOIN images i ON i.id = f.image_id
              WHERE f.resolved_at IS NULL AND f.not_affected_at IS NULL
                AND NOT EXISTS (SELECT FROM cve_findings n
                                WHERE n.image_id = f.image_id AND n.version = i.current_version
                                  AND n.advisory_id = f.advisory_id
                                  AND n.package_id = f.package_id)
        UNION SELECT image_id, version FROM attestations
              WHERE log_index IS NULL
                 OR log_index >= (SELECT size / $2 * $2 FROM logs WHERE name = 'transparency')),
    with_bases AS (
        SELECT image_id, version FROM stays
        UNION
        SELECT v.base_image_id, v.base_version
        FROM with_bases k JOIN image_versions v ON v.image_id = k.image_id AND v.version = k.version
        WHERE v.base_image_id IS NOT NULL)
    SELECT image_id, version FROM with_bases";

const DOOMED_VERSIONS: &str = "
    CREATE TEMPORARY TABLE doomed_versions ON COMMIT DROP AS
    SELECT v.image_id, v.version, v.build_id FROM image_versions v
    WHERE NOT EXISTS (SELECT FROM retained k
                      WHERE k.image_id = v.image_id AND k.version = v.version)";

/// The builds of these versions, and those that ended before the horizon and made none.
const DOOMED_BUILDS: &str = "
    CREATE TEMPORARY TABLE doomed_builds ON COMMIT DROP AS
    SELECT build_id AS id FROM doomed_versions
    UNION
    SELECT b.id FROM build_events b
    WHERE b.finished_at <= $1
      AND NOT EXISTS (SELECT FROM image_versions v WHERE v.build_id = b.id)";

/// Scans that say when a version that stays was scanned last, and the last pass over all versions in
/// use: what no scan has looked at is unknown, not clean. (As `scanned_at` and `scan_pass_at` of the
/// database find them; while a version's use may begin anew, the last scan of all counts too.)
const KEPT_SCANS: &str = "
    CREATE TEMPORARY TABLE kept_scans ON COMMIT DROP AS
    WITH used AS (
        SELECT v.image_id, v.published_at,
               CASE WHEN v.superseded_at IS NULL OR v.superseded_at > $1 THEN 'infinity'
                    ELSE greatest(v.superseded_at, (
                        SELECT max(coalesce(u.valid_to, 'infinity'))
                        FROM customer_image_usage u
                        WHERE u.image_id = v.image_id AND u.version = v.version
                          AND u.valid_from <= $1)) END AS until
        FROM retained k
        JOIN image_versions v ON v.image_id = k.image_id AND v.version = k.version)
    SELECT s.seq
    FROM used
    CROSS JOIN LATERAL (VALUES (used.until), ('infinity'::timestamptz)) e (until)
    CROSS JOIN LATERAL (
        (SELECT t.seq FROM timeline t
         WHERE t.kind = 'scanned' AND t.image_id = used.image_id
           AND t.at BETWEEN used.published_at AND $1 AND t.at < e.until
           AND (t.data ->> 'trigger' <> 'push' OR t.at = used.published_at)
         ORDER BY t.at DESC, t.seq DESC LIMIT 1)
        UNION ALL
        (SELECT t.seq FROM timeline t
         WHERE t.kind = 'scanned' AND t.image_id IS NULL
           AND t.at BETWEEN used.published_at AND $1 AND t.at < e.until
         ORDER BY t.at DESC, t.seq DESC LIMIT 1)) s
    UNION
    (SELECT t.seq FROM timeline t
     WHERE t.kind = 'scanned' AND (t.image_id IS NULL OR t.data ->> 'trigger' = 'scheduled')
       AND t.at <= $1
     ORDER BY t.at DESC, t.seq DESC LIMIT 1)";

/// What these rows name; a document may be named by others too.
const DOOMED_DOCUMENTS: &str = "
    CREATE TEMPORARY TABLE doomed_documents ON COMMIT DROP AS
    SELECT sha256, min(tenant_namespace) AS tenant_namespace, max(bytes) AS bytes
    FROM (SELECT a.sha256, a.tenant_namespace, a.bytes
          FROM artifacts a JOIN doomed_builds b ON b.id = a.build_id
          UNION ALL
          SELECT d.sha256, a.tenant_namespace, d.bytes
          FROM attestations a
          JOIN doomed_versions v ON v.image_id = a.image_id AND v.version = a.version
          CROSS JOIN LATERAL (VALUES (a.sha256, a.bytes), (a.document_sha256, 0)) d (sha256, bytes)
          UNION ALL
          SELECT d.sha256, a.tenant_namespace, d.bytes
          FROM attestations a
          JOIN doomed_versions v ON v.image_id = a.image_id AND v.version = a.version
          JOIN attestation_replacements r ON r.log_index = a.log_index
          CROSS JOIN LATERAL (VALUES (r.sha256, r.bytes), (r.document_sha256, 0)) d (sha256, bytes)
         ) named
    WHERE sha256 IS NOT NULL
    GROUP BY sha256";

/// Selects what goes, into temporary tables of this transaction.
pub(super) async fn select(conn: &mut PgConnection, horizon: DateTime<Utc>) -> Result<(), Error> {
    let tile_width = i64::try_from(TILE_WIDTH).unwrap_or(i64::MAX);
    // A statement that makes a table takes no parameters.
    let at = format!("timestamptz '{}'", horizon.to_rfc3339());
    for sql in [KEPT, DOOMED_VERSIONS, DOOMED_BUILDS, KEPT_SCANS, DOOMED_DOCUMENTS] {
        let sql = sql.replace("$1", &at).replace("$2", &tile_width.to_string());
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *conn).await?;
    }
    sqlx::raw_sql("ANALYZE retained; ANALYZE doomed_versions; ANALYZE doomed_builds")
        .execute(conn)
        .await?;
    Ok(())
}

/// When an advisory was first found on an image stays known.
const FIRST_FINDINGS: &str = "
    INSERT INTO first_findings AS f (image_id, advisory_id, detected_at)
    SELECT c.image_id, c.advisory_id, min(c.detected_at)
    FROM cve_findings c
    JOIN doomed_versions d ON d.image_id = c.image_id AND d.version = c.version
    GROUP BY c.image_id, c.advisory_id
    ON CONFLICT (image_id, advisory_id) DO UPDATE SET detected_at = excluded.detected_at
        WHERE f.detected_at > excluded.detected_at";

/// What a webhook endpoint has yet to be told, or may be told again, is kept apart: what goes must not
/// depend on deliveries, which are no part of the world.
const OWED: &str = "
    EXISTS (SELECT FROM webhook_endpoints e
            WHERE e.disabled_wall IS NULL AND n.id > e.told_through
              AND n.tenant_namespace = coalesce(e.tenant_namespace, 'catalogue'))
    OR EXISTS (SELECT FROM webhook_deliveries d
               WHERE d.state IN ('pending', 'dead') AND n.id = ANY (d.notification_ids))";

/// Tables and what is deleted from each, in an order that foreign keys allow.
const OF_VERSIONS: [(&str, &str); 10] = [
    (
        "attestation_replacements",
        "USING attestations a, doomed_versions d
         WHERE t.log_index = a.log_index AND a.image_id = d.image_id AND a.version = d.version",
    ),
    ("attestations", OF_VERSION),
    ("slsa_assessments", OF_VERSION),
    ("sbom_records", OF_VERSION),
    ("finding_counts", OF_VERSION),
    ("cve_findings", OF_VERSION),
    // A use of a version that stays may have ended as well; the last of each tells until when that
    // was scanned.
    (
        "customer_image_usage",
        "WHERE t.valid_to <= $1
           AND NOT (t.valid_from = t.used_since
                    AND EXISTS (SELECT FROM customer_image_usage w
                                WHERE w.customer_id = t.customer_id AND w.image_id = t.image_id
                                  AND w.used_since = t.used_since
                                  AND (w.valid_to IS NULL OR w.valid_to > $1)))
           AND (NOT EXISTS (SELECT FROM retained k
                            WHERE k.image_id = t.image_id AND k.version = t.version)
                OR EXISTS (SELECT FROM customer_image_usage w
                           WHERE w.image_id = t.image_id AND w.version = t.version
                             AND (w.valid_to IS NULL OR w.valid_to > t.valid_to)))",
    ),
    ("image_versions", OF_VERSION),
    ("artifacts", "USING doomed_builds d WHERE t.build_id = d.id"),
    ("build_events", "USING doomed_builds d WHERE t.id = d.id"),
];

const OF_VERSION: &str =
    "USING doomed_versions d WHERE t.image_id = d.image_id AND t.version = d.version";

/// An exposure is over when the advisory is on no version that is left, every package that it is
/// about has been fixed for long, and no episode of it goes on or ended lately: no version to come can
/// have it either, so no later episode follows, and all of them go together.
const OVER: &str = "
    NOT EXISTS (SELECT FROM cve_findings f
                WHERE f.image_id = t.image_id AND f.advisory_id = t.advisory_id)
    AND NOT EXISTS (SELECT FROM advisory_packages p
                    WHERE p.advisory_id = t.advisory_id
                      AND (p.fixed_at IS NULL OR p.fixed_at > $1))
    AND NOT EXISTS (SELECT FROM sla_timers e
                    WHERE e.customer_id = t.customer_id AND e.image_id = t.image_id
                      AND e.advisory_id = t.advisory_id AND e.clock = t.clock
                      AND (e.stopped_at IS NULL OR e.stopped_at > $1))
    AND NOT EXISTS (SELECT FROM sla_violations v
                    WHERE v.customer_id = t.customer_id AND v.image_id = t.image_id
                      AND v.advisory_id = t.advisory_id AND v.clock = t.clock
                      AND (v.resolved_at IS NULL OR v.resolved_at > $1))";

/// The rest. Of the evaluations the last one before the horizon stays: what was known at the horizon is
/// what it had seen.
const BY_TIME: [(&str, &str); 6] = [
    ("sla_violations", "WHERE OVER"),
    ("sla_timers", "WHERE OVER"),
    (
        "timeline",
        "WHERE t.at <= $1
           AND t.seq IS DISTINCT FROM (SELECT c.seq FROM timeline c
                                       WHERE c.kind = 'sla_checked' AND c.at <= $1
                                       ORDER BY c.at DESC, c.seq DESC LIMIT 1)
           AND t.seq IS DISTINCT FROM (SELECT c.seq FROM timeline c WHERE c.at <= $1
                                       ORDER BY c.at DESC, c.seq DESC LIMIT 1)
           AND NOT EXISTS (SELECT FROM kept_scans s WHERE s.seq = t.seq)",
    ),
    ("notifications", "WHERE t.at <= $1"),
    (
        "audit_logs",
        "USING expired_leaves e WHERE e.log = 'audit' AND e.log_index = t.log_index AND t.at <= $1",
    ),
    (
        "image_tags",
        "WHERE NOT EXISTS (SELECT FROM image_versions v
                           WHERE v.image_id = t.image_id AND t.tag = ANY (v.tags))",
    ),
];

/// Deletes what was selected.
pub(super) async fn delete(
    conn: &mut PgConnection,
    horizon: DateTime<Utc>,
    removed: &mut Removed,
) -> Result<(), Error> {
    sqlx::query(FIRST_FINDINGS).execute(&mut *conn).await?;
    let told = format!("DELETE FROM owed_notifications n WHERE NOT ({OWED})");
    sqlx::query(AssertSqlSafe(told)).execute(&mut *conn).await?;
    let owed = format!(
        "INSERT INTO owed_notifications SELECT n.* FROM notifications n WHERE n.at <= $1 AND ({OWED})
         ON CONFLICT DO NOTHING"
    );
    sqlx::query(AssertSqlSafe(owed)).bind(horizon).execute(&mut *conn).await?;
    for (table, which) in OF_VERSIONS.into_iter().chain(BY_TIME) {
        let sql = format!("DELETE FROM {table} t {}", which.replace("OVER", OVER));
        let dated = sql.contains("$1");
        let mut query = sqlx::query(AssertSqlSafe(sql));
        if dated {
            query = query.bind(horizon);
        }
        removed.add(table, query.execute(&mut *conn).await?.rows_affected());
    }
    Ok(())
}

/// Drops the temporary tables, should another run follow in the same session.
pub(super) async fn drop_selection(conn: &mut PgConnection) -> Result<(), Error> {
    sqlx::raw_sql(
        "DROP TABLE retained, doomed_versions, doomed_builds, doomed_documents, kept_scans",
    )
    .execute(conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::TABLES;

    /// Tables that no run removes anything from, and why they stay small enough.
    const STAYS: &[(&str, &str)] = &[
        ("world", "one row"),
        ("commands", "what the world is replayed from"),
        ("packages", "those of the scenario"),
        ("package_releases", "some a year and package; documents name them"),
        ("advisories", "findings, timers and exports name them"),
        ("advisory_packages", "a few an advisory"),
        ("mass_event_decisions", "decided once: what it was decided from is gone"),
        ("logs", "two rows"),
        ("trusted_builders", "those of the scenario"),
        ("images", "those of the scenario, and what is added by hand"),
        ("triages", "a judgement holds for versions to come"),
        ("sla_policies", "those of the scenario"),
        ("customers", "those of the scenario"),
    ];

    #[test]
    fn every_table_is_removed_from_or_stays_for_a_reason() {
        for table in TABLES {
            let removed = OF_VERSIONS.iter().chain(&BY_TIME).any(|(name, _)| *name == table.name);
            let stays = STAYS.iter().any(|(name, _)| *name == table.name);
            assert!(removed != stays, "{}: what does the retention do with it?", table.name);
        }
    }
}
