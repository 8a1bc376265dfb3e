//! What an attacker does to a stored bundle, so that a verifier has something to refuse.

use crate::bundle::Bundle;
use crate::error::{Error, shorten};

/// The builder that a forged statement names; no world trusts it.
pub const FOREIGN_BUILDER: &str = "https://elsewhere.example/builders/unknown";
const DOCUMENT: &str = "provenance";

/// A forged statement and the bundle that it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forged {
    /// The statement.
    pub statement: Vec<u8>,
    /// The bundle.
    pub bundle: Vec<u8>,
}

/// Provenance that names [`FOREIGN_BUILDER`] instead of its builder. Signature and log entry are
/// kept, which neither of them bears.
///
/// # Errors
/// Those of reading the bundle, and [`Error::Malformed`] if it holds no provenance as
/// [`crate::provenance::statement`] writes it.
pub fn foreign_builder(bundle: &[u8]) -> Result<Forged, Error> {
    const BEFORE: &str = "\"runDetails\":{\"builder\":{\"id\":\"";
    let malformed =
        |reason: &str| Error::Malformed { document: DOCUMENT, reason: reason.to_owned() };
    let mut bundle = Bundle::parse(bundle)?;
    let statement = std::str::from_utf8(&bundle.envelope.payload)
        .map_err(|_| malformed("the statement is not text"))?;
    let (before, after) =
        statement.split_once(BEFORE).ok_or_else(|| malformed("the statement names no builder"))?;
    let (builder, after) =
        after.split_once('"').ok_or_else(|| malformed("the builder's name does not end"))?;
    if builder == FOREIGN_BUILDER {
        return Err(malformed(&format!("the builder is {} already", shorten(builder))));
    }
    let forged = format!("{before}{BEFORE}{FOREIGN_BUILDER}\"{after}").into_bytes();
    bundle.envelope.payload.clone_from(&forged);
    Ok(Forged { statement: forged, bundle: bundle.to_json()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dsse::Envelope;
    use crate::keys::SignerKey;
    use crate::provenance::{self, Build, Source, builder_id};
    use crate::slsa_level::{Check, TrustedBuilder, assess};
    use crate::statement::image_signature;
    use crate::{Digest, Timestamp, Trigger, sample};
    use std::collections::BTreeMap;

    fn bundled(statement: Vec<u8>, key: &SignerKey) -> Vec<u8> {
        let key_hint = key.public().id().hex();
        let envelope = Envelope::sign(key, statement);
        Bundle { key_hint, envelope, log_entry: None }.to_json().unwrap()
    }

    #[test]
    fn the_forgery_costs_the_signature_and_nothing_before_it() {
        let key = SignerKey::from_seed(b"7", "signer").unwrap();
        let image = Digest::of(b"image");
        let statement = provenance::statement(&Build {
            contents: &sample::contents(3),
            digest: image,
            trigger: &Trigger::Bootstrap,
            builder_id: &builder_id("builder-1"),
            source: Source { uri: "git+https://git.example/x", commit: "0" },
            invocation_id: "1",
            started: Timestamp::EPOCH,
            finished: Timestamp::EPOCH,
            extra_parameters: &BTreeMap::new(),
        })
        .unwrap();
        let genuine = bundled(statement.clone(), &key);
        let root =
            |builder_id: String| TrustedBuilder { key: key.public().clone(), builder_id, level: 3 };
        // Not even trust in the foreign builder helps, for the key did not sign this.
        let roots = [root(builder_id("builder-1")), root(FOREIGN_BUILDER.to_owned())];
        assert_eq!(assess(&genuine, image, &roots, None).level, 3);
        let forged = foreign_builder(&genuine).unwrap();
        let expected = String::from_utf8(statement).unwrap();
        let expected = expected.replace(&builder_id("builder-1"), FOREIGN_BUILDER);
        assert_eq!(String::from_utf8(forged.statement).unwrap(), expected);
        let assessment = assess(&forged.bundle, image, &roots, None);
        assert_eq!(assessment.level, 1);
        let last = assessment.checks.last().unwrap();
        assert_eq!((last.check, last.passed), (Check::Signature, false));
        assert!(last.detail.contains(FOREIGN_BUILDER), "{}", last.detail);
        assert!(foreign_builder(&forged.bundle).is_err(), "there is nothing left to replace");
    }

    #[test]
    fn what_is_no_provenance_is_left_alone() {
        let key = SignerKey::from_seed(b"7", "signer").unwrap();
        let signature = bundled(image_signature("img", Digest::of(b"x")).unwrap(), &key);
        for bundle in [&signature[..], b"{}", b""] {
            assert!(foreign_builder(bundle).is_err());
        }
    }
}
