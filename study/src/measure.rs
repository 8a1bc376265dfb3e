//! What a replication is measured by: an observer of a world that plays, and the figures it ends with.
//!
//! Figures begin after the warm-up: timers that opened, findings that were made and builds that started
//! from then on, exposure from then on. What is open or runs at the end is counted as that.
mod outcome;
mod waits;

pub use outcome::{Cell, DeadlineCounts, Event, Outcome, SHARES, cells};
pub use waits::WaitSummary;

use crate::statistics::Section;

use sim::World;
use sim::fact::{Clock, Fact};
use sim::ids::CustomerId;
use sim::recorder::{AttemptEnd, BuildEnd, BuildStart, Recorder};
use sim::severity::Severity;
use sim::time::{DAY_MS, SimDuration, SimTime};
use sim::world::TimerView;
use std::collections::BTreeMap;
use waits::Waits;

/// The most customer tiers that are told apart; customers of further ones count as the last.
pub const MOST_TIERS: usize = 16;

/// The period that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The end of the warm-up.
    pub from: SimTime,
    /// The end of the replication.
    pub until: SimTime,
}

impl Period {
    fn hours(self) -> f64 {
        self.until.since(self.from).as_hours()
    }

    /// Whole days.
    pub fn days(self) -> u32 {
        u32::try_from(self.until.since(self.from).0 / DAY_MS).unwrap_or(0)
    }
}

/// Watches a world from its start.
#[derive(Clone, Debug)]
pub struct Meter {
    period: Period,
    builders: u32,
    /// By customer: the place of its tier.
    tier_of: Vec<usize>,
    tiers: usize,
    /// By tier and severity, in customer-milliseconds.
    exposure_ms: Vec<[i64; 4]>,
    busy_ms: i64,
    builds: u64,
    waits: Waits,
}

impl Meter {
    /// For a world that has not begun, with these builders.
    pub fn new(world: &World, tiers: &Tiers, builders: u32, period: Period) -> Self {
        Meter {
            period,
            builders,
            tier_of: tiers.of_customers(world),
            tiers: tiers.0.len(),
            exposure_ms: vec![[0; 4]; tiers.0.len()],
            busy_ms: 0,
            builds: 0,
            waits: Waits::default(),
        }
    }

    /// The part of a span that lies in the period.
    fn inside(&self, from: SimTime, until: SimTime) -> i64 {
        until.min(self.period.until).since(from.max(self.period.from)).0.max(0)
    }

    /// The figures, when the world has played to the end of the period.
    pub fn outcome(mut self, world: &World) -> Outcome {
        let period = self.period;
        let mut at_end = 0;
        for build in world.waiting_builds() {
            at_end += 1;
            // One that has flaked had its first start, which is what a wait ends with.
            if build.attempts == 0 {
                self.waits.still_waits(build.requested, period.until);
            }
        }
        for build in world.running_builds() {
            at_end += 1;
            if let Some(started) = build.started {
                self.busy_ms += self.inside(started, period.until);
            }
        }
        let mut deadlines = BTreeMap::new();
        let mut outcome = Outcome {
            cells: vec![Cell::default(); self.tiers * CELLS],
            exposure_days: self.exposure_ms.iter().map(|of| of.map(days)).collect(),
            builder_hours: f64::from(self.builders) * period.hours(),
            busy_hours: self.busy_ms as f64 / 3_600_000.0,
            builds: self.builds,
            builds_at_end: at_end,
            waits: std::mem::take(&mut self.waits).summary(),
            ..Outcome::default()
        };
        // In order of both.
        let judged = world.image_exposures().filter(|exposure| exposure.judged.is_some());
        let judged: Vec<_> = judged.map(|exposure| (exposure.image, exposure.advisory)).collect();
        for timer in world.timers().filter(|timer| timer.opened >= period.from) {
            let tier = self.tier_of.get(timer.name.customer.index()).copied().unwrap_or(0);
            let place = cell(tier, timer.name.clock, timer.severity);
            outcome.cells[place].count(&timer, period.until);
            outcome::count_deadline(&mut deadlines, world, &timer, place, period.until);
            let false_positive = (timer.name.image, timer.name.advisory);
            if timer.name.clock == Clock::Customer
                && timer.name.episode == 1
                && judged.binary_search(&false_positive).is_err()
            {
                let curves = &mut outcome.time_to_adopt;
                add(curves, timer.severity, timer.opened, timer.stopped, period.until);
            }
        }
        outcome.deadlines = DeadlineCounts::of(deadlines);
        self.findings(world, &mut outcome);
        outcome
    }

