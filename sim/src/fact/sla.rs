//! Customers in facts: what they run, what they are owed, and what they are told.
use crate::ids::*;
use crate::time::SimTime;
use serde::{Deserialize, Serialize};

/// How a customer uses an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageMode {
    /// Runs what the tag points to, after an adoption lag.
    Follow,
    /// Runs one digest until somebody moves the pin.
    Pin,
}

impl UsageMode {
    /// The name in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            UsageMode::Follow => "follow",
            UsageMode::Pin => "pin",
        }
    }
}

/// The two clocks of an SLA, never mixed.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// Stops when a fixed image is published.
    Provider,
    /// Stops when that customer runs it.
    Customer,
}

impl Clock {
    /// The name in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Clock::Provider => "provider",
            Clock::Customer => "customer",
        }
    }
}

/// Names one SLA timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimerRef {
    /// The customer to whom it is owed.
    pub customer: CustomerId,
    /// The image.
    pub image: ImageId,
    /// The advisory.
    pub advisory: AdvisoryId,
    /// Which clock.
    pub clock: Clock,
    /// Which exposure it is of, counted from 1: one that ended and began anew is another.
    pub episode: u32,
}

/// Whether a policy's clause about mass events excludes an advisory: decided once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MassEventDecision {
    /// The advisory.
    pub advisory: AdvisoryId,
    /// The policy.
    pub policy: PolicyId,
    /// On how many images it had been found.
    pub images_hit: u32,
    /// Of how many that had a version.
    pub images: u32,
    /// Whether that is more than the policy's share.
    pub excluded: bool,
}

/// One evaluation of all SLA timers and what must come out of it. Lists are in the order of
/// [`TimerRef`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlaCheck {
    /// The evaluation before this one; the lists cover what happened since.
    pub previous: SimTime,
    /// Timers that exist since, excluded ones among them.
    pub opened: Vec<TimerRef>,
    /// What was decided about mass events, by advisory and policy.
    pub decided: Vec<MassEventDecision>,
    /// Timers that are known now never to breach, because the policy excludes a mass event: of those
    /// opened what was decided before, and of all what is decided now.
    pub excluded: Vec<TimerRef>,
    /// Timers that stopped.
    pub stopped: Vec<TimerRef>,
    /// Timers that used up the policy's warning share, still run, and are not breached now.
    pub at_risk: Vec<TimerRef>,
    /// Timers whose deadline passed before they stopped.
    pub breached: Vec<TimerRef>,
    /// Breached ones of earlier evaluations (or of this one) that have stopped since.
    pub resolved: Vec<TimerRef>,
}

/// Why somebody is told something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// A build failed.
    BuildFailed,
    /// A critical finding on an image the customer runs.
    CriticalCve,
    /// A timer used up its warning share.
    SlaAtRisk,
    /// A deadline passed.
    SlaBreached,
    /// A breached timer stopped.
    SlaResolved,
}

impl NotificationKind {
    /// The name in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            NotificationKind::BuildFailed => "build_failed",
            NotificationKind::CriticalCve => "critical_cve",
            NotificationKind::SlaAtRisk => "sla_at_risk",
            NotificationKind::SlaBreached => "sla_breached",
            NotificationKind::SlaResolved => "sla_resolved",
        }
    }
}

/// A digest for one receiver: one notification for all that happened since the last evaluation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The receiver; none is the platform's own team.
    pub customer: Option<CustomerId>,
    /// What it is about.
    pub kind: NotificationKind,
    /// The evaluation before this one.
    pub previous: SimTime,
    /// How many things it sums up; the `notify` job must find as many rows.
    pub items: u32,
}
