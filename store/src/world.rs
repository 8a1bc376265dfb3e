//! The world's one row (what it is made from, how far it is) and its clock.
use crate::db::instant;
use crate::error::Error;
use crate::row::number;
use chrono::{DateTime, Utc};
use sim::KERNEL_VERSION;
use sim::time::{SimDuration, SimTime};
use sqlx::PgConnection;

/// The channel that tells a conductor that the clock has changed.
pub const CLOCK_CHANNEL: &str = "wavetank_clock";

/// What a world is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The scenario's name.
    pub name: String,
    /// The scenario file, byte for byte.
    pub scenario: String,
    /// Its SHA-256, in hexadecimal.
    pub scenario_sha256: String,
    /// The seed.
    pub seed: u64,
    /// The version of the kernel that makes the facts.
    pub kernel_version: String,
    /// The first instant.
    pub starts_at: SimTime,
    /// The end of the scenario.
    pub ends_at: SimTime,
    /// The public key that its documents are signed with, PEM.
    pub signer_key: String,
    /// As whose packages scanners see those of the world: the name of a distribution.
    pub distribution: String,
}

/// A place in the order of facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The simulated instant.
    pub at: SimTime,
    /// The last fact up to there.
    pub seq: u64,
}

/// The world as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// What it is made from.
    pub origin: Origin,
    /// Up to here facts are stored and jobs are in the ledger.
    pub released: Position,
    /// The hash over all facts up to there.
    pub fingerprint: String,
    /// Up to here every job is done.
    pub materialized: Position,
    /// The load that made it; 0 when it was there from the start.
    pub generation: i64,
    /// How long history is kept; none: for ever.
    pub keep: Option<SimDuration>,
}

/// Writes the world's row and a paused clock. `keep`: how long history is kept; none: for ever.
pub async fn create(
    conn: &mut PgConnection,
    origin: &Origin,
    fingerprint: &str,
    keep: Option<SimDuration>,
) -> Result<(), Error> {
    let starts_at = instant(origin.starts_at)?;
    sqlx::query(
        "INSERT INTO world (name, scenario, scenario_sha256, seed, kernel_version, starts_at,
             ends_at, released_through, released_seq, released_fingerprint,
             materialized_through, materialized_seq, signer_key, keep_ms, distribution)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $6, 0, $8, $6, 0, $9, $10, $11)",
    )
    .bind(&origin.name)
    .bind(&origin.scenario)
    .bind(&origin.scenario_sha256)
    .bind(origin.seed.cast_signed())
    .bind(&origin.kernel_version)
    .bind(starts_at)
    .bind(instant(origin.ends_at)?)
    .bind(fingerprint)
    .bind(&origin.signer_key)
    .bind(keep.map(|keep| keep.0))
    .bind(&origin.distribution)
    .execute(&mut *conn)
    .await?;
    sqlx::query("INSERT INTO clock (mode, factor) VALUES ('paused', 3600)").execute(conn).await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    scenario: String,
    scenario_sha256: String,
    seed: i64,
    kernel_version: String,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    released_through: DateTime<Utc>,
    released_seq: i64,
    released_fingerprint: String,
    materialized_through: DateTime<Utc>,
    materialized_seq: i64,
    signer_key: String,
    generation: i64,
    keep_ms: Option<i64>,
    distribution: String,
}

impl Row {
    fn into_world(self) -> Result<World, Error> {
        Ok(World {
            origin: Origin {
                name: self.name,
                scenario: self.scenario,
                scenario_sha256: self.scenario_sha256,
                seed: self.seed.cast_unsigned(),
                kernel_version: self.kernel_version,
                starts_at: SimTime::from_datetime(self.starts_at),
                ends_at: SimTime::from_datetime(self.ends_at),
                signer_key: self.signer_key,
                distribution: self.distribution,
            },
            released: Position {
                at: SimTime::from_datetime(self.released_through),
                seq: number("world.released_seq", self.released_seq)?,
            },
            fingerprint: self.released_fingerprint,
            materialized: Position {
                at: SimTime::from_datetime(self.materialized_through),
                seq: number("world.materialized_seq", self.materialized_seq)?,
            },
            generation: self.generation,
            keep: self.keep_ms.map(SimDuration),
        })
    }
}

