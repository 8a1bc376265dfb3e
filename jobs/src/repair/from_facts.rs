//! Documents by doing their builds and scans again. The record of the world (scenario, seed,
//! commands) is told again by the kernel, and the facts concerned are made into jobs as they were.
use super::run;
use crate::conductor::replay::retell;
use crate::error::JobError;
use crate::job::JobContext;
use crate::registry::{self, Payload};
use anyhow::Context;
use sim::fact::{Fact, FactKind};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::objects::named::DamagedObject;
use store::queue::Queue;
use store::{commands, world};
use tokio_util::sync::CancellationToken;

/// What is to be done again.
#[derive(Default)]
struct Wanted {
    /// Builds, by number.
    builds: BTreeSet<u64>,
    /// Facts, by number.
    facts: BTreeSet<u64>,
}

impl Wanted {
    /// What the damaged objects are made by. (A bundle is not made by a build or a scan, and forgeries
    /// have a fact of their own.)
    fn of(damaged: &[DamagedObject]) -> Self {
        let mut wanted = Wanted::default();
        for row in damaged.iter().flat_map(|object| &object.rows) {
            match (row.build_id, row.seq) {
                (Some(build), _) => {
                    wanted.builds.insert(build.unsigned_abs());
                }
                (None, Some(seq)) if row.table_name == "attestations" && row.kind == "document" => {
                    wanted.facts.insert(seq.unsigned_abs());
                }
                _ => {}
            }
        }
        wanted
    }

    fn is_empty(&self) -> bool {
        self.builds.is_empty() && self.facts.is_empty()
    }

    fn has(&self, fact: &Fact) -> bool {
        match &fact.kind {
            FactKind::BuildFinished(result) => {
                self.builds.contains(&result.build.0) || self.facts.contains(&fact.seq)
            }
            FactKind::Scanned(_) => self.facts.contains(&fact.seq),
            _ => false,
        }
    }
}

/// Does the builds and then the scans of the damaged objects again. A world of another kernel is
/// left as it is, and a note says so.
pub(super) async fn repair(
    ctx: &JobContext,
    damaged: &[DamagedObject],
    notes: &mut Vec<String>,
) -> Result<(), JobError> {
    let wanted = Wanted::of(damaged);
    if wanted.is_empty() {
        return Ok(());
    }
    let mut tx = ctx.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let record = world::get(&mut tx).await?;
    if let Err(error) = world::check_kernel(&record.origin.kernel_version) {
        notes.push(format!(
            "layers, configurations, manifests, logs of builds, and documents that were lost with \
             their bundles follow from facts, which cannot be told again: {error}"
        ));
        return Ok(());
    }
    let applied = commands::applied(&mut tx).await?;
    tx.rollback().await?;
    let text = &record.origin.scenario;
    let scenario = sim::scenario::parse("the stored scenario", text.as_bytes());
    let scenario = Arc::new(scenario.context("reading the scenario")?);
    // The kernel may compute for seconds: not on a thread that others share.
    let facts = tokio::task::spawn_blocking(move || {
        let mut facts = Vec::new();
        let tell = |fact: Fact| {
            if wanted.has(&fact) {
                facts.push(fact);
            }
        };
        // Nobody asks it to stop, so it tells all.
        retell(scenario, &record, &applied, &CancellationToken::new(), tell).map(|_| facts)
    });
    let facts = facts.await.context("telling the record again")?;
    let facts = facts.context("telling the record again")?;
    for queue in [Queue::Build, Queue::Scan] {
        for fact in &facts {
            let jobs = registry::plan(std::slice::from_ref(fact)).context("planning jobs")?;
            for job in jobs.iter().filter(|job| job.queue == queue) {
                let payload: Payload =
                    serde_json::from_str(&job.payload).context("reading a job's payload")?;
                run(ctx, &payload, fact.seq, notes).await?;
            }
        }
    }
    Ok(())
}
