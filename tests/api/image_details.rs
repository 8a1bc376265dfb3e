//! What belongs to an image: findings with deadlines, documents, VEX, usage, lineage, differences;
//! and the filters and orders of the list.
use crate::support::{Api, PROVENANCE_SHA256, SPDX_SHA256, customers};
use api::auth::Role;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

fn names(page: &Value, field: &str) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

/// The names of a list of images on all its pages of two.
async fn listed(api: &Api, query: &str) -> Vec<String> {
    let base = format!("/v1/images?page_size=2&{query}");
    let mut page = api.get(&base).await.json();
    let total = page["total"]["count"].as_i64().unwrap();
    let mut all = names(&page, "name");
    while let Some(token) = page["next_page_token"].as_str() {
        page = api.get(&format!("{base}&page_token={token}")).await.json();
        all.extend(names(&page, "name"));
    }
    assert_eq!(all.len() as i64, total, "{query}");
    all
}

#[tokio::test]
async fn each_filter_returns_what_it_names() {
    let api = Api::start("image_filters").await;
    let digest = format!("q=sha256:{}", "b".repeat(64));
    for (query, expected) in [
        ("q=server", vec!["nginx"]),
        ("q=STORE", vec!["redis"]),
        ("q=nothing%20like%20this", vec![]),
        (digest.as_str(), vec!["nginx"]),
        ("name=s", vec!["base-os", "redis"]),
        ("tag=1.0.0", vec!["nginx"]),
        ("tag=latest", vec!["base-os", "nginx", "redis"]),
        ("tag=1.0.0&as_of=2026-01-12T03:00:00Z", vec!["nginx"]),
        ("tag=1.1.0&as_of=2026-01-12T02:00:00Z", vec![]),
        ("status=active", vec!["base-os", "nginx"]),
        ("status=active&as_of=2026-01-12T03:59:59Z", vec!["base-os", "nginx", "redis"]),
        ("status=end_of_life", vec!["redis"]),
        ("status=unpublished", vec!["late"]),
        ("base=base-os", vec!["late", "nginx", "redis"]),
        ("severity=critical", vec![]),
        ("severity=critical&as_of=2026-01-12T01:30:00Z", vec!["nginx"]),
        ("severity=low&as_of=2026-01-12T03:30:00Z", vec!["nginx"]),
        ("slsa_level=1", vec!["nginx"]),
        ("slsa_level=3", vec![]),
        ("slsa_level=3&as_of=2026-01-12T03:00:00Z", vec!["nginx"]),
        ("base=base-os&status=active&tag=latest&q=web", vec!["nginx"]),
    ] {
        assert_eq!(listed(&api, query).await, expected, "{query}");
    }
    api.get("/v1/images?q=%00").await.problem(400, "invalid_parameter");
    api.get("/v1/images?slsa_level=4").await.problem(400, "invalid_parameter");
    api.get("/v1/images?order_by=color").await.problem(400, "invalid_parameter");
}

#[tokio::test]
async fn sort_order_holds_across_pages() {
    let api = Api::start("image_orders").await;
    for (order, expected) in [
        ("name", ["base-os", "late", "nginx", "redis"]),
        ("-name", ["redis", "nginx", "late", "base-os"]),
        ("created_at", ["base-os", "nginx", "redis", "late"]),
        ("-created_at", ["late", "redis", "nginx", "base-os"]),
        ("published_at", ["late", "base-os", "redis", "nginx"]),
        ("-published_at", ["nginx", "redis", "base-os", "late"]),
    ] {
        assert_eq!(listed(&api, &format!("order_by={order}")).await, expected, "{order}");
    }
    let first = api.get("/v1/images?page_size=2&order_by=name").await.json();
    let token = first["next_page_token"].as_str().unwrap();
    let other = format!("/v1/images?page_size=2&order_by=-name&page_token={token}");
    api.get(&other).await.problem(400, "invalid_page_token");
}

