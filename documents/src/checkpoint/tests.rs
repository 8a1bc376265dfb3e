//! Checkpoints are accepted from their own log's key only, and as they were signed.

use super::*;

const NAME: &str = "wavetank.example/log/7";

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: NAME.into(), size: 42, root: [7; 32] }
}

fn verifier(seed: &[u8]) -> (CheckpointKey, VerifierKey) {
    let key = CheckpointKey::from_seed(seed, "log");
    let verifier = VerifierKey::new(NAME, key.public()).unwrap();
    (key, verifier)
}

#[test]
fn text_of_a_note() {
    let (key, _) = verifier(b"7");
    let text = checkpoint().sign_ed25519(NAME, &key);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(&lines[..2], [NAME, "42"]);
    assert_eq!(lines[2], "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
    assert_eq!(lines[3], "");
    assert!(lines[4].starts_with("\u{2014} wavetank.example/log/7 "));
    assert_eq!(lines.len(), 5);
    assert_eq!(text, checkpoint().sign_ed25519(NAME, &key));
}

#[test]
fn both_signatures_round_trip() {
    let (key, verifier_key) = verifier(b"7");
    let text = checkpoint().sign_ed25519(NAME, &key);
    assert_eq!(Checkpoint::verify_ed25519(&text, &verifier_key, NAME).unwrap(), checkpoint());
    let signer = SignerKey::from_seed(b"7", "rekor").unwrap();
    let text = checkpoint().sign_ecdsa("wavetank.example", &signer);
    assert_eq!(Checkpoint::verify_ecdsa(&text, signer.public(), NAME).unwrap(), checkpoint());
}

#[test]
fn another_world_is_rejected() {
    let (key, verifier_key) = verifier(b"7");
    let (other, _) = verifier(b"8");
    let replayed = checkpoint().sign_ed25519(NAME, &other);
    assert!(matches!(
        Checkpoint::verify_ed25519(&replayed, &verifier_key, NAME),
        Err(Error::Rejected { .. })
    ));
    let text = checkpoint().sign_ed25519(NAME, &key);
    let error = Checkpoint::verify_ed25519(&text, &verifier_key, "another log").unwrap_err();
    assert!(error.to_string().contains("another log"));
    let renamed = text.replace("\u{2014} wavetank", "\u{2014} tank");
    assert!(Checkpoint::verify_ed25519(&renamed, &verifier_key, NAME).is_err());
}

#[test]
fn every_change_of_a_byte_is_refused() {
    let (key, verifier_key) = verifier(b"7");
    let text = checkpoint().sign_ed25519(NAME, &key);
    for index in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[index] ^= 1;
        if let Ok(changed) = String::from_utf8(bytes) {
            assert!(
                Checkpoint::verify_ed25519(&changed, &verifier_key, NAME).is_err(),
                "byte {index}: {changed:?}"
            );
        }
        if text.is_char_boundary(index) {
            assert!(Checkpoint::verify_ed25519(&text[..index], &verifier_key, NAME).is_err());
        }
    }
    for text in [
        text.replace("\n42\n", "\n042\n"),
        text.replace("\n42\n", "\n+42\n"),
        text.replace("\n42\n", "\n42\nextra\n"),
        "x".repeat(1 << 20),
    ] {
        assert!(Checkpoint::verify_ed25519(&text, &verifier_key, NAME).is_err());
    }
}

/// C2SP tlog-checkpoint: lines after the root are extensions, and signed like the others.
#[test]
fn extension_lines_are_signed_and_passed_over() {
    let (key, verifier_key) = verifier(b"7");
    let body = format!("{}Timestamp: 1767578400\n", checkpoint().body());
    let id = ed25519_key_id(NAME, &key.public());
    let text = note(&body, NAME, id, &key.sign(body.as_bytes()));
    assert_eq!(Checkpoint::verify_ed25519(&text, &verifier_key, NAME).unwrap(), checkpoint());
    let changed = text.replace("1767578400", "1767578401");
    assert!(Checkpoint::verify_ed25519(&changed, &verifier_key, NAME).is_err());
}

#[test]
fn a_second_signature_by_a_witness_is_no_harm() {
    let (key, verifier_key) = verifier(b"7");
    let (other, _) = verifier(b"8");
    let own = checkpoint().sign_ed25519(NAME, &key);
    let witness = checkpoint().sign_ed25519("witness", &other);
    let both = format!("{own}{}", witness.split_once("\n\n").unwrap().1);
    assert_eq!(Checkpoint::verify_ed25519(&both, &verifier_key, NAME).unwrap(), checkpoint());
}

#[test]
fn verifier_keys_round_trip() {
    let (_, key) = verifier(b"7");
    let text = key.to_string();
    assert_eq!(VerifierKey::parse(&text).unwrap(), key);
    assert!(VerifierKey::parse(&text.replace("log/7", "log/8")).is_err());
    for bad in ["", "a", "a+b", "a+00000000+AAAA", "a b+00000000+AAAA"] {
        assert!(VerifierKey::parse(bad).is_err());
    }
    assert!(VerifierKey::new("a b", [0; 32]).is_err());
    assert!(VerifierKey::new("", [0; 32]).is_err());
}

#[test]
fn the_verifier_key_of_the_go_note_package() {
    // The published example of golang.org/x/mod/sumdb/note.
    let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    assert_eq!(VerifierKey::parse(text).unwrap().to_string(), text);
}
