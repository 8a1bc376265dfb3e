//! Simulated time: integer milliseconds, so that no rounding can differ between two machines.
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// One second, in milliseconds.
pub const SECOND_MS: i64 = 1_000;
/// One minute, in milliseconds.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// One hour, in milliseconds.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// One day, in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;
/// One year of 365 days, in milliseconds.
pub const YEAR_MS: i64 = 365 * DAY_MS;

/// A simulated instant: milliseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct SimTime(pub i64);

/// A simulated length of time in milliseconds; never negative in a scenario.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct SimDuration(pub i64);

impl SimTime {
    /// The end of time: later than any instant a world can reach.
    pub const MAX: SimTime = SimTime(i64::MAX);

    /// The same instant as a calendar date; `None` far outside the years 1 to 9999.
    pub fn to_datetime(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.0)
    }

    /// From a calendar date; less than a millisecond is cut off.
    pub fn from_datetime(at: DateTime<Utc>) -> Self {
        SimTime(at.timestamp_millis())
    }

    /// The time since `earlier`, negative when this instant is before it.
    pub fn since(self, earlier: SimTime) -> SimDuration {
        SimDuration(self.0 - earlier.0)
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_datetime() {
            Some(at) if self.0 % SECOND_MS == 0 => {
                f.write_str(&at.to_rfc3339_opts(SecondsFormat::Secs, true))
            }
            Some(at) => f.write_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => write!(f, "{} ms", self.0),
        }
    }
}

impl fmt::Debug for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl SimDuration {
    /// From whole hours.
    pub const fn hours(hours: i64) -> Self {
        SimDuration(hours * HOUR_MS)
    }

    /// From whole days.
    pub const fn days(days: i64) -> Self {
        SimDuration(days * DAY_MS)
    }

    /// In hours, for people and statistics; never used to compute an instant.
    pub fn as_hours(self) -> f64 {
        self.0 as f64 / HOUR_MS as f64
    }
}

impl fmt::Display for SimDuration {
    /// As people write it: `1d12h`, `15m`, `250ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0.unsigned_abs() as i64;
        if self.0 < 0 {
            f.write_str("-")?;
        }
        for (unit_ms, unit) in
            [(DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "m"), (SECOND_MS, "s"), (1, "ms")]
        {
            if rest >= unit_ms {
                write!(f, "{}{unit}", rest / unit_ms)?;
                rest %= unit_ms;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SimDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Add<SimDuration> for SimTime {
    type Output = SimTime;
    fn add(self, by: SimDuration) -> SimTime {
        SimTime(self.0.saturating_add(by.0))
    }
}

impl AddAssign<SimDuration> for SimTime {
    fn add_assign(&mut self, by: SimDuration) {
        *self = *self + by;
    }
}

impl Sub<SimDuration> for SimTime {
    type Output = SimTime;
    fn sub(self, by: SimDuration) -> SimTime {
        SimTime(self.0.saturating_sub(by.0))
    }
}
