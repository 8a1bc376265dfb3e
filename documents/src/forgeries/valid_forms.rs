//! Valid cases in an unusual form: what JSON, protobuf and the versions of the format leave open.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::case::Case;
use super::draft::{
    BODY, CHECKPOINT, INDEX, PAYLOAD, PROMISE, PROOF_INDEX, SIGNATURE, TIME, TREE_SIZE, read,
    unusable,
};
use super::rule::Rule;

pub(super) const CASES: &[Case] = &[
    Case::new(
        "media-type-of-0.3-in-its-first-form",
        "The media type is that of version 0.3 as it was written first.",
        Rule::Bundle,
        "Both forms name the same version.",
    )
    .changing(&["bundle:/mediaType"])
    .edited(|draft, _| {
        draft.put("/mediaType", "application/vnd.dev.sigstore.bundle+json;version=0.3")
    }),
    Case::new(
        "media-type-of-0.2",
        "The bundle says that it is of version 0.2.",
        Rule::Bundle,
        "With a key in the place of certificates 0.2 and 0.3 hold the same.",
    )
    .changing(&["bundle:/mediaType"])
    .edited(|draft, _| {
        draft.put("/mediaType", "application/vnd.dev.sigstore.bundle+json;version=0.2")
    }),
    Case::new(
        "members-in-another-order",
        "The members of every object of the bundle are in reverse order.",
        Rule::ProtoJson,
        "The members of a JSON object have no order.",
    )
    .edited(|draft, _| {
        let bundle = draft.read()?;
        draft.bundle = written(&bundle, true, |text| json!(text).to_string())?;
        Ok(())
    }),
    Case::new(
        "white-space",
        "The bundle is written with line breaks.",
        Rule::ProtoJson,
        "White space between the parts of JSON says nothing.",
    )
    .edited(|draft, _| {
        draft.bundle = super::pretty(&draft.read()?)?;
        Ok(())
    }),
    Case::new(
        "letters-escaped",
        "Every slash in the bundle is written as \\u002f.",
        Rule::ProtoJson,
        "An escaped letter of JSON is that letter.",
    )
    .edited(|draft, _| {
        let bundle = draft.read()?;
        draft.bundle =
            written(&bundle, false, |text| json!(text).to_string().replace('/', "\\u002f"))?;
        Ok(())
    }),
    Case::new(
        "numbers-as-numbers",
        "Indexes, time and size are numbers of JSON, not text.",
        Rule::ProtoJson,
        "Readers take numbers of 64 bits in both forms.",
    )
    .changing(&[
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/logIndex",
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/treeSize",
        "bundle:/verificationMaterial/tlogEntries/0/integratedTime",
        "bundle:/verificationMaterial/tlogEntries/0/logIndex",
    ])
    .edited(|draft, _| {
        draft.bundle(|bundle| {
            for place in [INDEX, PROOF_INDEX, TIME, TREE_SIZE] {
                let value = bundle.pointer_mut(place)?;
                *value = value.as_str()?.parse::<i64>().ok()?.into();
            }
            Some(())
        })
    }),
    Case::new(
        "base64-url-safe",
        "Payload, signature, body and promise are in the URL-safe alphabet, without padding.",
        Rule::ProtoJson,
        "Readers take base64 of both alphabets, with padding or without.",
    )
    .changing(&[
        "bundle:/dsseEnvelope/payload",
        "bundle:/dsseEnvelope/signatures/0/sig",
        "bundle:/verificationMaterial/tlogEntries/0/canonicalizedBody",
        "bundle:/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp",
    ])
    .edited(|draft, _| {
        let url_safe = |text: &str| Some(URL_SAFE_NO_PAD.encode(STANDARD.decode(text).ok()?));
        let places = [PAYLOAD, SIGNATURE, BODY, PROMISE];
        places.iter().try_for_each(|place| draft.text(place, url_safe))
    }),
    Case::new(
        "members-by-their-field-names",
        "Members have the names of the protobuf fields, such as verification_material.",
        Rule::ProtoJson,
        "Readers take both names of a member.",
    )
    .changing(&["bundle"])
    .edited(|draft, _| {
        let bundle = field_names(draft.read()?);
        draft.bundle = written(&bundle, false, |text| json!(text).to_string())?;
        Ok(())
    }),
    Case::new(
        "timestamps-empty",
        "There is a place for timestamps of an authority, with none in it.",
        Rule::Bundle,
        "Such timestamps are optional.",
    )
    .changing(&["bundle:/verificationMaterial/timestampVerificationData"])
    .edited(|draft, _| {
        draft.bundle(|bundle| {
            let material = bundle.get_mut("verificationMaterial")?;
            material["timestampVerificationData"] = json!({"rfc3161Timestamps": []});
            Some(())
        })
    }),
    Case::new(
        "key-hint-of-another-key",
        "The hint names no key at all.",
        Rule::Bundle,
        "The hint is unauthenticated: the verifier knows by itself which key must have signed.",
    )
    .changing(&["bundle:/verificationMaterial/publicKey/hint"])
    .edited(|draft, _| draft.put("/verificationMaterial/publicKey/hint", "some key")),
    Case::new(
        "keyid-set",
        "The signature has a key id, which nobody knows.",
        Rule::Dsse,
        "The key id is unauthenticated, and nothing may be decided by it.",
    )
    .changing(&["bundle:/dsseEnvelope/signatures/0/keyid"])
    .edited(|draft, _| draft.put("/dsseEnvelope/signatures/0/keyid", "some key")),
    Case::new(
        "key-with-other-line-breaks",
        "The lines of the key file end in CR LF.",
        Rule::Dsse,
        "Line breaks of PEM are CR, CR LF or LF (RFC 7468).",
    )
    .changing(&["key"])
    .edited(|draft, _| {
        draft.key = draft.key.replace('\n', "\r\n");
        Ok(())
    }),
    Case::new(
        "checkpoint-escaped",
        "The line breaks and the dash of the checkpoint are written as escapes.",
        Rule::ProtoJson,
        "An escaped letter of JSON is that letter.",
    )
    .edited(|draft, _| {
        let bundle = draft.read()?;
        let checkpoint = bundle.pointer(CHECKPOINT).and_then(Value::as_str).ok_or_else(unusable)?;
        if checkpoint.is_ascii() {
            return Err(unusable());
        }
        draft.bundle = written(&bundle, false, |text| {
            json!(text).to_string().replace('\u{2014}', "\\u2014").replace("\\n", "\\u000a")
        })?;
        Ok(())
    }),
];

