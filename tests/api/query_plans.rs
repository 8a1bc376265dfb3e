//! Every query and list uses an index, for the platform and for a tenant: the server's own plans are
//! checked in a world large enough that a sequential scan would show. The queries come from the
//! specification: every operation that reads, with each of its filters.
use crate::operations::{self, Operation};
use crate::support::{Api, count_findings, signed_note};
use api::auth::Role;
use std::sync::{Arc, Mutex};
use store::logs::Log;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

/// Tables that do not grow with time, and what bounds them. Every other table is filled below, and
/// is never read whole.
const SMALL: &[(&str, &str)] = &[
    ("_sqlx_migrations", "files of the program"),
    ("clock", "one row"),
    ("customers", "those of the scenario"),
    ("false_positives", "none of the API's roles may read it"),
    ("first_findings", "none of the API's roles may read it"),
    ("images", "those of the scenario, and what is added by hand"),
    ("logs", "two rows"),
    ("obsolete_objects", "empty, but while the world before is deleted"),
    ("owed_notifications", "none of the API's roles may read it"),
    ("packages", "those of the scenario"),
    ("sla_policies", "those of the scenario"),
    ("study_parts", "none of the API's roles may read it"),
    ("trusted_builders", "those of the scenario"),
    ("webhook_endpoints", "counted, for each tenant"),
    ("webhook_sources", "counted, for each tenant"),
    ("world", "one row"),
    ("world_loads", "one at a time, by an admin"),
];

/// Rows that make a table one that grows.
const MANY: f32 = 2_000.0;

/// 200 images with 20 versions each, 1,000 advisories, 100,000 findings, 50 customers.
const WORLD: &str = r#"
INSERT INTO packages SELECT p, 'package-' || p, 'MIT', 'S', 'D', false FROM generate_series(10, 509) p;
INSERT INTO package_releases SELECT p, r, '1.' || r || '-r0', '2026-01-01T00:00Z', 1, repeat('7', 64)
FROM generate_series(10, 509) p, generate_series(0, 19) r;
INSERT INTO advisories SELECT a, 'CVE-2026-1' || lpad(a::text, 6, '0'), 'CVSS:3.1/AV:N', 5.0,
       (ARRAY['low', 'medium', 'high', 'critical'])[1 + a % 4], false,
       '2026-01-12T00:00Z'::timestamptz + a * interval '5 s',
       '2026-01-12T00:00Z'::timestamptz + a * interval '5 s', NULL
FROM generate_series(10, 3009) a;
INSERT INTO advisory_packages SELECT a, 10 + a % 500, 0, '1.0-r0', NULL, NULL, NULL
FROM generate_series(10, 3009) a;
INSERT INTO images SELECT i, 'image-' || i, 'An image', CASE WHEN i % 10 = 0 THEN 0 ELSE i / 10 * 10 END,
       1, 10, ARRAY[10 + i % 500, 11 + i % 400], 'catalogue', '2026-01-12T00:00Z', NULL, 20 FROM generate_series(10, 209) i;
INSERT INTO image_packages SELECT DISTINCT 10 + (i * 7 + n * 11) % 500, i, 'catalogue'
FROM generate_series(10, 209) i, generate_series(1, 20) n;
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
INSERT INTO image_tags SELECT v.image_id, tag, 'catalogue', min(v.published_at), i.name
FROM image_versions v JOIN images i ON i.id = v.image_id, unnest(v.tags) AS tag GROUP BY 1, 2, 5 ON CONFLICT DO NOTHING;
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
                          warn_permille)
SELECT 10 + n, 'policy-' || n, 1, 'calendar', 'detected', false, 750 FROM generate_series(0, 2) n;
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
INSERT INTO mass_event_decisions SELECT a, p, '2026-01-13T00:30Z', a % 50, 200, a % 20 = 0
FROM generate_series(10, 1009) a, generate_series(10, 12) p;
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
INSERT INTO timeline (seq, at, kind, tenant_namespace, image_id, data)
SELECT 200000 + v.image_id * 20 + v.version, v.published_at, 'scanned', 'catalogue', v.image_id,
       '{"trigger": "push", "versions": 1, "findings": 1, "new": 1}'
