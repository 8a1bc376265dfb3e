//! Rows against objects, both ways: every object that a row names is there, of the size that the row
//! tells and whole; and every object is named by a row or belongs to a log.
use super::log::CheckedLog;
use super::report::Report;
use crate::evidence::Collector;
use anyhow::Result;
use std::collections::BTreeSet;
use store::ledger;
use store::logs::Log;
use store::objects::named::{NamedObject, examine, named};
use store::obsolete_objects;
use store::retention::objects::waiting;
use store::world::get as the_world;

/// Compares them. A log that cannot be relied on does not tell which tiles it has.
pub(super) async fn check(
    world: &Collector,
    logs: [(Log, Option<&CheckedLog>); 2],
    report: &mut Report,
) -> Result<()> {
    // What is to be deleted first, for it leaves its list after the object; then the objects, for a row
    // appears after its object.
    let to_delete = to_delete(world).await?;
    let mut listed = world.objects.list_world().await?;
    let (rows, at_rest) = rows(world).await?;
    report.rows = rows.len();
    let mut known: BTreeSet<String> = rows.iter().map(|row| row.object_key.clone()).collect();
    let all = listed.len();
    listed.retain(|object| known.contains(&object.key) || !to_delete.contains(&object.key));
    let why = "their rows are gone with history or a world before, and they are being deleted";
    report.left_out("objects", all - listed.len(), why);
    let examined = examine(&world.objects, rows).await?;
    report.objects += examined.objects - examined.damaged.len();
    for object in examined.damaged {
        let rows: Vec<_> = object.rows.iter().map(NamedObject::to_string).collect();
        let reason = format!("{} (named by {})", object.reason, rows.join("; "));
        report.problem(object.key, reason);
    }
    for (row, reason) in examined.contradictions {
        report.problem(row.to_string(), reason);
    }
    let mut passed_over = 0;
    for (log, checked) in logs {
        let prefix = log.prefix();
        let of_log = listed.iter().filter(|object| object.key.starts_with(prefix));
        match checked {
            Some(checked) => {
                let files: Vec<_> =
                    checked.files().iter().map(|file| format!("{prefix}{file}")).collect();
                report.objects += files.len();
                known.extend(files);
            }
            None => {
                let all: Vec<_> = of_log.map(|object| object.key.clone()).collect();
                passed_over += all.len();
                known.extend(all);
            }
        }
    }
    report.left_out("objects of logs", passed_over, "their log cannot be relied on");
    let unreferenced: Vec<_> =
        listed.into_iter().filter(|object| !known.contains(&object.key)).collect();
    if !at_rest {
        let why = "no row names them, or not yet: jobs of this world are under way";
        report.left_out("objects", unreferenced.len(), why);
        return Ok(());
    }
    for object in unreferenced {
        report.problem(object.key, "unreferenced: no row names it, and it is in no log");
    }
    Ok(())
}

/// Objects whose rows are gone: those that history no longer keeps, and those of a world before.
async fn to_delete(world: &Collector) -> Result<BTreeSet<String>> {
    let mut conn = world.pool.acquire().await?;
    let mut keys: BTreeSet<String> = obsolete_objects::keys(&mut conn).await?.into_iter().collect();
    keys.extend(waiting(&mut conn, i64::MAX).await?);
    Ok(keys)
}

/// The rows that name objects, and whether no job is under way that may add to either.
async fn rows(world: &Collector) -> Result<(Vec<NamedObject>, bool)> {
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    let mut tx = world.pool.begin_with(begin).await?;
    let record = the_world(&mut tx).await?;
    let open = ledger::unfinished(&mut tx).await?;
    let named = named(&mut tx).await?;
    tx.rollback().await?;
    Ok((named, record.released == record.materialized && open.is_empty()))
}
