//! Simulated instants as RFC 3339 text, without a calendar crate that could read a clock.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::error::Error;

const DAY_MS: i64 = 86_400_000;
/// 0000-01-01T00:00:00Z.
const FIRST_MS: i64 = -62_167_219_200_000;
/// 9999-12-31T23:59:59.999Z.
const LAST_MS: i64 = 253_402_300_799_999;

/// A simulated instant that RFC 3339 can express: milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The Unix epoch: what a field gets whose format wants a time that contents do not have.
    pub const EPOCH: Self = Self(0);

    /// The instant `ms` milliseconds after the Unix epoch.
    ///
    /// # Errors
    /// [`Error::Timestamp`] outside the years 0000 to 9999.
    pub fn from_ms(ms: i64) -> Result<Self, Error> {
        if (FIRST_MS..=LAST_MS).contains(&ms) { Ok(Self(ms)) } else { Err(Error::Timestamp { ms }) }
    }

    /// Milliseconds since the Unix epoch.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// `2026-01-05T02:00:00Z`: what SPDX 2.3 asks for. Milliseconds are cut off.
    pub fn to_seconds_text(self) -> String {
        let (year, month, day) = civil(self.0.div_euclid(DAY_MS));
        let second = self.0.rem_euclid(DAY_MS) / 1000;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// The second that it falls into, without its milliseconds.
    pub const fn whole_second(self) -> Self {
        Self(self.seconds() * 1000)
    }

    /// `2026-01-05T02:00:00.250Z`, also on a whole second: for lines of logs, whose columns stand
    /// below each other. Everything else is written as [`fmt::Display`] does.
    pub fn to_millis_text(self) -> String {
        let mut text = self.to_seconds_text();
        text.pop();
        text.push_str(&format!(".{:03}Z", self.0.rem_euclid(1000)));
        text
    }
}

/// The one form of instants: RFC 3339, UTC with a `Z`, with milliseconds only where there are some.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0.rem_euclid(1000) == 0;
        f.write_str(&if whole { self.to_seconds_text() } else { self.to_millis_text() })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Year, month and day of a day counted from 1970-01-01 in the proleptic Gregorian calendar,
/// by H. Hinnant's `civil_from_days` (<https://howardhinnant.github.io/date_algorithms.html>).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants() {
        // From `date -u -d @SECONDS +%FT%TZ`.
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_767_578_400, "2026-01-05T02:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (-62_167_219_200, "0000-01-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Timestamp::from_ms(seconds * 1000).unwrap().to_seconds_text(), text);
        }
        assert!(Timestamp::from_ms(i64::MAX).is_err());
        assert!(Timestamp::from_ms(i64::MIN).is_err());
    }

    #[test]
    fn milliseconds_only_where_there_are_some() {
        let text = |ms| serde_json::to_string(&Timestamp::from_ms(ms).unwrap()).unwrap();
        assert_eq!(text(1_767_578_400_000), "\"2026-01-05T02:00:00Z\"");
        assert_eq!(text(1_767_578_400_250), "\"2026-01-05T02:00:00.250Z\"");
        assert_eq!(text(-1), "\"1969-12-31T23:59:59.999Z\"");
    }
}
