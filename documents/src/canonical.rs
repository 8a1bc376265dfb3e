//! JSON of which there is only one form (RFC 8785): what gets hashed or signed.

use serde::Serialize;

use crate::error::Error;

/// The canonical JSON of a value; `document` names it in the error.
///
/// # Errors
/// [`Error::Encode`] for a value that JSON cannot express.
pub fn to_vec<T: Serialize>(document: &'static str, value: &T) -> Result<Vec<u8>, Error> {
    serde_json_canonicalizer::to_vec(value).map_err(|source| Error::Encode { document, source })
}
