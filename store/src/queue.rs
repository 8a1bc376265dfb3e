//! The names of the queues, as apalis, the ledger, the API and the metrics have them.
use crate::error::Error;
use serde::{Deserialize, Serialize};

/// The queues, each with one kind of job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Queue {
    /// Makes and stores the documents of a build.
    Build,
    /// Matches stored SBOMs against stored advisories.
    Scan,
    /// Completes the bundles of what was signed, and assesses SLSA levels.
    Attest,
    /// Evaluates the stored SLA timers.
    SlaCheck,
    /// Writes the notifications.
    Notify,
    /// Plays batches of studies. It stands beside the world: nothing of it is in the ledger.
    Study,
}

impl Queue {
    /// The queues of the world, whose jobs come from facts and stand in the ledger, in the order in
    /// which a window's jobs are released.
    pub const OF_WORLD: [Queue; 5] =
        [Queue::Build, Queue::Scan, Queue::Attest, Queue::SlaCheck, Queue::Notify];

    /// All queues: those of the world, then those beside it.
    pub const ALL: [Queue; 6] =
        [Queue::Build, Queue::Scan, Queue::Attest, Queue::SlaCheck, Queue::Notify, Queue::Study];

    /// The queue of the world with that name in a column.
    ///
    /// # Errors
    /// There is none.
    pub fn parse(column: &'static str, name: &str) -> Result<Self, Error> {
        let known = Queue::OF_WORLD.into_iter().find(|queue| queue.as_str() == name);
        known.ok_or_else(|| Error::unknown(column, name))
    }

    /// The name in apalis, the ledger and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Queue::Build => "build",
            Queue::Scan => "scan",
            Queue::Attest => "attest",
            Queue::SlaCheck => "sla_check",
            Queue::Notify => "notify",
            Queue::Study => "study",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_an_error_with_its_column() {
        for queue in Queue::OF_WORLD {
            assert_eq!(Queue::parse("ledger.queue", queue.as_str()).unwrap(), queue);
        }
        for name in ["bake", "study"] {
            let error = Queue::parse("ledger.queue", name).unwrap_err().to_string();
            assert!(error.contains("ledger.queue") && error.contains(name), "{error}");
        }
    }

    #[test]
    fn the_queues_of_the_world_come_first() {
        assert_eq!(Queue::ALL[..Queue::OF_WORLD.len()], Queue::OF_WORLD);
        for (place, queue) in Queue::ALL.into_iter().enumerate() {
            assert_eq!(queue as usize, place);
        }
    }
}
