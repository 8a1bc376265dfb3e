//! Quantiles over replications, with limits that are order statistics and so assume no
//! distribution.
use super::interval::{Interval, Level, Note};
use super::special::{binomial_cdf, binomial_sf, ceiling};

/// A quantile of values in ascending order: estimated as definition 7 of Hyndman and Fan (1996), as
/// R, NumPy and pandas do by default; its limits are order statistics, by the binomial distribution
/// of the number of values below (Conover, "Practical Nonparametric Statistics", 3.2), at half of
/// `alpha` each.
///
/// Degenerate: no value has no estimate. A limit for which there are too few values does not exist;
/// the note says how many are needed ([`quantile_needs`]). `q` lies strictly between 0 and 1.
pub fn quantile(sorted: &[f64], q: f64, level: Level) -> Interval {
    let n = sorted.len() as u64;
    let Some(estimate) = interpolated(sorted, q) else {
        return Interval::nothing(0, Note::NoData);
    };
    let half = level.alpha() / 2.0;
    // The last rank r with P(B < r) <= half, and the first with P(B >= r) <= half; ranks from 1.
    let lower_rank = (0..sorted.len()).partition_point_by(|r| binomial_cdf(r, n, q) <= half);
    let upper_rank = (0..sorted.len()).partition_point_by(|r| binomial_sf(r + 1, n, q) > half);
    let lower = lower_rank.checked_sub(1).and_then(|place| sorted.get(place).copied());
    let upper = sorted.get(upper_rank).copied();
    let (lower_needs, upper_needs) = quantile_needs(q, level);
    let note = (lower.is_none() || upper.is_none()).then(|| Note::TooFew {
        lower_needs: lower.is_none().then_some(lower_needs),
        upper_needs: upper.is_none().then_some(upper_needs),
    });
    Interval { estimate: Some(estimate), lower, upper, n, note }
}

/// How many values a quantile needs for its lower and for its upper limit to exist: the first n
/// with (1 - q)^n, and with q^n, at or below half of `alpha`.
pub fn quantile_needs(q: f64, level: Level) -> (u64, u64) {
    let half = libm::log(level.alpha() / 2.0);
    (ceiling(half / libm::log1p(-q)), ceiling(half / libm::log(q)))
}

fn interpolated(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = last as f64 * q;
    let mut low = usize::try_from(ceiling(place)).ok()?.min(last);
    if low as f64 > place {
        low -= 1;
    }
    let (below, above) = (sorted[low], sorted[(low + 1).min(last)]);
    Some(below + (place - low as f64) * (above - below))
}

/// Binary search in a range of numbers.
trait PartitionPoint {
    /// The first for which the predicate does not hold, when it holds for those before.
    fn partition_point_by(self, holds: impl Fn(u64) -> bool) -> usize;
}

impl PartitionPoint for std::ops::Range<usize> {
    fn partition_point_by(self, holds: impl Fn(u64) -> bool) -> usize {
        let (mut low, mut high) = (self.start, self.end);
        while low < high {
            let middle = low + (high - low) / 2;
            if holds(middle as u64) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

#[cfg(test)]
mod tests;
