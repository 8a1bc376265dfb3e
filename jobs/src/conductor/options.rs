//! What a conductor is given, and why it stops.
use crate::keys::Keyring;
use crate::queue::RescueTimeouts;
use crate::queue::signals::Signals;
use sim::time::{SimDuration, SimTime};
use sqlx::PgPool;
use std::sync::Arc;
use store::objects::ObjectStore;

/// Options of a conductor.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Run as fast as the workers to this instant and stop there, whatever the clock says.
    pub stop_at: Option<SimTime>,
    /// Stop when a defect holds the clock, instead of waiting until it is fixed.
    pub stop_when_held: bool,
    /// How far releases may run ahead of the work.
    pub bounds: Bounds,
    /// When the rescuer takes a delivery for lost.
    pub rescue_timeouts: RescueTimeouts,
    /// How long a world that is made now keeps history if its scenario does not say; none: for ever.
    pub keep: Option<SimDuration>,
}

/// How far releases may run ahead of the work, in what is released and not sealed.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Jobs.
    pub jobs: usize,
    /// Windows, in fast time.
    pub windows: usize,
    /// Facts, which are kept in memory.
    pub facts: usize,
    /// Builds (or as much other work) after which a window in fast time ends.
    pub window_jobs: usize,
    /// Rows after which a window ends, with the instant that is reached then. One instant is never
    /// divided, however much happens in it.
    pub window_rows: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { jobs: 2_000, windows: 4, facts: 200_000, window_jobs: 256, window_rows: 20_000 }
    }
}

/// Why a conductor stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The instant of [`Options::stop_at`] is reached and every job up to it is done.
    ReachedEnd,
    /// It was asked to.
    Shutdown,
    /// A defect holds the clock ([`Options::stop_when_held`]).
    Held {
        /// The defect.
        reason: String,
    },
}

/// What a conductor works with.
#[derive(Clone, Debug)]
pub struct Resources {
    /// The database; it should commit with [`store::db::Durability::Full`].
    pub pool: PgPool,
    /// The object store, for the tiles of the logs.
    pub objects: ObjectStore,
    /// The keys that logs are signed with.
    pub keys: Arc<Keyring>,
    /// What this process's workers and conductor tell each other.
    pub signals: Arc<Signals>,
}

/// Why a term of leadership ended.
pub(super) enum Ending {
    /// The conductor stops.
    Stop(Stop),
    /// Another world is to replace this one.
    Replace,
}
