//! One error for the crate, so that a caller sees which input of which document was wrong.

/// Why a document could not be made, read or verified.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A field of an image's contents cannot stand in a document.
    #[error("{subject}: {field} is {value:?}, expected {expected}")]
    Contents {
        /// The image or component that holds the field.
        subject: String,
        /// The field's name.
        field: &'static str,
        /// What was found, shortened.
        value: String,
        /// What would have been accepted.
        expected: &'static str,
    },
    /// An instant outside the years 0 to 9999, which RFC 3339 cannot express.
    #[error("{ms} ms since the Unix epoch is outside the years 0000 to 9999")]
    Timestamp {
        /// Milliseconds since the Unix epoch.
        ms: i64,
    },
    /// Text that is not a SHA-256 digest.
    #[error("{text:?} is not a digest: expected sha256: and 64 lower-case hexadecimal digits")]
    Digest {
        /// The text, shortened.
        text: String,
    },
    /// A package URL could not be composed.
    #[error("no package URL for {name:?}: {source}")]
    Purl {
        /// The package's or image's name.
        name: String,
        /// What the package URL rules refuse.
        source: packageurl::Error,
    },
    /// A document could not be written as JSON.
    #[error("{document} could not be encoded: {source}")]
    Encode {
        /// The document.
        document: &'static str,
        /// The encoder's reason.
        source: serde_json::Error,
    },
    /// Bytes that are not the JSON document they should be.
    #[error("{document} could not be read: {source}")]
    Decode {
        /// The document.
        document: &'static str,
        /// The decoder's reason, with line and column.
        source: serde_json::Error,
    },
    /// Well-formed bytes that break a rule of their format.
    #[error("{document} is refused: {reason}")]
    Malformed {
        /// The document.
        document: &'static str,
        /// The rule that is broken.
        reason: String,
    },
    /// Well-formed, but not what it claims to be: a check of trust failed.
    #[error("{document} is not to be trusted: {reason}")]
    Rejected {
        /// The document.
        document: &'static str,
        /// The check that failed.
        reason: String,
    },
    /// A key that cannot be used.
    #[error("{key} cannot be used: {reason}")]
    Key {
        /// Which key.
        key: &'static str,
        /// Why; never the key itself.
        reason: String,
    },
    /// More input than the reader takes.
    #[error("{what}: {found} is over the limit of {limit}")]
    TooLarge {
        /// What was counted, with its unit.
        what: &'static str,
        /// What was found (a lower bound when reading stopped early).
        found: u64,
        /// The most that is taken.
        limit: u64,
    },
    /// Text that is not an apk version.
    #[error("{version:?} is not an apk version: expected something like 1.4.2_rc1-r3")]
    ApkVersion {
        /// The text, shortened.
        version: String,
    },
    /// Text that is not a complete CVSS 3.1 base vector.
    #[error("{vector:?} is not a CVSS 3.1 base vector: {reason}")]
    CvssVector {
        /// The text, shortened.
        vector: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Shortens hostile or long text for a message.
pub(crate) fn shorten(text: &str) -> String {
    const LIMIT: usize = 120;
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Encodes a document as compact JSON.
pub(crate) fn to_json<T: serde::Serialize>(
    document: &'static str,
    capacity: usize,
    value: &T,
) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(capacity);
    serde_json::to_writer(&mut bytes, value)
        .map_err(|source| Error::Encode { document, source })?;
    Ok(bytes)
}
