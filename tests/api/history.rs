//! What happened: the timeline, scans, notifications, the audit log, jobs, logs of builds.
use crate::support::{Api, LOG, NGINX_BUILD};
use api::auth::Role;
use serde_json::{Value, json};

const ROWS: &str = r#"
INSERT INTO sla_policies (id, name, calendar, clock_start, pause_without_fix, warn_permille)
VALUES (0, 'gold', 'calendar', 'detected', false, 750);
INSERT INTO customers (id, tenant_namespace, name, contact_name, contact_email, sla_tier, policy_id)
VALUES (0, 'gold-1', 'Gold One', 'A', 'a@gold-1.example', 'gold', 0),
       (1, 'pin-2', 'Pin Two', 'B', 'b@pin-2.example', 'gold', 0);
DELETE FROM timeline;
INSERT INTO timeline (seq, at, kind, tenant_namespace, image_id, build_id, advisory_id, customer_id,
                      data) VALUES
  (10, '2026-01-12T00:30Z', 'advisory_published', 'catalogue', NULL, NULL, 0, NULL, '{"packages": 1}'),
  (20, '2026-01-12T01:00Z', 'scanned', 'catalogue', NULL, NULL, NULL, NULL,
   '{"trigger": "scheduled", "versions": 3, "findings": 2, "new": 2}'),
  (30, '2026-01-12T02:00Z', 'build_requested', 'catalogue', 1, 4, NULL, NULL, '{"trigger": "cve_fix"}'),
  (40, '2026-01-12T03:00Z', 'scanned', 'catalogue', 1, NULL, NULL, NULL,
   '{"trigger": "requested", "versions": 1, "findings": 1, "new": 0}'),
  (50, '2026-01-12T03:30Z', 'sla_checked', 'catalogue', NULL, NULL, NULL, NULL, '{"opened": 7}'),
  (60, '2026-01-12T04:00Z', 'notified', 'gold-1', NULL, NULL, NULL, 0, '{"items": 2}'),
  (61, '2026-01-12T04:00Z', 'notified', 'pin-2', NULL, NULL, NULL, 1, '{"items": 1}');
INSERT INTO notifications (id, tenant_namespace, customer_id, kind, at, items, subject, body) VALUES
  (45, 'catalogue', NULL, 'build_failed', '2026-01-12T03:10Z', 1, '1 build failed', '{"count": 1}'),
  (60, 'gold-1', 0, 'critical_cve', '2026-01-12T04:00Z', 2, '2 critical', '{"count": 2}'),
  (61, 'pin-2', 1, 'sla_breached', '2026-01-12T04:00Z', 1, '1 missed', '{"count": 1}');
INSERT INTO audit_logs (id, at, actor, action, object, tenant_namespace, detail, leaf_hash,
                        log_index) VALUES
  (31, '2026-01-12T02:30Z', 'builder-0', 'image.publish', 'image/1/version/2', 'catalogue',
   '{"build": 4}', decode(repeat('ab', 32), 'hex'), 0),
  (55, '2026-01-12T03:40Z', 'api', 'image.create', 'image/9', 'pin-2', '{"name": "pin-2.web"}',
   decode(repeat('cd', 32), 'hex'), NULL);
INSERT INTO ledger (id, queue, phase, at, payload, state, attempts, error, retry_wall,
                    enqueued_wall, done_wall, discarded_wall, task) VALUES
  (64, 'build', 0, '2026-01-12T05:10Z', '{"n": 1}', 'done', 0, NULL, NULL, now(), now(), NULL, 'a'),
  (65, 'build', 1, '2026-01-12T05:10Z', '{"n": 2}', 'owed', 0, NULL, NULL, NULL, NULL, NULL, NULL),
  (66, 'build', 0, '2026-01-12T05:20Z', '{"n": 3}', 'owed', 0, NULL, NULL, now(), NULL, NULL, 'b'),
  (67, 'scan', 0, '2026-01-12T05:20Z', '{"n": 4}', 'owed', 1, 'once', now(), now(), NULL, NULL, 'c'),
  (68, 'scan', 0, '2026-01-12T05:30Z', '{"n": 5}', 'dead', 5, 'often', NULL, now(), NULL, NULL, 'd'),
  (69, 'scan', 0, '2026-01-12T05:30Z', '{"n": 6}', 'done', 5, 'given up', NULL, now(), now(), now(),
   'e');
"#;

async fn started(name: &str) -> Api {
    let api = Api::start(name).await;
    sqlx::raw_sql(ROWS).execute(&api.pool).await.unwrap();
    api
}

fn column(page: &Value, field: &str) -> Vec<Value> {
    page["items"].as_array().unwrap().iter().map(|item| item[field].clone()).collect()
}

