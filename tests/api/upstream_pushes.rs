//! Upstream pushes: signed as forges sign, processed once, and only for the owner of the source.
use crate::support::{Answer, Api};
use api::auth::Role;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

/// What GitHub and Gitea send for a push, with other names.
const GITHUB: &str = include_str!("payloads/github-push.json");
const GITEA: &str = include_str!("payloads/gitea-push.json");

struct Source {
    id: String,
    href: String,
    secret: String,
}

async fn source(api: &Api, body: Value) -> Source {
    let made = api.post("/v1/webhook-sources", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Source {
        id: text(&made["source"]["id"]),
        href: text(&made["source"]["upstream_href"]),
        secret: text(&made["secret"]),
    }
}

fn signature(secret: &str, body: &str) -> String {
    let hmac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    hex::encode(hmac.chain_update(body).finalize().into_bytes())
}

/// A message with these headers and no others.
async fn send(api: &Api, href: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = api.anonymous(Method::POST, href);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.header("Content-Type", "application/json").body(body.to_owned());
    Answer::of(request.send().await.unwrap()).await
}

/// A push as GitHub sends it.
async fn push(api: &Api, source: &Source, delivery: &str, body: &str) -> Answer {
    let signed = format!("sha256={}", signature(&source.secret, body));
    let headers = [
        ("X-Hub-Signature-256", signed.as_str()),
        ("X-GitHub-Delivery", delivery),
        ("X-GitHub-Event", "push"),
    ];
    send(api, &source.href, body, &headers).await
}

async fn commands(api: &Api) -> Vec<Value> {
    let sql = "SELECT command FROM commands ORDER BY seq";
    sqlx::query_scalar(sql).fetch_all(&api.pool).await.unwrap()
}

#[tokio::test]
async fn a_forge_push_requests_builds() {
    let api = Api::start("upstream_push").await;
    let ours = source(&api, json!({"name": "git.example"})).await;
    let answer = push(&api, &ours, "72d3162e-cc78-11e3-81ab-4c9367dc0958", GITHUB).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(answer.header("location"), "/v1/builds/1000000001");
    let build = &answer.json()["builds"][0];
    assert_eq!((&build["trigger"], &build["status"]), (&"upstream".into(), &"pending".into()));
    assert_eq!(build["cause"]["revision"], "6113728f27ae82c7b1a177c8d03f9e96e0adf246");
    // Gitea signs in a header of its own.
    let signed = signature(&ours.secret, GITEA);
    let headers = [
        ("X-Gitea-Signature", signed.as_str()),
        ("X-Gitea-Delivery", "f6266f16-1bf3-46a5-9ea4-602e06ead473"),
        ("X-Gitea-Event", "push"),
    ];
    let answer = send(&api, &ours.href, GITEA, &headers).await;
    assert_eq!(answer.json()["builds"][0]["image"], "late", "its main package is zlib");
    let stored = commands(&api).await;
    assert_eq!(stored.iter().map(|c| &c["command"]).collect::<Vec<_>>(), ["upstream_changed"; 2]);
    let sources = api.get("/v1/webhook-sources").await.json();
    assert!(sources["items"][0]["last_used_wall"].is_string());
    assert!(!sources.to_string().contains(&ours.secret), "the secret is shown once");
    // The deed is written down in the name of the source.
    let actions = api.get("/v1/actions?operation=pushUpstream").await.json();
    assert_eq!(actions["items"][0]["actor"], ours.id.as_str());
}

#[tokio::test]
async fn our_own_push_format_is_accepted_and_mistakes_are_reported() {
    let api = Api::start("upstream_own").await;
    let ours = source(&api, json!({"name": "git.example"})).await;
    let body = json!({"image": "nginx", "revision": "3f1c2d9"}).to_string();
    let answer = push(&api, &ours, "1", &body).await;
    assert_eq!(answer.json()["builds"][0]["cause"]["revision"], "3f1c2d9");
    let body =
        json!({"repository": "https://git.example/org/zlib.git", "revision": "r1"}).to_string();
    assert_eq!(push(&api, &ours, "2", &body).await.json()["builds"][0]["image"], "late");
    for (n, (body, status, code)) in [
        (json!({"revision": "r"}), 422, "contradiction"),
        (json!({"image": "nginx", "repository": "nginx", "revision": "r"}), 422, "contradiction"),
        (json!({"image": "nothing", "revision": "r"}), 422, "unknown_image"),
        (json!({"image": "nginx"}), 400, "invalid_body"),
        (
            json!({"repository": "https://git.example/no", "revision": "r"}),
            422,
            "unknown_repository",
        ),
        (json!({"repository": "a\u{0}b", "revision": "r"}), 422, "unknown_repository"),
        (json!({"image": "redis", "revision": "r"}), 409, "image_end_of_life"),
        (json!({"image": "nginx", "revision": "two words"}), 400, "invalid_body"),
        (json!({"image": "nginx", "revision": "x".repeat(201)}), 400, "invalid_body"),
        (json!({"repository": {"full_name": "a/nginx"}}), 400, "invalid_body"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = push(&api, &ours, &format!("wrong-{n}"), &body.to_string()).await;
        answer.problem(status, code);
    }
    // A push larger than other bodies may be, and one that is too large for any.
    let commits = "x".repeat(200 * 1024);
    let large =
        GITHUB.replacen("\"commits\": [", &format!("\"x\": \"{commits}\", \"commits\": ["), 1);
    assert_eq!(push(&api, &ours, "large", &large).await.status, 202);
    let huge = "x".repeat(1100 * 1024);
    push(&api, &ours, "huge", &huge).await.problem(413, "body_too_large");
    assert_eq!(commands(&api).await.len(), 3);
}

#[tokio::test]
async fn pushes_that_concern_no_image_are_ignored() {
    let api = Api::start("upstream_ignored").await;
    let ours = source(&api, json!({"name": "git.example"})).await;
    let branch = GITHUB.replace("refs/heads/main", "refs/heads/feature");
    let ignored = push(&api, &ours, "1", &branch).await;
    assert_eq!(ignored.status, 200);
    assert_eq!(ignored.json()["ignored"], "only the default branch and tags count");
    let body = "{\"zen\": \"Keep it logically awesome.\", \"hook_id\": 1}";
    let signed = format!("sha256={}", signature(&ours.secret, body));
    let headers = [
        ("X-Hub-Signature-256", signed.as_str()),
        ("X-GitHub-Delivery", "2"),
        ("X-GitHub-Event", "ping"),
    ];
    assert_eq!(send(&api, &ours.href, body, &headers).await.status, 200);
    assert_eq!(commands(&api).await.len(), 0);
}

#[tokio::test]
async fn only_a_valid_signature_is_accepted() {
    let api = Api::start("upstream_signature").await;
    let ours = source(&api, json!({"name": "one"})).await;
    let other = source(&api, json!({"name": "other"})).await;
    let good = signature(&ours.secret, GITHUB);
    let delivery = ("X-GitHub-Delivery", "1");
    for headers in [
        vec![delivery],
        vec![delivery, ("X-Hub-Signature-256", "")],
        vec![delivery, ("X-Hub-Signature-256", "sha256=zz")],
        vec![delivery, ("X-Hub-Signature", good.as_str())],
        vec![delivery, ("Authorization", good.as_str())],
    ] {
        send(&api, &ours.href, GITHUB, &headers).await.problem(401, "invalid_signature");
    }
    let signed = format!("sha256={good}");
    let headers = [delivery, ("X-Hub-Signature-256", signed.as_str())];
    let changed = GITHUB.replace("nginx", "redis");
    send(&api, &ours.href, &changed, &headers).await.problem(401, "invalid_signature");
    send(&api, &other.href, GITHUB, &headers).await.problem(401, "invalid_signature");
    let unknown = format!("/v1/webhooks/upstream?source=whs_{}", "0".repeat(32));
    send(&api, &unknown, GITHUB, &headers).await.problem(401, "invalid_signature");
    let strange = "/v1/webhooks/upstream?source=%00%27";
    send(&api, strange, GITHUB, &headers).await.problem(401, "invalid_signature");
    let none = "/v1/webhooks/upstream";
    send(&api, none, GITHUB, &headers).await.problem(400, "invalid_parameter");
    // Signed, but without a name of the delivery nobody could refuse its replay.
    let answer = send(&api, &ours.href, GITHUB, &headers[1..]).await;
    answer.problem(400, "invalid_parameter");
    let path = format!("/v1/webhook-sources/{}", ours.id);
    assert_eq!(
        Answer::of(api.request(Method::DELETE, &path).send().await.unwrap()).await.status,
        200
    );
    send(&api, &ours.href, GITHUB, &headers).await.problem(401, "invalid_signature");
    assert_eq!(commands(&api).await.len(), 0);
}

#[tokio::test]
async fn a_push_is_processed_once() {
    let api = Api::start("upstream_replay").await;
    let ours = source(&api, json!({"name": "one"})).await;
    let pushes = (0..8).map(|_| push(&api, &ours, "same", GITHUB));
    let answers = futures::future::join_all(pushes).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1);
    push(&api, &ours, "same", GITHUB).await.problem(409, "webhook_replayed");
    // The delivery's name is not signed: the same body under another one is the same push.
    push(&api, &ours, "other", GITHUB).await.problem(409, "webhook_replayed");
    let next = GITHUB.replace("6113728f", "7113728f");
    push(&api, &ours, "same", &next).await.problem(409, "webhook_replayed");
    assert_eq!(push(&api, &ours, "next", &next).await.status, 202);
    // What was refused may be sent again.
    let body = json!({"image": "later", "revision": "r"}).to_string();
    push(&api, &ours, "later", &body).await.problem(422, "unknown_image");
    push(&api, &ours, "later", &body).await.problem(422, "unknown_image");
    // Another source has pushes of its own.
    let second = source(&api, json!({"name": "two"})).await;
    assert_eq!(push(&api, &second, "same", GITHUB).await.status, 202);
    assert_eq!(commands(&api).await.len(), 3);
}

#[tokio::test]
async fn a_tenants_source_builds_only_its_images() {
    let api = Api::start("upstream_tenant").await;
    sqlx::raw_sql(
        "INSERT INTO sla_policies (id, name, calendar, clock_start, pause_without_fix, warn_permille)
         SELECT 9, 'p', 'calendar', 'detected', false, 800;
         INSERT INTO customers (id, tenant_namespace, name, contact_name, contact_email, sla_tier,
                                policy_id)
         VALUES (91, 'acme', 'A', 'A', 'a@a.example', 'gold', 9),
                (92, 'globex', 'G', 'G', 'g@g.example', 'gold', 9);
         INSERT INTO images (id, name, description, depth, main_package_id, own_packages,
                             tenant_namespace, created_at)
         VALUES (50, 'acme.web', '', 0, 2, '{2}', 'acme', '2026-01-12T00:00Z'),
                (51, 'globex.web', '', 0, 2, '{2}', 'globex', '2026-01-12T00:00Z');",
    )
    .execute(&api.pool)
    .await
    .unwrap();
    let editor = api.sign_in(Role::Editor, Some("acme")).await;
    let made = api.post_as(&editor, "/v1/webhook-sources", json!({"name": "ours"})).await.json();
    assert_eq!(made["source"]["tenant_namespace"], "acme");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let ours = Source {
        id: text(&made["source"]["id"]),
        href: text(&made["source"]["upstream_href"]),
        secret: text(&made["secret"]),
    };
    let builds = push(&api, &ours, "1", GITHUB).await.json();
    let built: Vec<&Value> =
        builds["builds"].as_array().unwrap().iter().map(|b| &b["image"]).collect();
    assert_eq!(built, ["acme.web"]);
    for image in ["nginx", "globex.web"] {
        let body = json!({"image": image, "revision": "r"}).to_string();
        push(&api, &ours, image, &body).await.problem(422, "unknown_image");
    }
    let body = json!({"name": "theirs", "tenant_namespace": "globex"});
    api.post_as(&editor, "/v1/webhook-sources", body).await.problem(422, "unknown_tenant");
    let viewer = api.sign_in(Role::Viewer, Some("globex")).await;
    assert_eq!(api.get_as(&viewer, "/v1/webhook-sources").await.json()["items"], json!([]));
}
