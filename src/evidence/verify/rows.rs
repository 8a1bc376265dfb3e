//! The rows of a world against its logs: lines of the audit log and attestations must be what was
//! logged, in the same order, none more and none less.
use super::log::CheckedLog;
use super::report::Report;
use crate::evidence::Collector;
use anyhow::Result;
use documents::divergence::{self, Divergence};
use documents::merkle::{Hash, leaf_hash};
use documents::rekor::genesis_body;
use store::{attestations, audit};

/// Compares them; with a log that cannot be relied on there is nothing to compare.
pub(super) async fn check(
    world: &Collector,
    log: Option<&CheckedLog>,
    audit_log: Option<&CheckedLog>,
    report: &mut Report,
) -> Result<()> {
    let mut conn = world.pool.acquire().await?;
    if let Some(log) = log {
        let mut found = vec![leaf_hash(&genesis_body(&world.identity.rekor_origin)?)];
        for logged in attestations::logged(&mut conn, 0, i64::MAX.unsigned_abs()).await? {
            found.push(leaf_hash(&logged.body(&world.identity.signer)?));
        }
        compare("attestations", log.tree.level(0), &found, report);
    }
    if let Some(log) = audit_log {
        let lines = audit::lines(&mut conn, None).await?;
        let leaves = lines.iter().map(|line| Ok(leaf_hash(&line.leaf()?)));
        let found = leaves.collect::<Result<Vec<Hash>, store::error::Error>>()?;
        let recorded = log.tree.level(0);
        if let Some(difference) = compare("audit_logs", recorded, &found, report)
            && let Some(line) = index(difference).and_then(|index| lines.get(index))
            && let Some(problem) = report.problems.last_mut()
        {
            let (id, action) = (line.seq, &line.action);
            problem.reason = format!("{} (row {id}, {action})", problem.reason);
        }
    }
    Ok(())
}

fn compare(
    table: &str,
    recorded: &[Hash],
    found: &[Hash],
    report: &mut Report,
) -> Option<Divergence> {
    let difference = divergence::find(recorded, found)?;
    report.problem(table, difference);
    Some(difference)
}

/// The place of the row that differs; none where there is no row any more.
fn index(difference: Divergence) -> Option<usize> {
    match difference {
        Divergence::Edited { index }
        | Divergence::Inserted { index }
        | Divergence::Reordered { index }
        | Divergence::Forked { index } => usize::try_from(index).ok(),
        Divergence::Deleted { .. } | Divergence::Truncated { .. } => None,
    }
}