async fn seen(api: &Api, path: &str, field: &str) -> Vec<Value> {
    let joint = if path.contains('?') { '&' } else { '?' };
    let base = format!("{path}{joint}page_size=2");
    let mut page = api.get(&base).await.json();
    let total = page["total"]["count"].clone();
    let mut all = column(&page, field);
    while let Some(token) = page["next_page_token"].as_str() {
        page = api.get(&format!("{base}&page_token={token}")).await.json();
        all.extend(column(&page, field));
    }
    assert_eq!(total, all.len(), "{path}");
    all
}

#[tokio::test]
async fn the_timeline_lists_what_happened() {
    let api = started("history_timeline").await;
    assert_eq!(seen(&api, "/v1/timeline", "seq").await, [61, 60, 50, 40, 30, 20, 10]);
    assert_eq!(seen(&api, "/v1/timeline?kind=scanned", "seq").await, [40, 20]);
    assert_eq!(seen(&api, "/v1/timeline?image=nginx", "seq").await, [40, 30]);
    assert_eq!(seen(&api, "/v1/timeline?cve=CVE-2026-0000001", "seq").await, [10]);
    assert_eq!(seen(&api, "/v1/timeline?tenant=gold-1", "seq").await, [60]);
    assert_eq!(seen(&api, "/v1/timeline?tenant=catalogue&kind=notified", "seq").await, [0; 0]);
    let then = "/v1/timeline?as_of=2026-01-12T02:00:00Z";
    assert_eq!(seen(&api, then, "seq").await, [30, 20, 10]);
    let build = &api.get(then).await.json()["items"][0];
    assert_eq!(build["build_id"], 4);
    assert_eq!(build["image"], "nginx");
    assert_eq!(build["data"], json!({"trigger": "cve_fix"}));
    api.get("/v1/timeline?kind=nothing").await.problem(400, "invalid_parameter");
    api.get("/v1/timeline?tenant=nobody").await.problem(400, "invalid_parameter");

    let gold = api.sign_in(Role::Viewer, Some("gold-1")).await;
    let own = api.get_as(&gold, "/v1/timeline").await.json();
    assert_eq!(column(&own, "seq"), [60, 50, 40, 30, 20, 10]);
    assert!(own["items"][1].get("data").is_none(), "it counts what others are owed");
    let all = api.get("/v1/timeline?kind=sla_checked").await.json();
    assert_eq!(all["items"][0]["data"], json!({"opened": 7}));
    let other = api.get_as(&gold, "/v1/timeline?tenant=pin-2").await;
    other.problem(400, "invalid_parameter");
}

#[tokio::test]
async fn scans_are_listed() {
    let api = started("history_scans").await;
    let scans = api.get("/v1/scans").await.json();
    assert_eq!(column(&scans, "trigger"), ["requested", "scheduled"]);
    assert_eq!(column(&scans, "new_findings"), [0, 2]);
    assert_eq!(scans["items"][0]["image"], "nginx");
    assert_eq!(seen(&api, "/v1/scans?image=nginx", "id").await, [40]);
    assert_eq!(seen(&api, "/v1/scans?as_of=2026-01-12T02:59:59Z", "id").await, [20]);
}

#[tokio::test]
async fn a_tenant_sees_its_own_notifications() {
    let api = started("history_told").await;
    assert_eq!(seen(&api, "/v1/notifications", "id").await, [61, 60, 45]);
    assert_eq!(seen(&api, "/v1/notifications?kind=critical_cve", "id").await, [60]);
    assert_eq!(seen(&api, "/v1/notifications?tenant=pin-2", "id").await, [61]);
    assert_eq!(seen(&api, "/v1/notifications?as_of=2026-01-12T03:30:00Z", "id").await, [45]);
    let one = api.get("/v1/notifications/60").await.json();
    assert_eq!((&one["subject"], &one["body"]), (&json!("2 critical"), &json!({"count": 2})));
    let gold = api.sign_in(Role::Viewer, Some("gold-1")).await;
    let own = api.get_as(&gold, "/v1/notifications").await.json();
    assert_eq!(column(&own, "id"), [60, 45]);
    api.get_as(&gold, "/v1/notifications/61").await.problem(404, "notification_not_found");
    let early = "/v1/notifications/60?as_of=2026-01-12T03:00:00Z";
    api.get(early).await.problem(404, "notification_not_found");
}

#[tokio::test]
async fn the_audit_log_leads_to_its_proofs() {
    let api = started("history_audit").await;
    assert_eq!(seen(&api, "/v1/audit-logs", "id").await, [55, 31]);
    assert_eq!(seen(&api, "/v1/audit-logs?actor=builder-0", "id").await, [31]);
    assert_eq!(seen(&api, "/v1/audit-logs?action=image.create", "id").await, [55]);
    assert_eq!(seen(&api, "/v1/audit-logs?object=image/1/version/2", "id").await, [31]);
    assert_eq!(seen(&api, "/v1/audit-logs?tenant=catalogue", "id").await, [31]);
    assert_eq!(seen(&api, "/v1/audit-logs?as_of=2026-01-12T03:00:00Z", "id").await, [31]);
    let line = api.get("/v1/audit-logs/31").await.json();
    assert_eq!(line["detail"], json!({"build": 4}));
    let proof = api.get(line["inclusion_proof_href"].as_str().unwrap()).await.json();
    assert_eq!((&proof["tree_size"], &proof["root"]), (&json!(1), &json!("ab".repeat(32))));
    let gold = api.sign_in(Role::Viewer, Some("gold-1")).await;
    assert_eq!(column(&api.get_as(&gold, "/v1/audit-logs").await.json(), "id"), [31]);
    api.get_as(&gold, "/v1/audit-logs/55").await.problem(404, "audit_log_not_found");
}

