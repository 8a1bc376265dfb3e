//! Swagger UI: an API key that is pasted is enough.
use crate::driver::Browser;
use crate::support::Api;
use api::auth::Role;

#[tokio::test]
async fn a_pasted_key_is_exchanged_for_a_token() {
    let api = Api::start("web_docs").await;
    let key = api.key(Role::Viewer, Some("acme")).await.reveal();
    let browser = Browser::open(&api, "/docs").await;
    browser.click("button.authorize").await;
    browser.fill(".auth-container input", &key).await;
    browser.click(".auth-btn-wrapper button.authorize").await;
    browser.click(".btn-done").await;
    browser.click("#operations-Identity-whoAmI .opblock-summary-control").await;
    browser.click("#operations-Identity-whoAmI .execute").await;
    let shown = "#operations-Identity-whoAmI .live-responses-table";
    let shown = format!("document.querySelector('{shown}')?.innerText.includes('acme')");
    browser.wait(&shown).await;
    let secret = key.splitn(3, '_').nth(2).unwrap();
    let page = browser.eval("document.querySelector('.curl-command').innerText").await;
    assert!(!page.as_str().unwrap().contains(secret), "the command contains the key");
    let log = browser.log().await;
    assert!(!log.iter().any(|line| line.contains("Content Security Policy")), "{log:#?}");
    browser.close().await;
}
