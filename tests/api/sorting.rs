//! `order_by`: every list that the specification offers it for can be reversed, on every page.
use crate::support::{Api, customers};
use serde_json::Value;

/// What the small world has fewer than two of.
const ROWS: &str = r#"
INSERT INTO sla_violations (customer_id, image_id, advisory_id, clock, tenant_namespace, severity,
                            due_at, recorded_at) VALUES
  (0, 1, 0, 'provider', 'gold-1', 'critical', '2026-01-12T03:30Z', '2026-01-12T05:00Z');
INSERT INTO timeline (seq, at, kind, tenant_namespace, data) VALUES
  (45, '2026-01-12T01:00Z', 'scanned', 'catalogue',
   '{"trigger": "scheduled", "versions": 3, "findings": 2, "new": 2}'),
  (60, '2026-01-12T03:00Z', 'scanned', 'catalogue',
   '{"trigger": "requested", "versions": 1, "findings": 1, "new": 0}');
INSERT INTO notifications (id, tenant_namespace, customer_id, kind, at, items, subject, body) VALUES
  (41, 'catalogue', NULL, 'build_failed', '2026-01-12T03:10Z', 1, '1 build failed', '{"count": 1}'),
  (50, 'gold-1', 0, 'critical_cve', '2026-01-12T04:00Z', 2, '2 critical', '{"count": 2}');
INSERT INTO audit_logs (id, at, actor, action, object, tenant_namespace, detail, leaf_hash) VALUES
  (31, '2026-01-12T02:30Z', 'builder-0', 'image.publish', 'image/1/version/2', 'catalogue',
   '{"build": 4}', decode(repeat('ab', 32), 'hex')),
  (45, '2026-01-12T03:40Z', 'api', 'image.create', 'image/9', 'catalogue', '{"name": "web"}',
   decode(repeat('cd', 32), 'hex'));
"#;

/// All entries, two a page.
async fn all(api: &Api, path: &str, order: &str) -> Vec<Value> {
    let base = format!("{path}?order_by={order}&page_size=2");
    let mut page = api.get(&base).await.json();
    let mut all = page["items"].as_array().unwrap().clone();
    while let Some(token) = page["next_page_token"].as_str() {
        page = api.get(&format!("{base}&page_token={token}")).await.json();
        all.extend(page["items"].as_array().unwrap().clone());
    }
    all
}

#[tokio::test]
async fn every_sort_order_can_be_reversed() {
    let api = Api::start("order_by").await;
    customers::add(&api.pool).await;
    sqlx::raw_sql(ROWS).execute(&api.pool).await.unwrap();
    let document = crate::operations::document();
    let mut lists = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let parameters = item["get"]["parameters"].as_array().into_iter().flatten();
        let Some(order) = parameters.clone().find(|p| p["name"] == "order_by") else { continue };
        let schema = &order["schema"];
        let name = schema["$ref"].as_str().or(schema["allOf"][0]["$ref"].as_str()).unwrap();
        let name = name.rsplit('/').next().unwrap();
        let values = document["components"]["schemas"][name]["enum"].as_array().unwrap();
        for field in values.iter().filter_map(Value::as_str).filter(|v| !v.starts_with('-')) {
            let up = all(&api, path, field).await;
            let mut down = all(&api, path, &format!("-{field}")).await;
            assert!(up.len() >= 2, "{path} has too little to be ordered");
            down.reverse();
            assert_eq!(up, down, "{path} by {field}");
            let keys: Vec<_> = up.iter().map(|entry| entry[field].as_str().unwrap_or("")).collect();
            assert!(keys.is_sorted(), "{path} by {field}: {keys:?}");
        }
        lists.push(path.as_str());
    }
    let expected = [
        "/v1/advisories",
        "/v1/audit-logs",
        "/v1/builds",
        "/v1/findings",
        "/v1/images",
        "/v1/notifications",
        "/v1/scans",
        "/v1/sla/violations",
        "/v1/timeline",
    ];
    assert_eq!(lists, expected);
    // A token fits the order that it came from.
    let token = api.get("/v1/findings?page_size=1").await.json()["next_page_token"].clone();
    let other = format!("/v1/findings?page_size=1&order_by=detected_at&page_token={token}");
    let other = other.replace('"', "");
    api.get(&other).await.problem(400, "invalid_page_token");
}
