//! A window: some facts in order, and the jobs that carry them.
//!
//! How facts are cut into windows and windows into jobs never shows in what is written, so both
//! follow convenience: big enough to be worth a delivery, small enough to share among workers.
use super::error::ConductorError;
use crate::job::{Attest, Payload, SequencedFact};
use sim::fact::{Fact, FactKind, Notification, Outcome, Scan, ScanTarget, SlaCheck};
use sim::time::SimTime;
use std::sync::Arc;
use store::ledger::{NewJob, UnfinishedJob};
use store::queue::Queue;
use store::world::Position;

/// Versions scanned by one job.
const SCAN_TARGETS: usize = 64;
/// Evaluations in one job: they follow each other, and an attempt has a time limit.
const SLA_CHECKS: usize = 24;
/// Notifications in one job.
const NOTIFICATIONS: usize = 512;
/// Attestations in one job, about.
const ATTESTATIONS: usize = 128;
/// Bits of a ledger id that number the jobs that begin with one fact.
const CHUNK_BITS: u32 = 12;
/// The number of the attest job among them; builds and scans take those before.
const ATTEST_PIECE: usize = (1 << CHUNK_BITS) - 1;
/// The attest jobs that make bundles: all at once.
const BUNDLE_PHASE: i32 = 0;
/// The attest jobs that read bundles again: after those that make them, fact by fact.
const AGAIN_PHASE: i32 = 1;
/// Jobs in which what an untrusted builder made is assessed again: an attempt has a time limit.
const DISTRUST_PARTS: u32 = 8;

/// A job of a window, without its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) id: i64,
    pub(super) queue: Queue,
    /// The depth of a build; of an attest job, whether it reads bundles that others make; else 0.
    pub(super) phase: i32,
}

impl From<&NewJob> for Job {
    fn from(job: &NewJob) -> Self {
        Job { id: job.id, queue: queue(job.queue), phase: job.phase }
    }
}

impl From<&UnfinishedJob> for Job {
    fn from(job: &UnfinishedJob) -> Self {
        Job { id: job.id, queue: queue(&job.queue), phase: job.phase }
    }
}

/// The column is checked against these names.
fn queue(name: &str) -> Queue {
    Queue::ALL.into_iter().find(|queue| queue.as_str() == name).unwrap_or(Queue::Build)
}

/// A released window on its way through the stages.
#[derive(Debug)]
pub(super) struct Window {
    /// The instant at which the window before ended.
    pub(super) from: SimTime,
    /// Its own end.
    pub(super) to: Position,
    pub(super) facts: Vec<Fact>,
    pub(super) jobs: Vec<Job>,
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

    /// The jobs of a queue, phase by phase.
    pub(super) fn phases(&self, of: Queue) -> Vec<Vec<i64>> {
        let mut jobs: Vec<(i32, i64)> =
            self.jobs.iter().filter(|job| job.queue == of).map(|job| (job.phase, job.id)).collect();
        jobs.sort_unstable();
        let together = |a: &(i32, i64), b: &(i32, i64)| match of {
            // Evaluations build on each other, and so does the loss of trust.
            Queue::SlaCheck => false,
            Queue::Attest if a.0 == AGAIN_PHASE => a.1 >> CHUNK_BITS == b.1 >> CHUNK_BITS,
            _ => a.0 == b.0,
        };
        jobs.chunk_by(together).map(|phase| phase.iter().map(|(_, id)| *id).collect()).collect()
    }
}

