//! A window: some facts in order, and the jobs that follow from them.
use crate::plan::PlannedJob;
use crate::registry::JobKind;
use sim::fact::Fact;
use sim::time::SimTime;
use store::world::Position;

/// A released window on its way through the stages.
#[derive(Debug)]
pub(super) struct Window {
    /// The instant at which the window before ended.
    pub(super) from: SimTime,
    /// Its own end.
    pub(super) to: Position,
    pub(super) facts: Vec<Fact>,
    pub(super) jobs: Vec<PlannedJob>,
    /// How many jobs it began with.
    pub(super) size: usize,
    /// How many windows were joined into it.
    pub(super) windows: usize,
}

impl Window {
    /// Joins the window that follows: a stage that has fallen behind takes both at once.
    pub(super) fn join(&mut self, next: Window) {
        self.to = next.to;
        self.facts.extend(next.facts);
        self.jobs.extend(next.jobs);
        self.size += next.size;
        self.windows += next.windows;
    }

    /// The ids of the jobs of a kind, in groups: those of one group may be done at the same time, and
    /// each group must be done before the next.
    pub(super) fn groups(&self, kind: &JobKind) -> Vec<Vec<i64>> {
        let of_kind = self.jobs.iter().copied().filter(|job| job.queue == kind.queue);
        let mut jobs: Vec<PlannedJob> = of_kind.collect();
        jobs.sort_unstable_by_key(|job| (job.phase, job.id));
        let groups = jobs.chunk_by(kind.run_together);
        groups.map(|group| group.iter().map(|job| job.id).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{KINDS, plan};
    use sim::fact::{FactKind, Scan, ScanTarget, ScanTrigger};
    use sim::ids::{BuilderId, ImageId, VersionRef};
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use store::queue::Queue;

    fn kind(queue: Queue) -> &'static JobKind {
        KINDS.iter().find(|kind| kind.queue == queue).unwrap()
    }

    #[test]
    fn evaluations_run_one_after_the_other() {
        let job = |id, queue, phase| PlannedJob { id, queue, phase };
        let window = Window {
            from: SimTime(0),
            to: Position { at: SimTime(1), seq: 9 },
            facts: Vec::new(),
            jobs: vec![
                job(7, Queue::SlaCheck, 0),
                job(4, Queue::SlaCheck, 0),
                job(1, Queue::Build, 1),
                job(2, Queue::Build, 0),
                job(3, Queue::Build, 1),
            ],
            size: 5,
            windows: 1,
        };
        assert_eq!(window.groups(kind(Queue::SlaCheck)), vec![vec![4], vec![7]]);
        assert_eq!(window.groups(kind(Queue::Build)), vec![vec![2], vec![1, 3]]);
    }

    #[test]
    fn lost_trust_waits_for_the_bundles_and_goes_in_the_order_of_facts() {
        let version = VersionRef { image: ImageId(0), version: 1 };
        let target = ScanTarget { version, previous: None, findings: 0, new: Vec::new() };
        let scan = Scan { trigger: ScanTrigger::Scheduled, targets: vec![target] };
        let kinds = [
            FactKind::AttestationTampered { version },
            FactKind::BuilderDistrusted { builder: BuilderId(0) },
            FactKind::Scanned(Arc::new(scan)),
            FactKind::AttestationTampered { version },
        ];
        let fact = |(seq, kind)| Fact { seq, at: SimTime(0), kind };
        let facts: Vec<Fact> = (1..).zip(kinds).map(fact).collect();
        let window = |facts: &[Fact]| {
            let jobs: Vec<PlannedJob> = plan(facts).unwrap().iter().map(PlannedJob::from).collect();
            let (from, to) = (SimTime(0), Position { at: SimTime(9), seq: 9 });
            Window { from, to, facts: Vec::new(), size: jobs.len(), jobs, windows: 1 }
        };
        // However the facts are cut, and also when the windows are joined again.
        let mut joined = window(&facts[..2]);
        joined.join(window(&facts[2..]));
        for window in [window(&facts), joined] {
            let groups = window.groups(kind(Queue::Attest));
            let first_seq = |id: &i64| id >> 12;
            let facts: Vec<BTreeSet<i64>> =
                groups.iter().map(|group| group.iter().map(first_seq).collect()).collect();
            assert_eq!(facts, [3, 1, 2, 4].map(|seq| BTreeSet::from([seq])));
            assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 8, 1]);
        }
    }
}
