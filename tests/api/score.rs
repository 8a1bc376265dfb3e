//! Scores of reports against rows: as of instants, in a caller's eyes, and within bounds.
use crate::support::Api;
use crate::tenancy::tenants::{ACME, GLOBEX, add_catalogue};
use api::Limits;
use api::auth::Role;
use serde_json::{Value, json};

const PATH: &str = "/v1/score";

/// nginx holds both CVEs in its first version. In its second, from 02:30 on, the package nginx is
/// fixed; that of zlib is judged at 04:00. All work is done up to 05:00.
const ROWS: &str = r#"
INSERT INTO advisory_packages (advisory_id, package_id, introduced_release, introduced_version,
                               fixed_release, fixed_version, fixed_at) VALUES
  (0, 2, 0, '1.0.0-r0', 1, '1.1.0-r0', '2026-01-12T01:45Z'),
  (1, 1, 0, '1.0.0-r0', NULL, NULL, NULL);
INSERT INTO triages (image_id, advisory_id, at, justification, tenant_namespace)
VALUES (1, 1, '2026-01-12T04:00Z', 'component_not_present', 'catalogue');
INSERT INTO artifacts (build_id, kind, tenant_namespace, media_type, sha256, bytes, object_key)
VALUES (4, 'config', 'catalogue', 'application/json', repeat('e', 64), 10, 'blobs/e');
"#;

async fn started(name: &str) -> Api {
    let api = Api::start(name).await;
    sqlx::raw_sql(ROWS).execute(&api.pool).await.unwrap();
    api
}

/// Trivy's report with both CVEs on an image.
fn trivy(image: &str) -> Value {
    let found = |id: &str, package: &str, version: &str| {
        let at = json!({"PkgName": package, "InstalledVersion": version});
        let mut found = json!({"VulnerabilityID": id});
        found.as_object_mut().unwrap().extend(at.as_object().unwrap().clone());
        found
    };
    json!({"SchemaVersion": 2, "ArtifactName": image, "Results": [{"Class": "os-pkgs",
        "Vulnerabilities": [found("CVE-2026-0000001", "nginx", "1.1.0-r0"),
                            found("CVE-2026-0000002", "zlib", "1.0.0-r0")]}]})
}

fn asked(report: Value, as_of: Option<&str>) -> Value {
    match as_of {
        Some(as_of) => json!({"as_of": as_of, "reports": [{"report": report}]}),
        None => json!({"reports": [{"report": report}]}),
    }
}

fn counts(score: &Value) -> [u64; 4] {
    ["right", "missed", "wrong", "early"].map(|what| score["total"][what].as_u64().unwrap())
}

