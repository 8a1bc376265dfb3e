//! Each filter of a list shows those entries of the whole list that have the value, in the same
//! order and counted, and no others: now and in the past.
use crate::support::{Api, count_findings, customers};
use serde_json::{Value, json};

/// Beside the customers' rows: advisories and timers of every kind, and what was missed.
const ROWS: &str = r#"
INSERT INTO advisories
SELECT a, 'CVE-2026-000010' || a, 'CVSS:3.1/AV:N', 5.0,
       (ARRAY['low', 'medium', 'high', 'critical'])[1 + a % 4], a % 3 = 0, at, at,
       CASE WHEN a % 2 = 0 THEN at + interval '2 h' END
FROM generate_series(2, 9) a, LATERAL (SELECT '2026-01-12T00:30Z'::timestamptz
                                              + a * interval '10 min' AS at) t;
INSERT INTO sla_timers (customer_id, image_id, advisory_id, clock, tenant_namespace, policy_id,
    severity, opened_at, excluded, counts_from, started_at, warn_at, due_at, stopped_at,
    stop_reason, warned_at, breached_at)
SELECT c, i, a, clock, (ARRAY['gold-1', 'pin-2'])[c + 1], 0, severity, '2026-01-12T01:00Z', kind = 4,
       '2026-01-12T01:00Z', began, CASE WHEN kind IN (0, 4) THEN later ELSE began END,
       CASE WHEN kind IN (2, 5) THEN began + interval '30 min' ELSE later END
           + CASE WHEN began IS NULL THEN NULL ELSE a * interval '1 min' END,
       CASE WHEN kind = 5 THEN '2026-01-12T04:00Z'::timestamptz END,
       CASE WHEN kind = 5 THEN 'fixed' END,
       CASE WHEN kind IN (1, 2, 5) THEN '2026-01-12T03:05Z'::timestamptz END,
       CASE WHEN kind IN (2, 5) THEN '2026-01-12T03:05Z'::timestamptz END
FROM generate_series(0, 1) c, generate_series(1, 2) i, generate_series(2, 9) a,
     unnest(ARRAY['provider', 'customer']) clock,
     LATERAL (SELECT (a + 3 * i + 5 * c + ascii(clock)) % 6 AS kind,
                     (ARRAY['low', 'medium', 'high', 'critical'])[1 + a % 4] AS severity) k,
     LATERAL (SELECT CASE WHEN kind <> 3 THEN '2026-01-12T01:00Z'::timestamptz END AS began,
                     CASE WHEN kind <> 3 THEN '2026-01-14T00:00Z'::timestamptz END AS later) s;
INSERT INTO sla_violations
SELECT customer_id, image_id, advisory_id, clock, tenant_namespace, severity, due_at,
       breached_at, stopped_at,
       CASE WHEN stopped_at IS NOT NULL THEN '2026-01-12T05:00Z'::timestamptz END
FROM sla_timers WHERE breached_at = '2026-01-12T03:05Z';
"#;

/// The newest state, and an instant between two evaluations.
const INSTANTS: [&str; 2] = ["", "&as_of=2026-01-12T04:30:00Z"];

async fn started(name: &str) -> Api {
    let api = Api::start(name).await;
    customers::add(&api.pool).await;
    sqlx::raw_sql(ROWS).execute(&api.pool).await.unwrap();
    api
}

/// A list that is one page; it is counted.
async fn listed(api: &Api, path: &str) -> Vec<Value> {
    let page = api.get(path).await.json();
    let items = page["items"].as_array().unwrap().clone();
    assert_eq!(page["total"], json!({"count": items.len(), "exact": true}), "{path}");
    items
}

/// Each of the values shows its part of the list, and the list has such and others.
async fn parts(
    api: &Api,
    path: &str,
    all: &[Value],
    filter: &str,
    values: &[&str],
    holds: impl Fn(&Value, &str) -> bool,
) {
    for value in values {
        let asked = format!("{path}&{filter}={value}");
        let expected: Vec<_> = all.iter().filter(|item| holds(item, value)).cloned().collect();
        assert!(!expected.is_empty(), "{asked}: nothing to find");
        assert!(expected.len() < all.len(), "{asked}: nothing to leave out");
        assert_eq!(json!(listed(api, &asked).await), json!(expected), "{asked}");
    }
}

