//! The event queue: what will happen, in an order that no caller can disturb.
//!
//! Events are ordered by instant, then by class, then by the order in which they were scheduled.
//! The class decides what "at the same instant" means, the same way in the kernel and in SQL:
//! exogenous events come first, then builds end, customers switch versions, findings are triaged,
//! builds are requested, the scanner runs, and last the SLA timers are evaluated.
use crate::time::SimTime;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The classes, in the order in which their events are handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Class {
    /// Releases, disclosures, fixes, outages: whatever the platform does not cause.
    Exogenous,
    /// Builds end.
    Build,
    /// Customers switch to another version.
    Usage,
    /// False positives are judged.
    Triage,
    /// Builds are requested.
    Request,
    /// The scanner runs.
    Scan,
    /// SLA timers are evaluated.
    Sla,
}

#[derive(Clone, Debug)]
struct Scheduled<E> {
    at: SimTime,
    class: Class,
    order: u64,
    event: E,
}

impl<E> Scheduled<E> {
    fn key(&self) -> (SimTime, Class, u64) {
        (self.at, self.class, self.order)
    }
}

impl<E> PartialEq for Scheduled<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Scheduled<E> {}

impl<E> PartialOrd for Scheduled<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Scheduled<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

/// Events to come.
#[derive(Clone, Debug)]
pub struct EventQueue<E> {
    heap: BinaryHeap<Scheduled<E>>,
    scheduled: u64,
}

impl<E> Default for EventQueue<E> {
    fn default() -> Self {
        EventQueue { heap: BinaryHeap::new(), scheduled: 0 }
    }
}

impl<E> EventQueue<E> {
    /// Schedules `event` at `at`.
    pub fn schedule(&mut self, at: SimTime, class: Class, event: E) {
        self.scheduled += 1;
        self.heap.push(Scheduled { at, class, order: self.scheduled, event });
    }

    /// The instant of the next event.
    pub fn next_at(&self) -> Option<SimTime> {
        self.heap.peek().map(|next| next.at)
    }

    /// Takes all events out, in the order in which they would happen, and counts from the start
    /// again: what is scheduled next does not depend on what was here.
    pub fn take(&mut self) -> Vec<(SimTime, Class, E)> {
        self.scheduled = 0;
        let mut all = std::mem::take(&mut self.heap).into_vec();
        all.sort_unstable_by_key(Scheduled::key);
        all.into_iter().map(|next| (next.at, next.class, next.event)).collect()
    }

    /// The next event, if it happens at or before `until`.
    pub fn pop(&mut self, until: SimTime) -> Option<(SimTime, E)> {
        if self.next_at()? > until {
            return None;
        }
        self.heap.pop().map(|next| (next.at, next.event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_instants_keep_class_and_then_the_order_of_scheduling() {
        let mut queue = EventQueue::default();
        let at = SimTime(5);
        queue.schedule(at, Class::Sla, "sla");
        queue.schedule(at, Class::Build, "first build");
        queue.schedule(at, Class::Exogenous, "release");
        queue.schedule(at, Class::Build, "second build");
        queue.schedule(SimTime(4), Class::Sla, "earlier");
        queue.schedule(SimTime(6), Class::Exogenous, "later");
        let mut seen = Vec::new();
        while let Some((_, event)) = queue.pop(at) {
            seen.push(event);
        }
        assert_eq!(seen, ["earlier", "release", "first build", "second build", "sla"]);
        assert_eq!(queue.next_at(), Some(SimTime(6)));
    }
}
