//! The retention of the world that is conducted: when it is due, and its runs.
//!
//! It is the one stage that nothing overlaps. A window ends at its instant, every window is sealed
//! before it runs, and none is released until its objects are gone too: so it sees the world exactly
//! as of its instant, no job can name again what it is about to delete, and what it removes is the
//! same for any number of workers and after any crash.
use super::error::ConductorError;
use sim::time::{SimDuration, SimTime};
use sqlx::PgPool;
use store::objects::ObjectStore;
use store::retention::{self, Schedule, objects as expired};

/// Objects that are deleted before that is written down.
const BATCH: i64 = 1_000;

/// The runs of a world's retention.
#[derive(Debug)]
pub(super) struct Retention {
    pool: PgPool,
    objects: ObjectStore,
    term: i64,
    schedule: Schedule,
    next: SimTime,
}

impl Retention {
    /// That of a world that begins at `starts_at`, keeps history for `keep`, and has come to `now`.
    /// What an earlier conductor left half done is finished first.
    pub(super) async fn resume(
        pool: PgPool,
        objects: ObjectStore,
        term: i64,
        starts_at: SimTime,
        keep: SimDuration,
        now: SimTime,
    ) -> Result<Self, ConductorError> {
        let schedule = Schedule::new(starts_at, keep);
        let last = retention::last_run(&mut *pool.acquire().await?).await?;
        let next = match last {
            Some(last) if last >= now => schedule.next_after(last),
            _ => schedule.next(now),
        };
        let retention = Retention { pool, objects, term, schedule, next };
        retention.delete_objects().await?;
        Ok(retention)
    }

    /// The instant of the next run, which no window goes beyond.
    pub(super) fn next(&self) -> SimTime {
        self.next
    }

    /// Runs; all windows must be sealed.
    pub(super) async fn run(&mut self) -> Result<(), ConductorError> {
        let (at, keep) = (self.next, self.schedule.keep());
        let mut tx = self.pool.begin().await?;
        let run = retention::run(&mut tx, self.term, at, keep).await?;
        tx.commit().await?;
        self.delete_objects().await?;
        let (rows, objects, bytes) = (run.removed_rows, run.objects, run.document_bytes);
        let history_from = run.history_from;
        tracing::info!(%at, %history_from, rows, objects, bytes, "removed what is too old");
        self.next = self.schedule.next_after(at);
        Ok(())
    }

    async fn delete_objects(&self) -> Result<(), ConductorError> {
        loop {
            let mut conn = self.pool.acquire().await?;
            let keys = expired::waiting(&mut conn, BATCH).await?;
            if keys.is_empty() {
                expired::all_deleted(&mut conn).await?;
                return Ok(());
            }
            drop(conn);
            self.objects.delete_all(&keys).await?;
            expired::deleted(&mut *self.pool.acquire().await?, &keys).await?;
        }
    }
}
