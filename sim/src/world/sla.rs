//! The SLA engine: two clocks, never mixed. The provider's stops when a fixed image is published,
//! the customer's when that customer runs it.
use super::state::{Event, Timer};
use super::{Sink, World};
use crate::cast::ordinal;
use crate::events::Class;
use crate::fact::{Clock, FactKind, Notification, NotificationKind, SlaCheck, TimerRef};
use crate::ids::{AdvisoryId, CustomerId, ImageId, VersionRef};
use crate::scenario::model::{Calendar, ClockStart};
use crate::severity::Severity;
use crate::time::{DAY_MS, SimDuration, SimTime};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The deadline: `days` after `started`. Business days run from Monday 00:00 to Friday 24:00 UTC;
/// a clock started on a weekend stands until Monday.
pub fn due(started: SimTime, days: u32, calendar: Calendar) -> SimTime {
    let budget = i64::from(days) * DAY_MS;
    match calendar {
        Calendar::Calendar => SimTime(started.0 + budget),
        Calendar::Business => from_business_ms(business_ms(started) + budget),
    }
}

// The epoch was a Thursday: four days later a week of ours begins.
const FIRST_MONDAY_MS: i64 = 4 * DAY_MS;
const WEEK_MS: i64 = 7 * DAY_MS;
const WORK_MS: i64 = 5 * DAY_MS;

/// Business time since the first Monday after the epoch.
fn business_ms(at: SimTime) -> i64 {
    let since = at.0 - FIRST_MONDAY_MS;
    since.div_euclid(WEEK_MS) * WORK_MS + since.rem_euclid(WEEK_MS).min(WORK_MS)
}

