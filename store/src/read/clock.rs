//! The clock as people set it.
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

/// The channel on which a changed clock is announced to the conductor.
pub const CHANNEL: &str = "wavetank_clock";

/// The row of the clock.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct ClockRow {
    /// `paused`, `live` or `fast`.
    pub mode: String,
    /// Simulated seconds in a second, when live.
    pub factor: f64,
    /// The instant at which the mode ends.
    pub run_until: Option<DateTime<Utc>>,
    /// The mode after that instant: `paused` or `live`.
    pub then_mode: String,
    /// Why a defect holds the clock, whatever its mode.
    pub held_reason: Option<String>,
    /// When somebody last changed it, in real time.
    pub changed_wall: Option<DateTime<Utc>>,
}

/// What somebody wants of the clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish<'a> {
    /// `paused`, `live` or `fast`.
    pub mode: &'a str,
    /// A new factor; none keeps the one that is set.
    pub factor: Option<f64>,
    /// The instant at which the mode ends.
    pub run_until: Option<DateTime<Utc>>,
    /// The mode after that instant.
    pub then_mode: &'a str,
}

/// The factor of a clock nobody has set: one simulated hour a second.
pub const DEFAULT_FACTOR: f64 = 3600.0;

/// The clock; none when nobody has set it yet.
pub async fn clock(conn: &mut PgConnection) -> sqlx::Result<Option<ClockRow>> {
    sqlx::query_as(
        "SELECT mode, factor, run_until, then_mode, held_reason, changed_wall FROM clock",
    )
    .fetch_optional(conn)
    .await
}

/// Sets the clock and tells the conductor, both when the transaction commits.
pub async fn set_clock(conn: &mut PgConnection, wish: &Wish<'_>) -> sqlx::Result<ClockRow> {
    let row = sqlx::query_as(
        "INSERT INTO clock (mode, factor, run_until, then_mode, changed_wall)
         VALUES ($1, coalesce($2, $5), $3, $4, now())
         ON CONFLICT (id) DO UPDATE SET
             mode = excluded.mode, factor = coalesce($2, clock.factor),
             run_until = excluded.run_until, then_mode = excluded.then_mode,
             changed_wall = excluded.changed_wall
         RETURNING mode, factor, run_until, then_mode, held_reason, changed_wall",
    )
    .bind(wish.mode)
    .bind(wish.factor)
    .bind(wish.run_until)
    .bind(wish.then_mode)
    .bind(DEFAULT_FACTOR)
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(conn).await?;
    Ok(row)
}
