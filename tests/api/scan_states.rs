//! What no scan has looked at is unknown, and nowhere shown as clean: versions, who runs them, lists,
//! counts, advisories. Version 2 of nginx was published at 02:30, and the first pass after that was
//! at 03:00; gold-1 took it at 02:40, pin-2 stays with version 1.
use crate::support::{Api, customers};
use api::auth::Role;
use serde_json::{Value, json};

async fn small(name: &str) -> Api {
    let api = Api::start(name).await;
    customers::add(&api.pool).await;
    api
}

fn column(page: &Value, field: &str) -> Vec<Value> {
    page["items"].as_array().unwrap().iter().map(|item| item[field].clone()).collect()
}

/// An answer as of an hour and minute of that day.
async fn at(api: &Api, path: &str, time: &str) -> Value {
    let joint = if path.contains('?') { '&' } else { '?' };
    api.get(&format!("{path}{joint}as_of=2026-01-12T{time}:00Z")).await.json()
}

#[tokio::test]
async fn a_version_that_no_scan_has_seen_is_pending() {
    let api = small("scans_version").await;
    for (time, state, counts) in [
        ("00:35", "complete", Some([0, 0])), // scanned when it was pushed; nothing was detectable
        ("00:45", "outdated", Some([0, 0])), // two advisories have become detectable at 00:40
        ("01:00", "complete", Some([1, 1])),
        ("02:30", "pending", None),
        ("02:59", "pending", None),
        ("03:00", "complete", Some([0, 1])),
    ] {
        let image = at(&api, "/v1/images/nginx", time).await;
        assert_eq!(image["current"]["scan"], state, "{time}: {image}");
        let found = image.get("open_findings").map(|n| [n["critical"].clone(), n["low"].clone()]);
        assert_eq!(json!(found), json!(counts), "{time}");
        let scanned = image["current"].get("scanned_at").is_some();
        assert_eq!(scanned, state != "pending", "{time}");
        let listed = at(&api, "/v1/images?q=web", time).await;
        assert_eq!(listed["items"][0]["current"]["scan"], state, "{time}");
        assert_eq!(listed["items"][0].get("open_findings"), image.get("open_findings"));
        let version = image["current"]["version"].clone();
        let one = at(&api, &format!("/v1/images/nginx/versions/{version}"), time).await;
        assert_eq!(
            (&one["scan"], one.get("scanned_at")),
            (&json!(state), image["current"].get("scanned_at")),
            "{time}"
        );
        for part in ["vex", "findings"] {
            let page = at(&api, &format!("/v1/images/nginx/{part}"), time).await;
            assert_eq!(page["scan"], state, "{part} at {time}: {page}");
        }
    }
    let versions = at(&api, "/v1/images/nginx/versions", "02:45").await;
    assert_eq!(column(&versions, "scan"), ["pending", "complete"]);
    let one = at(&api, "/v1/images/nginx/findings?version=1", "02:45").await;
    assert_eq!(one["scan"], "complete");
    let none = at(&api, "/v1/images/late", "04:00").await;
    assert!(
        none.get("open_findings").is_none(),
        "nothing is published, so nothing is clean: {none}"
    );

    for (query, expected) in [
        ("02:45:00Z&scan=pending", json!(["nginx"])),
        ("02:45:00Z&scan=complete", json!(["base-os", "redis"])),
        ("02:45:00Z&severity=low", json!([])),
        ("00:45:00Z&scan=outdated", json!(["base-os", "nginx", "redis"])),
        ("03:10:00Z&scan=pending", json!([])),
        ("03:10:00Z&severity=low", json!(["nginx"])),
        ("02:45:00Z&slsa_assessment=complete", json!(["nginx"])),
        ("02:45:00Z&slsa_assessment=pending", json!(["base-os", "redis"])),
    ] {
        let page = api.get(&format!("/v1/images?as_of=2026-01-12T{query}")).await.json();
        assert_eq!(json!(column(&page, "name")), expected, "{query}");
    }
    let base = at(&api, "/v1/images/base-os", "02:45").await;
    assert_eq!(base["current"]["slsa_assessment"], "pending");
    assert!(base["current"].get("slsa_level").is_none(), "unknown is not level 0");
}

