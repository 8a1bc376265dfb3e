//! Divides what is to be done about attestations in a window into jobs.
use super::Attest;
use crate::error::PlanError;
use crate::plan::{JobStart, LAST_PIECE, Plan, PlannedJob};
use sim::fact::{Fact, FactKind, Outcome, ScanTarget};

/// Attestations in one job, about.
const ATTESTATIONS: usize = 128;
/// The jobs that make bundles: all at once.
const BUNDLE_PHASE: u32 = 0;
/// The jobs that read bundles again: after those that make them, fact by fact.
const REASSESS_PHASE: u32 = 1;
/// Jobs in which what an untrusted builder made is assessed again: an attempt has a time limit.
const DISTRUST_PARTS: u32 = 8;

/// Losses of trust build on each other, so those of different facts follow each other.
pub(super) fn run_together(one: &PlannedJob, next: &PlannedJob) -> bool {
    one.phase == next.phase
        && (u32::try_from(one.phase) == Ok(BUNDLE_PHASE) || one.first_seq() == next.first_seq())
}

pub(super) fn plan(facts: &[Fact], plan: &mut Plan) -> Result<(), PlanError> {
    let mut bundles = Bundles::default();
    for fact in facts {
        let (seq, at) = (fact.seq, fact.at);
        match &fact.kind {
            FactKind::BuildFinished(result) if matches!(result.outcome, Outcome::Published(_)) => {
                bundles.add(fact, 4, plan)?;
            }
            FactKind::Scanned(scan) => {
                let new = |t: &&ScanTarget| t.previous.is_none() || !t.new.is_empty();
                // Judgements and fixes can bring about reports too: every scan is attested.
                bundles.add(fact, 1 + 2 * scan.targets.iter().filter(new).count(), plan)?;
            }
            FactKind::BuilderDistrusted { builder } => {
                let (builder, parts) = (*builder, DISTRUST_PARTS);
                for (part, piece) in (0..parts).zip(0..) {
                    let again = Attest::Distrusted { seq, at, builder, parts, part };
                    plan.push(JobStart::of(fact).piece(piece), REASSESS_PHASE, &again)?;
                }
            }
            FactKind::AttestationTampered { version } => {
                let again = Attest::Tampered { seq, at, version: *version };
                plan.push(JobStart::of(fact), REASSESS_PHASE, &again)?;
            }
            _ => {}
        }
    }
    bundles.flush(plan)
}

/// The facts of the next job that makes bundles.
#[derive(Default)]
struct Bundles {
    /// Where it begins, its last fact, and about how many attestations there are.
    next: Option<(JobStart, u64, usize)>,
}

impl Bundles {
    fn add(&mut self, fact: &Fact, count: usize, plan: &mut Plan) -> Result<(), PlanError> {
        // Builds and scans, which begin with the same facts, have the numbers before.
        let start = JobStart::of(fact).piece(LAST_PIECE);
        let (_, to_seq, weight) = self.next.get_or_insert((start, fact.seq, 0));
        *to_seq = fact.seq;
        *weight += count;
        if *weight >= ATTESTATIONS { self.flush(plan) } else { Ok(()) }
    }

    fn flush(&mut self, plan: &mut Plan) -> Result<(), PlanError> {
        let Some((start, to_seq, _)) = self.next.take() else { return Ok(()) };
        plan.push(start, BUNDLE_PHASE, &Attest::Bundle { from_seq: start.seq, to_seq })
    }
}
