//! Instants as exactly as files say them: a date is a whole day, and a lag between two dates is
//! known within two days only.
use crate::fit::Seen;
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use sim::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};

/// When something happened: from `from_ms` on, and before `from_ms + width_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The earliest it can have been, in milliseconds since 1970 (UTC).
    pub from_ms: i64,
    /// How exactly it is known, in milliseconds.
    pub width_ms: i64,
}

/// What is expected of an instant, for refusals.
pub(crate) const EXPECTED: &str =
    "an instant such as 2026-01-05T08:30:00Z, or a date such as 2026-01-05, from 1990 to 2100";

/// 1990-01-01 and 2101-01-01.
const RANGE_MS: std::ops::Range<i64> = 631_152_000_000..4_133_980_800_000;
/// A lag whose limits are closer than this share of it is taken as known exactly.
const EXACT_SHARE: f64 = 0.02;

impl Moment {
    /// An instant known to the millisecond.
    pub fn at(ms: i64) -> Self {
        Moment { from_ms: ms, width_ms: 1 }
    }

    /// From milliseconds since 1970.
    pub(crate) fn of_epoch_ms(ms: i64) -> Option<Self> {
        RANGE_MS.contains(&ms).then_some(Moment::at(ms))
    }

    /// Reads RFC 3339, the same with a space or without a zone (UTC), or a date.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (from, width_ms) = if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            (at.timestamp_millis(), width(text))
        } else if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            (day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis(), DAY_MS)
        } else {
            let text = text.strip_suffix(" UTC").or(text.strip_suffix('Z')).unwrap_or(text);
            let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
            let minutes = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
            let read = |form: &&str| NaiveDateTime::parse_from_str(text, form).ok();
            match forms.iter().find_map(read) {
                Some(at) => (at.and_utc().timestamp_millis(), width(text)),
                None => (minutes.iter().find_map(read)?.and_utc().timestamp_millis(), MINUTE_MS),
            }
        };
        RANGE_MS.contains(&from).then_some(Moment { from_ms: from, width_ms })
    }

    /// The first instant after it.
    pub(crate) fn end_ms(self) -> i64 {
        self.from_ms + self.width_ms
    }

    /// How long after `earlier` it was, in hours.
    pub(crate) fn after(self, earlier: Moment) -> Seen {
        if self.width_ms == earlier.width_ms && self.width_ms >= HOUR_MS {
            let difference = (self.from_ms - earlier.from_ms).max(0);
            return Seen::Rounded(hours(difference as f64), hours(self.width_ms as f64));
        }
        let low = (self.from_ms - earlier.end_ms() + 1).max(0);
        let high = (self.end_ms() - 1 - earlier.from_ms).max(low);
        between(low as f64, high as f64)
    }

    /// That it has not come until `until_ms`, in hours.
    pub(crate) fn not_until(self, until_ms: i64) -> Seen {
        Seen::After(hours((until_ms - self.end_ms()).max(0) as f64))
    }
}

/// A lag between two lengths in milliseconds, in hours.
pub(crate) fn between(low_ms: f64, high_ms: f64) -> Seen {
    if low_ms > 0.0 && high_ms - low_ms <= EXACT_SHARE * low_ms {
        return Seen::At(hours((low_ms + high_ms) / 2.0));
    }
    // What took no time at all took less than a second.
    Seen::Between(hours(low_ms), hours(high_ms.max(low_ms + SECOND_MS as f64)))
}

/// Milliseconds in hours.
pub(crate) fn hours(ms: f64) -> f64 {
    ms / HOUR_MS as f64
}

/// A second, or a millisecond where the text has a fraction.
fn width(text: &str) -> i64 {
    if text.contains('.') { 1 } else { SECOND_MS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_as_exact_as_they_are_written() {
        for (text, from_ms, width_ms) in [
            ("2026-01-05T08:30:00Z", 1_767_601_800_000, 1_000),
            ("2026-01-05T10:30:00+02:00", 1_767_601_800_000, 1_000),
            ("2026-01-05T08:30:00.250Z", 1_767_601_800_250, 1),
            ("2026-01-05 08:30:00", 1_767_601_800_000, 1_000),
            ("2026-01-05 08:30", 1_767_601_800_000, 60_000),
            ("2026-01-05", 1_767_571_200_000, 86_400_000),
        ] {
            assert_eq!(Moment::parse(text), Some(Moment { from_ms, width_ms }), "{text}");
        }
        for text in ["", "yesterday", "2026-13-01", "0001-01-01", "9999-01-01", "05.01.2026"] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn lags_between_dates_are_known_within_two_days() {
        let day = |text| Moment::parse(text).expect("a date");
        assert_eq!(day("2026-01-07").after(day("2026-01-05")), Seen::Rounded(48.0, 24.0));
        let mixed = day("2026-01-07T12:00:00Z").after(day("2026-01-05"));
        let expected =
            |low: f64, high: f64| (low - 36.0).abs() < 0.01 && (high - 60.0).abs() < 0.01;
        assert!(matches!(mixed, Seen::Between(low, high) if expected(low, high)), "{mixed:?}");
        let exact = day("2026-01-07T00:00:00Z").after(day("2026-01-05T00:00:00Z"));
        assert!(matches!(exact, Seen::At(hours) if (hours - 48.0).abs() < 0.001), "{exact:?}");
        let never = day("2026-01-04T00:00:00Z").after(day("2026-01-05"));
        assert!(matches!(never, Seen::Between(low, _) if low == 0.0), "{never:?}");
    }
}
