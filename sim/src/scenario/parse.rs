//! Reading a scenario: strict YAML, then the model, then its meaning.
use super::model::Scenario;
use super::schema::schema;
use super::validate::validate;
use crate::strict_yaml::{self, Change, ChangeError, FileError, Form, Step};
use serde_json::Value;
use std::sync::LazyLock;

const FORM: Form = Form {
    noun: "a scenario",
    needs: "a scenario needs at least name, title, start and duration, and images or a fleet",
    too_large: "a fleet makes images by the dozen: see `fleet`",
    schema: || &SCHEMA,
};

static SCHEMA: LazyLock<Value> = LazyLock::new(schema);

/// Reads a scenario. `file_name` is what errors call it.
///
/// # Errors
/// All that is wrong: each with line, column and field, what was expected and what was found.
pub fn parse(file_name: &str, bytes: &[u8]) -> Result<Scenario, FileError> {
    strict_yaml::read(&FORM, file_name, bytes, validate)
}

/// Reads a scenario in which some values are others than the file says.
///
/// # Errors
/// What is wrong with the changes, each with the place of the change in `changes`; or with the file
/// itself.
pub fn parse_changed(
    file_name: &str,
    bytes: &[u8],
    changes: &[Change],
) -> Result<Scenario, ChangeError> {
    strict_yaml::read_changed(&FORM, file_name, bytes, changes, validate)
}

/// Whether a scenario says something at a path, or leaves it to a default.
pub fn is_written(bytes: &[u8], path: &[Step]) -> bool {
    strict_yaml::is_written(&FORM, bytes, path)
}
