//! What things cost: the platform's builders, and what is promised and not kept.
use schemars::JsonSchema;
use serde::Deserialize;
use sim::fact::Clock;
use sim::scenario::units::Amount;
use sim::severity::Severity;

/// What things cost, in one currency.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// The currency, for people: `EUR`, `USD`.
    #[schemars(length(min = 1, max = 12))]
    pub currency: String,
    /// An hour of a builder of the pool, whether it builds or waits.
    #[serde(default = "none")]
    pub builder_hour: Amount,
    /// An hour in which a builder builds, beside that.
    #[serde(default = "none")]
    pub busy_builder_hour: Amount,
    /// A violation, by clock and severity.
    #[serde(default)]
    pub violation: ViolationCosts,
    /// A day for which a customer runs an affected version, for each advisory.
    #[serde(default)]
    pub exposure_day: BySeverity,
}

/// What violations cost.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ViolationCosts {
    /// Of the provider's clock: no fixed image in time.
    pub provider: BySeverity,
    /// Of the customer's clock: still an affected version in use.
    pub customer: BySeverity,
}

impl ViolationCosts {
    /// Those of a clock.
    pub fn of(&self, clock: Clock) -> &BySeverity {
        match clock {
            Clock::Provider => &self.provider,
            Clock::Customer => &self.customer,
        }
    }
}

/// An amount for each severity, 0 when absent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BySeverity {
    /// For critical.
    pub critical: Amount,
    /// For high.
    pub high: Amount,
    /// For medium.
    pub medium: Amount,
    /// For low.
    pub low: Amount,
}

impl Default for BySeverity {
    fn default() -> Self {
        BySeverity { critical: none(), high: none(), medium: none(), low: none() }
    }
}

impl BySeverity {
    /// The amount of a severity.
    pub fn of(&self, severity: Severity) -> f64 {
        let amount = match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
        };
        amount.value()
    }
}

/// A unit price that nobody gave.
fn none() -> Amount {
    Amount::of(0.0)
}