#[tokio::test]
async fn those_who_run_it_do_not_know_either() {
    let api = small("scans_usage").await;
    let users = at(&api, "/v1/images/nginx/usage", "02:45").await;
    assert_eq!(column(&users, "tenant_namespace"), ["gold-1", "pin-2"]);
    assert_eq!(column(&users, "scan"), ["pending", "complete"]);
    let gold = at(&api, "/v1/customers/gold-1/usage", "02:45").await;
    assert_eq!(column(&gold, "image"), ["nginx", "redis"]);
    assert_eq!(column(&gold, "scan"), ["pending", "complete"]);
    assert!(gold["items"][0].get("findings").is_none(), "{gold}");
    assert_eq!(gold["items"][1]["findings"]["critical"], 0);

    for (time, tenant, scan) in [
        ("02:45", "gold-1", "pending"),
        ("03:00", "gold-1", "complete"),
        ("00:45", "pin-2", "outdated"),
        ("02:45", "pin-2", "complete"),
    ] {
        let page = at(&api, &format!("/v1/customers/{tenant}/exposure"), time).await;
        assert_eq!(page["scan"], scan, "{tenant} at {time}: {page}");
    }
    let early = at(&api, "/v1/customers/pin-2/exposure", "01:00").await;
    assert!(early.get("evaluated_at").is_none(), "nobody has looked for deadlines: {early}");
    assert_eq!(early["items"].as_array().map(Vec::len), Some(2));
    let later = at(&api, "/v1/customers/pin-2/exposure", "02:45").await;
    assert_eq!(later["evaluated_at"], "2026-01-12T01:05:00Z");

    // Whether the new version is without it is unknown until it is scanned.
    let exposure = "/v1/advisories/CVE-2026-0000001/exposure";
    let pending = at(&api, exposure, "02:45").await;
    assert_eq!(column(&pending, "tenant_namespace"), ["pin-2"]);
    assert!(pending["items"][0].get("fixed_in_version").is_none(), "{pending}");
    assert_eq!(at(&api, exposure, "03:00").await["items"][0]["fixed_in_version"], 2);

    // Another's use of version 1 keeps it in use; a tenant sees the same of a shared version.
    let gold = api.sign_in(Role::Viewer, Some("gold-1")).await;
    let path = "/v1/images/nginx/versions/1?as_of=2026-01-12T03:10:00Z";
    let own = api.get_as(&gold, path).await.json();
    assert_eq!(own["scanned_at"], "2026-01-12T03:00:00Z");
    let end = "UPDATE customer_image_usage SET valid_to = '2026-01-12T02:50Z'
               WHERE customer_id = 1 AND image_id = 1";
    sqlx::query(end).execute(&api.pool).await.unwrap();
    let own = api.get_as(&gold, path).await.json();
    assert_eq!(own["scanned_at"], "2026-01-12T01:00:00Z", "nobody ran it at 03:00");
}

