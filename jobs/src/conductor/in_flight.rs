//! Work in flight: bounds how far releases run ahead of the jobs, and reports progress.
use super::progress::{Phase, Progress};
use super::window::Window;
use store::world::Position;
use tokio::sync::watch;

/// The state of the pipeline, shared by the driver and the stages.
#[derive(Debug)]
pub(super) struct InFlight {
    progress: watch::Sender<Progress>,
    changed: watch::Sender<State>,
}

/// Released and not yet sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) jobs: usize,
    pub(super) windows: usize,
    pub(super) facts: usize,
    pub(super) sealed: Position,
}

impl InFlight {
    pub(super) fn new(progress: watch::Sender<Progress>, sealed: Position) -> Self {
        let state = State { jobs: 0, windows: 0, facts: 0, sealed };
        InFlight { progress, changed: watch::Sender::new(state) }
    }

    pub(super) fn state(&self) -> State {
        *self.changed.borrow()
    }

    /// A subscription that sees every seal from now on.
    pub(super) fn watch(&self) -> watch::Receiver<State> {
        self.changed.subscribe()
    }

    pub(super) fn released(&self, window: &Window) {
        self.changed.send_modify(|state| {
            state.jobs += window.size;
            state.windows += 1;
            state.facts += window.facts.len();
        });
        self.progress.send_modify(|progress| {
            progress.now = window.to.at;
            progress.facts = window.to.seq;
            progress.jobs_in_flight += window.size;
            progress.window = None;
        });
    }

    pub(super) fn sealed(&self, window: &Window) {
        self.changed.send_modify(|state| {
            state.jobs -= window.size;
            state.windows -= window.windows;
            state.facts -= window.facts.len();
            state.sealed = window.to;
        });
        self.progress.send_modify(|progress| {
            progress.materialized_through = window.to.at;
        });
    }

    /// So many more jobs are done.
    pub(super) fn done(&self, jobs: usize) {
        if jobs > 0 {
            self.progress.send_modify(|progress| {
                progress.jobs_in_flight = progress.jobs_in_flight.saturating_sub(jobs);
                progress.jobs_done += jobs as u64;
            });
        }
    }

    /// Adds to the wall time of a phase, from `began` until now.
    pub(super) fn spent(&self, phase: Phase, began: std::time::Instant) {
        self.progress.send_modify(|progress| progress.phase_times.add(phase, began.elapsed()));
    }

    pub(super) fn report(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(change);
    }
}
