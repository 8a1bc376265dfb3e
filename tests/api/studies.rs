//! Studies over the API: asked for, refused, listed, stopped, deleted, and read. Nobody plays them
//! here (`jobs/tests/it/studies.rs` does); what came of one is put there by hand.
use crate::support::{Answer, Api, Content};
use api::Limits;
use api::auth::Role;
use bytes::Bytes;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;
use store::objects::{NewObject, study_key};

const STUDY: &str = "name: two-pools\ntitle: One builder or two\nscenario: classroom\nhorizon: 5d\n\
                     warm_up: 1d\nreplications: 50\ngrid:\n  builders.count: [1, 2]\n";

fn body(study: &str) -> Value {
    json!({ "study": study })
}

/// Without a world: a study needs none.
async fn worldless(name: &str) -> Api {
    Api::start_with(name, Content::Schema, Limits::default()).await
}

#[tokio::test]
async fn a_study_is_asked_for_listed_cancelled_and_deleted_without_a_world() {
    let api = worldless("studies_life").await;
    assert_eq!(api.get("/v1/studies").await.json()["items"], json!([]));
    let asked = api.post("/v1/studies", body(STUDY)).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    let study = asked.json();
    let href = study["href"].as_str().unwrap().to_owned();
    assert_eq!(asked.header("location"), href);
    for (field, value) in [
        ("name", json!("two-pools")),
        ("title", json!("One builder or two")),
        ("status", json!("queued")),
        ("seed", json!("1")),
        ("done", json!(0)),
        ("expected", json!(50)),
    ] {
        assert_eq!(study[field], value, "{field} of {study:#}");
    }
    let detail = api.get(&href).await.json();
    assert_eq!((&detail["study"], &detail["summary"]), (&json!(STUDY), &Value::Null));
    // The scenario is stored as it was when the study was asked for.
    let stored: Value =
        sqlx::query_scalar("SELECT scenarios FROM studies").fetch_one(&api.pool).await.unwrap();
    let classroom = api.get("/v1/scenarios/classroom").await;
    classroom.problem(503, "no_world");
    assert_eq!(stored[0]["name"], "classroom");
    assert!(stored[0]["text"].as_str().unwrap().contains("name: classroom"));

    for _ in 0..2 {
        assert_eq!(api.post("/v1/studies", body(STUDY)).await.status, 202);
    }
    let first = api.get("/v1/studies?page_size=2").await.json();
    let ids = |page: &Value| -> Vec<i64> {
        page["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect()
    };
    assert_eq!((ids(&first), &first["total"]["count"]), (vec![3, 2], &json!(3)));
    let token = first["next_page_token"].as_str().unwrap();
    let next = api.get(&format!("/v1/studies?page_size=2&page_token={token}")).await.json();
    assert_eq!((ids(&next), &next["next_page_token"]), (vec![1], &Value::Null));
    api.get(&format!("/v1/studies?status=queued&page_token={token}"))
        .await
        .problem(400, "invalid_page_token");

    let cancel = format!("{href}/cancel");
    assert_eq!(api.post(&cancel, json!({})).await.json()["status"], "cancelled");
    api.post(&cancel, json!({})).await.problem(409, "study_ended");
    assert_eq!(ids(&api.get("/v1/studies?status=cancelled").await.json()), [1]);
    assert_eq!(ids(&api.get("/v1/studies?status=queued").await.json()), [3, 2]);
    let deleted = Answer::of(api.request(Method::DELETE, &href).send().await.unwrap()).await;
    assert_eq!(deleted.json()["status"], "cancelled");
    api.get(&href).await.problem(404, "study_not_found");
    api.post(&cancel, json!({})).await.problem(404, "study_not_found");
    let again = Answer::of(api.request(Method::DELETE, &href).send().await.unwrap()).await;
    again.problem(404, "study_not_found");
    assert_eq!(ids(&api.get("/v1/studies").await.json()), [3, 2]);
}

#[tokio::test]
async fn a_wrong_study_is_refused_with_line_and_field() {
    let api = worldless("studies_wrong").await;
    let all_days = STUDY.replace("replications: 50", "replications: 1000000000");
    let many: Vec<String> = (1..=100).map(|n| n.to_string()).collect();
    let many = many.join(", ");
    let arms = STUDY.replace(
        "builders.count: [1, 2]",
        &format!("builders.count: [{many}]\n  seed: [{many}]\n  images[base].packages: [{many}]"),
    );
    for (study, line, says) in [
        (STUDY.replace("builders.count", "builders.cuont"), Some(8), "cuont"),
        (STUDY.replace("warm_up: 1d", "warm_up: 6d"), Some(5), "warm"),
        (STUDY.replace("title:", "titel:"), Some(2), "titel"),
        (STUDY.replace("scenario: classroom", "scenario: nowhere"), Some(3), "nowhere"),
        (all_days, Some(6), "1000000000"),
        (arms, None, "arms"),
        ("- 1\n".to_owned(), Some(1), "a study"),
        (STUDY.replace("[1, 2]", "[1, 0]"), Some(8), "0"),
    ] {
        let problem = api.post("/v1/studies", body(&study)).await.problem(422, "invalid_study");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{study}: {problem:#}");
        if let Some(line) = line {
            let parts = problem["errors"].as_array().unwrap();
            let at = format!("line {line}, column");
            let found = parts.iter().any(|part| part["detail"].as_str().unwrap().contains(&at));
            assert!(found, "{study}: {problem:#}");
        }
    }
    api.post("/v1/studies", json!({"stuyd": STUDY})).await.problem(400, "invalid_body");
    api.post("/v1/studies", body(&"#".repeat(40_000))).await.problem(400, "invalid_body");
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM studies").fetch_one(&api.pool).await.unwrap();
    assert_eq!(count, 0);
}

#[tokio::test]
async fn scenarios_come_with_the_program_or_in_the_body() {
    let api = worldless("studies_inline").await;
    let scenario = "name: own\ntitle: Own\nstart: 2026-01-05T00:00:00Z\nduration: 6d\n\
                    images:\n  - {name: base, packages: 5}\n";
    let study = STUDY.replace("scenario: classroom", "scenario: own/one.yaml");
    let with = |text: &str| json!({"study": study, "scenarios": [{"name": "own/one.yaml", "scenario": text}]});
    api.post("/v1/studies", body(&study)).await.problem(422, "invalid_study");
    let asked = api.post("/v1/studies", with(scenario)).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    // What is wrong with the scenario is told with its name and its line.
    let wrong = api.post("/v1/studies", with(&scenario.replace("duration", "duratoin"))).await;
    let problem = wrong.problem(422, "invalid_study");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("own/one.yaml:4"), "{problem:#}");
}

#[tokio::test]
async fn studies_are_the_platforms() {
    let api = Api::start("studies_roles").await;
    let id = api.post("/v1/studies", body(STUDY)).await.json()["id"].as_i64().unwrap();
    let href = format!("/v1/studies/{id}");
    for role in [Role::Viewer, Role::Editor, Role::Orchestrator] {
        let tenant = api.sign_in(role, Some("acme")).await;
        for path in ["/v1/studies", &href, &format!("{href}/events"), &format!("{href}/result")] {
            api.get_as(&tenant, path).await.problem(403, "forbidden");
        }
        api.post_as(&tenant, "/v1/studies", body(STUDY)).await.problem(403, "forbidden");
        let cancel = format!("{href}/cancel");
        api.post_as(&tenant, &cancel, json!({})).await.problem(403, "forbidden");
        let delete = api.anonymous(Method::DELETE, &href).bearer_auth(&tenant);
        Answer::of(delete.send().await.unwrap()).await.problem(403, "forbidden");
    }
    let viewer = api.sign_in(Role::Viewer, None).await;
    assert_eq!(api.get_as(&viewer, &href).await.json()["status"], "queued");
    api.post_as(&viewer, "/v1/studies", body(STUDY)).await.problem(403, "forbidden");
    let orchestrator = api.sign_in(Role::Orchestrator, None).await;
    api.get_as(&orchestrator, &href).await.problem(403, "forbidden");
    let editor = api.sign_in(Role::Editor, None).await;
    assert_eq!(api.post_as(&editor, "/v1/studies", body(STUDY)).await.status, 202);
    // Nor does the database show a tenant any of it.
    for table in ["studies", "study_documents", "study_parts"] {
        let sql = format!("SELECT has_table_privilege('wavetank_tenant', '{table}', 'SELECT')");
        let may: bool =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&api.pool).await.unwrap();
        assert!(!may, "{table}");
    }
}

