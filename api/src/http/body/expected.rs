//! What a schema expects, and what came instead, in words.
use serde_json::{Number, Value};
use std::collections::BTreeSet;

/// The longest text that is shown of what came.
const SHOWN_CHARS: usize = 64;

/// What a schema expects.
pub(super) fn expectation(schema: &Value) -> String {
    if schema["enum"].is_array() {
        return "one of the allowed values".to_owned();
    }
    match schema["type"].as_str() {
        Some("string") => string(schema),
        Some("integer") => format!("a whole number{}", between(schema)),
        Some("number") => format!("a number{}", between(schema)),
        Some("boolean") => "true or false".to_owned(),
        Some("array") => {
            let bounds = (schema["minItems"].as_u64(), schema["maxItems"].as_u64());
            let different = if schema["uniqueItems"] == true { ", all different" } else { "" };
            format!("a list{}{different}", counted(bounds, "items"))
        }
        _ => "an object".to_owned(),
    }
}

fn string(schema: &Value) -> String {
    if schema["format"] == "date-time" {
        return "an instant such as 2026-01-12T06:00:00Z".to_owned();
    }
    let bounds = (schema["minLength"].as_u64(), schema["maxLength"].as_u64());
    let form = schema["pattern"].as_str().map(|form| format!(" of the form {form}"));
    format!("a text{}{}", counted(bounds, "characters"), form.unwrap_or_default())
}

fn counted(bounds: (Option<u64>, Option<u64>), what: &str) -> String {
    match bounds {
        (Some(least), Some(most)) => format!(" of {least} to {most} {what}"),
        (Some(least), None) => format!(" of {least} or more {what}"),
        (None, Some(most)) => format!(" of at most {most} {what}"),
        (None, None) => String::new(),
    }
}

fn between(schema: &Value) -> String {
    let (minimum, maximum) = bounds(schema);
    match (minimum, maximum) {
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        (Some(least), None) => format!(" of {least} or more"),
        (None, Some(most)) => format!(" of at most {most}"),
        (None, None) => String::new(),
    }
}

/// The bounds of a number: those that are written, and those of its format.
pub(super) fn bounds(schema: &Value) -> (Option<f64>, Option<f64>) {
    let (least, most) = match schema["format"].as_str() {
        Some("int32") => (Some(f64::from(i32::MIN)), Some(f64::from(i32::MAX))),
        Some("uint32") => (Some(0.0), Some(f64::from(u32::MAX))),
        Some("uint64") => (Some(0.0), None),
        _ => (None, None),
    };
    (schema["minimum"].as_f64().or(least), schema["maximum"].as_f64().or(most))
}

/// Whether a number lies within the bounds of its schema.
pub(super) fn is_within(number: &Number, schema: &Value) -> bool {
    let Some(number) = number.as_f64() else { return false };
    let (minimum, maximum) = bounds(schema);
    minimum.is_none_or(|least| number >= least) && maximum.is_none_or(|most| number <= most)
}

/// What came, short enough to be shown. Secrets are not repeated.
pub(super) fn found(value: &Value, is_secret: bool) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => shortened(&value.to_string()),
        Value::String(text) => {
            let chars = text.chars().count();
            match (is_secret, chars) {
                (_, 0) => "an empty text".to_owned(),
                (true, _) => format!("a text of {chars} characters"),
                (false, 1..=SHOWN_CHARS) => value.to_string(),
                (false, _) => format!("{} ({chars} characters)", shortened(&value.to_string())),
            }
        }
        Value::Array(items) => format!("a list of {} items", items.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= SHOWN_CHARS {
        return text.to_owned();
    }
    let first: String = text.chars().take(SHOWN_CHARS).collect();
    format!("{first}...")
}

/// Whether what a field holds is nobody's to read, by the name of the field.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["key", "secret", "token", "password"].iter().any(|word| name.contains(word))
}

/// Whether all items of a list differ.
pub(super) fn all_differ(items: &[Value]) -> bool {
    let texts: BTreeSet<String> = items.iter().map(Value::to_string).collect();
    texts.len() == items.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expectations_read_as_sentences() {
        for (schema, said) in [
            (json!({"type": "string"}), "a text"),
            (
                json!({"type": "string", "minLength": 1, "maxLength": 63, "pattern": "^a$"}),
                "a text of 1 to 63 characters of the form ^a$",
            ),
            (
                json!({"type": "string", "format": "date-time"}),
                "an instant such as 2026-01-12T06:00:00Z",
            ),
            (
                json!({"type": "integer", "minimum": 1.0, "maximum": 10.0}),
                "a whole number from 1 to 10",
            ),
            (json!({"type": "integer", "format": "uint32"}), "a whole number from 0 to 4294967295"),
            (json!({"type": "number", "maximum": 1.5}), "a number of at most 1.5"),
            (
                json!({"type": "array", "maxItems": 5, "uniqueItems": true}),
                "a list of at most 5 items, all different",
            ),
            (json!({"type": "boolean"}), "true or false"),
            (json!({"enum": ["a"]}), "one of the allowed values"),
        ] {
            assert_eq!(expectation(&schema), said);
        }
    }

    #[test]
    fn what_came_is_short_and_no_secret() {
        assert_eq!(found(&json!("a\n"), false), "\"a\\n\"");
        assert_eq!(found(&json!("wt_hidden"), is_secret("api_key")), "a text of 9 characters");
        assert!(found(&json!("x".repeat(5000)), false).len() < 100);
        assert_eq!(found(&json!([1, 2]), false), "a list of 2 items");
    }
}
