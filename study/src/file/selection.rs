//! A figure of a replication, as questions and precisions name it.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim::fact::Clock;
use sim::severity::Severity;

/// What is measured in a replication.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Missed deadlines of timers that opened after the warm-up.
    Violations,
    /// Whether there is at least one violation: its mean is the probability.
    AnyViolation,
    /// The share of the timers that were decided, kept or missed, that were kept.
    Kept,
    /// Timers whose deadline lies after the end, or does not exist yet.
    Undecided,
    /// Days for which customers ran what was affected, over customers, images and advisories.
    ExposureDays,
    /// Hours of builders in the pool, building or not.
    BuilderHours,
    /// Hours in which builders built.
    BusyBuilderHours,
    /// The share of the builder-hours in which they built.
    Utilization,
    /// Half of the builds waited so many hours at the most.
    QueueWaitP50,
    /// 95 % of the builds did.
    QueueWaitP95,
    /// 99 % of the builds did.
    QueueWaitP99,
    /// Mean wait for a builder, hours.
    QueueWaitMean,
    /// Builds that ran to an end.
    Builds,
    /// Builds that wait or run at the end.
    BuildsAtEnd,
    /// Hours until half of the images that a mass event hit were fixed.
    Drained50,
    /// Hours until 80 % were.
    Drained80,
    /// Hours until 90 % were.
    Drained90,
    /// Hours until 95 % were.
    Drained95,
    /// Hours until 99 % were.
    Drained99,
    /// Findings that have no fixed image yet at the end, by image and advisory.
    OpenAtEnd,
    /// What it all costs.
    Cost,
}

impl Measure {
    /// All of them, in the order of reports.
    pub const ALL: [Measure; 21] = [
        Measure::Violations,
        Measure::AnyViolation,
        Measure::Kept,
        Measure::Undecided,
        Measure::ExposureDays,
        Measure::OpenAtEnd,
        Measure::BuilderHours,
        Measure::BusyBuilderHours,
        Measure::Utilization,
        Measure::QueueWaitMean,
        Measure::QueueWaitP50,
        Measure::QueueWaitP95,
        Measure::QueueWaitP99,
        Measure::Builds,
        Measure::BuildsAtEnd,
        Measure::Drained50,
        Measure::Drained80,
        Measure::Drained90,
        Measure::Drained95,
        Measure::Drained99,
        Measure::Cost,
    ];

    /// Its name in files and results.
    pub fn as_str(self) -> &'static str {
        match self {
            Measure::Violations => "violations",
            Measure::AnyViolation => "any_violation",
            Measure::Kept => "kept",
            Measure::Undecided => "undecided",
            Measure::ExposureDays => "exposure_days",
            Measure::BuilderHours => "builder_hours",
            Measure::BusyBuilderHours => "busy_builder_hours",
            Measure::Utilization => "utilization",
            Measure::QueueWaitP50 => "queue_wait_p50",
            Measure::QueueWaitP95 => "queue_wait_p95",
            Measure::QueueWaitP99 => "queue_wait_p99",
            Measure::QueueWaitMean => "queue_wait_mean",
            Measure::Builds => "builds",
            Measure::BuildsAtEnd => "builds_at_end",
            Measure::Drained50 => "drained50",
            Measure::Drained80 => "drained80",
            Measure::Drained90 => "drained90",
            Measure::Drained95 => "drained95",
            Measure::Drained99 => "drained99",
            Measure::OpenAtEnd => "open_at_end",
            Measure::Cost => "cost",
        }
    }

    /// What it is called in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Measure::Violations => "violations",
            Measure::AnyViolation => "P(at least one violation)",
            Measure::Kept => "share of timers kept",
            Measure::Undecided => "timers undecided at the end",
            Measure::ExposureDays => "exposure-days",
            Measure::BuilderHours => "builder-hours",
            Measure::BusyBuilderHours => "busy builder-hours",
            Measure::Utilization => "utilization",
            Measure::QueueWaitP50 => "median queue wait",
            Measure::QueueWaitP95 => "95 % queue wait",
            Measure::QueueWaitP99 => "99 % queue wait",
            Measure::QueueWaitMean => "mean queue wait",
            Measure::Builds => "builds",
            Measure::BuildsAtEnd => "builds waiting or running at the end",
            Measure::Drained50 => "time to 50 % fixed",
            Measure::Drained80 => "time to 80 % fixed",
            Measure::Drained90 => "time to 90 % fixed",
            Measure::Drained95 => "time to 95 % fixed",
            Measure::Drained99 => "time to 99 % fixed",
            Measure::OpenAtEnd => "findings open at the end",
            Measure::Cost => "cost",
        }
    }

    /// Whether it can be split by severity, and by customer tier.
    pub fn is_of_timers(self) -> bool {
        matches!(
            self,
            Measure::Violations | Measure::AnyViolation | Measure::Kept | Measure::Undecided
        )
    }

    /// The share of a mass event's images that it is about.
    pub fn drained_share(self) -> Option<f64> {
        match self {
            Measure::Drained50 => Some(0.5),
            Measure::Drained80 => Some(0.8),
            Measure::Drained90 => Some(0.9),
            Measure::Drained95 => Some(0.95),
            Measure::Drained99 => Some(0.99),
            _ => None,
        }
    }
}

/// A measure, of all or of some timers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// What is measured.
    pub measure: Measure,
    /// Of this clock alone; both when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Clock>,
    /// Of this severity alone; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Of the customers of this tier alone; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
}

impl Selection {
    /// The measure over everything.
    pub fn all(measure: Measure) -> Self {
        Selection { measure, clock: None, severity: None, tier: None }
    }

    /// As a sentence names it: `violations of the provider's clock, critical, tier gold`.
    pub fn words(&self) -> String {
        let mut words = self.measure.words().to_owned();
        match self.clock {
            Some(Clock::Provider) => words.push_str(" of the provider's clock"),
            Some(Clock::Customer) => words.push_str(" of the customers' clock"),
            None => {}
        }
        if let Some(severity) = self.severity {
            words.push_str(&format!(", {}", severity.as_str()));
        }
        if let Some(tier) = &self.tier {
            words.push_str(&format!(", tier {tier}"));
        }
        words
    }
}