#[tokio::test]
async fn findings_have_the_nearest_deadline_of_each_clock() {
    let api = Api::start("image_findings").await;
    customers::add(&api.pool).await;
    let at = |hour: &str| format!("/v1/images/nginx/findings?as_of=2026-01-12T{hour}Z");
    let now = api.get("/v1/images/nginx/findings").await.json();
    assert_eq!(names(&now, "status"), ["not_affected", "not_affected", "open"]);
    assert_eq!(names(&now, "image_status"), ["not_affected", "not_affected", "fixed"]);
    let fixed = &now["items"][2];
    let in_two = (json!(2), json!("2026-01-12T02:30:00Z"));
    assert_eq!((fixed["fixed_in_version"].clone(), fixed["fixed_in_at"].clone()), in_two);
    let owed = &fixed["deadlines"];
    assert_eq!(owed.as_array().map(Vec::len), Some(1), "the provider has done its part: {owed}");
    assert_eq!((&owed[0]["clock"], &owed[0]["state"]), (&json!("customer"), &json!("overdue")));
    assert_eq!(now["total"], json!({"count": 3, "exact": true}));

    // The evaluation before 02:00 was at 01:05, when there was no fix: clocks stood still.
    let paused = api.get(&at("02:00:00")).await.json();
    let critical = &paused["items"][1];
    assert_eq!(critical["cve"], "CVE-2026-0000001");
    assert_eq!(critical["deadlines"][0]["clock"], "provider");
    assert_eq!(critical["deadlines"][0]["state"], "paused");
    sqlx::query(
        "INSERT INTO timeline (seq, at, kind, tenant_namespace, data)
                 VALUES (60, '2026-01-12T01:45Z', 'sla_checked', 'catalogue', '{}')",
    )
    .execute(&api.pool)
    .await
    .unwrap();
    let running = api.get(&at("02:00:00")).await.json();
    let provider = &running["items"][1]["deadlines"][0];
    assert_eq!(provider["state"], "running");
    assert_eq!(provider["due_at"], "2026-01-12T03:30:00Z");
    assert_eq!(provider["hours_left"], 1.5);
    let customer = &running["items"][1]["deadlines"][1];
    assert_eq!((&customer["clock"], &customer["hours_left"]), (&json!("customer"), &json!(2.0)));

    // Of the two customers' timers the one that is due first is told, whole; an excluded one only
    // when there is no other.
    let set = async |change: &str| {
        let sql = format!("UPDATE sla_timers SET {change}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&api.pool).await.unwrap();
    };
    let provider = async |token: &str| {
        let page = api.get_as(token, &at("02:00:00")).await.json();
        let deadline = &page["items"][1]["deadlines"][0];
        json!([deadline["state"], deadline["due_at"]])
    };
    let tenant = api.sign_in(Role::Viewer, Some("gold-1")).await;
    set("warn_at = '2026-01-12T01:50Z' WHERE customer_id = 0 AND advisory_id = 0").await;
    set("due_at = '2026-01-12T03:00Z' WHERE customer_id = 1 AND advisory_id = 0").await;
    assert_eq!(provider(&api.token).await, json!(["running", "2026-01-12T03:00:00Z"]));
    let own = json!(["at_risk", "2026-01-12T03:30:00Z"]);
    assert_eq!(provider(&tenant).await, own, "a tenant sees its own");
    set("excluded = true WHERE customer_id = 1 AND advisory_id = 0").await;
    assert_eq!(provider(&api.token).await, own);
    set("started_at = '2026-01-12T01:55Z' WHERE customer_id = 0 AND advisory_id = 0").await;
    assert_eq!(provider(&api.token).await, json!(["paused", null]), "it started after 01:45");
    set("excluded = true WHERE advisory_id = 0").await;
    assert_eq!(provider(&api.token).await, json!(["excluded", null]));

    let one = api.get("/v1/images/nginx/findings?version=2").await.json();
    assert_eq!(names(&one, "cve"), ["CVE-2026-0000002"]);
    let severe = api.get("/v1/images/nginx/findings?severity=critical&image_status=fixed").await;
    assert_eq!(names(&severe.json(), "cve"), ["CVE-2026-0000001"]);
    api.get("/v1/images/nginx/findings?version=9").await.problem(404, "version_not_found");
    api.get("/v1/images/none/findings").await.problem(404, "image_not_found");
    let now = api.get("/v1/images/nginx/findings").await.json();
    let mut seen = Vec::new();
    let mut path = "/v1/images/nginx/findings?page_size=1".to_owned();
    loop {
        let page = api.get(&path).await.json();
        seen.push(page["items"][0].clone());
        let Some(token) = page["next_page_token"].as_str() else { break };
        path = format!("/v1/images/nginx/findings?page_size=1&page_token={token}");
    }
    assert_eq!(json!(seen), now["items"]);
}

#[tokio::test]
async fn documents_of_all_versions_are_listed() {
    let api = Api::start("image_documents").await;
    let sboms = api.get("/v1/images/nginx/sboms").await.json();
    assert_eq!(names(&sboms, "format"), ["spdx", "cyclonedx"]);
    assert_eq!(sboms["items"][0]["href"], format!("/v1/artifacts/{SPDX_SHA256}"));
    assert_eq!(sboms["items"][0]["version"], 2);
    let one = api.get("/v1/images/nginx/sboms?format=cyclonedx&version=2").await.json();
    assert_eq!(one["total"]["count"], 1);
    let before = api.get("/v1/images/nginx/sboms?as_of=2026-01-12T02:00:00Z").await.json();
    assert_eq!(before["items"], json!([]));

    let signed = api.get("/v1/images/nginx/attestations").await.json();
    let statement = &signed["items"][0];
    assert_eq!(statement["predicate_type"], "https://slsa.dev/provenance/v1");
    assert_eq!(statement["log_entry_href"], "/v1/logs/transparency/entries/1");
    assert_eq!(statement["href"], format!("/v1/artifacts/{}", "9".repeat(64)));
    assert_eq!(statement["document_href"], format!("/v1/artifacts/{PROVENANCE_SHA256}"));
    let replace = "INSERT INTO attestation_replacements (log_index, seq, tenant_namespace,
                       replaced_at, document_sha256, object_key, sha256, bytes)
                   VALUES (1, 55, 'catalogue', '2026-01-12T03:00Z', repeat('e', 64), 's3://x/q',
                           repeat('f', 64), 70)";
    sqlx::query(replace).execute(&api.pool).await.unwrap();
    let now = api.get("/v1/images/nginx/attestations").await.json();
    assert_eq!(now["items"][0]["href"], format!("/v1/artifacts/{}", "f".repeat(64)));
    assert_eq!(now["items"][0]["replaced_at"], "2026-01-12T03:00:00Z");
    let path = "/v1/images/nginx/attestations?as_of=2026-01-12T02:59:59Z";
    let then = api.get(path).await.json();
    assert_eq!(then["items"], signed["items"], "what was known then does not change");
    let vex = "/v1/images/nginx/attestations?predicate_type=https://openvex.dev/ns";
    assert_eq!(api.get(vex).await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_version_shows_its_evidence() {
    let api = Api::start("image_version").await;
    let two = api.get("/v1/images/nginx/versions/2").await.json();
    assert_eq!(two["image"], "nginx");
    assert_eq!(two["slsa"]["level"], 1);
    assert_eq!(two["sboms"].as_array().unwrap().len(), 2);
    assert_eq!(two["provenance_href"], format!("/v1/artifacts/{PROVENANCE_SHA256}"));
    let then = api.get("/v1/images/nginx/versions/2?as_of=2026-01-12T03:00:00Z").await.json();
    assert_eq!(then["slsa"]["level"], 3);
    let early = "/v1/images/nginx/versions/2?as_of=2026-01-12T02:00:00Z";
    api.get(early).await.problem(404, "version_not_found");
    api.get("/v1/images/nginx/versions/0").await.problem(400, "invalid_parameter");
    api.get("/v1/images/none/versions/1").await.problem(404, "image_not_found");
}

#[tokio::test]
async fn vex_states_the_status_of_each_vulnerability() {
    let api = Api::start("image_vex").await;
    customers::add(&api.pool).await;
    let states = |page: &Value| -> Vec<(String, String)> {
        names(page, "cve").into_iter().zip(names(page, "status")).collect()
    };
    let of = |cve: &str, status: &str| (cve.to_owned(), status.to_owned());
    let (critical, low) = ("CVE-2026-0000001", "CVE-2026-0000002");
    let now = api.get("/v1/images/nginx/vex").await.json();
    assert_eq!(states(&now), [of(critical, "fixed"), of(low, "not_affected")]);
    assert_eq!(now["version"], 2);
    assert_eq!(now["items"][1]["justification"], "component_not_present");
    let one = |hour: &str| format!("/v1/images/nginx/vex?version=1&as_of=2026-01-12T{hour}Z");
    let unknown = api.get(&one("01:10:00")).await.json();
    let looked_at = "under_investigation";
    assert_eq!(states(&unknown), [of(critical, looked_at), of(low, looked_at)]);
    let known = api.get(&one("01:30:00")).await.json();
    assert_eq!(states(&known), [of(critical, "affected"), of(low, looked_at)]);
    assert_eq!(known["items"][0]["fixed_version"], "1.1.0-r0");
    assert_eq!(known["items"][0]["since"], "2026-01-12T01:30:00Z");
    api.get("/v1/images/late/vex").await.problem(404, "version_not_found");
}

#[tokio::test]
async fn usage_lists_who_runs_which_version() {
    let api = Api::start("image_usage").await;
    customers::add(&api.pool).await;
    let now = api.get("/v1/images/nginx/usage").await.json();
    assert_eq!(names(&now, "tenant_namespace"), ["gold-1", "pin-2"]);
    assert_eq!(now["items"][0]["version"], 2);
    assert_eq!(now["items"][0]["current"], true);
    assert_eq!(now["items"][1]["current"], false);
    assert_eq!(now["items"][1]["mode"], "pin");
    let then = api.get("/v1/images/nginx/usage?as_of=2026-01-12T02:00:00Z").await.json();
    assert_eq!(then["items"][0]["version"], 1);
    let tenant = api.sign_in(Role::Viewer, Some("pin-2")).await;
    let own = api.get_as(&tenant, "/v1/images/nginx/usage").await.json();
    assert_eq!(names(&own, "tenant_namespace"), ["pin-2"]);
    assert_eq!(own["total"]["count"], 1);
}

#[tokio::test]
async fn lineage_lists_ancestors_and_descendants() {
    let api = Api::start("image_lineage").await;
    let base = api.get("/v1/images/base-os/lineage").await.json();
    assert_eq!(base["up"], json!([]));
    let down: Vec<_> = base["down"].as_array().unwrap().iter().map(|i| &i["image"]).collect();
    assert_eq!(down, ["late", "nginx", "redis"]);
    assert_eq!(base["down"][1]["on_current_base"], true);
    assert!(base["down"][0].get("on_current_base").is_none(), "it has no version");
    let then = api.get("/v1/images/base-os/lineage?as_of=2026-01-12T02:00:00Z").await.json();
    assert_eq!(then["down"].as_array().unwrap().len(), 2, "late was not there");
    let nginx = api.get("/v1/images/nginx/lineage").await.json();
    assert_eq!(nginx["up"][0]["image"], "base-os");
    assert_eq!(nginx["up"][0]["distance"], 1);
    for sql in [
        "INSERT INTO build_events (id, image_id, tenant_namespace, trigger, cause, status,
                                   requested_at, finished_at)
         VALUES (90, 0, 'catalogue', 'cron', '{}', 'completed', '2026-01-12T04:00Z',
                 '2026-01-12T04:00Z')",
        "INSERT INTO image_versions (image_id, version, build_id, tenant_namespace, digest, tags,
                                     package_ids, releases, components, published_at)
         VALUES (0, 2, 90, 'catalogue', 'sha256:' || repeat('e', 64), '{latest}', '{0}', '{1}',
                 '{1}', '2026-01-12T04:00Z')",
    ] {
        sqlx::query(sql).execute(&api.pool).await.unwrap();
    }
    let stale = api.get("/v1/images/base-os/lineage").await.json();
    assert_eq!(stale["down"][1]["on_current_base"], false);
    let still = api.get("/v1/images/base-os/lineage?as_of=2026-01-12T03:59:00Z").await.json();
    assert_eq!(still["down"], base["down"], "and then it was current");
}