fn causes(score: &Value) -> Vec<&str> {
    score["causes"].as_array().unwrap().iter().map(|of| of["cause"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_report_is_scored_as_of_instants() {
    let api = started("score_instants").await;
    let score = |as_of: Option<&'static str>| {
        let api = &api;
        async move { api.post(PATH, asked(trivy("registry.example/nginx"), as_of)).await.json() }
    };
    // Both are there, and nobody has judged anything.
    let first = score(Some("2026-01-12T01:00:00Z")).await;
    assert_eq!(counts(&first), [2, 0, 0, 0]);
    assert_eq!(first["by_image"][0]["version"], 1);
    assert_eq!(first["total"]["precision"]["estimate"], 1.0);
    // They are published, and no scanner could know of them yet.
    let early = score(Some("2026-01-12T00:35:00Z")).await;
    assert_eq!((counts(&early), causes(&early)), ([0, 0, 0, 2], vec!["not_yet_detectable"]));
    assert_eq!(early["total"]["recall"], json!({}), "nothing is expected: neither 0 nor 1");
    assert_eq!(early["total"]["f1"], Value::Null);
    // The second version holds the fix of the one.
    let second = score(Some("2026-01-12T03:00:00Z")).await;
    assert_eq!((counts(&second), causes(&second)), ([1, 0, 1, 0], vec!["fixed_already"]));
    // The other is judged; without an instant the newest that is done counts.
    let newest = score(None).await;
    assert_eq!(counts(&newest), [0, 0, 2, 0]);
    assert_eq!(causes(&newest), ["judged_not_affected", "fixed_already"]);
    assert_eq!(newest["reports"][0]["as_of"], "2026-01-12T05:00:00Z");
    assert_eq!(newest["reports"][0]["as_of_source"], "world");
    assert_eq!(newest["packages"]["images_unknown"], 1, "no list of packages is no empty list");
}

#[tokio::test]
async fn several_formats_name_an_image_by_digest_or_by_the_reports_name() {
    let api = started("score_formats").await;
    let config = format!("sha256:{}", "e".repeat(64));
    let grype = json!({"matches": [{"vulnerability": {"id": "GHSA-1"},
        "relatedVulnerabilities": [{"id": "cve-2026-0000002"}],
        "artifact": {"name": "zlib", "version": "1.0.0-r0"}}],
        "source": {"target": {"imageID": config}}, "descriptor": {}});
    let osv = json!({"results": []});
    let body = json!({"as_of": "2026-01-12T03:00:00Z",
        "reports": [{"report": grype}, {"name": "redis-1.osv.json", "report": osv}]});
    let score = api.post(PATH, body).await.json();
    assert_eq!(counts(&score), [1, 0, 0, 0]);
    let images: Vec<_> = score["by_image"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| (&of["image"], &of["version"]))
        .collect();
    assert_eq!(images, [(&json!("nginx"), &json!(2)), (&json!("redis"), &json!(1))]);
    assert_eq!(score["reports"][1]["name"], "redis-1.osv.json");
}

#[tokio::test]
async fn a_tenant_scores_what_it_may_see() {
    let api = started("score_tenants").await;
    add_catalogue(&api).await;
    ACME.add(&api).await;
    GLOBEX.add(&api).await;
    let report = |digest: &str| {
        let mut report = trivy("x");
        report["Metadata"] = json!({"RepoDigests": [format!("r.example/x@{digest}")]});
        asked(report, None)
    };
    let manifest = ACME.digest("manifest");
    let own = api.sign_in(Role::Viewer, Some(ACME.name)).await;
    let score = api.post_as(&own, PATH, report(&manifest)).await.json();
    assert_eq!(score["by_image"][0]["image"], ACME.image());
    let other = api.sign_in(Role::Viewer, Some(GLOBEX.name)).await;
    let theirs = api.post_as(&other, PATH, report(&manifest)).await;
    let theirs = theirs.problem(422, "nothing_to_score");
    let nobody = format!("sha256:{}", "0".repeat(64));
    let nobodys = api.post_as(&other, PATH, report(&nobody)).await.problem(422, "nothing_to_score");
    assert_eq!(theirs["detail"], nobodys["detail"], "it looks like an image of nobody");
    let shared = api.post_as(&other, PATH, asked(trivy("nginx"), None)).await.json();
    assert_eq!(shared["by_image"][0]["image"], "nginx");
    let orchestrator = api.sign_in(Role::Orchestrator, None).await;
    api.post_as(&orchestrator, PATH, report(&manifest)).await.problem(403, "forbidden");
}

#[tokio::test]
async fn what_cannot_be_scored_says_where_and_what_helps() {
    let api = started("score_refused").await;
    let problem = api.post(PATH, asked(json!({"hello": 1}), None)).await;
    let problem = problem.problem(422, "unreadable_report");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("/reports/0/report") && detail.contains("`hello`"), "{problem}");
    assert!(problem["hint"].as_str().unwrap().contains("Trivy"), "{problem}");
    let mut broken = trivy("nginx");
    broken["Results"][0]["Vulnerabilities"][1]["VulnerabilityID"] = json!(7);
    let problem = api.post(PATH, asked(broken, None)).await.problem(422, "unreadable_report");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("/Results/0/Vulnerabilities/1/VulnerabilityID"), "{problem}");
    let problem = api.post(PATH, asked(trivy("alpine:3.20"), None)).await;
    let problem = problem.problem(422, "nothing_to_score");
    assert!(problem["detail"].as_str().unwrap().contains("alpine:3.20"), "{problem}");
    api.post(PATH, json!({"reports": []})).await.problem(400, "invalid_body");
    api.post(PATH, json!({"reports": [{}]})).await.problem(400, "invalid_body");
    let later = asked(trivy("nginx"), Some("2026-02-01T00:00:00Z"));
    api.post(PATH, later).await.problem(400, "as_of_in_future");
    let before = asked(trivy("nginx"), Some("1999-01-01T00:00:00Z"));
    api.post(PATH, before).await.problem(400, "as_of_before_history");
}

/// Reports are longer than what people write, and bounded all the same.
#[tokio::test]
async fn reports_may_be_long() {
    let api = started("score_long").await;
    let mut report = trivy("nginx");
    let list: Vec<_> =
        (0..2_000).map(|n| json!({"Name": format!("lib-{n}"), "Version": "1"})).collect();
    report["Results"][0]["Packages"] = json!(list);
    let body = asked(report, None);
    assert!(body.to_string().len() > Limits::default().body_bytes);
    let score = api.post(PATH, body).await.json();
    assert_eq!(
        (&score["packages"]["not_held"], &score["packages"]["missing"]),
        (&json!(2_000), &json!(3))
    );
    let filler = "x".repeat(Limits::default().long_body_bytes);
    let long = api.post(PATH, json!({"reports": [{"report": filler}]})).await;
    long.problem(413, "body_too_large");
}
