//! Totals of lists that have no simulated instants, and the bound at which counting stops.
use crate::support::Api;
use api::auth::Role;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

async fn total(api: &Api, path: &str) -> Value {
    let joint = if path.contains('?') { '&' } else { '?' };
    let page = api.get(&format!("{path}{joint}page_size=1")).await.json();
    assert!(page["items"].as_array().unwrap().len() <= 1, "{page}");
    if let Some(token) = page["next_page_token"].as_str() {
        let next = api.get(&format!("{path}{joint}page_size=1&page_token={token}")).await.json();
        assert_eq!(next["total"], page["total"], "the same on every page");
    }
    page["total"].clone()
}

fn exactly(count: i64) -> Value {
    json!({"count": count, "exact": true})
}

#[tokio::test]
async fn totals_equal_the_number_of_entries() {
    let api = Api::start("totals_exact").await;
    for _ in 0..3 {
        api.post("/v1/sla-checks", json!({})).await.json();
    }
    api.post("/v1/scans", json!({"image": "nothing"})).await.problem(422, "unknown_image");
    assert_eq!(total(&api, "/v1/actions").await, exactly(4));
    assert_eq!(total(&api, "/v1/actions?operation=startSlaCheck").await, exactly(3));
    assert_eq!(total(&api, "/v1/actions?outcome=refused").await, exactly(1));
    assert_eq!(total(&api, "/v1/actions?actor=nobody").await, exactly(0));
    let keys: i64 =
        sqlx::query_scalar("SELECT count(*) FROM api_keys").fetch_one(&api.pool).await.unwrap();
    assert_eq!(total(&api, "/v1/api-keys").await, exactly(keys));
    assert_eq!(total(&api, "/v1/logs/transparency/entries").await, exactly(1));
    let digest = format!("/v1/logs/transparency/entries?digest=sha256:{}", "e".repeat(64));
    assert_eq!(total(&api, &digest).await, exactly(0));
    for minutes in [10, 20] {
        let outage = json!({"builder_outage": {"builders": 1, "duration_minutes": minutes}});
        assert_eq!(api.post("/v1/incidents", outage).await.status, 202);
    }
    assert_eq!(total(&api, "/v1/incidents").await, exactly(2));
    assert_eq!(total(&api, "/v1/incidents?as_of=2026-01-12T01:00:00Z").await, exactly(0));
    let acme = api.sign_in(Role::Editor, Some("acme")).await;
    for name in ["one", "two"] {
        let source = api.post_as(&acme, "/v1/webhook-sources", json!({"name": name})).await;
        assert_eq!(source.status, 201, "{}", source.text);
    }
    assert_eq!(total(&api, "/v1/webhook-sources").await, exactly(2));
    let mut paths = Vec::new();
    for _ in 0..2 {
        let url = json!({"url": "https://hooks.example.com/"});
        let made = api.post_as(&acme, "/v1/webhook-endpoints", url).await.json();
        paths.push(format!("/v1/webhook-endpoints/{}", made["endpoint"]["id"].as_str().unwrap()));
    }
    assert_eq!(total(&api, "/v1/webhook-endpoints").await, exactly(2));
    for _ in 0..3 {
        let test = api.post(&format!("{}/test", paths[0]), json!({})).await;
        assert_eq!(test.status, 202, "{}", test.text);
    }
    for (path, count) in [
        (format!("{}/deliveries", paths[0]), 3),
        (format!("{}/deliveries?state=pending", paths[0]), 3),
        (format!("{}/deliveries?state=dead", paths[0]), 0),
        (format!("{}/deliveries", paths[1]), 0),
    ] {
        assert_eq!(total(&api, &path).await, exactly(count), "{path}");
    }
    // Nobody counts what is another's.
    let globex = api.sign_in(Role::Viewer, Some("globex")).await;
    for path in ["/v1/webhook-sources", "/v1/webhook-endpoints", "/v1/actions"] {
        assert_eq!(api.get_as(&globex, path).await.json()["total"], exactly(0), "{path}");
    }
}

/// Rows of a list: how to take away those there are, how to put others in, where they are listed.
struct Many {
    clear: &'static str,
    insert: &'static str,
    path: &'static str,
}

