//! What belongs to a tenant is nobody else's to see: in the database, and on every route.
use crate::support::{Answer, Api};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use wavetank::api::openapi_json;
use wavetank::auth::Role;

/// An image of the tenant acme with a version, a build, and documents, and acme itself.
const ACME: &str = r#"
INSERT INTO sla_policies (id, name, critical_days, calendar, clock_start, pause_without_fix,
                          warn_permille)
SELECT 77, 'acme-policy', 7, 'calendar', 'detected', false, 800
WHERE NOT EXISTS (SELECT FROM sla_policies WHERE id = 77);
INSERT INTO customers (id, tenant_namespace, name, contact_name, contact_email, sla_tier, policy_id)
VALUES (7001, 'acme-7', 'Acme Seven', 'A', 'a@acme-7.example', 'gold', 77),
       (7002, 'globex-7', 'Globex Seven', 'G', 'g@globex-7.example', 'gold', 77);
INSERT INTO images (id, name, description, base_image_id, depth, main_package_id, own_packages,
                    tenant_namespace, created_at, current_version)
VALUES (7001, 'acme-7.web', 'A secret', 0, 1, 2, '{2}', 'acme-7', '2026-01-12T00:00Z', 1);
INSERT INTO build_events (id, image_id, tenant_namespace, trigger, cause, status, requested_at,
                          started_at, finished_at, attempts, version, log_sha256)
VALUES (7001, 7001, 'acme-7', 'manual', '{"trigger": "manual"}', 'completed', '2026-01-12T01:00Z',
        '2026-01-12T01:00Z', '2026-01-12T01:10Z', 1, 1, repeat('7', 64));
INSERT INTO image_versions (image_id, version, build_id, tenant_namespace, digest, tags,
                            base_image_id, base_version, package_ids, releases, components,
                            published_at)
VALUES (7001, 1, 7001, 'acme-7', 'sha256:' || repeat('7', 64), '{latest}', 0, 1, '{0,2}', '{0,0}',
        '{2097152}', '2026-01-12T01:10Z');
INSERT INTO artifacts (build_id, kind, tenant_namespace, media_type, sha256, bytes, object_key)
VALUES (7001, 'log', 'acme-7', 'text/plain', repeat('7', 64), 1, 'blobs/none');
INSERT INTO cve_findings (image_id, version, advisory_id, package_id, tenant_namespace, severity,
                          score, detected_at)
VALUES (7001, 1, 0, 2, 'acme-7', 'critical', 9.8, '2026-01-12T02:00Z');
INSERT INTO customer_image_usage (customer_id, image_id, version, valid_from, used_since,
    tenant_namespace, mode, environment, cluster, replicas, internet_exposed)
VALUES (7001, 7001, 1, '2026-01-12T02:00Z', '2026-01-12T02:00Z', 'acme-7', 'follow', 'production',
        'secret-cluster', 3, true),
       (7001, 1, 2, '2026-01-12T03:00Z', '2026-01-12T03:00Z', 'acme-7', 'follow', 'production',
        'secret-cluster', 3, true);
INSERT INTO sla_timers (customer_id, image_id, advisory_id, clock, tenant_namespace, policy_id,
    severity, opened_at, excluded, counts_from, started_at, warn_at, due_at)
VALUES (7001, 7001, 0, 'customer', 'acme-7', 77, 'critical', '2026-01-12T02:00Z', false,
        '2026-01-12T02:00Z', '2026-01-12T02:00Z', '2026-01-12T03:00Z', '2026-01-12T04:00Z');
INSERT INTO sla_violations (customer_id, image_id, advisory_id, clock, tenant_namespace, severity,
    due_at, recorded_at)
VALUES (7001, 7001, 0, 'customer', 'acme-7', 'critical', '2026-01-12T04:00Z', '2026-01-12T04:30Z');
INSERT INTO notifications (id, tenant_namespace, customer_id, kind, at, items, subject, body)
VALUES (7001, 'acme-7', 7001, 'sla_breached', '2026-01-12T04:30Z', 1, 'secret-subject', '{}');
INSERT INTO timeline (seq, at, kind, tenant_namespace, image_id, build_id, customer_id, data)
VALUES (7001, '2026-01-12T04:30Z', 'sla_breached', 'acme-7', 7001, 7001, 7001, '{}');
INSERT INTO commands (seq, command, tenant_namespace)
VALUES (7001, '{"command": "end_use", "customer": 7001, "image": 7001}', 'acme-7');
INSERT INTO audit_logs (id, at, actor, action, object, tenant_namespace, detail, leaf_hash)
VALUES (7001, '2026-01-12T04:30Z', 'platform', 'publish', 'acme-7.web', 'acme-7', '{}',
        decode(repeat('00', 32), 'hex'));