    /// What there is to say by image and advisory.
    fn findings(&self, world: &World, outcome: &mut Outcome) {
        let mut events: BTreeMap<u32, Vec<Option<SimTime>>> = BTreeMap::new();
        for exposure in world.image_exposures() {
            let ended = exposure.resolved;
            // A false positive is left out once it is judged: there is nothing to fix.
            if exposure.judged.is_some() {
                continue;
            }
            if let Some(incident) = exposure.incident {
                events.entry(incident).or_default().push(ended);
            }
            if ended.is_none() {
                outcome.open_at_end[exposure.severity as usize] += 1;
            }
            if exposure.detected >= self.period.from {
                let curves = &mut outcome.time_to_fix;
                add(curves, exposure.severity, exposure.detected, ended, self.period.until);
            }
        }
        for advisory in world.advisories() {
            let Some(incident) = advisory.incident else { continue };
            let Some(hit) = events.get(&incident) else { continue };
            let ends = hit.iter().map(|ended| ended.map(|at| at.since(advisory.published)));
            outcome.events.push(Event::of(incident, ends.collect()));
        }
    }
}

fn days(ms: i64) -> f64 {
    ms as f64 / DAY_MS as f64
}

impl Recorder for Meter {
    const FACTS: bool = false;

    fn fact(&mut self, _fact: Fact) {}

    fn build_started(&mut self, at: SimTime, build: BuildStart) {
        if at >= self.period.from && build.attempt == 1 {
            self.waits.waited(at.since(build.requested));
        }
    }

    fn build_ended(&mut self, at: SimTime, build: BuildEnd) {
        self.busy_ms += self.inside(build.started, at);
        if at >= self.period.from && build.end != AttemptEnd::Flaked {
            self.builds += 1;
        }
    }

    fn exposure_changed(
        &mut self,
        at: SimTime,
        customer: CustomerId,
        severity: Severity,
        change: i32,
    ) {
        // Each counts from now to the end; what ends takes its rest away.
        let rest = self.inside(at, self.period.until);
        let tier = self.tier_of.get(customer.index()).copied().unwrap_or(0);
        self.exposure_ms[tier][severity as usize] += i64::from(change) * rest;
    }
}

/// Cells of a tier: two clocks, four severities.
pub const CELLS: usize = 8;

/// The place of a cell.
pub fn cell(tier: usize, clock: Clock, severity: Severity) -> usize {
    let clock = match clock {
        Clock::Provider => 0,
        Clock::Customer => 4,
    };
    tier * CELLS + clock + severity as usize
}

/// The customer tiers of a study, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tiers(pub Vec<String>);

impl Tiers {
    /// Those of some worlds, in order of appearance; at least one.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut tiers: Vec<String> = Vec::new();
        for name in names {
            if tiers.len() < MOST_TIERS && !tiers.iter().any(|tier| tier == name) {
                tiers.push(name.to_owned());
            }
        }
        if tiers.is_empty() {
            tiers.push("all".to_owned());
        }
        Tiers(tiers)
    }

    fn of_customers(&self, world: &World) -> Vec<usize> {
        let last = self.0.len().saturating_sub(1);
        let place = |tier: &str| self.0.iter().position(|name| name == tier).unwrap_or(last);
        world.catalogue().customers.iter().map(|customer| place(&customer.tier)).collect()
    }
}

/// Times from detection to an end, by severity.
fn add(
    curves: &mut [Section; 4],
    severity: Severity,
    from: SimTime,
    to: Option<SimTime>,
    until: SimTime,
) {
    let ended = to.filter(|to| *to <= until);
    let hours = grid_hours(ended.unwrap_or(until).since(from));
    let curve = &mut curves[severity as usize];
    match ended {
        Some(_) => curve.event(hours),
        None => curve.censored(hours),
    }
}

/// A length of time on the grid of curves, in hours, rounded up: whole hours in the first week, six
/// hours up to five weeks, then days.
pub fn grid_hours(span: SimDuration) -> u32 {
    let hours = u32::try_from((span.0.max(0) + 3_599_999) / 3_600_000).unwrap_or(u32::MAX);
    let step = match hours {
        0..=168 => 1,
        169..=840 => 6,
        _ => 24,
    };
    hours.div_ceil(step).saturating_mul(step)
}

/// When the clock of a timer began to run: one that would start at or after its stop never ran.
fn ran_from(timer: &TimerView) -> Option<SimTime> {
    timer.started.filter(|started| timer.stopped.is_none_or(|stopped| *started < stopped))
}

/// Whether a timer is late at an instant.
fn is_missed(timer: &TimerView, at: SimTime) -> bool {
    timer.due.is_some_and(|due| due <= at && timer.stopped.is_none_or(|stopped| stopped > due))
}
