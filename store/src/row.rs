//! The way from rows back to the kernel's types.
use crate::error::Error;

/// An ordinal of the kernel from a `bigint`.
///
/// # Errors
/// The row holds what no kernel has written.
pub fn narrow(value: i64) -> Result<u32, Error> {
    u32::try_from(value).map_err(|error| sqlx::Error::Decode(error.into()).into())
}
