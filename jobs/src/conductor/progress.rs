//! The progress that a conductor reports while it runs.
use crate::job::Stage;
use crate::registry;
use sim::time::SimTime;
use std::time::Duration;
use store::queue::Queue;

/// How far a conductor is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// What it is doing.
    pub state: ConductorState,
    /// The simulated instant up to which facts are released.
    pub now: SimTime,
    /// The simulated instant up to which every job is done.
    pub materialized_through: SimTime,
    /// The number of facts released.
    pub facts: u64,
    /// Jobs released and not done.
    pub jobs_in_flight: usize,
    /// Jobs done since this conductor began.
    pub jobs_done: u64,
    /// The window that is being made, if it takes a while.
    pub window: Option<WindowProgress>,
    /// Objects of worlds that were replaced, still to be deleted.
    pub obsolete_objects: u64,
    /// Where the wall time went. Phases overlap: the sum can exceed the time that passed.
    pub phase_times: PhaseTimes,
    /// Why a defect holds the clock.
    pub held: Option<String>,
}

impl Default for Progress {
    fn default() -> Self {
        Progress {
            state: ConductorState::Standby,
            now: SimTime(0),
            materialized_through: SimTime(0),
            facts: 0,
            jobs_in_flight: 0,
            jobs_done: 0,
            window: None,
            obsolete_objects: 0,
            phase_times: PhaseTimes::default(),
            held: None,
        }
    }
}

/// How far a window is before it is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowProgress {
    /// The simulated instant that the kernel has reached.
    pub now: SimTime,
    /// The facts so far.
    pub facts: usize,
    /// While it is released: the rows that are written, and how many there will be.
    pub written: Option<(usize, usize)>,
}

/// What a conductor is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConductorState {
    /// Another one leads; this one would take over.
    Standby,
    /// Making the world again from its record.
    Replaying,
    /// Conducting.
    Leading,
}

/// Where the wall time of a window goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The kernel makes facts.
    Kernel,
    /// The release transaction.
    Release,
    /// The jobs of a queue.
    Jobs(Queue),
    /// The rows that the window ends.
    Finalize,
    /// The places in the logs, and their tiles.
    Log,
    /// The seal, and the tasks that are over.
    Seal,
}

impl Phase {
    /// All phases, in the order of a window.
    pub fn all() -> impl Iterator<Item = Phase> {
        let jobs = |stage| registry::of_stage(stage).map(|kind| Phase::Jobs(kind.queue));
        [Phase::Kernel, Phase::Release]
            .into_iter()
            .chain(jobs(Stage::Build))
            .chain(jobs(Stage::Scan))
            .chain([Phase::Finalize, Phase::Log])
            .chain(jobs(Stage::Bundle))
            .chain(jobs(Stage::Evaluate))
            .chain([Phase::Seal])
    }

    /// The name in summaries.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Kernel => "kernel",
            Phase::Release => "release",
            Phase::Jobs(queue) => queue.as_str(),
            Phase::Finalize => "finalize",
            Phase::Log => "log",
            Phase::Seal => "seal",
        }
    }
}

/// Wall time by phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseTimes([Duration; 5 + Queue::OF_WORLD.len()]);

impl PhaseTimes {
    /// The wall time of a phase.
    pub fn of(&self, phase: Phase) -> Duration {
        self.0[Self::place(phase)]
    }

    pub(super) fn add(&mut self, phase: Phase, spent: Duration) {
        self.0[Self::place(phase)] += spent;
    }

    fn place(phase: Phase) -> usize {
        match phase {
            Phase::Kernel => 0,
            Phase::Release => 1,
            Phase::Finalize => 2,
            Phase::Log => 3,
            Phase::Seal => 4,
            Phase::Jobs(queue) => 5 + queue as usize,
        }
    }
}
