//! Every page, light and dark, wide and narrow: axe-core finds nothing, the policy is kept, nothing
//! is wider than the screen.
use crate::driver::Browser;
use crate::support::{Api, NGINX_BUILD};
use serde_json::Value;
use std::path::Path;

const RUN: &str = "const done = arguments[arguments.length - 1];
    axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
        .then((found) => done(found.violations.map((violation) => ({
            id: violation.id,
            nodes: violation.nodes.slice(0, 3).map((node) => node.html + ' ' + node.failureSummary),
        }))), (error) => done([String(error)]));";

fn pages() -> Vec<String> {
    let mut pages: Vec<String> = [
        "/ui/images",
        "/ui/images?name=nothing-is-called-so",
        "/ui/images?as_of=2026-01-12T01:15:00Z",
        "/ui/images?as_of=2030-01-01T00:00:00Z",
        "/ui/builds",
        "/ui/builds/6",
        "/ui/images/late",
        "/ui/images/nothing",
        "/ui/forecast",
        "/ui/drills?replications=5",
        "/ui/nowhere",
        "/ui/sign-in?why=Because",
    ]
    .map(str::to_owned)
    .into();
    pages.push(format!("/ui/builds/{NGINX_BUILD}"));
    for part in ["", "findings", "builds", "versions&from=1&to=2", "usage", "lineage"] {
        pages.push(format!("/ui/images/nginx?part={part}"));
    }
    pages
}

pub(crate) fn axe() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/browser-tools/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(path).expect("axe-core is installed: run scripts/setup.sh")
}

#[tokio::test]
async fn no_page_violates_an_accessibility_rule() {
    let api = Api::start("web_rules").await;
    let browser = Browser::open(&api, "/ui/").await;
    browser.wait("document.getElementById('key')").await;
    let axe = axe();
    // Before signing in, too.
    assert_eq!(judge(&browser, &axe).await, Vec::<Value>::new(), "signing in");
    let key = api.key(api::auth::Role::Viewer, None).await;
    browser.sign_in(&key.reveal()).await;
    browser.wait("document.querySelector('table')").await;
    let mut wrong = Vec::new();
    for path in pages() {
        for (scheme, width) in [("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)] {
            browser.scheme(scheme).await;
            browser.size(width, 800).await;
            if (scheme, width) == ("light", 1280) {
                browser.go(&path).await;
                browser.wait("document.querySelector('.clock')").await;
            }
            browser.settle().await;
            for violation in judge(&browser, &axe).await {
                wrong.push(format!("{path} {scheme} {width}: {violation:#}"));
            }
            let wide = browser.eval("document.documentElement.scrollWidth > innerWidth").await;
            if wide == true {
                wrong.push(format!("{path} {width}: wider than the screen"));
            }
        }
        for said in browser.log().await {
            // Pages that show a problem have asked for what is not there.
            if !said.contains("Failed to load resource") {
                wrong.push(format!("{path}: {said}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    browser.close().await;
}

pub(crate) async fn judge(browser: &Browser, axe: &str) -> Vec<Value> {
    browser.run(&format!("if (!window.axe) {{ {axe} }}")).await;
    browser.run_async(RUN).await.as_array().cloned().unwrap()
}

#[tokio::test]
async fn the_content_security_policy_blocks_inline_code() {
    let api = Api::start("web_policy").await;
    let browser = Browser::signed_in(&api, "/ui/images", None).await;
    browser.settle().await;
    browser.log().await;
    let inline = "const script = document.createElement('script');
                  try { script.textContent = 'window.hurt = 1'; } catch {}
                  document.head.append(script);
                  try { document.body.innerHTML = '<b>x</b>'; } catch {}
                  const link = document.createElement('img');
                  link.src = 'http://example.com/x.png';
                  document.body.append(link);";
    browser.run(inline).await;
    browser.wait("document.querySelector('img[src^=http]')").await;
    assert_eq!(browser.eval("window.hurt ?? null").await, Value::Null);
    browser.sees("main", "Images").await;
    let log = browser.log().await.join("\n");
    assert!(log.contains("Content Security Policy"), "{log}");
    browser.close().await;
}