#[tokio::test]
async fn only_so_many_studies_wait_or_run() {
    let api = worldless("studies_many").await;
    for _ in 0..20 {
        assert_eq!(api.post("/v1/studies", body(STUDY)).await.status, 202);
    }
    let full = api.post("/v1/studies", body(STUDY)).await.problem(409, "too_many_studies");
    assert!(full["detail"].as_str().unwrap().contains("20"), "{full:#}");
    assert_eq!(api.post("/v1/studies/7/cancel", json!({})).await.status, 200);
    assert_eq!(api.post("/v1/studies", body(STUDY)).await.status, 202);
}

/// A study that has completed, with documents put there by hand.
async fn completed(api: &Api) -> String {
    let id = api.post("/v1/studies", body(STUDY)).await.json()["id"].as_i64().unwrap();
    let documents = [
        ("result", "application/json", "{\"format\": 1}\n"),
        ("report", "text/html; charset=utf-8", "<!doctype html><p>Two pools</p>"),
        ("replications", "text/csv; charset=utf-8", "arm,replication,seed\na,1,1\n"),
    ];
    for (kind, media_type, text) in documents {
        let sha256 = hex::encode(Sha256::digest(text));
        let key = study_key(id, &sha256);
        let bytes = Bytes::from(documents::gzip::compress(text.as_bytes()));
        let object = NewObject { key: key.clone(), bytes, media_type, packed: true };
        api.objects.put_all(vec![object]).await.unwrap();
        sqlx::query("INSERT INTO study_documents VALUES ($1, $2, $3, $4, $5)")
            .bind(id)
            .bind(kind)
            .bind(key)
            .bind(sha256)
            .bind(text.len() as i64)
            .execute(&api.pool)
            .await
            .unwrap();
    }
    let summary = json!({
        "replications": 50, "stopping": "as asked", "capped": false, "confidence": 0.95,
        "currency": null,
        "answers": [{"question": "Is a better?", "answer": "Yes.", "basis": "50 replications",
                     "told": true, "more_replications": null}],
        "arms": [{"name": "a", "builders": 1, "measures": [
            {"measure": "violations", "words": "violations", "unit": "", "statistic": "mean",
             "estimate": 1.5, "lower": 1.0, "upper": null}]}],
    });
    sqlx::query(
        "UPDATE studies SET status = 'completed', kernel_version = '1', summary = $2, done = 50,
                started_wall = now(), ended_wall = now() WHERE id = $1",
    )
    .bind(id)
    .bind(summary)
    .execute(&api.pool)
    .await
    .unwrap();
    format!("/v1/studies/{id}")
}

