//! Every page, light and dark, wide and narrow: axe-core finds nothing, the policy is kept, nothing
//! is wider than the screen.
use crate::driver::Browser;
use crate::support::{Api, NGINX_BUILD, customers};
use serde_json::Value;
use std::path::Path;

const RUN: &str = "const done = arguments[arguments.length - 1];
    axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
        .then((found) => done(found.violations.map((violation) => ({
            id: violation.id,
            nodes: violation.nodes.slice(0, 3).map((node) => node.html + ' ' + node.failureSummary),
        }))), (error) => done([String(error)]));";

/// Pages of images and builds, of what may be, and of what is not there.
fn pages_of_images() -> Vec<String> {
    let mut pages = owned(&[
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
    ]);
    pages.push(format!("/ui/builds/{NGINX_BUILD}"));
    pages.extend(parts(
        "/ui/images/nginx",
        &["", "findings", "builds", "versions&from=1&to=2", "usage", "lineage"],
    ));
    pages
}

/// Pages of promises, of what is written down, and of how the platform is run.
fn pages_of_promises() -> Vec<String> {
    let mut pages = owned(&[
        "/ui/advisories",
        "/ui/advisories?q=nothing-is-called-so",
        "/ui/customers",
        "/ui/notifications",
        "/ui/webhooks",
        "/ui/jobs",
        "/ui/scenarios",
        "/ui/scenarios/classroom",
        "/ui/keys",
    ]);
    let cve = "/ui/advisories/CVE-2026-0000001";
    pages.extend(parts(cve, &["", "images", "exposure", "packages"]));
    pages.extend(parts("/ui/sla", &["", "timers&state=stopped", "violations", "policies"]));
    let customer = ["", "runs", "timers", "violations", "told"];
    pages.extend(parts("/ui/customers/pin-2", &customer));
    pages.extend(parts("/ui/logs", &["", "audit", "actions"]));
    pages
}

fn owned(pages: &[&str]) -> Vec<String> {
    pages.iter().map(|page| (*page).to_owned()).collect()
}

fn parts(page: &str, parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| format!("{page}?part={part}")).collect()
}

pub(crate) fn axe() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/browser-tools/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(path).expect("axe-core is installed: run scripts/setup.sh")
}

#[tokio::test]
async fn no_page_of_images_violates_an_accessibility_rule() {
    none_violates_a_rule("web_rules_images", pages_of_images()).await;
}

#[tokio::test]
async fn no_page_of_promises_violates_an_accessibility_rule() {
    none_violates_a_rule("web_rules_promises", pages_of_promises()).await;
}

async fn none_violates_a_rule(database: &str, pages: Vec<String>) {
    let api = Api::start(database).await;
    customers::add(&api.pool).await;
    let browser = Browser::open(&api, "/ui/").await;
    browser.wait("document.getElementById('key')").await;
    let axe = axe();
    // Before signing in, too.
    assert_eq!(judge(&browser, &axe).await, Vec::<Value>::new(), "signing in");
    let key = api.key(api::auth::Role::Admin, None).await;
    browser.sign_in(&key.reveal()).await;
    browser.wait("document.querySelector('table')").await;
    let mut wrong = Vec::new();
    for path in pages {
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
