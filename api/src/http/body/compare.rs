//! The comparison of a value with a schema: the part of JSON Schema that the specification uses, read
//! as poem-openapi reads bodies (null is the same as nothing where a field may be left out).
use super::expected::{all_differ, expectation, found, is_secret, is_within};
use super::schemas::Schemas;
use crate::http::problem::ProblemPart;
use crate::http::time::Instant;
use poem_openapi::types::ParseFromJSON;
use serde_json::{Map, Value};

/// The most errors that one answer tells.
const MAX_ERRORS: usize = 50;
/// How deep values may be nested.
const MAX_DEPTH: usize = 32;

/// A comparison that goes on.
pub(super) struct Comparison<'a> {
    schemas: &'a Schemas,
    /// Where it stands: a JSON pointer.
    at: String,
    pub(super) errors: Vec<ProblemPart>,
    /// Whether there are more than are kept.
    pub(super) more: bool,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(schemas: &'a Schemas) -> Self {
        Comparison { schemas, at: String::new(), errors: Vec::new(), more: false }
    }

    /// Compares the value at this place.
    pub(super) fn value(&mut self, schema: &Value, value: &Value, depth: usize) {
        let schema = self.schemas.resolve(schema);
        if depth > MAX_DEPTH {
            let expected = format!("at most {MAX_DEPTH} levels");
            return self.tell(expected, "more of them".to_owned(), None);
        }
        if value.is_null() && schema["nullable"] == true {
            return;
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.value(part, value, depth + 1);
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(forms) = schema[keyword].as_array() {
                self.one_of(forms, value, depth);
            }
        }
        if let Some(allowed) = schema["enum"].as_array() {
            if !allowed.contains(value) {
                self.miss(schema, value);
            }
            return;
        }
        match (schema["type"].as_str(), value) {
            (None, _) => {}
            (Some("object"), Value::Object(fields)) => self.object(schema, fields, depth),
            (Some("array"), Value::Array(items)) => self.array(schema, items, depth),
            (Some("string"), Value::String(text)) => self.string(schema, value, text),
            (Some("boolean"), Value::Bool(_)) => {}
            (Some("integer"), Value::Number(number))
                if (number.is_i64() || number.is_u64()) && is_within(number, schema) => {}
            (Some("number"), Value::Number(number)) if is_within(number, schema) => {}
            _ => self.miss(schema, value),
        }
    }

    fn object(&mut self, schema: &Value, fields: &Map<String, Value>, depth: usize) {
        let none = Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&none);
        let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        for name in required.iter().filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                let wanted = properties.get(name).unwrap_or(&Value::Null);
                self.within(name, |this| {
                    let (expected, allowed) = this.wanted(wanted);
                    this.tell(expected, "nothing".to_owned(), allowed);
                });
            }
        }
        for (name, value) in fields {
            match properties.get(name) {
                // Null is the same as nothing.
                Some(_) if value.is_null() && !required.iter().any(|known| known == name) => {}
                Some(schema) => self.within(name, |this| this.value(schema, value, depth + 1)),
                None if schema["additionalProperties"] == false => {
                    let allowed = properties.keys().cloned().collect();
                    let found = found(value, is_secret(name));
                    self.within(name, |this| {
                        this.tell("no such field".to_owned(), found, Some(allowed));
                    });
                }
                None => {}
            }
            if self.more {
                return;
            }
        }
    }

    fn array(&mut self, schema: &Value, items: &[Value], depth: usize) {
        let count = items.len() as u64;
        let few = schema["minItems"].as_u64().is_some_and(|least| count < least);
        let many = schema["maxItems"].as_u64().is_some_and(|most| count > most);
        let repeated = schema["uniqueItems"] == true && !all_differ(items);
        if few || many || repeated {
            self.tell(expectation(schema), format!("a list of {count} items"), None);
        }
        for (index, item) in items.iter().enumerate() {
            self.within(&index.to_string(), |this| this.value(&schema["items"], item, depth + 1));
            if self.more {
                return;
            }
        }
    }

    fn string(&mut self, schema: &Value, value: &Value, text: &str) {
        let chars = text.chars().count() as u64;
        let short = schema["minLength"].as_u64().is_some_and(|least| chars < least);
        let long = schema["maxLength"].as_u64().is_some_and(|most| chars > most);
        let form = schema["pattern"].as_str();
        let misformed = form.is_some_and(|form| !self.schemas.is_of_form(form, text));
        let no_instant = schema["format"] == "date-time"
            && Instant::parse_from_json(Some(value.clone())).is_err();
        if short || long || misformed || no_instant {
            self.miss(schema, value);
        }
    }

    /// One of several forms: if none fits, the errors of the one that comes nearest.
    fn one_of(&mut self, forms: &[Value], value: &Value, depth: usize) {
        let compared = forms.iter().map(|form| {
            let mut one = Comparison { at: self.at.clone(), ..Comparison::new(self.schemas) };
            one.value(form, value, depth + 1);
            one
        });
        if let Some(nearest) = compared.min_by_key(|one| one.errors.len()) {
            self.errors.extend(nearest.errors);
            self.more |= nearest.more;
        }
        self.bound();
    }

    /// What a schema wants, in words, with the choice that there is.
    fn wanted(&self, schema: &Value) -> (String, Option<Vec<String>>) {
        let mut schema = self.schemas.resolve(schema);
        // An optional one stands within `allOf`, alone.
        while let Some([one]) = schema["allOf"].as_array().map(Vec::as_slice) {
            schema = self.schemas.resolve(one);
        }
        let named = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let allowed = schema["enum"].as_array();
        (expectation(schema), allowed.map(|all| all.iter().map(named).collect()))
    }

    /// The value here is not what the schema wants.
    fn miss(&mut self, schema: &Value, value: &Value) {
        let (expected, allowed) = self.wanted(schema);
        let name = self.at.rsplit('/').next().unwrap_or_default();
        let found = found(value, is_secret(name));
        self.tell(expected, found, allowed);
    }

    fn tell(&mut self, expected: String, found: String, allowed: Option<Vec<String>>) {
        self.errors.push(ProblemPart::at(&self.at, expected, found, allowed));
        self.bound();
    }

    fn bound(&mut self) {
        if self.errors.len() > MAX_ERRORS {
            self.errors.truncate(MAX_ERRORS);
            self.more = true;
        }
    }

    /// Goes on within a field or an item.
    fn within(&mut self, name: &str, go_on: impl FnOnce(&mut Self)) {
        let above = self.at.len();
        self.at.push('/');
        self.at.push_str(&name.replace('~', "~0").replace('/', "~1"));
        go_on(self);
        self.at.truncate(above);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn errors(schema: Value, body: Value) -> Vec<(String, String)> {
        let document = json!({"components": {"schemas": {"Root": schema, "Kind": {
            "type": "string", "enum": ["a", "b"],
        }}}});
        let schemas = Schemas::of_document(&document);
        let mut comparison = Comparison::new(&schemas);
        comparison.value(&json!({"$ref": "#/components/schemas/Root"}), &body, 0);
        let told = |error: ProblemPart| (error.pointer.unwrap(), error.found.unwrap());
        comparison.errors.into_iter().map(told).collect()
    }

    fn schema() -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["name", "kind"],
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 3, "pattern": "^[a-z]+$"},
                "kind": {"allOf": [{"$ref": "#/components/schemas/Kind"}]},
                "count": {"type": "integer", "format": "uint32", "maximum": 5.0},
                "share": {"type": "number", "minimum": 0.5},
                "at": {"type": "string", "format": "date-time"},
                "on": {"type": "boolean"},
                "kinds": {"type": "array", "items": {"$ref": "#/components/schemas/Kind"},
                          "minItems": 1, "maxItems": 2, "uniqueItems": true},
                "either": {"oneOf": [{"type": "string"}, {"type": "boolean"}]},
            },
        })
    }

    #[test]
    fn what_fits_has_no_errors() {
        for body in [
            json!({"name": "abc", "kind": "a"}),
            json!({"name": "a", "kind": "b", "count": 5, "share": 0.5, "on": false, "kinds": ["a"],
                   "at": "2026-01-12T00:00:00Z", "either": true}),
            json!({"name": "é".replace('é', "e"), "kind": "b", "count": null, "kinds": null}),
        ] {
            assert_eq!(errors(schema(), body.clone()), [], "{body}");
        }
    }

    #[test]
    fn every_error_has_its_place() {
        let body = json!({"name": "ABCD", "kind": "c", "count": 6, "share": 0, "on": 1, "at": "now",
            "kinds": ["a", "x", "a"], "either": 3, "a/b~": 1});
        let places: Vec<_> = errors(schema(), body).into_iter().map(|(place, _)| place).collect();
        let expected = [
            "/at", "/a~1b~0", "/count", "/either", "/kind", "/kinds", "/kinds/1", "/name", "/on",
            "/share",
        ];
        let mut sorted = places.clone();
        sorted.sort();
        assert_eq!(sorted, expected);
        let missing = errors(schema(), json!({}));
        assert_eq!(
            missing,
            [("/name".into(), "nothing".into()), ("/kind".into(), "nothing".into())]
        );
        assert_eq!(errors(schema(), json!({"name": null, "kind": 1})).len(), 2);
        for whole in [json!(null), json!([]), json!(1), json!("x")] {
            assert_eq!(errors(schema(), whole.clone())[0].0, "", "{whole}");
        }
        for number in [json!(1.5), json!(-1), json!("1"), json!(1e300)] {
            let body = json!({"name": "a", "kind": "a", "count": number});
            assert_eq!(errors(schema(), body).len(), 1, "{number}");
        }
    }

    #[test]
    fn errors_and_depth_are_bounded() {
        let list = json!({"type": "array", "items": {"type": "boolean"}});
        assert_eq!(errors(list, json!(vec![1; 10_000])).len(), MAX_ERRORS);
        let nested = json!({"type": "array", "items": {"$ref": "#/components/schemas/Root"}});
        let deep = (0..100).fold(json!([]), |inner, _| json!([inner]));
        let found = errors(nested, deep);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0.matches('/').count(), MAX_DEPTH + 1);
    }
}
