//! Divides the scans of a window into jobs of even size.
use crate::error::PlanError;
use crate::job::SequencedFact;
use crate::plan::{JobStart, LAST_PIECE, Plan};
use sim::fact::{Fact, FactKind, Scan};
use std::sync::Arc;

/// Versions scanned by one job.
const TARGETS: usize = 64;

/// Takes scans in pieces, joined with their neighbours.
pub(super) fn plan(facts: &[Fact], plan: &mut Plan) -> Result<(), PlanError> {
    let mut batch = Batch::default();
    for fact in facts {
        if let FactKind::Scanned(scan) = &fact.kind {
            batch.add(fact, scan, plan)?;
        }
    }
    batch.flush(plan)
}

/// The scans of the next job.
#[derive(Default)]
struct Batch {
    start: Option<JobStart>,
    scans: Vec<SequencedFact<Scan>>,
    /// Versions in `scans`.
    targets: usize,
}

impl Batch {
    fn add(&mut self, fact: &Fact, scan: &Arc<Scan>, plan: &mut Plan) -> Result<(), PlanError> {
        // A pass over very many versions in fewer, larger pieces: pieces are numbered in few bits,
        // and the last number is that of the attest job.
        let size = TARGETS.max(scan.targets.len().div_ceil(LAST_PIECE - 1));
        let mut rest = scan.targets.as_slice();
        for piece in 0.. {
            let room = size.saturating_sub(self.targets).max(1);
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.start.get_or_insert(JobStart::of(fact).piece(piece));
            let content = if now.len() == scan.targets.len() {
                scan.clone()
            } else {
                Arc::new(Scan { trigger: scan.trigger, targets: now.to_vec() })
            };
            self.scans.push(SequencedFact::new(fact, &content));
            self.targets += now.len();
            rest = later;
            if self.targets >= size {
                self.flush(plan)?;
            }
            if rest.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn flush(&mut self, plan: &mut Plan) -> Result<(), PlanError> {
        let Some(start) = self.start.take() else { return Ok(()) };
        self.targets = 0;
        plan.push(start, 0, &std::mem::take(&mut self.scans))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::fact::{ScanTarget, ScanTrigger};
    use sim::ids::{ImageId, VersionRef};
    use sim::time::SimTime;
    use std::collections::BTreeSet;
    use store::queue::Queue;

    fn scan(seq: u64, targets: u32) -> Fact {
        let target = |image| ScanTarget {
            version: VersionRef { image: ImageId(image), version: 1 },
            previous: None,
            findings: 0,
            new: Vec::new(),
        };
        let targets = (0..targets).map(target).collect();
        let scan = Scan { trigger: ScanTrigger::Scheduled, targets };
        Fact { seq, at: SimTime(0), kind: FactKind::Scanned(Arc::new(scan)) }
    }

    #[test]
    fn scans_are_cut_and_joined_without_loss() {
        let sizes = [1, 200, 1, 1, 63, 64, 65, 0, 3];
        let facts: Vec<Fact> = (1..).zip(sizes).map(|(seq, n)| scan(seq, n)).collect();
        let mut planned = Plan::new(Queue::Scan);
        plan(&facts, &mut planned).unwrap();
        let jobs = planned.into_jobs();
        let ids: BTreeSet<i64> = jobs.iter().map(|job| job.id).collect();
        assert_eq!(ids.len(), jobs.len(), "ids are unique");
        let mut found: Vec<(u64, u32)> = Vec::new();
        for job in &jobs {
            let payload: serde_json::Value = serde_json::from_str(&job.payload).unwrap();
            let scans: Vec<SequencedFact<Scan>> =
                serde_json::from_value(payload["facts"].clone()).unwrap();
            let targets: usize = scans.iter().map(|scan| scan.fact.targets.len()).sum();
            assert!(targets <= TARGETS);
            for scan in scans {
                found.extend(scan.fact.targets.iter().map(|t| (scan.seq, t.version.image.0)));
            }
        }
        let expected: Vec<(u64, u32)> =
            (1..).zip(sizes).flat_map(|(seq, n)| (0..n).map(move |i| (seq, i))).collect();
        assert_eq!(found, expected);
    }
}
