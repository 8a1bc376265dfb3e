//! Statements as cosign 2 looks for them, and statements that are wrong on purpose: each as
//! docs/registry.md says it is.
use super::repository::{Repository, assert_refused, digest};
use documents::bundle::Bundle;
use documents::dsse::Envelope;
use serde_json::Value;

async fn bundles(repository: &Repository, prefix: &str) -> Vec<Bundle> {
    let name = repository.digest();
    let list = repository.get(&format!("/v2/{prefix}/nginx/referrers/{name}")).await.json();
    let mut found = Vec::new();
    for listed in list["manifests"].as_array().unwrap() {
        let manifest = listed["digest"].as_str().unwrap();
        let text = repository.bytes(&format!("/v2/{prefix}/nginx/manifests/{manifest}")).await;
        assert_eq!(digest(&text), manifest);
        let manifest: Value = serde_json::from_slice(&text).unwrap();
        let bundle = manifest["layers"][0]["digest"].as_str().unwrap();
        let bytes = repository.bytes(&format!("/v2/{prefix}/nginx/blobs/{bundle}")).await;
        assert_eq!(digest(&bytes), bundle);
        found.push(Bundle::parse(&bytes).unwrap());
    }
    found
}

#[tokio::test]
async fn evidence_is_wrong_where_a_prefix_asks_for_it() {
    let repository = Repository::open("registry_evidence").await;
    let public = repository.key.public();
    let genuine = bundles(&repository, "as-of/20260112t040000z").await;
    assert_eq!(genuine.len(), 3);
    assert!(genuine.iter().all(|bundle| bundle.envelope.verify(public).is_ok()));

    assert_eq!(bundles(&repository, "unsigned").await, []);
    let tag = repository.digest().replace(':', "-");
    let none = repository.get(&format!("/v2/unsigned/nginx/manifests/{tag}.att")).await;
    assert_refused(&none, 404, "MANIFEST_UNKNOWN");

    for (prefix, same_statement) in [("wrong-key", true), ("tampered", false)] {
        let wrong = bundles(&repository, prefix).await;
        assert_eq!(wrong.len(), 3);
        for (wrong, right) in wrong.iter().zip(&genuine) {
            assert!(wrong.envelope.verify(public).is_err(), "{prefix}");
            assert_eq!(wrong.envelope.payload == right.envelope.payload, same_statement);
            assert_eq!(wrong.envelope.signature == right.envelope.signature, !same_statement);
        }
    }
    let layer = digest(&repository.layer);
    for part in ["", "tampered/"] {
        let path = format!("/v2/damaged-layers/{part}nginx/blobs/{layer}");
        let damaged = repository.bytes(&path).await;
        assert_ne!(damaged, repository.layer);
        assert_eq!(damaged.len(), repository.layer.len());
    }
}

/// cosign 2 and OpenVEX's discovery look at the tag `sha256-<hex>.att`; "the first" is the newest.
#[tokio::test]
async fn envelopes_stand_under_the_tag_for_cosign_2() {
    let repository = Repository::open("registry_envelopes").await;
    let fresh = Repository::open("registry_envelopes_fresh").await;
    let tag = format!("{}.att", repository.digest().replace(':', "-"));
    let manifest = repository.get(&format!("/v2/nginx/manifests/{tag}")).await.json();
    let layers = manifest["layers"].as_array().unwrap();
    let types: Vec<&str> =
        layers.iter().map(|l| l["annotations"]["predicateType"].as_str().unwrap()).collect();
    let vex = "https://openvex.dev/ns";
    assert_eq!(types, [vex, vex, "https://sigstore.dev/cosign/sign/v1"]);
    for (layer, at) in layers.iter().zip(["04:00", "02:40"]) {
        let name = layer["digest"].as_str().unwrap();
        for one in [&repository, &fresh] {
            let bytes = one.bytes(&format!("/v2/nginx/blobs/{name}")).await;
            assert_eq!((digest(&bytes), &layer["size"]), (name.to_owned(), &bytes.len().into()));
            let envelope = Envelope::parse(&bytes).unwrap();
            let payload = envelope.verify(repository.key.public()).unwrap();
            let payload: Value = serde_json::from_slice(payload).unwrap();
            assert_eq!(payload["predicate"]["timestamp"], at);
        }
    }
}
