//! The two Merkle logs, and what is attested of an image as of an instant.
use crate::support::Api;
use documents::merkle::{Hash, verify_consistency, verify_inclusion};
use serde_json::Value;

fn hash(text: &Value) -> Hash {
    hex::decode(text.as_str().unwrap()).unwrap().try_into().unwrap()
}

fn hashes(proof: &Value) -> Vec<Hash> {
    proof["hashes"].as_array().unwrap().iter().map(hash).collect()
}

#[tokio::test]
async fn entries_are_found_by_digest_and_index() {
    let api = Api::start("logs_entries").await;
    let of_image = format!("/v1/logs/transparency/entries?digest=sha256:{}", "d".repeat(64));
    let found = api.get(&of_image).await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
    let entry = api.get("/v1/logs/transparency/entries/1").await.json();
    assert_eq!(found["items"][0], entry);
    assert_eq!(entry["image"], "nginx");
    assert_eq!(entry["bundle_href"], format!("/v1/artifacts/{}", "9".repeat(64)));
    for sha256 in ["9", "6"] {
        let path = format!("/v1/logs/transparency/entries?digest=sha256:{}", sha256.repeat(64));
        assert_eq!(api.get(&path).await.json()["items"][0], entry, "bundle and document");
    }
    let nothing = format!("/v1/logs/transparency/entries?digest=sha256:{}", "e".repeat(64));
    assert_eq!(api.get(&nothing).await.json()["items"].as_array().unwrap().len(), 0);
    api.get("/v1/logs/transparency/entries?digest=nginx").await.problem(400, "invalid_parameter");
    api.get("/v1/logs/transparency/entries/9").await.problem(404, "log_entry_not_found");
    api.get("/v1/logs/other/checkpoint").await.problem(400, "invalid_parameter");
    api.get("/v1/logs/audit/checkpoint").await.problem(404, "log_entry_not_found");
}

#[tokio::test]
async fn proofs_verify_against_the_root() {
    let api = Api::start("logs_proofs").await;
    let path = "/v1/logs/transparency/inclusion-proof?index=1";
    let proof = api.get(path).await.json();
    let (size, root) = (proof["tree_size"].as_u64().unwrap(), hash(&proof["root"]));
    assert_eq!(size, 2, "the log's own first leaf and the attestation");
    assert!(verify_inclusion(&[0; 32], 1, size, &hashes(&proof), &root));
    let older = api.get("/v1/logs/transparency/inclusion-proof?index=0&tree_size=1").await.json();
    let consistent = api.get("/v1/logs/transparency/consistency-proof?from=1").await.json();
    let old_root = hash(&older["root"]);
    assert!(
        verify_consistency(1, 2, &hashes(&consistent), &old_root, &root),
        "{older} {consistent}"
    );
    for beyond in ["inclusion-proof?index=2", "inclusion-proof?index=1&tree_size=9"] {
        let path = format!("/v1/logs/transparency/{beyond}");
        api.get(&path).await.problem(400, "invalid_parameter");
    }
    let path = "/v1/logs/transparency/consistency-proof?from=9";
    api.get(path).await.problem(400, "invalid_parameter");
}

#[tokio::test]
async fn slsa_levels_and_bundles_are_those_of_the_instant() {
    let api = Api::start("logs_levels").await;
    let now = api.get("/v1/images/nginx").await.json();
    assert_eq!((&now["slsa"]["level"], &now["current"]["slsa_level"]), (&1.into(), &1.into()));
    assert_eq!(now["slsa"]["checks"][0]["passed"], false);
    let before = api.get("/v1/images/nginx?as_of=2026-01-12T03:00:00Z").await.json();
    assert_eq!((&before["slsa"]["level"], &before["settled"]), (&3.into(), &true.into()));
    assert_eq!(before["attestations"][0]["log_index"], 1);
    let replace = "INSERT INTO attestation_replacements (log_index, seq, tenant_namespace,
                       replaced_at, document_sha256, object_key, sha256, bytes)
                   VALUES (1, 55, 'catalogue', '2026-01-12T03:30Z', repeat('2', 64), 's3://x/r',
                           repeat('3', 64), 9)";
    sqlx::query(replace).execute(&api.pool).await.unwrap();
    let after = api.get("/v1/images/nginx").await.json();
    assert_eq!(after["attestations"][0]["sha256"], "3".repeat(64));
    let again = api.get("/v1/images/nginx?as_of=2026-01-12T03:00:00Z").await.json();
    assert_eq!(again, before, "the past does not change");
}