#[tokio::test]
async fn documents_of_a_completed_study_are_served_and_of_another_are_not() {
    let api = worldless("studies_documents").await;
    let waits = api.post("/v1/studies", body(STUDY)).await.json()["href"].clone();
    for kind in ["result", "report", "replications"] {
        let path = format!("{}/{kind}", waits.as_str().unwrap());
        api.get(&path).await.problem(409, "study_not_completed");
        api.get(&format!("/v1/studies/999/{kind}")).await.problem(404, "study_not_found");
    }
    let href = completed(&api).await;
    let detail = api.get(&href).await.json();
    assert_eq!(detail["summary"]["answers"][0]["answer"], "Yes.", "{detail:#}");
    let measure = &detail["summary"]["arms"][0]["measures"][0];
    assert_eq!((&measure["estimate"], &measure["upper"]), (&json!(1.5), &Value::Null));

    let result = api.get(&format!("{href}/result")).await;
    assert_eq!(result.text, "{\"format\": 1}\n");
    assert_eq!(result.header("content-type"), "application/json; charset=utf-8");
    let rows = api.get(&format!("{href}/replications")).await;
    assert_eq!(rows.text, "arm,replication,seed\na,1,1\n");
    assert_eq!(rows.header("content-type"), "text/csv; charset=utf-8");
    // A report may be looked at, with its own styles; no script in it would run.
    let report = api.get(&format!("{href}/report")).await;
    assert_eq!(report.text, "<!doctype html><p>Two pools</p>");
    assert_eq!(report.header("content-type"), "text/html; charset=utf-8");
    let policy = report.header("content-security-policy");
    for part in ["default-src 'none'", "style-src 'unsafe-inline'", "sandbox;"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("script-src") && !policy.contains("allow-scripts"), "{policy}");
    assert_eq!(report.header("x-content-type-options"), "nosniff");
    let packed = api.request(Method::GET, &format!("{href}/report"));
    let packed = packed.header("Accept-Encoding", "gzip").send().await.unwrap();
    let packed = Answer::unpacked(packed).await;
    assert_eq!((packed.header("content-encoding"), &packed.text), ("gzip", &report.text));

    // A document that is not what its row promises is never sent.
    let sha256 = hex::encode(Sha256::digest(&report.text));
    let key = study_key(href.rsplit('/').next().unwrap().parse().unwrap(), &sha256);
    api.objects.put(&key, "<p>Others</p>".into(), "text/html").await.unwrap();
    let damaged = api.get(&format!("{href}/report")).await.problem(410, "document_damaged");
    assert!(damaged["hint"].as_str().unwrap().contains("Start the study again"), "{damaged:#}");
}

