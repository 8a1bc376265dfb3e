//! Cases in which the bundle itself is not one.

use super::case::Case;
use super::draft::PAYLOAD;
use super::rule::Rule;

const MATERIAL: &str = "/verificationMaterial";

pub(super) const CASES: &[Case] = &[
    Case::new(
        "bundle-cut_fail",
        "The second half of the bundle is missing.",
        Rule::ProtoJson,
        "It is no JSON.",
    )
    .changing(&["bundle"])
    .edited(|draft, _| {
        draft.bundle.truncate(draft.bundle.len() / 2);
        Ok(())
    }),
    Case::new(
        "media-type-unknown_fail",
        "The bundle is of a version that does not exist.",
        Rule::Bundle,
        "The media type says how the rest is to be read.",
    )
    .changing(&["bundle:/mediaType"])
    .edited(|draft, _| draft.put("/mediaType", "application/vnd.dev.sigstore.bundle.v9.0+json")),
    Case::new(
        "bundle-member-unknown_fail",
        "The bundle has a member that is not of its format.",
        Rule::ProtoJson,
        "An unknown member is an error unless the reader was told to pass over it.",
    )
    .changing(&["bundle:/more"])
    .edited(|draft, _| {
        draft.bundle(|bundle| {
            bundle["more"] = 1.into();
            Some(())
        })
    }),
    Case::new(
        "entry-member-unknown_fail",
        "The log entry has a member that is not of its format.",
        Rule::ProtoJson,
        "An unknown member is an error unless the reader was told to pass over it.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/more"])
    .edited(|draft, _| {
        draft.bundle(|bundle| {
            bundle.pointer_mut("/verificationMaterial/tlogEntries/0")?["more"] = 1.into();
            Some(())
        })
    }),
    Case::new(
        "material-without-key_fail",
        "The verification material names neither a key nor a certificate.",
        Rule::Bundle,
        "One of them is required.",
    )
    .changing(&["bundle:/verificationMaterial/publicKey"])
    .edited(|draft, _| draft.remove(MATERIAL, "publicKey")),
    Case::new(
        "material-missing_fail",
        "The bundle has no verification material.",
        Rule::Bundle,
        "It is required.",
    )
    .changing(&["bundle:/verificationMaterial"])
    .edited(|draft, _| draft.remove("", "verificationMaterial")),
    Case::new(
        "envelope-missing_fail",
        "The bundle has no envelope, and no other signature.",
        Rule::Bundle,
        "A bundle without content proves nothing.",
    )
    .changing(&["bundle:/dsseEnvelope"])
    .edited(|draft, _| draft.remove("", "dsseEnvelope")),
    Case::new(
        "payload-not-base64_fail",
        "The payload has a letter that is not of base64.",
        Rule::ProtoJson,
        "Bytes are base64 of the standard or the URL-safe alphabet.",
    )
    .changing(&["bundle:/dsseEnvelope/payload"])
    .edited(|draft, _| draft.text(PAYLOAD, |payload| Some(format!("!{}", payload.get(1..)?)))),
    Case::new(
        "log-index-not-a-number_fail",
        "The entry's index is a word.",
        Rule::ProtoJson,
        "Numbers of 64 bits are decimal digits, as text or as a number.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/logIndex"])
    .edited(|draft, _| draft.put("/verificationMaterial/tlogEntries/0/logIndex", "seven")),
    Case::new(
        "bundle-in-a-list_fail",
        "The bundle stands in a list.",
        Rule::ProtoJson,
        "A bundle is one JSON object.",
    )
    .changing(&["bundle"])
    .edited(|draft, _| {
        draft.bundle = [b"[", draft.bundle.as_slice(), b"]"].concat();
        Ok(())
    }),
];
