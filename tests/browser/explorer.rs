//! The Image Explorer: what it shows, and that its URL holds all of its state.
use crate::driver::{Browser, ENTER, TAB};
use crate::support::Api;
use serde_json::json;

const NAMES: &str = "[...document.querySelectorAll('tbody th a')].map(a => a.textContent)";

async fn names(browser: &Browser) -> serde_json::Value {
    browser.settle().await;
    browser.eval(NAMES).await
}

#[tokio::test]
async fn images_are_listed_searched_and_filtered_by_url() {
    let api = Api::start("web_explorer").await;
    let browser = Browser::signed_in(&api, "/ui/images", None).await;
    assert_eq!(names(&browser).await, json!(["base-os", "late", "nginx", "redis"]));
    let row = browser.text("tbody tr:nth-child(3)").await;
    for shown in ["A web server", "base-os", "SLSA 1", "2 dddddddddddd", "none open"] {
        assert!(row.contains(shown), "{shown} in {row}");
    }
    browser.fill("#filter-q", "ngi").await;
    browser.wait("location.search === '?q=ngi'").await;
    browser.wait("document.querySelectorAll('tbody tr').length === 1").await;
    assert_eq!(names(&browser).await, json!(["nginx"]));
    assert_eq!(browser.eval("document.activeElement.id").await, "filter-q");
    browser.reload().await;
    assert_eq!(names(&browser).await, json!(["nginx"]));
    assert_eq!(browser.eval("document.getElementById('filter-q').value").await, "ngi");

    browser.back().await;
    browser.wait("location.search === ''").await;
    browser.wait("document.querySelectorAll('tbody tr').length === 4").await;
    assert_eq!(names(&browser).await, json!(["base-os", "late", "nginx", "redis"]));
    assert_eq!(browser.eval("document.getElementById('filter-q').value").await, "");

    browser.go("/ui/images?base=base-os&q=ngi").await;
    browser.wait("document.querySelectorAll('tbody tr').length === 1").await;
    assert_eq!(names(&browser).await, json!(["nginx"]));
    for (field, value, expected) in [
        ("status", "end_of_life", json!(["redis"])),
        ("slsa_level", "1", json!(["nginx"])),
        ("severity", "critical", json!([])),
        ("order_by", "-published_at", json!(["nginx", "redis", "base-os", "late"])),
    ] {
        browser.go("/ui/images").await;
        browser.settle().await;
        let choose = format!("#filter-{field} option[value='{value}']");
        browser.click(&choose).await;
        let wanted = format!("location.search === '?{field}={value}'");
        browser.wait(&wanted).await;
        assert_eq!(names(&browser).await, expected, "{field}={value}");
    }
    browser.go("/ui/images?tag=1.0.0").await;
    assert_eq!(names(&browser).await, json!(["nginx"]));
    browser.go("/ui/images?q=nothing-is-called-so").await;
    browser.settle().await;
    browser.sees(".empty", "No image is like that").await;
    browser.click(".empty a").await;
    browser.wait("location.search === ''").await;
    browser.sees(".foot", "4 images shown").await;
    browser.close().await;
}

#[tokio::test]
async fn the_chosen_instant_is_kept_while_navigating() {
    let api = Api::start("web_as_of").await;
    let browser = Browser::signed_in(&api, "/ui/images", None).await;
    browser.fill("#as-of", "2026-01-12 01:15").await;
    browser.press(ENTER).await;
    browser.wait("location.search.includes('as_of=2026-01-12T01%3A15%3A00Z')").await;
    assert_eq!(names(&browser).await, json!(["base-os", "nginx", "redis"]));
    browser.sees("tbody tr:nth-child(2)", "1 critical").await;
    browser.sees("#world", "You see the past").await;
    browser.click("tbody tr:nth-child(2) a").await;
    browser.wait("location.pathname === '/ui/images/nginx'").await;
    browser.settle().await;
    assert!(browser.address().await.contains("as_of=2026-01-12T01%3A15"));
    browser.sees(".summary", "bbbbbbbbbbbb").await;
    browser.click(".travel a").await;
    browser.wait("!location.search").await;
    browser.settle().await;
    browser.sees(".summary", "dddddddddddd").await;
    // What cannot be is told by the API, with what helps.
    browser.go("/ui/images?as_of=2030-01-01T00:00:00Z").await;
    browser.settle().await;
    let problem = browser.text(".problem").await;
    assert!(problem.contains("as_of_in_future") && problem.contains("2030-01-01"), "{problem}");
    browser.go("/ui/images?as_of=yesterday").await;
    browser.settle().await;
    browser.sees(".problem", "invalid_parameter").await;
    browser.close().await;
}

#[tokio::test]
async fn the_explorer_works_by_keyboard_alone() {
    let api = Api::start("web_keyboard").await;
    let browser = Browser::signed_in(&api, "/ui/images", None).await;
    names(&browser).await;
    browser.run("document.activeElement.blur(); scrollTo(0, 0)").await;
    browser.go("/ui/images").await;
    names(&browser).await;
    browser.press(TAB).await;
    assert_eq!(browser.eval("document.activeElement.className").await, "skip");
    browser.press(ENTER).await;
    assert_eq!(browser.eval("document.activeElement.id").await, "main");
    assert_eq!(browser.address().await, "/ui/images");
    browser.run("document.querySelector('tbody a').focus()").await;
    browser.press(ENTER).await;
    browser.wait("location.pathname === '/ui/images/base-os'").await;
    assert_eq!(browser.eval("document.activeElement.tagName").await, "H1");
    assert_eq!(browser.eval("document.title").await, "base-os · Wavetank");
    browser.back().await;
    browser.wait("document.activeElement.textContent === 'Images'").await;
    browser.close().await;
}
