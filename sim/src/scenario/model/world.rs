//! What nobody can choose: the distribution, its vulnerabilities, and how both are drawn.
use crate::scenario::units::{Amount, Share, Span, written};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The synthetic distribution.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Distribution {
    /// As whose packages scanners see them: in os-release, package URLs, the SBOMs'
    /// operating-system component, advisories and scanner databases. No fact depends on it.
    pub identity: DistributionIdentity,
    /// How many packages it has. Wolfi has about 1,600; 400 keeps a demo quick (D).
    #[schemars(range(min = 1, max = 100_000))]
    pub packages: u32,
    /// Releases of one package in a year, drawn once per package. LN(1.306, 1.078) (A).
    pub releases_per_year: NumberDraw,
    /// Share of packages that have no later release: what hits them stays open. 0.28 of the
    /// detections of 2025 (A), read as a share of packages (D).
    pub end_of_life: Share,
    /// How likely an image is to hold an end-of-life package, against any other. 0.05 (D).
    pub end_of_life_weight: Share,
}

/// As whose packages scanners see those of the synthetic distribution. All are apk packages with
/// invented names, so that only distributions of apk packages can lend their name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DistributionIdentity {
    /// Alpine Linux: most scanners match its packages, also against advisories without a fix.
    #[default]
    Alpine,
    /// Wolfi: Trivy reports nothing where there is no fix yet.
    Wolfi,
    /// A distribution that no scanner knows, for testing what it says then.
    Wavetank,
}

impl DistributionIdentity {
    /// The name in scenarios, the database and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            DistributionIdentity::Alpine => "alpine",
            DistributionIdentity::Wolfi => "wolfi",
            DistributionIdentity::Wavetank => "wavetank",
        }
    }
}

/// How vulnerabilities are disclosed and fixed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Vulnerabilities {
    /// CVEs a day that hit the distribution; 0: none. 2.89 for 1,600 packages (A); when absent, that
    /// rate scaled to the number of packages.
    #[serde(deserialize_with = "written")]
    #[schemars(with = "Amount", extend("maximum" = 10_000))]
    pub per_day: Option<Amount>,
    /// Dispersion k of the negative binomial number of CVEs a day. 0.384 (A). 0 is Poisson.
    #[schemars(extend("maximum" = 1_000_000))]
    pub dispersion: Amount,
    /// Relative weight of the weekdays, Monday first. 16.1 24.3 17.9 15.8 17.7 4.6 3.6 (B).
    #[schemars(with = "[Weight; 7]", extend("contains" = {"exclusiveMinimum": 0}))]
    pub weekdays: [Amount; 7],
    /// Share of CVEs that hit one package only. 0.515 (A).
    pub single_package: Share,
    /// Exponent of the power law of the other blast radii. 1.95 (A).
    #[schemars(extend("maximum" = 10))]
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

/// Relative weights of the severities; they need not add up to anything, but not to nothing either.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("allOf" = [{"anyOf": [
    {"properties": {"critical": {"exclusiveMinimum": 0}}},
    {"properties": {"high": {"exclusiveMinimum": 0}}},
    {"properties": {"medium": {"exclusiveMinimum": 0}}},
    {"properties": {"low": {"exclusiveMinimum": 0}}},
]}]))]
pub struct SeverityWeights {
    /// Weight of critical.
    #[schemars(with = "Weight")]
    pub critical: Amount,
    /// Weight of high.
    #[schemars(with = "Weight")]
    pub high: Amount,
    /// Weight of medium.
    #[schemars(with = "Weight")]
    pub medium: Amount,
    /// Weight of low.
    #[schemars(with = "Weight")]
    pub low: Amount,
}

/// The schema of a relative weight.
#[derive(JsonSchema)]
#[schemars(extend("maximum" = 1_000_000_000))]
struct Weight(#[expect(dead_code, reason = "says what a weight is written as")] Amount);

/// A distribution of lengths of time.
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
        /// Deviation of the natural logarithm.
        #[schemars(extend("maximum" = 10))]
        sigma: Amount,
    },
}

/// A distribution of numbers without a unit. With a deviation of 0 it is always exp(mu).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NumberDraw {
    /// Lognormal, by the mean and deviation of the natural logarithm.
    LognormalNumber {
        /// Mean of the natural logarithm.
        #[schemars(range(min = -10, max = 10))]
        mu: f64,
        /// Deviation of the natural logarithm.
        #[schemars(extend("maximum" = 10))]
        sigma: Amount,
    },
}
