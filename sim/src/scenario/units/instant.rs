//! Instants as people write them: `2026-01-05T00:00:00Z`.
use super::from_text;
use crate::time::SimTime;
use chrono::{DateTime, Datelike, Timelike};
use serde::{Deserialize, Deserializer};
use std::fmt;

const EXPECTED: &str = "an instant in UTC such as 2026-01-05T00:00:00Z";

/// An instant in UTC, as RFC 3339 writes it with a `Z`, from 1970-01-02 to the year 2200.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(SimTime);

impl Instant {
    /// As simulated time.
    pub const fn time(self) -> SimTime {
        self.0
    }
}

schema_of!(Instant, {
    "type": "string",
    "description": "An instant in UTC (RFC 3339 with a Z), from 1970-01-02 to the year 2200.",
    "pattern":
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z$",
    "examples": ["2026-01-05T00:00:00Z"]
});

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, EXPECTED, parse)
    }
}

impl std::str::FromStr for Instant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text)
    }
}

/// 1970-01-02T00:00:00Z.
const FIRST_SECOND: i64 = 86_400;

fn parse(text: &str) -> Result<Instant, String> {
    let at = DateTime::parse_from_rfc3339(text).map_err(|_| EXPECTED.to_owned())?;
    if !text.ends_with('Z') {
        return Err(format!("{EXPECTED}, ending in Z"));
    }
    // chrono also reads `t`, a blank or `_` between date and time; RFC 3339 writes a T.
    if text.as_bytes().get(10) != Some(&b'T') {
        return Err(format!("{EXPECTED}, with a T between date and time"));
    }
    // A leap second is 10^9 ns or more.
    if at.nanosecond() >= 1_000_000_000 || at.nanosecond() % 1_000_000 != 0 {
        return Err(format!("{EXPECTED}, in whole milliseconds and without a leap second"));
    }
    // On the first day of the epoch a log entry could have the time 0, which reads as absent.
    if at.timestamp() < FIRST_SECOND || at.year() > 2200 {
        return Err(format!("{EXPECTED}, from 1970-01-02 to the year 2200"));
    }
    Ok(Instant(SimTime(at.timestamp_millis())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_in_utc() {
        for (text, ms) in [
            ("1970-01-02T00:00:00Z", 86_400_000),
            ("2026-01-05T00:00:00Z", 1_767_571_200_000),
            ("2026-01-05T00:00:00.250Z", 1_767_571_200_250),
        ] {
            assert_eq!(parse(text).map(|at| at.time().0), Ok(ms), "{text}");
        }
    }

    #[test]
    fn other_instants_are_refused_with_the_reason() {
        for (text, reason) in [
            ("", "an instant"),
            ("2026-01-05", "an instant"),
            ("2026-02-30T00:00:00Z", "an instant"),
            ("2026-01-05T00:00:00", "an instant"),
            ("2026-01-05T00:00:00+01:00", "ending in Z"),
            ("2026-01-05 00:00:00Z", "with a T"),
            ("2026-01-05T00:00:00.0001Z", "whole milliseconds"),
            ("2016-12-31T23:59:60Z", "leap second"),
            ("1969-12-31T23:59:59Z", "1970-01-02 to the year 2200"),
            ("1970-01-01T00:00:00Z", "1970-01-02 to the year 2200"),
            ("1970-01-01T23:59:59.999Z", "1970-01-02 to the year 2200"),
            ("2201-01-01T00:00:00Z", "1970-01-02 to the year 2200"),
        ] {
            let refused = parse(text).expect_err(text);
            assert!(refused.contains(reason), "{text}: {refused}");
        }
    }
}
