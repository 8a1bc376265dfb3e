//! Two customers in the small world: what they run, what is owed to them, and what was missed.
//!
//! Gold follows nginx and took version 2 at 02:40; pin stays with version 1. Evaluations were made
//! at 01:05, 03:05 and 05:00. The critical advisory got its fix at 01:30; the low one has none.
use sqlx::PgPool;

/// Adds them to the small world.
pub(crate) async fn add(pool: &PgPool) {
    sqlx::raw_sql(ROWS).execute(pool).await.unwrap();
}

const ROWS: &str = r#"
UPDATE image_versions v SET components = ARRAY(
    SELECT c.package_id * 1048576 + c.release
    FROM unnest(v.package_ids, v.releases) AS c (package_id, release));
INSERT INTO advisory_packages (advisory_id, package_id, introduced_release, introduced_version,
                               fixed_release, fixed_version, fixed_at) VALUES
  (0, 2, 0, '1.0.0-r0', 1, '1.1.0-r0', '2026-01-12T01:30Z'),
  (1, 1, 0, '1.0.0-r0', NULL, NULL, NULL);
INSERT INTO sla_policies (id, name, critical_days, calendar, clock_start, pause_without_fix,
                          warn_permille) VALUES
  (0, 'gold', 1, 'calendar', 'fix_available', true, 750);
INSERT INTO customers (id, tenant_namespace, name, contact_name, contact_email, sla_tier,
                       policy_id) VALUES
  (0, 'gold-1', 'Gold One', 'Ada', 'ada@gold-1.example', 'gold', 0),
  (1, 'pin-2', 'Pin Two', 'Bob', 'bob@pin-2.example', 'gold', 0);
INSERT INTO customer_image_usage (customer_id, image_id, version, valid_from, valid_to, used_since,
    tenant_namespace, mode, environment, cluster, replicas, internet_exposed) VALUES
  (0, 1, 1, '2026-01-12T00:00Z', '2026-01-12T02:40Z', '2026-01-12T00:00Z', 'gold-1', 'follow',
   'production', 'eu-1', 12, true),
  (0, 1, 2, '2026-01-12T02:40Z', NULL, '2026-01-12T00:00Z', 'gold-1', 'follow',
   'production', 'eu-1', 12, true),
  (1, 1, 1, '2026-01-12T00:00Z', NULL, '2026-01-12T00:00Z', 'pin-2', 'pin',
   'staging', 'us-1', 3, false),
  (0, 2, 1, '2026-01-12T01:00Z', NULL, '2026-01-12T01:00Z', 'gold-1', 'pin',
   'production', 'eu-1', 2, false);
INSERT INTO timeline (seq, at, kind, tenant_namespace, data) VALUES
  (50, '2026-01-12T01:05Z', 'sla_checked', 'catalogue', '{"kind": "sla_checked"}'),
  (70, '2026-01-12T03:05Z', 'sla_checked', 'catalogue', '{"kind": "sla_checked"}'),
  (85, '2026-01-12T05:00Z', 'sla_checked', 'catalogue', '{"kind": "sla_checked"}');
INSERT INTO sla_timers (customer_id, image_id, advisory_id, clock, tenant_namespace, policy_id,
    severity, opened_at, excluded, counts_from, started_at, warn_at, due_at, stopped_at,
    stop_reason, warned_at, breached_at) VALUES
  (0, 1, 0, 'provider', 'gold-1', 0, 'critical', '2026-01-12T01:00Z', false, '2026-01-12T01:00Z',
   '2026-01-12T01:30Z', '2026-01-12T02:50Z', '2026-01-12T03:30Z', '2026-01-12T02:30Z', 'fixed',
   NULL, NULL),
  (1, 1, 0, 'provider', 'pin-2', 0, 'critical', '2026-01-12T01:00Z', false, '2026-01-12T01:00Z',
   '2026-01-12T01:30Z', '2026-01-12T02:50Z', '2026-01-12T03:30Z', '2026-01-12T02:30Z', 'fixed',
   NULL, NULL),
  (0, 1, 0, 'customer', 'gold-1', 0, 'critical', '2026-01-12T01:00Z', false, '2026-01-12T01:00Z',
   '2026-01-12T01:30Z', '2026-01-12T03:00Z', '2026-01-12T04:00Z', '2026-01-12T02:40Z', 'adopted',
   NULL, NULL),
  (1, 1, 0, 'customer', 'pin-2', 0, 'critical', '2026-01-12T01:00Z', false, '2026-01-12T01:00Z',
   '2026-01-12T01:30Z', '2026-01-12T03:00Z', '2026-01-12T04:00Z', NULL, NULL,
   '2026-01-12T03:05Z', '2026-01-12T05:00Z'),
  (0, 1, 1, 'provider', 'gold-1', 0, 'low', '2026-01-12T01:00Z', false, '2026-01-12T01:00Z',
   NULL, NULL, NULL, '2026-01-12T04:00Z', 'not_affected', NULL, NULL),
  (1, 1, 1, 'provider', 'pin-2', 0, 'low', '2026-01-12T01:00Z', false, '2026-01-12T01:00Z',
   NULL, NULL, NULL, '2026-01-12T04:00Z', 'not_affected', NULL, NULL);
INSERT INTO sla_violations (customer_id, image_id, advisory_id, clock, tenant_namespace, severity,
                            due_at, recorded_at) VALUES
  (1, 1, 0, 'customer', 'pin-2', 'critical', '2026-01-12T04:00Z', '2026-01-12T05:00Z');
"#;
