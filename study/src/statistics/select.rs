//! Which arm is best: the fully sequential procedure KN of Kim and Nelson (2001), "A fully
//! sequential procedure for indifference-zone selection in simulation", ACM TOMACS 11(3), which
//! works under common random numbers. Arms that cannot be the best are left behind as soon as that
//! is told.
use super::error::Error;
use super::interval::Level;
use super::special::ceiling;
use serde::{Deserialize, Serialize};

/// Which mean is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// The lower, such as of costs.
    Lower,
    /// The higher, such as of a share kept.
    Higher,
}

/// What is to be chosen, and how surely.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// Which mean is the better one.
    pub better: Better,
    /// The least difference worth detecting, in the unit of the values: the indifference zone.
    pub delta: f64,
    /// The probability of a correct selection.
    pub level: Level,
    /// Replications of each arm before the first is left behind; 10 to 20 are usual, 2 the least.
    pub first: u64,
}

impl Selection {
    /// What a selection that ran to its end promises.
    pub fn guarantee(&self) -> String {
        let side = match self.better {
            Better::Lower => "below",
            Better::Higher => "above",
        };
        let percent = libm::round(self.level.confidence() * 1e6) / 1e4;
        format!(
            "With a probability of {percent} % or more this is the arm with the best mean, if its \
             mean lies {} or more {side} that of every other; where others are nearer, one of \
             those that are that near to the best (KN, Kim and Nelson 2001, for values that are \
             about normally distributed).",
            self.delta
        )
    }
}

/// What one more replication of the arms in play has brought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Replications so far of the arms in play.
    pub n: u64,
    /// Arms still in play, ascending.
    pub survivors: Vec<usize>,
    /// Arms left behind in this round, ascending.
    pub eliminated: Vec<usize>,
    /// The arm that is chosen, once it is.
    pub chosen: Option<usize>,
}

/// The state of a selection that is fed one replication of every arm in play at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Selector {
    selection: Selection,
    survivors: Vec<usize>,
    /// Sums of values, turned so that higher is better, by arm.
    sums: Vec<f64>,
    /// The values of the first stage, by replication and then by arm.
    stage: Vec<Vec<f64>>,
    /// h² S² of each pair of arms, the higher one's row first; empty until the first stage is over.
    spreads: Vec<f64>,
    n: u64,
    chosen: Option<usize>,
}

impl Selector {
    /// Before the first replication of `arms` arms.
    ///
    /// # Errors
    /// There is no arm, the indifference zone is not above 0, or the first stage too short.
    pub fn new(selection: Selection, arms: usize) -> Result<Self, Error> {
        if arms == 0 {
            return Err(Error::NoArms);
        }
        if !(selection.delta > 0.0 && selection.delta.is_finite()) {
            return Err(Error::Indifference(selection.delta));
        }
        if selection.first < 2 {
            return Err(Error::FirstStage(selection.first));
        }
        Ok(Selector {
            selection,
            survivors: (0..arms).collect(),
            sums: vec![0.0; arms],
            stage: Vec::new(),
            spreads: Vec::new(),
            n: 0,
            chosen: (arms == 1).then_some(0),
        })
    }

    /// Arms in play, ascending.
    pub fn survivors(&self) -> &[usize] {
        &self.survivors
    }

    /// The arm that is chosen, once it is.
    pub fn chosen(&self) -> Option<usize> {
        self.chosen
    }

    /// Takes one replication into account: the values of the arms in play, in their order, all with
    /// the same seed. Once an arm is chosen, nothing changes any more.
    ///
    /// # Panics
    /// There is not one value for each arm in play.
    pub fn feed(&mut self, values: &[f64]) -> Round {
        let mut eliminated = Vec::new();
        if self.chosen.is_none() {
            assert_eq!(values.len(), self.survivors.len(), "one value for each arm in play");
            let turned: Vec<f64> = match self.selection.better {
                Better::Lower => values.iter().map(|value| -value).collect(),
                Better::Higher => values.to_vec(),
            };
            self.n += 1;
            for (arm, value) in self.survivors.iter().zip(&turned) {
                self.sums[*arm] += value;
            }
            if self.n <= self.selection.first {
                self.stage.push(turned);
            }
            if self.n == self.selection.first {
                self.end_first_stage();
            }
            if self.n >= self.selection.first {
                eliminated = self.screen();
            }
        }
        Round { n: self.n, survivors: self.survivors.clone(), eliminated, chosen: self.chosen }
    }

