//! A bundle of a small log verifies as it is, and for no other reason.

use super::*;
use crate::checkpoint::Checkpoint;
use crate::keys::SignerKey;
use crate::merkle::{Tree, leaf_hash};
use crate::rekor;
use crate::statement::image_signature;

const SECONDS: i64 = 1_767_578_400;

struct World {
    signer: SignerKey,
    log: SignerKey,
    origin: String,
}

impl World {
    fn new(seed: &[u8]) -> Self {
        let log = SignerKey::from_seed(seed, "log").unwrap();
        let origin = rekor::origin("log.wavetank.example", log.public().id());
        Self { signer: SignerKey::from_seed(seed, "signer").unwrap(), log, origin }
    }

    fn expectation(&self, subject: Digest) -> Expectation<'_> {
        Expectation {
            signer: self.signer.public(),
            log: Some(LogIdentity { key: self.log.public(), origin: &self.origin }),
            subject,
            predicate_type: PredicateType::ImageSignature,
        }
    }

    /// Bundles of the images 0 to 4, logged one after the other behind the log's first leaf.
    fn bundles(&self) -> Vec<Bundle> {
        self.bundles_at(SECONDS)
    }

    /// The same, at that second.
    fn bundles_at(&self, seconds: i64) -> Vec<Bundle> {
        let envelopes: Vec<Envelope> = (0..5)
            .map(|index| {
                let statement = image_signature("img", image(index)).unwrap();
                Envelope::sign(&self.signer, statement)
            })
            .collect();
        let bodies: Vec<Vec<u8>> = envelopes
            .iter()
            .map(|envelope| rekor::body(envelope, self.signer.public()).unwrap())
            .collect();
        let genesis = rekor::genesis_body(&self.origin).unwrap();
        let leaves = std::iter::once(&genesis).chain(&bodies);
        let tree = Tree::from_leaf_hashes(leaves.map(|body| leaf_hash(body)));
        let (size, root) = (tree.size(), tree.root(tree.size()).unwrap());
        let checkpoint = Checkpoint { origin: self.origin.clone(), size, root };
        let entry = |index: u64, body: &[u8]| LogEntry {
            index,
            integrated_seconds: seconds,
            body: body.to_vec(),
            log_id: self.log.public().id(),
            promise: rekor::promise(&self.log, body, index, seconds).unwrap(),
            proof: InclusionProof {
                tree_size: size,
                root,
                hashes: tree.inclusion_proof(index, size).unwrap(),
                checkpoint: checkpoint.sign_ecdsa("log.wavetank.example", &self.log),
            },
        };
        let with_entry = |(index, envelope): (usize, Envelope)| Bundle {
            key_hint: self.signer.public().id().hex(),
            log_entry: Some(entry(index as u64 + 1, &bodies[index])),
            envelope,
        };
        envelopes.into_iter().enumerate().map(with_entry).collect()
    }
}

fn image(index: u8) -> Digest {
    Digest::of(&[index])
}

fn reason(bundle: &Bundle, expected: &Expectation<'_>) -> String {
    bundle.verify(expected).unwrap_err().to_string()
}

#[test]
fn round_trip_and_verification() {
    let world = World::new(b"7");
    for (index, bundle) in world.bundles().into_iter().enumerate() {
        let bytes = bundle.to_json().unwrap();
        let read = Bundle::parse(&bytes).unwrap();
        assert_eq!(read, bundle);
        let subject = image(index as u8);
        assert_eq!(read.verify(&world.expectation(subject)).unwrap().subject(), subject);
    }
    let bytes = |seed| World::new(seed).bundles()[2].to_json().unwrap();
    assert_eq!(bytes(b"7"), bytes(b"7"));
    assert_ne!(bytes(b"7"), bytes(b"8"));
}

#[test]
fn each_negative_for_its_reason() {
    let (world, other) = (World::new(b"7"), World::new(b"8"));
    let bundle = &world.bundles()[2];
    let expected = world.expectation(image(2));
    assert!(reason(bundle, &world.expectation(image(3))).contains("subject"));
    let another = Expectation { predicate_type: PredicateType::Spdx, ..expected };
    assert!(reason(bundle, &another).contains("predicate type"));
    assert!(reason(bundle, &other.expectation(image(2))).contains("signature"));
    let another = Expectation { log: other.expectation(image(2)).log, ..expected };
    assert!(reason(bundle, &another).contains("another log"));

    let changed = |change: &dyn Fn(&mut Bundle)| {
        let mut changed = bundle.clone();
        change(&mut changed);
        reason(&changed, &expected)
    };
    let entry = |change: &dyn Fn(&mut LogEntry)| {
        changed(&|bundle| change(bundle.log_entry.as_mut().unwrap()))
    };
    assert!(changed(&|b| b.envelope.signature[9] ^= 1).contains("signature is not by this key"));
    assert!(changed(&|b| b.log_entry = None).contains("no log entry"));
    assert!(entry(&|e| e.integrated_seconds += 1).contains("promise"));
    assert!(entry(&|e| e.proof.hashes[0][0] ^= 1).contains("inclusion proof"));
    assert!(entry(&|e| e.proof.root[0] ^= 1).contains("another tree"));
    assert!(entry(&|e| e.proof.tree_size += 1).contains("another tree"));
    let replayed = other.bundles()[2].log_entry.clone().unwrap().proof;
    assert!(entry(&|e| e.proof = replayed.clone()).contains("it is of the log"));
    let neighbour = world.bundles()[1].log_entry.clone();
    assert!(changed(&|b| b.log_entry = neighbour.clone()).contains("another payload"));
}

