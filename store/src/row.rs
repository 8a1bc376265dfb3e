//! The way between the kernel's types and those of rows.
use chrono::{DateTime, Utc};
use sim::time::SimTime;

/// A simulated instant as Postgres stores it. Instants outside the calendar's range (a world
/// cannot reach them) become its end.
pub fn instant(at: SimTime) -> DateTime<Utc> {
    at.to_datetime().unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// An ordinal of the kernel from a `bigint`.
///
/// # Errors
/// A decoding error when the row holds what no kernel has written.
pub fn narrow(value: i64) -> sqlx::Result<u32> {
    u32::try_from(value).map_err(|error| sqlx::Error::Decode(error.into()))
}
