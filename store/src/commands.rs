//! Commands: requests to the world from outside, in the order in which they are applied.
use crate::catalogue::SHARED_NAMESPACE;
use crate::db::instant;
use crate::error::Error;
use crate::locks;
use crate::row::number;
use crate::world;
use sim::command::Command;
use sim::time::SimTime;
use sqlx::PgConnection;

/// The channel that tells a conductor that commands wait.
pub const CHANNEL: &str = "wavetank_commands";

/// Orders this transaction after all others that submit. What depends on the order (the ordinal
/// of a new image) is read after this.
pub async fn lock(conn: &mut PgConnection) -> Result<(), Error> {
    Ok(locks::lock(conn, locks::COMMANDS).await?)
}

/// Stores a command under the next sequence number, which it returns, and wakes the conductor
/// when the transaction commits. Sequence numbers have no gaps: the lock is held until then.
///
/// # Errors
/// [`Error::KernelMismatch`] when the world cannot go on, or Postgres failed.
pub async fn submit(
    conn: &mut PgConnection,
    make: impl FnOnce(u64) -> Command,
) -> Result<u64, Error> {
    submit_for(conn, SHARED_NAMESPACE, make).await
}

/// The same for a command that is about a tenant, by its namespace.
///
/// # Errors
/// [`Error::KernelMismatch`] when the world cannot go on, or Postgres failed.
pub async fn submit_for(
    conn: &mut PgConnection,
    tenant_namespace: &str,
    make: impl FnOnce(u64) -> Command,
) -> Result<u64, Error> {
    lock(conn).await?;
    let (seq, kernel): (i64, Option<String>) =
        sqlx::query_as("SELECT next_command_seq(), (SELECT kernel_version FROM world)")
            .fetch_one(&mut *conn)
            .await?;
    kernel.as_deref().map_or(Ok(()), world::check_kernel)?;
    let number = number("commands.seq", seq)?;
    let command = make(number);
    sqlx::query("INSERT INTO commands (seq, command, tenant_namespace) VALUES ($1, $2, $3)")
        .bind(seq)
        .bind(sqlx::types::Json(&command))
        .bind(tenant_namespace)
        .execute(&mut *conn)
        .await?;
    sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(conn).await?;
    Ok(number)
}

/// A stored command.
#[derive(Clone, Debug)]
pub struct StoredCommand {
    /// Its place in the order.
    pub seq: u64,
    /// What was asked.
    pub command: Command,
    /// When the world took it; none: it waits.
    pub applied_at: Option<SimTime>,
}

type Row = (i64, sqlx::types::Json<Command>, Option<chrono::DateTime<chrono::Utc>>);

fn stored((seq, command, applied_at): Row) -> Result<StoredCommand, Error> {
    Ok(StoredCommand {
        seq: number("commands.seq", seq)?,
        command: command.0,
        applied_at: applied_at.map(SimTime::from_datetime),
    })
}

/// The commands that wait, after `last`, in order.
pub async fn waiting(conn: &mut PgConnection, last: u64) -> Result<Vec<StoredCommand>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT seq, command, applied_at FROM commands
         WHERE applied_at IS NULL AND seq > $1 ORDER BY seq",
    )
    .bind(last as i64)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(stored).collect()
}

/// The commands that the world took, in order: with scenario and seed, its record.
pub async fn applied(conn: &mut PgConnection) -> Result<Vec<StoredCommand>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT seq, command, applied_at FROM commands
         WHERE applied_at IS NOT NULL AND rejected IS NULL ORDER BY seq",
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(stored).collect()
}

/// What the kernel did with a command.
#[derive(Clone, Debug)]
pub struct CommandOutcome {
    /// The command.
    pub seq: u64,
    /// When it was submitted.
    pub at: SimTime,
    /// Why it was refused, if it was.
    pub rejected: Option<String>,
}

/// Records when commands were applied and which were rejected; a build requested by a rejected one
/// has failed.
pub async fn record_outcomes(
    conn: &mut PgConnection,
    outcomes: &[CommandOutcome],
) -> Result<(), Error> {
    if outcomes.is_empty() {
        return Ok(());
    }
    let ats = outcomes.iter().map(|a| instant(a.at)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "UPDATE commands SET applied_at = new.at, rejected = new.rejected
         FROM unnest($1::bigint[], $2::timestamptz[], $3::text[]) AS new (seq, at, rejected)
         WHERE commands.seq = new.seq",
    )
    .bind(outcomes.iter().map(|a| a.seq as i64).collect::<Vec<_>>())
    .bind(ats)
    .bind(outcomes.iter().map(|a| a.rejected.as_deref()).collect::<Vec<_>>())
    .execute(&mut *conn)
    .await?;
    let refused: Vec<_> = outcomes.iter().filter(|a| a.rejected.is_some()).collect();
    if refused.is_empty() {
        return Ok(());
    }
    let ats = refused.iter().map(|a| instant(a.at)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "UPDATE build_events
         SET status = 'failed', requested_at = new.at, finished_at = new.at,
             failure = new.rejected
         FROM unnest($1::bigint[], $2::timestamptz[], $3::text[]) AS new (id, at, rejected)
         WHERE build_events.id = new.id",
    )
    .bind(refused.iter().map(|a| sim::ids::BuildId::of_command(a.seq).0 as i64).collect::<Vec<_>>())
    .bind(ats)
    .bind(refused.iter().map(|a| a.rejected.as_deref()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}
