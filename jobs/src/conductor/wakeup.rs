//! What a conductor listens to: commands that wait, and changes of the clock.
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::{commands, world};
use tokio::sync::Notify;

/// Whether somebody called since the last look. A lost call costs half a second: the driver
/// looks by itself that often.
#[derive(Debug, Default)]
pub(super) struct Wakeup {
    called: AtomicBool,
    notify: Notify,
}

impl Wakeup {
    /// Whether somebody called; forgets it.
    pub(super) fn take(&self) -> bool {
        self.called.swap(false, Ordering::AcqRel)
    }

    /// Waits for a call, at most for `limit`.
    pub(super) async fn wait(&self, limit: Duration) {
        let called = async {
            while !self.called.load(Ordering::Acquire) {
                self.notify.notified().await;
            }
        };
        let _ = tokio::time::timeout(limit, called).await;
    }

    fn call(&self) {
        self.called.store(true, Ordering::Release);
        self.notify.notify_one();
    }

    /// Listens for ever.
    pub(super) async fn listen(&self, pool: &PgPool) {
        loop {
            if let Err(error) = self.hear(pool).await {
                tracing::debug!(%error, "lost the connection that listens for commands");
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn hear(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen_all([commands::CHANNEL, world::CLOCK_CHANNEL]).await?;
        // What was said before we listened.
        self.call();
        loop {
            listener.recv().await?;
            self.call();
        }
    }
}
