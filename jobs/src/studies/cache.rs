//! Studies made ready, kept by a process while it plays their batches: to read a study's scenarios and
//! check them takes longer than many a batch.
use super::compile_stored;
use lru::LruCache;
use sim::KERNEL_VERSION;
use sqlx::PgConnection;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use store::studies::running;
use study::arms::Compiled;
use tokio::sync::OnceCell;

/// As many as the director has running at the same time.
const KEPT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(super::director::MOST_RUNNING - 1);

/// A study made ready, or why it cannot be.
pub(super) type Ready = Result<Arc<Compiled>, String>;

/// The latest studies.
pub(super) struct ReadyStudies(Mutex<LruCache<i64, Arc<OnceCell<Ready>>>>);

impl ReadyStudies {
    pub(super) fn new() -> Self {
        ReadyStudies(Mutex::new(LruCache::new(KEPT)))
    }

    /// A study made ready; none when it does not run any more. Whoever asks for the same one meanwhile
    /// waits for it.
    ///
    /// # Errors
    /// Postgres failed.
    pub(super) async fn get(
        &self,
        conn: &mut PgConnection,
        study: i64,
    ) -> sqlx::Result<Option<Ready>> {
        let cell = {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(kept.get_or_insert(study, Arc::default))
        };
        if let Some(ready) = cell.get() {
            return Ok(Some(ready.clone()));
        }
        let Some(text) = running::text(conn, study, KERNEL_VERSION).await? else { return Ok(None) };
        let made = cell.get_or_init(|| async move {
            let made = tokio::task::spawn_blocking(move || compile_stored(&text));
            let made = made.await.unwrap_or_else(|error| Err(error.to_string()));
            made.map(Arc::new)
        });
        Ok(Some(made.await.clone()))
    }
}
