//! Distributions given what has been seen of them: the rest of a length of time of which some has
//! passed, and of a day's number of events of which some have come. docs/model.md, Forecasts.
use super::{Sampler, normal_quantile};
use crate::time::SimDuration;
use std::f64::consts::SQRT_2;

/// Beyond so many deviations the normal tail has no double any more.
const LAST_DEVIATION: f64 = 37.0;

impl Sampler {
    /// P(longer than `at`), `at` in milliseconds.
    pub fn survival(&self, at: f64) -> f64 {
        match self.reduced() {
            Sampler::Constant(value) => f64::from(u8::from(at < value)),
            Sampler::Uniform { min, max } => ((max - at) / (max - min)).clamp(0.0, 1.0),
            Sampler::Exponential { mean } => libm::exp(-at.max(0.0) / mean),
            Sampler::Lognormal { .. } if at <= 0.0 => 1.0,
            Sampler::Lognormal { mu, sigma } => normal_survival((libm::log(at) - mu) / sigma),
        }
    }

    /// The rest of a length of time that has not ended after `elapsed`: the value at probability `u`
    /// (strictly between 0 and 1) of X - elapsed given X > elapsed, by inversion of the survival
    /// function. At least a millisecond, also where rounding left nothing.
    pub fn rest(&self, elapsed: SimDuration, u: f64) -> SimDuration {
        let gone = (elapsed.0 as f64).max(0.0);
        let left = 1.0 - u;
        let rest = match self.reduced() {
            Sampler::Constant(value) => value - gone,
            Sampler::Uniform { min, max } => {
                let from = gone.max(min);
                from + u * (max - from) - gone
            }
            // Without memory.
            Sampler::Exponential { mean } => -mean * libm::log(left),
            Sampler::Lognormal { mu, sigma } => {
                let deviations = (libm::log(gone.max(f64::MIN_POSITIVE)) - mu) / sigma;
                if deviations < LAST_DEVIATION {
                    let survives = left * normal_survival(deviations);
                    libm::exp(mu - sigma * normal_quantile(survives)) - gone
                } else {
                    // The limit: exponential with the hazard of that instant.
                    -gone * sigma / deviations * libm::log(left)
                }
            }
        };
        Sampler::Constant(rest.max(1.0)).duration(u)
    }

    /// Without parameters that make another distribution of it.
    fn reduced(&self) -> Sampler {
        match *self {
            Sampler::Uniform { min, max } if max <= min => Sampler::Constant(min),
            Sampler::Exponential { mean } if mean <= 0.0 => Sampler::Constant(0.0),
            Sampler::Lognormal { mu, sigma } if sigma <= 0.0 => Sampler::Constant(libm::exp(mu)),
            Sampler::Constant(value) => Sampler::Constant(value),
            Sampler::Uniform { min, max } => Sampler::Uniform { min, max },
            Sampler::Exponential { mean } => Sampler::Exponential { mean },
            Sampler::Lognormal { mu, sigma } => Sampler::Lognormal { mu, sigma },
        }
    }

    /// The logarithm of the density of ln X at `x`, but for a constant; it is concave for every
    /// distribution here.
    pub(crate) fn log_density_of_log(&self, x: f64) -> f64 {
        match self.reduced() {
            Sampler::Constant(_) => 0.0,
            Sampler::Uniform { .. } => x,
            Sampler::Exponential { mean } => x - libm::exp(x) / mean,
            Sampler::Lognormal { mu, sigma } => {
                let z = (x - mu) / sigma;
                -0.5 * z * z
            }
        }
    }

    /// Where ln X lies, but for a probability below 1e-20 or so: least and most.
    pub(crate) fn range_of_log(&self) -> (f64, f64) {
        let log = |value: f64| libm::log(value.max(1.0));
        match self.reduced() {
            Sampler::Constant(value) => (log(value), log(value)),
            Sampler::Uniform { min, max } => (log(min), log(max)),
            Sampler::Exponential { mean } => (log(mean) - 50.0, log(mean) + 4.0),
            Sampler::Lognormal { mu, sigma } => (mu - 10.0 * sigma, mu + 10.0 * sigma),
        }
    }

