//! Customers: which images they use, and when they switch to another version.
use super::World;
use super::state::{Event, Usage};
use super::timers::Promises;
use crate::cast::ordinal;
use crate::events::Class;
use crate::fact::{Clock, FactKind, UsageMode};
use crate::ids::{CustomerId, ImageId, VersionRef};
use crate::random::Purpose;
use crate::recorder::Recorder;
use crate::severity::Severity;
use crate::time::{SimDuration, SimTime};
use std::sync::Arc;

impl World {
    /// Who uses what when the world begins.
    pub(super) fn settle(&mut self) {
        let chosen = Arc::clone(&self.foundation.chosen);
        self.usages.reserve(chosen.len());
        for usage in chosen.iter() {
            let id = ordinal(self.usages.len());
            self.images[usage.image.index()].users.push(id);
            self.usages.push(Usage {
                customer: usage.customer,
                image: usage.image,
                policy: self.catalogue.customers[usage.customer.index()].policy,
                entry: usage.entry,
                mode: if usage.pin { UsageMode::Pin } else { UsageMode::Follow },
                version: 0,
                used_since: SimTime::MAX,
                version_since: SimTime::MAX,
                adoption_planned: false,
                planned: SimTime::MAX,
                moves: 0,
                commanded: false,
                ended: false,
                runtime: None,
                owed: Promises::default(),
            });
        }
    }

    /// A version was published: first users begin, followers plan to adopt it.
    pub(super) fn offer(&mut self, image: ImageId, recorder: &mut impl Recorder) {
        for place in 0..self.images[image.index()].users.len() {
            let id = self.images[image.index()].users[place];
            let usage = &self.usages[id as usize];
            if usage.version == 0 {
                self.begin_use(id, self.images[image.index()].version, recorder);
                let usage = &self.usages[id as usize];
                if usage.mode == UsageMode::Pin && !usage.commanded {
                    self.plan_move(id);
                }
            } else if usage.mode == UsageMode::Follow && !usage.adoption_planned {
                self.plan_adoption(id);
            }
        }
    }

    pub(super) fn key(usage: &Usage) -> u64 {
        u64::from(usage.customer.0) << 32 | u64::from(usage.image.0)
    }

    fn plan_adoption(&mut self, id: u32) {
        let usage = &mut self.usages[id as usize];
        usage.adoption_planned = true;
        usage.planned = self.now;
        usage.moves += 1;
        let u = self.streams.uniform(Purpose::Adoption, Self::key(usage), usage.moves);
        let lag = self.config.entries[usage.entry as usize].adoption_lag.duration(u);
        let at = self.now + SimDuration(lag.0.max(1));
        self.queue.schedule(at, Class::Usage, Event::Adopt(id));
    }

    fn plan_move(&mut self, id: u32) {
        let usage = &mut self.usages[id as usize];
        usage.planned = self.now;
        usage.moves += 1;
        let u = self.streams.uniform(Purpose::PinAge, Self::key(usage), usage.moves);
        let age = self.config.entries[usage.entry as usize].pin_age.duration(u);
        let at = self.now + SimDuration(age.0.max(1));
        self.queue.schedule(at, Class::Usage, Event::MovePin(id));
    }

    pub(super) fn adopt(&mut self, id: u32, recorder: &mut impl Recorder) {
        if self.must_wait(id) {
            self.queue.schedule(self.now + SimDuration(1), Class::Usage, Event::Adopt(id));
            return;
        }
        let usage = &mut self.usages[id as usize];
        usage.adoption_planned = false;
        if usage.mode == UsageMode::Follow && !usage.ended {
            self.switch(id, recorder);
        }
    }

    pub(super) fn move_pin(&mut self, id: u32, recorder: &mut impl Recorder) {
        if self.must_wait(id) {
            self.queue.schedule(self.now + SimDuration(1), Class::Usage, Event::MovePin(id));
            return;
        }
        let usage = &self.usages[id as usize];
        if usage.mode == UsageMode::Pin && !usage.ended && !usage.commanded {
            self.switch(id, recorder);
            self.plan_move(id);
        }
    }