#[test]
fn what_sigstore_takes_for_absent_is_refused() {
    let world = World::new(b"7");
    // Everything about it is right but for the time, which protobuf's JSON reads as not given.
    for seconds in [0, -1] {
        let bundle = &world.bundles_at(seconds)[2];
        let read = Bundle::parse(&bundle.to_json().unwrap()).unwrap();
        assert!(reason(&read, &world.expectation(image(2))).contains("no integrated time"));
    }
    world.bundles_at(1)[2].verify(&world.expectation(image(2))).unwrap();
    let mut first = world.bundles().remove(2);
    first.log_entry.as_mut().unwrap().index = 0;
    assert!(reason(&first, &world.expectation(image(2))).contains("no index"));
    let text = String::from_utf8(world.bundles()[0].to_json().unwrap()).unwrap();
    for member in ["inclusionPromise", "inclusionProof", "integratedTime", "checkpoint"] {
        let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let entry = &mut value["verificationMaterial"]["tlogEntries"][0];
        let holder = if member == "checkpoint" { &mut entry["inclusionProof"] } else { entry };
        assert!(holder.as_object_mut().unwrap().remove(member).is_some());
        assert!(Bundle::parse(value.to_string().as_bytes()).is_err(), "{member}");
    }
}

#[test]
fn without_a_log_where_none_is_asked() {
    let world = World::new(b"7");
    let mut bundle = world.bundles().remove(0);
    bundle.log_entry = None;
    let bytes = bundle.to_json().unwrap();
    assert!(String::from_utf8_lossy(&bytes).contains("\"tlogEntries\":[]"));
    let expected = Expectation { log: None, ..world.expectation(image(0)) };
    Bundle::parse(&bytes).unwrap().verify(&expected).unwrap();
}

#[test]
fn malformed_bundles_are_refused() {
    let text = String::from_utf8(World::new(b"7").bundles()[0].to_json().unwrap()).unwrap();
    for (from, to) in [
        ("v0.3+json", "v0.2+json"),
        ("\"publicKey\":{", "\"certificate\":{"),
        ("\"treeSize\":\"6\"", "\"treeSize\":\"x\""),
        ("\"treeSize\":\"6\"", "\"treeSize\":6.0"),
        ("\"treeSize\"", "\"tree_size\":\"6\",\"treeSize\""),
        ("\"tlogEntries\"", "\"timestampVerificationData\":{\"more\":1},\"tlogEntries\""),
        ("\"kind\":\"dsse\"", "\"kind\":\"intoto\""),
        ("\"tlogEntries\":[", "\"tlogEntries\":[null,"),
        ("{\"mediaType\"", "{\"more\":1,\"mediaType\""),
        ("\"logIndex\"", "\"more\":1,\"logIndex\""),
        ("\"sig\"", "\"more\":1,\"sig\""),
    ] {
        assert!(text.contains(from), "{from}");
        assert!(Bundle::parse(text.replacen(from, to, 1).as_bytes()).is_err(), "{to}");
    }
}

/// What ProtoJSON lets a writer choose, and older names of the media type.
#[test]
fn other_forms_of_a_bundle_are_the_same_bundle() {
    let bundle = World::new(b"7").bundles().remove(0);
    let text = String::from_utf8(bundle.to_json().unwrap()).unwrap();
    for (from, to) in [
        ("\"treeSize\":\"6\"", "\"treeSize\":6"),
        ("\"treeSize\"", "\"tree_size\""),
        ("\"dsseEnvelope\"", "\"dsse_envelope\""),
        ("\"payloadType\"", "\"payload_type\""),
        ("bundle.v0.3+json", "bundle+json;version=0.3"),
        ("bundle.v0.3+json", "bundle+json;version=0.2"),
        ("\"tlogEntries\"", "\"timestampVerificationData\":{},\"tlogEntries\""),
        ("\"tlogEntries\"", "\"timestampVerificationData\":null,\"tlogEntries\""),
    ] {
        assert!(text.contains(from), "{from}");
        assert_eq!(Bundle::parse(text.replacen(from, to, 1).as_bytes()).unwrap(), bundle, "{to}");
    }
}
