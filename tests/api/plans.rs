//! Every question and list goes by an index, for the platform and for a tenant: in a world large
//! enough that reading a table from end to end would show, the server's own plans are looked at.
use crate::support::Api;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use wavetank::auth::Role;

/// Tables that grow with the world: none of them is ever read whole.
const LARGE: &[&str] = &[
    "artifacts",
    "attestations",
    "audit_logs",
    "build_events",
    "customer_image_usage",
    "cve_findings",
    "image_tags",
    "image_versions",
    "notifications",
    "package_releases",
    "sbom_records",
    "sla_timers",
    "sla_violations",
    "slsa_assessments",
    "timeline",
];

/// 200 images with 20 versions each, 1,000 advisories, 100,000 findings, 50 customers.
const WORLD: &str = r#"
INSERT INTO packages SELECT p, 'package-' || p, 'MIT', 'S', 'D', false FROM generate_series(10, 509) p;
INSERT INTO package_releases SELECT p, r, '1.' || r || '-r0', '2026-01-01T00:00Z', 1, repeat('7', 64)
FROM generate_series(10, 509) p, generate_series(0, 19) r;
INSERT INTO advisories SELECT a, 'CVE-2026-1' || lpad(a::text, 6, '0'), 'CVSS:3.1/AV:N', 5.0,
       (ARRAY['low', 'medium', 'high', 'critical'])[1 + a % 4], false,
       '2026-01-12T00:00Z'::timestamptz + a * interval '15 s',
       '2026-01-12T00:00Z'::timestamptz + a * interval '15 s', NULL
FROM generate_series(10, 1009) a;
INSERT INTO advisory_packages SELECT a, 10 + a % 500, 0, '1.0-r0', NULL, NULL, NULL
FROM generate_series(10, 1009) a;
INSERT INTO images SELECT i, 'image-' || i, 'An image', CASE WHEN i % 10 = 0 THEN 0 ELSE i / 10 * 10 END,
       1, 10, ARRAY[10 + i % 500, 11 + i % 400], 'catalogue', '2026-01-12T00:00Z', NULL, 20 FROM generate_series(10, 209) i;
INSERT INTO build_events (id, image_id, tenant_namespace, trigger, cause, status, requested_at,
                          started_at, finished_at, attempts, version)
SELECT 1000 + i * 20 + v, i, 'catalogue', (ARRAY['cron', 'cve_fix', 'base_change'])[1 + v % 3], '{}',
       CASE WHEN i % 50 = 0 AND v = 3 THEN 'failed' ELSE 'completed' END, at, at, at, 1, v
FROM generate_series(10, 209) i, generate_series(1, 20) v,
     LATERAL (SELECT '2026-01-12T00:00Z'::timestamptz + v * interval '10 min' + i * interval '1 s' AS at) t;
INSERT INTO image_versions
SELECT i, v, 1000 + i * 20 + v, 'catalogue', 'sha256:' || encode(sha256((i || '/' || v)::bytea), 'hex'),
       ARRAY['1.' || v, 'latest'], NULL, NULL, ARRAY[10 + (i % 500)::bigint, 11 + (i % 400)::bigint],
       ARRAY[v - 1, v - 1],
       ARRAY[(10 + i % 500) * 1048576::bigint + v - 1, (11 + i % 400) * 1048576::bigint + v - 1],
       '2026-01-12T00:00Z'::timestamptz + v * interval '10 min' + i * interval '1 s',
       CASE WHEN v < 20 THEN '2026-01-12T00:10Z'::timestamptz + v * interval '10 min' + i * interval '1 s' END
FROM generate_series(10, 209) i, generate_series(1, 20) v;
INSERT INTO image_tags SELECT image_id, tag, 'catalogue', min(published_at)
FROM image_versions, unnest(tags) AS tag GROUP BY 1, 2 ON CONFLICT DO NOTHING;
INSERT INTO artifacts SELECT 1000 + i * 20 + v, 'log', 'catalogue', 'text/plain',
       encode(sha256((i || '-' || v)::bytea), 'hex'), 1, 'x'
FROM generate_series(10, 209) i, generate_series(1, 20) v;
INSERT INTO sbom_records SELECT i, v, f, '2.3', 'catalogue', 's3://x', repeat('a', 64), 1, 2,
       '2026-01-12T00:00Z'::timestamptz + v * interval '10 min'
FROM generate_series(10, 209) i, generate_series(1, 20) v, unnest(ARRAY['spdx', 'cyclonedx']) f;
INSERT INTO slsa_assessments SELECT i, v, 10000 + i * 20 + v, 'catalogue',
       '2026-01-12T00:00Z'::timestamptz + v * interval '10 min', 3, '[]'
FROM generate_series(10, 209) i, generate_series(1, 20) v;
INSERT INTO attestations (seq, image_id, version, predicate_type, tenant_namespace, created_at,
       document_sha256, envelope_sha256, payload_sha256, signature, leaf_hash, log_index, tree_size)
