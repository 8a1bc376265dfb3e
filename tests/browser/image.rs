//! One image and one build: evidence, versions, documents.
use crate::driver::Browser;
use crate::support::{Api, LOG, NGINX_BUILD, customers};
use std::time::Duration;

#[tokio::test]
async fn an_image_shows_its_evidence() {
    let api = Api::start("web_image").await;
    customers::add(&api.pool).await;
    let browser = Browser::signed_in(&api, "/ui/images/nginx", None).await;
    browser.settle().await;
    let summary = browser.text(".summary").await;
    for shown in ["A web server", "active", "SLSA 1", "base-os", "catalogue", "1.1.0"] {
        assert!(summary.contains(shown), "{shown} in {summary}");
    }
    let evidence = browser.text(".results").await;
    for shown in [
        "no trusted key signed this statement",
        "failed",
        "spdx 2.3",
        "cyclonedx 1.6",
        "SLSA provenance",
    ] {
        assert!(evidence.contains(shown), "{shown} in {evidence}");
    }
    browser.click(".tabs a:nth-child(4)").await;
    browser.wait("location.search === '?part=versions'").await;
    browser.settle().await;
    let versions = browser.text(".results table").await;
    assert!(versions.contains("bbbbbbbbbbbb") && versions.contains("since 1"), "{versions}");
    browser.click(".results table tr a[href*='from=1']").await;
    browser.wait("location.search.includes('from=1&to=2')").await;
    browser.settle().await;
    browser.sees(".change", "nginx 1.0.0-r0 → 1.1.0-r0").await;
    browser.sees(".results", "CVE-2026-0000001 (critical)").await;
    browser.click(".tabs a:nth-child(3)").await;
    browser.wait("location.search === '?part=builds'").await;
    browser.settle().await;
    let builds = browser.text(".results table").await;
    assert!(builds.contains("CVE-2026-0000001") && builds.contains("#4"), "{builds}");
    browser.back().await;
    browser.wait("location.search.startsWith('?part=versions')").await;
    browser.go("/ui/images/nginx?part=usage").await;
    browser.settle().await;
    let users = browser.text(".results table").await;
    for shown in ["Gold One", "follows the tag", "Pin Two", "pinned", "not the current one"] {
        assert!(users.contains(shown), "{shown} in {users}");
    }
    browser.go("/ui/images/base-os?part=lineage").await;
    browser.settle().await;
    browser.sees(".tree", "nginx version 2").await;
    browser.go("/ui/images/nothing").await;
    browser.settle().await;
    let problem = browser.text(".problem").await;
    assert!(problem.contains("image_not_found") && problem.contains("Request"), "{problem}");
    browser.go("/ui/nowhere").await;
    browser.settle().await;
    browser.sees("main", "There is no such page").await;
    browser.close().await;
}

#[tokio::test]
async fn findings_show_their_deadlines() {
    let api = Api::start("web_findings").await;
    customers::add(&api.pool).await;
    let open = "UPDATE cve_findings SET not_affected_at = NULL, justification = NULL";
    sqlx::query(open).execute(&api.pool).await.unwrap();
    let browser = Browser::signed_in(&api, "/ui/images/nginx?part=findings", None).await;
    browser.settle().await;
    let table = browser.text(".results table").await;
    for shown in
        ["CVE-2026-0000002", "low 2.5", "open", "no deadline", "in version 2, 2026-01-12 02:30"]
    {
        assert!(table.contains(shown), "{shown} in {table}");
    }
    browser.click(".results nav a:nth-child(3)").await;
    browser.wait("location.search.includes('image_status=fixed')").await;
    browser.settle().await;
    let fixed = browser.text(".results table").await;
    for shown in ["CVE-2026-0000001", "open", "fixed", "in version 2", "overdue by 2 h"] {
        assert!(fixed.contains(shown), "{shown} in {fixed}");
    }
    assert!(!fixed.contains("CVE-2026-0000002"));
    // An evaluation at 02:05 has seen the fix of 01:30; the deadlines are 03:30 and 04:00.
    let seen = "INSERT INTO timeline (seq, at, kind, tenant_namespace, data)
                VALUES (60, '2026-01-12T02:05Z', 'sla_checked', 'catalogue', '{}')";
    sqlx::query(seen).execute(&api.pool).await.unwrap();
    browser.go("/ui/images/nginx?part=findings&as_of=2026-01-12T02:10:00Z").await;
    browser.settle().await;
    let table = browser.text(".results table").await;
    for shown in [
        "critical 9.8",
        "provider clock",
        "1 h 20 min left",
        "customer clock",
        "1 h 50 min left",
        "paused: no fix exists",
    ] {
        assert!(table.contains(shown), "{shown} in {table}");
    }
    browser.close().await;
}

