//! Arrivals: how many CVEs a day brings, Poisson or negative binomial (Hilbe, "Negative Binomial
//! Regression", 2011) with the weights of weekdays as offsets.
use super::Parameter;
use super::optimum::{limits, maximum};
use serde::Serialize;

/// One day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Day {
    /// What it brought.
    pub count: u32,
    /// Its share of a mean day: 1 for one like any other.
    pub weight: f64,
}

/// Fitted arrivals.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Arrivals {
    /// The mean number a day.
    pub per_day: Parameter,
    /// The dispersion k of the negative binomial distribution; none: Poisson fits as well.
    pub dispersion: Option<Parameter>,
    /// Days.
    pub days: u64,
    /// Arrivals.
    pub n: u64,
    /// By how much the logarithm of the likelihood is better with dispersion.
    pub gain: f64,
    /// Where the maximum is, and its standard error: ln of the mean, and of k.
    #[serde(skip)]
    pub optimum: Vec<(f64, f64)>,
}

/// Twice the gain must be above the 95 % quantile of half a chi square with one degree of freedom,
/// for Poisson is at the border of what k can be (Self and Liang 1987): 2.706.
const GAIN: f64 = 1.353;

/// Fits; none: nothing came.
pub fn arrivals(days: &[Day]) -> Option<Arrivals> {
    let n: u64 = days.iter().map(|day| u64::from(day.count)).sum();
    let weight: f64 = days.iter().map(|day| day.weight).sum();
    if n == 0 || weight <= 0.0 {
        return None;
    }
    let mean = libm::log(n as f64 / weight);
    let poisson = |at: &[f64]| -> f64 { days.iter().map(|day| poisson(day, at[0])).sum() };
    let negative =
        |at: &[f64]| -> f64 { days.iter().map(|day| negative_binomial(day, at[0], at[1])).sum() };
    let (flat, flat_top) = maximum(&poisson, &[mean], 0.1);
    let (place, top) = maximum(&negative, &[mean, 0.0], 0.3);
    let gain = top - flat_top;
    if gain <= GAIN || place[1] > 10.0 {
        let (lower, upper) = limits(&poisson, &flat, flat_top, 0, 20.0);
        let per_day = parameter("mean", "a day", flat[0], lower, upper);
        let optimum = vec![(flat[0], error(lower, upper))];
        return Some(Arrivals {
            per_day,
            dispersion: None,
            days: days.len() as u64,
            n,
            gain: gain.max(0.0),
            optimum,
        });
    }
    let (lower, upper) = limits(&negative, &place, top, 0, 20.0);
    let (k_lower, k_upper) = limits(&negative, &place, top, 1, 20.0);
    Some(Arrivals {
        per_day: parameter("mean", "a day", place[0], lower, upper),
        dispersion: Some(parameter("dispersion", "", place[1], k_lower, k_upper)),
        days: days.len() as u64,
        n,
        gain,
        optimum: vec![(place[0], error(lower, upper)), (place[1], error(k_lower, k_upper))],
    })
}

fn parameter(
    name: &str,
    unit: &'static str,
    log: f64,
    lower: Option<f64>,
    upper: Option<f64>,
) -> Parameter {
    Parameter {
        name: name.to_owned(),
        unit,
        estimate: libm::exp(log),
        lower: lower.map(libm::exp),
        upper: upper.map(libm::exp),
    }
}

fn error(lower: Option<f64>, upper: Option<f64>) -> f64 {
    lower.zip(upper).map_or(1.0, |(lower, upper)| (upper - lower) / 3.92)
}

fn poisson(day: &Day, log_mean: f64) -> f64 {
    let mean = libm::exp(log_mean) * day.weight;
    if mean <= 0.0 {
        return if day.count == 0 { 0.0 } else { f64::NEG_INFINITY };
    }
    let n = f64::from(day.count);
    n * libm::log(mean) - mean - libm::lgamma(n + 1.0)
}

fn negative_binomial(day: &Day, log_mean: f64, log_k: f64) -> f64 {
    let (mean, k) = (libm::exp(log_mean) * day.weight, libm::exp(log_k));
    if mean <= 0.0 {
        return if day.count == 0 { 0.0 } else { f64::NEG_INFINITY };
    }
    let n = f64::from(day.count);
    libm::lgamma(n + k) - libm::lgamma(k) - libm::lgamma(n + 1.0) - k * libm::log1p(mean / k)
        + n * (libm::log(mean) - libm::log(mean + k))
}
