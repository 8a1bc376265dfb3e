//! What every estimate of a study is said with: its interval, and a note where it is degenerate.
use super::error::Error;
use super::special::normal_upper;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A confidence, two-sided where an interval has two sides. In JSON a number, such as 0.95.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Level(f64);

impl Level {
    /// From a confidence strictly between 0 and 1.
    ///
    /// # Errors
    /// It is not.
    pub fn new(confidence: f64) -> Result<Self, Error> {
        // A confidence of 1 - 1e-17 is 1 as a number.
        if confidence > 0.0 && confidence < 1.0 {
            Ok(Level(confidence))
        } else {
            Err(Error::Confidence(confidence))
        }
    }

    /// The confidence, such as 0.95.
    pub fn confidence(self) -> f64 {
        self.0
    }

    /// The probability of error of both sides together, such as 0.05.
    pub fn alpha(self) -> f64 {
        1.0 - self.0
    }

    /// The level of each of `comparisons` intervals that hold all at once at this level
    /// (Bonferroni).
    pub fn bonferroni(self, comparisons: usize) -> Level {
        let each = 1.0 - self.alpha() / comparisons.max(1) as f64;
        // The largest number below 1 is the end of what a confidence can say.
        Level(each.min(1.0 - f64::EPSILON / 2.0))
    }
}

impl TryFrom<f64> for Level {
    type Error = Error;

    fn try_from(confidence: f64) -> Result<Self, Error> {
        Level::new(confidence)
    }
}

impl From<Level> for f64 {
    fn from(level: Level) -> f64 {
        level.0
    }
}

/// An estimate with its confidence limits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The estimate; none: nothing was seen of it.
    pub estimate: Option<f64>,
    /// The lower limit; none: there is no lower limit.
    pub lower: Option<f64>,
    /// The upper limit; none: there is no upper limit.
    pub upper: Option<f64>,
    /// Units of analysis: replications, unless said otherwise.
    pub n: u64,
    /// What is special about it.
    pub note: Option<Note>,
}

/// What is special about an interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// No value was seen.
    NoData,
    /// There was a value, but nothing to divide by, such as no timers for a share of them.
    NothingAtRisk,
    /// One value: no interval.
    OneValue,
    /// All values are equal: the interval has no width, which says nothing about values not seen.
    AllEqual,
    /// Not one event: the upper limit is one-sided.
    NoEvents,
    /// Nothing but events: the lower limit is one-sided.
    AllEvents,
    /// Too few replications for the limits that are missing.
    TooFew {
        /// Replications from which on there is a lower limit, when there is none.
        lower_needs: Option<u64>,
        /// Replications from which on there is an upper limit, when there is none.
        upper_needs: Option<u64>,
    },
    /// The two arms never differed.
    NeverDiffer {
        /// The one-sided upper limit of the probability that a replication differs.
        differs_at_most: f64,
    },
    /// The survival curve never falls so low within what was observed.
    NeverReached,
    /// The survival curve does, but a limit of its band does not.
    LimitNeverReached,
    /// The instant lies after all that was observed.
    BeyondObservation,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::NoData => f.write_str("no value was seen"),
            Note::NothingAtRisk => f.write_str("there was nothing to take a share of"),
            Note::OneValue => f.write_str("one replication: no interval"),
            Note::AllEqual => f.write_str("all replications gave the same value"),
            Note::NoEvents => f.write_str("no event was seen: the upper limit is one-sided"),
            Note::AllEvents => f.write_str("all were events: the lower limit is one-sided"),
            Note::TooFew { lower_needs, upper_needs } => {
                let sides = [("lower", lower_needs), ("upper", upper_needs)];
                let missing = sides.into_iter().filter_map(|(side, needs)| {
                    needs.map(|needs| format!("no {side} limit below {needs} replications"))
                });
                f.write_str(&missing.collect::<Vec<_>>().join(", "))
            }
            Note::NeverDiffer { differs_at_most } => write!(
                f,
                "the arms never differed: a replication differs with probability {} at most",
                rounded_up(*differs_at_most)
            ),
            Note::NeverReached => f.write_str("not reached within the time observed"),
            Note::LimitNeverReached => f.write_str("a limit lies beyond the time observed"),
            Note::BeyondObservation => f.write_str("after all that was observed"),
        }
    }
}

/// An upper bound in three digits, never below it.
fn rounded_up(bound: f64) -> f64 {
    (libm::ceil(bound * 1000.0) / 1000.0).min(1.0)
}

impl Interval {
    /// The interval of nothing.
    pub(super) fn nothing(n: u64, note: Note) -> Self {
        Interval { n, note: Some(note), ..Interval::default() }
    }

    /// Half of its width, when it has both limits.
    pub fn half_width(&self) -> Option<f64> {
        Some((self.upper? - self.lower?) / 2.0)
    }

    /// Whether a value lies within the limits; where there is no limit, everything does.
    pub fn contains(&self, value: f64) -> bool {
        self.lower.is_none_or(|lower| lower <= value)
            && self.upper.is_none_or(|upper| value <= upper)
    }
}

/// The exact one-sided upper bound of the probability of what never happened in `n` trials:
/// 1 - alpha^(1/n), about 3/n at 95 %. For no trial it is 1.
pub fn no_event_bound(n: u64, level: Level) -> f64 {
    if n == 0 {
        return 1.0;
    }
    -libm::expm1(libm::log(level.alpha()) / n as f64)
}

/// A proportion: the score interval of Wilson (1927), without a correction for continuity.
///
/// Degenerate: no success gives the exact one-sided upper bound [`no_event_bound`] (at the whole
/// `alpha`), nothing but successes the same from below; so one trial has an interval. No trial has
/// none.
pub fn wilson(successes: u64, n: u64, level: Level) -> Interval {
    if n == 0 {
        return Interval::nothing(0, Note::NoData);
    }
    let successes = successes.min(n);
    let p = successes as f64 / n as f64;
    let (lower, upper, note) = if successes == 0 {
        (0.0, no_event_bound(n, level), Some(Note::NoEvents))
    } else if successes == n {
        (1.0 - no_event_bound(n, level), 1.0, Some(Note::AllEvents))
    } else {
        let (lower, upper) = score(p, n as f64, normal_upper(level.alpha() / 2.0));
        (lower, upper, None)
    };
    Interval { estimate: Some(p), lower: Some(lower), upper: Some(upper), n, note }
}

/// The limits of the score interval, for `n` trials that need not be a whole number.
pub(super) fn score(p: f64, n: f64, z: f64) -> (f64, f64) {
    let square = z * z / n;
    let centre = (p + square / 2.0) / (1.0 + square);
    let half = z / (1.0 + square) * libm::sqrt(p * (1.0 - p) / n + square / (4.0 * n));
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

#[cfg(test)]
mod tests;
