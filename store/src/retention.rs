//! Retention: how a world that runs for ever stays small.
//!
//! A run stands at a simulated instant that follows from the world's start and from how long it keeps
//! history, and happens when every job up to there is done and none after it has begun. So what it
//! removes is a function of the world, never of workers or of the wall clock. Only what has ended
//! before the horizon is removed, and of that nothing that a later job, evaluation or replay could
//! still look at ([`doomed`]). Leaves of the logs stay ([`leaves`]); objects go after their rows
//! ([`objects`]).
mod doomed;
pub mod leaves;
pub mod objects;

use crate::db::instant;
use crate::error::Error;
use crate::world;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sim::time::{DAY_MS, SimDuration, SimTime};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use std::collections::BTreeMap;

/// The longest time between two runs.
const LONGEST_PAUSE_DAYS: i64 = 7;

/// When the retention of a world runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    starts_at: SimTime,
    keep: SimDuration,
}

impl Schedule {
    /// That of a world that begins then and keeps history for so long.
    pub fn new(starts_at: SimTime, keep: SimDuration) -> Self {
        Schedule { starts_at, keep }
    }

    /// How long history is kept, at least.
    pub fn keep(self) -> SimDuration {
        self.keep
    }

    /// From one run to the next: a quarter of what is kept, in whole days, at least one and at most
    /// seven.
    pub fn every(self) -> SimDuration {
        let days = (self.keep.0 / (4 * DAY_MS)).clamp(1, LONGEST_PAUSE_DAYS);
        SimDuration(days * DAY_MS)
    }

    /// The first run at or after an instant: at a midnight (UTC), and not before there is anything
    /// older than what is kept.
    pub fn next(self, from: SimTime) -> SimTime {
        let every = self.every().0;
        let origin = self.starts_at.0.div_euclid(DAY_MS) * DAY_MS;
        let from = from.0.max(self.starts_at.0 + self.keep.0 + 1);
        let runs = (from - origin + every - 1).div_euclid(every);
        SimTime(origin + runs * every)
    }

    /// The first run after an instant.
    pub fn next_after(self, at: SimTime) -> SimTime {
        self.next(SimTime(at.0 + 1))
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Run {
    /// The simulated instant at which it stands.
    pub at: DateTime<Utc>,
    /// From here on history is whole.
    pub history_from: DateTime<Utc>,
    /// How many rows were removed, by table.
    pub removed: Json<BTreeMap<String, i64>>,
    /// How many rows in all.
    pub removed_rows: i64,
    /// How many objects.
    pub objects: i64,
    /// How many bytes the documents had of which rows told the size, before they were compressed.
    pub document_bytes: i64,
    /// When the objects were gone too.
    pub done_wall: Option<DateTime<Utc>>,
}

/// The newest runs, the latest first.
pub async fn runs(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<Run>> {
    sqlx::query_as("SELECT * FROM retention_runs ORDER BY at DESC LIMIT $1")
        .bind(limit)
        .fetch_all(conn)
        .await
}

/// The instant of the last run.
pub async fn last_run(conn: &mut PgConnection) -> sqlx::Result<Option<SimTime>> {
    let at: Option<DateTime<Utc>> =
        sqlx::query_scalar("SELECT max(at) FROM retention_runs").fetch_one(conn).await?;
    Ok(at.map(SimTime::from_datetime))
}

/// From when on history is whole; none: nothing was removed yet.
pub async fn history_from(conn: &mut PgConnection) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar("SELECT history_from FROM retention_runs ORDER BY at DESC LIMIT 1")
        .fetch_optional(conn)
        .await
}

/// How many rows were removed, by table.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Removed(BTreeMap<&'static str, u64>);

impl Removed {
    pub(crate) fn add(&mut self, table: &'static str, rows: u64) {
        *self.0.entry(table).or_default() += rows;
    }

    fn rows(&self) -> u64 {
        self.0.values().sum()
    }
}

/// Removes, in the term of this conductor, the rows of what ended before the horizon of the run at
/// `at`, and notes which objects are to follow. Every job up to `at` must be done, and none after it
/// begun.
///
/// # Errors
/// Another conductor has taken over, or Postgres failed; nothing is removed then.
pub async fn run(
    conn: &mut PgConnection,
    term: i64,
    at: SimTime,
    keep: SimDuration,
) -> Result<Run, Error> {
    world::assert_term(conn, term).await?;
    let horizon = horizon(conn, at, keep).await?;
    let mut removed = Removed::default();
    // What is published is known: all windows are sealed.
    sqlx::query("UPDATE logs SET published_size = size").execute(&mut *conn).await?;
    doomed::select(conn, horizon).await?;
    let tiles = leaves::expire(conn, horizon).await?;
    doomed::delete(conn, horizon, &mut removed).await?;
    let documents = objects::expire_documents(conn, at).await?;
    objects::expire_tiles(conn, at, &tiles).await?;
    objects::forget(conn, horizon).await?;
    doomed::drop_selection(conn).await?;
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let objects = documents.objects + count(tiles.len() as u64);
    Ok(sqlx::query_as(
        "INSERT INTO retention_runs (at, history_from, removed, removed_rows, objects,
             document_bytes)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING *",
    )
    .bind(instant(at)?)
    .bind(horizon)
    .bind(Json(&removed))
    .bind(count(removed.rows()))
    .bind(objects)
    .bind(documents.bytes)
    .fetch_one(conn)
    .await?)
}

/// What ended up to here may go: older than what is kept, and seen by an SLA evaluation long enough
/// ago that everything was decided that is decided a day later. Never earlier than the run before.
async fn horizon(
    conn: &mut PgConnection,
    at: SimTime,
    keep: SimDuration,
) -> Result<DateTime<Utc>, Error> {
    Ok(sqlx::query_scalar(
        "SELECT greatest(w.starts_at, (SELECT max(history_from) FROM retention_runs),
                         least($1 - $2 * interval '1 millisecond',
                               coalesce(c.at - interval '1 day', w.starts_at)))
         FROM world w
         LEFT JOIN LATERAL (SELECT t.at FROM timeline t WHERE t.kind = 'sla_checked' AND t.at <= $1
                            ORDER BY t.at DESC LIMIT 1) c ON true",
    )
    .bind(instant(at)?)
    .bind(keep.0)
    .fetch_one(conn)
    .await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(days: i64) -> SimDuration {
        SimDuration(days * DAY_MS)
    }

    #[test]
    fn runs_stand_at_midnights_that_follow_from_the_world_alone() {
        let noon = SimTime(10 * DAY_MS + DAY_MS / 2);
        let schedule = Schedule::new(noon, days(2));
        assert_eq!(schedule.every(), days(1));
        // The first midnight with something older than two days.
        let first = SimTime(13 * DAY_MS);
        assert_eq!(schedule.next(noon), first);
        assert_eq!(schedule.next(first), first);
        assert_eq!(schedule.next_after(first), SimTime(14 * DAY_MS));
        assert_eq!(schedule.next(SimTime(20 * DAY_MS + 1)), SimTime(21 * DAY_MS));
        let midnight = Schedule::new(SimTime(10 * DAY_MS), days(2));
        assert_eq!(midnight.next(SimTime(0)), first, "nothing is older than two days before");
        assert_eq!(Schedule::new(noon, days(28)).every(), days(7));
        assert_eq!(Schedule::new(noon, days(365)).every(), days(7));
        assert_eq!(Schedule::new(noon, days(9)).every(), days(2));
    }
}
