//! Connections, the schema, and the small conversions that every subject needs.
use crate::error::Error;
use chrono::{DateTime, Utc};
use sim::time::SimTime;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{Connection, PgPool};
use std::time::Duration;

/// Our schema; the queue's own lives beside it in the schema `apalis`.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// The oldest PostgreSQL we run on.
pub const OLDEST_POSTGRES: i32 = 14;

/// When a commit returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// When it is on disk: for releases and commands, which are the world's record.
    Full,
    /// Before it is on disk: for workers. A crash of the server may lose the last commits, but
    /// never part of one, and never one while keeping a later one. So a job's rows are lost only
    /// together with the ledger row that says they are there, and the job is done again.
    Relaxed,
}

/// How long a connection is trusted after it was checked.
const FRESH: Duration = Duration::from_millis(100);

/// How long the first connection may take.
const FIRST_CONNECTION: Duration = Duration::from_secs(15);

/// A pool of at most `size` connections.
///
/// # Errors
/// The server cannot be reached, or is too old.
pub async fn connect(
    options: PgConnectOptions,
    size: u32,
    durability: Durability,
) -> Result<PgPool, Error> {
    let session = session(options, durability);
    // A pool would try again until its timeout, and then say nothing of the cause.
    first_connection(&session).await?.close().await?;
    let pool = PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(Duration::from_secs(15))
        .connect_with(session)
        .await?;
    let version: i32 =
        sqlx::query_scalar("SELECT current_setting('server_version_num')::integer / 10000")
            .fetch_one(&pool)
            .await?;
    if version < OLDEST_POSTGRES {
        return Err(Error::TooOld { found: version, needed: OLDEST_POSTGRES });
    }
    Ok(pool)
}

/// A connection that says why there is none.
pub(crate) async fn first_connection(options: &PgConnectOptions) -> Result<PgConnection, Error> {
    let first = tokio::time::timeout(FIRST_CONNECTION, PgConnection::connect_with(options)).await;
    match first {
        Ok(Ok(first)) => Ok(first),
        Ok(Err(source)) => Err(Error::Unreachable { source }),
        Err(_) => Err(Error::Silent { seconds: FIRST_CONNECTION.as_secs() }),
    }
}

/// The API's connections. Those for tenants and those for the platform are apart: a session keeps
/// the plans of its statements, and makes them anew whenever the role has changed.
#[derive(Clone, Debug)]
pub struct ApiPools {
    /// For what a tenant asks.
    pub tenants: PgPool,
    /// For what the platform asks.
    pub platform: PgPool,
}

impl ApiPools {
    /// Both with at most `size` connections. They own nothing, and until a transaction says in
    /// whose name it reads, they see nothing of any tenant.
    ///
    /// # Errors
    /// Postgres refuses: the user may not take the API's roles, or the schema is not there yet.
    pub async fn connect(options: PgConnectOptions, size: u32) -> Result<Self, Error> {
        Ok(ApiPools {
            tenants: connect_api(tenant_session(options.clone()), size).await?,
            platform: connect_api(api_session(options), size).await?,
        })
    }

    /// Closes both.
    pub async fn close(&self) {
        self.tenants.close().await;
        self.platform.close().await;
    }
}

async fn connect_api(options: PgConnectOptions, size: u32) -> Result<PgPool, Error> {
    let pool = PgPoolOptions::new().max_connections(size).acquire_timeout(Duration::from_secs(15));
    // A connection is tried when it comes back, and when it is given out only if it lay idle since:
    // a server that is asked much need not be asked twice.
    let pool = pool.test_before_acquire(false).before_acquire(|connection, known| {
        Box::pin(async move {
            if known.idle_for > FRESH {
                connection.ping().await?;
            }
            Ok(true)
        })
    });
    Ok(pool.connect_with(options).await?)
}

/// The settings of the API's sessions for tenants. Row security lets the planner
/// expect next to nothing of any table, so it would gather all that a tenant ever had and sort it,
/// where an index has the first page in order.
pub fn tenant_session(options: PgConnectOptions) -> PgConnectOptions {
    api_session(options).options([("enable_bitmapscan", "off")])
}

/// The settings of the API's sessions.
pub fn api_session(options: PgConnectOptions) -> PgConnectOptions {
    session(options, Durability::Full).options([
        ("role", "wavetank_tenant"),
        ("statement_timeout", "25000"),
        // Planning a question with its joins takes longer than answering it (1-3 ms).
        ("plan_cache_mode", "force_generic_plan"),
    ])
}

/// How many more connections the server takes from ordinary users now.
///
/// # Errors
/// Postgres failed.
pub async fn free_connections(pool: &PgPool) -> Result<u32, Error> {
    let room: i64 = sqlx::query_scalar(
        "SELECT current_setting('max_connections')::bigint
              - current_setting('superuser_reserved_connections')::bigint - count(*)
         FROM pg_stat_activity WHERE backend_type = 'client backend'",
    )
    .fetch_one(pool)
    .await?;
    Ok(u32::try_from(room.max(0)).unwrap_or(u32::MAX))
}

/// The settings of every session. A client that dies with its machine leaves a transaction that
/// holds locks; the server ends it after two minutes, longer than any attempt of a job may take.
pub(crate) fn session(options: PgConnectOptions, durability: Durability) -> PgConnectOptions {
    let commit = if durability == Durability::Full { "on" } else { "off" };
    options.application_name("wavetank").options([
        ("idle_in_transaction_session_timeout", "120000"),
        ("synchronous_commit", commit),
        ("timezone", "UTC"),
        // A worker that is stopped drops what it is at. sqlx then rolls back even a transaction
        // whose COMMIT is on its way, and the server would warn that there is none any more.
        ("client_min_messages", "error"),
        // Small transactions only: the compiler costs more than it saves.
        ("jit", "off"),
    ])
}

/// Brings our schema up to date.
///
/// # Errors
/// A migration failed, or one that was applied has changed since.
pub async fn migrate(pool: &PgPool) -> Result<(), Error> {
    let mut conn = pool.acquire().await?;
    let migrated = MIGRATOR.run(&mut *conn).await;
    if migrated.is_err() {
        // sqlx keeps its advisory lock when it refuses: the lock ends with the session.
        conn.close().await?;
    }
    Ok(migrated?)
}

/// A simulated instant as Postgres takes it.
///
/// # Errors
/// The instant is far outside the years 1 to 9999.
pub fn instant(at: SimTime) -> Result<DateTime<Utc>, Error> {
    at.to_datetime().ok_or(Error::Instant(at))
}

/// Lets this transaction commit without waiting for the disk: what a crash of the machine loses of it
/// must be done again by whoever reads what is still owed.
pub async fn relax_commit(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("SET LOCAL synchronous_commit = off").execute(conn).await?;
    Ok(())
}

/// Asks the server for a sign of life.
pub async fn ping(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("SELECT 1").execute(conn).await?;
    Ok(())
}
