//! Exposure queries: who is exposed to what, which images contain a package, what is overdue, and
//! how fast exposures end.
use crate::support::{Api, customers};
use api::auth::Role;
use serde_json::{Value, json};

async fn small(name: &str) -> Api {
    let api = Api::start(name).await;
    customers::add(&api.pool).await;
    api
}

fn column(page: &Value, field: &str) -> Vec<Value> {
    page["items"].as_array().unwrap().iter().map(|item| item[field].clone()).collect()
}

/// All entries of a list, page by page of one; the total is as many.
async fn turned(api: &Api, token: &str, path: &str) -> Vec<Value> {
    let joint = if path.contains('?') { '&' } else { '?' };
    let base = format!("{path}{joint}page_size=1");
    let mut page = api.get_as(token, &base).await.json();
    let total = page["total"].clone();
    let mut all = page["items"].as_array().unwrap().clone();
    while let Some(next) = page["next_page_token"].as_str() {
        page = api.get_as(token, &format!("{base}&page_token={next}")).await.json();
        all.extend(page["items"].as_array().unwrap().clone());
    }
    assert_eq!(total, json!({"count": all.len(), "exact": true}), "{path}");
    all
}

#[tokio::test]
async fn which_customers_run_an_image_affected_by_a_cve() {
    let api = small("q_exposure").await;
    let path = "/v1/advisories/CVE-2026-0000001/exposure";
    let now = api.get(path).await.json();
    assert_eq!(column(&now, "tenant_namespace"), ["pin-2"], "gold-1 took version 2");
    let pin = &now["items"][0];
    assert_eq!((&pin["image"], &pin["version"]), (&json!("nginx"), &json!(1)));
    assert_eq!(pin["digest"], format!("sha256:{}", "b".repeat(64)));
    assert_eq!((&pin["mode"], &pin["replicas"]), (&json!("pin"), &json!(3)));
    assert_eq!((&pin["environment"], &pin["cluster"]), (&json!("staging"), &json!("us-1")));
    assert_eq!(pin["internet_exposed"], false);
    assert_eq!(pin["exposed_since"], "2026-01-12T01:00:00Z");
    assert_eq!(pin["packages"], json!(["nginx"]));
    assert_eq!(pin["fixed_in_version"], 2);
    let deadline = &pin["deadlines"][0];
    assert_eq!((&deadline["clock"], &deadline["state"]), (&json!("customer"), &json!("overdue")));
    assert_eq!(deadline["hours_left"], -2.0);

    let then = api.get(&format!("{path}?as_of=2026-01-12T02:00:00Z")).await.json();
    assert_eq!(column(&then, "tenant_namespace"), ["gold-1", "pin-2"]);
    assert_eq!(then["items"][0]["mode"], "follow");
    assert_eq!(then["items"][0]["deadlines"][0]["state"], "paused", "no evaluation saw the fix");
    let later = api.get(&format!("{path}?as_of=2026-01-12T03:15:00Z")).await.json();
    assert_eq!(later["items"][0]["deadlines"][0]["state"], "at_risk");
    assert_eq!(later["items"][0]["deadlines"][0]["hours_left"], 0.75);
    let early = api.get(&format!("{path}?as_of=2026-01-12T00:45:00Z")).await.json();
    assert_eq!(early["items"], json!([]), "nothing had been scanned");
    let none = format!("{path}?as_of=2026-01-12T00:15:00Z");
    api.get(&none).await.problem(404, "advisory_not_found");

    let gold = api.sign_in(Role::Viewer, Some("gold-1")).await;
    let own = api.get_as(&gold, &format!("{path}?as_of=2026-01-12T02:00:00Z")).await.json();
    assert_eq!(column(&own, "tenant_namespace"), ["gold-1"]);
    let all = turned(&api, &api.token, &format!("{path}?as_of=2026-01-12T02:00:00Z")).await;
    assert_eq!(json!(all), then["items"]);
}

