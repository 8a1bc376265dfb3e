//! Every case of the catalogue has its verdict, and every failing one for its reason.
use super::*;
use documents::forgeries::{self, Case, Evidence, Made, make_one, sample};

fn evidence() -> Evidence {
    sample(7).unwrap()
}

fn said(case: &Case, made: &Made) -> Result<(), Refusal> {
    let file = |name: &str| Ok(made.files.get(name).cloned().map(Bytes::from));
    verify(file, case.predicate_type(), None)
}

#[test]
fn every_case_has_the_verdict_that_it_states() {
    let made = forgeries::make(&evidence()).unwrap();
    let mut wrong = Vec::new();
    for (case, made) in forgeries::cases().zip(&made) {
        let said = said(case, made);
        if said.is_ok() != (case.verdict() == forgeries::Verdict::Pass) {
            wrong.push(format!("{}: {said:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Where something else would have refused a case too, it would show nothing.
#[test]
fn cases_fail_for_their_reason() {
    const BY_THIS_KEY: &str = "signature is not by this key";
    const ANOTHER_TREE: &str = "another tree than the proof";
    const TO_THE_ROOT: &str = "does not lead to the root";
    const BY_THE_LOG: &str = "no valid signature by the log's key";
    for (name, file, reason) in [
        ("signature-flipped_fail", BUNDLE, BY_THIS_KEY),
        ("signature-by-a-stranger_fail", BUNDLE, BY_THIS_KEY),
        ("signature-over-the-bare-payload_fail", BUNDLE, BY_THIS_KEY),
        ("signature-twice_fail", BUNDLE, "exactly one signature"),
        ("payload-type-unknown_fail", BUNDLE, "not an in-toto statement"),
        ("artifact-flipped_fail", BUNDLE, "its subject is"),
        ("key-unknown_fail", BUNDLE, BY_THIS_KEY),
        ("key-flipped_fail", KEY, "expected a P-256"),
        ("predicate-type-not-asked-for_fail", BUNDLE, "predicate type"),
        ("entry-missing_fail", BUNDLE, "no log entry"),
        ("entry-of-another-image_fail", BUNDLE, "another payload"),
        ("body-of-another-payload_fail", BUNDLE, "another payload"),
        ("body-of-another-signer_fail", BUNDLE, "another signer"),
        ("body-of-another-signature_fail", BUNDLE, "another signature"),
        ("log-id-of-another-log_fail", TRUSTED_ROOT, "does not name the log"),
        ("integrated-time-later_fail", BUNDLE, "did not sign this promise"),
        ("integrated-time-none_fail", BUNDLE, "no integrated time"),
        ("promise-missing_fail", BUNDLE, "inclusionPromise"),
        ("promise-of-another-entry_fail", BUNDLE, "did not sign this promise"),
        ("promise-by-the-signer_fail", BUNDLE, "did not sign this promise"),
        ("proof-missing_fail", BUNDLE, "inclusionProof"),
        ("proof-hash-flipped_fail", BUNDLE, TO_THE_ROOT),
        ("proof-hashes-of-a-later-tree_fail", BUNDLE, TO_THE_ROOT),
        ("proof-of-a-later-tree_fail", BUNDLE, ANOTHER_TREE),
        ("tree-size-off_fail", BUNDLE, ANOTHER_TREE),
        ("root-hash-flipped_fail", BUNDLE, ANOTHER_TREE),
        ("checkpoint-of-a-later-tree_fail", BUNDLE, ANOTHER_TREE),
        ("checkpoint-of-another-log_fail", BUNDLE, "it is of the log"),
        ("checkpoint-by-a-stranger_fail", BUNDLE, BY_THE_LOG),
        ("checkpoint-size-changed_fail", BUNDLE, BY_THE_LOG),
        ("checkpoint-of-a-fork_fail", BUNDLE, TO_THE_ROOT),
        ("log-unknown_fail", TRUSTED_ROOT, "does not name the log"),
        ("log-key-of-another-log_fail", TRUSTED_ROOT, "not that of its key"),
        ("log-key-not-yet-valid_fail", BUNDLE, "before its key"),
        ("log-key-expired_fail", BUNDLE, "after its key"),
        ("log-key-without-start_fail", TRUSTED_ROOT, "start"),
        ("statement-v0.1_fail", BUNDLE, "not in-toto Statement v1"),
        ("statement-member-unknown_fail", BUNDLE, "unknown field `more`"),
        ("subject-none_fail", BUNDLE, "no subject has a SHA-256"),
        ("subject-digest-cut_fail", BUNDLE, "is not a digest"),
        ("subject-in-the-predicate_fail", BUNDLE, "its subject is"),
        ("predicate-type-of-another-version_fail", BUNDLE, "predicate type"),
        ("media-type-unknown_fail", BUNDLE, "media type"),
        ("bundle-member-unknown_fail", BUNDLE, "unknown field `more`"),
        ("material-without-key_fail", BUNDLE, "no key hint"),
    ] {
        let case = forgeries::case(name).unwrap_or_else(|| panic!("there is no {name}"));
        let refusal = said(case, &make_one(case, &evidence()).unwrap()).unwrap_err();
        assert!(refusal.file == file && refusal.reason.contains(reason), "{name}: {refusal:?}");
    }
}

#[test]
fn a_key_that_is_given_takes_the_place_of_the_cases() {
    let case = forgeries::case("spdx").unwrap();
    let made = make_one(case, &evidence()).unwrap();
    let file = |name: &str| Ok(made.files.get(name).cloned().map(Bytes::from));
    let key = evidence().identity.signer;
    verify(file, case.predicate_type(), Some(&key)).unwrap();
    let other = sample(8).unwrap().identity.signer;
    let refusal = verify(file, case.predicate_type(), Some(&other)).unwrap_err();
    assert_eq!(
        (refusal.file, refusal.reason.as_str()),
        (KEY, "it is another key than the one given")
    );
}

#[test]
fn a_file_that_is_missing_is_named() {
    let case = forgeries::case("spdx").unwrap();
    let made = make_one(case, &evidence()).unwrap();
    for lost in [BUNDLE, KEY, TRUSTED_ROOT, ARTIFACT] {
        let file = |name: &str| {
            Ok(made.files.get(name).filter(|_| name != lost).cloned().map(Bytes::from))
        };
        let refusal = verify(file, case.predicate_type(), None).unwrap_err();
        assert_eq!((refusal.file, refusal.reason.as_str()), (lost, "it is missing"));
    }
}
