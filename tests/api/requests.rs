//! Requests other than builds: completions, scans, evaluations, incidents, usage, and decisions
//! about dead jobs. Each is one stored command, or a refusal that stores nothing.
use crate::support::{Answer, Api};
use api::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};

async fn last_command(api: &Api) -> Value {
    let sql = "SELECT command FROM commands ORDER BY seq DESC LIMIT 1";
    sqlx::query_scalar(sql).fetch_one(&api.pool).await.unwrap()
}

async fn count(api: &Api) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM commands").fetch_one(&api.pool).await.unwrap()
}

async fn execute(api: &Api, sql: &'static str) {
    sqlx::raw_sql(sql).execute(&api.pool).await.unwrap();
}

/// Two tenants that are customers of the small world.
const TENANTS: &str = "
INSERT INTO sla_policies (id, name, critical_days, calendar, clock_start, pause_without_fix,
                          warn_permille)
SELECT 77, 'gold', 7, 'calendar', 'detected', false, 800
WHERE NOT EXISTS (SELECT FROM sla_policies WHERE id = 77);
INSERT INTO customers (id, tenant_namespace, name, contact_name, contact_email, sla_tier, policy_id)
VALUES (70, 'bank-7', 'Bank', 'B', 'b@bank.example', 'gold', 77),
       (71, 'clinic-7', 'Clinic', 'C', 'c@clinic.example', 'gold', 77)";

#[tokio::test]
async fn an_external_build_is_completed_once() {
    let api = Api::start("asked_completion").await;
    let wanted = json!({"name": "nginx", "builder": "external"});
    let build = api.post("/v1/images", wanted).await.json();
    assert_eq!((&build["status"], &build["external"]), (&"pending".into(), &true.into()));
    assert_eq!(last_command(&api).await["external"], true);
    let path = format!("/v1/builds/{}/completion", build["id"]);
    let failed = json!({"outcome": "failed", "failure": "no space", "log": "a\nb\n"});
    for (body, status, code) in [
        (json!({"outcome": "perhaps"}), 400, "invalid_body"),
        (json!({"outcome": "failed", "failure": "a\u{0}b"}), 400, "invalid_body"),
        (json!({"outcome": "failed", "failure": "x".repeat(501)}), 400, "invalid_body"),
        (json!({"outcome": "failed", "log": "a\u{1b}b"}), 400, "invalid_body"),
        (json!({"outcome": "succeeded", "failure": "no"}), 422, "contradiction"),
    ] {
        api.post(&path, body).await.problem(status, code);
    }
    api.post("/v1/builds/999/completion", failed.clone()).await.problem(404, "build_not_found");
    api.post("/v1/builds/6/completion", failed.clone()).await.problem(409, "build_not_external");
    let orchestrator = api.sign_in(Role::Orchestrator, None).await;
    let answer = api.post_as(&orchestrator, &path, failed.clone()).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(answer.json()["status"], "waiting");
    let seen = api.get(answer.header("location")).await.json();
    assert_eq!((&seen["kind"], &seen["status"]), (&"complete_build".into(), &"waiting".into()));
    let doubled = api.post_as(&orchestrator, &path, failed.clone()).await;
    let said = doubled.problem(409, "build_ended");
    assert!(said["detail"].as_str().unwrap().contains("reported as failed"), "{said:#}");
    execute(
        &api,
        "UPDATE build_events SET status = 'failed', finished_at = '2026-01-12T06:00Z',
                          started_at = '2026-01-12T06:00Z' WHERE id > 1000000000",
    )
    .await;
    let late = api.post_as(&orchestrator, &path, failed).await.problem(409, "build_ended");
    let detail = late["detail"].as_str().unwrap();
    assert!(detail.contains("failed") && detail.contains("2026-01-12T06:00:00Z"), "{detail}");
    let viewer = api.sign_in(Role::Viewer, None).await;
    let refused = api.post_as(&viewer, &path, json!({"outcome": "succeeded"})).await;
    refused.problem(403, "forbidden");
    assert_eq!(count(&api).await, 2);
}

