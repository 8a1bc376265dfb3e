//! The evaluation of timers: the only moment at which anything is said of them.
use crate::fact::{
    Clock, FactKind, MassEventDecision, Notification, NotificationKind, SlaCheck, TimerRef,
};
use crate::ids::{AdvisoryId, CustomerId, PolicyId};
use crate::recorder::Recorder;
use crate::severity::Severity;
use crate::time::SimDuration;
use crate::world::World;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// From the first detection of an advisory to the decision whether it is a mass event: until then
/// the scheduled passes have looked at everything. 24 h (D).
const DECIDED_AFTER: SimDuration = SimDuration::hours(24);

/// What an evaluation finds, timer by timer.
#[derive(Default)]
struct Found {
    opened: Vec<u32>,
    excluded: Vec<u32>,
    at_risk: Vec<u32>,
    breached: Vec<u32>,
    resolved: Vec<u32>,
}

impl World {
    /// The periodic evaluation.
    pub(in crate::world) fn sla_check(&mut self, recorder: &mut impl Recorder) {
        self.schedule_sla_check();
        self.evaluate(recorder);
    }

    /// Evaluates all timers: the only moment at which breaches are recorded. Once an instant is
    /// enough: nothing can have changed since.
    pub(in crate::world) fn evaluate<R: Recorder>(&mut self, recorder: &mut R) {
        if self.evaluated.replace(self.now) == Some(self.now) {
            return;
        }
        let previous = std::mem::replace(&mut self.timers.last_check, self.now);
        if !R::FACTS && self.is_quiet() {
            self.seq += 1;
            return;
        }
        let mut found =
            Found { opened: std::mem::take(&mut self.timers.opened), ..Found::default() };
        let known = |id: &u32| self.timers.all[*id as usize].excluded == Some(true);
        found.excluded = found.opened.iter().copied().filter(known).collect();
        self.warn(&mut found);
        self.breach(&mut found);
        let decided = self.decide_mass_events(&mut found);
        let stopped = std::mem::take(&mut self.timers.stopped);
        found.resolved.append(&mut self.timers.resolved);
        let told = self.told(&mut found);
        let check = R::FACTS.then(|| SlaCheck {
            previous,
            opened: self.named(&found.opened),
            decided,
            excluded: self.named(&found.excluded),
            stopped: self.named(&stopped),
            at_risk: self.named(&found.at_risk),
            breached: self.named(&found.breached),
            resolved: self.named(&found.resolved),
        });
        self.emit_some(check.map(|check| FactKind::SlaChecked(Arc::new(check))), recorder);
        for ((customer, kind), items) in told {
            let notified = || Notification { customer, kind, previous, items };
            self.emit(|| FactKind::Notified(Arc::new(notified())), recorder);
        }
    }

    /// Whether an evaluation would find nothing.
    fn is_quiet(&self) -> bool {
        let undecided = self.first_found.front();
        self.timers.is_quiet(self.now)
            && self.failed_since_check.is_empty()
            && undecided.is_none_or(|(first_found, _)| *first_found + DECIDED_AFTER > self.now)
    }

    /// Decides, for each policy with a clause about mass events, about the advisories that were first
    /// found a day ago or earlier.
    fn decide_mass_events(&mut self, found: &mut Found) -> Vec<MassEventDecision> {
        let images = self.published;
        let catalogue = Arc::clone(&self.catalogue);
        let mut decided = Vec::new();
        while let Some((first_found, advisory)) = self.first_found.front().copied()
            && first_found + DECIDED_AFTER <= self.now
        {
            self.first_found.pop_front();
            let hit = self.advisories[advisory.index()].images_hit;
            let mut excluded = vec![false; catalogue.policies.len()];
            for (policy, place) in catalogue.policies.iter().zip(0_u32..) {
                let Some(over) = policy.exclude_over_permille else { continue };
                let is_over = u64::from(hit) * 1000 > u64::from(over) * u64::from(images);
                excluded[place as usize] = is_over;
                decided.push(MassEventDecision {
                    advisory,
                    policy: PolicyId(place),
                    images_hit: hit,
                    images,
                    excluded: is_over,
                });
            }
            self.apply_decision(advisory, excluded, found);
        }
        decided.sort_unstable_by_key(|decision| (decision.advisory, decision.policy));
        decided
    }

