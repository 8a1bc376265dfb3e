//! Signals between the threads of one process, without the database: a queue has tasks, a job is
//! settled. They are hints that save waiting; when one is missed, the ledger is polled.
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::queue::Queue;
use tokio::sync::Notify;

/// Hints within one process, shared by its conductor and its workers.
#[derive(Debug, Default)]
pub struct Signals {
    queues: [Arc<Notify>; Queue::ALL.len()],
    waiting: Mutex<HashMap<i64, Arc<Barrier>>>,
    workers: AtomicUsize,
    studies: Arc<Notify>,
}

impl Signals {
    /// No tasks, no jobs, no workers.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// What a worker of the queue waits on.
    pub(crate) fn queue(&self, queue: Queue) -> Arc<Notify> {
        self.queues[queue as usize].clone()
    }

    /// Wakes the worker of a queue; remembered if it is busy.
    pub(crate) fn wake(&self, queue: Queue) {
        self.queues[queue as usize].notify_one();
    }

    /// What the director of studies waits on.
    pub(crate) fn studies(&self) -> Arc<Notify> {
        self.studies.clone()
    }

    /// A batch of a study was played: the director may count it.
    pub(crate) fn played(&self) {
        self.studies.notify_one();
    }

    /// How many workers this process runs.
    pub(crate) fn workers(&self) -> &AtomicUsize {
        &self.workers
    }

    /// Begins to wait for jobs, before they are delivered.
    pub(crate) fn expect(self: &Arc<Self>, ids: &[i64]) -> Expected {
        let barrier = Arc::new(Barrier { left: AtomicUsize::new(ids.len()), ..Barrier::default() });
        self.lock().extend(ids.iter().map(|id| (*id, barrier.clone())));
        Expected { signals: self.clone(), ids: ids.to_vec(), barrier }
    }

    /// A job is done: its transaction is committed.
    pub(crate) fn done(&self, id: i64) {
        if let Some(barrier) = self.lock().remove(&id)
            && barrier.left.fetch_sub(1, Ordering::AcqRel) == 1
        {
            barrier.changed.notify_one();
        }
    }

    /// A job will not be done by itself: whoever waits for it should read the ledger.
    pub(crate) fn stuck(&self, id: i64) {
        if let Some(barrier) = self.lock().get(&id) {
            barrier.changed.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Arc<Barrier>>> {
        // A map of hints is whole after any panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Barrier {
    left: AtomicUsize,
    changed: Notify,
}

/// Jobs that somebody waits for.
pub(crate) struct Expected {
    signals: Arc<Signals>,
    ids: Vec<i64>,
    barrier: Arc<Barrier>,
}

impl Expected {
    /// Whether workers of this process have done them all.
    pub(crate) fn all_done(&self) -> bool {
        self.barrier.left.load(Ordering::Acquire) == 0
    }

    /// Waits until they are all done here, or one is stuck.
    pub(crate) async fn changed(&self) {
        self.barrier.changed.notified().await;
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        let mut waiting = self.signals.lock();
        for id in &self.ids {
            waiting.remove(id);
        }
    }
}
