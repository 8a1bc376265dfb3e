//! Cases in which something is wrong with the log entry: what it is about, its time, its promise.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::anew::{Anew, promise};
use super::case::Case;
use super::draft::{
    BODY, ENTRY, INDEX, PROMISE, PROOF_INDEX, TIME, flip, next, other_digit, unusable,
};
use super::rule::Rule;
use crate::dsse::Envelope;
use crate::rekor::LoggedEnvelope;
use crate::statement::PredicateType;

const KIND: PredicateType = PredicateType::ImageSignature;
const ENTRIES: &str = "/verificationMaterial/tlogEntries";

pub(super) const CASES: &[Case] = &[
    Case::new(
        "entry-missing_fail",
        "There is no log entry.",
        Rule::Client,
        "A client that asks for transparency needs an entry in a trusted log.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries"])
    .edited(|draft, _| draft.put(ENTRIES, json!([]))),
    Case::new(
        "entry-of-another-image_fail",
        "The log entry is that of another image's signature, genuine in itself.",
        Rule::Client,
        "The logged body must be about this envelope.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0"])
    .edited(|draft, bench| draft.splice(ENTRY, &bench.other(KIND)?)),
    Case::new(
        "entry-of-another-statement_fail",
        "The log entry is that of the same image's provenance, genuine in itself.",
        Rule::Client,
        "The logged body must be about this envelope.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0"])
    .edited(|draft, bench| draft.splice(ENTRY, &bench.victim(PredicateType::Provenance)?)),
    Case::new(
        "entry-kind-wrong_fail",
        "The entry is said to be a hashedrekord; the logged body is a dsse.",
        Rule::LogEntry,
        "Kind and version must be those of the logged body.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/kindVersion/kind"])
    .edited(|draft, _| draft.put(&format!("{ENTRY}/kindVersion/kind"), "hashedrekord")),
    Case::new(
        "body-missing_fail",
        "The entry has no logged body.",
        Rule::LogEntry,
        "Without its body an entry is about nothing, and no leaf can be computed.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/canonicalizedBody"])
    .edited(|draft, _| draft.remove(ENTRY, "canonicalizedBody")),
    Case::new(
        "body-flipped_fail",
        "A digit of the payload's hash in the logged body is another.",
        Rule::Client,
        "The body is about another payload, and neither promise nor proof is about it.",
    )
    .changing(&["body:/spec/payloadHash/value"])
    .edited(|draft, _| draft.text(BODY, |body| in_body(body, "payloadHash"))),
    Case::new(
        "body-of-another-payload_fail",
        "What was logged has the hash of another payload; the log itself is sound.",
        Rule::Client,
        "The payload's hash in the logged body must be that of this payload.",
    )
    .signing(|bench, payload| {
        let anew = bench.signed(payload)?;
        let body = in_body(&STANDARD.encode(&anew.body), "payloadHash").ok_or_else(unusable)?;
        let body = STANDARD.decode(body).map_err(|_| unusable())?;
        Ok(Anew { body, ..anew })
    })
    .changing(&["body:/spec/payloadHash/value"]),
    Case::new(
        "body-of-another-signer_fail",
        "What was logged names another key; the log itself is sound.",
        Rule::Client,
        "The key in the logged body must be the one that verified the signature.",
    )
    .signing(|bench, payload| {
        let envelope = Envelope::sign(&bench.keys.signer, payload);
        let body = LoggedEnvelope::of(&envelope)?.body(bench.stranger.signer.public())?;
        Ok(Anew { envelope, body })
    })
    .changing(&["body:/spec/signatures/0/verifier"]),
    Case::new(
        "body-of-another-signature_fail",
        "What was logged has another signature; the log itself is sound.",
        Rule::Client,
        "The signature in the logged body must be that of this envelope.",
    )
    .signing(|bench, payload| {
        let envelope = Envelope::sign(&bench.keys.signer, payload);
        let mut logged = LoggedEnvelope::of(&envelope)?;
        logged.signature = bench.stranger.signer.sign(&envelope.payload);
        let body = logged.body(bench.keys.signer.public())?;
        Ok(Anew { envelope, body })
    })
    .changing(&["body:/spec/signatures/0/signature"]),
    Case::new(
        "log-id-of-another-log_fail",
        "The entry names a log that nobody knows.",
        Rule::Client,
        "The log must be one of the trusted root.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/logId/keyId"])
    .edited(|draft, bench| {
        let id = bench.stranger.identity.log.id();
        draft.put(&format!("{ENTRY}/logId/keyId"), STANDARD.encode(id.as_bytes()))
    }),
    Case::new(
        "log-index-off_fail",
        "The entry's index is one too high, and the proof's too.",
        Rule::Client,
        "The promise is over the index, and the proof leads from another leaf.",
    )
    .changing(&[
        "bundle:/verificationMaterial/tlogEntries/0/logIndex",
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/logIndex",
    ])
    .edited(|draft, _| {
        draft.text(INDEX, next)?;
        draft.text(PROOF_INDEX, next)
    }),
    Case::new(
        "log-index-negative_fail",
        "The entry's index is -1, and the proof's too.",
        Rule::LogEntry,
        "Entries are counted from 0.",
    )
    .changing(&[
        "bundle:/verificationMaterial/tlogEntries/0/logIndex",
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/logIndex",
    ])
    .edited(|draft, _| {
        draft.put(INDEX, "-1")?;
        draft.put(PROOF_INDEX, "-1")
    }),
    Case::new(
        "integrated-time-later_fail",
        "The integrated time is an hour later.",
        Rule::Client,
        "The log's promise is over the time.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/integratedTime"])
    .edited(|draft, _| draft.put(TIME, (draft.seconds()? + 3_600).to_string())),
    Case::new(
        "integrated-time-earlier_fail",
        "The integrated time is a second earlier.",
        Rule::Client,
        "The log's promise is over the time.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/integratedTime"])
    .edited(|draft, _| draft.put(TIME, (draft.seconds()? - 1).to_string())),
    Case::new(
        "integrated-time-none_fail",
        "The integrated time is 0, and the log has promised that.",
        Rule::LogEntry,
        "In protobuf 0 is the absence of a value: there is no time at which the keys were valid.",
    )
    .anew()
    .changing(&[
        "bundle:/verificationMaterial/tlogEntries/0/integratedTime",
        "bundle:/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp",
    ])
    .edited(|draft, bench| promise(draft, &bench.keys.log, 0)),
    Case::new(
        "promise-missing_fail",
        "There is no promise (signed entry timestamp), and no timestamp of an authority.",
        Rule::Client,
        "Nothing else vouches for the time at which the keys must have been valid.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionPromise"])
    .edited(|draft, _| draft.remove(ENTRY, "inclusionPromise")),
    Case::new(
        "promise-empty_fail",
        "The promise is of no bytes.",
        Rule::Client,
        "No bytes are no signature.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp"])
    .edited(|draft, _| draft.put(PROMISE, "")),
    Case::new(
        "promise-flipped_fail",
        "One bit of the promise is another.",
        Rule::Client,
        "The promise must be by the log's key over body, time, index and log.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp"])
    .edited(|draft, _| draft.text(PROMISE, flip)),
    Case::new(
        "promise-of-another-entry_fail",
        "The promise is that of another entry of the same log.",
        Rule::Client,
        "The promise is over another body and index.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp"])
    .edited(|draft, bench| draft.splice(PROMISE, &bench.other(KIND)?)),
    Case::new(
        "promise-of-another-log_fail",
        "The promise is by the key of a log that nobody knows.",
        Rule::Client,
        "The promise must be by the key of the log that the entry names.",
    )
    .anew()
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp"])
    .edited(|draft, bench| {
        let seconds = draft.seconds()?;
        promise(draft, &bench.stranger.log, seconds)
    }),
    Case::new(
        "promise-by-the-signer_fail",
        "The promise is by the key that signed the statement.",
        Rule::Client,
        "The promise must be by the key of the log that the entry names.",
    )
    .anew()
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp"])
    .edited(|draft, bench| {
        let seconds = draft.seconds()?;
        promise(draft, &bench.keys.signer, seconds)
    }),
];

/// The logged body in base64 with another last digit in the first hash of that name.
fn in_body(body: &str, hash: &str) -> Option<String> {
    let body = String::from_utf8(STANDARD.decode(body).ok()?).ok()?;
    let start = body.find(hash)?;
    let end = start + body[start..].find('}')?;
    let changed = other_digit(&body[..end])?;
    Some(STANDARD.encode(format!("{changed}{}", &body[end..])))
}