    /// A customer changes versions at most once an instant, and a command takes precedence.
    fn must_wait(&self, id: u32) -> bool {
        let usage = &self.usages[id as usize];
        self.usage_requests.contains_key(&(usage.customer, usage.image))
    }

    /// The customer runs the newest version from now on.
    fn switch(&mut self, id: u32, recorder: &mut impl Recorder) {
        let usage = &self.usages[id as usize];
        let newest = self.images[usage.image.index()].version;
        if usage.version != newest {
            self.run_version(id, newest, recorder);
        }
    }

    /// The first use of an image: whatever is open on it is owed from now on.
    pub(super) fn begin_use(&mut self, id: u32, version: u32, recorder: &mut impl Recorder) {
        let usage = &mut self.usages[id as usize];
        usage.used_since = self.now;
        self.run_version(id, version, recorder);
        self.open_provider_timers(id);
    }

    /// The customer runs this version from now on.
    pub(super) fn run_version<R: Recorder>(&mut self, id: u32, after: u32, recorder: &mut R) {
        let usage = &self.usages[id as usize];
        let (customer, image, mode) = (usage.customer, usage.image, usage.mode);
        let before = usage.version;
        let runtime = if R::FACTS { usage.runtime.clone() } else { None };
        let exposed = self.exposed(image, before);
        let same = self.same_findings(image, before, after);
        let usage = &mut self.usages[id as usize];
        let state = &mut self.images[image.index()];
        usage.version = after;
        usage.version_since = self.now;
        if let Some(version) = state.version_mut(after) {
            version.users += 1;
        }
        state.leave(before);
        let kind = || FactKind::UsageChanged {
            customer,
            version: VersionRef { image, version: after },
            previous: (before > 0).then_some(before),
            mode,
            runtime,
        };
        self.emit(kind, recorder);
        if !same {
            self.exposure_moved(customer, exposed, self.exposed(image, after), recorder);
            self.switch_timers(id, after);
        }
    }

    /// Whether the same is known of two versions: then a customer that goes from one to the other is
    /// owed what it was owed.
    fn same_findings(&self, image: ImageId, one: u32, other: u32) -> bool {
        let state = &self.images[image.index()];
        match (state.version(one), state.version(other)) {
            (Some(one), Some(other)) => one.findings == other.findings,
            _ => false,
        }
    }

    /// How many advisories are known and not judged on a version, by `Severity as usize`.
    pub(super) fn exposed(&self, image: ImageId, version: u32) -> [i32; 4] {
        self.images[image.index()].version(version).map_or([0; 4], |version| version.exposed)
    }

    /// What a customer is exposed to has changed from one version's to another's.
    pub(super) fn exposure_moved(
        &self,
        customer: CustomerId,
        before: [i32; 4],
        after: [i32; 4],
        recorder: &mut impl Recorder,
    ) {
        for ((severity, before), after) in Severity::ALL.into_iter().zip(before).zip(after) {
            if after != before {
                recorder.exposure_changed(self.now, customer, severity, after - before);
            }
        }
    }

    /// Stops the customer's timers of what the new version no longer has, and opens those of what
    /// it brings.
    fn switch_timers(&mut self, id: u32, version: u32) {
        let usage = &mut self.usages[id as usize];
        let image = usage.image;
        let Some(place) = self.images[image.index()].place(version) else { return };
        let current = &self.images[image.index()].in_use[place];
        if !usage.owed.is_idle(Clock::Customer) {
            let gone = |advisory| !current.has(advisory);
            usage.owed.stop(Clock::Customer, &mut self.timers, self.now, gone);
        }
        let mut last = None;
        for nth in 0..current.findings.len() {
            let state = &self.images[image.index()];
            let advisory = state.in_use[place].findings[nth].advisory;
            if last.replace(advisory) == Some(advisory)
                || self.usages[id as usize].owed.runs(Clock::Customer, advisory)
                || state.exposure(advisory).is_some_and(|exposure| exposure.judged.is_some())
            {
                continue;
            }
            self.open_timer(id, advisory, Clock::Customer, self.now);
        }
    }
}