#[tokio::test]
async fn which_images_contain_a_package_version() {
    let api = small("q_holders").await;
    let path = "/v1/packages/nginx/images";
    let all = api.get(path).await.json();
    assert_eq!(column(&all, "version"), [1, 2], "version 1 still runs at pin-2");
    assert_eq!(column(&all, "package_version"), ["1.0.0-r0", "1.1.0-r0"]);
    assert_eq!(column(&all, "current"), [false, true]);
    assert_eq!(column(&all, "customers"), [1, 1]);
    let one = api.get(&format!("{path}?version=1.1.0-r0")).await.json();
    assert_eq!(column(&one, "version"), [2]);
    let then = api.get(&format!("{path}?as_of=2026-01-12T02:00:00Z")).await.json();
    assert_eq!(
        (column(&then, "version"), column(&then, "customers")),
        (vec![json!(1)], vec![json!(2)])
    );
    assert_eq!(
        column(&api.get("/v1/packages/musl/images").await.json(), "image"),
        ["base-os", "nginx", "nginx", "redis"]
    );
    let gold = api.sign_in(Role::Viewer, Some("gold-1")).await;
    let own = api.get_as(&gold, path).await.json();
    assert_eq!(column(&own, "version"), [2], "other tenants' versions are not shown");
    assert_eq!(turned(&api, &api.token, "/v1/packages/musl/images").await.len(), 4);
    api.get("/v1/packages/none/images").await.problem(404, "package_not_found");
}

#[tokio::test]
async fn what_a_tenant_is_exposed_to() {
    let api = small("q_customer").await;
    let path = "/v1/customers/pin-2/exposure";
    let now = api.get(path).await.json();
    assert_eq!(column(&now, "cve"), ["CVE-2026-0000001"], "the low one is not affected");
    let then = api.get(&format!("{path}?as_of=2026-01-12T03:00:00Z")).await.json();
    assert_eq!(column(&then, "cve"), ["CVE-2026-0000001", "CVE-2026-0000002"]);
    assert_eq!(column(&then, "severity"), ["critical", "low"]);
    let low = format!("{path}?severity=low&as_of=2026-01-12T03:00:00Z");
    assert_eq!(column(&api.get(&low).await.json(), "cve"), ["CVE-2026-0000002"]);
    let all = turned(&api, &api.token, &format!("{path}?as_of=2026-01-12T03:00:00Z")).await;
    assert_eq!(json!(all), then["items"]);
    assert_eq!(api.get("/v1/customers/gold-1/exposure").await.json()["items"], json!([]));
    let gold = api.sign_in(Role::Viewer, Some("gold-1")).await;
    api.get_as(&gold, path).await.problem(404, "customer_not_found");
}

#[tokio::test]
async fn what_would_be_overdue_by_an_instant() {
    let api = small("q_forecast").await;
    let path = |by: &str, at: &str| {
        format!("/v1/sla/forecast?by=2026-01-12T{by}:00Z&as_of=2026-01-12T{at}:00Z")
    };
    // At 03:10 the evaluation of 03:05 is known: of four critical timers one still runs.
    let near = api.get(&path("03:59", "03:10")).await.json();
    assert_eq!((&near["items"], &near["total"]["count"]), (&json!([]), &json!(0)));
    let due = api.get(&path("04:00", "03:10")).await.json();
    assert_eq!(column(&due, "tenant_namespace"), ["pin-2"]);
    assert_eq!(column(&due, "state"), ["at_risk"]);
    assert_eq!(due["overdue"]["count"], 0);
    let now = api.get("/v1/sla/forecast?by=2026-01-13T00:00:00Z").await.json();
    assert_eq!((&now["total"]["count"], &now["overdue"]["count"]), (&json!(1), &json!(1)));
    // At 02:00 the only evaluation was at 01:05, before there was a fix: nothing ran.
    let paused = api.get(&path("12:00", "02:00")).await.json();
    assert_eq!(paused["items"], json!([]));
    let back = path("02:00", "03:10");
    api.get(&back).await.problem(400, "invalid_parameter");
}

