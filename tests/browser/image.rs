//! One image and one build: evidence, versions, documents.
use crate::driver::Browser;
use crate::support::{Api, LOG, NGINX_BUILD};
use std::time::Duration;

#[tokio::test]
async fn an_image_shows_what_it_rests_on() {
    let api = Api::start("web_image").await;
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
    browser.click(".tabs a:nth-child(3)").await;
    browser.wait("location.search === '?part=builds'").await;
    browser.settle().await;
    let builds = browser.text(".results table").await;
    assert!(builds.contains("CVE-2026-0000001") && builds.contains("#4"), "{builds}");
    browser.back().await;
    browser.wait("location.search === '?part=versions'").await;
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
async fn findings_show_by_when_they_must_be_gone() {
    let api = Api::start("web_findings").await;
    for sql in [
        "INSERT INTO sla_policies VALUES (900, 'strict-900', 2, 7, 30, 90, 'calendar',
                                          'fix_available', true, NULL, 800)",
        "INSERT INTO customers VALUES (900, 'acme-900', 'Acme <b>900</b>', 'A', 'a@example.com',
                                       'gold', 900)",
        "UPDATE cve_findings SET not_affected_at = NULL, justification = NULL",
        "INSERT INTO timeline (seq, at, kind, tenant_namespace, data)
         VALUES (900, '2026-01-12T03:00Z', 'sla_checked', 'catalogue', '{}'),
                (901, '2026-01-12T05:00Z', 'sla_checked', 'catalogue', '{}')",
        "INSERT INTO sla_timers (customer_id, image_id, advisory_id, clock, tenant_namespace,
             policy_id, severity, opened_at, excluded, counts_from, started_at, warn_at, due_at)
         SELECT 900, 1, 1, clock, 'acme-900', 900, 'low', '2026-01-12T01:00Z', false,
                '2026-01-12T01:00Z', '2026-01-12T01:00Z', '2026-01-12T02:00Z', due
         FROM (VALUES ('provider', '2026-01-12T04:00Z'::timestamptz),
                      ('customer', '2026-01-13T12:00Z')) AS timer (clock, due)",
    ] {
        sqlx::query(sql).execute(&api.pool).await.expect(sql);
    }
    let browser = Browser::signed_in(&api, "/ui/images/nginx?part=findings", None).await;
    browser.settle().await;
    let table = browser.text(".results table").await;
    for shown in [
        "CVE-2026-0000002",
        "low 2.5",
        "open",
        "provider clock",
        "overdue by 2 h",
        "customer clock",
        "at risk: 1 d 6 h left",
        "Acme <b>900</b>",
    ] {
        assert!(table.contains(shown), "{shown} in {table}");
    }
    browser.click(".results nav a:nth-child(3)").await;
    browser.wait("location.search.includes('status=resolved')").await;
    browser.settle().await;
    let resolved = browser.text(".results table").await;
    assert!(resolved.contains("CVE-2026-0000001") && resolved.contains("gone since"), "{resolved}");
    assert!(!resolved.contains("CVE-2026-0000002"));
    browser.go("/ui/images/nginx?part=findings&as_of=2026-01-12T03:30:00Z").await;
    browser.settle().await;
    browser.sees(".results table", "at risk: 30 min left").await;
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
