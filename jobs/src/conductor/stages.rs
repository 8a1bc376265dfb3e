//! The stages that released windows go through: builds, then scans and finalizing, then the logs and
//! the bundles, then SLA evaluations, notifications and the seal.
//!
//! Each stage is a task of its own and takes windows in order, so one window is built while the
//! one before is scanned. That is allowed because whatever a job reads it reads as of its own
//! instants. A stage that finds several windows waiting joins them.
use super::error::ConductorError;
use super::finalize::finalize;
use super::in_flight::InFlight;
use super::log::Logs;
use super::progress::Phase;
use super::window::Window;
use crate::job::Stage;
use crate::queue::signals::Signals;
use crate::queue::{deliver, forget};
use crate::registry;
use documents::world_keys::WorldKeys;
use sim::catalogue::Catalogue;
use sqlx::PgPool;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use store::objects::ObjectStore;
use store::queue::Queue;
use store::{ledger, world};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

/// What every stage needs.
pub(super) struct Stages {
    pub(super) pool: PgPool,
    pub(super) objects: ObjectStore,
    pub(super) keys: Arc<WorldKeys>,
    pub(super) signals: Arc<Signals>,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) in_flight: Arc<InFlight>,
    pub(super) term: i64,
}

impl Stages {
    /// Starts the stages; windows go in at the returned end. How much is in them is bounded by
    /// whoever releases.
    pub(super) fn start(
        self: Arc<Self>,
        tasks: &mut JoinSet<Result<(), ConductorError>>,
    ) -> UnboundedSender<Window> {
        let (to_build, builds) = unbounded_channel();
        let (to_scan, scans) = unbounded_channel();
        let (to_log, logs) = unbounded_channel();
        let (to_check, checks) = unbounded_channel();
        tasks.spawn(self.clone().builds(builds, to_scan));
        tasks.spawn(self.clone().scans(scans, to_log));
        tasks.spawn(self.clone().logs(logs, to_check));
        tasks.spawn(self.checks(checks));
        to_build
    }

    async fn builds(
        self: Arc<Self>,
        mut windows: UnboundedReceiver<Window>,
        next: UnboundedSender<Window>,
    ) -> Result<(), ConductorError> {
        while let Some(window) = next_window(&mut windows).await {
            self.run_stage(&window, Stage::Build).await?;
            if next.send(window).is_err() {
                break;
            }
        }
        Ok(())
    }

    async fn scans(
        self: Arc<Self>,
        mut windows: UnboundedReceiver<Window>,
        next: UnboundedSender<Window>,
    ) -> Result<(), ConductorError> {
        while let Some(window) = next_window(&mut windows).await {
            self.run_stage(&window, Stage::Scan).await?;
            let began = Instant::now();
            finalize(&self.pool, self.term, &self.catalogue, &window).await?;
            self.in_flight.spent(Phase::Finalize, began);
            if next.send(window).is_err() {
                break;
            }
        }
        Ok(())
    }

    async fn logs(
        self: Arc<Self>,
        mut windows: UnboundedReceiver<Window>,
        next: UnboundedSender<Window>,
    ) -> Result<(), ConductorError> {
        let (pool, objects) = (self.pool.clone(), self.objects.clone());
        let mut logs = Logs::load(pool, objects, self.keys.clone(), self.term).await?;
        while let Some(window) = next_window(&mut windows).await {
            let began = Instant::now();
            logs.append(window.to.seq).await?;
            let spent = || self.in_flight.spent(Phase::Log, began);
            // The bundles need the places in the log, not its tiles.
            let (published, bundled) = tokio::join!(
                async {
                    let published = logs.publish().await;
                    spent();
                    published
                },
                self.run_stage(&window, Stage::Bundle)
            );
            published?;
            bundled?;
            if next.send(window).is_err() {
                break;
            }
        }
        Ok(())
    }

    async fn checks(
        self: Arc<Self>,
        mut windows: UnboundedReceiver<Window>,
    ) -> Result<(), ConductorError> {
        while let Some(window) = next_window(&mut windows).await {
            self.run_stage(&window, Stage::Evaluate).await?;
            let began = Instant::now();
            self.seal(&window).await?;
            self.in_flight.spent(Phase::Seal, began);
            self.in_flight.sealed(&window);
        }
        Ok(())
    }

    async fn seal(&self, window: &Window) -> Result<(), ConductorError> {
        let ids: Vec<i64> = window.jobs.iter().map(|job| job.id).collect();
        let mut tx = self.pool.begin().await?;
        // What a crash loses here is sealed again.
        store::db::relax_commit(&mut tx).await?;
        if !ids.is_empty() {
            forget(&mut tx, &ids).await?;
        }
        world::seal(&mut tx, self.term, window.to).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Runs the jobs of a stage, kind by kind.
    async fn run_stage(&self, window: &Window, stage: Stage) -> Result<(), ConductorError> {
        for kind in registry::of_stage(stage) {
            for ids in window.groups(kind) {
                let began = Instant::now();
                self.run_group(kind.queue, &ids).await?;
                self.in_flight.spent(Phase::Jobs(kind.queue), began);
            }
        }
        Ok(())
    }

    /// Delivers jobs and waits until the ledger has them all done. The rescuer
    /// delivers again what fails or is lost on the way; a dead job holds this up until an operator
    /// retries or discards it.
    async fn run_group(&self, queue: Queue, ids: &[i64]) -> Result<(), ConductorError> {
        let expected = self.signals.expect(ids);
        let mut tx = self.pool.begin().await?;
        store::db::relax_commit(&mut tx).await?;
        world::assert_term(&mut tx, self.term).await?;
        deliver(&mut tx, queue, ids).await?;
        tx.commit().await?;
        self.signals.wake(queue);
        let began = Instant::now();
        let mut done = 0;
        let mut tell_done = |now: usize| {
            self.in_flight.done(now.saturating_sub(done));
            done = done.max(now);
        };
        loop {
            let poll_delay = self.poll_delay(began.elapsed());
            tokio::select! {
                () = expected.changed() => {}
                () = tokio::time::sleep(poll_delay) => {}
            }
            if expected.all_done() {
                tell_done(ids.len());
                return Ok(());
            }
            let mut conn = self.pool.acquire().await?;
            let left = ledger::count_unfinished(&mut conn, ids).await?;
            let unfinished = usize::try_from(left.owed + left.dead).unwrap_or(ids.len());
            tell_done(ids.len().saturating_sub(unfinished));
            if unfinished == 0 {
                return Ok(());
            }
        }
    }

    /// When to ask the ledger. Workers of this process tell when they are done; for those of
    /// others a few milliseconds, growing with the time that the phase takes anyway.
    fn poll_delay(&self, waited: Duration) -> Duration {
        let (least, most) = if self.signals.workers().load(Ordering::Acquire) > 0 {
            (Duration::from_millis(25), Duration::from_millis(250))
        } else {
            (Duration::from_millis(2), Duration::from_millis(25))
        };
        (waited / 8).clamp(least, most)
    }
}

/// The next window, joined with all that wait behind it.
async fn next_window(windows: &mut UnboundedReceiver<Window>) -> Option<Window> {
    let mut window = windows.recv().await?;
    while let Ok(next) = windows.try_recv() {
        window.join(next);
    }
    Some(window)
}