const MANY: &[Many] = &[
    Many {
        clear: "DELETE FROM actions",
        insert: "INSERT INTO actions (actor, role, operation, object, outcome, request_id)
                 SELECT 'a', 'admin', 'many', n::text, 'done', 'r'
                 FROM generate_series(1, ROWS) n",
        path: "/v1/actions?operation=many",
    },
    // One is there already: it asks.
    Many {
        clear: "DELETE FROM api_keys WHERE id LIKE 'aaaaaaaa%'",
        insert: "INSERT INTO api_keys (id, name, role, secret_sha256, created_by)
                 SELECT 'aaaaaaaa' || lpad(n::text, 8, '0'), 'n', 'viewer',
                        sha256(n::text::bytea), 'test'
                 FROM generate_series(2, ROWS) n",
        path: "/v1/api-keys",
    },
    Many {
        clear: "DELETE FROM webhook_sources",
        insert: "INSERT INTO webhook_sources (name, secret, created_by)
                 SELECT 'n', 'x', 'test' FROM generate_series(1, ROWS)",
        path: "/v1/webhook-sources",
    },
    Many {
        clear: "DELETE FROM webhook_endpoints",
        insert: "INSERT INTO webhook_endpoints (url, description, secret, digest_seconds,
                                                told_through, created_by)
                 SELECT 'https://hooks.example.com/', '', 'whsec_x', 30, 0, 'test'
                 FROM generate_series(1, ROWS)",
        path: "/v1/webhook-endpoints",
    },
    Many {
        clear: "DELETE FROM commands",
        insert: "INSERT INTO commands (seq, command, tenant_namespace)
                 SELECT n, '{\"command\": \"distrust_builder\", \"builder\": 1}', 'catalogue'
                 FROM generate_series(1, ROWS) n",
        path: "/v1/incidents",
    },
    Many {
        clear: "DELETE FROM attestations",
        insert: "INSERT INTO attestations (seq, image_id, version, predicate_type,
                     tenant_namespace, created_at, envelope_sha256, payload_sha256, signature,
                     leaf_hash, log_index, tree_size)
                 SELECT n, 1, 2, 'type-' || n, 'catalogue', '2026-01-12T02:30Z', h, h, h, h, n,
                        n + 1
                 FROM generate_series(1, ROWS) n, LATERAL (SELECT sha256(n::text::bytea) AS h) x",
        path: "/v1/logs/transparency/entries",
    },
];

#[tokio::test]
async fn totals_are_bounded() {
    let api = Api::start("totals_bound").await;
    for (rows, exact) in [("200", true), ("201", false)] {
        for Many { clear, insert, path } in MANY {
            let sql = format!("{clear}; {}", insert.replace("ROWS", rows));
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&api.pool).await.unwrap();
            let expected = json!({"count": 200, "exact": exact});
            assert_eq!(total(&api, path).await, expected, "{rows} of {path}");
        }
    }
    let endpoint: String =
        sqlx::query_scalar("SELECT id FROM webhook_endpoints ORDER BY id LIMIT 1")
            .fetch_one(&api.pool)
            .await
            .unwrap();
    let deliveries =
        "INSERT INTO webhook_deliveries (endpoint_id, kind, notification_ids, collecting,
                                                      state, next_wall)
                      SELECT $1, 'test', '{}', false, 'dead', now() FROM generate_series(1, 201)";
    sqlx::query(deliveries).bind(&endpoint).execute(&api.pool).await.unwrap();
    let path = format!("/v1/webhook-endpoints/{endpoint}/deliveries?state=dead");
    assert_eq!(total(&api, &path).await, json!({"count": 200, "exact": false}));
}

/// A list that always speaks of now has pages also when another world has taken the place of the one
/// that the first page was read in, whose clock was further.
#[tokio::test]
async fn current_lists_keep_their_pages_when_the_world_is_replaced() {
    let api = Api::start("snapshot_current").await;
    for _ in 0..2 {
        api.key(Role::Viewer, None).await;
    }
    let first = api.get("/v1/api-keys?page_size=1").await.json();
    let token = first["next_page_token"].as_str().expect("a second page").to_owned();
    let images = api.get("/v1/images?page_size=1").await.json();
    let pinned = images["next_page_token"].as_str().expect("a second page").to_owned();
    sqlx::query("UPDATE world SET released_through = starts_at, materialized_through = starts_at")
        .execute(&api.pool)
        .await
        .unwrap();
    let second = api.get(&format!("/v1/api-keys?page_size=1&page_token={token}")).await;
    assert_eq!(second.status, 200, "{}", second.text);
    assert_ne!(second.json()["items"][0]["id"], first["items"][0]["id"]);
    // A list about an instant answers that this instant has not come.
    let second = api.get(&format!("/v1/images?page_size=1&page_token={pinned}")).await;
    second.problem(400, "as_of_in_future");
}
