//! The JSON Schema of scenario files, for editors.
use super::model::Scenario;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// The schema of a scenario file (JSON Schema draft 2020-12).
///
/// Editors that know the YAML language server complete and check a file that begins with
/// `# yaml-language-server: $schema=scenario.schema.json`. What a schema cannot say (a base that
/// exists, a cron that fires) only [`super::parse`] refuses.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Scenario>().to_value();
    // The order of keys must not depend on what other crates ask of serde_json.
    schema.sort_all_objects();
    schema
}
