//! Why a job did not do its work, and why a window's jobs could not be planned.

/// Why a job did not do its work. The transaction it was given is rolled back.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// What came out is not what the kernel's fact says: a defect of ours. Never tried again;
    /// goes to the dead letter with both sides, and holds the clock.
    #[error("{what}: the kernel says {expected}, the work says {found}")]
    Mismatch {
        /// What was compared.
        what: String,
        /// The kernel's side.
        expected: String,
        /// The work's side.
        found: String,
    },
    /// Postgres, the object store or the machine failed; worth trying again.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<sqlx::Error> for JobError {
    fn from(error: sqlx::Error) -> Self {
        JobError::Failed(error.into())
    }
}

impl From<store::objects::ObjectError> for JobError {
    fn from(error: store::objects::ObjectError) -> Self {
        JobError::Failed(error.into())
    }
}

impl From<documents::Error> for JobError {
    fn from(error: documents::Error) -> Self {
        JobError::Failed(error.into())
    }
}

impl From<store::error::Error> for JobError {
    fn from(error: store::error::Error) -> Self {
        JobError::Failed(error.into())
    }
}

/// Why a window's facts could not be divided into jobs.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A fact that cannot be written as JSON.
    #[error("fact {seq} cannot be written as JSON")]
    Encode {
        /// The fact.
        seq: u64,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The ledger has no number for the job or its phase.
    #[error("job {piece} of fact {seq} is outside what the ledger can number")]
    Range {
        /// The job's first fact.
        seq: u64,
        /// Which of the jobs that begin with that fact.
        piece: usize,
    },
}
