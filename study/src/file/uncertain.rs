//! Inputs that nobody knows exactly, and between what they may lie.
use super::questions::Threshold;
use super::selection::Selection;
use schemars::JsonSchema;
use serde::Deserialize;
use sim::scenario::units::Amount;

/// Settings that nobody knows exactly: an outer loop draws them, an inner one plays each draw.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Uncertain {
    /// What is looked at: the cost when there are costs, else violations.
    #[serde(default)]
    pub of: Option<Selection>,
    /// The inputs, by path.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub inputs: Vec<Input>,
    /// Whether every number that the scenario leaves at a default rated D (an assumption) in
    /// docs/model.md is uncertain too: between half and twice, a share likewise.
    #[serde(default)]
    pub assumptions: bool,
    /// How many combinations are drawn: 40 by default.
    #[serde(default = "default_draws")]
    #[schemars(range(min = 10, max = 1_000))]
    pub draws: u32,
    /// How often each is played in each arm: 10 by default.
    #[serde(default = "default_replications")]
    #[schemars(range(min = 2, max = 1_000))]
    pub replications: u32,
}

/// An uncertain setting.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its path in the scenario.
    #[schemars(length(min = 1, max = 500))]
    pub path: String,
    /// How it may turn out.
    pub is: Distribution,
}

/// How an uncertain setting may turn out; the values are written as in the scenario.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Distribution {
    /// Anything between two values, each alike.
    Uniform {
        /// The least.
        min: Value,
        /// The most.
        max: Value,
    },
    /// Between two values, one of them most likely.
    Triangular {
        /// The least.
        min: Value,
        /// The most likely.
        mode: Value,
        /// The most.
        max: Value,
    },
    /// Lognormal around a value: 95 % lie between it divided and multiplied by the factor.
    Within {
        /// The median.
        of: Value,
        /// The factor, above 1.
        factor: Amount,
    },
    /// One of these, each alike.
    OneOf(Vec<serde_json::Value>),
}

/// A number, a share such as 15% or a length of time such as 6m.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Value {
    /// A number or a percentage.
    Number(Threshold),
    /// A length of time.
    Span(sim::scenario::units::Span),
}

fn default_draws() -> u32 {
    40
}

fn default_replications() -> u32 {
    10
}

impl Value {
    /// As a number: of a length of time its milliseconds.
    pub fn number(&self) -> f64 {
        match self {
            Value::Number(number) => number.0,
            Value::Span(span) => span.duration().0 as f64,
        }
    }
}
