//! What a job is: its payload, what it may use, and how it may fail.
use serde::{Deserialize, Serialize};
use sim::fact::{BuildResult, Notification, Scan, SlaCheck};
use sim::ids::{BuilderId, VersionRef};
use sim::time::SimTime;
use sqlx::PgPool;
use std::sync::Arc;
use store::objects::ObjectStore;
use store::queue::Queue;

/// A fact as it travels in a payload: its place, its instant, and its content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SequencedFact<T> {
    /// The fact's sequence number.
    pub seq: u64,
    /// The simulated instant.
    pub at: SimTime,
    /// The content.
    pub fact: Arc<T>,
}

/// What a job is to do: one fact, or several neighbours of one kind so that a job is worth its
/// delivery. How facts are batched never shows in what is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "job", content = "facts", rename_all = "snake_case")]
pub enum Payload {
    /// One build.
    Build(SequencedFact<BuildResult>),
    /// Scans, in order.
    Scan(Vec<SequencedFact<Scan>>),
    /// Bundles to be made, or levels to be assessed again.
    Attest(Attest),
    /// SLA evaluations, in order, without gaps.
    SlaCheck(Vec<SequencedFact<SlaCheck>>),
    /// Notifications, in order.
    Notify(Vec<SequencedFact<Notification>>),
}

/// What is to be done about attestations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Attest {
    /// The attestations of these facts are in the log and want their bundles.
    Bundle {
        /// The first fact.
        from_seq: u64,
        /// The last one.
        to_seq: u64,
    },
    /// A builder is not trusted any more: what it built is assessed again.
    Distrusted {
        /// The fact.
        seq: u64,
        /// The simulated instant.
        at: SimTime,
        /// The builder.
        builder: BuilderId,
        /// Of the images, divided into so many parts ...
        parts: u32,
        /// ... this one, from 0.
        part: u32,
    },
    /// An attacker replaced a version's provenance: the forgery is stored and assessed.
    Tampered {
        /// The fact.
        seq: u64,
        /// The simulated instant.
        at: SimTime,
        /// The version.
        version: VersionRef,
    },
}

impl Attest {
    /// The first fact that it is about.
    pub fn first_seq(&self) -> u64 {
        match self {
            Attest::Bundle { from_seq, .. } => *from_seq,
            Attest::Distrusted { seq, .. } | Attest::Tampered { seq, .. } => *seq,
        }
    }
}

impl Payload {
    /// The queue it travels in.
    pub fn queue(&self) -> Queue {
        match self {
            Payload::Build(_) => Queue::Build,
            Payload::Scan(_) => Queue::Scan,
            Payload::Attest(_) => Queue::Attest,
            Payload::SlaCheck(_) => Queue::SlaCheck,
            Payload::Notify(_) => Queue::Notify,
        }
    }
}

/// What a job may use. Cheap to clone.
#[derive(Clone)]
pub struct JobContext {
    /// The world's database.
    pub pool: PgPool,
    /// The object store.
    pub objects: ObjectStore,
    /// What a worker has seen and may need again; content-addressed or append-only, so never
    /// stale.
    pub caches: Arc<crate::caches::Caches>,
    /// The keys to sign with.
    pub keys: Arc<crate::keys::Keyring>,
}

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