/// JSON without white space, each text as `text` writes it; members in reverse order if so asked.
fn written(
    value: &Value,
    reverse: bool,
    text: impl Fn(&str) -> String + Copy,
) -> Result<Vec<u8>, crate::Error> {
    let mut out = String::new();
    write_value(&mut out, value, reverse, text);
    if read(out.as_bytes())? == *value { Ok(out.into_bytes()) } else { Err(unusable()) }
}

fn write_value(
    out: &mut String,
    value: &Value,
    reverse: bool,
    text: impl Fn(&str) -> String + Copy,
) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by(|(a, _), (b, _)| if reverse { b.cmp(a) } else { a.cmp(b) });
            for (place, (name, value)) in members.into_iter().enumerate() {
                let _ = write!(out, "{}{}:", if place == 0 { '{' } else { ',' }, text(name));
                write_value(out, value, reverse, text);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_value(out, item, reverse, text);
            }
            out.push(']');
        }
        Value::String(value) => out.push_str(&text(value)),
        other => out.push_str(&other.to_string()),
    }
}

/// The same with the names of fields: `logIndex` is `log_index`.
fn field_names(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let renamed = |(name, value): (String, Value)| {
                let mut field = String::new();
                for letter in name.chars() {
                    if letter.is_ascii_uppercase() {
                        field.push('_');
                    }
                    field.push(letter.to_ascii_lowercase());
                }
                (field, field_names(value))
            };
            Value::Object(members.into_iter().map(renamed).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(field_names).collect()),
        other => other,
    }
}
