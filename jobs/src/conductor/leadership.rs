//! Leader election: one conductor leads at a time, by an advisory lock on a connection of its own.
//! The others stand by and take over when that connection ends. A term number in the world's row
//! fences off a conductor that has lost the leadership without noticing.
use super::error::ConductorError;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, PgPool};
use std::time::Duration;
use store::locks;
use store::world;
use tokio_util::sync::CancellationToken;

/// How often a standby tries.
const STANDBY: Duration = Duration::from_millis(250);
/// How often the leader checks its connection.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Held by the leading conductor.
pub(super) struct Leadership {
    conn: PgConnection,
    pub(super) term: i64,
}

impl Leadership {
    /// Waits for the leadership; `None` when `shutdown` comes first.
    pub(super) async fn wait(
        pool: &PgPool,
        shutdown: &CancellationToken,
    ) -> Result<Option<Leadership>, ConductorError> {
        let waiting = async {
            // A machine that vanishes leaves the lock to a dead connection: let the server notice.
            let options = pool.connect_options().as_ref().clone().options([
                ("tcp_keepalives_idle", "5"),
                ("tcp_keepalives_interval", "2"),
                ("tcp_keepalives_count", "3"),
            ]);
            let mut conn = PgConnection::connect_with(&options).await?;
            while !locks::try_lock_session(&mut conn, locks::LEADERSHIP).await? {
                tokio::time::sleep(STANDBY).await;
            }
            let term = world::begin_term(&mut conn).await?;
            Ok(Leadership { conn, term })
        };
        shutdown.run_until_cancelled(waiting).await.transpose()
    }

    /// Returns when the leadership is lost, with the reason.
    pub(super) async fn lost(&mut self) -> ConductorError {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            let heartbeat = store::db::ping(&mut self.conn);
            match tokio::time::timeout(10 * HEARTBEAT, heartbeat).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return error.into(),
                Err(_) => return sqlx::Error::PoolTimedOut.into(),
            }
        }
    }

    /// Gives the leadership up.
    pub(super) async fn resign(self) {
        if let Err(error) = self.conn.close().await {
            tracing::debug!(%error, "the leader's connection did not close");
        }
    }
}
