//! The lead: one conductor at a time, by an advisory lock on a connection of its own. Others stand
//! by and take over when the connection of the one that leads ends. A term number in the world's
//! row makes sure that one which has lost the lead without noticing writes nothing any more.
use super::error::ConductorError;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, PgPool};
use std::time::Duration;
use store::read::world::CONDUCTOR_LOCK as LOCK;
use store::world;
use tokio_util::sync::CancellationToken;

/// How often one that stands by tries.
const STANDBY: Duration = Duration::from_millis(250);
/// How often the one that leads looks after its connection.
const PULSE: Duration = Duration::from_secs(1);

/// Held by the conductor that leads.
pub(super) struct Leadership {
    conn: PgConnection,
    pub(super) term: i64,
}

impl Leadership {
    /// Waits for the lead; `None` when `shutdown` comes first.
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
            while !try_lock(&mut conn).await? {
                tokio::time::sleep(STANDBY).await;
            }
            let term = world::begin_term(&mut conn).await?;
            Ok(Leadership { conn, term })
        };
        shutdown.run_until_cancelled(waiting).await.transpose()
    }

    /// Returns when the lead is lost, with the reason.
    pub(super) async fn lost(&mut self) -> ConductorError {
        loop {
            tokio::time::sleep(PULSE).await;
            let pulse = sqlx::query("SELECT 1").execute(&mut self.conn);
            match tokio::time::timeout(10 * PULSE, pulse).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return error.into(),
                Err(_) => return sqlx::Error::PoolTimedOut.into(),
            }
        }
    }

    /// Gives the lead up.
    pub(super) async fn resign(self) {
        if let Err(error) = self.conn.close().await {
            tracing::debug!(%error, "the lead's connection did not close");
        }
    }
}

async fn try_lock(conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK).fetch_one(conn).await
}
