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
    assert!(browser.text("main").await.contains("There is no such page"));
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
    assert!(browser.text("main").await.contains("running"));
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