#[tokio::test]
async fn an_advisory_that_nobody_has_looked_for_is_pending() {
    let api = small("scans_advisory").await;
    for (time, scan) in [("00:35", "pending"), ("00:59", "pending"), ("01:00", "complete")] {
        let one = at(&api, "/v1/advisories/CVE-2026-0000001", time).await;
        assert_eq!(one["scan"], scan, "{time}: {one}");
        let list = at(&api, "/v1/advisories?scan=pending", time).await;
        let expected = if scan == "pending" { 2 } else { 0 };
        assert_eq!(list["total"]["count"], expected, "{time}");
        let list = at(&api, "/v1/advisories?scan=complete", time).await;
        assert_eq!(list["total"]["count"], 2 - expected, "{time}");
        let exposed = at(&api, "/v1/advisories/CVE-2026-0000001/exposure", time).await;
        assert_eq!(exposed["scan"], scan, "{time}: {exposed}");
    }
    // A scan of one image is no pass over all of them: what it finds is shown, and it is pending.
    let scanned = "DELETE FROM timeline WHERE kind = 'scanned' AND seq = 12;
                   INSERT INTO timeline (seq, at, kind, tenant_namespace, image_id, data)
                   VALUES (13, '2026-01-12T01:00Z', 'scanned', 'catalogue', 1,
                           '{\"trigger\": \"requested\", \"versions\": 1, \"findings\": 2, \"new\": 2}')";
    sqlx::raw_sql(scanned).execute(&api.pool).await.unwrap();
    let exposed = at(&api, "/v1/advisories/CVE-2026-0000001/exposure", "01:10").await;
    assert_eq!(
        (&exposed["scan"], exposed["items"].as_array().map(Vec::len)),
        (&json!("pending"), Some(2))
    );
    let images = at(&api, "/v1/images?scan=outdated", "01:10").await;
    assert_eq!(column(&images, "name"), ["base-os", "redis"]);
    assert_eq!(at(&api, "/v1/images/nginx", "01:10").await["current"]["scan"], "complete");
    let detail = at(&api, "/v1/advisories/CVE-2026-0000001", "03:10").await;
    let counts = ["images_affected", "images_open", "images_fixed", "findings_open"];
    assert_eq!(counts.map(|name| detail[name].clone()), [1, 0, 1, 1].map(Value::from));
}

#[tokio::test]
async fn what_is_released_and_not_done_is_pending() {
    let api = small("scans_paused").await;
    // The world stands between the build job and the scan job of a version of 05:30; all is done up
    // to 05:00.
    let build = "INSERT INTO build_events (id, image_id, tenant_namespace, trigger, cause, status,
                     requested_at, started_at, finished_at, attempts, version)
                 VALUES (80, 1, 'catalogue', 'cron', '{\"trigger\": \"cron\"}', 'completed',
                     '2026-01-12T05:20Z', '2026-01-12T05:20Z', '2026-01-12T05:30Z', 1, 3);
                 INSERT INTO image_versions (image_id, version, build_id, tenant_namespace, digest,
                     tags, base_image_id, base_version, package_ids, releases, components,
                     published_at)
                 VALUES (1, 3, 80, 'catalogue', 'sha256:' || repeat('e', 64), '{latest,1.1.0}', 0, 1,
                     '{0,1,2}', '{0,1,1}', '{0,1048577,2097153}', '2026-01-12T05:30Z');
                 INSERT INTO timeline (seq, at, kind, tenant_namespace, image_id, data)
                 VALUES (95, '2026-01-12T05:30Z', 'scanned', 'catalogue', 1,
                     '{\"trigger\": \"push\", \"versions\": 1, \"findings\": 0, \"new\": 0}')";
    sqlx::raw_sql(build).execute(&api.pool).await.unwrap();
    let now = api.get("/v1/images/nginx").await.json();
    assert_eq!(
        (&now["current"]["version"], &now["current"]["scan"]),
        (&json!(3), &json!("pending"))
    );
    assert!(now.get("open_findings").is_none(), "{now}");
    assert_eq!(now["current"]["slsa_assessment"], "pending");
    assert_eq!(now["settled"], false);
    let list = api.get("/v1/images?scan=pending").await.json();
    assert_eq!(column(&list, "name"), ["nginx"]);
    // Version 1 was not scanned by the push of version 3.
    let first = api.get("/v1/images/nginx/versions/1").await.json();
    assert_eq!(first["scanned_at"], "2026-01-12T03:00:00Z");
    let done = "UPDATE world SET materialized_through = '2026-01-12T05:30Z', materialized_seq = 95";
    sqlx::raw_sql(done).execute(&api.pool).await.unwrap();
    let now = api.get("/v1/images/nginx").await.json();
    assert_eq!(now["current"]["scan"], "complete");
    assert_eq!(now["open_findings"]["critical"], 0, "somebody has looked, and found nothing");
    let first = api.get("/v1/images/nginx/versions/1").await.json();
    assert_eq!(first["scanned_at"], "2026-01-12T03:00:00Z");
}