FROM image_versions v WHERE v.image_id >= 10;
INSERT INTO timeline (seq, at, kind, tenant_namespace, data)
SELECT 300000 + n, '2026-01-12T00:00Z'::timestamptz + n * interval '20 min', 'scanned', 'catalogue',
       '{"trigger": "scheduled", "versions": 400, "findings": 1, "new": 1}'
FROM generate_series(1, 12) n;
INSERT INTO notifications SELECT 1000 + n * 10, 'tenant-' || 10 + n % 50, 10 + n % 50,
       (ARRAY['critical_cve', 'sla_at_risk', 'sla_breached'])[1 + n % 3],
       '2026-01-12T00:00Z'::timestamptz + n * interval '1 s', 1, 'one', '{}' FROM generate_series(1, 15000) n;
INSERT INTO audit_logs SELECT 1000 + n * 5, '2026-01-12T00:00Z'::timestamptz + n * interval '500 ms',
       'builder-' || n % 50, 'action.' || n % 40, 'image/' || n % 500, 'catalogue', '{}',
       sha256(n::text::bytea), n - 1 FROM generate_series(1, 30000) n;
INSERT INTO logs VALUES ('transparency', 'log', 8010, sha256('x'), 0), ('audit', 'audit', 30000, sha256('y'), 0);
INSERT INTO commands (seq, command, tenant_namespace, applied_at)
SELECT n, json_build_object('command', CASE WHEN n % 4 = 0 THEN 'builder_outage' ELSE 'scan' END),
       CASE WHEN n % 20 = 0 THEN 'tenant-' || 10 + n / 20 % 50 ELSE 'catalogue' END,
       CASE WHEN n < 19990 THEN '2026-01-12T00:00Z'::timestamptz + n * interval '1 s' END
FROM generate_series(1, 20000) n;
INSERT INTO ledger (id, queue, phase, at, payload, state, attempts, error, enqueued_wall, done_wall,
                    discarded_wall)
SELECT 1000 + n, (ARRAY['build', 'scan', 'attest', 'sla_check', 'notify'])[1 + n % 5], 0,
       '2026-01-12T00:00Z', '{}', CASE n % 5000 WHEN 1 THEN 'dead' WHEN 2 THEN 'owed' ELSE 'done' END,
       0, NULL, now(), CASE WHEN n % 5000 NOT IN (1, 2) THEN now() END,
       CASE WHEN n % 5000 = 3 THEN now() END
FROM generate_series(1, 40000) n;
INSERT INTO actions (actor, role, tenant_namespace, operation, object, outcome, code, request_id)
SELECT 'key-' || n % 100, 'editor', CASE WHEN n % 2 = 0 THEN 'tenant-' || 10 + n / 2 % 50 END,
       (ARRAY['buildImage', 'startScan', 'useImage'])[1 + n % 3], '/v1/builds/' || n,
       CASE WHEN n % 100 = 0 THEN 'refused' ELSE 'done' END, CASE WHEN n % 100 = 0 THEN 'forbidden' END,
       'x' FROM generate_series(1, 40000) n;
INSERT INTO webhook_endpoints (id, tenant_namespace, url, description, secret, digest_seconds,
                               told_through, created_by)
SELECT 'whe_' || c, 'tenant-' || c, 'https://hook.example/', '', 'whsec_x', 1, 0, 'test'
FROM generate_series(10, 59) c;
INSERT INTO webhook_deliveries (id, endpoint_id, tenant_namespace, kind, notification_ids, collecting,
                                state, next_wall, delivered_wall)
SELECT 'msg_' || n, 'whe_' || c, 'tenant-' || c, 'test', '{}', false,
       CASE WHEN n % 1000 = 0 THEN 'dead' ELSE 'delivered' END, now(),
       CASE WHEN n % 1000 > 0 THEN now() END
FROM generate_series(1, 20000) n, LATERAL (SELECT 10 + n % 50 AS c) t;
INSERT INTO webhook_sources (id, tenant_namespace, name, secret, created_by)
SELECT 'whs_' || c, 'tenant-' || c, 'forge', 'x', 'test' FROM generate_series(10, 59) c;
INSERT INTO webhook_receipts (source_id, delivery, tenant_namespace, body_sha256)
SELECT 'whs_' || c, n, 'tenant-' || c, sha256(n::text::bytea)
FROM generate_series(1, 10000) n, LATERAL (SELECT 10 + n % 50 AS c) t;
INSERT INTO api_keys (id, name, role, tenant_namespace, secret_sha256, created_by)
SELECT lpad(to_hex(n), 16, '0'), 'key', 'viewer', CASE WHEN n % 2 = 0 THEN 'tenant-' || 10 + n / 2 % 50 END,
       sha256('x'), 'test' FROM generate_series(1, 5000) n;
