//! Cases in which the trusted root does not vouch for the log, or not at that time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::case::Case;
use super::rule::Rule;
use crate::trusted_root;

const VALID: &str = "/tlogs/0/publicKey/validFor";

pub(super) const CASES: &[Case] = &[
    Case::new(
        "log-unknown_fail",
        "The trusted root names another log.",
        Rule::TrustedRoot,
        "An entry of a log that is not in the trusted root proves nothing.",
    )
    .changing(&[
        "root:/tlogs/0/baseUrl",
        "root:/tlogs/0/logId/keyId",
        "root:/tlogs/0/publicKey/rawBytes",
    ])
    .edited(|draft, bench| {
        let (identity, starts) = (&bench.stranger.identity, bench.evidence().starts);
        draft.root = trusted_root::document(&identity.log_url(), &identity.log, starts)?;
        Ok(())
    }),
    Case::new(
        "log-none_fail",
        "The trusted root names no log.",
        Rule::TrustedRoot,
        "An entry of a log that is not in the trusted root proves nothing.",
    )
    .changing(&["root:/tlogs"])
    .edited(|draft, _| {
        draft.root(|root| {
            root["tlogs"] = json!([]);
            Some(())
        })
    }),
    Case::new(
        "log-key-of-another-log_fail",
        "The trusted root has another log's key under this log's id.",
        Rule::TrustedRoot,
        "The id of a log is the SHA-256 of its key; that key has signed neither promise nor \
         checkpoint.",
    )
    .changing(&["root:/tlogs/0/publicKey/rawBytes"])
    .edited(|draft, bench| {
        let key = STANDARD.encode(bench.stranger.identity.log.der());
        draft.root(|root| {
            *root.pointer_mut("/tlogs/0/publicKey/rawBytes")? = key.into();
            Some(())
        })
    }),
    Case::new(
        "log-key-not-yet-valid_fail",
        "The log's key is valid from one second after the entry's time on.",
        Rule::TrustedRoot,
        "The key must be valid at the time at which the entry was logged.",
    )
    .changing(&["root:/tlogs/0/publicKey/validFor/start"])
    .edited(|draft, _| {
        let later = draft.instant(1)?;
        draft.root(|root| {
            root.pointer_mut(VALID)?["start"] = later.into();
            Some(())
        })
    }),
    Case::new(
        "log-key-expired_fail",
        "The log's key was valid until one second before the entry's time.",
        Rule::TrustedRoot,
        "The key must be valid at the time at which the entry was logged.",
    )
    .changing(&["root:/tlogs/0/publicKey/validFor/end", "root:/tlogs/0/publicKey/validFor/start"])
    .edited(|draft, _| {
        // The world's first entries are logged when it begins: the key was valid before that.
        let (start, end) = (draft.instant(-86_400)?, draft.instant(-1)?);
        draft.root(|root| {
            *root.pointer_mut(VALID)? = json!({"start": start, "end": end});
            Some(())
        })
    }),
    Case::new(
        "log-key-without-start_fail",
        "The trusted root does not say from when on the log's key is valid.",
        Rule::TrustedRoot,
        "The start of a key's validity is required: its absence is not \"always\".",
    )
    .changing(&["root:/tlogs/0/publicKey/validFor"])
    .edited(|draft, _| {
        draft.root(|root| root.pointer_mut(VALID)?.as_object_mut()?.remove("start").map(|_| ()))
    }),
    Case::new(
        "root-media-type-unknown_fail",
        "The trusted root is of a version that does not exist.",
        Rule::TrustedRoot,
        "The media type says how the rest is to be read.",
    )
    .changing(&["root:/mediaType"])
    .edited(|draft, _| {
        draft.root(|root| {
            root["mediaType"] = "application/vnd.dev.sigstore.trustedroot+json;version=9.0".into();
            Some(())
        })
    }),
];
