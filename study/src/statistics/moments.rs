//! Means over replications: moments that are gathered one value at a time and merged, and the t
//! interval that they give.
use super::interval::{Interval, Level, Note};
use super::special::t_upper;
use serde::{Deserialize, Serialize};

/// Number, mean and sum of squared deviations, by the updating formula of Welford (1962).
///
/// Merging (Chan, Golub and LeVeque 1979) depends on the order in its last bits: merge parts in
/// the order of the replications, cut at the same places, for the same bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// Values.
    pub n: u64,
    /// Their mean; 0 without values.
    pub mean: f64,
    /// The sum of their squared deviations from the mean.
    pub m2: f64,
}

impl Moments {
    /// Takes one value into account.
    pub fn push(&mut self, value: f64) {
        self.n += 1;
        let delta = value - self.mean;
        self.mean += delta / self.n as f64;
        self.m2 += delta * (value - self.mean);
    }

    /// Takes into account what came after.
    pub fn merge(&mut self, later: &Moments) {
        if later.n == 0 {
            return;
        }
        if self.n == 0 {
            *self = *later;
            return;
        }
        let n = (self.n + later.n) as f64;
        let delta = later.mean - self.mean;
        self.m2 += later.m2 + delta * delta * (self.n as f64) * (later.n as f64) / n;
        self.mean += delta * (later.n as f64) / n;
        self.n += later.n;
    }

    /// The sample variance (divided by n - 1), from two values on.
    pub fn variance(&self) -> Option<f64> {
        (self.n >= 2).then(|| self.m2 / (self.n - 1) as f64)
    }

    /// The standard error of the mean, from two values on.
    pub fn standard_error(&self) -> Option<f64> {
        self.variance().map(|variance| libm::sqrt(variance / self.n as f64))
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut moments = Moments::default();
        values.into_iter().for_each(|value| moments.push(value));
        moments
    }
}

/// A mean: the interval of Student's t (Law, "Simulation Modeling and Analysis", 4.5).
///
/// Degenerate: no value has no estimate, one value no limits, and equal values an interval without
/// width; each is said.
pub fn t_mean(moments: &Moments, level: Level) -> Interval {
    let n = moments.n;
    if n == 0 {
        return Interval::nothing(0, Note::NoData);
    }
    let Some(error) = moments.standard_error() else {
        let note = Some(Note::OneValue);
        return Interval { estimate: Some(moments.mean), n, note, ..Interval::default() };
    };
    let half = t_upper(level.alpha() / 2.0, (n - 1) as f64) * error;
    Interval {
        estimate: Some(moments.mean),
        lower: Some(moments.mean - half),
        upper: Some(moments.mean + half),
        n,
        note: (moments.m2 == 0.0).then_some(Note::AllEqual),
    }
}

#[cfg(test)]
mod tests;