/// The world, if the database has one.
pub async fn find(conn: &mut PgConnection) -> Result<Option<World>, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT name, scenario, scenario_sha256, seed, kernel_version, starts_at, ends_at,
                released_through, released_seq, released_fingerprint, materialized_through,
                materialized_seq, signer_key, generation, keep_ms, distribution
         FROM world",
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::into_world).transpose()
}

/// The world.
///
/// # Errors
/// The database has none.
pub async fn get(conn: &mut PgConnection) -> Result<World, Error> {
    find(conn).await?.ok_or(Error::NoWorld)
}

/// Whether this program's kernel made the world. Only then can the world go on, for another one
/// would tell another story; reading it needs no kernel.
///
/// # Errors
/// [`Error::KernelMismatch`].
pub fn check_kernel(kernel_version: &str) -> Result<(), Error> {
    if kernel_version == KERNEL_VERSION {
        return Ok(());
    }
    Err(Error::KernelMismatch { stored: kernel_version.to_owned(), ours: KERNEL_VERSION })
}

/// The same for the world in the database, if it has one.
///
/// # Errors
/// [`Error::KernelMismatch`], or Postgres failed.
pub async fn assert_kernel(conn: &mut PgConnection) -> Result<(), Error> {
    let stored: Option<String> =
        sqlx::query_scalar("SELECT kernel_version FROM world").fetch_optional(conn).await?;
    stored.as_deref().map_or(Ok(()), check_kernel)
}

/// Which world this is, as tasks and caches tell it; 0 when there is none.
pub async fn generation(conn: &mut PgConnection) -> Result<i64, Error> {
    let query = sqlx::query_scalar("SELECT coalesce((SELECT generation FROM world), 0)");
    Ok(query.fetch_one(conn).await?)
}

/// Begins the term of a conductor and returns its number; conductors of earlier terms can write
/// nothing any more.
pub async fn begin_term(conn: &mut PgConnection) -> Result<i64, Error> {
    sqlx::query_scalar("UPDATE world SET term = term + 1 RETURNING term")
        .fetch_optional(conn)
        .await?
        .ok_or(Error::NoWorld)
}

/// Makes sure that this conductor still leads, to the end of the transaction.
///
/// # Errors
/// [`Error::Superseded`] when another has taken over.
pub async fn assert_term(conn: &mut PgConnection, term: i64) -> Result<(), Error> {
    let ours: Option<bool> =
        sqlx::query_scalar("SELECT true FROM world WHERE term = $1 FOR NO KEY UPDATE")
            .bind(term)
            .fetch_optional(conn)
            .await?;
    ours.map(|_| ()).ok_or(Error::Superseded)
}

/// Moves the released position.
pub async fn release(
    conn: &mut PgConnection,
    term: i64,
    to: Position,
    fingerprint: &str,
) -> Result<(), Error> {
    let moved = sqlx::query(
        "UPDATE world SET released_through = $2, released_seq = $3, released_fingerprint = $4
         WHERE term = $1",
    )
    .bind(term)
    .bind(instant(to.at)?)
    .bind(to.seq as i64)
    .bind(fingerprint)
    .execute(conn)
    .await?;
    if moved.rows_affected() == 1 { Ok(()) } else { Err(Error::Superseded) }
}

/// Moves the materialized position.
pub async fn seal(conn: &mut PgConnection, term: i64, to: Position) -> Result<(), Error> {
    let moved = sqlx::query(
        "UPDATE world SET materialized_through = $2, materialized_seq = $3 WHERE term = $1",
    )
    .bind(term)
    .bind(instant(to.at)?)
    .bind(to.seq as i64)
    .execute(conn)
    .await?;
    if moved.rows_affected() == 1 { Ok(()) } else { Err(Error::Superseded) }
}

/// The mode of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Time stands still; commands are taken.
    Paused,
    /// Time follows the wall clock.
    Live,
    /// Time goes as fast as the workers.
    Fast,
}

