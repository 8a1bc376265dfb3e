//! What nobody can choose: the distribution, its vulnerabilities, and how both are drawn.
use crate::scenario::units::{Amount, Share, Span};
use schemars::JsonSchema;
use serde::Deserialize;

/// The synthetic distribution.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Distribution {
    /// How many packages it has (1 to 100,000). Wolfi has about 1,600; 400 keeps a demo quick (D).
    pub packages: u32,
    /// Releases of one package in a year, drawn once per package. LN(1.306, 1.078) (A).
    pub releases_per_year: Draw,
    /// Share of packages that have no later release: what hits them stays open. 0.28 of the
    /// detections of 2025 (A), read as a share of packages (D).
    pub end_of_life: Share,
    /// How likely an image is to hold an end-of-life package, against any other. 0.05 (D).
    pub end_of_life_weight: Share,
}

/// How vulnerabilities are disclosed and fixed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Vulnerabilities {
    /// CVEs a day that hit the distribution. 2.89 for 1,600 packages (A); when absent, that rate
    /// scaled to the number of packages.
    pub per_day: Option<Amount>,
    /// Dispersion k of the negative binomial number of CVEs a day. 0.384 (A). 0 is Poisson.
    pub dispersion: Amount,
    /// Relative weight of the weekdays, Monday first. 16.1 24.3 17.9 15.8 17.7 4.6 3.6 (B).
    pub weekdays: [Amount; 7],
    /// Share of CVEs that hit one package only. 0.515 (A).
    pub single_package: Share,
    /// Exponent of the power law of the other blast radii. 1.95 (A).
    pub blast_radius_exponent: Amount,
    /// Largest blast radius as a share of the distribution. 635 of 1,616 (A).
    pub blast_radius_max: Share,
    /// Relative weight of the severities. 2025: 8.3 / 31.1 / 53.0 / 3.2 (A).
    pub severity: SeverityWeights,
    /// Share of CVEs known to be exploited. 0.0024 (A).
    pub known_exploited: Share,
    /// Share of CVEs with an upstream fix at disclosure. 0.85 (D).
    pub fixed_at_disclosure: Share,
    /// Wait for the upstream fix otherwise. Exponential, mean 10 d (C).
    pub upstream_fix: Draw,
    /// From the upstream fix to the distribution's fixed package. LN(1.091, 1.788) d, the
    /// measurement per CVE (A).
    pub package_fix: Draw,
    /// From publication until scanners see it. U(1.4, 3.6) d (A).
    pub detection_lag: Draw,
}

/// Relative weights of the severities; they need not add up to anything.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeverityWeights {
    /// Weight of critical.
    pub critical: Amount,
    /// Weight of high.
    pub high: Amount,
    /// Weight of medium.
    pub medium: Amount,
    /// Weight of low.
    pub low: Amount,
}

/// A distribution of lengths of time (or of plain numbers, where a field says so).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Draw {
    /// Always the same.
    Constant(Span),
    /// Uniform between two lengths.
    Uniform {
        /// The least.
        min: Span,
        /// The most.
        max: Span,
    },
    /// Exponential.
    Exponential {
        /// Its mean.
        mean: Span,
    },
    /// Lognormal by its median and the deviation of the natural logarithm.
    Lognormal {
        /// The median.
        median: Span,
        /// Deviation of the natural logarithm, 0 to 10.
        sigma: Amount,
    },
    /// Lognormal number without a unit, by the mean and deviation of the natural logarithm.
    LognormalNumber {
        /// Mean of the natural logarithm.
        mu: f64,
        /// Deviation of the natural logarithm, 0 to 10.
        sigma: Amount,
    },
}
