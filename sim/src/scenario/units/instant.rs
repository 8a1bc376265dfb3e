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
    "pattern": pattern(),
    "examples": ["2026-01-05T00:00:00Z"]
});

/// The regular expression of the instants that are read: dates of the calendar from 1970-01-02 to
/// 2200, to the millisecond.
fn pattern() -> String {
    const YEAR: &str = "(?:19[789][0-9]|2[01][0-9]{2}|2200)";
    const LEAP: &str = "(?:19(?:7[26]|8[048]|9[26])|20(?:[02468][048]|[13579][26])\
                        |21(?:0[48]|[2468][048]|[13579][26]))";
    let date = format!(
        "(?:{YEAR}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])\
         |(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)|{LEAP}-02-29)"
    );
    format!(
        r"^(?!1970-01-01){date}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{{1,3}}0{{0,6}})?Z$"
    )
}

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
    if text.split_once('.').is_some_and(|(_, fraction)| fraction.len() > "000000000Z".len()) {
        return Err(format!("{EXPECTED}, with at most nine digits after the point"));
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
            ("2026-01-05T00:00:00.0000000000Z", "nine digits"),
            ("2016-12-31T23:59:60Z", "leap second"),
            ("1969-12-31T23:59:59Z", "1970-01-02 to the year 2200"),
            ("1970-01-01T00:00:00Z", "1970-01-02 to the year 2200"),
            ("1970-01-01T23:59:59.999Z", "1970-01-02 to the year 2200"),
            ("2201-01-01T00:00:00Z", "1970-01-02 to the year 2200"),
            ("2100-02-29T00:00:00Z", "an instant"),
            ("2026-01-05T24:00:00Z", "an instant"),
        ] {
            let refused = parse(text).expect_err(text);
            assert!(refused.contains(reason), "{text}: {refused}");
        }
    }
}