    /// What the timers of an advisory had to wait for: those that are not excluded are warned about
    /// and breached as if it had been known all along.
    fn apply_decision(&mut self, advisory: AdvisoryId, excluded: Vec<bool>, found: &mut Found) {
        let now = self.now;
        for id in std::mem::take(&mut self.advisories[advisory.index()].undecided) {
            let customer = self.timers.name(id).customer;
            let policy = self.catalogue.customers[customer.index()].policy;
            let timer = &mut self.timers.all[id as usize];
            timer.excluded = Some(excluded[policy.index()]);
            if excluded[policy.index()] {
                found.excluded.push(id);
            } else if timer.is_late_at(now) {
                timer.breached = true;
                found.breached.push(id);
                found.resolved.extend(timer.stopped.map(|_| id));
            } else if timer.stopped.is_none() && timer.warn.is_some_and(|warn| warn <= now) {
                found.at_risk.push(id);
            }
        }
        self.advisories[advisory.index()].mass_event = Some(excluded.into());
    }

    fn breach(&mut self, found: &mut Found) {
        while let Some(Reverse((due, id))) = self.timers.due.peek().copied()
            && due <= self.now
        {
            self.timers.due.pop();
            let now = self.now;
            let timer = &mut self.timers.all[id as usize];
            if timer.excluded == Some(false) && timer.is_late_at(now) {
                timer.breached = true;
                found.breached.push(id);
                found.resolved.extend(timer.stopped.map(|_| id));
            }
        }
    }

    /// Those whose deadline has passed as well are breached, which says it all.
    fn warn(&mut self, found: &mut Found) {
        while let Some(Reverse((warn, id))) = self.timers.warn.peek().copied()
            && warn <= self.now
        {
            self.timers.warn.pop();
            let timer = &self.timers.all[id as usize];
            let is_due = timer.due.is_some_and(|due| due <= self.now);
            if timer.excluded == Some(false) && timer.stopped.is_none() && !is_due {
                found.at_risk.push(id);
            }
        }
    }

    fn named(&self, timers: &[u32]) -> Vec<TimerRef> {
        let mut names: Vec<_> = timers.iter().map(|id| self.timers.name(*id)).collect();
        names.sort_unstable();
        names
    }

    /// One digest a customer and kind, never a flood, with the number of things it sums up.
    fn told(&mut self, found: &mut Found) -> BTreeMap<(Option<CustomerId>, NotificationKind), u32> {
        let mut items = BTreeMap::new();
        for (owner, failed) in std::mem::take(&mut self.failed_since_check) {
            items.insert((owner, NotificationKind::BuildFailed), failed);
        }
        let mut tell = |timer: TimerRef, kind| {
            *items.entry((Some(timer.customer), kind)).or_default() += 1;
        };
        for id in &found.opened {
            let timer = self.timers.name(*id);
            let severity = self.advisories[timer.advisory.index()].severity;
            if timer.clock == Clock::Customer && severity == Severity::Critical {
                tell(timer, NotificationKind::CriticalCve);
            }
        }
        for id in &found.at_risk {
            tell(self.timers.name(*id), NotificationKind::SlaAtRisk);
        }
        found.resolved.sort_unstable();
        for id in &found.breached {
            if found.resolved.binary_search(id).is_err() {
                tell(self.timers.name(*id), NotificationKind::SlaBreached);
            }
        }
        for id in &found.resolved {
            tell(self.timers.name(*id), NotificationKind::SlaResolved);
        }
        items
    }
}
