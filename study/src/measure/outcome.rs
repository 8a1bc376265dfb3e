//! The figures of one replication of one arm: all that leaves it.
use super::waits::WaitSummary;
use super::{CELLS, cell, is_missed, ran_from};
use crate::file::{Costs, Measure, Selection};
use crate::statistics::Section;
use serde::{Deserialize, Serialize};
use sim::World;
use sim::fact::Clock;
use sim::severity::Severity;
use sim::time::{DAY_MS, SimDuration, SimTime};
use sim::world::TimerView;
use std::collections::BTreeMap;

/// The figures of a replication.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Timers by tier, clock and severity; see [`cell`].
    pub cells: Vec<Cell>,
    /// How timers would have fared under other deadlines.
    pub deadlines: DeadlineCounts,
    /// Exposure-days by tier and severity.
    pub exposure_days: Vec<[f64; 4]>,
    /// Findings that no published version resolves at the end, by severity.
    pub open_at_end: [u64; 4],
    /// From the detection on an image to the published fix, by severity.
    pub time_to_fix: [Section; 4],
    /// From the detection on what a customer runs to running something else, by severity.
    pub time_to_adopt: [Section; 4],
    /// Hours of the pool's builders.
    pub builder_hours: f64,
    /// Hours in which they built.
    pub busy_hours: f64,
    /// Builds that ran to an end.
    pub builds: u64,
    /// Builds that wait or run at the end.
    pub builds_at_end: u64,
    /// Waits for a builder.
    pub waits: WaitSummary,
    /// Mass events of the scenario.
    pub events: Vec<Event>,
}

/// Timers of a tier, clock and severity, each counted once below `opened` (docs/model.md, "How to
/// read the figures").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// All.
    pub opened: u64,
    /// Excluded as part of a mass event.
    pub excluded: u64,
    /// Of which that is not decided.
    pub undecided: u64,
    /// Stopped before their clock ran.
    pub never_ran: u64,
    /// Stand still: there is no fix.
    pub paused: u64,
    /// Run, with time left.
    pub running: u64,
    /// Stopped in time.
    pub kept: u64,
    /// Missed the deadline.
    pub missed: u64,
}

impl Cell {
    pub(super) fn count(&mut self, timer: &TimerView, at: SimTime) {
        self.opened += 1;
        let stopped = timer.stopped.is_some();
        let ran = ran_from(timer).is_some();
        let of = match timer.excluded {
            Some(true) => &mut self.excluded,
            None => &mut self.undecided,
            Some(false) if !ran && stopped => &mut self.never_ran,
            Some(false) if !ran => &mut self.paused,
            Some(false) if is_missed(timer, at) => &mut self.missed,
            Some(false) if stopped => &mut self.kept,
            Some(false) => &mut self.running,
        };
        *of += 1;
    }

    fn add(&mut self, other: &Cell) {
        self.opened += other.opened;
        self.excluded += other.excluded;
        self.undecided += other.undecided;
        self.never_ran += other.never_ran;
        self.paused += other.paused;
        self.running += other.running;
        self.kept += other.kept;
        self.missed += other.missed;
    }
}

/// How many timers of a cell stopped within so many days of the promise (none: they have not), and for
/// how many whole days they were watched. A timer counts for a deadline only if that lies before the
/// end: then it is known whether it was kept, and nothing is left out for being open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadlineCounts(pub Vec<DeadlineCount>);

/// Timers that would fare alike under every deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeadlineCount {
    /// The place of the cell.
    pub cell: usize,
    /// The fewest whole days that would have been enough.
    pub took_days: Option<u32>,
    /// Whole days from the start of the clock to the end.
    pub watched_days: u32,
    /// How many such timers.
    pub timers: u64,
}

/// Counts by cell, days taken and days watched.
pub(super) type Counted = BTreeMap<(usize, Option<u32>, u32), u64>;

impl DeadlineCounts {
    pub(super) fn of(counted: Counted) -> Self {
        let count = |((cell, took_days, watched_days), timers)| DeadlineCount {
            cell,
            took_days,
            watched_days,
            timers,
        };
        DeadlineCounts(counted.into_iter().map(count).collect())
    }
}

/// Notes in how many days of the promise a timer stopped, and for how many it was watched.
pub(super) fn count_deadline(
    counted: &mut Counted,
    world: &World,
    timer: &TimerView,
    cell: usize,
    until: SimTime,
) {
    // Until it is decided whether a timer is excluded, nothing is said of it.
    let Some(started) = ran_from(timer).filter(|_| timer.excluded == Some(false)) else { return };
    let customer = &world.catalogue().customers[timer.name.customer.index()];
    let calendar = world.catalogue().policies[customer.policy.index()].calendar;
    let spent = |at: SimTime| sim::sla_left(started, at, calendar).0.max(0);
    let whole = |days: i64| u32::try_from(days).unwrap_or(u32::MAX);
    let watched = whole(spent(until) / DAY_MS);
    let took = timer.stopped.filter(|stopped| *stopped <= until);
    let enough = |stopped: SimTime| {
        let days = whole((spent(stopped) + DAY_MS - 1) / DAY_MS).max(1);
        // Business days that are used up to the last instant ended before the weekend did.
        let over = sim::sla_due(started, days, calendar) < stopped;
        days.saturating_add(u32::from(over))
    };
    let took = took.map(|stopped| enough(stopped.max(started)));
    *counted.entry((cell, took, watched)).or_default() += 1;
}