INSERT INTO webhook_endpoints (id, tenant_namespace, url, description, secret, digest_seconds,
                               told_through, created_by)
VALUES ('7001', 'acme-7', 'https://secret-hook.example/', '', 'whsec_secret-key', 1, 0, 'test');
INSERT INTO webhook_deliveries (id, endpoint_id, tenant_namespace, kind, notification_ids,
                                collecting, state, next_wall)
VALUES ('7001', '7001', 'acme-7', 'test', '{}', false, 'dead', now());
INSERT INTO webhook_sources (id, tenant_namespace, name, secret, created_by)
VALUES ('7001', 'acme-7', 'secret-forge', 'secret-key', 'test');
"#;

/// What no other tenant may ever read in an answer.
const SECRETS: [&str; 10] = [
    "acme-7",
    "Acme Seven",
    "A secret",
    "secret-cluster",
    "secret-subject",
    "secret-hook",
    "secret-forge",
    "secret-key",
    "7777777777777777",
    "\"id\":7001",
];

async fn world(name: &str) -> Api {
    let api = Api::start(name).await;
    sqlx::raw_sql(ACME).execute(&api.pool).await.unwrap();
    api
}

#[tokio::test]
async fn every_table_with_a_tenant_is_guarded() {
    let api = Api::start("tenancy_guard").await;
    let unguarded: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_namespace'
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
           AND NOT (c.relrowsecurity AND c.relforcerowsecurity
                    AND (SELECT array_agg(p.polname::text ORDER BY p.polname) FROM pg_policy p
                         WHERE p.polrelid = c.oid)
                        = '{owner,platform,tenant_delete,tenant_insert,tenant_select,tenant_update}')",
    )
    .fetch_all(&api.pool)
    .await
    .unwrap();
    assert_eq!(unguarded, [""; 0], "tables without row-level security");
    let owned: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) LIKE 'wavetank\\_%'
           AND pg_get_userbyid(relowner) IN ('wavetank_tenant', 'wavetank_platform')",
    )
    .fetch_one(&api.pool)
    .await
    .unwrap();
    assert_eq!(owned, 0, "the API's roles own nothing");
    // The tenant leads an index of every table that holds rows of tenants by themselves.
    let bare: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c
         WHERE c.relname IN ('timeline', 'audit_logs', 'customers', 'customer_image_usage',
                             'sla_timers', 'sla_violations', 'notifications', 'api_keys', 'actions',
                             'webhook_endpoints', 'webhook_deliveries', 'webhook_sources',
                             'webhook_receipts')
           AND NOT EXISTS (SELECT FROM pg_index i JOIN pg_attribute a
                           ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
                           WHERE i.indrelid = c.oid AND a.attname = 'tenant_namespace')",
    )
    .fetch_all(&api.pool)
    .await
    .unwrap();
    assert_eq!(bare, [""; 0], "tables without an index by tenant");
}

/// How many rows of a table a role sees.
async fn count(conn: &mut PgConnection, table: &str) -> i64 {
    let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(sql).fetch_one(conn).await.unwrap()
}

#[tokio::test]
async fn the_database_shows_a_tenant_its_own_rows() {
    let api = world("tenancy_rows").await;
    let mut session = api.session().await;
    let all = count(&mut session, "images").await;
    for (tenant, sees) in [("acme-7", 1), ("globex-7", 0)] {
        let mut tx = session.begin().await.unwrap();
        let become_tenant =
            format!("SET LOCAL ROLE wavetank_tenant; SET LOCAL wavetank.tenant = '{tenant}'");
        sqlx::raw_sql(AssertSqlSafe(become_tenant)).execute(&mut *tx).await.unwrap();
        assert_eq!(count(&mut tx, "images").await, all - 1 + sees, "{tenant}");
        for table in ["sla_timers", "sla_violations", "notifications"] {
            assert_eq!(count(&mut tx, &format!("{table} WHERE customer_id = 7001")).await, sees);
        }
        for forbidden in [
            "SELECT * FROM api_keys",
            "SELECT * FROM ledger",
            "SELECT secret FROM webhook_endpoints",
            "SELECT secret FROM webhook_sources",
            "DELETE FROM webhook_deliveries",
            "UPDATE clock SET factor = 1",
            "UPDATE images SET name = 'x'",
            "DELETE FROM notifications",
            "INSERT INTO images (id, name, description, depth, own_packages, tenant_namespace,
                                 created_at)
             VALUES (9, 'theirs', '', 0, '{}', 'catalogue', now())",
        ] {
            let mut inner = tx.begin().await.unwrap();
            let refused = sqlx::query(AssertSqlSafe(forbidden)).execute(&mut *inner).await;
            let code = refused.unwrap_err();
            let code = code.as_database_error().unwrap().code().unwrap().into_owned();
            assert_eq!(code, "42501", "{forbidden}");
        }
    }
    // Without a tenant, nothing.
    let mut tx = session.begin().await.unwrap();
    sqlx::query("SET LOCAL ROLE wavetank_tenant").execute(&mut *tx).await.unwrap();
    assert_eq!(count(&mut tx, "images").await, 0);
    tx.rollback().await.unwrap();
}

