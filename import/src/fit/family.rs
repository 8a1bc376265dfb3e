//! The distributions that scenarios know, with what a likelihood needs of them.
use serde::Serialize;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Spread of one package's fix around the fix of its CVE: deviation of the natural logarithm
/// (docs/model.md, 0.35).
pub(super) const PACKAGE_SPREAD: f64 = 0.35;

/// A distribution of lengths of time that a scenario can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Always the same.
    Constant,
    /// Uniform between two lengths.
    Uniform,
    /// Exponential.
    Exponential,
    /// Lognormal.
    Lognormal,
}

impl Family {
    /// The name, as scenarios write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Family::Constant => "constant",
            Family::Uniform => "uniform",
            Family::Exponential => "exponential",
            Family::Lognormal => "lognormal",
        }
    }

    /// The logarithm of the share that lasts longer than `t` hours. `at`: the logarithm of the
    /// mean, or mean and logarithm of the deviation of the logarithm; least and most for a uniform
    /// one.
    pub(super) fn log_survival(self, at: &[f64], t: f64, extra: f64) -> f64 {
        match self {
            Family::Exponential => -t * libm::exp(-at[0]),
            Family::Lognormal if t <= 0.0 => 0.0,
            Family::Lognormal => {
                let sigma = spread(at[1], extra);
                log_upper_tail((libm::log(t) - at[0]) / sigma)
            }
            Family::Uniform => libm::log(((at[1] - t) / (at[1] - at[0])).clamp(0.0, 1.0)),
            Family::Constant => {
                if t < at[0] {
                    0.0
                } else {
                    f64::NEG_INFINITY
                }
            }
        }
    }

    /// The share that lasts longer than `t` hours.
    pub(super) fn survival(self, at: &[f64], t: f64, extra: f64) -> f64 {
        libm::exp(self.log_survival(at, t, extra))
    }
}

/// The deviation with another one beside it that is independent.
pub(super) fn spread(log_sigma: f64, extra: f64) -> f64 {
    let sigma = libm::exp(log_sigma);
    if extra > 0.0 { libm::sqrt(sigma * sigma + extra * extra) } else { sigma }
}

/// ln P(Z > z) of the standard normal distribution, far out too.
pub(super) fn log_upper_tail(z: f64) -> f64 {
    if z < 30.0 {
        return libm::log(0.5 * libm::erfc(z * FRAC_1_SQRT_2));
    }
    // The first terms of the asymptotic series: off by less than 2e-6 of itself from 30 on.
    -0.5 * z * z - libm::log(z * libm::sqrt(2.0 * PI)) + libm::log1p(-1.0 / (z * z))
}
