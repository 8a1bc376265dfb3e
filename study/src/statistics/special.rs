//! The distributions behind the intervals, to about twelve digits. The incomplete beta function is
//! the continued fraction of DiDonato and Morris (1992, TOMS 708, equation 9; the even part of DLMF
//! 8.17.22, which cancels less) by the modified method of Lentz; its leading factor is the
//! saddle-point form of Loader (2000), "Fast and Accurate Computation of Binomial Probabilities",
//! which loses no digits for large parameters, as a difference of three logarithms of the gamma
//! function would.
use sim::random::normal_quantile;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// P(Z <= z) of the standard normal distribution.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * FRAC_1_SQRT_2)
}

/// The z with P(Z > z) = `tail`, strictly between 0 and 1.
pub fn normal_upper(tail: f64) -> f64 {
    -normal_quantile(tail)
}

/// The regularized incomplete beta function I_x(a, b) and 1 - I_x(a, b), each without cancellation.
/// `x` and `y` add up to 1; both are given, for one of them may be too small to be 1 minus the
/// other. `a` and `b` are above 0.
pub fn regularized_beta(x: f64, y: f64, a: f64, b: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if y <= 0.0 {
        return (1.0, 0.0);
    }
    let factor = beta_factor(x, y, a, b);
    if x < (a + 1.0) / (a + b + 2.0) {
        let below = factor / continued_fraction(x, y, a, b);
        (below, 1.0 - below)
    } else {
        let above = factor / continued_fraction(y, x, b, a);
        (1.0 - above, above)
    }
}

/// x^a y^b / B(a, b).
fn beta_factor(x: f64, y: f64, a: f64, b: f64) -> f64 {
    let n = a + b;
    let exponent = stirling_error(n)
        - stirling_error(a)
        - stirling_error(b)
        - deviance(a, n * x)
        - deviance(b, n * y);
    libm::exp(exponent) * libm::sqrt(a * b / (2.0 * PI * n))
}

/// ln Γ(n + 1) - ln(sqrt(2πn) (n/e)^n): how far Stirling's formula is off.
fn stirling_error(n: f64) -> f64 {
    const SERIES: [f64; 8] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1_260.0,
        -1.0 / 1_680.0,
        1.0 / 1_188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
        -3_617.0 / 122_400.0,
    ];
    if n < 15.0 {
        return libm::lgamma(n + 1.0) - (n + 0.5) * libm::log(n) + n - 0.5 * libm::log(2.0 * PI);
    }
    SERIES.iter().rev().fold(0.0, |sum, term| sum / (n * n) + term) / n
}

/// x ln(x/mean) + mean - x, without cancellation where x is near the mean.
fn deviance(x: f64, mean: f64) -> f64 {
    if libm::fabs(x - mean) >= 0.1 * (x + mean) {
        return x * libm::log(x / mean) + mean - x;
    }
    let v = (x - mean) / (x + mean);
    let mut sum = (x - mean) * v;
    let mut term = 2.0 * x * v;
    for j in 1..1000 {
        term *= v * v;
        let more = sum + term / f64::from(2 * j + 1);
        if more == sum {
            break;
        }
        sum = more;
    }
    sum
}

/// I_x(a, b) is x^a y^b / B(a, b) by this.
fn continued_fraction(x: f64, y: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let off_zero = |value: f64| if libm::fabs(value) < TINY { TINY } else { value };
    let denominator = |m: f64| {
        m + m * (b - m) * x / (a + 2.0 * m - 1.0)
            + (a + m) * (a * y - b * x + 1.0 + m * (1.0 + y)) / (a + 2.0 * m + 1.0)
    };
    let mut value = off_zero(a * (a * y - b * x + 1.0) / (a + 1.0));
    let mut c = value;
    let mut d = 0.0;
    // It takes about the root of the larger parameter.
    for m in 1..200_000 {
        let m = f64::from(m);
        let odd = a + 2.0 * m - 1.0;
        let ratio = x / odd;
        let numerator = (a + m - 1.0) * (a + b + m - 1.0) * m * (b - m) * ratio * ratio;
        d = 1.0 / off_zero(denominator(m) + numerator * d);
        c = off_zero(denominator(m) + numerator / c);
        value *= c * d;
        if libm::fabs(c * d - 1.0) < 2e-16 {
            break;
        }
    }
    value
}

/// P(T > t) of Student's distribution with `df` degrees of freedom.
pub fn t_sf(t: f64, df: f64) -> f64 {
    let square = t * t;
    let (x, y) = (df / (df + square), square / (df + square));
    let tail = 0.5 * regularized_beta(x, y, 0.5 * df, 0.5).0;
    if t < 0.0 { 1.0 - tail } else { tail }
}

/// P(T <= t) of Student's distribution with `df` degrees of freedom.
pub fn t_cdf(t: f64, df: f64) -> f64 {
    t_sf(-t, df)
}

/// The t with P(T > t) = `tail`, strictly between 0 and 1, for `df` degrees of freedom. Newton's
/// method for ln P(T > t) over ln t, which is concave, so that it converges from anywhere.
pub fn t_upper(tail: f64, df: f64) -> f64 {
    if tail > 0.5 {
        return -t_upper(1.0 - tail, df);
    }
    if tail == 0.5 {
        return 0.0;
    }
    if df == 1.0 {
        return 1.0 / libm::tan(PI * tail);
    }
    if df == 2.0 {
        return (1.0 - 2.0 * tail) / libm::sqrt(2.0 * tail * (1.0 - tail));
    }
    let z = normal_upper(tail);
    let wanted = libm::log(tail);
    let mut u = libm::log(z + (z * z * z + z) / (4.0 * df));
    for _ in 0..100 {
        let t = libm::exp(u);
        let square = t * t;
        let (x, y) = (df / (df + square), square / (df + square));
        let sf = 0.5 * regularized_beta(x, y, 0.5 * df, 0.5).0;
        // The density times t.
        let slope = beta_factor(x, y, 0.5 * df, 0.5);
        let step = (libm::log(sf) - wanted) * sf / slope;
        u += step;
        // The error is squared in each step: the next one would be below the last bit.
        if libm::fabs(step) < 1e-9 {
            break;
        }
    }
    libm::exp(u)
}

/// The t with P(T <= t) = `p`, strictly between 0 and 1, for `df` degrees of freedom.
pub fn t_quantile(p: f64, df: f64) -> f64 {
    -t_upper(p, df)
}

/// P(B <= k) of the binomial distribution: `n` trials of probability `p`.
pub fn binomial_cdf(k: u64, n: u64, p: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    regularized_beta(1.0 - p, p, (n - k) as f64, (k + 1) as f64).0
}

/// P(B >= k) of the binomial distribution: `n` trials of probability `p`.
pub fn binomial_sf(k: u64, n: u64, p: f64) -> f64 {
    if k == 0 {
        return 1.0;
    }
    if k > n {
        return 0.0;
    }
    regularized_beta(p, 1.0 - p, k as f64, (n - k + 1) as f64).0
}

/// The least whole number that is not below `value`, within the range of `u64`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, which is what is wanted"
)]
pub(crate) fn ceiling(value: f64) -> u64 {
    libm::ceil(value) as u64
}

#[cfg(test)]
mod tests;