    /// h² S² of each pair: h² = 2 eta (n0 - 1), with eta = ((2 alpha/(k - 1))^(-2/(n0 - 1)) - 1)/2,
    /// which holds for arms that depend on each other.
    fn end_first_stage(&mut self) {
        let (arms, free) = (self.sums.len(), (self.selection.first - 1) as f64);
        let beta = 2.0 * self.selection.level.alpha() / (arms - 1) as f64;
        // With two arms and a confidence of a half or less any choice would do.
        let eta = ((libm::pow(beta, -2.0 / free) - 1.0) / 2.0).max(0.0);
        for one in 0..arms {
            for other in 0..one {
                let differences = self.stage.iter().map(|values| values[one] - values[other]);
                let moments: super::moments::Moments = differences.collect();
                self.spreads.push(2.0 * eta * moments.m2);
            }
        }
        self.stage = Vec::new();
    }

    /// h² S² of two arms: `m2` is (n0 - 1) S².
    fn spread(&self, one: usize, other: usize) -> f64 {
        let (low, high) = (one.min(other), one.max(other));
        self.spreads[high * (high - 1) / 2 + low]
    }

    /// Leaves behind whose mean lies below another's by more than the width of the continuation
    /// region.
    fn screen(&mut self) -> Vec<usize> {
        let (r, delta) = (self.n as f64, self.selection.delta);
        let is_beaten = |arm: usize| {
            self.survivors.iter().any(|other| {
                let width = |other: usize| {
                    let spread = self.spread(arm, other);
                    (delta / (2.0 * r) * (spread / (delta * delta) - r)).max(0.0)
                };
                *other != arm && self.sums[arm] / r < self.sums[*other] / r - width(*other)
            })
        };
        let (eliminated, survivors) =
            self.survivors.iter().copied().partition(|arm| is_beaten(*arm));
        let last = self.n > self.at_most_of(&self.survivors);
        self.survivors = survivors;
        if self.survivors.len() == 1 || last {
            self.chosen = self.best();
        }
        eliminated
    }

    /// The largest N of the paper among some arms: the replications after which the best mean is
    /// taken.
    fn at_most_of(&self, arms: &[usize]) -> u64 {
        let square = self.selection.delta * self.selection.delta;
        let pairs = arms.iter().flat_map(|one| arms.iter().map(move |other| (*one, *other)));
        let spreads = pairs.filter(|(one, other)| one > other);
        let most = spreads.map(|(one, other)| self.spread(one, other)).fold(0.0, f64::max);
        ceiling(libm::floor(most / square))
    }

    /// How many replications of an arm it can take at most; none before the end of the first stage.
    pub fn at_most(&self) -> Option<u64> {
        let is_told = !self.spreads.is_empty() || self.sums.len() == 1;
        let more = || self.at_most_of(&self.survivors).saturating_add(1);
        is_told.then(|| if self.chosen.is_some() { self.n } else { more().max(self.n) })
    }

    /// The arm in play with the best mean so far, without any guarantee unless it is chosen; of
    /// equal ones the first. None before the first replication.
    pub fn best(&self) -> Option<usize> {
        if self.n == 0 {
            return self.chosen;
        }
        let better = |best: usize, arm: &usize| {
            if self.sums[*arm] > self.sums[best] { *arm } else { best }
        };
        let first = *self.survivors.first()?;
        Some(self.survivors.iter().fold(first, better))
    }
}

#[cfg(test)]
mod tests;
