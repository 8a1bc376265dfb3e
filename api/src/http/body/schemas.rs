//! The schemas of the specification, by name, with their patterns ready to be matched.
use regex::Regex;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// The schemas of the specification.
pub(crate) struct Schemas {
    by_name: Map<String, Value>,
    patterns: HashMap<String, Regex>,
}

impl Schemas {
    /// Those of the whole document.
    pub(crate) fn of_document(document: &Value) -> Arc<Self> {
        let by_name = document["components"]["schemas"].as_object().cloned().unwrap_or_default();
        let mut patterns = HashMap::new();
        by_name.values().for_each(|schema| compile(schema, &mut patterns));
        Arc::new(Schemas { by_name, patterns })
    }

    /// The schema of this name.
    pub(super) fn named(&self, name: &str) -> Option<&Value> {
        self.by_name.get(name)
    }

    /// Whether a text is of a form; a form that cannot be read takes every text.
    pub(super) fn is_of_form(&self, form: &str, text: &str) -> bool {
        self.patterns.get(form).is_none_or(|pattern| pattern.is_match(text))
    }

    /// The schema that is meant, wherever it stands.
    pub(super) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let name = schema["$ref"].as_str().and_then(|text| text.rsplit('/').next());
        name.and_then(|name| self.by_name.get(name)).unwrap_or(schema)
    }
}

/// Compiles the patterns of a schema and of those within, each once.
fn compile(schema: &Value, patterns: &mut HashMap<String, Regex>) {
    match schema {
        Value::Object(map) => {
            if let Some(pattern) = map.get("pattern").and_then(Value::as_str)
                && !patterns.contains_key(pattern)
                && let Ok(regex) = Regex::new(pattern)
            {
                patterns.insert(pattern.to_owned(), regex);
            }
            map.values().for_each(|value| compile(value, patterns));
        }
        Value::Array(values) => values.iter().for_each(|value| compile(value, patterns)),
        _ => {}
    }
}
