//! What a conductor tells about itself while it runs.
use sim::time::SimTime;
use std::time::Duration;

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
    /// Jobs released and not sealed.
    pub jobs_in_flight: usize,
    /// Jobs sealed since this conductor took the lead.
    pub jobs_done: u64,
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
            phase_times: PhaseTimes::default(),
            held: None,
        }
    }
}

/// What a conductor is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConductorState {
    /// Another one conducts; this one would take over.
    Standby,
    /// Making the world again from its record.
    Replaying,
    /// Conducting.
    Leading,
}

/// The phases of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The kernel makes facts.
    Kernel,
    /// The release transaction.
    Release,
    /// Build jobs.
    Build,
    /// Scan jobs.
    Scan,
    /// Closings.
    Finalize,
    /// The places in the logs, and their tiles.
    Log,
    /// Attest jobs.
    Attest,
    /// SLA evaluations.
    Sla,
    /// Notifications.
    Notify,
    /// The seal, and the tasks that are over.
    Seal,
}

impl Phase {
    /// All phases, in the order of a window.
    pub const ALL: [Phase; 10] = [
        Phase::Kernel,
        Phase::Release,
        Phase::Build,
        Phase::Scan,
        Phase::Finalize,
        Phase::Log,
        Phase::Attest,
        Phase::Sla,
        Phase::Notify,
        Phase::Seal,
    ];

    /// The name in summaries.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Kernel => "kernel",
            Phase::Release => "release",
            Phase::Build => "build",
            Phase::Scan => "scan",
            Phase::Finalize => "finalize",
            Phase::Log => "log",
            Phase::Attest => "attest",
            Phase::Sla => "sla",
            Phase::Notify => "notify",
            Phase::Seal => "seal",
        }
    }
}

/// Wall time by phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseTimes([Duration; Phase::ALL.len()]);

impl PhaseTimes {
    /// The wall time of a phase.
    pub fn of(&self, phase: Phase) -> Duration {
        self.0[phase as usize]
    }

    pub(super) fn add(&mut self, phase: Phase, spent: Duration) {
        self.0[phase as usize] += spent;
    }
}
