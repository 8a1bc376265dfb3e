//! An evaluation costs what changed since the last one, not what exists. What it costs is counted
//! in pages, which the server counts for each transaction.
use super::fixture::Fixture;
use super::support::database;
use sim::time::{HOUR_MS, SimTime};
use sqlx::PgConnection;
use store::sla::{evaluate, plan_for_few_rows};

/// Pages that a quiet evaluation may read, on the way through the indexes to nothing: it reads 31,
/// while 40,000 timers fill 2,155.
const QUIET_PAGES: i64 = 60;

/// Findings that exist, each with two timers; `WAVETANK_TIMERS=1000000` for the full size.
fn timers() -> u32 {
    std::env::var("WAVETANK_TIMERS").ok().and_then(|text| text.parse().ok()).unwrap_or(5_000)
}

/// How many pages of our tables and indexes this session has read.
async fn pages_read(conn: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "SELECT sum(pg_stat_get_xact_blocks_fetched(oid))::bigint FROM pg_class
         WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace",
    )
    .fetch_one(conn)
    .await
    .unwrap()
}

/// An evaluation: the timers that it opened and breached, and the pages that it read.
async fn evaluation(conn: &mut PgConnection, to: SimTime) -> (usize, usize, i64) {
    let before = pages_read(conn).await;
    let found = evaluate(conn, SimTime(to.0 - HOUR_MS), to).await.unwrap();
    let pages = pages_read(conn).await - before;
    (found.opened.len(), found.breached.len(), pages)
}

#[tokio::test]
async fn an_evaluation_reads_what_changed_and_not_what_exists() {
    let fixture = Fixture::new(database().await).await;
    let count = timers();
    fixture
        .sql(&format!(
            "INSERT INTO images (id, name, description, depth, own_packages, tenant_namespace,
                 created_at)
             SELECT n, 'image-' || n, '', 0, '{{}}', 'catalogue', '2026-01-01Z'
             FROM generate_series(2, 999) n;
         INSERT INTO build_events (id, image_id, tenant_namespace, trigger, cause, status,
                 requested_at)
             SELECT n, n, 'catalogue', 'cron', '{{}}', 'completed', '2026-01-01Z'
             FROM generate_series(0, 999) n;
         INSERT INTO image_versions
             SELECT n, 1, n, 'catalogue', 'sha256:' || repeat('0', 64), '{{}}', NULL, NULL, '{{}}',
                 '{{}}', '{{}}', '2026-01-01Z', NULL FROM generate_series(0, 999) n;
         INSERT INTO advisories SELECT n, 'CVE-2026-' || 1000000 + n, '', 9, 'critical', false,
                 '2026-01-01Z', '2026-01-01Z', '2026-01-01Z'
             FROM generate_series(0, {count} / 1000) n;
         INSERT INTO cve_findings (image_id, version, advisory_id, package_id, tenant_namespace,
                 severity, score, detected_at)
             SELECT n % 1000, 1, n / 1000, 0, 'catalogue', 'critical', 9,
                 timestamptz '2026-01-01Z' + n % 700 * interval '1 hour'
             FROM generate_series(0, {count} - 1) n;
         INSERT INTO customer_image_usage SELECT 0, n, 1, '2026-01-01Z', NULL, '2026-01-01Z',
                 'tenant-0', 'pin', 'p', 'c', 1, false FROM generate_series(0, 999) n;"
        ))
        .await;
    let start = 1_767_225_600_000;
    let mut tx = fixture.pool.begin().await.unwrap();
    plan_for_few_rows(&mut tx).await.unwrap();
    let (mut opened, mut breached) = (0, 0);
    let mut quiet_pages = Vec::new();
    for hour in 0..1_200_i64 {
        if hour % 24 == 23 {
            tx.commit().await.unwrap();
            tx = fixture.pool.begin().await.unwrap();
            plan_for_few_rows(&mut tx).await.unwrap();
        }
        let (new, late, pages) = evaluation(&mut tx, SimTime(start + hour * HOUR_MS)).await;
        opened += new;
        breached += late;
        // In the last 200 hours nothing is left to do.
        if hour >= 1_000 {
            quiet_pages.push(pages);
        }
    }
    assert_eq!((opened, breached), (2 * count as usize, 2 * count as usize));
    let most = quiet_pages.into_iter().max().unwrap();
    assert!(most <= QUIET_PAGES, "{most} pages in a quiet hour among {opened} timers");
    let timers = "SELECT pg_relation_size('sla_timers') / 8192";
    let all: i64 = sqlx::query_scalar(timers).fetch_one(&mut *tx).await.unwrap();
    assert!(all > 5 * QUIET_PAGES, "too few timers to tell: they fill {all} pages");
}
