//! The delay that the packages of one CVE have in common, given what is known of them.
//!
//! The delay of package i is W e^(s Z_i), Z_i standard normal, W of any distribution. What is known
//! is the delay of some, and that the others take longer than the time since. On x = ln W the
//! posterior's logarithm is
//!
//! `ln f(x) - n (x - m)^2 / (2 s^2) + p ln Phi((x - ln t) / s)`
//!
//! with f the prior density of ln W, n known delays whose logarithms have the mean m, and p packages
//! still open after t. Each term is concave in x, so there is one mode and the density falls from it
//! on both sides. It is found by golden section, cut where the density is e^-40 of the greatest, and
//! inverted on a grid between.
use crate::random::{Sampler, log_normal_below};

/// Cells of the grid, which covers about 18 deviations.
const CELLS: u32 = 512;
/// How far ln density falls to where the grid ends.
const FALL: f64 = 40.0;

/// What is known of the delays that share a factor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// Deviation of the logarithm of one package around its CVE.
    pub(super) spread: f64,
    /// How many delays are known.
    pub(super) fixed: u32,
    /// The sum of their logarithms, in ln ms.
    pub(super) fixed_log_ms: f64,
    /// How many last on.
    pub(super) pending: u32,
    /// For how long they have lasted, in ms.
    pub(super) elapsed_ms: f64,
}

impl Known {
    /// The logarithm of the factor (in ms) at probability `u` of its posterior.
    pub(super) fn log_factor(&self, prior: &Sampler, u: f64) -> f64 {
        let (least, most) = self.bracket(prior);
        if most <= least {
            return least;
        }
        let density = |x: f64| self.log_density(prior, x);
        let mode = mode(&density, least, most);
        let floor = density(mode) - FALL;
        let from = edge(&density, floor, mode, least);
        let to = edge(&density, floor, mode, most);
        invert(&density, density(mode), from, to, u)
    }

    fn log_density(&self, prior: &Sampler, x: f64) -> f64 {
        let mut log = prior.log_density_of_log(x);
        if self.fixed > 0 {
            let n = f64::from(self.fixed);
            let z = (x - self.fixed_log_ms / n) / self.spread;
            log -= 0.5 * n * z * z;
        }
        if self.pending > 0 && self.elapsed_ms > 0.0 {
            let z = (x - libm::log(self.elapsed_ms)) / self.spread;
            log += f64::from(self.pending) * log_normal_below(z);
        }
        log
    }

    /// Ends with all that counts between them.
    fn bracket(&self, prior: &Sampler) -> (f64, f64) {
        let (mut least, mut most) = prior.range_of_log();
        if prior.is_bounded() {
            return (least, most);
        }
        let mut cover = |x: f64| {
            least = least.min(x - 40.0 * self.spread);
            most = most.max(x + 40.0 * self.spread);
        };
        if self.fixed > 0 {
            cover(self.fixed_log_ms / f64::from(self.fixed));
        }
        if self.pending > 0 && self.elapsed_ms > 0.0 {
            cover(libm::log(self.elapsed_ms));
        }
        (least, most)
    }
}

/// Where a concave function is greatest, by golden section.
fn mode(density: &impl Fn(f64) -> f64, mut least: f64, mut most: f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    for _ in 0..60 {
        let width = GOLDEN * (most - least);
        let (left, right) = (most - width, least + width);
        if density(left) < density(right) {
            least = left;
        } else {
            most = right;
        }
    }
    0.5 * (least + most)
}

/// Where the density has fallen to the floor between the mode and `end`; `end` if it never does.
fn edge(density: &impl Fn(f64) -> f64, floor: f64, mode: f64, end: f64) -> f64 {
    if density(end) >= floor {
        return end;
    }
    let (mut above, mut below) = (mode, end);
    for _ in 0..40 {
        let middle = 0.5 * (above + below);
        if density(middle) >= floor {
            above = middle;
        } else {
            below = middle;
        }
    }
    below
}

/// The value at probability `u`, the density taken as constant within a cell.
fn invert(density: &impl Fn(f64) -> f64, greatest: f64, from: f64, to: f64, u: f64) -> f64 {
    let width = (to - from) / f64::from(CELLS);
    let middle = |cell: u32| from + (f64::from(cell) + 0.5) * width;
    let weights: Vec<f64> =
        (0..CELLS).map(|cell| libm::exp(density(middle(cell)) - greatest)).collect();
    let mut rest = u * weights.iter().sum::<f64>();
    for (cell, weight) in (0..CELLS).zip(weights) {
        if rest <= weight && weight > 0.0 {
            return from + (f64::from(cell) + rest / weight) * width;
        }
        rest -= weight;
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::normal_quantile;

    const DAY: f64 = 86_400_000.0;

    #[test]
    fn known_delays_alone_give_the_conjugate_normal_posterior() {
        let (mu, sigma, spread) = ((3.0 * DAY).ln(), 1.788, 0.35);
        let prior = Sampler::Lognormal { mu, sigma };
        for fixed in [0_u32, 1, 4, 600] {
            let n = f64::from(fixed);
            // Delays that are far from what the prior expects.
            let mean = (40.0 * DAY).ln();
            let known =
                Known { spread, fixed, fixed_log_ms: n * mean, pending: 0, elapsed_ms: 50.0 * DAY };
            let precision = 1.0 / (sigma * sigma) + n / (spread * spread);
            let center = (mu / (sigma * sigma) + n * mean / (spread * spread)) / precision;
            for u in [0.001, 0.1, 0.5, 0.9, 0.999] {
                let exact = center + normal_quantile(u) / precision.sqrt();
                let found = known.log_factor(&prior, u);
                let off = (found - exact) * precision.sqrt();
                assert!(off.abs() < 0.01, "{fixed} known, u {u}: {off} deviations off");
            }
        }
    }

    #[test]
    fn what_lasts_longer_than_anything_likely_has_a_posterior_still() {
        let open = |elapsed_ms| Known {
            spread: 0.35,
            fixed: 0,
            fixed_log_ms: 0.0,
            pending: 5,
            elapsed_ms,
        };
        let uniform = Sampler::Uniform { min: DAY, max: 12.0 * DAY };
        for u in [0.01, 0.5, 0.99] {
            // Twice the most that the factor can be: it is near the most, and not beyond.
            let x = open(24.0 * DAY).log_factor(&uniform, u);
            assert!(x > (9.0 * DAY).ln() && x <= (12.0 * DAY).ln(), "u {u}: {}", x.exp() / DAY);
            let constant = open(9.0 * DAY).log_factor(&Sampler::Constant(3.0 * DAY), u);
            assert!((constant - (3.0 * DAY).ln()).abs() < 1e-12);
            for prior in [
                Sampler::Lognormal { mu: (3.0 * DAY).ln(), sigma: 0.01 },
                Sampler::Exponential { mean: DAY },
                Sampler::Lognormal { mu: (3.0 * DAY).ln(), sigma: 1.788 },
            ] {
                let x = open(3_000.0 * DAY).log_factor(&prior, u);
                assert!(x.is_finite() && x > (2.5 * DAY).ln(), "{prior:?}, u {u}: {x}");
            }
        }
    }
}
