//! Deletes the objects of worlds that were replaced, in batches, while the world there is runs.
//!
//! What is to be deleted stands in a table, and a batch leaves it only when it is gone: whoever leads
//! next goes on. What the new world writes meanwhile is spared (`store::obsolete_objects`).
use super::error::ConductorError;
use super::in_flight::InFlight;
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;
use store::objects::ObjectStore;
use store::{obsolete_objects, world, world_loads};

/// How long to wait after a failure, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(60);

/// What is left of worlds before.
pub(super) struct Obsolete {
    pub(super) pool: PgPool,
    pub(super) objects: ObjectStore,
    pub(super) in_flight: Arc<InFlight>,
    pub(super) term: i64,
}

impl Obsolete {
    /// Deletes all of it. A failure is no reason to stop the world: it is tried again.
    pub(super) async fn delete(self) -> Result<(), ConductorError> {
        let mut pause = FIRST_PAUSE;
        let mut told = false;
        loop {
            match self.next(&mut told).await {
                Ok(true) => return Ok(()),
                Ok(false) => pause = FIRST_PAUSE,
                Err(error) => {
                    tracing::warn!(%error, "cannot delete objects of a world before; trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LAST_PAUSE);
                }
            }
        }
    }

    /// Deletes a batch; whether nothing is left.
    async fn next(&self, told: &mut bool) -> Result<bool, ConductorError> {
        let mut tx = self.pool.begin().await?;
        world::assert_term(&mut tx, self.term).await?;
        let left = obsolete_objects::count(&mut tx).await?;
        if left > 0 && !*told {
            tracing::info!(objects = left, "deleting the objects of a world before");
        }
        if left == 0 && *told {
            tracing::info!("deleted the objects of the world before");
        }
        *told |= left > 0;
        self.in_flight.report(|progress| progress.obsolete_objects = left);
        if left == 0 {
            world_loads::objects_deleted(&mut tx).await?;
            tx.commit().await?;
            return Ok(true);
        }
        let keys = obsolete_objects::take(&mut tx).await?;
        tx.commit().await?;
        self.objects.delete_all(&keys).await?;
        obsolete_objects::removed(&mut *self.pool.acquire().await?, &keys).await?;
        Ok(false)
    }
}
