//! The SLA engine: two clocks, never mixed. The provider's stops when a fixed image is published,
//! the customer's when that customer runs it.
mod deadlines;
mod evaluation;

use super::World;
use super::state::Event;
use super::timers::Timer;
use crate::cast::ordinal;
use crate::events::Class;
use crate::fact::{Clock, TimerRef};
use crate::ids::{AdvisoryId, ImageId, VersionRef};
use crate::scenario::model::{ClockStart, OnReexposure};
use crate::time::SimTime;
use std::cmp::Reverse;

pub use deadlines::{due, left};

impl World {
    pub(super) fn schedule_sla_check(&mut self) {
        let next = self.config.sla_check.as_ref().and_then(|cron| cron.next_after(self.now));
        if let Some(at) = next {
            self.queue.schedule(at, Class::Sla, Event::SlaCheck);
        }
    }

    /// A finding was made on a version: opens the timers of everybody concerned.
    pub(super) fn open_timers(&mut self, version: VersionRef, advisory: AdvisoryId, open: bool) {
        let image = version.image;
        for place in 0..self.images[image.index()].users.len() {
            let id = self.images[image.index()].users[place];
            let usage = &self.usages[id as usize];
            let (used_since, from) = (usage.used_since, usage.version_since);
            if usage.version == version.version {
                self.open_timer(id, advisory, Clock::Customer, from);
            }
            if open && used_since <= self.now {
                self.open_timer(id, advisory, Clock::Provider, used_since);
            }
        }
    }

    /// An exposure begins: opens its timer, unless it belongs to an episode that has not ended or
    /// is not owed. `from` is the base of a first episode.
    pub(super) fn open_timer(
        &mut self,
        usage: u32,
        advisory: AdvisoryId,
        clock: Clock,
        from: SimTime,
    ) {
        let usage = &mut self.usages[usage as usize];
        let policy = &self.catalogue.policies[usage.policy.index()];
        let state = &mut self.advisories[advisory.index()];
        if policy.days[state.severity as usize].is_none() || usage.owed.runs(clock, advisory) {
            return;
        }
        let before = usage.owed.last_stopped(clock, advisory);
        let before = before.map(|id| self.timers.all[id as usize]);
        let (episode, from) = match (before, policy.on_reexposure) {
            (None, _) => (1, from),
            (Some(_), OnReexposure::Ignore) => return,
            (Some(timer), OnReexposure::Continue) => (timer.name.episode + 1, timer.from),
            (Some(timer), OnReexposure::Restart) => (timer.name.episode + 1, self.now),
        };
        let (customer, image) = (usage.customer, usage.image);
        let id = ordinal(self.timers.all.len());
        let base = match policy.clock_start {
            ClockStart::FixAvailable => SimTime(i64::MIN),
            ClockStart::Detected => {
                let exposure = self.images[image.index()].exposure(advisory);
                exposure.map_or(self.now, |exposure| exposure.first_detected)
            }
            ClockStart::Published => state.info.published,
        };
        let decided = match policy.exclude_over_permille {
            None => Some(false),
            Some(_) => state.mass_event.as_ref().map(|excluded| excluded[usage.policy.index()]),
        };
        usage.owed.start(clock, advisory, id);
        self.timers.all.push(Timer {
            name: TimerRef { customer, image, advisory, clock, episode },
            opened: self.now,
            from,
            base,
            started: None,
            warn: None,
            due: None,
            stopped: None,
            excluded: decided,
            breached: false,
        });
        self.timers.opened.push(id);
        if decided.is_none() {
            state.undecided.push(id);
        }
        let waits = policy.clock_start == ClockStart::FixAvailable || policy.pause_without_fix;
        match state.fix_available {
            None if waits => state.paused.push(id),
            Some(fix) if waits => self.start_timer(id, from.max(base).max(fix)),
            _ => self.start_timer(id, from.max(base)),
        }
    }

    pub(super) fn start_paused_timers(&mut self, advisory: AdvisoryId) {
        let paused = std::mem::take(&mut self.advisories[advisory.index()].paused);
        for id in paused {
            let timer = &self.timers.all[id as usize];
            if timer.stopped.is_none() {
                self.start_timer(id, timer.from.max(timer.base).max(self.now));
            }
        }
    }

    fn start_timer(&mut self, id: u32, started: SimTime) {
        let name = self.timers.name(id);
        let policy = self.catalogue.customers[name.customer.index()].policy;
        let policy = &self.catalogue.policies[policy.index()];
        let severity = self.advisories[name.advisory.index()].severity;
        let Some(days) = policy.days[severity as usize] else { return };
        let due = due(started, days, policy.calendar);
        let warn = deadlines::warn(started, days, policy.warn_permille, policy.calendar);
        let timer = &mut self.timers.all[id as usize];
        (timer.started, timer.warn, timer.due) = (Some(started), Some(warn), Some(due));
        self.timers.due.push(Reverse((due, id)));
        self.timers.warn.push(Reverse((warn, id)));
    }

    /// A publication has resolved findings of an advisory: stops the provider's timers when no open
    /// one is left on the image.
    pub(super) fn resolved(&mut self, image: ImageId, advisory: AdvisoryId) {
        let now = self.now;
        let state = &mut self.images[image.index()];
        if state.is_open(advisory) {
            return;
        }
        let Some(exposure) = state.exposure_mut(advisory) else { return };
        exposure.resolved = Some(now);
        for id in &state.users {
            let owed = &mut self.usages[*id as usize].owed;
            owed.stop(Clock::Provider, &mut self.timers, now, |of| of == advisory);
        }
    }

    pub(super) fn stop_all_timers(&mut self, image: ImageId, advisory: AdvisoryId) {
        for id in &self.images[image.index()].users {
            let owed = &mut self.usages[*id as usize].owed;
            for clock in [Clock::Provider, Clock::Customer] {
                owed.stop(clock, &mut self.timers, self.now, |of| of == advisory);
            }
        }
    }

    /// Stops all that a customer is owed by this use of an image.
    pub(super) fn stop_timers_of(&mut self, usage: u32) {
        let owed = &mut self.usages[usage as usize].owed;
        for clock in [Clock::Provider, Clock::Customer] {
            owed.stop(clock, &mut self.timers, self.now, |_| true);
        }
    }

    /// Opens what the provider owes a new customer of an image: its open findings.
    pub(super) fn open_provider_timers(&mut self, usage: u32) {
        let image = self.usages[usage as usize].image;
        let mut last = None;
        for place in 0..self.images[image.index()].open.len() {
            let advisory = self.images[image.index()].open[place].advisory;
            if last.replace(advisory) != Some(advisory) {
                self.open_timer(usage, advisory, Clock::Provider, self.now);
            }
        }
    }
}
