//! Cases in which the statement is not one, or not about the artifact. The key has signed each, and
//! the log holds it.

use serde_json::json;

use super::case::Case;
use super::rule::Rule;

pub(super) const CASES: &[Case] = &[
    Case::new(
        "statement-not-json_fail",
        "The signed payload is plain text under the type of statements.",
        Rule::Statement,
        "A statement is a JSON object.",
    )
    .signing(|bench, _| bench.signed(b"This image may be used.\n".to_vec()))
    .changing(&["bundle:/dsseEnvelope/payload"]),
    Case::new(
        "statement-v0.1_fail",
        "The statement is of version 0.1.",
        Rule::Statement,
        "The type of a statement is exactly https://in-toto.io/Statement/v1.",
    )
    .stating(|statement| {
        statement["_type"] = "https://in-toto.io/Statement/v0.1".into();
        Some(())
    })
    .changing(&["statement:/_type"]),
    Case::new(
        "statement-without-type_fail",
        "The statement does not say its type.",
        Rule::Statement,
        "The type of a statement is required.",
    )
    .stating(|statement| statement.as_object_mut()?.remove("_type").map(|_| ()))
    .changing(&["statement:/_type"]),
    Case::new(
        "statement-type-unknown_fail",
        "The statement's type is unknown.",
        Rule::Statement,
        "The type of a statement is exactly https://in-toto.io/Statement/v1.",
    )
    .stating(|statement| {
        statement["_type"] = "https://statements.example/Statement/v1".into();
        Some(())
    })
    .changing(&["statement:/_type"]),
    Case::new(
        "statement-member-unknown_fail",
        "The statement has a member that is not of Statement v1.",
        Rule::ProtoJson,
        "Read as the protobuf message that it is, a statement has no unknown members. (In-toto's \
         parsing rules ask readers to pass over them; the stricter reading decides here.)",
    )
    .stating(|statement| {
        statement["more"] = 1.into();
        Some(())
    })
    .changing(&["statement:/more"]),
    Case::new(
        "subject-of-another-image_fail",
        "The statement is about another image, under this one's name.",
        Rule::Statement,
        "Subjects are compared by digest, not by name.",
    )
    .stating(|statement| {
        let digest = crate::Digest::of(b"another image").hex();
        *statement.pointer_mut("/subject/0/digest/sha256")? = digest.into();
        Some(())
    })
    .changing(&["statement:/subject/0/digest/sha256"]),
    Case::new(
        "subject-none_fail",
        "The statement has no subject.",
        Rule::Statement,
        "A statement is about its subjects: one about none is about nothing.",
    )
    .stating(|statement| {
        statement["subject"] = json!([]);
        Some(())
    })
    .changing(&["statement:/subject"]),
    Case::new(
        "subject-without-digest_fail",
        "The subject has a name and no digest.",
        Rule::Statement,
        "Each subject must have a digest: a name alone is nothing to compare.",
    )
    .stating(|statement| {
        statement.pointer_mut("/subject/0")?.as_object_mut()?.remove("digest").map(|_| ())
    })
    .changing(&["statement:/subject/0/digest"]),
    Case::new(
        "subject-digest-cut_fail",
        "The subject's SHA-256 has its first 32 digits alone.",
        Rule::DigestSet,
        "A SHA-256 has 64 hexadecimal digits; a prefix is another value.",
    )
    .stating(|statement| {
        let digest = statement.pointer_mut("/subject/0/digest/sha256")?;
        *digest = digest.as_str()?.get(..32)?.to_owned().into();
        Some(())
    })
    .changing(&["statement:/subject/0/digest/sha256"]),
    Case::new(
        "subject-digest-of-another-algorithm_fail",
        "The subject's SHA-256 stands under the name sha512.",
        Rule::DigestSet,
        "Digests are compared by algorithm and value: the artifact has another SHA-512.",
    )
    .stating(|statement| {
        let digests = statement.pointer_mut("/subject/0/digest")?.as_object_mut()?;
        let value = digests.remove("sha256")?;
        digests.insert("sha512".to_owned(), value);
        Some(())
    })
    .changing(&["statement:/subject/0/digest/sha256", "statement:/subject/0/digest/sha512"]),
    Case::new(
        "subject-in-the-predicate_fail",
        "The statement is about another image; only its predicate names the digest of this one.",
        Rule::Statement,
        "What a statement is about are its subjects.",
    )
    .stating(|statement| {
        let other = crate::Digest::of(b"another image").hex();
        let subject = statement.pointer("/subject/0")?.clone();
        statement["predicate"]["subject"] = json!([subject]);
        *statement.pointer_mut("/subject/0/digest/sha256")? = other.into();
        Some(())
    })
    .changing(&["statement:/subject/0/digest/sha256", "statement:/predicate/subject"]),
    Case::new(
        "predicate-type-of-another-version_fail",
        "The predicate type is that of another version of the image signature.",
        Rule::Statement,
        "Predicate types are compared as they stand; another version is another type.",
    )
    .stating(|statement| {
        let kind = statement.get_mut("predicateType")?;
        *kind = kind.as_str()?.replace("/v1", "/v2").into();
        Some(())
    })
    .changing(&["statement:/predicateType"]),
    Case::new(
        "predicate-type-missing_fail",
        "The statement has no predicate type.",
        Rule::Statement,
        "The predicate type is required.",
    )
    .stating(|statement| statement.as_object_mut()?.remove("predicateType").map(|_| ()))
    .changing(&["statement:/predicateType"]),
];