    /// Whether [`Self::range_of_log`] has hard ends.
    pub(crate) fn is_bounded(&self) -> bool {
        matches!(self.reduced(), Sampler::Constant(_) | Sampler::Uniform { .. })
    }
}

/// P(a standard normal is above `z`), exact in the upper tail.
fn normal_survival(z: f64) -> f64 {
    0.5 * libm::erfc(z / SQRT_2)
}

/// ln P(a standard normal is below `z`).
pub(crate) fn log_normal_below(z: f64) -> f64 {
    if z > -LAST_DEVIATION {
        return libm::log(normal_survival(-z));
    }
    // The first terms of the asymptotic series.
    let root = 0.5 * libm::log(2.0 * std::f64::consts::PI);
    -0.5 * z * z - libm::log(-z) - root - 1.0 / (z * z)
}

/// Mean and dispersion of the number of events in the rest of a day, for [`super::count`]: the day's
/// number is negative binomial with this mean and dispersion `k` (Poisson when `k` is 0), its instants
/// are uniform, and `seen` events have come in the share `passed` of it.
///
/// A negative binomial number is Poisson with the rate `mean` L, L gamma distributed with shape k and
/// rate k. Given the events seen, L is gamma distributed with shape k + seen and rate
/// k + mean * passed; what comes in the rest is Poisson with `mean` (1 - passed) L, so negative
/// binomial again, with dispersion k + seen.
pub fn rest_of_count(mean: f64, k: f64, seen: u32, passed: f64) -> (f64, f64) {
    let rest = mean * (1.0 - passed);
    if k <= 0.0 {
        return (rest, 0.0);
    }
    let shape = k + f64::from(seen);
    (rest * shape / (k + mean * passed), shape)
}

#[cfg(test)]
mod tests {
    use super::super::count;
    use super::*;
    use crate::time::DAY_MS;

    /// By numeric integration of the density: no error function, no inversion.
    fn mean_excess_of_lognormal(mu: f64, sigma: f64, beyond: f64) -> f64 {
        let step = 1e-4;
        let (mut mass, mut first) = (0.0, 0.0);
        let mut z = (beyond.ln() - mu) / sigma + step / 2.0;
        let end = z + 40.0;
        while z < end {
            let density = (-z * z / 2.0).exp();
            mass += density;
            first += density * ((mu + sigma * z).exp() - beyond);
            z += step;
        }
        first / mass
    }

    fn mean_rest(sampler: &Sampler, elapsed: SimDuration) -> f64 {
        let n = 200_000;
        let at = |i: i32| (f64::from(i) + 0.5) / f64::from(n);
        (0..n).map(|i| sampler.rest(elapsed, at(i)).0 as f64).sum::<f64>() / f64::from(n)
    }

    #[test]
    fn the_rest_has_the_mean_excess_of_its_distribution() {
        let day = DAY_MS as f64;
        for (sigma, days) in [(1.0, 9.0), (0.35, 9.0), (0.9, 0.5), (0.5, 60.0)] {
            let sampler = Sampler::Lognormal { mu: day.ln() + 1.0, sigma };
            let gone = SimDuration((days * day) as i64);
            let exact = mean_excess_of_lognormal(day.ln() + 1.0, sigma, gone.0 as f64);
            let found = mean_rest(&sampler, gone);
            assert!((found / exact - 1.0).abs() < 0.01, "sigma {sigma}: {found} for {exact}");
        }
        let half = mean_rest(&Sampler::Uniform { min: day, max: 3.0 * day }, SimDuration::days(2));
        assert!((half / day - 0.5).abs() < 1e-3, "{half}");
        let before = Sampler::Uniform { min: 4.0 * day, max: 6.0 * day };
        let before = mean_rest(&before, SimDuration::days(1));
        assert!((before / day - 4.0).abs() < 1e-3, "{before}");
        let memoryless = mean_rest(&Sampler::Exponential { mean: day }, SimDuration::days(5));
        assert!((memoryless / day - 1.0).abs() < 1e-3, "{memoryless}");
    }