#[tokio::test]
async fn how_long_remediation_takes() {
    let api = small("q_remediation").await;
    let now = api.get("/v1/sla/remediation").await.json();
    let critical = &now["curves"][0];
    assert_eq!(critical["severity"], "critical");
    assert_eq!((&critical["exposures"], &critical["ended"]), (&json!(1), &json!(1)));
    assert_eq!(critical["median_hours"], 2, "found at 01:00, gone at 02:30: the second hour");
    assert_eq!(critical["steps"][0]["survival"], 0.0);
    assert_eq!(now["curves"][3]["exposures"], 0, "false positives are left out");
    let then = api.get("/v1/sla/remediation?as_of=2026-01-12T03:30:00Z").await.json();
    let low = &then["curves"][3];
    assert_eq!((&low["exposures"], &low["open"]), (&json!(1), &json!(1)), "it was not decided yet");
    assert!(low.get("median_hours").is_none(), "an open exposure is censored");
    let none = api.get("/v1/sla/remediation?as_of=2026-01-12T00:20:00Z").await.json();
    assert!(none["curves"].as_array().unwrap().iter().all(|curve| curve["exposures"] == 0));
}

#[tokio::test]
async fn timers_and_violations_are_listed_by_state() {
    let api = small("q_timers").await;
    let now = api.get("/v1/sla/timers").await.json();
    assert_eq!(
        (column(&now, "state"), column(&now, "clock")),
        (vec![json!("overdue")], vec![json!("customer")])
    );
    assert_eq!(now["items"][0]["breached_at"], "2026-01-12T05:00:00Z");
    let stopped = turned(&api, &api.token, "/v1/sla/timers?state=stopped").await;
    let reasons: Vec<_> = stopped.iter().map(|timer| timer["stop_reason"].clone()).collect();
    assert_eq!(reasons.len(), 5);
    assert_eq!(reasons.iter().filter(|reason| **reason == "fixed").count(), 2);
    let then = turned(&api, &api.token, "/v1/sla/timers?as_of=2026-01-12T02:00:00Z").await;
    assert!(then.iter().all(|timer| timer["state"] == "paused"), "{then:?}");
    assert_eq!(then.len(), 6);
    let risky = "/v1/sla/timers?state=at_risk&as_of=2026-01-12T03:10:00Z";
    assert_eq!(column(&api.get(risky).await.json(), "tenant_namespace"), ["pin-2"]);
    let severe = "/v1/sla/timers?severity=low&clock=provider&tenant=gold-1&state=stopped";
    assert_eq!(column(&api.get(severe).await.json(), "stop_reason"), ["not_affected"]);

    let missed = api.get("/v1/sla/violations").await.json();
    assert_eq!(
        (column(&missed, "tenant_namespace"), column(&missed, "state")),
        (vec![json!("pin-2")], vec![json!("open")])
    );
    assert_eq!(missed["items"][0]["recorded_at"], "2026-01-12T05:00:00Z");
    let before = api.get("/v1/sla/violations?as_of=2026-01-12T04:59:59Z").await.json();
    assert_eq!(before["items"], json!([]), "no evaluation was made since the deadline");
    let gold = api.sign_in(Role::Viewer, Some("gold-1")).await;
    let own = api.get_as(&gold, "/v1/sla/violations").await.json();
    assert_eq!((&own["items"], &own["total"]["count"]), (&json!([]), &json!(0)));
    assert_eq!(api.get("/v1/sla/violations?state=resolved").await.json()["items"], json!([]));
    let policies = api.get("/v1/sla/policies").await.json();
    assert_eq!(policies["items"][0]["customers"], 2);
    let seen = api.get_as(&gold, "/v1/sla/policies").await.json();
    assert_eq!(seen["items"][0]["customers"], 1);
}

