//! distribution-spec 1.1, "Content Discovery": tags and their pages; the list of repositories; time travel.
use super::repository::{Repository, assert_refused};
use crate::support::Answer;
use api::auth::Role;
use serde_json::{Value, json};

fn link(answer: &Answer) -> Option<String> {
    let link = answer.headers.get("link")?.to_str().unwrap();
    let path = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    Some(path.to_owned())
}

fn tags(answer: &Answer) -> Vec<String> {
    serde_json::from_value(answer.json()["tags"].clone()).unwrap()
}

#[tokio::test]
async fn listing_tags() {
    let repository = Repository::open("registry_tags").await;
    let all = ["1", "1.0", "1.0.0", "1.1", "1.1.0", "latest"];
    let answer = repository.get("/v2/nginx/tags/list").await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json(), json!({ "name": "nginx", "tags": all }));
    assert_eq!(link(&answer), None);
    let mut path = "/v2/nginx/tags/list?n=4".to_owned();
    let mut found = Vec::new();
    for pages in 1.. {
        let answer = repository.get(&path).await;
        found.extend(tags(&answer));
        match link(&answer) {
            Some(next) => path = next,
            None => {
                assert_eq!(pages, 2);
                break;
            }
        }
    }
    assert_eq!(found, all);
    let exact = repository.get("/v2/nginx/tags/list?n=6").await;
    assert_eq!((tags(&exact).len(), link(&exact)), (6, None));
    let after = repository.get("/v2/nginx/tags/list?n=2&last=1.0.zzz").await;
    assert_eq!(tags(&after), ["1.1", "1.1.0"]);
    // "When n is zero, this endpoint MUST return an empty list, and MUST NOT include a Link header."
    let none = repository.get("/v2/nginx/tags/list?n=0").await;
    assert_eq!((tags(&none).len(), link(&none)), (0, None));
    let many = repository.get("/v2/nginx/tags/list?n=99999999999999999999").await;
    assert_eq!(tags(&many), all);
    for bad in ["n=-1", "n=x", "n=", "n=1&n=2", "last=%00"] {
        let answer = repository.get(&format!("/v2/nginx/tags/list?{bad}")).await;
        assert_refused(&answer, 400, "PAGINATION_NUMBER_INVALID");
    }
    let token = repository.api.sign_in(Role::Viewer, None).await;
    let unknown = repository.api.get_as(&token, "/v2/nosuch/tags/list").await;
    assert_refused(&unknown, 404, "NAME_UNKNOWN");
    assert_eq!(tags(&repository.get("/v2/late/tags/list").await).len(), 0);
}

#[tokio::test]
async fn listing_repositories() {
    let repository = Repository::open("registry_catalogue").await;
    assert_refused(&repository.get("/v2/_catalog").await, 401, "UNAUTHORIZED");
    let token = repository.api.sign_in(Role::Viewer, None).await;
    let first = repository.api.get_as(&token, "/v2/_catalog?n=3").await;
    assert_eq!(first.json(), json!({ "repositories": ["base-os", "late", "nginx"] }));
    let rest = repository.api.get_as(&token, &link(&first).unwrap()).await;
    assert_eq!(
        (rest.json(), link(&rest)),
        (json!({ "repositories": ["redis", "wavetank/trivy-db", "wavetank/trust"] }), None)
    );
}

#[tokio::test]
async fn a_prefix_shows_tags_and_statements_as_of_an_instant() {
    let repository = Repository::open("registry_as_of").await;
    let at = |instant: &str, rest: &str| format!("/v2/as-of/20260112t{instant}z/nginx/{rest}");
    let before = repository.get(&at("022959", "tags/list")).await;
    assert_eq!(tags(&before), ["1", "1.0", "1.0.0", "latest"]);
    assert_eq!(before.json()["name"], "as-of/20260112t022959z/nginx");
    assert_eq!(tags(&repository.get(&at("023000", "tags/list")).await).len(), 6);
    let digest = repository.digest();
    let latest = repository.head(&at("023000", "manifests/latest")).await;
    assert_eq!(latest.header("docker-content-digest"), digest);
    let early = repository.get(&at("022959.999", &format!("manifests/{digest}"))).await;
    assert_refused(&early, 404, "MANIFEST_UNKNOWN");
    for (instant, expected) in [("022959", 0), ("023000", 1), ("024000", 2), ("040000", 3)] {
        let list = repository.get(&at(instant, &format!("referrers/{digest}"))).await.json();
        let found: Vec<&Value> = list["manifests"].as_array().unwrap().iter().collect();
        assert_eq!(found.len(), expected, "{instant}");
    }
    let token = repository.api.sign_in(Role::Viewer, None).await;
    for other in ["as-of/20260112t070000z/nginx", "as-of/20260112t020000z/late"] {
        let answer = repository.api.get_as(&token, &format!("/v2/{other}/tags/list")).await;
        assert_refused(&answer, 404, "NAME_UNKNOWN");
    }
    let malformed = repository.get("/v2/as-of/2026-01-12/nginx/tags/list").await;
    assert_refused(&malformed, 400, "NAME_INVALID");
}
