//! The answer for a settled instant never changes: every operation of the specification that takes
//! an instant is called, the world goes on and writes all kinds of rows, and the answers are the
//! same to the byte.
use crate::operations::{self, Operation};
use crate::support::{Api, count_findings, customers};
use serde_json::Value;

/// Beside the small world and its customers: what happened before the instants that are asked
/// about, of every kind that has a history.
const ROWS: &str = r#"
INSERT INTO timeline (seq, at, kind, tenant_namespace, image_id, build_id, advisory_id, data) VALUES
  (10, '2026-01-12T00:30Z', 'advisory_published', 'catalogue', NULL, NULL, 0, '{"packages": 1}'),
  (20, '2026-01-12T01:00Z', 'scanned', 'catalogue', 1, NULL, NULL,
   '{"trigger": "scheduled", "versions": 3, "findings": 2, "new": 2}'),
  (30, '2026-01-12T02:00Z', 'build_requested', 'catalogue', 1, 4, NULL, '{"trigger": "cve_fix"}');
INSERT INTO notifications (id, tenant_namespace, customer_id, kind, at, items, subject, body) VALUES
  (45, 'catalogue', NULL, 'build_failed', '2026-01-12T01:10Z', 1, '1 build failed', '{"count": 1}'),
  (46, 'pin-2', 1, 'sla_at_risk', '2026-01-12T02:10Z', 1, '1 at risk', '{"count": 1}');
INSERT INTO audit_logs (id, at, actor, action, object, tenant_namespace, detail, leaf_hash,
                        log_index) VALUES
  (31, '2026-01-12T02:00Z', 'builder-0', 'image.publish', 'image/1/version/2', 'catalogue',
   '{"build": 4}', decode(repeat('ab', 32), 'hex'), 0);
INSERT INTO logs (name, origin, size, root, published_size) VALUES
  ('transparency', 'log.example', 2, decode(repeat('00', 32), 'hex'), 0),
  ('audit', 'log.example', 1, decode(repeat('00', 32), 'hex'), 0);
INSERT INTO build_events (id, image_id, tenant_namespace, trigger, cause, status, requested_at)
VALUES (70, 2, 'catalogue', 'cron', '{"trigger": "cron"}', 'pending', '2026-01-12T01:45Z');
INSERT INTO commands (seq, command, tenant_namespace, applied_at) VALUES
  (1, '{"command": "distrust_builder", "builder": 1}', 'catalogue', '2026-01-12T01:20Z'),
  (2, '{"command": "tamper_attestation", "image": 1}', 'catalogue', '2026-01-12T02:00Z'),
  (3, '{"command": "tamper_attestation", "image": 1}', 'catalogue', NULL);
"#;

/// What stands for a parameter of a path; the path is given up to it.
fn in_path(place: &str) -> &'static [&'static str] {
    match place {
        "/v1/images/{image}" => &["nginx", "base-os", "redis"],
        "/v1/images/{image}/versions/{version}" => &["1", "2"],
        "/v1/builds/{id}" => &["4", "70"],
        "/v1/advisories/{cve}" => &["CVE-2026-0000001", "CVE-2026-0000002"],
        "/v1/packages/{name}" => &["nginx", "zlib"],
        "/v1/customers/{tenant_namespace}" => &["gold-1", "pin-2"],
        "/v1/notifications/{id}" => &["45", "46"],
        "/v1/audit-logs/{id}" => &["31"],
        "/v1/commands/{id}" => &["1", "3"],
        "/v1/logs/transparency/entries/{index}" => &["0", "1"],
        "/v1/logs/{log}" => &["transparency", "audit"],
        other => panic!("no value is known for the last parameter of {other}"),
    }
}

