//! The result of a study, as data: what the terminal, the report, the API and other programs read.
//! It is the same, byte for byte, for any number of threads, workers and interruptions.
use crate::file::Selection;
use crate::statistics::Interval;
use serde::{Deserialize, Serialize};
use sim::fact::Clock;
use sim::severity::Severity;

/// A whole result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyResult {
    /// The version of this form.
    pub format: u32,
    /// The study's short name.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// What the study is to find out.
    pub description: String,
    /// The version of the kernel that played it.
    pub kernel: String,
    /// The seed of the first replication.
    pub seed: u64,
    /// The confidence of all intervals, such as 0.95.
    pub confidence: f64,
    /// How long each replication played, in days.
    pub horizon_days: f64,
    /// After how many days its figures begin.
    pub warm_up_days: f64,
    /// Replications of each arm.
    pub replications: u64,
    /// Why there are so many.
    pub stopping: String,
    /// Whether the budget ended before the precision was reached.
    pub capped: bool,
    /// The currency of costs; none: nothing was priced.
    pub currency: Option<String>,
    /// The main measure, of which the convergence is shown: that of the precision, else cost, else
    /// violations.
    pub main: Selection,
    /// Customer tiers, in order.
    pub tiers: Vec<String>,
    /// The arms, in the order of the file; the others are compared with the first.
    pub arms: Vec<ArmResult>,
    /// The others beside the first arm, and whatever questions compare. All at once: the intervals
    /// hold together (Bonferroni), the decisions are Holm's.
    pub comparisons: Vec<ComparisonResult>,
    /// Answers to the questions, in their order.
    pub answers: Vec<Answer>,
    /// How uncertain inputs show in the result.
    pub uncertainty: Option<UncertaintyResult>,
    /// The study as it was written.
    pub study_text: String,
    /// The scenarios as they were written, by the names by which the study calls them.
    pub scenarios: Vec<ScenarioText>,
}

/// A scenario as it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScenarioText {
    /// By which name the study calls it.
    pub name: String,
    /// The file.
    pub text: String,
}

/// What came of an arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmResult {
    /// Its name.
    pub name: String,
    /// Its settings: path and value as JSON.
    pub settings: Vec<(String, String)>,
    /// Its builders.
    pub builders: u32,
    /// Measures, over all replications.
    pub measures: Vec<MeasureResult>,
    /// Kaplan-Meier curves.
    pub curves: Vec<CurveResult>,
    /// How deadlines of so many days would have been kept.
    pub deadlines: Vec<DeadlineResult>,
    /// How the interval of the main measure narrowed as replications came.
    pub convergence: Vec<ConvergencePoint>,
}

/// A measure over the replications of an arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasureResult {
    /// What was measured.
    #[serde(flatten)]
    pub of: Selection,
    /// Its unit: empty, `h`, `d`, `%` (then values are shares) or the currency.
    pub unit: String,
    /// Of what the interval is.
    pub statistic: Statistic,
    /// The estimate with its interval.
    pub interval: Interval,
}

/// What an interval is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// The mean over replications (t).
    Mean,
    /// The share of replications (Wilson).
    Proportion,
    /// The ratio of two sums over replications (t, linearized).
    Ratio,
    /// The median over replications (order statistics); a replication in which it was not reached
    /// counts as the longest.
    Median,
    /// The 90 % quantile over replications (order statistics).
    P90,
}

/// A Kaplan-Meier curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurveResult {
    /// What ends.
    pub of: CurveKind,
    /// Of which severity.
    pub severity: Severity,
    /// How many were watched.
    pub subjects: u64,
    /// How many of them ended; the others are open (censored).
    pub ended: u64,
    /// Its steps, in order: hours, the share that lasts longer, and its band (log-log, with the
    /// replication as the unit).
    pub points: Vec<CurvePoint>,
    /// The time by which half have ended, in hours.
    pub median: Interval,
    /// The time by which 90 % have.
    pub p90: Interval,
    /// Deadlines of the arm's policies for this severity, in days, to be drawn as lines.
    pub deadline_days: Vec<u32>,
}

/// What ends in a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CurveKind {
    /// From the detection on an image to the published fix.
    TimeToFix,
    /// From the detection on what a customer runs to the customer running something else.
    TimeToAdopt,
}

impl CurveKind {
    /// What it is called in data: as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            CurveKind::TimeToFix => "time_to_fix",
            CurveKind::TimeToAdopt => "time_to_adopt",
        }
    }

    /// What it is called in a heading.
    pub fn words(self) -> &'static str {
        match self {
            CurveKind::TimeToFix => "time to fix",
            CurveKind::TimeToAdopt => "time to adopt",
        }
    }
}

/// A step of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// The time.
    pub hours: u32,
    /// How many had lasted until then.
    pub at_risk: u64,
    /// The share that lasts longer.
    pub survival: f64,
    /// The lower limit.
    pub lower: Option<f64>,
    /// The upper limit.
    pub upper: Option<f64>,
}

/// How a deadline would have been kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadlineResult {
    /// Whose clock.
    pub clock: Clock,
    /// Of which severity.
    pub severity: Severity,
    /// For the customers of this tier; none: all.
    pub tier: Option<String>,
    /// The share that a question requires of it; none: no question does.
    pub required: Option<f64>,
    /// By days of the promise, from 1 on: the share of the timers that such a deadline decides.
    pub kept: Vec<Interval>,
}

/// An interval after so many replications.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConvergencePoint {
    /// Replications.
    pub n: u64,
    /// The mean of them.
    pub mean: f64,
    /// The lower limit.
    pub lower: Option<f64>,
    /// The upper limit.
    pub upper: Option<f64>,
}

/// Two arms beside each other, under the same seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparisonResult {
    /// This arm.
    pub arm: String,
    /// Less that one.
    pub than: String,
    /// In what.
    #[serde(flatten)]
    pub of: Selection,
    /// The difference of the means, simultaneous with all others (Bonferroni).
    pub difference: Interval,
    /// The p-value adjusted for all comparisons (Holm).
    pub p_value: Option<f64>,
    /// Whether they differ (Holm).
    pub differs: bool,
    /// The variance of the difference as a share of what it would be with seeds of its own for each
    /// arm; none: nothing varies.
    pub variance_ratio: Option<f64>,
    /// The share of the replications in which they differ.
    pub differ: Interval,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
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

/// How uncertain inputs show in the result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UncertaintyResult {
    /// In which measure.
    #[serde(flatten)]
    pub of: Selection,
    /// Combinations of inputs that were drawn.
    pub draws: u64,
    /// Replications of each.
    pub replications: u64,
    /// By arm.
    pub arms: Vec<UncertainArm>,
}

/// An arm under uncertain inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UncertainArm {
    /// Its name.
    pub arm: String,
    /// The mean with the inputs as the scenario has them: what chance alone leaves open.
    pub by_chance: Interval,
    /// The mean over the drawn inputs, with the middle part of them (the study's confidence): what
    /// not knowing the inputs leaves open, beside chance.
    pub by_inputs: Interval,
    /// Each input alone, the one that moves the mean most first.
    pub inputs: Vec<InputEffect>,
}

/// What one input does alone, the others as the scenario has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputEffect {
    /// Its path.
    pub path: String,
    /// Its 5 % quantile, as it is written.
    pub low: String,
    /// Its 95 % quantile.
    pub high: String,
    /// The mean with the low value.
    pub at_low: f64,
    /// The mean with the high value.
    pub at_high: f64,
    /// The share of the variance over all draws that goes with it linearly (first order).
    pub variance_share: Option<f64>,
}
