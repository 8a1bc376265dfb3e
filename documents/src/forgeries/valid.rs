//! Valid cases: the evidence of the world as it is, and what may differ in statement, log and trusted
//! root.

use serde_json::json;
use sha2::{Digest as _, Sha512};

use super::anew::sign_note;
use super::case::Case;
use super::draft::{CHECKPOINT, PROOF, read, unusable};
use super::rule::Rule;
use crate::bundle::Bundle;
use crate::statement::PredicateType;
use crate::trusted_root;

const GENUINE: &str =
    "Signature, log entry, promise, proof, checkpoint, subject and predicate type hold.";
const VALID: &str = "/tlogs/0/publicKey/validFor";

pub(super) const CASES: &[Case] = &[
    Case::new("image-signature", "The world's signature of an image.", Rule::Client, GENUINE),
    Case::new("provenance", "The world's SLSA provenance.", Rule::Client, GENUINE)
        .of(PredicateType::Provenance),
    Case::new("spdx", "The world's SPDX document.", Rule::Client, GENUINE).of(PredicateType::Spdx),
    Case::new("cyclonedx", "The world's CycloneDX document.", Rule::Client, GENUINE)
        .of(PredicateType::CycloneDx),
    Case::new("vulnerability-scan", "The result of the world's scan.", Rule::Client, GENUINE)
        .of(PredicateType::VulnerabilityScan),
    Case::new("openvex", "The world's OpenVEX document.", Rule::Client, GENUINE)
        .of(PredicateType::OpenVex),
    Case::new(
        "signed-anew",
        "The same signature of an image, by the catalogue's key and in its log.",
        Rule::Client,
        GENUINE,
    )
    .anew(),
    Case::new(
        "subjects-several",
        "The statement is about two images, of which this is the second.",
        Rule::Statement,
        "A statement holds for each of its subjects.",
    )
    .stating(|statement| {
        let other =
            json!({"name": "other", "digest": {"sha256": crate::Digest::of(b"other").hex()}});
        statement.get_mut("subject")?.as_array_mut()?.insert(0, other);
        Some(())
    })
    .changing(&["statement:/subject/*"]),
    Case::new(
        "subject-digests-several",
        "The subject has a SHA-512 too.",
        Rule::DigestSet,
        "One digest of an algorithm that the verifier knows is enough, if it is right.",
    )
    .stating(|statement| {
        let digests = statement.pointer_mut("/subject/0/digest")?.as_object_mut()?;
        digests.insert("sha512".to_owned(), hex::encode(Sha512::digest(b"of no matter")).into());
        Some(())
    })
    .changing(&["statement:/subject/0/digest/sha512"]),
    Case::new(
        "subject-described",
        "The subject has a media type, an address and annotations.",
        Rule::Resource,
        "They are members of a subject.",
    )
    .stating(|statement| {
        let subject = statement.pointer_mut("/subject/0")?;
        subject["mediaType"] = "application/vnd.oci.image.manifest.v1+json".into();
        subject["uri"] = "https://registry.wavetank.example/v2/".into();
        subject["annotations"] = json!({"purpose": "practice"});
        Some(())
    })
    .changing(&[
        "statement:/subject/0/annotations",
        "statement:/subject/0/mediaType",
        "statement:/subject/0/uri",
    ]),
    Case::new(
        "subject-of-another-name",
        "The subject has another name.",
        Rule::Statement,
        "Subjects are compared by digest, not by name.",
    )
    .stating(|statement| {
        *statement.pointer_mut("/subject/0/name")? = "somewhere.example/else".into();
        Some(())
    })
    .changing(&["statement:/subject/0/name"]),
    Case::new(
        "predicate-member-unknown",
        "The predicate has a member that nobody knows.",
        Rule::Parsing,
        "Readers pass over members of the predicate that they do not know.",
    )
    .stating(|statement| {
        statement.get_mut("predicate")?["more"] = json!({"of": ["this", 1]});
        Some(())
    })
    .changing(&["statement:/predicate/more"]),
    Case::new(
        "tree-later",
        "Proof and checkpoint are of a later tree of the log.",
        Rule::Inclusion,
        "An entry is in every later tree of its log; size, root, path and checkpoint agree.",
    )
    .anew()
    .changing(&[
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope",
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/hashes/*",
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/rootHash",
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/treeSize",
    ])
    .edited(|draft, bench| {
        let later = bench.bundle("tree-later", bench.later_size())?.to_json()?;
        draft.splice(PROOF, &read(&later)?)
    }),
    Case::new(
        "tree-ends-with-the-entry",
        "The entry is the last one of the tree.",
        Rule::Inclusion,
        "The proof of the last leaf is as good as any other.",
    )
    .anew()
    .changing(&[
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope",
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/hashes/*",
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/rootHash",
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/treeSize",
    ])
    .edited(|draft, bench| {
        let index = Bundle::parse(&draft.bundle)?.log_entry.ok_or_else(unusable)?.index;
        let last = bench.bundle("tree-ends-with-the-entry", index + 1)?.to_json()?;
        draft.splice(PROOF, &read(&last)?)
    }),
    Case::new(
        "checkpoint-with-a-witness",
        "A stranger has signed the checkpoint too.",
        Rule::SignedNote,
        "Signatures by keys that a verifier does not know are passed over.",
    )
    .anew()
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope"])
    .edited(|draft, bench| {
        let witness = sign_note(&bench.checkpoint(bench.size)?, &bench.stranger);
        draft.text(CHECKPOINT, |note| Some(format!("{note}{}", witness.split_once("\n\n")?.1)))
    }),
    Case::new(
        "checkpoint-with-an-extension",
        "The checkpoint has a line after the root, which the log has signed.",
        Rule::Checkpoint,
        "Lines after the root are extensions, which a verifier passes over.",
    )
    .anew()
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope"])
    .edited(|draft, bench| {
        let (checkpoint, keys) = (bench.checkpoint(bench.size)?, &bench.keys);
        let line = format!("Timestamp: {}000000000\n", draft.seconds()?);
        let name = keys.identity.log_verifier.name();
        draft.put(CHECKPOINT, checkpoint.sign_ecdsa_with(name, &keys.log, &line))
    }),
    Case::new(
        "log-key-valid-from-that-second",
        "The log's key is valid from the entry's time on, to the second.",
        Rule::TrustedRoot,
        "The interval is closed: it holds its start.",
    )
    .anew()
    .changing(&["root:/tlogs/0/publicKey/validFor/end", "root:/tlogs/0/publicKey/validFor/start"])
    .edited(|draft, _| {
        let (start, end) = (draft.instant(0)?, draft.instant(86_400)?);
        draft.root(|root| {
            *root.pointer_mut(VALID)? = json!({"start": start, "end": end});
            Some(())
        })
    }),
    Case::new(
        "log-key-valid-until-that-second",
        "The log's key was valid until the entry's time, to the second.",
        Rule::TrustedRoot,
        "The interval is closed: it holds its end.",
    )
    .changing(&["root:/tlogs/0/publicKey/validFor/end", "root:/tlogs/0/publicKey/validFor/start"])
    .edited(|draft, _| {
        let (start, end) = (draft.instant(-86_400)?, draft.instant(0)?);
        draft.root(|root| {
            *root.pointer_mut(VALID)? = json!({"start": start, "end": end});
            Some(())
        })
    }),
    Case::new(
        "log-beside-another",
        "The trusted root names another log before this one.",
        Rule::TrustedRoot,
        "The log is looked up by its id.",
    )
    .changing(&["root:/tlogs/*"])
    .edited(|draft, bench| {
        let (identity, starts) = (&bench.stranger.identity, bench.evidence().starts);
        let other = trusted_root::document(&identity.log_url(), &identity.log, starts)?;
        let other = read(&other)?.pointer("/tlogs/0").cloned().ok_or_else(unusable)?;
        draft.root(|root| {
            root.get_mut("tlogs")?.as_array_mut()?.insert(0, other);
            Some(())
        })
    }),
];
