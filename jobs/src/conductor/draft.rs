//! A window while it is made: how far the world advances before its facts are released.
//!
//! A window ends with an instant, never within one: a job reads what was stored up to its instant,
//! so the facts of an instant belong together, and replay makes whole instants. What is bounded is
//! how much the transactions of a window write: rows, counted as facts cause them.
use super::in_flight::InFlight;
use super::progress::WindowProgress;
use sim::fact::{Fact, FactKind, Outcome, SlaCheck};
use sim::time::{DAY_MS, HOUR_MS, SimDuration, SimTime};
use sim::world::World;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often the progress within a window is told.
const TELL: Duration = Duration::from_millis(100);
/// Rows of a published version beside its findings: documents, tags, packages, attestations.
const VERSION_ROWS: usize = 12;

/// What ends a window early.
pub(super) struct Limits<'a> {
    /// The rows after which it is full.
    pub(super) rows: usize,
    /// Builds (or as much other work) after which it is full, in fast time.
    pub(super) jobs: usize,
    pub(super) shutdown: &'a CancellationToken,
    pub(super) in_flight: &'a InFlight,
}

/// The facts of a window, and how much follows from them.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) facts: Vec<Fact>,
    counted: usize,
    rows: usize,
    work: usize,
    told: Option<Instant>,
}

impl Draft {
    /// Lets everything up to and including `until` happen, instant by instant, unless the window is
    /// full before or the conductor is asked to stop. Whether `until` was reached.
    pub(super) fn advance(
        &mut self,
        world: &mut World,
        until: SimTime,
        limits: &Limits<'_>,
    ) -> bool {
        loop {
            let next = world.next_event().filter(|next| *next <= until);
            world.advance(next.unwrap_or(until), &mut |fact| self.facts.push(fact));
            self.count();
            if next.is_none() {
                return true;
            }
            self.tell(world, limits.in_flight);
            if self.rows >= limits.rows || limits.shutdown.is_cancelled() {
                return false;
            }
        }
    }

    /// In fast time: hour by hour until the window is large enough, or a day long.
    pub(super) fn advance_fast(
        &mut self,
        world: &mut World,
        limit: Option<SimTime>,
        limits: &Limits<'_>,
    ) {
        let latest = world.now() + SimDuration(DAY_MS);
        let latest = limit.map_or(latest, |limit| limit.min(latest));
        while world.now() < latest && self.work < limits.jobs {
            let next = (world.now() + SimDuration(HOUR_MS)).min(latest);
            if !self.advance(world, next, limits) {
                break;
            }
        }
    }

    fn count(&mut self) {
        for fact in &self.facts[self.counted..] {
            self.rows += rows(&fact.kind);
            self.work += work(&fact.kind);
        }
        self.counted = self.facts.len();
    }

    fn tell(&mut self, world: &World, in_flight: &InFlight) {
        if self.told.is_some_and(|told| told.elapsed() < TELL) {
            return;
        }
        self.told = Some(Instant::now());
        let window = WindowProgress { now: world.now(), facts: self.facts.len(), written: None };
        in_flight.report(|progress| progress.window = Some(window));
    }
}

/// How much work a fact causes, in builds.
fn work(kind: &FactKind) -> usize {
    match kind {
        FactKind::BuildFinished(_) => 1,
        FactKind::Scanned(scan) => scan.targets.len() / 32,
        _ => 0,
    }
}

/// How many rows a fact causes, in the release and in its jobs: its line in the timeline, and what
/// follows from it. An estimate; it only decides where windows end.
fn rows(kind: &FactKind) -> usize {
    let more = match kind {
        FactKind::AdvisoryPublished(advisory) => 1 + advisory.affected.len(),
        FactKind::PackageReleased { fixes, .. } => 1 + fixes.len(),
        FactKind::BuildFinished(result) => match &result.outcome {
            Outcome::Published(published) => VERSION_ROWS + published.fixed.len(),
            _ => 1,
        },
        FactKind::Scanned(scan) => scan.targets.iter().map(|target| 1 + target.new.len()).sum(),
        FactKind::SlaChecked(check) => timers(check),
        _ => 1,
    };
    1 + more
}

fn timers(check: &SlaCheck) -> usize {
    check.opened.len()
        + check.excluded.len()
        + check.stopped.len()
        + check.at_risk.len()
        + check.breached.len()
        + check.resolved.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conductor::progress::Progress;
    use std::sync::Arc;
    use store::world::Position;
    use tokio::sync::watch;

    /// The classroom's first day, cut at so many rows, asked to stop or not.
    fn first_day(rows: usize, stopped: bool) -> Vec<Draft> {
        let text = include_bytes!("../../../scenarios/classroom.yaml");
        let scenario = Arc::new(sim::scenario::parse("classroom.yaml", text).unwrap());
        let start = scenario.start.time();
        let mut world = World::new(scenario, 3);
        let (progress, _) = watch::channel(Progress::default());
        let in_flight = InFlight::new(progress, Position { at: start, seq: 0 });
        let shutdown = CancellationToken::new();
        if stopped {
            shutdown.cancel();
        }
        let limits = Limits { rows, jobs: 256, shutdown: &shutdown, in_flight: &in_flight };
        let mut drafts = Vec::new();
        loop {
            let mut draft = Draft::default();
            let reached = draft.advance(&mut world, start + SimDuration(DAY_MS), &limits);
            drafts.push(draft);
            if reached || stopped {
                return drafts;
            }
        }
    }

    #[test]
    fn windows_end_with_whole_instants_and_tell_the_same_story_however_they_are_cut() {
        let whole = first_day(usize::MAX, false);
        assert_eq!(whole.len(), 1);
        let cut = first_day(1, false);
        assert!(cut.len() > 20, "{} windows", cut.len());
        // Each of them is one instant, and the next begins with a later one.
        let ends = cut.iter().filter_map(|d| Some((d.facts.first()?, d.facts.last()?)));
        let ends: Vec<_> = ends.collect();
        assert!(ends.iter().all(|(first, last)| first.at == last.at));
        assert!(ends.windows(2).all(|two| two[0].1.at < two[1].0.at));
        let told: Vec<&Fact> = cut.iter().flat_map(|draft| &draft.facts).collect();
        assert_eq!(told, whole[0].facts.iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_stop_is_seen_within_a_window() {
        let stopped = first_day(usize::MAX, true);
        let whole = first_day(usize::MAX, false);
        assert_eq!(stopped.len(), 1);
        assert!(stopped[0].facts.len() < whole[0].facts.len());
    }
}
