//! Makes lost and damaged documents again. A document is a function of facts and of rows, so the jobs
//! that made it make the same bytes again. Each is run in a transaction that is rolled back, with an
//! object store that takes the damaged objects alone: no row changes, and no other object is written.
//!
//! What is tried, in this order, for what is still damaged by then:
//!
//! 1. A document that a whole bundle states is taken out of the bundle ([`from_bundles`]).
//! 2. Builds and scans are done again ([`from_facts`]). That needs the facts, so the kernel that made
//!    the world: the record is told again, as a new conductor does.
//! 3. Bundles and forgeries are made again; their rows say enough.
//! 4. Tiles and checkpoints of the logs are written again from their rows ([`logs`]). A conductor
//!    writes those too, so this waits until none leads.
use crate::attest::Attest;
use crate::caches::Caches;
use crate::error::JobError;
use crate::job::JobContext;
use crate::registry::Payload;
use anyhow::anyhow;
use serde::Serialize;
use sim::ids::{ImageId, VersionRef};
use sim::time::SimTime;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::objects::named::{self, DamagedObject, NamedObject, examine};

mod from_bundles;
mod from_facts;
mod logs;

/// What was found and made again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Repair {
    /// How many objects were looked at.
    pub objects: usize,
    /// The keys of those that were made again, and are as they must be now.
    pub made: Vec<String>,
    /// Those that are still lost or damaged, and why.
    pub left: Vec<Left>,
    /// What was not looked at, or could not be done, and why.
    pub notes: Vec<String>,
}

/// An object that is still lost or damaged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Its key.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
    /// The rows that name it.
    pub named_by: Vec<String>,
}

/// Looks at all objects of the world and makes again what is lost or damaged. It may run beside a
/// world that goes on, but for the two logs.
///
/// # Errors
/// There is no world, its documents are signed with another key than this process has, or the
/// services fail. A document that cannot be made again is no error: it is in [`Repair::left`].
pub async fn repair(ctx: &JobContext) -> Result<Repair, JobError> {
    let rows = named::named(&mut *ctx.pool.acquire().await?).await?;
    let found = examine(&ctx.objects, rows).await?;
    let mut repair = Repair { objects: found.objects, ..Repair::default() };
    for (row, reason) in &found.contradictions {
        repair.notes.push(format!("{row}: {reason}; the row was changed, which is not mended"));
    }
    if !found.damaged.is_empty() {
        documents(ctx, found.damaged, &mut repair).await?;
    }
    logs::repair(ctx, &mut repair).await?;
    repair.made.sort_unstable();
    Ok(repair)
}

/// Makes again what rows name.
async fn documents(
    ctx: &JobContext,
    damaged: Vec<DamagedObject>,
    repair: &mut Repair,
) -> Result<(), JobError> {
    let all: BTreeSet<String> = damaged.iter().map(|object| object.key.clone()).collect();
    let writing = JobContext {
        objects: ctx.objects.writing_only(all.clone()),
        caches: Arc::new(Caches::default()),
        ..ctx.clone()
    };
    from_bundles::repair(&writing, &damaged).await?;
    let damaged = still(ctx, damaged).await?;
    from_facts::repair(&writing, &damaged, &mut repair.notes).await?;
    let damaged = still(ctx, damaged).await?;
    bundles(&writing, &damaged, &mut repair.notes).await?;
    let damaged = still(ctx, damaged).await?;
    // A document of another kernel's world may have waited for its bundle.
    from_bundles::repair(&writing, &damaged).await?;
    let damaged = still(ctx, damaged).await?;
    let left: BTreeSet<&String> = damaged.iter().map(|object| &object.key).collect();
    repair.made.extend(all.iter().filter(|key| !left.contains(key)).cloned());
    repair.left.extend(damaged.into_iter().map(|object| Left {
        key: object.key,
        reason: object.reason,
        named_by: object.rows.iter().map(NamedObject::to_string).collect(),
    }));
    Ok(())
}

/// Those that are damaged even now.
async fn still(
    ctx: &JobContext,
    damaged: Vec<DamagedObject>,
) -> Result<Vec<DamagedObject>, JobError> {
    let rows = damaged.into_iter().flat_map(|object| object.rows).collect();
    Ok(examine(&ctx.objects, rows).await?.damaged)
}

/// Makes bundles again, then forgeries, which are made of bundles.
async fn bundles(
    ctx: &JobContext,
    damaged: &[DamagedObject],
    notes: &mut Vec<String>,
) -> Result<(), JobError> {
    for seq in facts_of(damaged, "attestations") {
        let seq = seq.unsigned_abs();
        let again = Payload::Attest(Attest::Bundle { from_seq: seq, to_seq: seq });
        run(ctx, &again, seq, notes).await?;
    }
    let forged = facts_of(damaged, "attestation_replacements");
    let rows = named::forgeries(&mut *ctx.pool.acquire().await?, &forged).await?;
    for row in rows {
        let image = u32::try_from(row.image_id).map_err(|error| anyhow!("image: {error}"))?;
        let version = u32::try_from(row.version).map_err(|error| anyhow!("version: {error}"))?;
        let seq = row.seq.unsigned_abs();
        let again = Payload::Attest(Attest::Tampered {
            seq,
            at: SimTime::from_datetime(row.replaced_at),
            version: VersionRef { image: ImageId(image), version },
        });
        run(ctx, &again, seq, notes).await?;
    }
    Ok(())
}

/// The facts of damaged objects that rows of a table name.
fn facts_of(damaged: &[DamagedObject], table: &str) -> Vec<i64> {
    let rows = damaged.iter().flat_map(|object| &object.rows);
    let facts = rows.filter(|row| row.table_name == table).filter_map(|row| row.seq);
    facts.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Does a job again for the objects that it writes. What it says against its fact, or misses, is
/// noted; only a service that fails is an error.
async fn run(
    ctx: &JobContext,
    payload: &Payload,
    seq: u64,
    notes: &mut Vec<String>,
) -> Result<(), JobError> {
    let mut tx = ctx.pool.begin().await?;
    let done = payload.run(ctx, &mut tx).await;
    tx.rollback().await?;
    if let Err(error) = done {
        notes.push(format!("the {} job of fact {seq}: {error:#}", payload.queue().as_str()));
    }
    Ok(())
}
