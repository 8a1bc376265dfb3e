//! The `sla_check` job: evaluates the stored SLA timers, and holds the kernel to the result.
use crate::check::expect_equal_lists;
use crate::error::{JobError, PlanError};
use crate::job::{Job, JobContext, SequencedFact, Stage};
use crate::plan::{JobStart, Plan, PlannedJob};
use sim::fact::{Fact, FactKind, SlaCheck, TimerRef};
use sqlx::PgConnection;
use store::queue::Queue;
use store::sla;

/// Evaluations in one job: they follow each other, and an attempt has a time limit.
const CHECKS: usize = 24;

/// SLA evaluations, in order, without gaps.
#[derive(Clone, Copy, Debug)]
pub struct SlaCheckJob;

impl Job for SlaCheckJob {
    type Payload = Vec<SequencedFact<SlaCheck>>;

    const QUEUE: Queue = Queue::SlaCheck;
    const STAGE: Stage = Stage::Evaluate;

    fn concurrency(_wanted: usize) -> usize {
        1
    }

    /// Evaluations build on each other.
    fn run_together(_one: &PlannedJob, _next: &PlannedJob) -> bool {
        false
    }

    fn plan(facts: &[Fact], plan: &mut Plan) -> Result<(), PlanError> {
        let check = |fact: &Fact| match &fact.kind {
            FactKind::SlaChecked(check) => {
                Some((JobStart::of(fact), SequencedFact::new(fact, check)))
            }
            _ => None,
        };
        let (starts, checks): (Vec<_>, Vec<_>) = facts.iter().filter_map(check).unzip();
        for (start, checks) in starts.into_iter().step_by(CHECKS).zip(checks.chunks(CHECKS)) {
            plan.push(start, 0, &checks)?;
        }
        Ok(())
    }

    /// Evaluates at each fact's instant, in order.
    async fn run(
        _ctx: &JobContext,
        tx: &mut PgConnection,
        checks: &Self::Payload,
    ) -> Result<(), JobError> {
        sla::plan_for_few_rows(tx).await?;
        for check in checks {
            let found = sla::evaluate(tx, check.fact.previous, check.at).await?;
            compare(check, &found)?;
        }
        Ok(())
    }
}

fn compare(check: &SequencedFact<SlaCheck>, found: &SlaCheck) -> Result<(), JobError> {
    let expected = &*check.fact;
    let lists: [(&str, &[TimerRef], &[TimerRef]); 6] = [
        ("opened", &expected.opened, &found.opened),
        ("excluded", &expected.excluded, &found.excluded),
        ("stopped", &expected.stopped, &found.stopped),
        ("at risk", &expected.at_risk, &found.at_risk),
        ("breached", &expected.breached, &found.breached),
        ("resolved", &expected.resolved, &found.resolved),
    ];
    for (name, expected, found) in lists {
        expect_equal_lists(|| format!("SLA timers {name} at {}", check.at), expected, found)?;
    }
    Ok(())
}
