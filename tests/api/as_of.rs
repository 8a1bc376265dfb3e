//! Logs, commands and actions as of an instant: what was not known then is absent.
use crate::support::Api;
use documents::checkpoint::Checkpoint;
use documents::world_keys::WorldKeys;
use serde_json::{Value, json};

/// Facts to the entries of the logs: one of the transparency log, two of the audit log.
const ROWS: &str = r#"
INSERT INTO timeline (seq, at, kind, tenant_namespace, data) VALUES
  (10, '2026-01-12T01:00Z', 'scanned', 'catalogue', '{}'),
  (40, '2026-01-12T02:30Z', 'scanned', 'catalogue', '{}'),
  (50, '2026-01-12T04:00Z', 'scanned', 'catalogue', '{}');
INSERT INTO audit_logs (id, at, actor, action, object, tenant_namespace, detail, leaf_hash,
                        log_index) VALUES
  (31, '2026-01-12T02:30Z', 'a', 'b', 'c', 'catalogue', '{}', decode(repeat('ab', 32), 'hex'), 0),
  (45, '2026-01-12T04:00Z', 'a', 'b', 'c', 'catalogue', '{}', decode(repeat('cd', 32), 'hex'), 1);
INSERT INTO logs (name, origin, size, root, published_size)
SELECT name, 'log.example', 2, decode(repeat('00', 32), 'hex'), 0
FROM unnest(ARRAY['transparency', 'audit']) AS name ON CONFLICT (name) DO UPDATE SET size = 2;
"#;

async fn started(name: &str) -> Api {
    let api = Api::start(name).await;
    sqlx::raw_sql(ROWS).execute(&api.pool).await.unwrap();
    api
}

async fn proof(api: &Api, asked: &str) -> Value {
    api.get(&format!("/v1/logs/transparency/{asked}")).await.json()
}

#[tokio::test]
async fn a_log_entry_is_present_from_its_instant_on() {
    let api = started("instants_entries").await;
    let path = "/v1/logs/transparency/entries/1";
    let now = api.get(path).await.json();
    for (at, known) in [("02:29:59", false), ("02:30:00", true), ("06:00:00", true)] {
        let answer = api.get(&format!("{path}?as_of=2026-01-12T{at}Z")).await;
        if known {
            assert_eq!(answer.json(), now, "{at}");
        } else {
            answer.problem(404, "log_entry_not_found");
        }
    }
    api.get(&format!("{path}?as_of=2026-01-12T06:00:01Z")).await.problem(400, "as_of_in_future");
    let list = api.get("/v1/logs/transparency/entries?as_of=2026-01-12T03:00:00Z").await.json();
    assert_eq!((&list["as_of"], &list["settled"]), (&json!("2026-01-12T03:00:00Z"), &json!(true)));
    assert_eq!(list["total"], json!({"count": 1, "exact": true}));
    let before = api.get("/v1/logs/transparency/entries?as_of=2026-01-12T02:00:00Z").await.json();
    assert_eq!(before["total"], json!({"count": 0, "exact": true}));
    let newest = api.get("/v1/logs/transparency/entries").await.json();
    assert_eq!(
        (&newest["as_of"], &newest["settled"]),
        (&json!("2026-01-12T06:00:00Z"), &json!(false))
    );
    let logs = api.get("/v1/logs?as_of=2026-01-12T03:00:00Z").await.json();
    assert_eq!((&logs["as_of"], &logs["settled"]), (&json!("2026-01-12T03:00:00Z"), &json!(true)));
    assert_eq!(api.get("/v1/logs").await.json()["settled"], false);
}

#[tokio::test]
async fn a_checkpoint_is_that_of_the_instant() {
    let api = started("instants_checkpoints").await;
    let keys = WorldKeys::of(&"1".repeat(64), u64::MAX, None).unwrap().identity;
    for (log, verifier, at, size) in [
        ("transparency", &keys.log_verifier, "02:00:00", 1),
        ("transparency", &keys.log_verifier, "02:30:00", 2),
        ("audit", &keys.audit_verifier, "02:30:00", 1),
        ("audit", &keys.audit_verifier, "05:00:00", 2),
    ] {
        let path = format!("/v1/logs/{log}/checkpoint?as_of=2026-01-12T{at}Z");
        let answer = api.get(&path).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let note = Checkpoint::verify_ed25519(&answer.text, verifier, verifier.name()).unwrap();
        assert_eq!(note.size, size, "{path}");
        let last = size - 1;
        let path = format!("/v1/logs/{log}/inclusion-proof?index={last}&as_of=2026-01-12T{at}Z");
        let proof = api.get(&path).await.json();
        assert_eq!(
            (&proof["tree_size"], &proof["root"]),
            (&json!(size), &json!(hex::encode(note.root)))
        );
    }
    let early = "/v1/logs/audit/checkpoint?as_of=2026-01-12T01:00:00Z";
    api.get(early).await.problem(404, "log_entry_not_found");
    let late = "/v1/logs/audit/checkpoint?as_of=2026-01-12T07:00:00Z";
    api.get(late).await.problem(400, "as_of_in_future");
}