#[tokio::test]
async fn figures_count_what_was_missed_whether_or_not_it_was_recorded() {
    let api = small("q_figures").await;
    let of = |figures: &Value, clock: &str, severity: &str| {
        let all = figures["timers"].as_array().unwrap();
        let is = |row: &&Value| row["clock"] == clock && row["severity"] == severity;
        all.iter().find(is).cloned().unwrap_or(Value::Null)
    };
    let now = api.get("/v1/sla/figures").await.json();
    assert_eq!(now["evaluated_at"], "2026-01-12T05:00:00Z");
    // Both of the provider's critical timers stopped at 02:30, due at 03:30.
    let provider = of(&now, "provider", "critical");
    assert_eq!((&provider["opened"], &provider["kept"]), (&json!(2), &json!(2)));
    // Gold adopted in time; pin was due at 04:00, which the evaluation of 05:00 recorded.
    let customer = of(&now, "customer", "critical");
    let seen = ["opened", "kept", "missed", "recorded"].map(|name| customer[name].clone());
    assert_eq!(seen, [2, 1, 1, 1].map(|n| json!(n)));
    // Without a fix the clock of the low one never ran.
    assert_eq!(of(&now, "provider", "low")["never_ran"], 2);
    // Before the evaluation of 05:00 it was missed all the same, and nobody had recorded it.
    let before = api.get("/v1/sla/figures?as_of=2026-01-12T04:30:00Z").await.json();
    assert_eq!(before["evaluated_at"], "2026-01-12T03:05:00Z");
    let customer = of(&before, "customer", "critical");
    assert_eq!((&customer["missed"], &customer["recorded"]), (&json!(1), &json!(0)));
    // Critical: gold from 01:00 to 02:40, pin from 01:00 on: 310 min. Low, judged at 04:00: gold with
    // version 1 from 01:00 to 02:40 and with version 2 from 03:00, pin from 01:00: 340 min.
    let days = json!([{"severity": "critical", "days": 0.22}, {"severity": "low", "days": 0.24}]);
    assert_eq!(before["exposure_days"], days);
    // Before any evaluation nothing is known, and that is said.
    let none = api.get("/v1/sla/figures?as_of=2026-01-12T01:00:00Z").await.json();
    assert!(none.get("evaluated_at").is_none() && none["timers"] == json!([]), "{none}");
    // A tenant sees its own.
    let gold = api.sign_in(Role::Viewer, Some("gold-1")).await;
    let own = api.get_as(&gold, "/v1/sla/figures").await.json();
    let customer = of(&own, "customer", "critical");
    assert_eq!((&customer["opened"], &customer["missed"]), (&json!(1), &json!(0)));
    api.get_as(&gold, "/v1/sla/figures?tenant=pin-2").await.problem(400, "invalid_parameter");
}

#[tokio::test]
async fn hours_of_a_promise_in_business_days_are_business_hours() {
    let api = small("q_business").await;
    // Monday 2026-01-12, 06:00: from then to Monday 05:00 are 119 business hours.
    let due = "UPDATE sla_policies SET calendar = 'business';
               UPDATE sla_timers SET due_at = '2026-01-19T05:00Z', warn_at = '2026-01-16T00:00Z',
                      breached_at = NULL, warned_at = NULL WHERE stopped_at IS NULL";
    sqlx::raw_sql(due).execute(&api.pool).await.unwrap();
    let timer = &api.get("/v1/sla/timers").await.json()["items"][0];
    assert_eq!((&timer["calendar"], &timer["hours_left"]), (&json!("business"), &json!(119.0)));
    let exposure = api.get("/v1/customers/pin-2/exposure").await.json();
    assert_eq!(exposure["items"][0]["hours_left"], 119.0);
    assert_eq!(exposure["items"][0]["deadlines"][0]["hours_left"], 119.0);
}