fn has(field: &'static str) -> impl Fn(&Value, &str) -> bool {
    move |item, value| item[field] == value
}

const CLOCKS: [&str; 2] = ["provider", "customer"];
const SEVERITIES: [&str; 4] = ["critical", "high", "medium", "low"];
const TENANTS: [&str; 2] = ["gold-1", "pin-2"];

#[tokio::test]
async fn violations() {
    let api = started("filters_violations").await;
    for instant in INSTANTS {
        let path = format!("/v1/sla/violations?page_size=200{instant}");
        let all = listed(&api, &path).await;
        parts(&api, &path, &all, "clock", &CLOCKS, has("clock")).await;
        parts(&api, &path, &all, "severity", &SEVERITIES, has("severity")).await;
        parts(&api, &path, &all, "tenant", &TENANTS, has("tenant_namespace")).await;
        // At half past four nobody had looked since the builds that resolved some.
        if instant.is_empty() {
            parts(&api, &path, &all, "state", &["open", "resolved"], has("state")).await;
        } else {
            assert_eq!(json!(listed(&api, &format!("{path}&state=open")).await), json!(all));
        }
        let both = listed(&api, &format!("{path}&clock=provider&tenant=pin-2")).await;
        let expected = all.iter().filter(|violation| {
            violation["clock"] == "provider" && violation["tenant_namespace"] == "pin-2"
        });
        assert_eq!(json!(both), json!(expected.collect::<Vec<_>>()));
    }
}

#[tokio::test]
async fn timers() {
    let api = started("filters_timers").await;
    for instant in INSTANTS {
        let path = format!("/v1/sla/timers?page_size=200{instant}");
        let open = listed(&api, &path).await;
        let stopped = listed(&api, &format!("{path}&state=stopped")).await;
        assert!(open.iter().all(|timer| timer["state"] != "stopped"));
        assert!(!stopped.is_empty() && stopped.iter().all(|timer| timer["state"] == "stopped"));
        let states = ["running", "at_risk", "overdue", "paused", "excluded"];
        parts(&api, &path, &open, "state", &states, has("state")).await;
        let by_stopped = format!("{path}&state=stopped");
        for (path, all) in [(&path, &open), (&by_stopped, &stopped)] {
            if all.len() < 10 {
                continue; // in the past few had stopped
            }
            parts(&api, path, all, "clock", &CLOCKS, has("clock")).await;
            parts(&api, path, all, "severity", &SEVERITIES, has("severity")).await;
            parts(&api, path, all, "tenant", &TENANTS, has("tenant_namespace")).await;
            parts(&api, path, all, "image", &["nginx", "redis"], has("image")).await;
            let number =
                |timer: &Value, value: &str| timer["image_id"].as_i64() == value.parse().ok();
            parts(&api, path, all, "image", &["1", "2"], number).await;
        }
        let cves = ["CVE-2026-0000103", "CVE-2026-0000108"];
        parts(&api, &path, &open, "cve", &cves, has("cve")).await;
    }
}

#[tokio::test]
async fn the_forecast() {
    let api = started("filters_forecast").await;
    let path = "/v1/sla/forecast?by=2026-01-15T00:00:00Z&page_size=200";
    let all = api.get(path).await.json()["items"].as_array().unwrap().clone();
    for (filter, values, field) in [
        ("clock", CLOCKS.as_slice(), "clock"),
        ("severity", &SEVERITIES, "severity"),
        ("tenant", &TENANTS, "tenant_namespace"),
    ] {
        parts(&api, path, &all, filter, values, has(field)).await;
    }
}

/// Findings of every kind on both versions of nginx and on redis: open, fixed or judged, before
/// the instants that are asked about and since. (Judged are all findings of an image and advisory.)
const FINDINGS: &str = r#"
INSERT INTO cve_findings (image_id, version, advisory_id, package_id, tenant_namespace, severity,
    score, detected_at, resolved_at, resolved_version, not_affected_at, justification)
