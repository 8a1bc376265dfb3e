//! The driver: the only one that advances the world. It reads what is wanted (commands, the clock),
//! lets the kernel produce the next window, releases it, and hands it to the stages.
use super::draft::{Draft, Limits};
use super::error::ConductorError;
use super::fingerprint::Fingerprint;
use super::in_flight::InFlight;
use super::live_clock::LiveClock;
use super::options::{Bounds, Ending, Options, Stop};
use super::progress::Phase;
use super::release::{Release, release};
use super::retention::Retention;
use super::wakeup::Wakeup;
use super::window::Window;
use crate::plan::PlannedJob;
use crate::registry;
use sim::fact::{Fact, FactKind};
use sim::ids::{BuildId, ImageId};
use sim::time::SimTime;
use sim::world::World;
use sqlx::PgPool;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::commands::{self, CommandOutcome, StoredCommand};
use store::world::{self, Clock, Mode, Position};
use store::world_loads;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, field};

/// How often the clock and the commands are read without a notification.
const POLL: Duration = Duration::from_millis(500);
/// A live world moves its released instant at least this often.
const LIVE_TICK: Duration = Duration::from_secs(1);
/// Live windows are at least this far apart, unless a command waits.
const LIVE_GAP: Duration = Duration::from_millis(10);

pub(super) struct Driver {
    pub(super) pool: PgPool,
    pub(super) term: i64,
    pub(super) options: Options,
    pub(super) shutdown: CancellationToken,
    pub(super) in_flight: Arc<InFlight>,
    pub(super) wakeup: Arc<Wakeup>,
    pub(super) stages: UnboundedSender<Window>,
    pub(super) world: World,
    pub(super) fingerprint: Fingerprint,
    pub(super) released: Position,
    pub(super) last_command: u64,
    pub(super) live_clock: LiveClock,
    pub(super) last_window: Instant,
    pub(super) last_poll: Option<Instant>,
    pub(super) retention: Option<Retention>,
}

/// What to do next.
enum Step {
    /// A window in live or standing time: up to the instant, then the commands.
    To(SimTime),
    /// A window as large as is worth it, at most to the instant: the commands, then time.
    Fast(Option<SimTime>),
    /// Nothing for so long, unless notified.
    Sleep(Duration),
    /// Nothing until a window is sealed, unless notified.
    Drain,
    /// The retention runs: its instant has come and all work is done.
    Retain,
    /// The clock's target is reached and all work is done.
    Reached(SimTime),
    /// The conductor stops.
    Stop(Stop),
}

impl Driver {
    /// Runs until there is a reason to stop.
    pub(super) async fn run(mut self) -> Result<Ending, ConductorError> {
        let mut clock = None;
        let mut waiting = Vec::new();
        loop {
            if self.shutdown.is_cancelled() {
                return Ok(Ending::Stop(Stop::Shutdown));
            }
            if self.wakeup.take() || self.last_poll.is_none_or(|at| at.elapsed() > POLL) {
                let mut conn = self.pool.acquire().await?;
                clock = Some(world::clock(&mut conn).await?);
                waiting = commands::waiting(&mut conn, self.last_command).await?;
                let follows_clock = self.options.stop_at.is_none();
                if follows_clock && world_loads::in_progress(&mut conn).await?.is_some() {
                    return Ok(Ending::Replace);
                }
                self.last_poll = Some(Instant::now());
            }
            let Some(now_clock) = &clock else { continue };
            self.report_hold(now_clock);
            match self.step(now_clock, !waiting.is_empty()) {
                Step::To(until) => {
                    let commands = std::mem::take(&mut waiting);
                    self.window(commands, |draft, world, limits| {
                        draft.advance(world, until, limits);
                    })
                    .await?;
                }
                Step::Fast(limit) => {
                    let commands = std::mem::take(&mut waiting);
                    self.window(commands, |draft, world, limits| {
                        draft.advance_fast(world, limit, limits);
                    })
                    .await?;
                }
                Step::Sleep(limit) => self.rest(self.wakeup.wait(limit)).await,
                Step::Drain => self.drain().await,
                Step::Retain => {
                    if let Some(retention) = &mut self.retention {
                        retention.run().await?;
                    }
                }
                Step::Reached(at) => {
                    let mut conn = self.pool.acquire().await?;
                    world::reached(&mut conn, at).await?;
                    self.last_poll = None;
                }
                Step::Stop(stop) => return Ok(Ending::Stop(stop)),
            }
        }
    }