/// Cuts facts into jobs.
pub(super) fn jobs(facts: &[Fact]) -> Result<Vec<NewJob>, ConductorError> {
    let mut batcher = Batcher::default();
    for fact in facts {
        let (seq, at) = (fact.seq, fact.at);
        match &fact.kind {
            FactKind::BuildFinished(result) => {
                let phase = result.depth as i32;
                let build = Payload::Build(SequencedFact { seq, at, fact: result.clone() });
                batcher.push(seq, 0, at, phase, &build)?;
                if matches!(result.outcome, Outcome::Published(_)) {
                    batcher.attest(seq, at, 4)?;
                }
            }
            FactKind::Scanned(scan) => {
                batcher.scan(seq, at, scan)?;
                let new = |t: &&ScanTarget| t.previous.is_none() || !t.new.is_empty();
                // Judgements and fixes can bring about reports too: every scan is attested.
                batcher.attest(seq, at, 1 + 2 * scan.targets.iter().filter(new).count())?;
            }
            FactKind::SlaChecked(check) => {
                batcher.checks.push(SequencedFact { seq, at, fact: check.clone() });
            }
            FactKind::BuilderDistrusted { builder } => {
                let (builder, parts) = (*builder, DISTRUST_PARTS);
                for part in 0..parts {
                    let again = Attest::Distrusted { seq, at, builder, parts, part };
                    batcher.push(seq, part as usize, at, AGAIN_PHASE, &Payload::Attest(again))?;
                }
            }
            FactKind::AttestationTampered { version } => {
                let again = Attest::Tampered { seq, at, version: *version };
                batcher.push(seq, 0, at, AGAIN_PHASE, &Payload::Attest(again))?;
            }
            FactKind::Notified(notification) => {
                batcher.notifications.push(SequencedFact { seq, at, fact: notification.clone() });
            }
            _ => {}
        }
    }
    batcher.finish()
}

#[derive(Default)]
struct Batcher {
    jobs: Vec<NewJob>,
    scans: Vec<SequencedFact<Scan>>,
    /// Versions in `scans`.
    targets: usize,
    /// Which piece of its fact the first of `scans` is.
    first_piece: usize,
    /// The first and last fact of the next attest job, where it begins, and about how much work it
    /// is.
    attest: Option<(u64, u64, SimTime, usize)>,
    checks: Vec<SequencedFact<SlaCheck>>,
    notifications: Vec<SequencedFact<Notification>>,
}

impl Batcher {
    fn push(
        &mut self,
        seq: u64,
        piece: usize,
        at: SimTime,
        phase: i32,
        payload: &Payload,
    ) -> Result<(), ConductorError> {
        debug_assert!(piece < 1 << CHUNK_BITS);
        let text = serde_json::to_string(payload)
            .map_err(|source| ConductorError::Encode { seq, source })?;
        self.jobs.push(NewJob {
            id: (seq as i64) << CHUNK_BITS | piece as i64,
            queue: payload.queue().as_str(),
            phase,
            at,
            payload: text,
        });
        Ok(())
    }