impl Mode {
    /// The name in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Paused => "paused",
            Mode::Live => "live",
            Mode::Fast => "fast",
        }
    }

    /// The mode with that name in a column.
    ///
    /// # Errors
    /// There is none.
    pub fn parse(column: &'static str, name: &str) -> Result<Self, Error> {
        let all = [Mode::Paused, Mode::Live, Mode::Fast];
        let known = all.into_iter().find(|mode| mode.as_str() == name);
        known.ok_or_else(|| Error::unknown(column, name))
    }
}

/// The clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Clock {
    /// Its mode.
    pub mode: Mode,
    /// Simulated over wall time, in live mode.
    pub factor: f64,
    /// The instant at which the mode changes to `then_mode`.
    pub run_until: Option<SimTime>,
    /// The mode after that.
    pub then_mode: Mode,
    /// Why a defect holds it.
    pub held_reason: Option<String>,
}

/// The clock.
pub async fn clock(conn: &mut PgConnection) -> Result<Clock, Error> {
    type Row = (String, f64, Option<DateTime<Utc>>, String, Option<String>);
    let row: Option<Row> =
        sqlx::query_as("SELECT mode, factor, run_until, then_mode, held_reason FROM clock")
            .fetch_optional(conn)
            .await?;
    let (mode, factor, run_until, then_mode, held_reason) = row.ok_or(Error::NoWorld)?;
    Ok(Clock {
        mode: Mode::parse("clock.mode", &mode)?,
        factor,
        run_until: run_until.map(SimTime::from_datetime),
        then_mode: Mode::parse("clock.then_mode", &then_mode)?,
        held_reason,
    })
}

/// Sets the clock and wakes the conductor. If a defect holds the clock, it stays held.
///
/// # Errors
/// [`Error::KernelMismatch`] when the world cannot go on, or Postgres failed.
pub async fn set_clock(conn: &mut PgConnection, clock: &Clock) -> Result<(), Error> {
    assert_kernel(conn).await?;
    sqlx::query(
        "UPDATE clock SET mode = $1, factor = $2, run_until = $3, then_mode = $4,
                changed_wall = now()",
    )
    .bind(clock.mode.as_str())
    .bind(clock.factor)
    .bind(clock.run_until.map(instant).transpose()?)
    .bind(clock.then_mode.as_str())
    .execute(&mut *conn)
    .await?;
    notify_clock(conn).await
}

/// Changes the mode once `run_until` is reached, unless somebody has set another instant since.
pub async fn reached(conn: &mut PgConnection, run_until: SimTime) -> Result<(), Error> {
    sqlx::query(
        "UPDATE clock SET mode = then_mode, run_until = NULL, changed_wall = now()
         WHERE run_until = $1",
    )
    .bind(instant(run_until)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// Holds the clock because of a defect; the first reason stays.
pub async fn hold(conn: &mut PgConnection, reason: &str) -> Result<(), Error> {
    sqlx::query(
        "UPDATE clock SET held_reason = $1, changed_wall = now() WHERE held_reason IS NULL",
    )
    .bind(reason)
    .execute(&mut *conn)
    .await?;
    notify_clock(conn).await
}

/// Releases the clock when the dead letter is empty.
pub async fn release_hold(conn: &mut PgConnection) -> Result<(), Error> {
    sqlx::query(
        "UPDATE clock SET held_reason = NULL, changed_wall = now()
         WHERE held_reason IS NOT NULL
           AND NOT EXISTS (SELECT FROM ledger WHERE state = 'dead')",
    )
    .execute(&mut *conn)
    .await?;
    notify_clock(conn).await
}

async fn notify_clock(conn: &mut PgConnection) -> Result<(), Error> {
    sqlx::query("SELECT pg_notify($1, '')").bind(CLOCK_CHANNEL).execute(conn).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_mode_does_not_pause_the_world_silently() {
        assert_eq!(Mode::parse("clock.mode", "live").unwrap(), Mode::Live);
        let error = Mode::parse("clock.mode", "slow").unwrap_err().to_string();
        assert!(error.contains("clock.mode") && error.contains("slow"), "{error}");
    }
}
