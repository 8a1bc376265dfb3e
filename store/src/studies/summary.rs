//! What is told of a study that has completed without reading its whole result.
use serde::{Deserialize, Serialize};

/// The answers, and the arms in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Replications of each arm.
    pub replications: u64,
    /// Why there are so many.
    pub stopping: String,
    /// Whether the budget ended before the precision was reached.
    pub capped: bool,
    /// The confidence of all intervals.
    pub confidence: f64,
    /// The currency of costs.
    pub currency: Option<String>,
    /// Answers to the questions, in their order.
    pub answers: Vec<SummaryAnswer>,
    /// The arms, in the order of the file.
    pub arms: Vec<SummaryArm>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SummaryAnswer {
    /// The question, as a sentence.
    pub question: String,
    /// The answer, in a sentence.
    pub answer: String,
    /// What it rests on.
    pub basis: String,
    /// Whether the question could be answered.
    pub told: bool,
    /// About how many replications more it takes, where it could not.
    pub more_replications: Option<u64>,
}

/// What came of an arm, over all its customers and severities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SummaryArm {
    /// Its name.
    pub name: String,
    /// Its builders.
    pub builders: u32,
    /// Measures, over all replications.
    pub measures: Vec<SummaryMeasure>,
}

/// A measure over the replications of an arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SummaryMeasure {
    /// What was measured, as studies name it.
    pub measure: String,
    /// What it is called in a sentence.
    pub words: String,
    /// Its unit: empty, `h`, `d`, `%` (then values are shares) or the currency.
    pub unit: String,
    /// Of what the interval is: `mean`, `proportion`, `ratio`, `median` or `p90`.
    pub statistic: String,
    /// The estimate; none: nothing was seen of it.
    pub estimate: Option<f64>,
    /// The lower limit; none: there is none.
    pub lower: Option<f64>,
    /// The upper limit; none: there is none.
    pub upper: Option<f64>,
}