/// A stream of events of a study.
struct Events {
    response: reqwest::Response,
    read: String,
}

impl Events {
    async fn open(api: &Api, href: &str) -> Self {
        let request = api.request(Method::GET, &format!("{href}/events"));
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events { response, read: String::new() }
    }

    /// The next event; none when the stream has ended.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.read.clone().split_once("\n\n") {
                self.read = rest.to_owned();
                let data = event.lines().find_map(|line| line.strip_prefix("data:"));
                let Some(data) = data else { continue };
                return Some(data.parse().unwrap());
            }
            let chunk = tokio::time::timeout(Duration::from_secs(60), self.response.chunk()).await;
            let chunk = chunk.unwrap_or_else(|_| panic!("no event came after {:?}", self.read));
            self.read.push_str(std::str::from_utf8(&chunk.unwrap()?).unwrap());
        }
    }
}

#[tokio::test]
async fn a_stream_tells_how_far_a_study_is_and_ends_with_it() {
    let api = worldless("studies_events").await;
    let href = completed(&api).await;
    let mut events = Events::open(&api, &href).await;
    let told = events.next().await.unwrap();
    assert_eq!((&told["type"], &told["status"]), (&json!("ended"), &json!("completed")));
    assert_eq!(events.next().await, None);

    let waits = api.post("/v1/studies", body(STUDY)).await.json()["href"].clone();
    let waits = waits.as_str().unwrap();
    let mut events = Events::open(&api, waits).await;
    let told = events.next().await.unwrap();
    assert_eq!((&told["type"], &told["status"]), (&json!("progress"), &json!("queued")));
    for (sql, field, value) in [
        (
            "UPDATE studies SET status = 'running', kernel_version = '1', done = 16 WHERE id = 2",
            "done",
            json!(16),
        ),
        (
            "UPDATE studies SET obstacle = 'the disk is full' WHERE id = 2",
            "obstacle",
            json!("the disk is full"),
        ),
    ] {
        sqlx::query(sql).execute(&api.pool).await.unwrap();
        let told = events.next().await.unwrap();
        assert_eq!((&told["type"], &told[field]), (&json!("progress"), &value), "{told:#}");
    }
    sqlx::query("DELETE FROM studies WHERE id = 2").execute(&api.pool).await.unwrap();
    let told = events.next().await.unwrap();
    assert_eq!((&told["type"], &told["status"]), (&json!("ended"), &Value::Null));
    assert_eq!(events.next().await, None);
    api.get(&format!("{waits}/events")).await.problem(404, "study_not_found");
}
