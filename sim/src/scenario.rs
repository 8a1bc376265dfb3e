//! Scenarios: what a world is made of, read strictly from YAML.
//!
//! [`parse`] is the way in. It reads the file within a budget, then the [`model`], then checks
//! what the model means ([`validate`]); whatever it refuses it names by line, column and field.
mod defaults;
mod diagnose;
mod error;
pub mod model;
mod parse;
pub mod review;
mod rules;
pub mod schema;
mod tree;
pub mod units;
mod validate;

pub use error::{Refusal, ScenarioError};
pub use model::*;
pub use parse::{MAX_BYTES, parse};

#[cfg(test)]
mod tests;