    async fn rest(&self, wait: impl Future<Output = ()>) {
        self.shutdown.run_until_cancelled(wait).await;
    }

    async fn drain(&self) {
        let mut seals = self.in_flight.watch();
        let wait = async {
            tokio::select! {
                _ = seals.changed() => {}
                () = self.wakeup.wait(POLL) => {}
            }
        };
        self.rest(wait).await;
    }

    fn report_hold(&self, clock: &Clock) {
        let held = &clock.held_reason;
        self.in_flight.report(|progress| {
            if progress.held != *held {
                progress.held.clone_from(held);
            }
        });
    }

    /// Decides what to do next; `commands_wait`: so it does not rest.
    fn step(&mut self, clock: &Clock, commands_wait: bool) -> Step {
        let now = self.world.now();
        let state = self.in_flight.state();
        if let Some(reason) = &clock.held_reason {
            self.live_clock.stop();
            if self.options.stop_when_held {
                return Step::Stop(Stop::Held { reason: reason.clone() });
            }
            return Step::Sleep(POLL);
        }
        let retention = self.retention.as_ref().map(Retention::next);
        if retention.is_some_and(|at| now >= at) {
            self.live_clock.stop();
            return if state.windows > 0 { Step::Drain } else { Step::Retain };
        }
        let limit = self.options.stop_at.or(clock.run_until);
        if let Some(limit) = limit
            && now >= limit
            && !commands_wait
        {
            self.live_clock.stop();
            return match self.options.stop_at {
                _ if state.windows > 0 => Step::Drain,
                Some(_) => Step::Stop(Stop::ReachedEnd),
                None => Step::Reached(limit),
            };
        }
        let limit = limit.into_iter().chain(retention).min();
        let mode = if self.options.stop_at.is_some() { Mode::Fast } else { clock.mode };
        if mode != Mode::Live {
            self.live_clock.stop();
        }
        let bound = &self.options.bounds;
        let full = state.jobs >= bound.jobs || state.facts >= bound.facts;
        match mode {
            Mode::Paused if commands_wait => Step::To(now),
            Mode::Paused => Step::Sleep(POLL),
            Mode::Fast if !commands_wait && (full || state.windows >= bound.windows) => Step::Drain,
            Mode::Fast => Step::Fast(limit),
            Mode::Live if !commands_wait && full => Step::Drain,
            Mode::Live => self.live(clock.factor, limit, commands_wait),
        }
    }

    fn live(&mut self, factor: f64, limit: Option<SimTime>, commands_wait: bool) -> Step {
        let (now, wall) = (self.world.now(), Instant::now());
        let target = self.live_clock.target(now, wall, factor);
        let target = limit.map_or(target, |limit| target.min(limit));
        let rest = self.last_window.elapsed();
        let next = self.world.next_event().unwrap_or(SimTime::MAX);
        let due = next <= target || rest >= LIVE_TICK || limit == Some(target);
        if commands_wait || (due && rest >= LIVE_GAP) {
            return Step::To(target);
        }
        let next = limit.map_or(next, |limit| next.min(limit));
        let wait = self.live_clock.wait_for(next, wall).min(LIVE_TICK.saturating_sub(rest));
        // A timer has a resolution of a millisecond: to wait for less is to spin.
        Step::Sleep(wait.max(LIVE_GAP.saturating_sub(rest)).max(Duration::from_millis(1)))
    }

