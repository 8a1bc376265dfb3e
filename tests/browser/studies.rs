//! The pages of studies: one is started from its text, watched, cancelled, and read.
use crate::accessibility::{axe, judge};
use crate::driver::Browser;
use crate::support::{Api, live};
use api::auth::Role;
use serde_json::{Value, json};

async fn is_accessible(browser: &Browser) {
    let axe = axe();
    for (scheme, width) in [("light", 1280), ("dark", 360)] {
        browser.scheme(scheme).await;
        browser.size(width, 800).await;
        assert_eq!(judge(browser, &axe).await, Vec::<Value>::new(), "{scheme} {width}");
        let wide = browser.eval("document.documentElement.scrollWidth > innerWidth").await;
        assert_eq!(wide, false, "{scheme} {width}: wider than the screen");
    }
    browser.scheme("light").await;
    browser.size(1280, 800).await;
}

#[tokio::test]
async fn a_study_is_started_watched_and_cancelled() {
    let api = Api::start("web_studies").await;
    let browser = Browser::open(&api, "/ui/images").await;
    browser.sign_in(&api.key(Role::Editor, None).await.reveal()).await;
    browser.wait("!document.getElementById('key')").await;
    browser.click("nav a[href='/ui/studies']").await;
    browser.wait("document.querySelector('h1')?.textContent === 'Studies'").await;
    browser.settle().await;
    browser.sees(".empty", "There is no study yet.").await;
    is_accessible(&browser).await;
    // What is wrong is said by line and field, and nothing is lost.
    browser.fill("#study-text", "\nreplications: 0\n").await;
    browser.click(".study-form button").await;
    browser.sees(".problem", "invalid_study").await;
    let kept = browser.eval("document.querySelector('#study-text').value").await;
    assert!(kept.as_str().unwrap().contains("replications: 0"), "{kept}");
    browser.reload().await;
    browser.settle().await;
    browser.click(".study-form button").await;
    browser.wait("location.pathname === '/ui/studies/1'").await;
    browser.settle().await;
    browser.sees("h1", "One builder or two").await;
    browser.sees("main", "0 of 20 replications").await;
    sqlx::query("UPDATE studies SET status = 'running', kernel_version = '2', done = 7")
        .execute(&api.pool)
        .await
        .unwrap();
    browser.sees("main", "7 of 20 replications").await;
    assert_eq!(browser.eval("document.querySelector('main progress').value").await, 7);
    browser.click("main button.small").await;
    browser.sees("dl", "cancelled").await;
    assert_eq!(api.get("/v1/studies/1").await.json()["status"], "cancelled");
    browser.close().await;
}

#[tokio::test]
async fn a_study_that_completes_shows_its_answers_arms_and_documents() {
    let api = Api::start("web_study").await;
    let study = "name: two-pools\ntitle: <b>Two</b> pools\nscenario: classroom\nreplications: 5\n\
                 grid: {builders.count: [1, 2]}\n";
    let asked = api.post("/v1/studies", json!({ "study": study })).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    let browser = Browser::signed_in(&api, "/ui/studies/1", None).await;
    browser.settle().await;
    browser.sees("h1", "<b>Two</b> pools").await;
    let measure = |upper: Value| {
        json!({"measure": "kept", "words": "share of timers kept", "unit": "%", "statistic": "ratio",
               "estimate": 0.875, "lower": 0.75, "upper": upper})
    };
    let arm = |name: &str, upper: Value| json!({"name": name, "builders": 1, "measures": [measure(upper)]});
    let summary = json!({
        "replications": 5, "stopping": "5 replications of each arm, as the study says",
        "capped": false, "confidence": 0.95, "currency": null,
        "answers": [{"question": "How few builders do?", "answer": "2 builders", "told": true,
                     "basis": "5 replications", "more_replications": null}],
        "arms": [arm("builders.count=1", json!(0.95)), arm("builders.count=2", Value::Null)],
    });
    sqlx::query(
        "UPDATE studies SET status = 'completed', kernel_version = '2', summary = $1, done = 5,
                started_wall = now(), ended_wall = now()",
    )
    .bind(summary)
    .execute(&api.pool)
    .await
    .unwrap();
    // The stream says that it has ended; nobody reloads.
    browser.sees(".panel:nth-of-type(2)", "2 builders").await;
    let arms = browser.text(".panel:nth-of-type(3)").await;
    for shown in ["builders.count=2", "share of timers kept", "87.5", "75.0 to 95.0", "75.0 to –"]
    {
        assert!(arms.contains(shown), "{shown} in {arms}");
    }
    browser.sees(".panel:nth-of-type(4)", "Report").await;
    browser.sees("pre", "grid: {builders.count: [1, 2]}").await;
    is_accessible(&browser).await;
    browser.close().await;
}

#[tokio::test]
async fn a_customer_sees_no_studies() {
    let api = Api::start("web_studies_tenant").await;
    live::record(&api.pool, "classroom", 2).await;
    let browser = Browser::signed_in(&api, "/ui/images", Some("bank")).await;
    browser.settle().await;
    assert_eq!(browser.eval("document.querySelectorAll('nav a[href*=studies]').length").await, 0);
    browser.go("/ui/studies").await;
    browser.settle().await;
    browser.sees(".problem", "forbidden").await;
    browser.close().await;
}