INSERT INTO idempotency_keys (api_key, key, request_hash, status, body)
SELECT 'key-' || n % 100, n, sha256('x'), 200, '{}' FROM generate_series(1, 10000) n;
INSERT INTO triages SELECT i, a, '2026-01-12T01:00Z', 'component_not_present', 'catalogue'
FROM generate_series(10, 209) i, generate_series(10, 24) a;
INSERT INTO attestation_replacements
SELECT log_index, 100000 + log_index, 'catalogue', '2026-01-12T05:00Z', document_sha256, 's3://x',
       document_sha256, 1 FROM attestations WHERE log_index % 3 = 0;
-- Where no tree begins: of leaves that are known no request reads any again.
INSERT INTO expired_leaves
SELECT log, n, sha256('x') FROM generate_series(-10000, -1) n,
       unnest(ARRAY['transparency', 'audit']) log;
INSERT INTO expired_objects
SELECT 'blobs/sha256/' || n, 'tenant-' || 10 + n % 50, '2020-01-01T00:00Z', now()
FROM generate_series(1, 10000) n;
INSERT INTO retention_runs
SELECT at, at, '{}', 0, 0, 0, now()
FROM generate_series('2010-01-01T00:00Z'::timestamptz, '2018-01-01T00:00Z', '1 day') at;
INSERT INTO studies (name, title, status, study, scenarios, seed, kernel_version, done, expected,
                     requested_by, summary, started_wall, ended_wall)
SELECT 'study', 'A study', CASE WHEN n % 100 = 0 THEN 'cancelled' ELSE 'completed' END, 'x', '[]', 1,
       '1', 1, 1, 'key-' || n % 100,
       CASE WHEN n % 100 > 0 THEN '{"replications": 1, "stopping": "", "capped": false,
            "confidence": 0.95, "answers": [], "arms": []}'::json END, now(), now()
FROM generate_series(1, 5000) n;
INSERT INTO study_documents SELECT n, k, 'studies/' || n || '/' || k, repeat('a', 64), 1
FROM generate_series(1, 5000) n, unnest(ARRAY['result', 'report', 'replications']) k
WHERE n % 100 > 0;
-- What the planner knows does not change under the test.
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT relname FROM pg_class
                WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
        EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = off)', name);
    END LOOP;
END $$;
"#;

/// What stands for a parameter of a path; the path is given up to it.
fn in_path(place: &str) -> &'static [&'static str] {
    match place {
        "/v1/images/{image}" => &["image-30"],
        "/v1/images/{image}/versions/{version}" => &["19"],
        "/v1/builds/{id}" => &["1601"],
        "/v1/advisories/{cve}" => &["CVE-2026-1000110"],
        "/v1/packages/{name}" => &["package-30"],
        "/v1/customers/{tenant_namespace}" => &["tenant-12"],
        "/v1/notifications/{id}" => &["1020"],
        "/v1/audit-logs/{id}" => &["1005"],
        "/v1/commands/{id}" | "/v1/scenarios/loads/{id}" => &["20"],
        "/v1/jobs/{id}" => &["1001"],
        "/v1/webhook-endpoints/{id}" => &["whe_12"],
        "/v1/webhook-sources/{id}" => &["whs_12"],
        "/v1/webhook-deliveries/{id}" => &["msg_2"],
        "/v1/api-keys/{id}" => &["0000000000000002"],
        "/v1/logs/transparency/entries/{index}" => &["100"],
        "/v1/logs/{log}" => &["transparency", "audit"],
        "/v1/artifacts/{sha256}" => {
            &["1111111111111111111111111111111111111111111111111111111111111111"]
        }
        "/v1/scenarios/{name}" => &["classroom"],
        "/v1/studies/{id}" => &["1000"],
        other => panic!("what stands at the end of {other}?"),
    }
}