SELECT i, v, a, p, 'catalogue', (ARRAY['low', 'medium', 'high', 'critical'])[1 + a % 4], 5.0, at,
       CASE kind WHEN 1 THEN at + interval '30 min' WHEN 2 THEN '2026-01-12T05:00Z'::timestamptz
                 WHEN 4 THEN at + interval '40 min' END,
       CASE WHEN kind IN (1, 2, 4) THEN 3 END,
       CASE kind WHEN 3 THEN at + interval '20 min' WHEN 4 THEN '2026-01-12T05:30Z'::timestamptz
                 WHEN 5 THEN '2026-01-12T05:10Z'::timestamptz END,
       CASE WHEN kind IN (3, 4, 5) THEN 'component_not_present' END
FROM (VALUES (1, 1), (1, 2), (2, 1)) versions (i, v), generate_series(2, 9) a,
     generate_series(1, 2) p,
     LATERAL (SELECT (a * 5 + i + 2 * v) % 6 AS kind,
                     '2026-01-12T03:00Z'::timestamptz + (a * 7 + i * 3 + v * 11) % 40 * interval '1 min' AS at) k;
"#;

#[tokio::test]
async fn findings() {
    let api = started("filters_findings").await;
    sqlx::raw_sql(FINDINGS).execute(&api.pool).await.unwrap();
    let statuses = ["open", "not_affected"];
    let states = ["open", "fixed", "not_affected"];
    for instant in ["", "&as_of=2026-01-12T04:30:00Z"] {
        for order in ["", "&order_by=detected_at"] {
            let path = format!("/v1/findings?page_size=200{instant}{order}");
            let all = listed(&api, &path).await;
            assert!(all.len() > 48, "{path}");
            parts(&api, &path, &all, "status", &statuses, has("status")).await;
            parts(&api, &path, &all, "image_status", &states, has("image_status")).await;
            for (status, state) in statuses.into_iter().flat_map(|s| states.map(|state| (s, state)))
            {
                let asked = format!("{path}&status={status}&image_status={state}");
                let both =
                    |item: &&Value| item["status"] == status && item["image_status"] == state;
                let expected: Vec<_> = all.iter().filter(both).collect();
                assert_eq!(json!(listed(&api, &asked).await), json!(expected), "{asked}");
            }
            parts(&api, &path, &all, "severity", &SEVERITIES, has("severity")).await;
            parts(&api, &path, &all, "image", &["nginx", "redis"], has("image")).await;
            parts(&api, &path, &all, "package", &["zlib", "nginx"], has("package")).await;
            let cves = ["CVE-2026-0000103", "CVE-2026-0000108"];
            parts(&api, &path, &all, "cve", &cves, has("cve")).await;
            for state in states {
                let path = format!("{path}&image_status={state}");
                let all = listed(&api, &path).await;
                for severity in SEVERITIES {
                    let expected: Vec<_> =
                        all.iter().filter(|finding| finding["severity"] == severity).collect();
                    let asked = format!("{path}&severity={severity}");
                    assert_eq!(json!(listed(&api, &asked).await), json!(expected), "{asked}");
                }
                parts(&api, &path, &all, "image", &["nginx"], has("image")).await;
                parts(&api, &path, &all, "package", &["zlib"], has("package")).await;
                // Page by page it is the same list.
                let mut paged = Vec::new();
                let mut page = path.replace("page_size=200", "page_size=3");
                loop {
                    let answer = api.get(&page).await.json();
                    paged.extend(answer["items"].as_array().unwrap().clone());
                    let Some(token) = answer["next_page_token"].as_str() else { break };
                    page = format!(
                        "{}&page_token={token}",
                        path.replace("page_size=200", "page_size=3")
                    );
                }
                assert_eq!(json!(paged), json!(all), "{path}");
            }
        }
    }
}