#[tokio::test]
async fn what_was_decided_later_was_not_known_before() {
    let api = small("q_decided").await;
    // Decided by the evaluation of 05:00, that is after 03:10.
    let decided = "INSERT INTO mass_event_decisions VALUES (0, 0, '2026-01-12T05:00Z', 3, 4, true);
                   UPDATE sla_timers SET excluded = true, breached_at = NULL WHERE advisory_id = 0;
                   DELETE FROM sla_violations";
    sqlx::raw_sql(decided).execute(&api.pool).await.unwrap();
    let risky = api.get("/v1/sla/timers?state=at_risk&as_of=2026-01-12T03:10:00Z").await.json();
    assert_eq!(column(&risky, "tenant_namespace"), ["pin-2"]);
    assert!(risky["items"][0].get("excluded").is_none(), "it was not decided: {risky}");
    let excluded = "/v1/sla/timers?state=excluded";
    let then = api.get(&format!("{excluded}&as_of=2026-01-12T03:10:00Z")).await.json();
    assert_eq!(then["items"], json!([]));
    assert_eq!(column(&api.get(excluded).await.json(), "tenant_namespace"), ["pin-2"]);
    let state = |page: &Value| page["items"][0]["deadlines"][0]["state"].clone();
    let exposure = "/v1/customers/pin-2/exposure?severity=critical";
    let then = api.get(&format!("{exposure}&as_of=2026-01-12T03:10:00Z")).await.json();
    assert_eq!(
        (state(&then), state(&api.get(exposure).await.json())),
        ("at_risk".into(), "excluded".into())
    );
    let found = "/v1/images/nginx/findings?version=1&severity=critical";
    let then = api.get(&format!("{found}&as_of=2026-01-12T03:10:00Z")).await.json();
    assert_eq!(
        (state(&then), state(&api.get(found).await.json())),
        ("at_risk".into(), "excluded".into())
    );
    // How many images there are is nobody's business but the platform's.
    let event = |figures: &Value| figures["mass_events"][0].clone();
    let all = event(&api.get("/v1/sla/figures").await.json());
    assert_eq!(
        (&all["images_hit"], &all["images"], &all["timers"]),
        (&json!(3), &json!(4), &json!(4))
    );
    let pin = api.sign_in(Role::Viewer, Some("pin-2")).await;
    let own = event(&api.get_as(&pin, "/v1/sla/figures").await.json());
    assert_eq!((own.get("images_hit"), own.get("images"), &own["timers"]), (None, None, &json!(2)));
}

#[tokio::test]
async fn packages_and_customers_are_listed_and_searched() {
    let api = small("q_lists").await;
    let packages = turned(&api, &api.token, "/v1/packages").await;
    let names: Vec<_> = packages.iter().map(|package| package["name"].clone()).collect();
    assert_eq!(names, ["musl", "nginx", "redis", "zlib"]);
    assert_eq!(column(&api.get("/v1/packages?q=LIB").await.json(), "name"), ["zlib"]);
    let advisories = turned(&api, &api.token, "/v1/advisories").await;
    assert_eq!(advisories.len(), 2);
    let severe = api.get("/v1/advisories?severity=critical").await.json();
    assert_eq!(column(&severe, "cve"), ["CVE-2026-0000001"]);
    let early = api.get("/v1/advisories?as_of=2026-01-12T00:29:59Z").await.json();
    assert_eq!(early["items"], json!([]));
    let customers = turned(&api, &api.token, "/v1/customers").await;
    assert_eq!(customers[0]["images"], 2);
    assert_eq!(customers[0]["internet_exposed"], 1);
    assert_eq!(column(&api.get("/v1/customers?q=PIN").await.json(), "name"), ["Pin Two"]);
    let usage = turned(&api, &api.token, "/v1/customers/gold-1/usage").await;
    assert_eq!((&usage[0]["version"], &usage[0]["current_version"]), (&json!(2), &json!(2)));
    let findings = turned(&api, &api.token, "/v1/findings").await;
    assert_eq!(findings.len(), 3);
    let open = api.get("/v1/findings?status=open&as_of=2026-01-12T02:00:00Z").await.json();
    assert_eq!(column(&open, "cve"), ["CVE-2026-0000002", "CVE-2026-0000001"]);
    assert_eq!(open["items"][1]["fixed_version"], "1.1.0-r0");
    let zlib = api.get("/v1/findings?package=zlib&image=nginx").await.json();
    assert_eq!(zlib["total"]["count"], 2);
}
