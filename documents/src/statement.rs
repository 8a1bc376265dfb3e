//! The in-toto Statement v1: the frame in which every attested document stands.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::digest::{Digest, DigestMap};
use crate::error::{Error, to_json};

/// `_type` of a statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// Media type of a statement inside an envelope.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// What a statement says about its subject. The URIs are those that cosign matches exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PredicateType {
    /// SLSA Provenance v1.
    Provenance,
    /// An SPDX document.
    Spdx,
    /// A CycloneDX document.
    CycloneDx,
    /// The result of a vulnerability scan.
    VulnerabilityScan,
    /// An OpenVEX document.
    OpenVex,
    /// The image's signature: a statement that says nothing more than its subject.
    ImageSignature,
}

impl PredicateType {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Provenance,
        Self::Spdx,
        Self::CycloneDx,
        Self::VulnerabilityScan,
        Self::OpenVex,
        Self::ImageSignature,
    ];

    /// The URI in `predicateType`.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Provenance => "https://slsa.dev/provenance/v1",
            Self::Spdx => "https://spdx.dev/Document",
            Self::CycloneDx => "https://cyclonedx.org/bom",
            Self::VulnerabilityScan => "https://cosign.sigstore.dev/attestation/vuln/v1",
            Self::OpenVex => "https://openvex.dev/ns",
            Self::ImageSignature => "https://sigstore.dev/cosign/sign/v1",
        }
    }

    /// The name in file names and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provenance => "provenance",
            Self::Spdx => "spdx",
            Self::CycloneDx => "cyclonedx",
            Self::VulnerabilityScan => "vuln",
            Self::OpenVex => "openvex",
            Self::ImageSignature => "image-signature",
        }
    }

    /// The type of that URI.
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.uri() == uri)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statement<'a, P> {
    #[serde(rename = "_type")]
    statement_type: &'static str,
    subject: [StatementSubject<'a>; 1],
    predicate_type: &'static str,
    predicate: &'a P,
}

#[derive(Serialize)]
struct StatementSubject<'a> {
    name: &'a str,
    digest: DigestMap,
}

/// A statement of that predicate about the subject of that name and digest.
///
/// # Errors
/// [`Error::Encode`] if the predicate cannot be JSON.
pub fn statement<P: Serialize>(
    name: &str,
    digest: Digest,
    predicate_type: PredicateType,
    predicate: &P,
) -> Result<Vec<u8>, Error> {
    let statement = Statement {
        statement_type: STATEMENT_TYPE,
        subject: [StatementSubject { name, digest: digest.into() }],
        predicate_type: predicate_type.uri(),
        predicate,
    };
    to_json("in-toto statement", 4096, &statement)
}

/// A statement whose predicate is a JSON document that was made before, such as an SBOM. The
/// document stands in it byte for byte.
///
/// # Errors
/// [`Error::Decode`] if the document is not JSON.
pub fn statement_of_document(
    name: &str,
    digest: Digest,
    predicate_type: PredicateType,
    document: &[u8],
) -> Result<Vec<u8>, Error> {
    let raw: &RawValue = serde_json::from_slice(document)
        .map_err(|source| Error::Decode { document: "predicate", source })?;
    statement(name, digest, predicate_type, &raw)
}

/// The image signature: a statement whose predicate only repeats its subject (an empty predicate
/// is refused by in-toto's Python validator).
///
/// # Errors
/// [`Error::Encode`], which does not happen.
pub fn image_signature(name: &str, digest: Digest) -> Result<Vec<u8>, Error> {
    #[derive(Serialize)]
    struct Signature {
        image: String,
    }
    let signature = Signature { image: format!("{name}@{digest}") };
    statement(name, digest, PredicateType::ImageSignature, &signature)
}

/// What a verifier needs from a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedStatement<'a> {
    /// SHA-256 of the subjects, in their order: one or more.
    subjects: Vec<Digest>,
    /// The name of the first of these.
    pub subject_name: String,
    /// The predicate's type, as it stands there.
    pub predicate_type: String,
    /// The predicate's JSON, as it stands there.
    pub predicate: &'a str,
}

impl ParsedStatement<'_> {
    /// Whether one of the subjects has that digest: a statement holds for each of them.
    pub fn is_about(&self, digest: &Digest) -> bool {
        self.subjects.contains(digest)
    }

    /// Digest of the first subject.
    ///
    /// # Panics
    /// Never: [`parse`] gives no statement without one.
    pub fn subject(&self) -> Digest {
        self.subjects[0]
    }
}