#[tokio::test]
async fn jobs_are_listed_by_state_and_counted_by_queue() {
    let api = started("history_jobs").await;
    assert_eq!(seen(&api, "/v1/jobs", "id").await, [69, 68, 67, 66, 65, 64]);
    for (state, expected) in [
        ("waiting", 65),
        ("in_flight", 66),
        ("failed", 67),
        ("dead", 68),
        ("done", 64),
        ("discarded", 69),
    ] {
        let path = format!("/v1/jobs?state={state}");
        assert_eq!(seen(&api, &path, "id").await, [expected], "{state}");
    }
    assert_eq!(seen(&api, "/v1/jobs?queue=scan", "id").await, [69, 68, 67]);
    let job = api.get("/v1/jobs/68").await.json();
    assert_eq!((&job["error"], &job["payload"]), (&json!("often"), &json!({"n": 5})));
    api.get("/v1/jobs/1").await.problem(404, "job_not_found");
    let queues = api.get("/v1/queues").await.json();
    assert_eq!(column(&queues, "name"), ["build", "scan", "attest", "sla_check", "notify"]);
    let (build, scan) = (&queues["items"][0], &queues["items"][1]);
    assert_eq!((&build["waiting"], &build["in_flight"]), (&json!(1), &json!(1)));
    assert_eq!((&scan["failed"], &scan["dead"]), (&json!(1), &json!(1)));
    assert_eq!(seen(&api, scan["dead_letter_href"].as_str().unwrap(), "id").await, [68]);
    for role in [Role::Viewer, Role::Editor] {
        let token = api.sign_in(role, None).await;
        api.get_as(&token, "/v1/jobs").await.problem(403, "forbidden");
    }
}

#[tokio::test]
async fn a_build_has_a_log_once_it_has_ended() {
    let api = started("history_log").await;
    let path = format!("/v1/builds/{NGINX_BUILD}/log");
    let log = api.get(&path).await;
    assert_eq!(log.text, LOG);
    assert!(log.header("content-type").starts_with("text/plain"));
    let running = format!("{path}?as_of=2026-01-12T02:20:00Z");
    api.get(&running).await.problem(404, "build_log_not_found");
    api.get("/v1/builds/99/log").await.problem(404, "build_not_found");
    let builds = api.get("/v1/builds?status=completed").await.json();
    assert_eq!(builds["total"], json!({"count": 4, "exact": true}));
    assert_eq!(seen(&api, "/v1/builds?status=running", "id").await, [6]);
    assert_eq!(seen(&api, "/v1/builds?trigger=cron", "id").await, [7, 5]);
    let then = "/v1/builds?status=running&as_of=2026-01-12T02:20:00Z";
    assert_eq!(seen(&api, then, "id").await, [4]);
}

#[tokio::test]
async fn logs_have_the_size_they_had_at_the_instant() {
    let api = started("history_logs").await;
    sqlx::raw_sql(
        "UPDATE logs SET size = 2 WHERE name = 'transparency';
         INSERT INTO logs (name, origin, size, root, published_size)
         SELECT name, 'log.example', 2, decode(repeat('00', 32), 'hex'), 0
         FROM unnest(ARRAY['transparency', 'audit']) AS name
         WHERE NOT EXISTS (SELECT FROM logs)",
    )
    .execute(&api.pool)
    .await
    .unwrap();
    let sizes = |page: &Value| column(page, "size");
    let then = api.get("/v1/logs?as_of=2026-01-12T01:00:00Z").await.json();
    assert_eq!(sizes(&then), [1, 0], "the log's own first leaf");
    let now = api.get("/v1/logs?as_of=2026-01-12T05:00:00Z").await.json();
    assert_eq!(sizes(&now), [2, 1]);
    assert_eq!(now["items"][1]["root"], "ab".repeat(32));
    assert_ne!(then["items"][0]["root"], now["items"][0]["root"]);
    let entries = "/v1/logs/transparency/entries";
    assert_eq!(api.get(entries).await.json()["items"].as_array().unwrap().len(), 1);
    let none = api.get(&format!("{entries}?as_of=2026-01-12T02:00:00Z")).await.json();
    assert_eq!(none["items"], json!([]));
    api.get("/v1/logs?as_of=2027-01-01T00:00:00Z").await.problem(400, "as_of_in_future");
}
