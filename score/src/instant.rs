//! The instant that a report is judged at.
use crate::truth::{Instant, Truth};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// Where the instant of a report comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AsOfSource {
    /// It was asked for.
    Option,
    /// The report was written then, in the time of the world.
    Report,
    /// The truth is told up to then.
    World,
}

impl AsOfSource {
    /// The name, as the JSON writes it.
    pub const fn name(self) -> &'static str {
        match self {
            AsOfSource::Option => "option",
            AsOfSource::Report => "report",
            AsOfSource::World => "world",
        }
    }

    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            AsOfSource::Option => "as asked for",
            AsOfSource::Report => "when the report was written",
            AsOfSource::World => "the world's instant",
        }
    }
}

/// Reads an instant in RFC 3339; none: it is not one.
pub fn parse(text: &str) -> Option<Instant> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc))
}

/// The instant of a report: the one that is asked for; else the one at which it says that it was
/// written, if that lies within the time of the world; else the one up to which the truth is told.
pub(crate) fn choose(
    asked: Option<Instant>,
    created_at: Option<&str>,
    truth: &Truth,
) -> (Instant, AsOfSource) {
    let within = |at: &Instant| (truth.starts_at..=truth.as_of).contains(at);
    match (asked, created_at.and_then(parse).filter(within)) {
        (Some(at), _) => (at, AsOfSource::Option),
        (None, Some(at)) => (at, AsOfSource::Report),
        (None, None) => (truth.as_of, AsOfSource::World),
    }
}
