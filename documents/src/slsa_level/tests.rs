//! Each piece of evidence that is missing lowers the level to what the others still show.

use std::collections::BTreeMap;

use super::*;
use crate::dsse::Envelope;
use crate::keys::SignerKey;
use crate::provenance::{self, Build, Source, builder_id};
use crate::statement::image_signature;
use crate::{Timestamp, Trigger, sample};

fn key(seed: &[u8]) -> SignerKey {
    SignerKey::from_seed(seed, "signer").unwrap()
}

fn image() -> Digest {
    Digest::of(b"image")
}

fn bundled(statement: Vec<u8>, key: &SignerKey) -> Bundle {
    let key_hint = key.public().id().hex();
    Bundle { key_hint, envelope: Envelope::sign(key, statement), log_entry: None }
}

fn provenance(builder: &str, extra: &[(&str, &str)]) -> Bundle {
    let contents = sample::contents(3);
    let extra: BTreeMap<String, String> =
        extra.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let statement = provenance::statement(&Build {
        contents: &contents,
        digest: image(),
        trigger: &Trigger::Bootstrap,
        builder_id: &builder_id(builder),
        source: Source { uri: "git+https://git.example/x", commit: "0" },
        invocation_id: "1",
        started: Timestamp::EPOCH,
        finished: Timestamp::EPOCH,
        extra_parameters: &extra,
    });
    bundled(statement.unwrap(), &key(b"7"))
}

fn assessed(bundle: &Bundle) -> Assessment {
    let root = |seed: &[u8], builder: &str, level| TrustedBuilder {
        key: key(seed).public().clone(),
        builder_id: builder_id(builder),
        level,
    };
    let roots =
        [root(b"9", "builder-1", 3), root(b"7", "builder-1", 3), root(b"7", "builder-2", 2)];
    assess(&bundle.to_json().unwrap(), image(), &roots, None)
}

#[test]
fn the_level_is_what_the_evidence_shows() {
    let full = assessed(&provenance("builder-1", &[]));
    assert_eq!((full.level, full.checks.len()), (3, 7));
    assert!(full.checks.iter().all(|check| check.passed));
    assert_eq!(assessed(&provenance("builder-2", &[])).level, 2);
    let unknown_builder = assessed(&provenance("builder-3", &[]));
    assert_eq!(unknown_builder.level, 1);
    assert!(!unknown_builder.passed(Check::Builder));
    let unknown_parameter = assessed(&provenance("builder-1", &[("debugShell", "1")]));
    assert_eq!(unknown_parameter.level, 2);
    let last = unknown_parameter.checks.last().unwrap();
    assert!(!last.passed && last.detail.contains("debugShell"));
}

#[test]
fn tampering_lowers_it() {
    let mut bundle = provenance("builder-1", &[]);
    bundle.envelope.signature[12] ^= 1;
    let tampered = assessed(&bundle);
    assert_eq!(tampered.level, 1);
    assert!(!tampered.passed(Check::Signature));
    let mut forged = provenance("builder-1", &[]);
    forged.envelope = Envelope::sign(&key(b"8"), forged.envelope.payload);
    assert_eq!(assessed(&forged).level, 1);
}

#[test]
fn nothing_about_the_image_is_level_0() {
    let signature = bundled(image_signature("img", image()).unwrap(), &key(b"7"));
    let other_kind = assessed(&signature);
    assert_eq!(other_kind.level, 0);
    assert!(!other_kind.passed(Check::PredicateType));
    let bytes = provenance("builder-1", &[]).to_json().unwrap();
    let other_image = assess(&bytes, Digest::of(b"other"), &[], None);
    assert_eq!(other_image.level, 0);
    assert!(!other_image.passed(Check::Subject));
    for bytes in [&b""[..], b"{}", b"null"] {
        assert_eq!(assess(bytes, image(), &[], None).level, 0);
    }
}

#[test]
fn an_unlogged_statement_is_level_1_where_a_log_is_asked_for() {
    let log = key(b"log");
    let roots = [TrustedBuilder {
        key: key(b"7").public().clone(),
        builder_id: builder_id("builder-1"),
        level: 3,
    }];
    let bytes = provenance("builder-1", &[]).to_json().unwrap();
    let identity = LogIdentity { key: log.public(), origin: "log" };
    let result = assess(&bytes, image(), &roots, Some(identity));
    assert_eq!(result.level, 1);
    assert!(result.checks.last().unwrap().detail.contains("no log entry"));
}
