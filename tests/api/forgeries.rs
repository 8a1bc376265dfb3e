//! The catalogue of forgeries over the API, before there is evidence to forge. What it holds when there
//! is, the tests of interoperability judge.
use crate::support::Api;

#[tokio::test]
async fn the_catalogue_is_listed_and_waits_for_evidence() {
    let api = Api::start("forgeries").await;
    let list = api.get("/v1/forgeries").await.json();
    let items = list["items"].as_array().unwrap();
    let failing = items.iter().filter(|item| item["verdict"] == "fail").count();
    assert!(failing >= 40 && items.len() - failing >= 20, "{failing} of {}", items.len());
    for item in items {
        let name = item["name"].as_str().unwrap();
        assert_eq!(name.ends_with("_fail"), item["verdict"] == "fail", "{item}");
        assert_eq!(item["href"], format!("/v1/forgeries/{name}"));
        assert!(item["rule_url"].as_str().unwrap().starts_with("https://"), "{item}");
    }
    // The small world has signed too little.
    let path = items[0]["href"].as_str().unwrap();
    api.get(path).await.problem(409, "evidence_pending");
    for name in ["nothing", "..%2Findex.json", "signature-flipped_fail%00"] {
        api.get(&format!("/v1/forgeries/{name}")).await.problem(404, "forgery_not_found");
    }
}