#[tokio::test]
async fn scans_and_evaluations_are_stored_as_commands() {
    let api = Api::start("asked_scans").await;
    let one = api.post("/v1/scans", json!({"image": "nginx"})).await;
    assert_eq!((one.status.as_u16(), one.header("location")), (202, "/v1/commands/1"));
    assert_eq!(last_command(&api).await, json!({"command": "scan", "image": 1}));
    api.post("/v1/scans", json!({})).await.json();
    assert_eq!(last_command(&api).await, json!({"command": "scan", "image": null}));
    let check = api.request(Method::POST, "/v1/sla-checks").send().await.unwrap();
    assert_eq!(Answer::of(check).await.json()["kind"], "check_sla");
    api.post("/v1/scans", json!({"image": "none"})).await.problem(422, "unknown_image");
    api.post("/v1/scans", json!({"image": "a\u{0}"})).await.problem(422, "unknown_image");
    execute(
        &api,
        "UPDATE commands SET applied_at = '2026-01-12T06:00Z' WHERE seq = 1;
                   UPDATE commands SET applied_at = '2026-01-12T06:00Z', rejected = 'no'
                   WHERE seq = 2",
    )
    .await;
    assert_eq!(api.get("/v1/commands/1").await.json()["status"], "taken");
    assert_eq!(api.get("/v1/commands/2").await.json()["reason"], "no");
    api.get("/v1/commands/99").await.problem(404, "command_not_found");
}

#[tokio::test]
async fn incidents_and_advisories_are_validated_and_listed() {
    let api = Api::start("asked_incidents").await;
    let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N";
    let packages = json!([{"package": "zlib", "introduced": "1.0.0-r0", "fixed": "1.1.0-r0"}]);
    let wanted = json!({"cve": "CVE-2026-2000001", "vector": vector, "packages": packages});
    let answer = api.post("/v1/advisories", wanted).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let stored = last_command(&api).await;
    assert_eq!(
        (&stored["severity"], &stored["packages"][0]["package"]),
        (&"high".into(), &1.into())
    );
    for (body, status, code) in [
        (json!({"severity": "high"}), 422, "contradiction"),
        (json!({"severity": "high", "vector": vector, "packages": packages}), 422, "contradiction"),
        (
            json!({"severity": "high", "packages": packages, "image_share": 0.5}),
            422,
            "contradiction",
        ),
        (json!({"vector": "CVSS:3.1/AV:N", "packages": packages}), 422, "invalid_vector"),
        (json!({"vector": vector, "packages": [{"package": "none"}]}), 422, "unknown_package"),
        (
            json!({"vector": vector, "packages": [{"package": "zlib", "introduced": "9"}]}),
            422,
            "unknown_package",
        ),
        (
            json!({"vector": vector, "packages": [{"package": "zlib", "fixed": "1.0.0-r0"}]}),
            422,
            "contradiction",
        ),
        (
            json!({"vector": vector, "cve": "CVE-2026-42", "packages": packages}),
            400,
            "invalid_body",
        ),
    ] {
        api.post("/v1/advisories", body).await.problem(status, code);
    }
    let incident = |body: Value| api.post("/v1/incidents", body);
    incident(json!({"builder_outage": {"builders": 1, "duration_minutes": 60}})).await.json();
    incident(json!({"tampered_attestation": {"image": "nginx"}})).await.json();
    incident(json!({"distrusted_builder": {"builder": "builder-0"}})).await.json();
    incident(json!({"cve": {"severity": "critical", "image_share": 0.5}})).await.json();
    for (body, status, code) in [
        (json!({}), 422, "contradiction"),
        (json!({"tampered_attestation": {"image": "none"}}), 422, "unknown_image"),
        (json!({"distrusted_builder": {"builder": "mallory"}}), 400, "invalid_body"),
        (json!({"builder_outage": {"builders": 0, "duration_minutes": 1}}), 400, "invalid_body"),
    ] {
        incident(body).await.problem(status, code);
    }
    assert_eq!(count(&api).await, 5);
    execute(&api, "UPDATE commands SET applied_at = '2026-01-12T05:00Z' WHERE seq <= 2").await;
    let listed = api.get("/v1/incidents").await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 5);
    let page = api.get("/v1/incidents?page_size=2").await.json();
    let token = page["next_page_token"].as_str().unwrap();
    let next = api.get(&format!("/v1/incidents?page_size=2&page_token={token}")).await.json();
    assert_eq!(next["items"][0], listed["items"][2]);
    let past = api.get("/v1/incidents?as_of=2026-01-12T05:30:00Z").await.json();
    assert_eq!(past["items"].as_array().unwrap().len(), 2);
    let editor = api.sign_in(Role::Editor, None).await;
    let body = json!({"tampered_attestation": {"image": "nginx"}});
    api.post_as(&editor, "/v1/incidents", body).await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_tenant_has_images_and_usage_of_its_own() {
    let api = Api::start("asked_tenant").await;
    execute(&api, TENANTS).await;
    let bank = api.sign_in(Role::Editor, Some("bank-7")).await;
    let clinic = api.sign_in(Role::Editor, Some("clinic-7")).await;
    let web = json!({"name": "bank-7.web", "base": "base-os", "packages": ["nginx"]});
    let answer = api.post_as(&bank, "/v1/images", web.clone()).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(answer.json()["tenant_namespace"], "bank-7");
    assert_eq!(last_command(&api).await["create"]["owner"], 70);
    api.get_as(&clinic, "/v1/images/bank-7.web").await.problem(404, "image_not_found");
    api.get_as(&clinic, "/v1/commands/1").await.problem(404, "command_not_found");
    assert_eq!(api.get_as(&bank, "/v1/commands/1").await.json()["tenant_namespace"], "bank-7");
    for (who, body, status, code) in [
        (&clinic, web, 422, "name_outside_namespace"),
        (&clinic, json!({"name": "web", "packages": ["nginx"]}), 422, "name_outside_namespace"),
        (&clinic, json!({"name": "clinic-7.", "packages": ["nginx"]}), 400, "invalid_body"),
        (&clinic, json!({"name": "nginx"}), 403, "not_your_image"),
        (
            &clinic,
            json!({"name": "clinic-7.web", "base": "bank-7.web", "packages": ["redis"]}),
            422,
            "unknown_image",
        ),
    ] {
        api.post_as(who, "/v1/images", body).await.problem(status, code);
    }
    let on_theirs = json!({"name": "shared", "base": "bank-7.web", "packages": ["redis"]});
    api.post("/v1/images", on_theirs).await.problem(403, "not_your_image");

    let runtime = json!({"environment": "staging", "cluster": "eu-1", "replicas": 2,
                         "internet_exposed": false});
    let digest = format!("sha256:{}", "d".repeat(64));
    let wanted = json!({"image": "nginx", "digest": digest, "runtime": runtime});
    let used = api.post_as(&bank, "/v1/customers/bank-7/usage", wanted.clone()).await;
    assert_eq!(used.status, 202, "{}", used.text);
    let stored = last_command(&api).await;
    assert_eq!((&stored["customer"], &stored["pin"]), (&70.into(), &2.into()));
    assert_eq!(stored["runtime"]["cluster"], "eu-1");
    let theirs = "/v1/customers/bank-7/usage";
    api.post_as(&clinic, theirs, wanted).await.problem(404, "customer_not_found");
    let unknown = json!({"image": "bank-7.web"});
    let path = "/v1/customers/clinic-7/usage";
    api.post(path, unknown).await.problem(422, "unknown_image");
    let digest = format!("sha256:{}", "9".repeat(64));
    let wrong = json!({"image": "nginx", "digest": digest});
    api.post(path, wrong).await.problem(422, "unknown_image");
    let end = |path: &'static str| async {
        Answer::of(api.request(Method::DELETE, path).send().await.unwrap()).await
    };
    end("/v1/customers/bank-7/usage/nginx").await.problem(404, "usage_not_found");
    execute(
        &api,
        "INSERT INTO customer_image_usage (customer_id, image_id, version, valid_from,
                       used_since, tenant_namespace, mode, environment, cluster, replicas,
                       internet_exposed)
                   VALUES (70, 1, 2, '2026-01-12T03:00Z', '2026-01-12T03:00Z', 'bank-7', 'follow',
                           'production', 'x', 1, false)",
    )
    .await;
    assert_eq!(end("/v1/customers/bank-7/usage/nginx").await.status, 202);
    assert_eq!(last_command(&api).await["command"], "end_use");
}