    /// Produces and releases one window: `time` advances the world, and the commands are submitted
    /// after that (in live time) or before (in fast time, which has no instant of its own). A
    /// shutdown on the way leaves it unreleased: then nothing has happened.
    async fn window(
        &mut self,
        commands: Vec<StoredCommand>,
        time: impl FnOnce(&mut Draft, &mut World, &Limits<'_>),
    ) -> Result<(), ConductorError> {
        let began = Instant::now();
        let from = self.released.at;
        // From here to the end of the function; in simulated time, from `from` on.
        let span = tracing::info_span!(
            "window",
            from_simulated_ms = from.0,
            to_simulated_ms = field::Empty,
            facts = field::Empty,
            jobs = field::Empty
        );
        let mut draft = Draft::default();
        let fast = self.live_clock.is_stopped();
        let mut outcomes = Vec::new();
        if fast {
            outcomes = self.submit(commands, &mut draft.facts);
            self.pass(&mut draft, time);
        } else {
            self.pass(&mut draft, time);
            outcomes.extend(self.submit(commands, &mut draft.facts));
        }
        if self.shutdown.is_cancelled() {
            return Ok(());
        }
        let facts = draft.facts;
        for fact in &facts {
            let seq = fact.seq;
            self.fingerprint.add(fact).map_err(|source| ConductorError::Encode { seq, source })?;
        }
        let jobs = registry::plan(&facts)?;
        self.in_flight.spent(Phase::Kernel, began);
        let began = Instant::now();
        let to = Position { at: self.world.now(), seq: self.world.seq() };
        let false_positives: Vec<_> = self.world.false_positives(&facts).into_iter().collect();
        let what = Release {
            catalogue: self.world.catalogue(),
            owned: &build_owners(&self.world, &facts),
            false_positives: &false_positives,
            facts: &facts,
            jobs: &jobs,
            outcomes: &outcomes,
            to,
            fingerprint: &self.fingerprint.to_hex(),
        };
        span.record("to_simulated_ms", to.at.0);
        span.record("facts", facts.len());
        span.record("jobs", jobs.len());
        let released = release(&self.pool, self.term, &what, &self.in_flight);
        let released = self.shutdown.run_until_cancelled(released.instrument(span.clone()));
        // Its transaction is rolled back, between two of its statements.
        let Some(released) = released.await else { return Ok(()) };
        released?;
        self.in_flight.spent(Phase::Release, began);
        self.released = to;
        self.last_window = Instant::now();
        let jobs: Vec<PlannedJob> = jobs.iter().map(PlannedJob::from).collect();
        let window = Window { from, to, facts, size: jobs.len(), jobs, windows: 1 };
        self.in_flight.released(&window);
        // A stage that ended has its own error, which ends us too.
        let _ = self.stages.send(window);
        Ok(())
    }

    /// Lets time pass, as far as the bounds allow.
    fn pass(&mut self, draft: &mut Draft, time: impl FnOnce(&mut Draft, &mut World, &Limits<'_>)) {
        let Bounds { window_rows: rows, window_jobs: jobs, .. } = self.options.bounds;
        let limits = Limits { rows, jobs, shutdown: &self.shutdown, in_flight: &self.in_flight };
        time(draft, &mut self.world, &limits);
    }

    /// Submits commands at the world's instant. Replay does the same: what is due at an instant
    /// happens before the next command of that instant, and after the last one.
    fn submit(
        &mut self,
        commands: Vec<StoredCommand>,
        facts: &mut Vec<Fact>,
    ) -> Vec<CommandOutcome> {
        let at = self.world.now();
        let mut outcomes = Vec::with_capacity(commands.len());
        for stored in commands {
            self.world.advance(at, &mut |fact| facts.push(fact));
            let result = self.world.submit(&stored.command, &mut |fact| facts.push(fact));
            let rejected = result.err().map(|error| error.to_string());
            self.last_command = self.last_command.max(stored.seq);
            outcomes.push(CommandOutcome { seq: stored.seq, at, rejected });
        }
        if !outcomes.is_empty() {
            self.world.advance(at, &mut |fact| facts.push(fact));
        }
        outcomes
    }
}

/// The images of the builds in these facts, where customers own them. A build of the window
/// ended in it, was merged as it was asked for, or is still known to the kernel.
fn build_owners(world: &World, facts: &[Fact]) -> BTreeMap<BuildId, ImageId> {
    let mut owned = BTreeMap::new();
    if world.catalogue().images.iter().all(|image| image.owner.is_none()) {
        return owned;
    }
    for fact in facts {
        let (build, image) = match &fact.kind {
            FactKind::BuildRequested { build, image, .. } => (*build, Some(*image)),
            FactKind::BuildFinished(result) => (result.build, Some(result.image)),
            FactKind::BuildStarted { build, .. } | FactKind::BuildFlaked { build, .. } => {
                (*build, world.image_of(*build))
            }
            _ => continue,
        };
        owned.extend(image.map(|image| (build, image)));
    }
    owned
}
