//! Scenarios: what a world is made of, read strictly from YAML.
//!
//! [`parse`] is the way in. It reads the file within a budget, then the [`model`], then checks
//! what the model means ([`validate`]); whatever it refuses it names by line, column and field.
mod defaults;
pub mod model;
mod parse;
pub mod review;
pub mod schema;
pub mod units;
mod validate;

pub use crate::strict_yaml::MAX_BYTES;
pub use crate::strict_yaml::{FileError, Refusal};
pub use model::*;
pub use parse::{is_written, parse, parse_changed};

#[cfg(test)]
mod tests;