/// What stands for a parameter of a query whose values are not words of the specification.
fn in_query(operation: &Operation, name: &str) -> &'static [&'static str] {
    match name {
        "image" => &["image-30"],
        "base" => &["image-30"],
        "tenant" => &["tenant-12", "catalogue"],
        "cve" => &["CVE-2026-1000110"],
        "package" => &["package-30"],
        "tag" => &["1.7"],
        "by" => &["2026-01-13T00:00:00Z"],
        "digest" => &["sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"],
        "version" if operation.id == "listPackageImages" => &["1.4-r0"],
        "version" => &["7"],
        "from" | "index" | "tree_size" | "days" => &["1"],
        "to" => &["2"],
        "slsa_level" => &["1", "3"],
        "known_exploited" | "fix_available" => &["true", "false"],
        "published_from" | "published_to" => &["2026-01-12T01:00:00Z"],
        "actor" => &["builder-7", "key-7"],
        "action" => &["action.7"],
        "object" => &["image/30"],
        "operation" => &["buildImage"],
        "predicate_type" => &["https://slsa.dev/provenance/v1"],
        "name" => &["image-30"],
        "q" => &["30"],
        // How an answer is turned, and the instant, which is asked for each.
        "page_size" | "page_token" | "as_of" => &[],
        other => panic!("what stands for {other} of {}?", operation.id),
    }
}

/// Whole tables that are read nevertheless: the operation, the table, and why.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("getRemediation", "advisories", "it is asked about all of a month, and its answer is kept"),
    ("getSlaFigures", "sla_timers", "it is asked about all of a month, and its answer is kept"),
    ("getSlaFigures", "cve_findings", "it is asked about all of a month, and its answer is kept"),
    ("getSlaFigures", "customer_image_usage", "what is run counts from its first day on"),
    ("getSlaFigures", "mass_event_decisions", "a few an advisory, and all are shown"),
    ("listAdvisories", "advisory_packages", "a text is looked for in all names of packages"),
];

/// The most rows that one step of a plan may read, or pass over: some pages' worth.
const MOST: f64 = 3_000.0;

/// Operations that read more nevertheless, and why.
const READ_MORE: &[(&str, &str)] = &[
    ("getRemediation", "it is asked about all of a month, and its answer is kept"),
    ("getSlaFigures", "it is asked about all of a month, and its answer is kept"),
    ("listActions", "instants are in no order once another world was loaded"),
    ("listAdvisories", "exploited and fixed ones are looked for among all"),
    ("listCustomerExposure", "a severity is looked for among all findings of what is run"),
    ("listFindings", "resolved ones are looked for among all, the latest detected first"),
    ("listIncidents", "they are looked for among what people asked for"),
    ("listLogs", "entries that wait for their place are passed over"),
    ("listSlaTimers", "a severity or a state is looked for among all that run, by deadline"),
    ("forecastSla", "a severity is looked for among all that run, by deadline"),
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

async fn started(plans: &Plans) -> Api {
    let api = Api::start("plans").await;
    sqlx::raw_sql(WORLD).execute(&api.pool).await.unwrap();
    for log in Log::ALL {
        let (key, note) = (format!("{}checkpoint", log.prefix()), signed_note(log, 2));
        api.objects.put(&key, note.into(), "text/plain").await.unwrap();
    }
    let mut conn = api.pool.acquire().await.unwrap();
    let images: Vec<i64> = (10..=209).collect();
    store::catalogue::image_packages(&mut conn, &images).await.unwrap();
    drop(conn);
    count_findings(&api.pool).await;
    sqlx::raw_sql("VACUUM ANALYZE").execute(&api.pool).await.unwrap();
    for setting in [
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_level = 'notice'",
        "auto_explain.log_nested_statements = on",
        "auto_explain.log_analyze = on",
        "auto_explain.log_timing = off",
        "jit = off",
    ] {
        let sql = format!("ALTER DATABASE {} SET {setting}", api.database);
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&api.pool).await.unwrap();
    }
    // Sessions take the settings up when they begin.
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .execute(&api.pool)
    .await
    .unwrap();
    plans.0.lock().unwrap().clear();
    api
}

