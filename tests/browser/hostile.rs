//! Hostile texts in the database are shown as text.
use crate::driver::Browser;
use crate::support::{Api, NGINX_BUILD, customers};
use bytes::Bytes;

/// What would run if any page made HTML of it.
const HOSTILE: &str =
    "<img src=x onerror=\"window.hurt=1\"><script>window.hurt=1</script>{{7*7}}\u{202e}";

#[tokio::test]
async fn hostile_texts_are_shown_as_text() {
    let api = Api::start("web_hostile").await;
    customers::add(&api.pool).await;
    for sql in [
        "UPDATE images SET description = $1",
        // No name like this comes in; one that got there otherwise would still be only a text.
        "UPDATE images SET name = $1 WHERE id = 2",
        "UPDATE image_versions SET tags = ARRAY[$1]",
        "UPDATE packages SET name = $1 || id",
        "UPDATE build_events SET status = 'failed', failure = $1, builder = $1 WHERE id = 4",
        "UPDATE build_events SET cause = jsonb_build_object('trigger', 'manual',
                'requested_by', $1::text), trigger = 'manual' WHERE id = 4",
        "UPDATE slsa_assessments SET checks = jsonb_build_array(jsonb_build_object(
                'check', 'builder', 'passed', false, 'detail', $1::text))",
        "UPDATE sbom_records SET spec_version = left($1, 40)",
        "UPDATE clock SET held_reason = $1",
        "UPDATE customers SET name = $1",
        "UPDATE customer_image_usage SET cluster = $1, environment = $1",
    ] {
        sqlx::query(sql).bind(HOSTILE).execute(&api.pool).await.expect(sql);
    }
    // A document is given out only if it is what its name says.
    let sha256: String = sqlx::query_scalar(
        "UPDATE build_events SET log_sha256 = encode(sha256(convert_to($1, 'UTF8')), 'hex')
         WHERE id = $2 RETURNING log_sha256",
    )
    .bind(HOSTILE)
    .bind(NGINX_BUILD)
    .fetch_one(&api.pool)
    .await
    .unwrap();
    let key = store::objects::content_key(&sha256);
    sqlx::query(
        "UPDATE artifacts SET sha256 = $1, object_key = $2, bytes = octet_length($3::text)
         WHERE build_id = $4 AND kind = 'log'",
    )
    .bind(&sha256)
    .bind(&key)
    .bind(HOSTILE)
    .bind(NGINX_BUILD)
    .execute(&api.pool)
    .await
    .unwrap();
    let log = store::objects::NewObject {
        key,
        bytes: Bytes::from(HOSTILE),
        media_type: "text/html",
        packed: false,
    };
    api.objects.put_all(vec![log]).await.unwrap();

    // Only an admin is told what exactly holds the clock.
    let admin = api.key(api::auth::Role::Admin, None).await;
    let browser = Browser::open(&api, "/ui/images").await;
    browser.wait("document.getElementById('key')").await;
    browser.sign_in(&admin.reveal()).await;
    browser.wait("document.querySelector('table')").await;
    let build = format!("/ui/builds/{NGINX_BUILD}");
    let pages = [
        "/ui/images",
        "/ui/images/nginx",
        "/ui/images/2",
        "/ui/images/2?part=builds",
        "/ui/images/2?part=versions",
        "/ui/images/nginx?part=builds",
        "/ui/images/nginx?part=findings",
        "/ui/images/nginx?part=usage",
        "/ui/images/base-os?part=lineage",
        "/ui/images/nginx?part=versions&from=1&to=2",
        "/ui/advisories",
        "/ui/advisories/CVE-2026-0000001",
        "/ui/advisories/CVE-2026-0000001?part=exposure",
        "/ui/sla?part=timers",
        "/ui/sla?part=violations",
        "/ui/customers",
        "/ui/customers/gold-1",
        "/ui/customers/gold-1?part=runs",
        "/ui/logs",
        "/ui/jobs",
        "/ui/builds",
        "/ui/builds/3",
        &build,
    ];
    for path in pages {
        browser.go(path).await;
        browser.settle().await;
        nothing_happened(&browser, path).await;
    }
    browser.sees(".log", "<script>window.hurt=1</script>").await;
    browser.sees(".notice", "<img src=x").await;
    browser.sees("#world", "<img src=x").await;
    browser.go("/ui/images/nginx").await;
    browser.settle().await;
    browser.sees(".summary", "<img src=x").await;
    browser.sees(".checks", "<img src=x").await;

    for (path, place) in
        [("/ui/images", "main"), ("/ui/images/2", "main"), ("/ui/builds/3", "main")]
    {
        browser.go(path).await;
        browser.settle().await;
        browser.sees(place, "<img src=x").await;
    }
    // What leads to it stays an address of ours, whatever its name holds.
    browser.go("/ui/images").await;
    browser.settle().await;
    let links = "[...document.links].filter(a => decodeURIComponent(a.pathname).includes('<img'))";
    assert_eq!(browser.eval(&format!("{links}.length > 0")).await, true);

    // Nor does what stands in the address.
    for path in [
        "/ui/images/%3Cimg%20src=x%20onerror=window.hurt=1%3E",
        "/ui/images?q=%3Cscript%3Ewindow.hurt=1%3C/script%3E&as_of=%3Cimg%20src=x%3E",
        "/ui/images?page_token=%3Cimg%20src=x%3E&severity=%22onfocus=%22window.hurt=1",
        "/ui/sign-in?next=javascript:window.hurt=1&why=%3Cimg%20src=x%20onerror=window.hurt=1%3E",
        "/ui/builds/javascript:window.hurt=1",
    ] {
        browser.go(path).await;
        browser.settle().await;
        nothing_happened(&browser, path).await;
    }
    browser.close().await;
}

async fn nothing_happened(browser: &Browser, path: &str) {
    assert_eq!(browser.eval("window.hurt ?? null").await, serde_json::Value::Null, "{path}");
    let foreign =
        "document.querySelectorAll('body script, img:not([alt=\"\"]), iframe, [onerror]')";
    assert_eq!(browser.eval(&format!("{foreign}.length")).await, 0, "{path}");
    let odd = "[...document.links].filter(a => a.origin !== location.origin).length";
    assert_eq!(browser.eval(odd).await, 0, "{path}");
}