SELECT 10000 + i * 20 + v, i, v, p, 'catalogue', '2026-01-12T00:00Z'::timestamptz + v * interval '10 min',
       encode(h, 'hex'), h, h, h, h, n, n + 1
FROM (SELECT i, v, p, 10 + row_number() OVER () AS n, sha256((i || p || v)::bytea) AS h
      FROM generate_series(10, 209) i, generate_series(1, 20) v,
           unnest(ARRAY['https://slsa.dev/provenance/v1', 'https://openvex.dev/ns']) p) all_of;
INSERT INTO cve_findings (image_id, version, advisory_id, package_id, tenant_namespace, severity,
                          score, detected_at, resolved_at, resolved_version)
SELECT i, v, a, 10 + a % 500, 'catalogue', (ARRAY['low', 'medium', 'high', 'critical'])[1 + a % 4], 5.0,
       at, CASE WHEN v < 20 THEN at + interval '20 min' END, CASE WHEN v < 20 THEN v + 1 END
FROM generate_series(10, 209) i, generate_series(1, 20) v, generate_series(1, 25) k,
     LATERAL (SELECT 10 + (i * 7 + v * 13 + k * 37) % 1000 AS a,
                     '2026-01-12T00:00Z'::timestamptz + v * interval '10 min' + k * interval '1 s' AS at) t
ON CONFLICT DO NOTHING;
INSERT INTO sla_policies (id, name, critical_days, calendar, clock_start, pause_without_fix,
                          warn_permille) VALUES (10, 'policy', 1, 'calendar', 'detected', false, 750);
INSERT INTO customers SELECT c, 'tenant-' || c, 'Tenant ' || c, 'A', 'a@x.example', 'gold', 10
FROM generate_series(10, 59) c;
INSERT INTO customer_image_usage SELECT c, i, v, '2026-01-12T00:00Z'::timestamptz + v * interval '1 min',
       CASE WHEN v < 19 THEN '2026-01-12T00:01Z'::timestamptz + v * interval '1 min' END,
       '2026-01-12T00:17Z', 'tenant-' || c, 'follow', 'production', 'eu', 1, false
FROM generate_series(10, 59) c, generate_series(10, 209) i, generate_series(17, 19) v WHERE (c + i) % 3 = 0;
INSERT INTO sla_timers (customer_id, image_id, advisory_id, clock, tenant_namespace, policy_id,
       severity, opened_at, excluded, counts_from, started_at, warn_at, due_at, stopped_at, stop_reason)
SELECT c, i, a, 'provider', 'tenant-' || c, 10, 'high', at, false, at, at, at + interval '1 h',
       at + interval '2 h', CASE WHEN a % 10 > 0 THEN at + interval '30 min' END,
       CASE WHEN a % 10 > 0 THEN 'fixed' END
FROM generate_series(10, 59) c, generate_series(10, 209) i, generate_series(10, 39) k,
     LATERAL (SELECT 10 + (k * 31 + i) % 1000 AS a,
                     '2026-01-12T00:30Z'::timestamptz + k * interval '5 min' AS at) t
WHERE (c + i) % 3 = 0 ON CONFLICT DO NOTHING;
INSERT INTO sla_violations SELECT customer_id, image_id, advisory_id, clock, tenant_namespace, severity,
       due_at, due_at + interval '1 min', NULL, NULL
FROM sla_timers WHERE stopped_at IS NULL AND due_at < '2026-01-12T04:00Z';
INSERT INTO timeline (seq, at, kind, tenant_namespace, image_id, advisory_id, data)
SELECT 1000 + n, '2026-01-12T00:00Z'::timestamptz + n * interval '100 ms',
       CASE WHEN n % 3000 = 0 THEN 'sla_checked' WHEN n % 20 = 0 THEN 'scanned' ELSE 'build_started' END,
       CASE WHEN n % 50 = 0 THEN 'tenant-' || 10 + n / 50 % 50 ELSE 'catalogue' END, 10 + n % 200,
       CASE WHEN n % 100 = 0 THEN 10 + n / 100 % 1000 END,
       '{"trigger": "push", "versions": 1, "findings": 1, "new": 0}'
FROM generate_series(1, 150000) n;
INSERT INTO notifications SELECT 1000 + n * 10, 'tenant-' || 10 + n % 50, 10 + n % 50,
       (ARRAY['critical_cve', 'sla_at_risk', 'sla_breached'])[1 + n % 3],
       '2026-01-12T00:00Z'::timestamptz + n * interval '1 s', 1, 'one', '{}' FROM generate_series(1, 15000) n;
INSERT INTO audit_logs SELECT 1000 + n * 5, '2026-01-12T00:00Z'::timestamptz + n * interval '500 ms',
       'builder-' || n % 50, 'action.' || n % 40, 'image/' || n % 500, 'catalogue', '{}',
       sha256(n::text::bytea), n - 1 FROM generate_series(1, 30000) n;
