//! The status strip, which follows the world.
use crate::driver::Browser;
use crate::proxy::Wire;
use crate::support::Api;

#[tokio::test]
async fn the_status_strip_follows_the_world() {
    let api = Api::start("web_live").await;
    let browser = Browser::signed_in(&api, "/ui/images", Some("acme")).await;
    browser.wait("document.querySelector('.clock')?.innerText.includes('2026-01-12 05:00')").await;
    browser.sees("#world", "1 h in work").await;
    browser.wait("document.querySelector('#world').innerText.includes('small')").await;
    for sql in [
        "INSERT INTO timeline (seq, at, kind, tenant_namespace, image_id, data)
         VALUES (150, '2026-01-12T08:00Z', 'image_built', 'catalogue', 1, '{}')",
        "UPDATE world SET released_through = '2026-01-12T08:30Z', released_seq = 200,
                          materialized_through = '2026-01-12T08:00Z', materialized_seq = 150",
        "UPDATE clock SET mode = 'live', factor = 3600",
    ] {
        sqlx::query(sql).execute(&api.pool).await.expect(sql);
    }
    browser.wait("document.querySelector('.clock').innerText.includes('2026-01-12 08:00')").await;
    browser.wait("document.querySelector('.mode').innerText === 'live · 1 h a second'").await;
    browser.wait("document.querySelector('.happened')?.innerText.includes('nginx')").await;
    // Those who cannot see it hear it, but not at every tick.
    let spoken = "document.querySelector('#world [aria-live]').textContent";
    browser.wait(&format!("{spoken}.includes('live')")).await;
    browser.close().await;
}

#[tokio::test]
async fn a_lost_connection_is_shown_and_can_be_retried() {
    let api = Api::start("web_lost").await;
    let browser = Browser::signed_in(&api, "/ui/images", None).await;
    browser.wait("document.querySelector('.clock')").await;
    // Every fetch fails as if the server were gone; the stream is cut by the token's end.
    let cut = "window.realFetch = fetch;
               window.fetch = () => Promise.reject(new TypeError('offline'));";
    browser.run(cut).await;
    browser.run("document.querySelector('.travel > button:last-child').click()").await;
    browser.wait("document.querySelector('.problem')").await;
    let problem = browser.text(".problem").await;
    assert!(problem.contains("unreachable") && problem.contains("Try again"), "{problem}");
    browser.run("window.fetch = window.realFetch").await;
    browser.click(".problem button").await;
    browser.wait("document.querySelector('tbody')").await;
    browser.close().await;
}

/// Writes down that something happened to an image.
async fn happen(api: &Api, seq: i64, image: i64) {
    sqlx::query(
        "INSERT INTO timeline (seq, at, kind, tenant_namespace, image_id, data)
         VALUES ($1, '2026-01-12T05:00Z', 'image_built', 'catalogue', $2, '{}')",
    )
    .bind(seq)
    .bind(image)
    .execute(&api.pool)
    .await
    .unwrap();
    sqlx::query("UPDATE world SET released_seq = 200, materialized_seq = $1")
        .bind(seq)
        .execute(&api.pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_lost_stream_resumes_where_it_ended() {
    let mut api = Api::start("web_stream").await;
    let wire = Wire::to(api.address).await;
    api.address = wire.address;
    let browser = Browser::signed_in(&api, "/ui/images", None).await;
    browser.wait("document.querySelector('.clock')").await;
    happen(&api, 150, 1).await;
    browser.sees(".happened", "1 event").await;
    browser.sees(".happened", "(nginx)").await;
    wire.cut();
    browser.sees("#world", "connection lost").await;
    happen(&api, 151, 0).await;
    happen(&api, 152, 2).await;
    wire.mend();
    // Both that happened meanwhile, and what was told before not again.
    browser.sees(".happened", "3 events").await;
    browser.sees(".happened", "(redis)").await;
    browser.wait("!document.querySelector('#world').innerText.includes('connection lost')").await;
    let sent = wire.sent();
    let resumes = |line: &str| line.starts_with("last-event-id: 0-") && line.ends_with("-150");
    assert!(sent.lines().map(str::trim).any(resumes), "{sent}");
    happen(&api, 153, 1).await;
    browser.sees(".happened", "4 events").await;
    browser.close().await;
}