#[tokio::test]
async fn proofs_are_limited_to_the_log_size_of_the_instant() {
    let api = started("instants_proofs").await;
    let then = "as_of=2026-01-12T02:00:00Z";
    assert_eq!(proof(&api, &format!("inclusion-proof?index=0&{then}")).await["tree_size"], 1);
    assert_eq!(proof(&api, "inclusion-proof?index=0").await["tree_size"], 2);
    assert_eq!(proof(&api, &format!("consistency-proof?from=1&{then}")).await["tree_size"], 1);
    assert_eq!(proof(&api, "consistency-proof?from=1").await["tree_size"], 2);
    for beyond in [
        "inclusion-proof?index=1",
        "inclusion-proof?index=0&tree_size=2",
        "consistency-proof?from=2",
        "consistency-proof?from=1&to=2",
    ] {
        let path = format!("/v1/logs/transparency/{beyond}");
        assert_eq!(api.get(&path).await.status, 200, "{path}");
        api.get(&format!("{path}&{then}")).await.problem(400, "invalid_parameter");
    }
}

#[tokio::test]
async fn a_command_is_absent_before_it_is_applied() {
    let api = started("instants_commands").await;
    let made = api.post("/v1/sla-checks", json!({})).await.json();
    let path = made["href"].as_str().unwrap();
    assert_eq!(api.get(path).await.json()["status"], "waiting");
    let at = |at: &str| format!("{path}?as_of=2026-01-12T{at}Z");
    api.get(&at("06:00:00")).await.problem(404, "command_not_found");
    sqlx::query("UPDATE commands SET applied_at = '2026-01-12T05:30Z'")
        .execute(&api.pool)
        .await
        .unwrap();
    api.get(&at("05:29:59")).await.problem(404, "command_not_found");
    for path in [&at("05:30:00"), path] {
        assert_eq!(api.get(path).await.json()["status"], "taken", "{path}");
    }
    api.get(&at("06:00:01")).await.problem(400, "as_of_in_future");
}

#[tokio::test]
async fn actions_are_listed_up_to_the_instant() {
    let api = started("instants_actions").await;
    sqlx::raw_sql(
        "INSERT INTO actions (at, actor, role, operation, object, outcome, request_id) VALUES
           (NULL, 'a', 'admin', 'test', 'none', 'done', 'r'),
           ('2026-01-12T02:00Z', 'a', 'admin', 'test', 'two', 'done', 'r'),
           ('2026-01-12T04:00Z', 'a', 'admin', 'test', 'four', 'done', 'r')",
    )
    .execute(&api.pool)
    .await
    .unwrap();
    for (as_of, expected) in [
        ("", json!(["four", "two", "none"])),
        ("&as_of=2026-01-12T01:59:59Z", json!([])),
        ("&as_of=2026-01-12T02:00:00Z", json!(["two"])),
        ("&as_of=2026-01-12T05:00:00Z", json!(["four", "two"])),
    ] {
        let path = format!("/v1/actions?operation=test{as_of}");
        let page = api.get(&path).await.json();
        let objects: Vec<&Value> =
            page["items"].as_array().unwrap().iter().map(|item| &item["object"]).collect();
        assert_eq!(json!(objects), expected, "{path}");
        assert_eq!(page["total"]["count"], expected.as_array().unwrap().len());
        assert_eq!(page["settled"], !as_of.is_empty() && as_of != "&as_of=2026-01-12T05:00:00Z");
    }
    let first = api.get("/v1/actions?operation=test&page_size=1").await.json();
    let token = first["next_page_token"].as_str().unwrap();
    let second = format!("/v1/actions?operation=test&page_size=2&page_token={token}");
    let second = api.get(&second).await.json();
    assert_eq!(second["items"][1]["object"], "none", "pages cover what happened without a world");
}
