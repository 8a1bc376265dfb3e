//! The `sla_check` job: evaluates the stored SLA timers, and holds the kernel to the result.
use crate::check::expect_equal_lists;
use crate::job::{JobContext, JobError, SequencedFact};
use sim::fact::{SlaCheck, TimerRef};
use sqlx::PgConnection;
use store::sla;

/// Evaluates at each fact's instant, in order.
///
/// # Errors
/// [`JobError::Mismatch`] when timers open, stop, warn, breach or resolve otherwise than in the
/// kernel.
pub async fn run(
    _ctx: &JobContext,
    tx: &mut PgConnection,
    checks: &[SequencedFact<SlaCheck>],
) -> Result<(), JobError> {
    sla::plan_for_few_rows(tx).await?;
    for check in checks {
        let found = sla::evaluate(tx, check.fact.previous, check.at).await?;
        compare(check, &found)?;
    }
    Ok(())
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