/// What stands for a parameter of a query whose values are not words of the specification.
fn in_query(operation: &Operation, name: &str) -> &'static [&'static str] {
    match name {
        "image" | "base" => &["nginx", "base-os"],
        "tenant" => &["pin-2", "catalogue"],
        "cve" => &["CVE-2026-0000001"],
        "package" => &["zlib"],
        "tag" => &["latest", "1.1.0"],
        "by" => &["2026-01-12T12:00:00Z"],
        "digest" => &["sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"],
        "version" if operation.id == "listPackageImages" => &["1.0.0-r0"],
        "version" | "from" | "days" | "slsa_level" => &["1"],
        "to" | "points" => &["2"],
        "known_exploited" | "fix_available" => &["true", "false"],
        "published_from" | "published_to" => &["2026-01-12T00:30:00Z"],
        "actor" => &["builder-0"],
        "operation" => &["buildImage"],
        "index" => &["0"],
        "tree_size" => &["1"],
        "action" => &["image.publish"],
        "object" => &["image/1/version/2"],
        "predicate_type" => &["https://slsa.dev/provenance/v1"],
        "name" | "q" => &["n"],
        "page_size" => &["1"],
        // How an answer is turned, and the instant itself.
        "page_token" | "as_of" => &[],
        other => panic!("no value is known for {other} of {}", operation.id),
    }
}

/// What had been answered for instants of the past, by every operation that knows one.
async fn answers(api: &Api) -> Vec<(String, u16, String)> {
    let mut all = Vec::new();
    for operation in operations::all() {
        if !operation.is_get() || !operation.takes("query", "as_of") {
            continue;
        }
        let mut answered = 0;
        for question in operation.questions(in_path, in_query) {
            for instant in ["2026-01-12T02:20:00Z", "2026-01-12T03:10:00Z"] {
                let path = format!("{question}as_of={instant}");
                let answer = api.get(&path).await;
                let status = answer.status.as_u16();
                assert!([200, 400, 404].contains(&status), "{path}: {}", answer.text);
                answered += usize::from(status == 200);
                all.push((path, status, without_id(&answer.text)));
            }
        }
        assert!(answered > 0, "{} has no answer", operation.id);
    }
    all
}

/// A problem names its request.
fn without_id(text: &str) -> String {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(text) else { return text.to_owned() };
    fields.remove("request_id");
    Value::Object(fields).to_string()
}

/// What the world goes on to write: ends of rows, newer versions, judgements, late evaluations.
const LATER: &str = r#"
UPDATE customer_image_usage SET valid_to = '2026-01-12T05:00Z' WHERE valid_to IS NULL;
UPDATE sla_timers SET stopped_at = '2026-01-12T04:30Z', stop_reason = 'adopted'
WHERE stopped_at IS NULL;
UPDATE sla_violations SET resolved_at = '2026-01-12T04:30Z',
                          resolution_recorded_at = '2026-01-12T05:00Z';
UPDATE cve_findings SET resolved_at = '2026-01-12T04:45Z', resolved_version = 3
WHERE resolved_at IS NULL;
UPDATE advisories SET fix_available_at = '2026-01-12T04:10Z' WHERE id = 1;
UPDATE advisory_packages SET fixed_release = 1, fixed_version = '1.1.0-r0',
       fixed_at = '2026-01-12T04:20Z' WHERE advisory_id = 1;
INSERT INTO build_events (id, image_id, tenant_namespace, trigger, cause, status, requested_at,
                          started_at, finished_at, attempts, version)
VALUES (80, 1, 'catalogue', 'cron', '{"trigger": "cron"}', 'completed', '2026-01-12T04:00Z',
        '2026-01-12T04:00Z', '2026-01-12T04:45Z', 1, 3);
UPDATE image_versions SET superseded_at = '2026-01-12T04:45Z' WHERE image_id = 1 AND version = 2;
INSERT INTO image_versions (image_id, version, build_id, tenant_namespace, digest, tags,
                            base_image_id, base_version, package_ids, releases, components,
                            published_at)
VALUES (1, 3, 80, 'catalogue', 'sha256:' || repeat('e', 64), '{latest,1.1.0}', 0, 1, '{0,1,2}',
        '{0,1,1}', '{0,1048577,2097153}', '2026-01-12T04:45Z');
INSERT INTO cve_findings (image_id, version, advisory_id, package_id, tenant_namespace, severity,
                          score, detected_at)
VALUES (2, 1, 1, 1, 'catalogue', 'low', 2.5, '2026-01-12T04:15Z');
INSERT INTO attestation_replacements (log_index, seq, tenant_namespace, replaced_at,
                                      document_sha256, object_key, sha256, bytes)
VALUES (1, 88, 'catalogue', '2026-01-12T04:55Z', repeat('e', 64), 's3://x/q', repeat('f', 64), 70);
INSERT INTO attestations (seq, image_id, version, predicate_type, tenant_namespace, created_at,
                          document_sha256, envelope_sha256, payload_sha256, signature, leaf_hash,
                          log_index, tree_size)
