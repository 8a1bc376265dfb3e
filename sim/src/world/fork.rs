//! Forecasts: a world forked at its instant into one of its possible futures.
//!
//! What is known stays. What is not known yet is drawn anew, from streams of the fork's own, given what
//! is known: a fix that has not come after nine days has the distribution of a fix that takes longer
//! than nine days. Neither the world's own draws are used (that would be reading the future) nor is
//! anything drawn as if nothing had been seen. The table in docs/model.md, Forecasts, says for each
//! kind of event what is known of it and by which formula the rest is drawn.
//!
//! A draw keeps its name (purpose, entity, index) where it had one; the streams are others. Events that
//! are drawn anew are scheduled in an order of their own, so that not even ties tell when they would
//! have happened.
mod breakages;
mod disclosures;
mod findings;
mod fixes;
mod shared_factor;
#[cfg(test)]
mod tests;

use super::World;
use super::state::{Event, Fixing};
use crate::events::Class;
use crate::ids::AdvisoryId;
use crate::random::{Purpose, RandomStreams};
use crate::time::{SimDuration, SimTime};

/// How much of the time from an instant (the second) until now (the first) is known to have passed:
/// all of it, but for tests that show why that matters.
type Elapsed = fn(SimTime, SimTime) -> SimDuration;

impl World {
    /// One of the possible futures of this world, as far as anybody can know at its instant. The same
    /// seed gives the same one; many seeds, forecasts. No seed gives the world's own future, nor does
    /// a fork of a fork repeat its draws.
    pub fn fork(&self, seed: u64) -> World {
        self.fork_with(self.streams.fork(seed), SimTime::since)
    }

    fn fork_with(&self, streams: RandomStreams, elapsed: Elapsed) -> World {
        let mut fork = self.clone();
        fork.streams = streams;
        let mut unknown = Vec::new();
        for (at, class, event) in fork.queue.take() {
            if fork.is_settled(event) {
                fork.queue.schedule(at, class, event);
            } else {
                unknown.push(event);
            }
            if let Event::Day(next) = event {
                fork.disclose_rest_of_day(next, at);
            }
        }
        unknown.sort_unstable();
        let mut factor = None;
        for event in unknown {
            fork.redraw(event, elapsed, &mut factor);
        }
        fork.redraw_breakages(elapsed);
        fork.redraw_detection(elapsed);
        fork.redraw_judgements(elapsed);
        fork
    }

    /// Whether it is known when the event happens: by the calendar, the scenario or a command, or
    /// because somebody has been told.
    fn is_settled(&self, event: Event) -> bool {
        let fixing = |advisory: AdvisoryId| self.advisories[advisory.index()].fixing;
        match event {
            Event::Begin
            | Event::Day(_)
            | Event::Incident(_)
            | Event::OutageEnds(_)
            | Event::Retry(_)
            | Event::Cron
            | Event::Scan
            | Event::SlaCheck
            | Event::ExternalEnds(_)
            | Event::ScanRequested(_)
            | Event::SlaCheckRequested
            | Event::UsageRequested { .. } => true,
            Event::FixAvailable(advisory) => !matches!(fixing(advisory), Fixing::Drawn(_)),
            Event::PackageFix { advisory, .. } => {
                matches!(fixing(advisory), Fixing::Commanded(_))
            }
            // A pin that a command has moved stays: the plan has no effect any more.
            Event::MovePin(usage) => self.usages[usage as usize].commanded,
            Event::Disclose { .. }
            | Event::Release { .. }
            | Event::Repaired { .. }
            | Event::BuildEnds(_)
            | Event::Adopt(_)
            | Event::Triage { .. }
            | Event::Arrival { .. } => false,
        }
    }

    /// Schedules what is under way to end at another instant. `factor` is that of the advisory whose
    /// packages come one after the other.
    fn redraw(&mut self, event: Event, elapsed: Elapsed, factor: &mut Option<(AdvisoryId, f64)>) {
        let now = self.now;
        let (class, rest) = match event {
            Event::FixAvailable(advisory) => {
                (Class::Exogenous, self.rest_of_upstream_fix(advisory, elapsed))
            }
            Event::PackageFix { advisory, package } => {
                (Class::Exogenous, self.rest_of_package_fix(advisory, package, elapsed, factor))
            }
            Event::BuildEnds(slot) => {
                let Some(build) = &self.builds[slot as usize] else { return };
                let u = self.streams.uniform(Purpose::Rest, build.id.0, build.attempts);
                let passed = elapsed(now, build.started);
                (Class::Build, self.config.duration.rest(passed, u))
            }
            Event::Adopt(id) => {
                let usage = &self.usages[id as usize];
                let u = self.streams.uniform(Purpose::Adoption, Self::key(usage), usage.moves);
                let lag = &self.config.entries[usage.entry as usize].adoption_lag;
                (Class::Usage, lag.rest(elapsed(now, usage.planned), u))
            }
            Event::MovePin(id) => {
                let usage = &self.usages[id as usize];
                let u = self.streams.uniform(Purpose::PinAge, Self::key(usage), usage.moves);
                let age = &self.config.entries[usage.entry as usize].pin_age;
                (Class::Usage, age.rest(elapsed(now, usage.planned), u))
            }
            Event::Arrival { stream, nth } => {
                let u = self.streams.uniform(Purpose::ArrivalGap, u64::from(stream), nth);
                let (_, gap) = &self.config.arrivals[stream as usize];
                (Class::Request, gap.rest(elapsed(now, self.arrived[stream as usize]), u))
            }
            // Exponential gaps have no memory, and the rate is a trait of the package.
            Event::Release { package, nth } => return self.schedule_release(package, nth),
            // What nobody has seen yet is drawn from what is known of it, not from these.
            _ => return,
        };
        self.queue.schedule(now + rest, class, event);
    }
}
