//! The SLA engine: two clocks, never mixed. The provider's stops when a fixed image is published,
//! the customer's when that customer runs it.
mod deadlines;
mod evaluation;

use super::World;
use super::state::{Event, Timer};
use crate::cast::ordinal;
use crate::events::Class;
use crate::fact::{Clock, TimerRef};
use crate::ids::{AdvisoryId, CustomerId, ImageId, VersionRef};
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
        for id in self.images[image.index()].users.clone() {
            let usage = &self.usages[id as usize];
            let (customer, used_since) = (usage.customer, usage.used_since);
            if usage.version == version.version {
                let from = usage.version_since;
                self.open_timer(customer, image, advisory, Clock::Customer, from);
            }
            if open && used_since <= self.now {
                self.open_timer(customer, image, advisory, Clock::Provider, used_since);
            }
        }
    }

    /// An exposure begins: opens its timer, unless it belongs to an episode that has not ended or
    /// is not owed. `from` is the base of a first episode.
    pub(super) fn open_timer(
        &mut self,
        customer: CustomerId,
        image: ImageId,
        advisory: AdvisoryId,
        clock: Clock,
        from: SimTime,
    ) {
        let Some(exposure) = self.images[image.index()].exposures.get_mut(&advisory) else {
            return;
        };
        let policy_id = self.catalogue.customers[customer.index()].policy;
        let policy = &self.catalogue.policies[policy_id.index()];
        let state = &mut self.advisories[advisory.index()];
        if policy.days[state.info.severity as usize].is_none() {
            return;
        }
        let before = self.timers.find(&exposure.timers, customer, clock);
        let before = before.map(|id| self.timers.all[id as usize]);
        let (episode, from) = match (before, policy.on_reexposure) {
            (None, _) => (1, from),
            (Some(timer), _) if timer.stopped.is_none() => return,
            (Some(_), OnReexposure::Ignore) => return,
            (Some(timer), OnReexposure::Continue) => (timer.name.episode + 1, timer.from),
            (Some(timer), OnReexposure::Restart) => (timer.name.episode + 1, self.now),
        };
        let id = ordinal(self.timers.all.len());
        exposure.timers.push(id);
        let base = match policy.clock_start {
            ClockStart::FixAvailable => SimTime(i64::MIN),
            ClockStart::Detected => exposure.first_detected,
            ClockStart::Published => state.info.published,
        };
        let decided = match policy.exclude_over_permille {
            None => Some(false),
            Some(_) => state.mass_event.as_ref().map(|excluded| excluded[policy_id.index()]),
        };
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
        let severity = self.advisories[name.advisory.index()].info.severity;
        let Some(days) = policy.days[severity as usize] else { return };
        let due = due(started, days, policy.calendar);
        let warn = deadlines::warn(started, days, policy.warn_permille, policy.calendar);
        let timer = &mut self.timers.all[id as usize];
        (timer.started, timer.warn, timer.due) = (Some(started), Some(warn), Some(due));
        self.timers.due.push(Reverse((due, id)));
        self.timers.warn.push(Reverse((warn, id)));
    }

    pub(super) fn stop_timer(&mut self, id: u32) {
        let timer = &mut self.timers.all[id as usize];
        if timer.stopped.is_none() {
            timer.stopped = Some(self.now);
            self.timers.stopped.push(id);
            if timer.breached {
                self.timers.resolved.push(id);
            }
        }
    }

    /// A publication has resolved findings of an advisory: stops the provider's timers when no open
    /// one is left on the image.
    pub(super) fn resolved(&mut self, image: ImageId, advisory: AdvisoryId) {
        let now = self.now;
        let state = &mut self.images[image.index()];
        let first = state.open.partition_point(|finding| finding.advisory < advisory);
        if state.open.get(first).is_some_and(|finding| finding.advisory == advisory) {
            return;
        }
        let Some(exposure) = state.exposures.get_mut(&advisory) else { return };
        exposure.resolved = Some(now);
        for id in exposure.timers.clone() {
            if self.timers.name(id).clock == Clock::Provider {
                self.stop_timer(id);
            }
        }
    }

    pub(super) fn stop_all_timers(&mut self, image: ImageId, advisory: AdvisoryId) {
        let exposure = self.images[image.index()].exposures.get(&advisory);
        for id in exposure.map_or_else(Vec::new, |exposure| exposure.timers.clone()) {
            self.stop_timer(id);
        }
    }

    /// Stops what a customer is owed on an image.
    pub(super) fn stop_timers_of(&mut self, customer: CustomerId, image: ImageId) {
        let exposures = self.images[image.index()].exposures.values();
        let timers = exposures.flat_map(|exposure| exposure.timers.iter().copied());
        let of_customer = |id: &u32| self.timers.name(*id).customer == customer;
        let timers: Vec<u32> = timers.filter(of_customer).collect();
        for id in timers {
            self.stop_timer(id);
        }
    }

    /// Opens what the provider owes a new customer of an image: its open findings.
    pub(super) fn open_provider_timers(&mut self, customer: CustomerId, image: ImageId) {
        let open = &self.images[image.index()].open;
        let mut advisories: Vec<AdvisoryId> = open.iter().map(|finding| finding.advisory).collect();
        advisories.dedup();
        for advisory in advisories {
            self.open_timer(customer, image, advisory, Clock::Provider, self.now);
        }
    }
}
