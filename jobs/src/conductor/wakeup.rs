//! Wakes the driver when a command waits or the clock was changed.
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::{commands, world};
use tokio::sync::Notify;

/// Whether there was a notification since the last poll. A lost one costs half a second: the driver
/// polls that often anyway.
#[derive(Debug, Default)]
pub(super) struct Wakeup {
    pending: AtomicBool,
    notify: Notify,
}

impl Wakeup {
    /// Whether there was a notification; resets it.
    pub(super) fn take(&self) -> bool {
        self.pending.swap(false, Ordering::AcqRel)
    }

    /// Waits for a notification, at most for `limit`.
    pub(super) async fn wait(&self, limit: Duration) {
        let notified = async {
            while !self.pending.load(Ordering::Acquire) {
                self.notify.notified().await;
            }
        };
        let _ = tokio::time::timeout(limit, notified).await;
    }

    fn wake(&self) {
        self.pending.store(true, Ordering::Release);
        self.notify.notify_one();
    }

    /// Listens until it is dropped.
    pub(super) async fn listen(&self, pool: &PgPool) {
        loop {
            if let Err(error) = self.listen_once(pool).await {
                tracing::debug!(%error, "lost the connection that listens for commands");
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn listen_once(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen_all([commands::CHANNEL, world::CLOCK_CHANNEL]).await?;
        // Notifications sent before we listened.
        self.wake();
        loop {
            listener.recv().await?;
            self.wake();
        }
    }
}
