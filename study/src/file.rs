//! Study files: what is asked of a scenario, in which variants, how often, at which cost.
mod check;
mod costs;
mod questions;
mod selection;
mod settings;
mod uncertain;

pub use costs::{BySeverity, Costs, ViolationCosts};
pub use questions::{
    Better, Cheapest, Criterion, FewestBuilders, Question, SmallestSla, Threshold,
};
pub use selection::{Measure, Selection};
pub use settings::Settings;
pub use uncertain::{Distribution, Input, Uncertain, Value};

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use sim::scenario::units::{Name, Share, Span};
use sim::strict_yaml::{self, FileError, Form};
use std::sync::LazyLock;

/// A study: arms of one scenario, played side by side under the same seeds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Study {
    /// A short name.
    pub name: Name,
    /// One line for people.
    #[schemars(length(min = 1, max = 200))]
    pub title: String,
    /// What the study is to find out, in a few sentences.
    #[serde(default)]
    #[schemars(length(max = 10_000))]
    pub description: String,
    /// The scenario: a path, from the directory of the study, or the name of a bundled one.
    #[schemars(length(min = 1, max = 1_000))]
    pub scenario: String,
    /// The seed of the first replication; the n-th has this seed + n - 1, in every arm.
    #[serde(default = "default_seed")]
    #[schemars(extend("maximum" = 9_007_199_254_740_991_u64))]
    pub seed: u64,
    /// How long each replication plays, 1 h to 3650 d; the scenario's duration when absent.
    #[serde(default)]
    pub horizon: Option<Span>,
    /// Figures begin after it, for a world begins without open CVEs. When absent 14 d (docs/model.md,
    /// A), but at most a quarter of the horizon.
    #[serde(default)]
    pub warm_up: Option<Span>,
    /// What is compared; the first is what the others are compared with.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub arms: Vec<Arm>,
    /// A short form of many arms: for each path its values; every combination is an arm.
    #[serde(default)]
    pub grid: Grid,
    /// How many replications each arm plays; 100 when neither this nor a precision is given.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100_000))]
    pub replications: Option<u32>,
    /// Plays until a mean is known so well, instead of a fixed number of replications.
    #[serde(default)]
    pub precision: Option<Precision>,
    /// The confidence of all intervals: 95 % by default.
    #[serde(default = "default_confidence")]
    pub confidence: Share,
    /// What things cost, in one currency.
    #[serde(default)]
    pub costs: Option<Costs>,
    /// What is to be answered in a sentence.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub questions: Vec<Question>,
    /// Settings that nobody knows exactly.
    #[serde(default)]
    pub uncertain: Option<Uncertain>,
}

/// A variant of the scenario.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// Its name, unique in the study.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// Another scenario than the study's: a path or the name of a bundled one.
    #[serde(default)]
    #[schemars(length(min = 1, max = 1_000))]
    pub scenario: Option<String>,
    /// Settings of the scenario that are others here, by path: `builders.count: 4`,
    /// `policies[gold].days.critical: 3`.
    #[serde(default)]
    pub set: Settings,
}

/// For each path its values.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("maxProperties" = 8))]
pub struct Grid(pub Settings);

/// How well a mean is to be known.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Precision {
    /// The mean of what.
    pub of: Selection,
    /// Half the width of its interval, as a share of the mean, in every arm.
    pub within: Share,
    /// At most so many replications in each arm: 1,000 by default.
    #[serde(default = "default_budget")]
    #[schemars(range(min = 10, max = 100_000))]
    pub budget: u32,
}

fn default_seed() -> u64 {
    1
}

fn default_confidence() -> Share {
    Share::of(0.95)
}

fn default_budget() -> u32 {
    1_000
}

/// How often each arm is played when a study does not say.
pub const REPLICATIONS: u32 = 100;

const FORM: Form = Form {
    noun: "a study",
    needs: "a study needs at least name, title, scenario and arms or a grid; \
            `wavetank study --example` prints one",
    too_large: "a grid makes many arms in few lines",
    schema: || &SCHEMA,
};

static SCHEMA: LazyLock<serde_json::Value> = LazyLock::new(schema);

/// Reads a study. `file_name` is what errors call it.
///
/// # Errors
/// All that is wrong: each with line, column and field, what was expected and what was found. Whether
/// the settings of its arms exist, only [`crate::arms::compile`] can tell.
pub fn parse(file_name: &str, bytes: &[u8]) -> Result<Study, FileError> {
    strict_yaml::read(&FORM, file_name, bytes, check::check)
}

/// Reads a study again and says what is wrong with it, by place: for what only the scenarios show.
pub(crate) fn refuse(
    file_name: &str,
    bytes: &[u8],
    wrong: &[strict_yaml::Invalid],
) -> Option<FileError> {
    strict_yaml::read::<Study>(&FORM, file_name, bytes, |_| wrong.to_vec()).err()
}

/// The schema of a study file (JSON Schema draft 2020-12), for editors.
pub fn schema() -> serde_json::Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Study>().to_value();
    schema.sort_all_objects();
    schema
}

#[cfg(test)]
mod tests;
