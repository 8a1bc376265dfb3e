//! The plan of a window: the jobs that its facts are divided into.
//!
//! How facts are divided into windows and windows into jobs never shows in what is written, so both
//! follow convenience: big enough to be worth a delivery, small enough to share among workers.
use crate::error::PlanError;
use serde::Serialize;
use sim::fact::Fact;
use sim::time::SimTime;
use store::ledger::{NewJob, UnfinishedJob};
use store::queue::Queue;

/// Bits of a ledger id that number the jobs that begin with one fact.
const PIECE_BITS: u32 = 12;
/// The number of the last job that can begin with one fact.
pub const LAST_PIECE: usize = (1 << PIECE_BITS) - 1;

/// Where a job begins.
#[derive(Clone, Copy, Debug)]
pub struct JobStart {
    /// Its first fact.
    pub seq: u64,
    /// The simulated instant of that fact.
    pub at: SimTime,
    /// Its number among the jobs that begin with that fact, whatever their kind.
    pub piece: usize,
}

impl JobStart {
    /// The first job that begins with a fact.
    pub fn of(fact: &Fact) -> Self {
        JobStart { seq: fact.seq, at: fact.at, piece: 0 }
    }

    /// The same with another number.
    pub fn piece(self, piece: usize) -> Self {
        JobStart { piece, ..self }
    }

    fn ledger_id(self) -> Result<i64, PlanError> {
        let JobStart { seq, piece, .. } = self;
        let out_of_range = || PlanError::Range { seq, piece };
        let first = i64::try_from(seq).ok().and_then(|seq| seq.checked_mul(1 << PIECE_BITS));
        let piece = i64::try_from(piece.min(LAST_PIECE + 1)).map_err(|_| out_of_range())?;
        if piece >= 1 << PIECE_BITS {
            return Err(out_of_range());
        }
        first.map(|first| first | piece).ok_or_else(out_of_range)
    }
}

/// A payload on its way into the ledger, with the tag that names its kind.
#[derive(Serialize)]
struct Tagged<'a, T> {
    job: &'static str,
    facts: &'a T,
}

/// The jobs of one kind in a window.
#[derive(Debug)]
pub struct Plan {
    queue: Queue,
    jobs: Vec<NewJob>,
}

impl Plan {
    /// An empty plan for the jobs of a queue.
    pub(crate) fn new(queue: Queue) -> Self {
        Plan { queue, jobs: Vec::new() }
    }

    /// Adds a job. Jobs of a lower `phase` are done before those of a higher one.
    ///
    /// # Errors
    /// The payload cannot be written, or the ledger has no id for the job.
    pub fn push<T: Serialize>(
        &mut self,
        start: JobStart,
        phase: u32,
        payload: &T,
    ) -> Result<(), PlanError> {
        let JobStart { seq, at, piece } = start;
        let phase = i32::try_from(phase).map_err(|_| PlanError::Range { seq, piece })?;
        let tagged = Tagged { job: self.queue.as_str(), facts: payload };
        let payload =
            serde_json::to_string(&tagged).map_err(|source| PlanError::Encode { seq, source })?;
        self.jobs.push(NewJob { id: start.ledger_id()?, queue: self.queue, phase, at, payload });
        Ok(())
    }

    /// The jobs, in the order in which they were added.
    pub(crate) fn into_jobs(self) -> Vec<NewJob> {
        self.jobs
    }
}

/// A job of a window, without its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedJob {
    /// Its id in the ledger.
    pub id: i64,
    /// Its queue.
    pub queue: Queue,
    /// Its phase among the jobs of the queue.
    pub phase: i32,
}

impl PlannedJob {
    /// The fact that it begins with.
    pub fn first_seq(&self) -> i64 {
        self.id >> PIECE_BITS
    }
}

impl From<&NewJob> for PlannedJob {
    fn from(job: &NewJob) -> Self {
        PlannedJob { id: job.id, queue: job.queue, phase: job.phase }
    }
}

impl From<&UnfinishedJob> for PlannedJob {
    fn from(job: &UnfinishedJob) -> Self {
        PlannedJob { id: job.id, queue: job.queue, phase: job.phase }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_keep_the_order_of_facts() {
        let id = |seq, piece| JobStart { seq, at: SimTime(0), piece }.ledger_id();
        assert_eq!(id(1, 0).unwrap(), 4096);
        assert_eq!(id(1, LAST_PIECE).unwrap() + 1, id(2, 0).unwrap());
        assert!(matches!(id(1, LAST_PIECE + 1), Err(PlanError::Range { seq: 1, piece: 4096 })));
        assert!(matches!(id(1 << 52, 0), Err(PlanError::Range { .. })));
    }
}
