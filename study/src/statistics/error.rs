//! What the statistics refuse: settings for which they have no meaning.
use thiserror::Error;

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Error {
    /// A confidence that is none.
    #[error("a confidence lies between 0 and 1, such as 0.95, and is not {0}")]
    Confidence(f64),
    /// A precision that is none.
    #[error("a precision is a number above 0, such as 0.05, and is not {0}")]
    Precision(f64),
    /// The least number of replications is too small, or above the cap.
    #[error(
        "a rule takes 2 replications or more, and a cap that is not lower: not {minimum} to {cap}"
    )]
    Replications {
        /// The least number.
        minimum: u64,
        /// The cap.
        cap: u64,
    },
    /// An indifference zone that is none.
    #[error("the least difference worth detecting is a number above 0, and not {0}")]
    Indifference(f64),
    /// Nothing to choose from.
    #[error("there is no arm to choose from")]
    NoArms,
    /// A first stage too short for a variance.
    #[error("the first stage of a selection takes 2 or more replications, and not {0}")]
    FirstStage(u64),
}
