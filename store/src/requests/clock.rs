//! A request to set the clock.
use super::{Refusal, position};
use crate::instants::text;
use crate::read::world::Position;
use crate::world::{Clock, Mode, clock, set_clock};
use chrono::{DateTime, Utc};
use sim::time::SimTime;
use sqlx::PgConnection;

/// How simulated time should go on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockUpdate {
    /// How simulated time should go on.
    pub mode: Mode,
    /// Simulated seconds in a second, when live; none: as it is.
    pub factor: Option<f64>,
    /// Where the mode should end.
    pub run_until: Option<DateTime<Utc>>,
    /// What should follow there; none: paused.
    pub after_run: Option<Mode>,
}

/// Sets the clock, and answers with it and where the world stands.
///
/// # Errors
/// There is no world, or the parts of the update contradict each other.
pub async fn request(
    conn: &mut PgConnection,
    wanted: &ClockUpdate,
) -> Result<(Clock, Position), Refusal> {
    let position = position(conn).await?;
    check(wanted, &position)?;
    let mut now = clock(conn).await?;
    now.mode = wanted.mode;
    now.factor = wanted.factor.unwrap_or(now.factor);
    now.run_until = wanted.run_until.map(SimTime::from_datetime);
    now.then_mode = wanted.after_run.unwrap_or(Mode::Paused);
    set_clock(conn, &now).await?;
    Ok((now, position))
}

fn check(wanted: &ClockUpdate, position: &Position) -> Result<(), Refusal> {
    let contradiction = |detail: String| Err(Refusal::Contradiction(detail));
    match wanted.run_until {
        Some(_) if wanted.mode == Mode::Paused => {
            contradiction("A paused clock cannot run until an instant.".to_owned())
        }
        Some(until) if until <= position.released_through => contradiction(format!(
            "`run_until` must be later than {}; it is {}.",
            text(position.released_through),
            text(until)
        )),
        None if wanted.after_run.is_some() => {
            contradiction("`then` says what follows `run_until`, which is missing.".to_owned())
        }
        _ => Ok(()),
    }
}
