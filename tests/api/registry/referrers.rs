//! distribution-spec 1.1, "Listing Referrers" and "Unavailable Referrers API".
use super::repository::{BUNDLE, INDEX, MANIFEST, Repository, assert_refused, digest};
use serde_json::{Value, json};

fn manifests(index: &Value) -> &Vec<Value> {
    index["manifests"].as_array().unwrap()
}

#[tokio::test]
async fn listing_referrers() {
    let repository = Repository::open("registry_referrers").await;
    let path = format!("/v2/nginx/referrers/{}", repository.digest());
    let answer = repository.get(&path).await;
    assert_eq!(answer.header("content-type"), INDEX);
    assert!(!answer.headers.contains_key("oci-filters-applied"));
    let index = answer.json();
    assert_eq!((&index["schemaVersion"], &index["mediaType"]), (&json!(2), &json!(INDEX)));
    // The newest first, each as its manifest says it is; none was listed before by this process.
    let fresh = Repository::open("registry_referrers_fresh").await;
    assert_eq!(manifests(&index).len(), 3);
    for (listed, bundle) in manifests(&index).iter().zip(&repository.bundles) {
        let name = listed["digest"].as_str().unwrap();
        for one in [&repository, &fresh] {
            let manifest = one.get(&format!("/v2/nginx/manifests/{name}")).await;
            assert_eq!(manifest.header("content-type"), MANIFEST);
            assert_eq!(digest(manifest.text.as_bytes()), name);
            assert_eq!(listed["size"], manifest.text.len());
            let manifest = manifest.json();
            assert_eq!(manifest["subject"]["digest"], repository.digest());
            assert_eq!(manifest["subject"]["size"], repository.manifest.len());
            assert_eq!(listed["artifactType"], manifest["artifactType"]);
            assert_eq!(listed["artifactType"], BUNDLE);
            assert_eq!(listed["annotations"], manifest["annotations"]);
            assert_eq!(manifest["layers"][0]["mediaType"], BUNDLE);
            assert_eq!(manifest["layers"][0]["digest"], *bundle);
            let config = manifest["config"]["digest"].as_str().unwrap();
            assert_eq!(one.bytes(&format!("/v2/nginx/blobs/{config}")).await, b"{}");
            let stored = one.bytes(&format!("/v2/nginx/blobs/{bundle}")).await;
            assert_eq!(manifest["layers"][0]["size"], stored.len());
        }
        let early = format!("/v2/as-of/20260112t022000z/nginx/manifests/{name}");
        assert_refused(&repository.get(&early).await, 404, "MANIFEST_UNKNOWN");
    }
}

/// "If the query results in no matching referrers, an empty manifest list MUST be returned."
#[tokio::test]
async fn listing_referrers_of_a_manifest_that_nothing_refers_to() {
    let repository = Repository::open("registry_no_referrers").await;
    let sha512 = format!("sha512:{}", "0".repeat(128));
    for subject in [&digest(b"nothing"), &sha512] {
        let answer = repository.get(&format!("/v2/nginx/referrers/{subject}")).await;
        assert_eq!(answer.header("content-type"), INDEX);
        assert_eq!(manifests(&answer.json()).len(), 0);
    }
    // "If the request is invalid, such as a <digest> with an invalid syntax, a 400 Bad Request MUST
    // be returned."
    let bad = repository.get("/v2/nginx/referrers/sha256:x").await;
    assert_refused(&bad, 400, "DIGEST_INVALID");
}

#[tokio::test]
async fn listing_referrers_filtered_by_artifact_type() {
    let repository = Repository::open("registry_filter").await;
    let path = format!("/v2/nginx/referrers/{}", repository.digest());
    for (kind, expected) in [(BUNDLE, 3), ("application/spdx+json", 0), ("a%00b", 0)] {
        let answer =
            repository.get(&format!("{path}?artifactType={}", kind.replace('+', "%2B"))).await;
        assert_eq!(answer.header("oci-filters-applied"), "artifactType");
        assert_eq!(manifests(&answer.json()).len(), expected, "{kind}");
    }
}

#[tokio::test]
async fn listing_referrers_in_pages() {
    let repository = Repository::open("registry_referrer_pages").await;
    let path = format!("/v2/nginx/referrers/{}", repository.digest());
    let all = repository.get(&path).await.json();
    let kind = BUNDLE.replace('+', "%2B");
    let mut next = Some(format!("{path}?n=2&artifactType={kind}"));
    let (mut found, mut pages) = (Vec::new(), 0);
    while let Some(path) = next {
        let answer = repository.get(&path).await;
        assert_eq!(answer.header("oci-filters-applied"), "artifactType");
        found.extend(manifests(&answer.json()).clone());
        pages += 1;
        let link = answer.headers.get("link").map(|link| link.to_str().unwrap());
        next = link.map(|link| link[1..link.find('>').unwrap()].to_owned());
    }
    assert_eq!((pages, &found), (2, manifests(&all)));
    for bad in ["last=x", "last=1.2", "last=1.2.zz", "last=1.2.00", "n=x"] {
        let answer = repository.get(&format!("{path}?{bad}")).await;
        assert_refused(&answer, 400, "PAGINATION_NUMBER_INVALID");
    }
}

/// "Referrers Tag Schema": `sha256-<hex>` where the API answers 404.
#[tokio::test]
async fn unavailable_referrers_api() {
    let repository = Repository::open("registry_tag_schema").await;
    let (name, listed) = (repository.digest(), "/v2/nginx/referrers");
    let old = format!("/v2/no-referrers-api/nginx/referrers/{name}");
    assert_eq!(repository.get(&old).await.status, 404);
    let tag = name.replace(':', "-");
    let path = format!("/v2/no-referrers-api/nginx/manifests/{tag}");
    let by_tag = repository.get(&path).await;
    assert_eq!(by_tag.header("content-type"), INDEX);
    assert_eq!(by_tag.json(), repository.get(&format!("{listed}/{name}")).await.json());
    let digest = by_tag.header("docker-content-digest");
    let by_digest = repository.get(&format!("/v2/no-referrers-api/nginx/manifests/{digest}")).await;
    assert_eq!(by_digest.text, by_tag.text);
    let tags = repository.get("/v2/no-referrers-api/nginx/tags/list").await;
    assert!(tags.text.contains(&tag), "{}", tags.text);
    // Where there is the API, there is no such tag.
    let answer = repository.get(&format!("/v2/nginx/manifests/{tag}")).await;
    assert_refused(&answer, 404, "MANIFEST_UNKNOWN");
}