    /// Takes a scan in pieces, joined with their neighbours to jobs of even size.
    fn scan(&mut self, seq: u64, at: SimTime, scan: &Arc<Scan>) -> Result<(), ConductorError> {
        // A pass over very many versions in fewer, larger pieces: pieces are numbered in few bits.
        let size = SCAN_TARGETS.max(scan.targets.len().div_ceil(ATTEST_PIECE - 1));
        let mut rest = scan.targets.as_slice();
        for piece in 0.. {
            let room = size.saturating_sub(self.targets).max(1);
            let (now, later) = rest.split_at(room.min(rest.len()));
            if self.scans.is_empty() {
                self.first_piece = piece;
            }
            let fact = if now.len() == scan.targets.len() {
                scan.clone()
            } else {
                Arc::new(Scan { trigger: scan.trigger, targets: now.to_vec() })
            };
            self.scans.push(SequencedFact { seq, at, fact });
            self.targets += now.len();
            rest = later;
            if self.targets >= size {
                self.flush_scans()?;
            }
            if rest.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn attest(&mut self, seq: u64, at: SimTime, count: usize) -> Result<(), ConductorError> {
        let (_, to_seq, _, weight) = self.attest.get_or_insert((seq, seq, at, 0));
        *to_seq = seq;
        *weight += count;
        if *weight >= ATTESTATIONS { self.flush_attest() } else { Ok(()) }
    }

    fn flush_attest(&mut self) -> Result<(), ConductorError> {
        let Some((from_seq, to_seq, at, _)) = self.attest.take() else { return Ok(()) };
        let bundle = Payload::Attest(Attest::Bundle { from_seq, to_seq });
        self.push(from_seq, ATTEST_PIECE, at, BUNDLE_PHASE, &bundle)
    }

    fn flush_scans(&mut self) -> Result<(), ConductorError> {
        let scans = std::mem::take(&mut self.scans);
        self.targets = 0;
        let Some((seq, at)) = scans.first().map(|scan| (scan.seq, scan.at)) else { return Ok(()) };
        self.push(seq, self.first_piece, at, 0, &Payload::Scan(scans))
    }

    fn finish(mut self) -> Result<Vec<NewJob>, ConductorError> {
        self.flush_scans()?;
        self.flush_attest()?;
        for checks in std::mem::take(&mut self.checks).chunks(SLA_CHECKS) {
            let (seq, at) = (checks[0].seq, checks[0].at);
            self.push(seq, 0, at, 0, &Payload::SlaCheck(checks.to_vec()))?;
        }
        for notifications in std::mem::take(&mut self.notifications).chunks(NOTIFICATIONS) {
            let (seq, at) = (notifications[0].seq, notifications[0].at);
            self.push(seq, 0, at, 0, &Payload::Notify(notifications.to_vec()))?;
        }
        Ok(self.jobs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::fact::ScanTrigger;
    use sim::ids::{BuilderId, ImageId, VersionRef};
    use std::collections::BTreeSet;

    fn scan(seq: u64, targets: u32) -> Fact {
        let target = |image| ScanTarget {
            version: VersionRef { image: ImageId(image), version: 1 },
            previous: None,
            findings: 0,
            new: Vec::new(),
        };
        let targets = (0..targets).map(target).collect();
        let scan = Scan { trigger: ScanTrigger::Scheduled, targets };
        Fact { seq, at: SimTime(seq as i64), kind: FactKind::Scanned(Arc::new(scan)) }
    }

    #[test]
    fn scans_are_cut_and_joined_without_loss() {
        let sizes = [1, 200, 1, 1, 63, 64, 65, 0, 3];
        let facts: Vec<Fact> = (1..).zip(sizes).map(|(seq, n)| scan(seq, n)).collect();
        let jobs = jobs(&facts).unwrap();
        let ids: BTreeSet<i64> = jobs.iter().map(|job| job.id).collect();
        assert_eq!(ids.len(), jobs.len(), "ids are unique");
        let mut found: Vec<(u64, u32)> = Vec::new();
        for job in &jobs {
            let scans = match serde_json::from_str(&job.payload).unwrap() {
                Payload::Scan(scans) => scans,
                Payload::Attest(_) => continue,
                other => panic!("a scan was cut into {other:?}"),
            };
            let targets: usize = scans.iter().map(|scan| scan.fact.targets.len()).sum();
            assert!(targets <= SCAN_TARGETS);
            for scan in scans {
                found.extend(scan.fact.targets.iter().map(|t| (scan.seq, t.version.image.0)));
            }
        }
        let expected: Vec<(u64, u32)> =
            (1..).zip(sizes).flat_map(|(seq, n)| (0..n).map(move |i| (seq, i))).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn evaluations_run_one_after_the_other() {
        let job = |id, queue, phase| Job { id, queue, phase };
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
        assert_eq!(window.phases(Queue::SlaCheck), vec![vec![4], vec![7]]);
        assert_eq!(window.phases(Queue::Build), vec![vec![2], vec![1, 3]]);
    }

    #[test]
    fn lost_trust_waits_for_the_bundles_and_goes_in_the_order_of_facts() {
        let version = VersionRef { image: ImageId(0), version: 1 };
        let kinds = [
            FactKind::AttestationTampered { version },
            FactKind::BuilderDistrusted { builder: BuilderId(0) },
            scan(3, 1).kind,
            FactKind::AttestationTampered { version },
        ];
        let fact = |(seq, kind)| Fact { seq, at: SimTime(seq as i64), kind };
        let facts: Vec<Fact> = (1..).zip(kinds).map(fact).collect();
        let window = |facts: &[Fact]| {
            let jobs: Vec<Job> = jobs(facts).unwrap().iter().map(Job::from).collect();
            let (from, to) = (SimTime(0), Position { at: SimTime(9), seq: 9 });
            Window { from, to, facts: Vec::new(), size: jobs.len(), jobs, windows: 1 }
        };
        // However the facts are cut, and also when the windows are joined again.
        let mut joined = window(&facts[..2]);
        joined.join(window(&facts[2..]));
        for window in [window(&facts), joined] {
            let facts: Vec<BTreeSet<i64>> = window
                .phases(Queue::Attest)
                .iter()
                .map(|phase| phase.iter().map(|id| id >> CHUNK_BITS).collect())
                .collect();
            assert_eq!(facts, [3, 1, 2, 4].map(|seq| BTreeSet::from([seq])));
            let sizes: Vec<usize> = window.phases(Queue::Attest).iter().map(Vec::len).collect();
            assert_eq!(sizes, [1, 1, DISTRUST_PARTS as usize, 1]);
        }
    }
}