/// How a mass event went, in hours from its disclosure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its place among the scenario's incidents.
    pub incident: u32,
    /// Images on which it was found, without those judged as not affected.
    pub images: u64,
    /// Of them, fixed by the end.
    pub fixed: u64,
    /// When the share of [`SHARES`] of them had been fixed; none: it was not by the end.
    pub drained: [Option<f64>; 5],
}

/// The shares of images whose fix is timed.
pub const SHARES: [f64; 5] = [0.5, 0.8, 0.9, 0.95, 0.99];

impl Event {
    pub(super) fn of(incident: u32, mut ends: Vec<Option<SimDuration>>) -> Self {
        let images = ends.len();
        ends.sort_unstable_by_key(|end| end.map_or(i64::MAX, |end| end.0));
        let drained = SHARES.map(|share| {
            let rank = (1..=images).find(|rank| *rank as f64 >= share * images as f64 - 1e-9)?;
            ends[rank - 1].map(SimDuration::as_hours)
        });
        let fixed = ends.iter().flatten().count() as u64;
        Event { incident, images: images as u64, fixed, drained }
    }
}

impl Outcome {
    /// The cells that a selection means, added up.
    pub fn timers(&self, of: &Selection, tiers: &[String]) -> Cell {
        let mut sum = Cell::default();
        for place in cells(of, tiers) {
            if let Some(cell) = self.cells.get(place) {
                sum.add(cell);
            }
        }
        sum
    }

    /// The value of a measure; none when there is nothing to measure in this replication.
    pub fn value(&self, of: &Selection, tiers: &[String], costs: Option<&Costs>) -> Option<f64> {
        let timers = || self.timers(of, tiers);
        Some(match of.measure {
            Measure::Violations => timers().missed as f64,
            Measure::AnyViolation => f64::from(u8::from(timers().missed > 0)),
            Measure::Kept => {
                let cell = timers();
                let decided = cell.kept + cell.missed;
                return (decided > 0).then(|| cell.kept as f64 / decided as f64);
            }
            Measure::Undecided => {
                let cell = timers();
                (cell.running + cell.paused + cell.undecided) as f64
            }
            Measure::ExposureDays => self.exposure(of, tiers),
            Measure::OpenAtEnd => {
                let wanted = |severity: &&Severity| of.severity.is_none_or(|s| s == **severity);
                let severities = Severity::ALL.iter().filter(wanted);
                severities.map(|severity| self.open_at_end[*severity as usize]).sum::<u64>() as f64
            }
            Measure::BuilderHours => self.builder_hours,
            Measure::BusyBuilderHours => self.busy_hours,
            Measure::Utilization => {
                return (self.builder_hours > 0.0).then(|| self.busy_hours / self.builder_hours);
            }
            Measure::QueueWaitMean => return self.waits.mean,
            Measure::QueueWaitP50 => return self.waits.p50,
            Measure::QueueWaitP95 => return self.waits.p95,
            Measure::QueueWaitP99 => return self.waits.p99,
            Measure::Builds => self.builds as f64,
            Measure::BuildsAtEnd => self.builds_at_end as f64,
            Measure::Drained50 => return self.drained(0),
            Measure::Drained80 => return self.drained(1),
            Measure::Drained90 => return self.drained(2),
            Measure::Drained95 => return self.drained(3),
            Measure::Drained99 => return self.drained(4),
            Measure::Cost => return costs.map(|costs| self.cost(costs)),
        })
    }

    /// Of the scenario's first mass event.
    fn drained(&self, share: usize) -> Option<f64> {
        self.events.first().and_then(|event| event.drained[share])
    }

    fn exposure(&self, of: &Selection, tiers: &[String]) -> f64 {
        let mut days = 0.0;
        for (tier, by_severity) in self.exposure_days.iter().enumerate() {
            let named = tiers.get(tier);
            if of.tier.as_ref().is_some_and(|wanted| Some(wanted) != named) {
                continue;
            }
            for severity in Severity::ALL {
                if of.severity.is_none_or(|wanted| wanted == severity) {
                    days += by_severity[severity as usize];
                }
            }
        }
        days
    }

    fn cost(&self, costs: &Costs) -> f64 {
        let mut cost = costs.builder_hour.value() * self.builder_hours
            + costs.busy_builder_hour.value() * self.busy_hours;
        for tier in 0..self.cells.len() / CELLS {
            for severity in Severity::ALL {
                for clock in [Clock::Provider, Clock::Customer] {
                    let missed = self.cells[cell(tier, clock, severity)].missed;
                    cost += costs.violation.of(clock).of(severity) * missed as f64;
                }
                cost +=
                    costs.exposure_day.of(severity) * self.exposure_days[tier][severity as usize];
            }
        }
        cost
    }
}

/// The places of the cells that a selection means.
pub fn cells(of: &Selection, tiers: &[String]) -> Vec<usize> {
    let mut places = Vec::new();
    for (tier, name) in tiers.iter().enumerate() {
        if of.tier.as_ref().is_some_and(|wanted| wanted != name) {
            continue;
        }
        for clock in [Clock::Provider, Clock::Customer] {
            for severity in Severity::ALL {
                let clock_fits = of.clock.is_none_or(|wanted| wanted == clock);
                if clock_fits && of.severity.is_none_or(|wanted| wanted == severity) {
                    places.push(cell(tier, clock, severity));
                }
            }
        }
    }
    places
}
