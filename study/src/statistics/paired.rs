//! Arms against each other under common random numbers: the differences of replications with the
//! same seed, and all comparisons of a study at once.
use super::interval::{Interval, Level, Note, no_event_bound, wilson};
use super::moments::{Moments, t_mean};
use super::special::t_sf;
use serde::{Deserialize, Serialize};

/// Moments of pairs (a, b), one of each seed; mergeable as [`Moments`] are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    /// The first arm.
    pub a: Moments,
    /// The second arm.
    pub b: Moments,
    /// a - b.
    pub difference: Moments,
    /// Pairs with a other than b.
    pub differ: u64,
}

impl Paired {
    /// Takes one pair into account.
    pub fn push(&mut self, a: f64, b: f64) {
        self.a.push(a);
        self.b.push(b);
        self.difference.push(a - b);
        self.differ += u64::from(a != b);
    }

    /// Takes into account what came after.
    pub fn merge(&mut self, later: &Paired) {
        self.a.merge(&later.a);
        self.b.merge(&later.b);
        self.difference.merge(&later.difference);
        self.differ += later.differ;
    }

    /// The mean of a - b: the paired t interval.
    ///
    /// Degenerate as [`t_mean`]; arms that never differed have a difference of 0 without width, and
    /// the note bounds the probability that a replication differs.
    pub fn interval(&self, level: Level) -> Interval {
        let n = self.difference.n;
        if n == 0 || self.differ > 0 {
            return t_mean(&self.difference, level);
        }
        let differs_at_most = no_event_bound(n, level);
        let zero = Some(0.0);
        let note = Some(Note::NeverDiffer { differs_at_most });
        Interval { estimate: zero, lower: zero, upper: zero, n, note }
    }

    /// The achieved variance ratio, var(a - b)/(var a + var b): 1 is what independent arms would
    /// have, 0.1 is worth ten times the replications. None with fewer than two pairs, or when
    /// neither arm varies.
    pub fn variance_ratio(&self) -> Option<f64> {
        let independent = self.a.variance()? + self.b.variance()?;
        (independent > 0.0).then_some(self.difference.variance()? / independent)
    }

    /// The probability that a replication of a differs from that of b.
    pub fn differs(&self, level: Level) -> Interval {
        wilson(self.differ, self.difference.n, level)
    }

    /// The two-sided p-value of "the means are equal", by the paired t test; none with fewer than
    /// two pairs.
    ///
    /// Degenerate: arms that never differed have 1; where all differences are the same and not 0, t
    /// does not exist, and the sign test stands for it: 2^(1 - n).
    pub fn p_value(&self) -> Option<f64> {
        let error = self.difference.standard_error()?;
        let n = self.difference.n as f64;
        Some(if self.differ == 0 {
            1.0
        } else if error == 0.0 {
            libm::exp2(1.0 - n)
        } else {
            (2.0 * t_sf(libm::fabs(self.difference.mean / error), n - 1.0)).min(1.0)
        })
    }
}

/// One of several comparisons that are made at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// a - b, simultaneous with the intervals of all other comparisons (Bonferroni).
    pub interval: Interval,
    /// The p-value of this comparison alone.
    pub p_value: Option<f64>,
    /// The p-value adjusted for all comparisons (Holm 1979).
    pub adjusted: Option<f64>,
    /// Whether the means differ, by `adjusted`. Holm's method sees all that Bonferroni's does and
    /// sometimes more: it may find a difference of which the interval still holds 0.
    pub differs: bool,
}

/// All comparisons of a study at once: Bonferroni's intervals, which all hold together at the
/// level, and Holm's decisions, of which none is wrong with the same confidence.
pub fn compare(pairs: &[Paired], level: Level) -> Vec<Comparison> {
    let p_values: Vec<Option<f64>> = pairs.iter().map(Paired::p_value).collect();
    let adjusted = holm(&p_values);
    let intervals = bonferroni(pairs, level);
    let whole = p_values.into_iter().zip(adjusted).zip(intervals);
    whole
        .map(|((p_value, adjusted), interval)| Comparison {
            interval,
            p_value,
            adjusted,
            differs: adjusted.is_some_and(|p| p <= level.alpha()),
        })
        .collect()
}

/// The intervals of all differences, each at a confidence of 1 - alpha/m (m comparisons), so that
/// all hold at once with the confidence of the level.
pub fn bonferroni(pairs: &[Paired], level: Level) -> Vec<Interval> {
    let each = level.bonferroni(pairs.len());
    pairs.iter().map(|pair| pair.interval(each)).collect()
}

/// The p-values adjusted after Holm (1979), "A simple sequentially rejective multiple test
/// procedure": those at or below alpha are rejected together. One that is missing counts as a
/// comparison and is never rejected.
pub fn holm(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> =
        p_values.iter().enumerate().filter_map(|(place, p)| p.map(|p| (place, p))).collect();
    order.sort_by(|(_, one), (_, other)| one.total_cmp(other));
    let mut adjusted = vec![None; p_values.len()];
    let mut least = 0.0_f64;
    for (rank, (place, p)) in order.into_iter().enumerate() {
        least = least.max((p * (p_values.len() - rank) as f64).min(1.0));
        adjusted[place] = Some(least);
    }
    adjusted
}

#[cfg(test)]
mod tests;