#[tokio::test]
async fn dead_jobs_are_retried_or_discarded() {
    let api = Api::start("asked_dead").await;
    execute(
        &api,
        "INSERT INTO ledger (id, queue, phase, at, payload, state, error) VALUES
                       (4096, 'scan', 0, '2026-01-12T05:00Z', '{}', 'dead', 'a'),
                       (8192, 'scan', 0, '2026-01-12T05:00Z', '{}', 'dead', 'b');
                   UPDATE clock SET held_reason = 'job 4096'",
    )
    .await;
    let post = |path: &'static str| async {
        Answer::of(api.request(Method::POST, path).send().await.unwrap()).await
    };
    assert_eq!(post("/v1/jobs/4096/retry").await.json()["decision"], "retried");
    post("/v1/jobs/4096/retry").await.problem(404, "dead_job_not_found");
    assert_eq!(api.get("/v1/clock").await.json()["held_reason"], "job 4096");
    assert_eq!(post("/v1/jobs/8192/discard").await.json()["decision"], "discarded");
    assert_eq!(api.get("/v1/clock").await.json()["held_reason"], Value::Null);
    let editor = api.sign_in(Role::Editor, None).await;
    api.post_as(&editor, "/v1/jobs/4096/retry", Value::Null).await.problem(403, "forbidden");
}