    #[test]
    fn what_has_no_rest_ends_in_a_millisecond() {
        let day = DAY_MS as f64;
        let constant = Sampler::Constant(day);
        assert_eq!(constant.rest(SimDuration(DAY_MS - 7), 0.3), SimDuration(7));
        for gone in [DAY_MS, DAY_MS + 1, 3 * DAY_MS] {
            assert_eq!(constant.rest(SimDuration(gone), 0.3), SimDuration(1));
            let uniform = Sampler::Uniform { min: 0.0, max: day };
            assert_eq!(uniform.rest(SimDuration(gone), 0.999), SimDuration(1));
            let narrow = Sampler::Lognormal { mu: day.ln(), sigma: 0.0 };
            assert_eq!(narrow.rest(SimDuration(gone), 0.3), SimDuration(1));
        }
        // Far in the tail the rest is short, positive and finite.
        let sampler = Sampler::Lognormal { mu: day.ln(), sigma: 0.01 };
        for days in [2, 3, 1_000] {
            let rest = sampler.rest(SimDuration::days(days), 0.5).0;
            assert!((1..days * DAY_MS / 1000).contains(&rest), "{days} days: {rest} ms");
        }
    }

    #[test]
    fn the_tail_and_its_limit_agree() {
        // ln x is 36.9 and 37.1 deviations out: one side each of the change of formula.
        let sampler = Sampler::Lognormal { mu: 10.0, sigma: 0.2 };
        let rest = |deviations: f64, u| {
            let gone = SimDuration((10.0 + 0.2 * deviations).exp() as i64);
            sampler.rest(gone, u).0 as f64 / gone.0 as f64
        };
        for u in [0.1, 0.5, 0.9] {
            let (inside, outside) = (rest(36.99, u), rest(37.01, u));
            assert!((inside / outside - 1.0).abs() < 0.02, "u {u}: {inside} and {outside}");
        }
    }

    #[test]
    fn the_rest_of_a_day_has_the_distribution_of_the_days_that_began_so() {
        // Days drawn whole, cut at a third: the number that follows, given the number before.
        let (mean, k, passed) = (3.0, 0.384, 1.0 / 3.0);
        let streams = crate::random::RandomStreams::new(5);
        let purpose = crate::random::Purpose::DayCount;
        let mut after: Vec<Vec<f64>> = vec![Vec::new(); 4];
        for day in 0..200_000 {
            let u = |n| streams.uniform(purpose, day, n);
            let all = count(mean, k, u(0));
            let before = (1..=all).filter(|n| u(*n) < passed).count();
            if let Some(of) = after.get_mut(before) {
                of.push(f64::from(all) - before as f64);
            }
        }
        for (seen, after) in (0..).zip(after) {
            let n = after.len() as f64;
            let found = after.iter().sum::<f64>() / n;
            let (rest, shape) = rest_of_count(mean, k, seen, passed);
            let variance = rest + rest * rest / shape;
            assert!((found - rest).abs() < 4.0 * (variance / n).sqrt(), "{seen}: {found} {rest}");
            let none = after.iter().filter(|n| **n == 0.0).count() as f64 / n;
            let exact = (shape / (shape + rest)).powf(shape);
            let sd = (exact * (1.0 - exact) / n).sqrt();
            assert!((none - exact).abs() < 4.0 * sd, "P(none after {seen}): {none} for {exact}");
        }
        assert_eq!(rest_of_count(3.0, 0.0, 9, 0.25), (2.25, 0.0));
    }
}
