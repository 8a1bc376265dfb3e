//! An evaluation costs what changed since the last one, not what exists.
use super::hand::Hand;
use super::support::postgres;
use sim::time::{HOUR_MS, SimTime};
use std::time::Instant;
use store::sla::{evaluate, plan_for_few_rows};

/// Timers that exist; `WAVETANK_TIMERS=1000000` for the full size.
fn timers() -> u32 {
    std::env::var("WAVETANK_TIMERS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000)
}

#[tokio::test]
async fn quiet_hours_stay_cheap_among_many_timers() {
    let hand = Hand::new(postgres::database().await).await;
    let count = timers();
    hand.sql(&format!(
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
    let mut tx = hand.pool.begin().await.unwrap();
    plan_for_few_rows(&mut tx).await.unwrap();
    let (mut opened, mut breached, mut busy_ms) = (0, 0, 0.0);
    for hour in 0..700_i64 {
        if hour % 24 == 23 {
            tx.commit().await.unwrap();
            tx = hand.pool.begin().await.unwrap();
            plan_for_few_rows(&mut tx).await.unwrap();
        }
        let to = SimTime(start + hour * HOUR_MS);
        let clock = Instant::now();
        let found = evaluate(&mut tx, SimTime(to.0 - HOUR_MS), to).await.unwrap();
        busy_ms += clock.elapsed().as_secs_f64() * 1e3;
        opened += found.opened.len();
        breached += found.breached.len();
    }
    assert_eq!(opened, 2 * count as usize);
    let mut quiet_ms = Vec::new();
    for hour in 700..1_200_i64 {
        let to = SimTime(start + hour * HOUR_MS);
        let clock = Instant::now();
        breached += evaluate(&mut tx, SimTime(to.0 - HOUR_MS), to).await.unwrap().breached.len();
        quiet_ms.push(clock.elapsed().as_secs_f64() * 1e3);
    }
    assert_eq!(breached, opened);
    // The last deadlines pass within 168 hours; then nothing happens.
    let quiet_ms = &mut quiet_ms[200..];
    quiet_ms.sort_by(f64::total_cmp);
    let (quiet, busy) = (quiet_ms[quiet_ms.len() / 2], busy_ms / 700.0);
    println!("{opened} timers: {busy:.2} ms an evaluation that opens, {quiet:.2} ms a quiet one");
    assert!(quiet < 25.0, "a quiet evaluation took {quiet} ms among {opened} timers");
}