#[tokio::test]
async fn what_no_scan_has_seen_is_pending_not_clean() {
    let api = Api::start("web_pending").await;
    customers::add(&api.pool).await;
    // Version 2 was published at 02:30, and the first pass after that was at 03:00.
    let browser = Browser::signed_in(&api, "/ui/images?as_of=2026-01-12T02:45:00Z", None).await;
    browser.settle().await;
    let row = browser.text("tbody tr:nth-child(2)").await;
    assert!(row.contains("nginx") && row.contains("scan pending"), "{row}");
    assert!(!row.contains("none open"), "{row}");
    let clean = browser.text("tbody tr:nth-child(1)").await;
    assert!(clean.contains("none open") && clean.contains("complete"), "{clean}");
    browser.click("#filter-scan option[value='pending']").await;
    browser.wait("document.querySelectorAll('tbody tr').length === 1").await;
    browser.sees("tbody", "nginx").await;
    browser.go("/ui/images/nginx?as_of=2026-01-12T02:45:00Z").await;
    browser.settle().await;
    let summary = browser.text(".summary").await;
    assert!(summary.contains("scan pending") && !summary.contains("none open"), "{summary}");
    browser.go("/ui/images/nginx?part=findings&as_of=2026-01-12T02:45:00Z").await;
    browser.settle().await;
    browser.sees(".results", "Version 2 is not scanned yet").await;
    browser.go("/ui/images/nginx?part=findings&image_status=open&as_of=2026-01-12T02:29:00Z").await;
    browser.settle().await;
    browser.sees(".results table", "CVE-2026-0000001").await;
    browser
        .go("/ui/images/nginx?part=findings&image_status=not_affected&as_of=2026-01-12T02:45:00Z")
        .await;
    browser.settle().await;
    browser.sees(".results .empty", "The scan is pending").await;
    // Version 2 is pending; version 1 was scanned, and has no SLSA level yet, which is not level 0.
    let states = "[...document.querySelectorAll('.results tbody tr')].map(row =>
        [...row.querySelectorAll('.state')].map(state => state.textContent).join())";
    for (part, expected) in
        [("versions", ["pending", "complete,pending"]), ("usage", ["pending", "complete"])]
    {
        browser.go(&format!("/ui/images/nginx?part={part}&as_of=2026-01-12T02:45:00Z")).await;
        browser.settle().await;
        assert_eq!(browser.eval(states).await, serde_json::json!(expected), "{part}");
    }
    // Half an hour later it was scanned, and nothing is pending any more; its level was never 0.
    browser.go("/ui/images/nginx?as_of=2026-01-12T03:10:00Z").await;
    browser.settle().await;
    let summary = browser.text(".summary").await;
    assert!(summary.contains("1 low") && !summary.contains("pending"), "{summary}");
    browser.go("/ui/images/redis?as_of=2026-01-12T03:10:00Z").await;
    browser.settle().await;
    let summary = browser.text(".summary").await;
    assert!(summary.contains("pending") && !summary.contains("SLSA 0"), "{summary}");
    browser.close().await;
}

#[tokio::test]
async fn a_build_shows_its_log_and_its_documents_download() {
    let api = Api::start("web_build").await;
    let browser = Browser::signed_in(&api, &format!("/ui/builds/{NGINX_BUILD}"), None).await;
    browser.settle().await;
    assert_eq!(browser.eval("document.querySelector('.log').textContent").await, LOG);
    let page = browser.text("main").await;
    for shown in ["completed", "cve fix", "CVE-2026-0000001", "builder-0", "after 10 min"] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    browser.click("[aria-label='Download the log']").await;
    let saved = browser.downloads.path().join(format!("nginx-build-{NGINX_BUILD}.log"));
    for _ in 0..100 {
        if std::fs::read_to_string(&saved).is_ok_and(|text| text == LOG) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(std::fs::read_to_string(&saved).unwrap(), LOG);

    // A build that another one covers says so, and leads there.
    browser.go("/ui/builds/7").await;
    browser.sees("main", "This build has no log of its own").await;
    browser.sees("main", "merged into build #6").await;
    browser.wait("document.querySelector('.empty a[href$=\"/ui/builds/6\"]')").await;
    // A build that is not over is followed until it is.
    browser.go("/ui/builds/6").await;
    browser.settle().await;
    browser.sees("main", "running").await;
    sqlx::query(
        "UPDATE build_events SET status = 'failed', failure = 'the compiler gave up',
                                 finished_at = '2026-01-12T06:10Z' WHERE id = 6",
    )
    .execute(&api.pool)
    .await
    .unwrap();
    sqlx::query(
        "UPDATE world SET released_through = '2026-01-12T07:00Z',
                          materialized_through = '2026-01-12T07:00Z'",
    )
    .execute(&api.pool)
    .await
    .unwrap();
    browser.wait("document.body.innerText.includes('the compiler gave up')").await;
    browser.close().await;
}
