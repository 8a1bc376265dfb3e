//! Why a world cannot be conducted, and what to do about it.
use crate::queue::QueueError;
use sim::time::SimTime;
use store::objects::ObjectError;

/// A failure of the conductor.
#[derive(Debug, thiserror::Error)]
pub enum ConductorError {
    /// The database.
    #[error(transparent)]
    Store(#[from] store::error::Error),
    /// The queues.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The database holds a world of another scenario or seed.
    #[error(
        "this database holds another world: {what} is {stored} there and {asked} here. \
         hint: go on with that world's own scenario and seed, or use another database or \
         --data-dir (a world can always be made again from its scenario and seed)"
    )]
    WorldMismatch {
        /// What differs.
        what: &'static str,
        /// The stored world's.
        stored: String,
        /// What was asked for.
        asked: String,
    },
    /// Replay did not reproduce the record.
    #[error(
        "replaying the world's record up to {at} gave fact {found_seq} with fingerprint {found}, \
         and the record has fact {seq} with {stored}: the record was changed, or the kernel \
         without its version; nothing was changed now. hint: use the program that made the world"
    )]
    HistoryMismatch {
        /// The released instant.
        at: SimTime,
        /// The record's last fact.
        seq: u64,
        /// The record's fingerprint.
        stored: String,
        /// The last fact of the replay.
        found_seq: u64,
        /// The replay's fingerprint.
        found: String,
    },
    /// The object store, for the logs' tiles.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// A document that cannot be written.
    #[error(transparent)]
    Document(#[from] documents::Error),
    /// A log whose stored leaves are not those of its recorded root.
    #[error(
        "the {name} log was changed: its {found} stored leaves are not the {size} of its recorded \
         root; nothing was changed now. hint: `wavetank verify` names the place"
    )]
    LogMismatch {
        /// Which log.
        name: &'static str,
        /// The recorded size.
        size: u64,
        /// How many leaves there are.
        found: u64,
    },
    /// This process's keys are not the world's.
    #[error(transparent)]
    Keys(#[from] crate::error::JobError),
    /// A scenario that ends before it begins, or later than any instant.
    #[error("the scenario ends outside the years that a database can store")]
    Duration,
    /// A stored scenario that this program does not read.
    #[error("the scenario cannot be read: {0}")]
    Scenario(String),
    /// A fact that cannot be written, for the fingerprint.
    #[error("fact {seq} cannot be written as JSON")]
    Encode {
        /// The fact.
        seq: u64,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The jobs of a window cannot be planned.
    #[error(transparent)]
    Plan(#[from] crate::error::PlanError),
    /// The periodic work could not be started.
    #[error("the periodic work could not be started")]
    Scheduler(#[from] tokio_cron_scheduler::JobSchedulerError),
    /// A part of the conductor ended by a panic.
    #[error("a part of the conductor ended unexpectedly: {0}")]
    Ended(String),
}

impl From<sqlx::Error> for ConductorError {
    fn from(error: sqlx::Error) -> Self {
        ConductorError::Store(error.into())
    }
}

impl ConductorError {
    /// Whether another transaction was in the way, so that the same may do now.
    pub(super) fn is_deadlock(&self) -> bool {
        use store::error::Error;
        let ConductorError::Store(Error::Database(sqlx::Error::Database(error))) = self else {
            return false;
        };
        matches!(error.code().as_deref(), Some("40P01" | "40001"))
    }

    /// Whether leading anew may help: the connection was cut, or another conductor took over.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            ConductorError::Store(store::error::Error::Superseded)
            | ConductorError::Queue(QueueError::Store(store::error::Error::Superseded)) => true,
            ConductorError::Store(error) | ConductorError::Queue(QueueError::Store(error)) => {
                error.is_transient()
            }
            ConductorError::Queue(QueueError::Apalis(apalis_postgres::Error::Database(error))) => {
                store::error::is_transient(error)
            }
            ConductorError::Objects(error) => {
                matches!(error, ObjectError::Unreachable { .. } | ObjectError::Interrupted { .. })
            }
            _ => false,
        }
    }
}
