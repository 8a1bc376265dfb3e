//! Questions that a study answers in a sentence each.
use super::selection::Selection;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Unexpected, Visitor};
use serde::{Deserialize, Serialize};
use sim::fact::Clock;
use sim::scenario::units::{Amount, Share};

use std::borrow::Cow;
use std::fmt;

/// A question.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// The fewest days that are kept, by severity.
    SmallestSla(SmallestSla),
    /// The arm with the fewest builders that holds to something.
    FewestBuilders(FewestBuilders),
    /// The arm that costs least.
    Cheapest(Cheapest),
    /// Whether one arm is better than another.
    Better(Better),
}

/// The fewest days, by severity, that are kept with at least that share.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmallestSla {
    /// The share of timers that must be kept; the confidence limit must reach it, not the estimate.
    pub kept: Share,
    /// Whose clock: the provider's by default.
    #[serde(default = "provider")]
    pub clock: Clock,
    /// For customers of this tier alone.
    #[serde(default)]
    pub tier: Option<String>,
    /// In this arm; in each when absent.
    #[serde(default)]
    pub arm: Option<String>,
}

/// The arm with the fewest builders that holds to something.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FewestBuilders {
    /// What it must hold to.
    #[serde(rename = "where")]
    pub criterion: Criterion,
}

/// What an arm must hold to: its confidence limit, not its estimate.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// What is limited.
    pub of: Selection,
    /// At most so much.
    #[serde(default)]
    pub at_most: Option<Threshold>,
    /// At least so much.
    #[serde(default)]
    pub at_least: Option<Threshold>,
}

/// The arm that costs least.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cheapest {
    /// Differences up to this do not matter: with it the best is chosen by the procedure of Kim and
    /// Nelson; without it by comparing every pair.
    pub indifference: Option<Amount>,
}

/// Whether one arm is better than another.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Better {
    /// This arm.
    pub arm: String,
    /// Than that one.
    pub than: String,
    /// In what: less is better, but for the share of timers kept.
    #[serde(rename = "in")]
    pub measure: Selection,
}

fn provider() -> Clock {
    Clock::Provider
}

/// A number, or a percentage such as 99%.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Threshold(pub f64);

impl JsonSchema for Threshold {
    fn schema_name() -> Cow<'static, str> {
        "Threshold".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number, or a percentage such as 99%.",
            "anyOf": [
                { "type": "number", "minimum": 0 },
                { "type": "string", "pattern": r"^([0-9]{1,2}(\.[0-9]+)?|100(\.0+)?)%$" }
            ],
            "examples": [5, "99%"]
        })
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Threshold;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of 0 or more, or a percentage such as 99%")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Threshold, E> {
                if value.is_finite() && value >= 0.0 {
                    return Ok(Threshold(value));
                }
                Err(E::invalid_value(Unexpected::Float(value), &self))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Threshold, E> {
                Ok(Threshold(value as f64))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Threshold, E> {
                Err(E::invalid_value(Unexpected::Signed(value), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Threshold, E> {
                let number = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
                match number.filter(|number| (0.0..=100.0).contains(number)) {
                    Some(percent) => Ok(Threshold(percent / 100.0)),
                    None => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(Number)
    }
}
