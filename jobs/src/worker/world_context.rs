//! What jobs work with, by world: keys and caches of one that was replaced are of no use to the next.
use crate::job::JobContext;
use sqlx::PgPool;
use std::sync::{Arc, Mutex, PoisonError};

/// The context of the world there is, as far as this process has heard of it.
pub(crate) struct WorldContext(Mutex<(i64, JobContext)>);

impl WorldContext {
    pub(crate) fn new(ctx: JobContext) -> Self {
        WorldContext(Mutex::new((0, ctx)))
    }

    /// The context for jobs of that world; a new one when it is not the one of before.
    pub(crate) fn of(&self, generation: i64) -> JobContext {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 != generation {
            let ctx = &current.1;
            let keys = Arc::new(ctx.keys.renewed());
            *current = (generation, JobContext { caches: Arc::default(), keys, ..ctx.clone() });
        }
        current.1.clone()
    }

    /// The database.
    pub(crate) fn pool(&self) -> PgPool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.pool.clone()
    }
}