SELECT 89, 1, v, 'https://slsa.dev/provenance/v1', 'catalogue', '2026-01-12T04:45Z',
       repeat('6', 64), h, h, h, h, v, v + 1
FROM (SELECT decode(repeat('0a', 32), 'hex') AS h) AS hash, generate_series(2, 3) v;
INSERT INTO slsa_assessments (image_id, version, seq, tenant_namespace, assessed_at, slsa_level,
                              checks) VALUES (1, 2, 89, 'catalogue', '2026-01-12T04:46Z', 0, '[]');
INSERT INTO sbom_records (image_id, version, format, spec_version, tenant_namespace, object_key, sha256,
                          bytes, components, created_at)
VALUES (1, 3, 'spdx', '2.3', 'catalogue', 's3://x/y', repeat('8', 64), 100, 3, '2026-01-12T04:45Z');
INSERT INTO notifications (id, tenant_namespace, customer_id, kind, at, items, subject, body)
VALUES (88, 'pin-2', 1, 'sla_breached', '2026-01-12T05:00Z', 1, '1 missed', '{"count": 1}');
INSERT INTO audit_logs (id, at, actor, action, object, tenant_namespace, detail, leaf_hash,
                        log_index) VALUES
  (87, '2026-01-12T04:45Z', 'builder-0', 'image.publish', 'image/1/version/3', 'catalogue', '{}',
   decode(repeat('cd', 32), 'hex'), 1);
INSERT INTO timeline (seq, at, kind, tenant_namespace, image_id, build_id, advisory_id, data) VALUES
  (86, '2026-01-12T04:30Z', 'scanned', 'catalogue', 1, 4, 0,
   '{"trigger": "scheduled", "versions": 3, "findings": 2, "new": 2}'),
  (150, '2026-01-12T08:00Z', 'sla_checked', 'catalogue', NULL, NULL, NULL, '{}');
INSERT INTO customer_image_usage (customer_id, image_id, version, valid_from, used_since,
    tenant_namespace, mode, environment, cluster, replicas, internet_exposed) VALUES
  (1, 2, 1, '2026-01-12T04:30Z', '2026-01-12T04:30Z', 'pin-2', 'follow', 'production', 'x', 1, true);
INSERT INTO sla_timers (customer_id, image_id, advisory_id, clock, tenant_namespace, policy_id,
    severity, opened_at, excluded, counts_from, started_at, warn_at, due_at)
VALUES (1, 2, 1, 'customer', 'pin-2', 0, 'low', '2026-01-12T04:30Z', false, '2026-01-12T04:30Z',
        '2026-01-12T04:30Z', '2026-01-12T08:00Z', '2026-01-12T09:00Z');
UPDATE build_events SET status = 'failed', failure = 'late', started_at = '2026-01-12T04:00Z',
       finished_at = '2026-01-12T04:40Z', attempts = 1 WHERE id = 70;
INSERT INTO commands (seq, command, tenant_namespace, applied_at)
SELECT 10 + n, '{"command": "builder_outage", "builders": 1, "duration": 60000}', 'catalogue',
       '2026-01-12T04:00Z'::timestamptz + n * interval '1 s' FROM generate_series(1, 1200) n;
UPDATE logs SET size = CASE name WHEN 'transparency' THEN 4 ELSE 2 END;
UPDATE world SET released_through = '2026-01-12T09:00Z', materialized_through = '2026-01-12T08:00Z',
                 released_seq = 200, materialized_seq = 190;
"#;

#[tokio::test]
async fn the_answer_for_a_past_instant_never_changes() {
    let api = Api::start("past").await;
    customers::add(&api.pool).await;
    sqlx::raw_sql(ROWS).execute(&api.pool).await.unwrap();
    let before = answers(&api).await;
    sqlx::raw_sql(LATER).execute(&api.pool).await.unwrap();
    count_findings(&api.pool).await;
    for (then, now) in before.iter().zip(answers(&api).await) {
        assert_eq!(*then, now);
        assert!(!now.2.contains("\"settled\":false"), "{now:?}");
    }
    assert!(before.len() > 300, "{}", before.len());
    let newest = api.get("/v1/images/nginx").await.json();
    assert_eq!(newest["current"]["version"], 3, "the newest answer shows what was written");
}