/// The first instant with that much business time behind it.
fn from_business_ms(business: i64) -> SimTime {
    let (mut weeks, mut rest) = (business.div_euclid(WORK_MS), business.rem_euclid(WORK_MS));
    if rest == 0 {
        // The end of Friday comes before the beginning of Monday.
        (weeks, rest) = (weeks - 1, WORK_MS);
    }
    SimTime(FIRST_MONDAY_MS + weeks * WEEK_MS + rest)
}

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
        let policy = self.catalogue.customers[customer.index()].policy;
        let policy = &self.catalogue.policies[policy.index()];
        let state = &mut self.advisories[advisory.index()];
        if policy.days[state.info.severity as usize].is_none()
            || self.timers.find(&exposure.timers, customer, clock).is_some()
        {
            return;
        }
        let id = ordinal(self.timers.all.len());
        exposure.timers.push(id);
        let base = match policy.clock_start {
            ClockStart::FixAvailable => SimTime(i64::MIN),
            ClockStart::Detected => exposure.first_detected,
            ClockStart::Published => state.info.published,
        };
        self.timers.all.push(Timer {
            name: TimerRef { customer, image, advisory, clock },
            from,
            base,
            due: None,
            stopped: None,
            excluded: false,
            breached: false,
        });
        self.timers.opened.push(id);
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
        let share = due.since(started).0 * i64::from(policy.warn_permille) / 1000;
        self.timers.all[id as usize].due = Some(due);
        self.timers.due.push(Reverse((due, id)));
        self.timers.warn.push(Reverse((started + SimDuration(share), id)));
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

    /// Stops the provider's timers when no open finding of the advisory is left on the image.
    pub(super) fn stop_provider_timers_if_resolved(
        &mut self,
        image: ImageId,
        advisory: AdvisoryId,
    ) {
        let state = &self.images[image.index()];
        let first = state.open.partition_point(|finding| finding.advisory < advisory);
        if state.open.get(first).is_some_and(|finding| finding.advisory == advisory) {
            return;
        }
        let Some(exposure) = state.exposures.get(&advisory) else { return };
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

    /// The periodic evaluation.
    pub(super) fn sla_check(&mut self, sink: Sink<'_>) {
        self.schedule_sla_check();
        self.evaluate(sink);
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

    /// Evaluates all timers: the only moment at which breaches are recorded. Once an instant is
    /// enough: nothing can have changed since.
    pub(super) fn evaluate(&mut self, sink: Sink<'_>) {
        if self.evaluated.replace(self.now) == Some(self.now) {
            return;
        }
        let previous = std::mem::replace(&mut self.timers.last_check, self.now);
        let opened = std::mem::take(&mut self.timers.opened);
        let excluded = self.exclude(&opened);
        let breached = self.breach();
        let at_risk = self.warn();
        let stopped = std::mem::take(&mut self.timers.stopped);
        let resolved = std::mem::take(&mut self.timers.resolved);
        let check = SlaCheck {
            previous,
            opened: self.named(&opened),
            excluded: self.named(&excluded),
            stopped: self.named(&stopped),
            at_risk: self.named(&at_risk),
            breached: self.named(&breached),
            resolved: self.named(&resolved),
        };
        let notifications = self.notifications(&check);
        self.emit(FactKind::SlaChecked(Arc::new(check)), sink);
        for notification in notifications {
            self.emit(FactKind::Notified(Arc::new(notification)), sink);
        }
    }

    /// Of the timers just opened, those that the policy's exclusion of mass events covers.
    fn exclude(&mut self, opened: &[u32]) -> Vec<u32> {
        let images = self.images.iter().filter(|image| image.version > 0).count() as u64;
        let mut excluded = Vec::new();
        for id in opened {
            let name = self.timers.name(*id);
            let policy = self.catalogue.customers[name.customer.index()].policy;
            let over = self.catalogue.policies[policy.index()].exclude_over_permille;
            let hit = u64::from(self.advisories[name.advisory.index()].images_hit);
            if over.is_some_and(|permille| hit * 1000 > u64::from(permille) * images) {
                self.timers.all[*id as usize].excluded = true;
                excluded.push(*id);
            }
        }
        excluded
    }

    fn breach(&mut self) -> Vec<u32> {
        let mut breached = Vec::new();
        while let Some(Reverse((due, id))) = self.timers.due.peek().copied()
            && due <= self.now
        {
            self.timers.due.pop();
            let timer = &mut self.timers.all[id as usize];
            if !timer.excluded && timer.stopped.is_none_or(|stopped| stopped > due) {
                timer.breached = true;
                breached.push(id);
                if timer.stopped.is_some() {
                    self.timers.resolved.push(id);
                }
            }
        }
        breached
    }

    fn warn(&mut self) -> Vec<u32> {
        let mut at_risk = Vec::new();
        while let Some(Reverse((warn, id))) = self.timers.warn.peek().copied()
            && warn <= self.now
        {
            self.timers.warn.pop();
            let timer = &self.timers.all[id as usize];
            if !timer.excluded && timer.stopped.is_none() {
                at_risk.push(id);
            }
        }
        at_risk
    }

    fn named(&self, timers: &[u32]) -> Vec<TimerRef> {
        let mut names: Vec<_> = timers.iter().map(|id| self.timers.name(*id)).collect();
        names.sort_unstable();
        names
    }

    /// One digest a customer and kind: never a flood.
    fn notifications(&mut self, check: &SlaCheck) -> Vec<Notification> {
        let mut items: BTreeMap<(Option<CustomerId>, NotificationKind), u32> = BTreeMap::new();
        for (owner, failed) in std::mem::take(&mut self.failed_since_check) {
            items.insert((owner, NotificationKind::BuildFailed), failed);
        }
        for timer in &check.opened {
            let severity = self.advisories[timer.advisory.index()].info.severity;
            if timer.clock == Clock::Customer && severity == Severity::Critical {
                let key = (Some(timer.customer), NotificationKind::CriticalCve);
                *items.entry(key).or_default() += 1;
            }
        }
        for (kind, timers) in [
            (NotificationKind::SlaAtRisk, &check.at_risk),
            (NotificationKind::SlaBreached, &check.breached),
            (NotificationKind::SlaResolved, &check.resolved),
        ] {
            for timer in timers {
                *items.entry((Some(timer.customer), kind)).or_default() += 1;
            }
        }
        let previous = check.previous;
        items
            .into_iter()
            .map(|((customer, kind), items)| Notification { customer, kind, previous, items })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SimTime {
        SimTime::from_datetime(text.parse().expect("an instant"))
    }

    #[test]
    fn business_days_skip_weekends() {
        let business = |from: &str, days, to: &str| {
            assert_eq!(due(at(from), days, Calendar::Business), at(to), "{from} + {days}");
        };
        business("2026-01-05T10:00:00Z", 2, "2026-01-07T10:00:00Z"); // Monday
        business("2026-01-09T10:00:00Z", 2, "2026-01-13T10:00:00Z"); // Friday to Tuesday
        business("2026-01-10T10:00:00Z", 1, "2026-01-13T00:00:00Z"); // Saturday: Monday's end
        business("2026-01-09T00:00:00Z", 1, "2026-01-10T00:00:00Z"); // all of Friday
        business("2026-01-05T00:00:00Z", 30, "2026-02-14T00:00:00Z");
        let calendar = due(at("2026-01-09T10:00:00Z"), 7, Calendar::Calendar);
        assert_eq!(calendar, at("2026-01-16T10:00:00Z"));
    }
}
