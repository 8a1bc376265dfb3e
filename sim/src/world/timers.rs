//! SLA timers as data: all there have been, and which of them run for each customer's use of an image.
use crate::fact::{Clock, TimerRef};
use crate::ids::AdvisoryId;
use crate::time::SimTime;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One SLA timer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timer {
    pub(super) name: TimerRef,
    pub(super) opened: SimTime,
    /// Not before this instant, whatever starts the clock.
    pub(super) from: SimTime,
    /// What starts the clock, when that is not the fix.
    pub(super) base: SimTime,
    /// When the clock started; none: it stands.
    pub(super) started: Option<SimTime>,
    pub(super) warn: Option<SimTime>,
    pub(super) due: Option<SimTime>,
    pub(super) stopped: Option<SimTime>,
    /// Whether the policy's clause about mass events excludes it; none: not decided yet.
    pub(super) excluded: Option<bool>,
    pub(super) breached: bool,
}

impl Timer {
    /// Whether its deadline has passed by then and it had not stopped at or before it.
    pub(super) fn is_late_at(&self, now: SimTime) -> bool {
        self.due.is_some_and(|due| due <= now && self.stopped.is_none_or(|stopped| stopped > due))
    }
}

/// All SLA timers, and what happened to them since the last evaluation.
#[derive(Clone, Debug, Default)]
pub(super) struct Timers {
    pub(super) all: Vec<Timer>,
    pub(super) due: BinaryHeap<Reverse<(SimTime, u32)>>,
    pub(super) warn: BinaryHeap<Reverse<(SimTime, u32)>>,
    pub(super) opened: Vec<u32>,
    pub(super) stopped: Vec<u32>,
    pub(super) resolved: Vec<u32>,
    pub(super) last_check: SimTime,
}

impl Timers {
    #[inline]
    pub(super) fn name(&self, timer: u32) -> TimerRef {
        self.all[timer as usize].name
    }

    /// Whether nothing has happened since the last evaluation, and nothing is due.
    pub(super) fn is_quiet(&self, now: SimTime) -> bool {
        let comes = |next: Option<&Reverse<(SimTime, u32)>>| next.is_some_and(|n| n.0.0 <= now);
        self.opened.is_empty()
            && self.stopped.is_empty()
            && self.resolved.is_empty()
            && !comes(self.due.peek())
            && !comes(self.warn.peek())
    }

    fn stop(&mut self, id: u32, now: SimTime) {
        let timer = &mut self.all[id as usize];
        timer.stopped = Some(now);
        self.stopped.push(id);
        if timer.breached {
            self.resolved.push(id);
        }
    }
}

/// What a customer is owed on one image: its timers, by clock.
#[derive(Clone, Debug, Default)]
pub(super) struct Promises {
    /// Timers that run, by `Clock as usize`; few, in no order.
    running: [Vec<(AdvisoryId, u32)>; 2],
    /// The latest of those that have stopped, by `Clock as usize` and advisory.
    stopped: [Vec<(AdvisoryId, u32)>; 2],
}

impl Promises {
    /// Whether a timer of the clock runs for the advisory.
    #[inline]
    pub(super) fn runs(&self, clock: Clock, advisory: AdvisoryId) -> bool {
        self.running[clock as usize].iter().any(|(of, _)| *of == advisory)
    }

    /// Whether any timer of the clock runs.
    #[inline]
    pub(super) fn is_idle(&self, clock: Clock) -> bool {
        self.running[clock as usize].is_empty()
    }

    /// The latest timer of the advisory that has stopped.
    pub(super) fn last_stopped(&self, clock: Clock, advisory: AdvisoryId) -> Option<u32> {
        let stopped = &self.stopped[clock as usize];
        let place = stopped.binary_search_by_key(&advisory, |(of, _)| *of).ok()?;
        Some(stopped[place].1)
    }

    pub(super) fn start(&mut self, clock: Clock, advisory: AdvisoryId, timer: u32) {
        self.running[clock as usize].push((advisory, timer));
    }

    /// Stops the clock's timers of the advisories of which `ends` says so.
    pub(super) fn stop(
        &mut self,
        clock: Clock,
        timers: &mut Timers,
        now: SimTime,
        mut ends: impl FnMut(AdvisoryId) -> bool,
    ) {
        let running = &mut self.running[clock as usize];
        let stopped = &mut self.stopped[clock as usize];
        let mut place = 0;
        while let Some((advisory, timer)) = running.get(place).copied() {
            if !ends(advisory) {
                place += 1;
                continue;
            }
            running.swap_remove(place);
            timers.stop(timer, now);
            match stopped.binary_search_by_key(&advisory, |(of, _)| *of) {
                Ok(at) => stopped[at].1 = timer,
                Err(at) => stopped.insert(at, (advisory, timer)),
            }
        }
    }
}
