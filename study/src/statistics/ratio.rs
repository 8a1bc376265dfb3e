//! Ratios of sums over replications, such as violations per builder-hour or the share of timers
//! kept: what happens within a replication hangs together, so the replication is the unit.
use super::interval::{Interval, Level, Note, no_event_bound, score};
use super::special::t_upper;
use serde::{Deserialize, Serialize};

/// Moments of pairs (y, x), one of each replication; mergeable as [`super::Moments`] are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RatioMoments {
    /// Replications.
    pub n: u64,
    /// The mean of y.
    pub mean_y: f64,
    /// The mean of x.
    pub mean_x: f64,
    /// The sum of squared deviations of y.
    pub m2_y: f64,
    /// The sum of squared deviations of x.
    pub m2_x: f64,
    /// The sum of products of deviations.
    pub c: f64,
    /// The largest x.
    pub max_x: f64,
}

impl RatioMoments {
    /// Takes one replication into account. Neither number is negative.
    pub fn push(&mut self, y: f64, x: f64) {
        self.n += 1;
        let n = self.n as f64;
        let (delta_y, delta_x) = (y - self.mean_y, x - self.mean_x);
        self.mean_y += delta_y / n;
        self.mean_x += delta_x / n;
        self.m2_y += delta_y * (y - self.mean_y);
        self.m2_x += delta_x * (x - self.mean_x);
        self.c += delta_y * (x - self.mean_x);
        self.max_x = self.max_x.max(x);
    }

    /// Takes into account what came after.
    pub fn merge(&mut self, later: &RatioMoments) {
        if later.n == 0 {
            return;
        }
        if self.n == 0 {
            *self = *later;
            return;
        }
        let (mine, theirs) = (self.n as f64, later.n as f64);
        let n = mine + theirs;
        let (delta_y, delta_x) = (later.mean_y - self.mean_y, later.mean_x - self.mean_x);
        let weight = mine * theirs / n;
        self.m2_y += later.m2_y + delta_y * delta_y * weight;
        self.m2_x += later.m2_x + delta_x * delta_x * weight;
        self.c += later.c + delta_y * delta_x * weight;
        self.mean_y += delta_y * theirs / n;
        self.mean_x += delta_x * theirs / n;
        self.max_x = self.max_x.max(later.max_x);
        self.n += later.n;
    }

    /// The ratio of the sums; none when there is nothing to divide by.
    pub fn ratio(&self) -> Option<f64> {
        (self.mean_x > 0.0).then(|| self.mean_y / self.mean_x)
    }

    /// The linearised variance of the ratio (Cochran, "Sampling Techniques", 6.4), from two
    /// replications on; exactly 0 when y is the same multiple of x in all of them.
    pub fn variance(&self) -> Option<f64> {
        let r = self.ratio()?;
        if self.n < 2 {
            return None;
        }
        let scale = self.m2_y + r * r * self.m2_x;
        let residual = scale - 2.0 * r * self.c;
        // What rounding leaves of nothing.
        let residual = if residual <= scale * 1e-14 { 0.0 } else { residual };
        Some(residual / ((self.n - 1) as f64 * self.n as f64 * self.mean_x * self.mean_x))
    }

    /// The bound of a ratio of which nothing was seen: see [`ratio`].
    fn bound(&self, level: Level) -> f64 {
        no_event_bound(self.n, level) * self.max_x / self.mean_x
    }
}

/// A ratio of sums, sum(y)/sum(x), by linearisation with Student's t on n - 1 degrees of freedom.
///
/// Degenerate: nothing to divide by has no estimate, one replication no limits, and y the same
/// multiple of x in all replications an interval without width. No event in any replication gives a
/// one-sided upper bound with the replication as the unit: a replication with an event has
/// probability [`no_event_bound`] at most, and is counted with the largest x seen, as if each
/// unit of x in it had had an event. So the bound holds where y is never above x (shares, and times
/// out of times), and else for at most one event a unit of x.
pub fn ratio(moments: &RatioMoments, level: Level) -> Interval {
    let n = moments.n;
    if n == 0 {
        return Interval::nothing(0, Note::NoData);
    }
    let Some(estimate) = moments.ratio() else {
        return Interval::nothing(n, Note::NothingAtRisk);
    };
    let interval = Interval { estimate: Some(estimate), n, ..Interval::default() };
    if moments.mean_y == 0.0 {
        let (lower, upper) = (Some(0.0), Some(moments.bound(level)));
        return Interval { lower, upper, note: Some(Note::NoEvents), ..interval };
    }
    let Some(variance) = moments.variance() else {
        return Interval { note: Some(Note::OneValue), ..interval };
    };
    let half = t_upper(level.alpha() / 2.0, (n - 1) as f64) * libm::sqrt(variance);
    Interval {
        lower: Some((estimate - half).max(0.0)),
        upper: Some(estimate + half),
        note: (variance == 0.0).then_some(Note::AllEqual),
        ..interval
    }
}

/// A share: a ratio in which y is never above x. The score interval of Wilson with the effective
/// number of trials p(1 - p)/variance, of the linearised variance, and Student's t in place of the
/// normal quantile (Korn and Graubard 1998; Franco, Little, Louis and Slud 2019): it never leaves
/// [0, 1], and keeps its coverage where few replications have an event.
///
/// Degenerate as [`ratio`]; nothing but events gives a one-sided lower bound.
pub fn share(moments: &RatioMoments, level: Level) -> Interval {
    let plain = ratio(moments, level);
    let Some(p) = plain.estimate else { return plain };
    match plain.note {
        Some(Note::NoEvents) => {
            Interval { upper: plain.upper.map(|upper| upper.min(1.0)), ..plain }
        }
        Some(Note::OneValue | Note::AllEqual) if p >= 1.0 => {
            let lower = Some((1.0 - moments.bound(level)).max(0.0));
            Interval { lower, upper: Some(1.0), note: Some(Note::AllEvents), ..plain }
        }
        Some(_) => plain,
        None if p >= 1.0 => plain,
        None => {
            let variance = moments.variance().unwrap_or(0.0);
            let t = t_upper(level.alpha() / 2.0, (moments.n - 1) as f64);
            let (lower, upper) = score(p, p * (1.0 - p) / variance, t);
            Interval { lower: Some(lower), upper: Some(upper), ..plain }
        }
    }
}

#[cfg(test)]
mod tests;