#[tokio::test]
async fn a_difference_names_packages_and_cves() {
    let api = Api::start("image_diff").await;
    customers::add(&api.pool).await;
    let diff = api.get("/v1/images/nginx/diff").await.json();
    assert_eq!((&diff["from"]["version"], &diff["to"]["version"]), (&json!(1), &json!(2)));
    let changed = json!([{"package": "nginx", "from": "1.0.0-r0", "to": "1.1.0-r0"}]);
    assert_eq!(diff["packages"], json!({"added": [], "removed": [], "changed": changed}));
    assert_eq!(diff["advisories"]["fixed"][0]["cve"], "CVE-2026-0000001");
    assert_eq!(diff["advisories"]["fixed"][0]["packages"], json!(["nginx"]));
    assert_eq!(diff["advisories"]["introduced"], json!([]));
    let back = api.get("/v1/images/nginx/diff?from=2&to=1").await.json();
    assert_eq!(back["advisories"]["introduced"][0]["cve"], "CVE-2026-0000001");
    assert_eq!(back["advisories"]["fixed"], json!([]));
    let same = api.get("/v1/images/nginx/diff?from=1&to=1").await.json();
    assert_eq!(same["packages"], json!({"added": [], "removed": [], "changed": []}));
    let gone = "UPDATE image_versions SET package_ids = '{0,2,3}', releases = '{0,1,0}'
                WHERE image_id = 1 AND version = 2";
    sqlx::query(gone).execute(&api.pool).await.unwrap();
    let moved = api.get("/v1/images/nginx/diff").await.json();
    let redis = json!([{"package": "redis", "version": "1.0.0-r0"}]);
    assert_eq!(moved["packages"]["added"], redis);
    assert_eq!(moved["packages"]["removed"], json!([{"package": "zlib", "version": "1.0.0-r0"}]));
    let fixed: Vec<_> = moved["advisories"]["fixed"].as_array().unwrap().iter().collect();
    assert_eq!(fixed.len(), 2);
    api.get("/v1/images/nginx/diff?from=1&to=3").await.problem(404, "version_not_found");
    api.get("/v1/images/late/diff").await.problem(404, "version_not_found");
    let early = "/v1/images/nginx/diff?from=1&to=2&as_of=2026-01-12T01:00:00Z";
    api.get(early).await.problem(404, "version_not_found");
}
