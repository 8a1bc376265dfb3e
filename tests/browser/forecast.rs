//! The pages that look ahead: what will be missed, and the score card of a drill.
use crate::accessibility::{axe, judge};
use crate::driver::Browser;
use crate::support::{Api, live};
use serde_json::Value;

async fn is_accessible(browser: &Browser) {
    let axe = axe();
    for (scheme, width) in [("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)] {
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
async fn a_forecast_names_what_is_endangered() {
    let api = Api::start("web_forecast").await;
    live::record(&api.pool, "four-weeks", 16).await;
    let browser = Browser::signed_in(&api, "/ui/images", None).await;
    browser.click("nav a[href='/ui/forecast']").await;
    browser.wait("document.querySelector('h1')?.textContent === 'Forecast'").await;
    browser.go("/ui/forecast?futures=20&seed=5").await;
    browser.settle().await;
    browser.sees("main [role=status]", "20 futures from 2026-").await;
    let wanted = serde_json::json!({"futures": 20, "seed": "5"});
    let answer = api.post("/v1/forecasts", wanted).await.json();
    let first = &answer["timers"][0];
    assert!(first["missed"]["estimate"].as_f64().unwrap() > 0.0, "{first}");
    let timers = ".panel:nth-of-type(2)";
    browser.sees(&format!("{timers} h2"), "Endangered timers").await;
    let row = browser.text(&format!("{timers} tbody tr:first-child")).await;
    for field in ["image", "cve", "severity", "tenant_namespace", "clock"] {
        assert!(row.contains(first[field].as_str().unwrap()), "{field} in {row}");
    }
    let percent = first["missed"]["estimate"].as_f64().unwrap() * 100.0;
    assert!(row.contains(&format!("{percent:.1} %")), "{row}");
    let totals = browser.text(".panel:nth-of-type(1)").await;
    for severity in ["critical", "high", "medium", "low"] {
        assert!(totals.contains(severity), "{severity} in {totals}");
    }
    is_accessible(&browser).await;
    // Another number of futures is another address.
    browser.click("#filter-futures option[value='']").await;
    browser.wait("location.search === '?seed=5'").await;
    browser.settle().await;
    browser.sees("main [role=status]", "100 futures").await;
    browser.click(&format!("{timers} tbody tr:first-child a")).await;
    browser.wait("location.pathname.startsWith('/ui/images/')").await;
    browser.close().await;
}

#[tokio::test]
async fn a_drill_stands_beside_real_events_and_the_clocks() {
    let api = Api::start("web_drill").await;
    let browser = Browser::signed_in(&api, "/ui/drills?replications=5&seed=3", None).await;
    browser.settle().await;
    browser.sees("nav a[aria-current]", "Drills").await;
    let card = browser.text(".panel:nth-of-type(2)").await;
    for shown in ["Known who runs it", "50 % of images rebuilt", "21 to 33 h", "66 to 96 h"] {
        assert!(card.contains(shown), "{shown} in {card}");
    }
    let wanted = serde_json::json!({"name": "friday-night", "seed": "3", "replications": 5});
    let answer = api.post("/v1/drills", wanted).await.json();
    let due = answer["early_warning"]["due_hours"].as_f64().unwrap();
    let clocks = browser.text(".panel:nth-of-type(3)").await;
    let (due, rule) = (format!("{due:.1} h"), "14 days from the first fixed image");
    for shown in ["Early warning", "Notification", "Final report", rule, &due] {
        assert!(clocks.contains(shown), "{shown} in {clocks}");
    }
    is_accessible(&browser).await;
    browser.go("/ui/drills?name=nothing").await;
    browser.settle().await;
    browser.sees(".problem", "unknown_scenario").await;
    browser.close().await;
}
