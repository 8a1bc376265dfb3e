//! The rows of a world against its logs: lines of the audit log and attestations must be what was
//! logged, in the same order, none more and none less.
use super::log::CheckedLog;
use super::report::Report;
use crate::evidence::Collector;
use anyhow::Result;
use documents::divergence::{self, Divergence};
use documents::merkle::{Hash, leaf_hash};
use documents::rekor::genesis_body;
use store::logs::Log;
use store::retention::leaves::expired;
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
        let mut found = expired(&mut conn, Log::Transparency, 0).await?;
        found.push((0, leaf_hash(&genesis_body(&world.identity.rekor_origin)?)));
        for (index, logged) in attestations::logged(&mut conn, 0, i64::MAX.unsigned_abs()).await? {
            found.push((index, leaf_hash(&logged.body(&world.identity.signer)?)));
        }
        found.sort_unstable();
        let found: Vec<Hash> = found.into_iter().map(|(_, hash)| hash).collect();
        compare("attestations", log.tree.level(0), &found, report);
    }
    if let Some(log) = audit_log {
        let lines = audit::lines(&mut conn, None).await?;
        let leaves = lines.iter().map(|line| Ok(leaf_hash(&line.leaf()?)));
        // The lines that are no longer kept are the first ones.
        let gone = expired(&mut conn, Log::Audit, 0).await?;
        let before = gone.len();
        let gone = gone.into_iter().map(|(_, hash)| Ok(hash));
        let found = gone.chain(leaves).collect::<Result<Vec<Hash>, store::error::Error>>()?;
        let recorded = log.tree.level(0);
        if let Some(difference) = compare("audit_logs", recorded, &found, report)
            && let Some(line) =
                index(difference).and_then(|index| lines.get(index.checked_sub(before)?))
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
