//! Lengths of time as people write them: `7d`, `15m`, `1h30m`.
use super::from_text;
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, SimDuration};
use serde::{Deserialize, Deserializer};
use std::fmt;

const EXPECTED: &str = "a length of time such as 7d, 15m, 1h30m or 250ms";

/// Units from the largest to the smallest: a length names them in this order.
const UNITS: [(&str, i64); 6] = [
    ("w", 7 * DAY_MS),
    ("d", DAY_MS),
    ("h", HOUR_MS),
    ("m", MINUTE_MS),
    ("s", SECOND_MS),
    ("ms", 1),
];

/// The longest span: 100 years of 365 days.
const MAX_MS: i64 = 100 * crate::time::YEAR_MS;

/// A length of time, never negative: `7d`, `15m`, `1h30m`, `1.5d`, `250ms`, `0s`.
///
/// Units are w, d, h, m, s and ms, the largest first, each at most once; a month or a year is no
/// unit because it has no fixed length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

impl Span {
    /// From whole hours.
    ///
    /// # Panics
    /// When negative or longer than 100 years.
    pub const fn hours(hours: i64) -> Self {
        Span::of_ms(hours * HOUR_MS)
    }

    /// From whole days.
    ///
    /// # Panics
    /// When negative or longer than 100 years.
    pub const fn days(days: i64) -> Self {
        Span::of_ms(days * DAY_MS)
    }

    /// From whole minutes.
    ///
    /// # Panics
    /// When negative or longer than 100 years.
    pub const fn minutes(minutes: i64) -> Self {
        Span::of_ms(minutes * MINUTE_MS)
    }

    /// From milliseconds.
    ///
    /// # Panics
    /// When negative or longer than 100 years.
    pub const fn of_ms(ms: i64) -> Self {
        assert!(ms >= 0 && ms <= MAX_MS, "a span is between 0 and 100 years");
        Span(ms)
    }

    /// As simulated time.
    pub const fn duration(self) -> SimDuration {
        SimDuration(self.0)
    }
}

schema_of!(Span, {
    "type": "string",
    "description": "A length of time: units w, d, h, m (minutes), s, ms; the largest first.",
    "pattern": pattern(),
    "examples": ["7d", "15m", "1h30m", "1.5d", "250ms"]
});

/// The regular expression of lengths: each unit once, the largest first. That it is whole
/// milliseconds and not too long takes arithmetic.
fn pattern() -> String {
    let part = |unit: &str| format!(r"(?:[0-9]+(?:\.[0-9]{{1,9}})?{unit})?");
    let parts: String = UNITS.iter().map(|(unit, _)| part(unit)).collect();
    format!("^(?=[0-9]){parts}$")
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.duration(), f)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.duration(), f)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, EXPECTED, parse)
    }
}

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text)
    }
}

fn parse(text: &str) -> Result<Span, String> {
    if text.starts_with('-') {
        return Err(format!("{EXPECTED}, not a negative one"));
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Err(format!("{EXPECTED}, with a unit (w, d, h, m, s or ms)"));
    }
    let mut total_ms: i64 = 0;
    let mut units = UNITS.iter();
    let mut rest = text;
    while !rest.is_empty() {
        let number_len = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let (number, tail) = rest.split_at(number_len);
        let unit_len = tail.bytes().take_while(|b| b.is_ascii_alphabetic()).count();
        let (unit, tail) = tail.split_at(unit_len);
        if !UNITS.iter().any(|(name, _)| *name == unit) {
            return Err(format!("{EXPECTED} (units w, d, h, m, s, ms)"));
        }
        let Some((_, unit_ms)) = units.find(|(name, _)| *name == unit) else {
            return Err(format!("{EXPECTED}, the largest unit first and each only once"));
        };
        let part_ms = exact(number, *unit_ms)?;
        total_ms = total_ms.saturating_add(part_ms);
        rest = tail;
    }
    if text.is_empty() {
        return Err(EXPECTED.to_owned());
    }
    if total_ms > MAX_MS {
        return Err(format!("{EXPECTED}, of 100 years (36500d) at the most"));
    }
    Ok(Span(total_ms))
}

/// A decimal number of units in whole milliseconds, or an error when it is not exact.
fn exact(number: &str, unit_ms: i64) -> Result<i64, String> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let malformed = whole.is_empty()
        || fraction.contains('.')
        || (number.contains('.') && fraction.is_empty())
        || fraction.len() > 9;
    if malformed {
        return Err(EXPECTED.to_owned());
    }
    let too_long = || format!("{EXPECTED}, of 100 years (36500d) at the most");
    let whole: i64 = whole.parse().map_err(|_| too_long())?;
    let whole_ms = whole.checked_mul(unit_ms).ok_or_else(too_long)?;
    if fraction.is_empty() {
        return Ok(whole_ms);
    }
    let scale = fraction.bytes().fold(1_i64, |scale, _| scale * 10);
    let digits: i64 = fraction.parse().map_err(|_| EXPECTED.to_owned())?;
    let scaled = i128::from(digits) * i128::from(unit_ms);
    if scaled % i128::from(scale) != 0 {
        return Err(format!("{EXPECTED}, in whole milliseconds"));
    }
    let fraction_ms = i64::try_from(scaled / i128::from(scale)).map_err(|_| too_long())?;
    whole_ms.checked_add(fraction_ms).ok_or_else(too_long)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_as_people_write_them() {
        for (text, ms) in [
            ("7d", 7 * DAY_MS),
            ("15m", 15 * MINUTE_MS),
            ("1h30m", 90 * MINUTE_MS),
            ("250ms", 250),
            ("0s", 0),
            ("1.5d", 36 * HOUR_MS),
            ("2w", 14 * DAY_MS),
            ("1m500ms", MINUTE_MS + 500),
            ("0.001s", 1),
            ("36500d", MAX_MS),
        ] {
            assert_eq!(parse(text), Ok(Span(ms)), "{text}");
        }
    }

    #[test]
    fn other_lengths_are_refused_with_the_reason() {
        for (text, reason) in [
            ("-5m", "not a negative one"),
            ("7", "with a unit"),
            ("1.5", "with a unit"),
            ("", "a length of time"),
            ("d", "a length of time"),
            ("7 days", "units w, d, h, m, s, ms"),
            ("7y", "units w, d, h, m, s, ms"),
            ("+7d", "units w, d, h, m, s, ms"),
            ("7D", "units w, d, h, m, s, ms"),
            ("30m1h", "the largest unit first"),
            ("1h1h", "the largest unit first"),
            ("0.5ms", "in whole milliseconds"),
            ("1.d", "a length of time"),
            ("1.2.3d", "a length of time"),
            ("36501d", "100 years"),
            ("99999999999999999999d", "100 years"),
            ("9223372036854775807d", "100 years"),
            ("7\u{e9}", "units w, d, h, m, s, ms"),
        ] {
            let refused = parse(text).expect_err(text);
            assert!(refused.contains(reason), "{text}: {refused}");
        }
    }
}
