//! Statistics over facts: an observer that needs nothing but the facts themselves, so that a
//! study, a test and a summary all count the same way.
use crate::fact::{Fact, FactKind, Trigger};
use crate::ids::{AdvisoryId, BuildId};
use crate::severity::Severity;
use crate::time::SimTime;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// Counts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// All facts.
    pub facts: u64,
    /// Package releases.
    pub releases: u64,
    /// Advisories published, by severity.
    pub advisories: BTreeMap<&'static str, u64>,
    /// Builds that ended, by trigger and then by outcome.
    pub builds: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    /// Findings, by severity.
    pub findings: BTreeMap<&'static str, u64>,
    /// SLA timers opened, by clock.
    pub timers: BTreeMap<&'static str, u64>,
    /// Violations, by clock and then by severity.
    pub violations: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    /// Notifications, by kind.
    pub notifications: BTreeMap<&'static str, u64>,
}

impl Summary {
    /// All builds that ended.
    pub fn builds_total(&self) -> u64 {
        self.builds.values().flat_map(BTreeMap::values).sum()
    }

    /// All findings.
    pub fn findings_total(&self) -> u64 {
        self.findings.values().sum()
    }

    /// All violations.
    pub fn violations_total(&self) -> u64 {
        self.violations.values().flat_map(BTreeMap::values).sum()
    }
}

/// Watches facts go by.
#[derive(Clone, Debug, Default)]
pub struct Observer {
    summary: Summary,
    severities: Vec<Severity>,
    flow: Flow,
}

impl Observer {
    /// Takes one fact into account. Facts must come in order, from the first.
    pub fn observe(&mut self, fact: &Fact) {
        self.summary.facts += 1;
        self.flow.observe(fact);
        let summary = &mut self.summary;
        match &fact.kind {
            FactKind::PackageReleased { .. } => summary.releases += 1,
            FactKind::AdvisoryPublished(advisory) => {
                self.severities.push(advisory.severity);
                *summary.advisories.entry(advisory.severity.as_str()).or_default() += 1;
            }
            FactKind::BuildFinished(result) => {
                let trigger = result.cause.trigger().as_str();
                let by_outcome = summary.builds.entry(trigger).or_default();
                *by_outcome.entry(result.outcome.as_str()).or_default() += 1;
            }
            FactKind::Scanned(scan) => {
                for new in scan.targets.iter().flat_map(|target| &target.new) {
                    let severity = severity(&self.severities, new.finding.advisory);
                    *summary.findings.entry(severity).or_default() += 1;
                }
            }
            FactKind::SlaChecked(check) => {
                for timer in &check.opened {
                    *summary.timers.entry(timer.clock.as_str()).or_default() += 1;
                }
                for timer in &check.breached {
                    let by_severity = summary.violations.entry(timer.clock.as_str()).or_default();
                    let severity = severity(&self.severities, timer.advisory);
                    *by_severity.entry(severity).or_default() += 1;
                }
            }
            FactKind::Notified(notification) => {
                *summary.notifications.entry(notification.kind.as_str()).or_default() += 1;
            }
            _ => {}
        }
    }

    /// What was counted so far.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Waiting and work in progress so far.
    pub fn flow(&self) -> &Flow {
        &self.flow
    }
}

fn severity(severities: &[Severity], advisory: AdvisoryId) -> &'static str {
    severities.get(advisory.index()).map_or("unknown", |severity| severity.as_str())
}

/// How builds flow through the pool: the quantities of queueing theory, in whole milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    requested: HashMap<BuildId, (SimTime, Trigger)>,
    last: Option<SimTime>,
    in_system: u64,
    /// Integral of the number of builds in the system over time, in build-milliseconds.
    pub in_system_ms: i128,
    /// Sum over all builds that ended of their time in the system.
    pub time_in_system_ms: i128,
    /// Waiting time from the request to the first start, by trigger: sum and count.
    pub wait_ms: BTreeMap<Trigger, (i128, u64)>,
    /// How many builds ended.
    pub ended: u64,
}

impl Flow {
    fn observe(&mut self, fact: &Fact) {
        if let Some(last) = self.last {
            self.in_system_ms += i128::from(fact.at.0 - last.0) * i128::from(self.in_system);
        }
        self.last = Some(fact.at);
        match &fact.kind {
            FactKind::BuildRequested { build, cause, .. } => {
                self.requested.insert(*build, (fact.at, cause.trigger()));
                self.in_system += 1;
            }
            FactKind::BuildMerged { build, .. } => self.leave(*build, fact.at),
            FactKind::BuildStarted { build, attempt: 1, .. } => {
                if let Some((requested, trigger)) = self.requested.get(build) {
                    let (sum, count) = self.wait_ms.entry(*trigger).or_default();
                    *sum += i128::from(fact.at.0 - requested.0);
                    *count += 1;
                }
            }
            FactKind::BuildFinished(result) => {
                self.ended += 1;
                self.leave(result.build, fact.at);
            }
            _ => {}
        }
    }

    fn leave(&mut self, build: BuildId, at: SimTime) {
        if let Some((requested, _)) = self.requested.remove(&build) {
            self.in_system -= 1;
            self.time_in_system_ms += i128::from(at.0 - requested.0);
        }
    }

    /// How many builds are in the system now.
    pub fn in_system(&self) -> u64 {
        self.in_system
    }

    /// Mean wait of a trigger's builds, in hours.
    pub fn mean_wait_hours(&self, trigger: Trigger) -> f64 {
        match self.wait_ms.get(&trigger) {
            Some((sum, count)) if *count > 0 => *sum as f64 / *count as f64 / 3_600_000.0,
            _ => 0.0,
        }
    }
}
