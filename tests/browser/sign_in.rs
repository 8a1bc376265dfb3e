//! Signing in and out, and the session.
use crate::driver::Browser;
use crate::support::Api;
use api::auth::{ApiKey, Role};

#[tokio::test]
async fn signing_in_opens_the_requested_page() {
    let api = Api::start("web_sign_in").await;
    let browser = Browser::open(&api, "/ui/images/nginx?part=versions").await;
    browser.sign_in(&ApiKey::generate().unwrap().reveal()).await;
    browser.wait("document.querySelector('.problem')").await;
    let problem = browser.text(".problem").await;
    assert!(problem.contains("invalid_api_key") && problem.contains("Request"), "{problem}");
    assert_eq!(browser.eval("document.activeElement.id").await, "key");
    assert!(browser.address().await.starts_with("/ui/sign-in?next="));

    let key = api.key(Role::Viewer, Some("acme")).await.reveal();
    browser.sign_in(&key).await;
    browser.wait("location.pathname === '/ui/images/nginx'").await;
    browser.settle().await;
    assert_eq!(browser.address().await, "/ui/images/nginx?part=versions");
    browser.sees("#header", "viewer · acme").await;

    // The key is nowhere but in memory; the token is in this tab alone.
    let stored = "JSON.stringify({...sessionStorage}) + JSON.stringify({...localStorage})";
    let stored = browser.eval(stored).await;
    assert!(!stored.as_str().unwrap().contains(key.splitn(3, '_').nth(2).unwrap()));
    assert_eq!(browser.eval("document.cookie + localStorage.length").await, "0");
    browser.reload().await;
    browser.settle().await;
    assert_eq!(browser.address().await, "/ui/images/nginx?part=versions");

    browser.click(".who button").await;
    browser.wait("document.getElementById('key')").await;
    assert_eq!(browser.eval("sessionStorage.length").await, 0);
    browser.go("/ui/builds").await;
    browser.wait("location.pathname === '/ui/sign-in'").await;
    browser.close().await;
}

#[tokio::test]
async fn a_session_is_renewed_and_ends_with_its_key() {
    let api = Api::start("web_session").await;
    let key = api.key(Role::Viewer, None).await;
    let browser = Browser::open(&api, "/ui/").await;
    browser.wait("document.getElementById('keep')").await;
    browser.click("#keep").await;
    browser.sign_in(&key.reveal()).await;
    browser.wait("document.querySelector('table')").await;
    // A token that is about to end is renewed with the kept key, also after a reload.
    let age = "const kept = JSON.parse(sessionStorage.getItem('wavetank.session'));
               const old = kept.token;
               sessionStorage.setItem('wavetank.session',
                   JSON.stringify({...kept, token: 'old', endsAt: Date.now() + 1000}));
               return old;";
    browser.run(age).await;
    browser.reload().await;
    browser.wait("document.querySelector('table')").await;
    browser.wait("!sessionStorage.getItem('wavetank.session').includes('\"old\"')").await;

    sqlx::query("UPDATE api_keys SET revoked_wall = now()").execute(&api.pool).await.unwrap();
    // The stream ends with the key, so the page learns of it by itself.
    browser.wait("location.pathname === '/ui/sign-in'").await;
    browser.sees("main", "Your API key is no longer valid.").await;
    // An address that leads elsewhere is not followed after signing in.
    let other = api.key(Role::Viewer, None).await;
    browser.go("/ui/sign-in?next=https://example.com/").await;
    browser.sign_in(&other.reveal()).await;
    browser.wait("location.pathname === '/ui/'").await;
    browser.close().await;
}
