//! Cases in which something is wrong with the signature, what it is over, or the key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::anew::Anew;
use super::case::Case;
use super::draft::{EXPECTED, PAYLOAD, SIGNATURE, SIGNATURES, flip, other_digit, unusable};
use super::rule::Rule;
use crate::bundle::Bundle;
use crate::dsse::{Envelope, pae};
use crate::rekor::LoggedEnvelope;
use crate::statement::{PAYLOAD_TYPE, PredicateType};

const KIND: PredicateType = PredicateType::ImageSignature;

pub(super) const CASES: &[Case] = &[
    Case::new(
        "signature-flipped_fail",
        "One bit of the signature is another.",
        Rule::Dsse,
        "The signature must be by the key over the payload and its type.",
    )
    .changing(&["bundle:/dsseEnvelope/signatures/0/sig"])
    .edited(|draft, _| draft.text(SIGNATURE, flip)),
    Case::new(
        "signature-empty_fail",
        "The signature is of no bytes.",
        Rule::Dsse,
        "No bytes are no signature.",
    )
    .changing(&["bundle:/dsseEnvelope/signatures/0/sig"])
    .edited(|draft, _| draft.put(SIGNATURE, "")),
    Case::new(
        "signature-of-another-statement_fail",
        "The signature is that of a statement about another image.",
        Rule::Dsse,
        "A signature by the right key over another payload says nothing about this one.",
    )
    .changing(&["bundle:/dsseEnvelope/signatures/0/sig"])
    .edited(|draft, bench| draft.splice(SIGNATURE, &bench.other(KIND)?)),
    Case::new(
        "signature-over-the-bare-payload_fail",
        "The key signed the payload alone, without its type.",
        Rule::Dsse,
        "What is signed is the pre-authentication encoding of type and payload.",
    )
    .signing(|bench, payload| {
        let signature = bench.keys.signer.sign(&payload);
        bench.logged(Envelope { payload_type: PAYLOAD_TYPE.to_owned(), payload, signature })
    })
    .changing(&["bundle:/dsseEnvelope/signatures/0/sig"]),
    Case::new(
        "signature-by-a-stranger_fail",
        "Another key than the one that is asked for has signed, and the log holds it.",
        Rule::Dsse,
        "Whoever signed, it is not the key that is trusted; a log takes what anybody signs.",
    )
    .signing(|bench, payload| {
        let envelope = Envelope::sign(&bench.stranger.signer, payload);
        let body = LoggedEnvelope::of(&envelope)?.body(bench.stranger.signer.public())?;
        Ok(Anew { envelope, body })
    })
    .changing(&["bundle:/dsseEnvelope/signatures/0/sig", "body:/spec/signatures/0/verifier"]),
    Case::new(
        "signatures-none_fail",
        "The envelope has no signature.",
        Rule::Bundle,
        "The envelope of a bundle has exactly one signature.",
    )
    .changing(&["bundle:/dsseEnvelope/signatures"])
    .edited(|draft, _| draft.put(SIGNATURES, json!([]))),
    Case::new(
        "signature-twice_fail",
        "The envelope has the same signature twice.",
        Rule::Bundle,
        "The envelope of a bundle has exactly one signature, and the log entry names one.",
    )
    .changing(&["bundle:/dsseEnvelope/signatures/1"])
    .edited(|draft, _| {
        draft.bundle(|bundle| {
            let signatures = bundle.pointer_mut(SIGNATURES)?.as_array_mut()?;
            signatures.push(signatures.first()?.clone());
            Some(())
        })
    }),
    Case::new(
        "signature-of-a-stranger-beside_fail",
        "Beside the right signature there is one by an unknown key.",
        Rule::Bundle,
        "The envelope of a bundle has exactly one signature, and the log entry names one.",
    )
    .changing(&["bundle:/dsseEnvelope/signatures/1"])
    .edited(|draft, bench| {
        let payload = Bundle::parse(&draft.bundle)?.envelope.payload;
        let signature = bench.stranger.signer.sign(&pae(PAYLOAD_TYPE, &payload));
        draft.bundle(|bundle| {
            let signatures = bundle.pointer_mut(SIGNATURES)?.as_array_mut()?;
            signatures.push(json!({"sig": STANDARD.encode(signature), "keyid": ""}));
            Some(())
        })
    }),
    Case::new(
        "payload-flipped_fail",
        "A digit of the statement is another.",
        Rule::Dsse,
        "The signature is over the payload as it was.",
    )
    .changing(&["statement:/predicate/image"])
    .edited(|draft, _| {
        draft.text(PAYLOAD, |payload| {
            let statement = String::from_utf8(STANDARD.decode(payload).ok()?).ok()?;
            Some(STANDARD.encode(other_digit(&statement)?))
        })
    }),
    Case::new(
        "payload-of-another-statement_fail",
        "The statement is one of the same image about something else, under this signature.",
        Rule::Dsse,
        "The signature is over another payload.",
    )
    .changing(&["statement:/predicate", "statement:/predicateType"])
    .edited(|draft, bench| draft.splice(PAYLOAD, &bench.victim(PredicateType::Provenance)?)),
    Case::new(
        "payload-type-changed_fail",
        "The payload type is text/plain, which was not signed.",
        Rule::Dsse,
        "The signature is over the payload's type too.",
    )
    .changing(&["bundle:/dsseEnvelope/payloadType"])
    .edited(|draft, _| draft.put("/dsseEnvelope/payloadType", "text/plain")),
    Case::new(
        "payload-type-unknown_fail",
        "The payload is signed as application/json.",
        Rule::Bundle,
        "A verifier must check that the payload type is one that it expects: here that of in-toto.",
    )
    .signing(|bench, payload| {
        let payload_type = "application/json".to_owned();
        let signature = bench.keys.signer.sign(&pae(&payload_type, &payload));
        bench.logged(Envelope { payload_type, payload, signature })
    })
    .changing(&["bundle:/dsseEnvelope/payloadType"]),
    Case::new(
        "artifact-flipped_fail",
        "One digit of the artifact is another.",
        Rule::Statement,
        "The artifact's SHA-256 is none of the statement's subjects.",
    )
    .changing(&["artifact"])
    .edited(|draft, _| {
        let text = std::str::from_utf8(&draft.artifact).ok().and_then(other_digit);
        draft.artifact = text.ok_or_else(unusable)?.into_bytes();
        Ok(())
    }),
    Case::new(
        "artifact-of-another-image_fail",
        "The artifact is another image's; the bundle is genuine.",
        Rule::Statement,
        "The artifact's SHA-256 is none of the statement's subjects.",
    )
    .changing(&["artifact"])
    .edited(|draft, bench| {
        draft.artifact = bench.other_manifest().to_vec();
        Ok(())
    }),
    Case::new(
        "key-unknown_fail",
        "The key that is asked for is a stranger's.",
        Rule::Dsse,
        "It has not signed this.",
    )
    .changing(&["key"])
    .edited(|draft, bench| {
        draft.key = bench.stranger.identity.signer.pem().to_owned();
        Ok(())
    }),
    Case::new(
        "key-of-the-log_fail",
        "The key that is asked for is the log's.",
        Rule::Dsse,
        "The log's key has signed the promise and the checkpoint, not the statement.",
    )
    .changing(&["key"])
    .edited(|draft, bench| {
        draft.key = bench.evidence().identity.log.pem().to_owned();
        Ok(())
    }),
    Case::new(
        "key-flipped_fail",
        "One bit of the key is another: it is no point of the curve.",
        Rule::Dsse,
        "It is no key that could have signed.",
    )
    .changing(&["key"])
    .edited(|draft, bench| {
        let mut der = bench.evidence().identity.signer.der().to_vec();
        *der.last_mut().ok_or_else(unusable)? ^= 1;
        draft.key = pem(&der);
        Ok(())
    }),
    Case::new(
        "predicate-type-not-asked-for_fail",
        "Provenance is asked for; the bundle is the image's signature.",
        Rule::Statement,
        "The predicate type says how the predicate is to be understood: it must be the expected one.",
    )
    .changing(&[EXPECTED]),
];

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let (first, rest) = text.split_at(text.len().min(64));
    format!("-----BEGIN PUBLIC KEY-----\n{first}\n{rest}\n-----END PUBLIC KEY-----\n")
}