/// What stands for each parameter of a path: the other tenant's.
fn path_of(template: &str) -> Option<String> {
    let mut touches = false;
    let parts = template.split('/').map(|part| {
        let theirs = match part {
            "{image}" => "acme-7.web",
            "{id}" | "{build}" | "{notification}" | "{scan}" => "7001",
            "{tenant_namespace}" | "{tenant}" => "acme-7",
            "{sha256}" => {
                return {
                    touches = true;
                    "7".repeat(64)
                };
            }
            part if part.starts_with('{') => return "1".to_owned(),
            part => return part.to_owned(),
        };
        touches = true;
        theirs.to_owned()
    });
    let path = parts.collect::<Vec<_>>().join("/");
    touches.then_some(path)
}

#[tokio::test]
async fn another_tenants_ids_are_not_found_on_any_route() {
    let api = world("tenancy_routes").await;
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let mut walked = 0;
    for role in [Role::Viewer, Role::Editor, Role::Orchestrator] {
        let own = api.sign_in(role, Some("acme-7")).await;
        let other = api.sign_in(role, Some("globex-7")).await;
        for (template, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let Some(roles) = operation["x-roles"].as_array() else { continue };
                if !roles.iter().any(|may| may == role.as_str()) {
                    continue;
                }
                let name = format!("{method} {template} as {role}");
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                if template == "/v1/events" {
                    continue; // never ends; see events.rs
                }
                let theirs = path_of(template);
                let path = theirs.clone().unwrap_or_else(|| template.clone());
                let request = api.anonymous(method.clone(), &path).bearer_auth(&other);
                let request = match &operation["requestBody"] {
                    Value::Null => request,
                    body => request.json(&example(&document, body)),
                };
                let answer = Answer::of(request.send().await.unwrap()).await;
                // The path that was asked for stands in a problem: that is no news to who asked.
                let said = answer.text.replace(&path, "");
                let said = said.replace("\"acme-7.web\"", "").replace("\\\"acme-7.web\\\"", "");
                let said = said.replace("acme-7\\\"", "").replace("There is no build 7001", "");
                for secret in SECRETS {
                    assert!(!said.contains(secret), "{name} tells {secret}: {}", answer.text);
                }
                if let Some(path) = theirs.filter(|_| method == Method::GET) {
                    assert_eq!(answer.status, 404, "{name}: {}", answer.text);
                    let own = api.get_as(&own, &path).await;
                    // (The bytes of its documents are not stored.)
                    let there = own.status.is_success()
                        || path.contains("artifacts/7")
                        || path.ends_with("/log");
                    let nested = template.matches('{').count() > 1;
                    assert!(there || nested, "{name}: the owner gets {}", own.text);
                }
                walked += 1;
            }
        }
    }
    assert!(walked >= 30, "{walked}");
}

/// The body of the specification's example of a request.
fn example(document: &Value, body: &Value) -> Value {
    let content = body["content"].as_object().unwrap().values().next().unwrap();
    let schema = &content["schema"];
    if let Some(example) = content.get("example").or(schema.get("example")) {
        return example.clone();
    }
    let name = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()).unwrap_or_default();
    let schema = &document["components"]["schemas"][name];
    schema.get("example").cloned().unwrap_or_else(|| json!({}))
}

#[tokio::test]
async fn lists_and_totals_of_a_tenant_hold_nothing_of_another() {
    let api = world("tenancy_lists").await;
    let globex = api.sign_in(Role::Viewer, Some("globex-7")).await;
    let acme = api.sign_in(Role::Viewer, Some("acme-7")).await;
    let names = |answer: Answer| -> Vec<String> {
        let items = answer.json()["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    let theirs = names(api.get_as(&acme, "/v1/images").await);
    let others = names(api.get_as(&globex, "/v1/images").await);
    assert_eq!(theirs.len(), others.len() + 1);
    assert_eq!(theirs.iter().find(|name| !others.contains(name)).unwrap(), "acme-7.web");
    let path = format!("/v1/artifacts/{}", "7".repeat(64));
    api.get_as(&globex, &path).await.problem(404, "artifact_not_found");
    // A tenant's actions are its own too.
    let editor = api.sign_in(Role::Editor, Some("acme-7")).await;
    api.post_as(&editor, "/v1/images", json!({"name": "nothing"}))
        .await
        .problem(422, "unknown_image");
    assert_eq!(api.get_as(&acme, "/v1/actions").await.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        api.get_as(&globex, "/v1/actions").await.json()["items"].as_array().unwrap().len(),
        0
    );
}
