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

impl Class {
    /// All, in order.
    const ALL: [Class; 7] = [
        Class::Exogenous,
        Class::Build,
        Class::Usage,
        Class::Triage,
        Class::Request,
        Class::Scan,
        Class::Sla,
    ];
}

/// An event with its place in the order of all.
#[derive(Clone, Debug)]
struct Scheduled<E> {
    at: SimTime,
    /// The class, then the order of scheduling.
    rank: u64,
    event: E,
}

impl<E> Scheduled<E> {
    #[inline]
    fn key(&self) -> (SimTime, u64) {
        (self.at, self.rank)
    }

    fn class(&self) -> Class {
        let of = |class: &Class| *class as u64 == self.rank >> 56;
        Class::ALL.into_iter().find(of).unwrap_or(Class::Sla)
    }
}

impl<E> PartialEq for Scheduled<E> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Scheduled<E> {}

impl<E> PartialOrd for Scheduled<E> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Scheduled<E> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

/// How many slots lie ahead of the current one.
const SLOTS: usize = 256;
/// How long a slot is: 2^21 ms, 35 minutes. All slots together are six days.
const SLOT_BITS: u32 = 21;

/// Events to come: those of the current slot of time in a heap, so that it is small; those of the slots
/// ahead unordered in their slot; what is later in another heap.
#[derive(Clone, Debug)]
pub struct EventQueue<E> {
    /// Events up to the end of the current slot. Never empty while there are events.
    near: BinaryHeap<Scheduled<E>>,
    ahead: Vec<Vec<Scheduled<E>>>,
    /// How many events the slots ahead hold.
    held: usize,
    far: BinaryHeap<Scheduled<E>>,
    /// The current slot: the number of whole slots since the epoch.
    slot: i64,
    scheduled: u64,
}

impl<E> Default for EventQueue<E> {
    fn default() -> Self {
        EventQueue {
            near: BinaryHeap::new(),
            ahead: (0..SLOTS).map(|_| Vec::new()).collect(),
            held: 0,
            far: BinaryHeap::new(),
            slot: i64::MIN >> SLOT_BITS,
            scheduled: 0,
        }
    }
}

impl<E> EventQueue<E> {
    /// Schedules `event` at `at`.
    #[inline]
    pub fn schedule(&mut self, at: SimTime, class: Class, event: E) {
        self.scheduled += 1;
        let rank = (class as u64) << 56 | self.scheduled;
        self.place(Scheduled { at, rank, event });
        if self.near.is_empty() {
            self.refill();
        }
    }

    #[inline]
    fn place(&mut self, event: Scheduled<E>) {
        let slot = event.at.0 >> SLOT_BITS;
        if slot <= self.slot {
            self.near.push(event);
        } else if slot - self.slot < SLOTS as i64 {
            self.ahead[index(slot)].push(event);
            self.held += 1;
        } else {
            self.far.push(event);
        }
    }

    /// Goes on to the next slot that holds an event; what comes nearer by that moves to its slot.
    #[cold]
    fn refill(&mut self) {
        if self.held == 0 {
            let Some(next) = self.far.peek() else { return };
            self.slot = next.at.0 >> SLOT_BITS;
        } else {
            self.slot += 1;
            while self.ahead[index(self.slot)].is_empty() {
                self.slot += 1;
            }
        }
        let here = &mut self.ahead[index(self.slot)];
        self.held -= here.len();
        // The heap that was used up lends its memory to the slot.
        let empty = std::mem::take(&mut self.near).into_vec();
        self.near = BinaryHeap::from(std::mem::replace(here, empty));
        while let Some(next) = self.far.peek()
            && (next.at.0 >> SLOT_BITS) - self.slot < SLOTS as i64
        {
            if let Some(event) = self.far.pop() {
                self.place(event);
            }
        }
    }

    /// The instant of the next event.
    #[inline]
    pub fn next_at(&self) -> Option<SimTime> {
        self.near.peek().map(|next| next.at)
    }

    /// Takes all events out, in the order in which they would happen, and counts from the start
    /// again: what is scheduled next does not depend on what was here.
    pub fn take(&mut self) -> Vec<(SimTime, Class, E)> {
        let old = std::mem::take(self);
        let ahead = old.ahead.into_iter().flatten();
        let mut all: Vec<_> = old.near.into_iter().chain(ahead).chain(old.far).collect();
        all.sort_unstable_by_key(Scheduled::key);
        all.into_iter().map(|next| (next.at, next.class(), next.event)).collect()
    }

    /// The next event, if it happens at or before `until`.
    #[inline]
    pub fn pop(&mut self, until: SimTime) -> Option<(SimTime, E)> {
        if self.next_at()? > until {
            return None;
        }
        let next = self.near.pop()?;
        if self.near.is_empty() {
            self.refill();
        }
        Some((next.at, next.event))
    }
}

#[inline]
fn index(slot: i64) -> usize {
    usize::try_from(slot.rem_euclid(SLOTS as i64)).unwrap_or_default()
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

    #[test]
    fn all_events_are_taken_out_in_their_order_with_their_classes() {
        let mut queue = EventQueue::default();
        let mut expected = Vec::new();
        for day in [0, 400, 3, 90, 0] {
            for class in Class::ALL {
                let at = SimTime(day * 86_400_000 + 7);
                queue.schedule(at, class, expected.len());
                expected.push((at, class, expected.len()));
            }
        }
        // The first is under way: the queue has a current slot.
        assert_eq!(queue.pop(SimTime(7)), Some((SimTime(7), 0)));
        expected.remove(0);
        expected.sort();
        assert_eq!(queue.take(), expected);
        assert_eq!(queue.next_at(), None);
        queue.schedule(SimTime(3), Class::Sla, 99);
        assert_eq!(queue.pop(SimTime(3)), Some((SimTime(3), 99)));
    }
}
