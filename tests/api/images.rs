//! Images: lists, pages, filters, details, and what they were.
use crate::support::{Api, BASE_DIGEST, PROVENANCE_SHA256, SPDX_SHA256};

#[tokio::test]
async fn the_list_shows_current_versions() {
    let api = Api::start("images_list").await;
    let page = api.get("/v1/images").await.json();
    let names: Vec<_> = page["items"].as_array().unwrap().iter().map(|i| &i["name"]).collect();
    assert_eq!(names, ["base-os", "late", "nginx", "redis"]);
    assert_eq!(page["as_of"], "2026-01-12T06:00:00Z");
    assert_eq!(page["settled"], false);
    assert!(page.get("next_page_token").is_none());
    let nginx = &page["items"][2];
    assert_eq!(nginx["current"]["version"], 2);
    assert_eq!(nginx["current"]["base_digest"], BASE_DIGEST);
    assert_eq!(nginx["status"], "active");
    assert_eq!(nginx["base"], "base-os");
    assert_eq!(page["items"][3]["status"], "end_of_life");
    assert_eq!(page["items"][1]["status"], "unpublished");
}

#[tokio::test]
async fn images_as_of_a_past_instant() {
    let api = Api::start("images_past").await;
    let at = |hour: &str| format!("/v1/images/nginx?as_of=2026-01-12T{hour}Z");
    let before = api.get(&at("00:59:59.999")).await.json();
    assert_eq!(before["open_findings"]["critical"], 0);
    assert_eq!(before["current"]["version"], 1);
    assert_eq!(before["settled"], true);
    let exposed = api.get(&at("01:00:00")).await.json();
    assert_eq!(exposed["open_findings"]["critical"], 1);
    assert_eq!(exposed["open_findings"]["low"], 1);
    let fixed = api.get(&at("02:30:00")).await.json();
    assert_eq!(fixed["current"]["version"], 2);
    assert_eq!(fixed["current"]["scan"], "pending", "the new version is not scanned yet");
    assert!(fixed.get("open_findings").is_none(), "so what it has is unknown: {fixed}");
    assert_eq!(api.get(&at("03:30:00")).await.json()["open_findings"]["low"], 1);
    assert_eq!(api.get(&at("04:00:00")).await.json()["open_findings"]["low"], 0, "triaged");
    assert_eq!(api.get(&at("05:00:00")).await.json()["settled"], false, "may gain a command");

    api.get("/v1/images/late?as_of=2026-01-12T02:59:59Z").await.problem(404, "image_not_found");
    assert_eq!(api.get("/v1/images/late?as_of=2026-01-12T03:00:00Z").await.status, 200);
    let redis = api.get("/v1/images/redis?as_of=2026-01-12T03:00:00Z").await.json();
    assert_eq!(redis["status"], "active");
    api.get(&at("06:00:00.001")).await.problem(400, "as_of_in_future");
    let early = api.get("/v1/images?as_of=2020-01-01T00:00:00Z").await.json();
    assert_eq!(early["items"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_detail_links_its_documents() {
    let api = Api::start("images_detail").await;
    let nginx = api.get("/v1/images/nginx").await.json();
    assert_eq!(nginx, api.get("/v1/images/1").await.json(), "by name and by number");
    assert_eq!(nginx["sboms"][0]["format"], "spdx");
    assert_eq!(nginx["sboms"][0]["href"], format!("/v1/artifacts/{SPDX_SHA256}"));
    assert_eq!(nginx["provenance_href"], format!("/v1/artifacts/{PROVENANCE_SHA256}"));
    let tags: Vec<_> = nginx["tags"].as_array().unwrap().iter().map(|t| &t["tag"]).collect();
    assert_eq!(tags, ["1", "1.1", "1.1.0", "latest", "1.0", "1.0.0"]);
    let late = api.get("/v1/images/late").await.json();
    assert!(late.get("current").is_none() && late.get("provenance_href").is_none());

    let versions = api.get("/v1/images/nginx/versions?page_size=1").await.json();
    assert_eq!(versions["items"][0]["version"], 2);
    let token = versions["next_page_token"].as_str().unwrap();
    let path = format!("/v1/images/nginx/versions?page_size=1&page_token={token}");
    let rest = api.get(&path).await.json();
    assert_eq!(rest["items"][0]["tags"], serde_json::json!(["1.0.0", "1.0"]));
    assert_eq!(rest["items"][0]["superseded_at"], "2026-01-12T02:30:00Z");
    assert!(rest.get("next_page_token").is_none());
    let past = api.get("/v1/images/nginx/versions?as_of=2026-01-12T01:00:00Z").await.json();
    assert!(past["items"][0].get("superseded_at").is_none(), "the future is not told");
    assert_eq!(past["items"][0]["tags"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn pages_and_filters() {
    let api = Api::start("images_pages").await;
    let mut path = "/v1/images?page_size=2".to_owned();
    let mut names = Vec::new();
    loop {
        let page = api.get(&path).await.json();
        names.extend(page["items"].as_array().unwrap().iter().map(|i| i["name"].clone()));
        // The world goes on between two pages; the pages still speak of the first one's instant.
        let go_on = "UPDATE world SET released_through = released_through + interval '1 hour'";
        sqlx::query(go_on).execute(&api.pool).await.unwrap();
        assert_eq!(page["as_of"], "2026-01-12T06:00:00Z");
        let Some(token) = page["next_page_token"].as_str() else { break };
        path = format!("/v1/images?page_size=2&page_token={token}");
    }
    assert_eq!(names, ["base-os", "late", "nginx", "redis"]);

    let found = api.get("/v1/images?name=NGI").await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    for wild in ["%25", "_", "%27"] {
        let found = api.get(&format!("/v1/images?name={wild}")).await.json();
        assert_eq!(found["items"].as_array().unwrap().len(), 0, "{wild} is no wildcard");
    }
    let based = api.get("/v1/images?base=base-os").await.json();
    assert_eq!(based["items"].as_array().unwrap().len(), 3);
    assert_eq!(based, api.get("/v1/images?base=0").await.json());
    api.get("/v1/images?base=nothing").await.problem(400, "invalid_parameter");
}

#[tokio::test]
async fn a_page_token_of_another_query_is_refused() {
    let api = Api::start("images_token").await;
    let page = api.get("/v1/images?page_size=1").await.json();
    let token = page["next_page_token"].as_str().unwrap().to_owned();
    for path in [
        format!("/v1/images?page_size=1&name=x&page_token={token}"),
        format!("/v1/images?as_of=2026-01-12T01:00:00Z&page_token={token}"),
        format!("/v1/builds?page_token={token}"),
        format!("/v1/images?page_token={}", &token[1..]),
        format!("/v1/images?page_token={token}A"),
        "/v1/images?page_token=".to_owned(),
        "/v1/images?page_token=%00".to_owned(),
        format!("/v1/images?page_token={}", "A".repeat(3000)),
    ] {
        api.get(&path).await.problem(400, "invalid_page_token");
    }
}
