//! When to stop: replications are added until the interval is narrow enough, after Hoad, Robinson
//! and Davies (2010), "Automated selection of the number of replications for a discrete-event
//! simulation", Journal of the Operational Research Society 61.
use super::error::Error;
use super::interval::{Interval, Level, no_event_bound, wilson};
use super::moments::{Moments, t_mean};
use super::special::{ceiling, normal_upper, t_upper};
use serde::{Deserialize, Serialize};

/// What is precise enough.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// The half width of the t interval of the mean, relative to the mean: 0.05 is five percent of
    /// it.
    Relative(f64),
    /// The half width of the score interval of a proportion, in the unit of the proportion: 0.02 is
    /// two percentage points. The values are 0 and 1.
    Proportion(f64),
}

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// What is precise enough.
    pub precision: Precision,
    /// The confidence of the interval.
    pub level: Level,
    /// Replications that are made in any case; the paper begins with 3.
    pub minimum: u64,
    /// Replications that are not exceeded.
    pub cap: u64,
    /// For how many replications more the precision has to hold, up to 100 replications, and in
    /// percent above; the paper's kLimit is 5.
    pub look_ahead: u64,
}

impl Rule {
    /// The rule with the paper's 3 replications at least and its look-ahead of 5.
    pub fn new(precision: Precision, level: Level, cap: u64) -> Self {
        Rule { precision, level, minimum: 3, cap, look_ahead: 5 }
    }

    /// The paper's f(kLimit, n): kLimit up to 100 replications, kLimit percent of them above.
    fn ahead(&self, n: u64) -> u64 {
        if n <= 100 { self.look_ahead } else { (self.look_ahead.saturating_mul(n)).div_ceil(100) }
    }
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// One more replication.
    Continue,
    /// Precise enough.
    Stop {
        /// The replications after which the precision was reached, and held from then on: the
        /// paper's recommended number. All that were made, the look-ahead included, are in the
        /// estimate.
        n: u64,
    },
    /// The cap was reached first.
    Capped {
        /// The replications that were made.
        n: u64,
    },
}

/// The state of a rule that is fed one replication at a time, in the order of replications.
///
/// It never stops on "no events yet": while the mean is 0 (for a proportion: while there is no
/// event, or nothing but events) it goes on to the cap. While all values are equal, and not 0, a
/// variance of 0 is no precision: it goes on until a value that differs has a probability of 5 % at
/// most (59 replications at 95 %).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sequential {
    rule: Rule,
    moments: Moments,
    /// The replications at which the precision was reached that has held since.
    reached: Option<u64>,
    progress: Progress,
}

/// The probability of another value that may remain when all values are equal.
const RARE: f64 = 0.05;

impl Sequential {
    /// Before the first replication.
    ///
    /// # Errors
    /// The precision is not above 0, or the numbers of replications fit no rule.
    pub fn new(rule: Rule) -> Result<Self, Error> {
        let (Precision::Relative(wanted) | Precision::Proportion(wanted)) = rule.precision;
        if !(wanted > 0.0 && wanted.is_finite()) {
            return Err(Error::Precision(wanted));
        }
        if rule.minimum < 2 || rule.cap < rule.minimum {
            return Err(Error::Replications { minimum: rule.minimum, cap: rule.cap });
        }
        let (moments, progress) = (Moments::default(), Progress::Continue);
        Ok(Sequential { rule, moments, reached: None, progress })
    }

    /// Takes the next replication's value into account. Once it has ended, nothing changes any
    /// more.
    pub fn feed(&mut self, value: f64) -> Progress {
        if self.progress != Progress::Continue {
            return self.progress;
        }
        self.moments.push(value);
        let n = self.moments.n;
        if n < self.rule.minimum || !self.is_precise() {
            self.reached = None;
        } else {
            let reached = *self.reached.get_or_insert(n);
            if n >= reached + self.rule.ahead(reached) {
                self.progress = Progress::Stop { n: reached };
            }
        }
        if self.progress == Progress::Continue && n >= self.rule.cap {
            self.progress = Progress::Capped { n };
        }
        self.progress
    }

    /// Whether to go on.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// The interval of all replications so far.
    pub fn interval(&self) -> Interval {
        match self.rule.precision {
            Precision::Relative(_) => t_mean(&self.moments, self.rule.level),
            Precision::Proportion(_) => {
                let events = ceiling(libm::round(self.moments.mean * self.moments.n as f64));
                wilson(events, self.moments.n, self.rule.level)
            }
        }
    }

    /// The half width now, in the sense of the rule's precision; none while the rule cannot say.
    pub fn achieved(&self) -> Option<f64> {
        let interval = self.interval();
        let half = interval.half_width()?;
        match self.rule.precision {
            Precision::Relative(_) if self.moments.mean == 0.0 => None,
            Precision::Relative(_) => Some(half / libm::fabs(self.moments.mean)),
            Precision::Proportion(_) => interval.note.is_none().then_some(half),
        }
    }

    fn is_precise(&self) -> bool {
        let (Precision::Relative(wanted) | Precision::Proportion(wanted)) = self.rule.precision;
        let Some(achieved) = self.achieved() else { return false };
        let all_equal = self.moments.m2 == 0.0;
        let told = !all_equal || no_event_bound(self.moments.n, self.rule.level) <= RARE;
        told && achieved <= wanted
    }

    /// About how many replications more the precision takes, the look-ahead included, if the
    /// variance stays what it is: an estimate, which can be far off after few. None while nothing
    /// can be told, 0 when it has stopped.
    pub fn needed(&self) -> Option<u64> {
        if matches!(self.progress, Progress::Stop { .. }) {
            return Some(0);
        }
        let n = self.moments.n;
        let half = self.rule.level.alpha() / 2.0;
        self.achieved()?;
        let total = match self.rule.precision {
            Precision::Relative(wanted) => {
                let variance = self.moments.variance()?;
                let t = t_upper(half, (n - 1) as f64);
                variance * libm::pow(t / (wanted * self.moments.mean), 2.0)
            }
            Precision::Proportion(wanted) => {
                let p = self.moments.mean;
                p * (1.0 - p) * libm::pow(normal_upper(half) / wanted, 2.0)
            }
        };
        let rare = libm::log(self.rule.level.alpha()) / libm::log1p(-RARE);
        let total = if self.moments.m2 == 0.0 { rare } else { total };
        let total = ceiling(total).max(self.rule.minimum).max(self.reached.unwrap_or(0));
        let ahead = self.rule.ahead(total);
        Some(total.saturating_add(ahead).saturating_sub(n).max(1))
    }
}

#[cfg(test)]
mod tests;
