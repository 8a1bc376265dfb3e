//! What a kind of job is. Each kind has a file of its own that implements [`Job`], and a line in
//! `registry.rs`.
use crate::caches::Caches;
use crate::error::{JobError, PlanError};
use crate::keys::Keyring;
use crate::plan::{Plan, PlannedJob};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sim::fact::Fact;
use sim::time::SimTime;
use sqlx::{PgConnection, PgPool};
use std::sync::Arc;
use store::objects::{NewObject, ObjectStore};
use store::obsolete_objects;
use store::queue::Queue;

/// A kind of job: everything that queues, workers and the conductor need to know of it.
pub trait Job {
    /// What one job is to do: one fact, or several neighbours of one kind so that a job is worth its
    /// delivery.
    type Payload: Serialize + DeserializeOwned + Send + Sync;

    /// The queue of its jobs; no other kind has it. Its name tags the payload.
    const QUEUE: Queue;

    /// When its jobs are done.
    const STAGE: Stage;

    /// How many jobs a process does at a time, when it may do `wanted`.
    fn concurrency(wanted: usize) -> usize {
        wanted.max(1)
    }

    /// How many tasks a worker fetches at a time: enough that the next one is there when one ends,
    /// few, so that no process hoards.
    fn batch_size(concurrency: usize) -> usize {
        concurrency
    }

    /// Whether two jobs of a window, neighbours by phase and id, may be done at the same time.
    fn run_together(one: &PlannedJob, next: &PlannedJob) -> bool {
        one.phase == next.phase
    }

    /// Divides the facts of a window into jobs.
    ///
    /// # Errors
    /// A fact cannot be written as a job.
    fn plan(facts: &[Fact], plan: &mut Plan) -> Result<(), PlanError>;

    /// Does one job in the transaction `tx`. It may be done again after a crash, and must then write
    /// the same.
    ///
    /// # Errors
    /// [`JobError::Mismatch`] when the result is not the kernel's, [`JobError::Failed`] when trying
    /// again may help.
    fn run(
        ctx: &JobContext,
        tx: &mut PgConnection,
        payload: &Self::Payload,
    ) -> impl Future<Output = Result<(), JobError>> + Send;
}

/// When the jobs of a window are done. A stage sees everything that the stages before have written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// First.
    Build,
    /// After the builds. Then the window is finalized, and what was signed is appended to the logs.
    Scan,
    /// After signed statements have their places in the logs.
    Bundle,
    /// Last, one kind after the other in the order of the registry. Then the window is sealed.
    Evaluate,
}

/// A fact in a payload: its sequence number, its instant, and its content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SequencedFact<T> {
    /// The fact's sequence number.
    pub seq: u64,
    /// The simulated instant.
    pub at: SimTime,
    /// The content.
    pub fact: Arc<T>,
}

impl<T> SequencedFact<T> {
    /// The content of a fact, with its place.
    pub(crate) fn new(fact: &Fact, content: &Arc<T>) -> Self {
        SequencedFact { seq: fact.seq, at: fact.at, fact: Arc::clone(content) }
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
    pub caches: Arc<Caches>,
    /// The keys to sign with.
    pub keys: Arc<Keyring>,
}

impl JobContext {
    /// Stores documents, several at a time, so that they stay: they are no longer deleted as those of
    /// a world before. `tx` is the transaction of the job.
    ///
    /// # Errors
    /// The database or the object store failed.
    pub(crate) async fn put_all(
        &self,
        tx: &mut PgConnection,
        objects: Vec<NewObject>,
    ) -> anyhow::Result<()> {
        if obsolete_objects::any(tx).await? {
            let keys: Vec<&str> = objects.iter().map(|object| object.key.as_str()).collect();
            obsolete_objects::spare(&self.pool, &keys).await?;
        }
        Ok(self.objects.put_all(objects).await?)
    }
}
