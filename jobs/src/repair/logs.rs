//! The tiles and checkpoints of the two logs, written again where they are not what the rows give.
use super::Repair;
use crate::conductor::log::{LogObjects, objects_of};
use crate::error::JobError;
use crate::job::JobContext;
use anyhow::Context;
use sqlx::{Connection, PgConnection};
use store::locks;
use store::logs::Log;
use store::objects::named::MAX_OBJECT_BYTES;

/// Compares every object of both logs with its rows, byte for byte.
pub(super) async fn repair(ctx: &JobContext, repair: &mut Repair) -> Result<(), JobError> {
    let mut lock = PgConnection::connect_with(&ctx.pool.connect_options()).await?;
    if locks::try_lock_session(&mut lock, locks::LEADERSHIP).await? {
        let done = repair_alone(ctx, repair).await;
        lock.close().await?;
        return done;
    }
    repair.notes.push(
        "the tiles and checkpoints of the logs were not looked at: a conductor leads this world \
         and writes them; hint: stop it and repair again if `wavetank verify` misses some"
            .to_owned(),
    );
    Ok(lock.close().await?)
}

/// The same while no conductor leads.
async fn repair_alone(ctx: &JobContext, repair: &mut Repair) -> Result<(), JobError> {
    let mut conn = ctx.pool.acquire().await?;
    let keys = ctx.keys.get(&mut conn).await?;
    for log in Log::ALL {
        let LogObjects { objects, unmade } = match objects_of(&mut conn, log, &keys).await {
            Ok(objects) => objects,
            Err(error) => {
                repair.notes.push(format!("the {} log: {error}", log.as_str()));
                continue;
            }
        };
        if unmade > 0 {
            repair.notes.push(format!(
                "the {} log: {unmade} bundles of entries were not looked at, for some of their \
                 entries are no longer kept",
                log.as_str()
            ));
        }
        repair.objects += objects.len();
        for object in objects {
            match ctx.objects.get(&object.key, MAX_OBJECT_BYTES).await {
                Ok(found) if found == object.bytes => continue,
                Err(error) if !error.is_damage() => return Err(error.into()),
                Ok(_) | Err(_) => {}
            }
            let key = object.key.clone();
            ctx.objects.put_all(vec![object]).await.context("writing a log again")?;
            repair.made.push(key);
        }
    }
    Ok(())
}