#[tokio::test]
async fn images() {
    let api = started("filters_images").await;
    sqlx::raw_sql(FINDINGS).execute(&api.pool).await.unwrap();
    count_findings(&api.pool).await;
    for instant in ["", "&as_of=2026-01-12T03:10:00Z", "&as_of=2026-01-12T02:00:00Z"] {
        for order in ["", "&order_by=-name", "&order_by=published_at", "&order_by=-created_at"] {
            let path = format!("/v1/images?page_size=200{instant}{order}");
            let all = listed(&api, &path).await;
            for (filter, values) in [
                ("severity", SEVERITIES.as_slice()),
                ("status", &["unpublished", "active", "end_of_life"]),
                ("slsa_level", &["0", "1", "2", "3"]),
                ("slsa_assessment", &["pending", "complete"]),
                ("scan", &["pending", "outdated", "complete"]),
            ] {
                for value in values {
                    let holds = |image: &Value| match filter {
                        "severity" => image["open_findings"][value].as_i64() > Some(0),
                        "status" => image["status"] == *value,
                        "scan" | "slsa_assessment" => image["current"][filter] == *value,
                        _ => image["current"]["slsa_level"].as_i64() == value.parse().ok(),
                    };
                    let expected: Vec<_> = all.iter().filter(|image| holds(image)).collect();
                    let asked = format!("{path}&{filter}={value}");
                    assert_eq!(json!(listed(&api, &asked).await), json!(expected), "{asked}");
                }
            }
        }
    }
    let found = |instant: &str| format!("/v1/images?page_size=200&severity=high{instant}");
    assert_eq!(listed(&api, &found("&as_of=2026-01-12T02:00:00Z")).await, [json!(null); 0]);
    assert!(!listed(&api, &found("")).await.is_empty(), "something is open");
}

#[tokio::test]
async fn advisories() {
    let api = started("filters_advisories").await;
    // Two hours after the first of them, some fixes are out and some are not yet.
    for instant in ["", "&as_of=2026-01-12T03:00:00Z", "&as_of=2026-01-12T01:05:00Z"] {
        let path = format!("/v1/advisories?page_size=200{instant}");
        let all = listed(&api, &path).await;
        let early = instant.contains("T01:05");
        for value in ["pending", "complete"] {
            let expected: Vec<_> = all.iter().filter(|item| item["scan"] == value).collect();
            let asked = format!("{path}&scan={value}");
            assert_eq!(json!(listed(&api, &asked).await), json!(expected), "{asked}");
        }
        let exploited =
            |item: &Value, value: &str| item["known_exploited"].as_bool() == value.parse().ok();
        parts(&api, &path, &all, "known_exploited", &["true", "false"], exploited).await;
        let fixed =
            |item: &Value, value: &str| item["fix_available_at"].is_string().to_string() == value;
        if early {
            assert_eq!(
                json!(listed(&api, &format!("{path}&fix_available=false")).await),
                json!(all)
            );
        } else {
            parts(&api, &path, &all, "fix_available", &["true", "false"], fixed).await;
        }
        let instants = ["2026-01-12T00:50:00Z", "2026-01-12T01:00:00Z"];
        let from = |item: &Value, value: &str| item["published_at"].as_str().unwrap() >= value;
        parts(&api, &path, &all, "published_from", &instants, from).await;
        let to = |item: &Value, value: &str| item["published_at"].as_str().unwrap() <= value;
        let before = ["2026-01-12T00:30:00Z", "2026-01-12T00:50:00Z"];
        parts(&api, &path, &all, "published_to", &before, to).await;
    }
    let path = "/v1/advisories?page_size=200";
    let all = listed(&api, path).await;
    parts(&api, path, &all, "severity", &SEVERITIES, has("severity")).await;
    let one = "published_from=2026-01-12T00:50:00Z&published_to=2026-01-12T00:50:00Z";
    let one = listed(&api, &format!("{path}&{one}")).await;
    assert_eq!(one.len(), 1, "both ends are taken in");
    let none = "published_from=2026-01-12T01:00:00Z&published_to=2026-01-12T00:50:00Z";
    let none = api.get(&format!("{path}&{none}")).await;
    assert!(none.status == 400 || none.json()["items"] == json!([]), "{}", none.text);
}