INSERT INTO logs VALUES ('transparency', 'log', 8010, sha256('x'), 0), ('audit', 'audit', 30000, sha256('y'), 0);
ANALYZE;
"#;

/// The questions and the lists, each with the filters that people use.
const PATHS: &[&str] = &[
    "/v1/advisories/CVE-2026-1000110/exposure",
    "/v1/packages/package-30/images",
    "/v1/packages/package-30/images?version=1.4-r0",
    "/v1/customers/tenant-12/exposure",
    "/v1/customers/tenant-12/exposure?severity=critical",
    "/v1/sla/forecast?by=2026-01-13T00:00:00Z",
    "/v1/sla/remediation?days=1",
    "/v1/images",
    "/v1/images?tag=1.7&order_by=-published_at",
    "/v1/images?severity=critical",
    "/v1/images?slsa_level=3&status=active",
    "/v1/images/image-30",
    "/v1/images/image-30/versions",
    "/v1/images/image-30/findings",
    "/v1/images/image-30/sboms",
    "/v1/images/image-30/attestations",
    "/v1/images/image-30/vex",
    "/v1/images/image-30/usage",
    "/v1/images/image-30/lineage",
    "/v1/images/image-30/diff",
    "/v1/builds",
    "/v1/builds?status=failed",
    "/v1/builds?status=running",
    "/v1/builds?image=image-30",
    "/v1/builds/1601",
    "/v1/findings",
    "/v1/findings?status=open&severity=critical",
    "/v1/findings?image=image-30",
    "/v1/findings?cve=CVE-2026-1000110",
    "/v1/findings?package=package-30",
    "/v1/advisories",
    "/v1/advisories/CVE-2026-1000110",
    "/v1/packages/package-30",
    "/v1/customers",
    "/v1/customers/tenant-12/usage",
    "/v1/sla/timers",
    "/v1/sla/timers?state=overdue",
    "/v1/sla/timers?state=stopped",
    "/v1/sla/timers?image=image-30",
    "/v1/sla/timers?cve=CVE-2026-1000110",
    "/v1/sla/violations",
    "/v1/sla/violations?state=open",
    "/v1/notifications",
    "/v1/notifications?kind=sla_breached",
    "/v1/audit-logs",
    "/v1/audit-logs?actor=builder-7",
    "/v1/timeline",
    "/v1/timeline?kind=sla_checked",
    "/v1/timeline?image=image-30",
    "/v1/timeline?cve=CVE-2026-1000110",
    "/v1/scans",
    "/v1/logs/transparency/entries",
    "/v1/logs/transparency/entries?digest=sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd",
];

/// What the server tells about its plans.
#[derive(Clone, Default)]
struct Plans(Arc<Mutex<Vec<String>>>);

struct Text<'a>(&'a Plans);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" && text.contains("plan:") {
            self.0.0.lock().unwrap().push(text.replace("\\n", "\n"));
        }
    }
}

impl<S: Subscriber> Layer<S> for Plans {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut Text(self));
    }
}

#[tokio::test]
async fn every_question_and_list_goes_by_an_index() {
    let plans = Plans::default();
    let subscriber = tracing_subscriber::registry().with(plans.clone());
    let _told = tracing::subscriber::set_default(subscriber);
    let api = Api::start("plans").await;
    sqlx::raw_sql(WORLD).execute(&api.pool).await.unwrap();
    for setting in [
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_level = 'notice'",
        "auto_explain.log_nested_statements = on",
        "jit = off",
    ] {
        let sql = format!("ALTER DATABASE api_plans SET {setting}");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&api.pool).await.unwrap();
    }
    // Sessions take the settings up when they begin.
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = 'api_plans' AND pid <> pg_backend_pid()",
    )
    .execute(&api.pool)
    .await
    .unwrap();
    let tenant = api.sign_in(Role::Viewer, Some("tenant-12")).await;
    let mut wrong = Vec::new();
    for (who, token) in [("platform", &api.token), ("tenant", &tenant)] {
        for path in PATHS {
            for past in ["", "as_of=2026-01-12T02:00:00Z"] {
                let joint = if path.contains('?') { '&' } else { '?' };
                let asked = if past.is_empty() {
                    (*path).to_owned()
                } else {
                    format!("{path}{joint}{past}")
                };
                plans.0.lock().unwrap().clear();
                let answer = api.get_as(token, &asked).await;
                assert_eq!(answer.status, 200, "{who} {asked}: {}", answer.text);
                let told = plans.0.lock().unwrap().clone();
                assert!(told.iter().any(|plan| plan.contains("Index")), "{who} {asked}: {told:#?}");
                for plan in &told {
                    for table in LARGE {
                        if plan.contains(&format!("Seq Scan on {table} ")) {
                            wrong.push(format!("{who} {asked} reads all of {table}:\n{plan}"));
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} plans:\n{}", wrong.len(), wrong.join("\n\n"));
}