/// The tables that were filled; every other one is listed as small.
async fn large(api: &Api) -> Vec<String> {
    let sizes: Vec<(String, f32)> = sqlx::query_as(
        "SELECT relname::text, reltuples FROM pg_class
         WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY 1",
    )
    .fetch_all(&api.pool)
    .await
    .unwrap();
    let (large, small): (Vec<_>, Vec<_>) = sizes.into_iter().partition(|(_, rows)| *rows >= MANY);
    let small: Vec<_> = small.iter().map(|(table, _)| table.as_str()).collect();
    let listed: Vec<_> = SMALL.iter().map(|(table, _)| *table).collect();
    assert_eq!(small, listed, "tables that are not filled, and those that need not be");
    large.into_iter().map(|(table, _)| table).collect()
}

/// What a role may read. (What happens is told without an end; it reads like a page of the
/// timeline.)
fn reads(role: Role) -> Vec<Operation> {
    let mut all = operations::all();
    all.retain(|operation| {
        let mut roles = operation.roles.iter().flatten();
        operation.is_get() && operation.id != "watchEvents" && roles.any(|may| may == role.as_str())
    });
    all
}

/// The tables that a plan of an operation reads from end to end, and should not.
fn whole<'a>(operation: &str, plan: &str, large: &'a [String]) -> Vec<&'a str> {
    let allowed = |table: &str| ALLOWED.iter().any(|(id, of, _)| (*id, *of) == (operation, table));
    let read = |table: &&str| plan.contains(&format!("Seq Scan on {table} ")) && !allowed(table);
    large.iter().map(String::as_str).filter(read).collect()
}

/// How many rows the busiest step of a plan gave or passed over.
fn most(plan: &str) -> f64 {
    let number = |text: &str, after: &str| {
        let rest = text.split_once(after)?.1;
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        rest[..end].parse::<f64>().ok()
    };
    let mut times = 1.0;
    let mut most: f64 = 0.0;
    for line in plan.lines() {
        if let Some(given) = number(line, "(actual rows=") {
            times = number(line, " loops=").unwrap_or(1.0);
            most = most.max(given * times);
        } else if let Some(passed) = number(line, "Rows Removed by Filter: ") {
            most = most.max(passed * times);
        }
    }
    most
}

#[tokio::test]
async fn every_query_and_list_uses_an_index() {
    let plans = Plans::default();
    let subscriber = tracing_subscriber::registry().with(plans.clone());
    let _told = tracing::subscriber::set_default(subscriber);
    // As long as there is one subscriber, the first thread that comes to an event says for all
    // whether anybody listens, and the other tests' threads do not. So there are two.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let api = started(&plans).await;
    let large = large(&api).await;
    let tenant = api.sign_in(Role::Viewer, Some("tenant-12")).await;
    let mut wrong = Vec::new();
    let mut looked_at = 0;
    for (role, token) in [(Role::Admin, &api.token), (Role::Viewer, &tenant)] {
        for operation in reads(role) {
            if operation.of_platform && role == Role::Viewer {
                api.get_as(token, &operation.at(&["1".to_owned()])).await.problem(403, "forbidden");
                continue;
            }
            let mut questions = operation.questions(in_path, in_query);
            if operation.takes("query", "as_of") {
                let past = |question: &String| format!("{question}as_of=2026-01-12T02:00:00Z");
                questions.extend(questions.iter().map(past).collect::<Vec<_>>());
            }
            for question in questions {
                plans.0.lock().unwrap().clear();
                let answer = api.get_as(token, &question).await;
                let known = [200, 400, 404, 409].contains(&answer.status.as_u16());
                assert!(known, "{role} {question}: {}", answer.text);
                for plan in plans.0.lock().unwrap().iter() {
                    looked_at += 1;
                    for table in whole(&operation.id, plan, &large) {
                        wrong.push(format!("{role} {question} reads all of {table}:\n{plan}"));
                    }
                    let most = most(plan);
                    if most > MOST && !READ_MORE.iter().any(|(id, _)| *id == operation.id) {
                        wrong.push(format!("{role} {question} reads {most} rows:\n{plan}"));
                    }
                }
            }
        }
    }
    assert!(looked_at > 1_000, "{looked_at} plans");
    assert!(wrong.is_empty(), "{} plans:\n{}", wrong.len(), wrong.join("\n\n"));
}