/// Reads a statement.
///
/// # Errors
/// [`Error::Decode`] for broken JSON or wrong types, [`Error::Malformed`] for another `_type` or
/// without a subject that has a SHA-256, [`Error::Digest`] for one that is no SHA-256.
pub fn parse(bytes: &[u8]) -> Result<ParsedStatement<'_>, Error> {
    const DOCUMENT: &str = "in-toto statement";
    // Cosign refuses a statement or subject with an unknown member; a predicate may hold anything.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Parsed<'a> {
        #[serde(rename = "_type")]
        statement_type: String,
        subject: Vec<ParsedSubject>,
        predicate_type: String,
        #[serde(borrow)]
        predicate: &'a RawValue,
    }
    // The members of a ResourceDescriptor.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct ParsedSubject {
        #[serde(default)]
        name: String,
        digest: BTreeMap<String, String>,
        #[serde(default, rename = "uri")]
        _uri: IgnoredAny,
        #[serde(default, rename = "content")]
        _content: IgnoredAny,
        #[serde(default, rename = "downloadLocation")]
        _download_location: IgnoredAny,
        #[serde(default, rename = "mediaType")]
        _media_type: IgnoredAny,
        #[serde(default, rename = "annotations")]
        _annotations: IgnoredAny,
    }
    let parsed: Parsed<'_> = serde_json::from_slice(bytes)
        .map_err(|source| Error::Decode { document: DOCUMENT, source })?;
    let refused = |reason: &str| Error::Malformed { document: DOCUMENT, reason: reason.to_owned() };
    if parsed.statement_type != STATEMENT_TYPE {
        return Err(refused("_type is not in-toto Statement v1"));
    }
    // Subjects that have only digests of other algorithms are none that a SHA-256 can be of.
    let mut subjects = Vec::new();
    let mut subject_name = None;
    for subject in parsed.subject {
        if let Some(sha256) = subject.digest.get("sha256") {
            subjects.push(Digest::from_hex(sha256)?);
            subject_name.get_or_insert(subject.name);
        }
    }
    let subject_name = subject_name.ok_or_else(|| refused("no subject has a SHA-256"))?;
    Ok(ParsedStatement {
        subjects,
        subject_name,
        predicate_type: parsed.predicate_type,
        predicate: parsed.predicate.get(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_stands_byte_for_byte() {
        let digest = Digest::of(b"x");
        let document = br#"{"b":1.50, "a":[]}"#;
        let bytes = statement_of_document("img", digest, PredicateType::Spdx, document).unwrap();
        let expected = format!(
            "{{\"_type\":\"{STATEMENT_TYPE}\",\"subject\":[{{\"name\":\"img\",\"digest\":\
             {{\"sha256\":\"{}\"}}}}],\"predicateType\":\"https://spdx.dev/Document\",\
             \"predicate\":{{\"b\":1.50, \"a\":[]}}}}",
            digest.hex()
        );
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expected);
        let parsed = parse(&bytes).unwrap();
        assert_eq!((parsed.subject(), parsed.subject_name.as_str()), (digest, "img"));
        assert_eq!(PredicateType::from_uri(&parsed.predicate_type), Some(PredicateType::Spdx));
        assert_eq!(parsed.predicate.as_bytes(), document);
    }

    #[test]
    fn the_signature_says_only_its_subject() {
        let bytes = image_signature("img", Digest::of(b"x")).unwrap();
        let expected = format!("{{\"image\":\"img@{}\"}}", Digest::of(b"x"));
        assert_eq!(parse(&bytes).unwrap().predicate, expected);
        assert_eq!(PredicateType::from_uri("https://spdx.dev/Document/v2.3"), None);
    }

    /// in-toto: a subject is a ResourceDescriptor, and a statement holds for each of its subjects.
    #[test]
    fn several_subjects_with_all_that_may_stand_in_them() {
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        let good = String::from_utf8(image_signature("img", one).unwrap()).unwrap();
        let more = format!(
            "\"subject\":[{{\"name\":\"other\",\"digest\":{{\"sha512\":\"00\"}}}},{{\"uri\":\"https://a.example\",\
             \"mediaType\":\"text/plain\",\"annotations\":{{\"a\":1}},\"downloadLocation\":\"https://b.example\",\
             \"content\":\"\",\"digest\":{{\"sha256\":\"{}\",\"sha512\":\"00\"}}}},{{",
            two.hex()
        );
        let several = good.replace("\"subject\":[{", &more);
        let parsed = parse(several.as_bytes()).unwrap();
        assert!(parsed.is_about(&one) && parsed.is_about(&two) && parsed.subject() == two);
        assert!(!parsed.is_about(&Digest::of(b"3")));
        assert!(!parse(good.as_bytes()).unwrap().is_about(&two));
    }

    #[test]
    fn broken_statements_are_refused() {
        let good = String::from_utf8(image_signature("img", Digest::of(b"x")).unwrap()).unwrap();
        for (from, to) in [
            ("Statement/v1", "Statement/v0.1"),
            ("sha256", "sha512"),
            ("\"subject\":[{", "\"subject\":[{\"digest\":{\"sha256\":\"\"}},{"),
            ("\"}}", "\"}"),
            ("\"predicateType\"", "\"more\":1,\"predicateType\""),
            ("\"name\"", "\"more\":1,\"name\""),
        ] {
            assert!(parse(good.replace(from, to).as_bytes()).is_err(), "{to}");
        }
        assert!(statement_of_document("i", Digest::of(b""), PredicateType::Spdx, b"{").is_err());
    }
}
