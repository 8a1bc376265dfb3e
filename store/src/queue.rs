//! The names of the queues, as apalis, the ledger, the API and the metrics have them.
use crate::error::Error;
use serde::{Deserialize, Serialize};

/// The queues, each with one kind of job, in the order in which a window's jobs are released.
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
}

impl Queue {
    /// All queues, in the order of release.
    pub const ALL: [Queue; 5] =
        [Queue::Build, Queue::Scan, Queue::Attest, Queue::SlaCheck, Queue::Notify];

    /// The queue with that name in a column.
    ///
    /// # Errors
    /// There is none.
    pub fn parse(column: &'static str, name: &str) -> Result<Self, Error> {
        let known = Queue::ALL.into_iter().find(|queue| queue.as_str() == name);
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_an_error_with_its_column() {
        for queue in Queue::ALL {
            assert_eq!(Queue::parse("ledger.queue", queue.as_str()).unwrap(), queue);
        }
        let error = Queue::parse("ledger.queue", "bake").unwrap_err().to_string();
        assert!(error.contains("ledger.queue") && error.contains("bake"), "{error}");
    }
}
