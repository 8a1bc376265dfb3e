//! The JSON Schema put to use: the limits of numbers, texts and lists stand in it alone, so that an
//! editor that checks by it and [`super::read`] refuse the same.
use super::error::Problem;
use super::tree::{Node, Step, Value, field};
use serde_json::{Value as Json, json};

/// The schema of a kind of files.
pub(crate) struct Rules(&'static Json);

/// So deep may schemas refer to each other.
const MAX_DEPTH: usize = 16;

impl Rules {
    pub(crate) fn new(schema: &'static Json) -> Self {
        Rules(schema)
    }

    /// Tells of everything outside the limits, except where something stands in. What is outside is
    /// as good as refused: nothing that depends on it is worth telling.
    pub(crate) fn check(&self, tree: &mut Node, text: &str, told: &mut Vec<Problem>) {
        let mut walk = Walk { rules: self, text, path: Vec::new(), outside: Vec::new(), told };
        walk.value(tree, self.0);
        for path in walk.outside {
            if let Some(node) = tree.at_mut(&path) {
                node.stands_in = true;
            }
        }
    }

    /// A value that may be at that place.
    pub(crate) fn example(&self, path: &[Step]) -> Option<Json> {
        let mut at = self.0;
        for step in path {
            at = self.inside(at, step)?;
        }
        self.example_of(at, 0)
    }

    /// The schema that a reference names.
    fn referred(&self, schema: &Json) -> Option<&Json> {
        let name = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/"));
        name.map(|name| &self.0["$defs"][name])
    }

    /// The schema at the end of all references.
    fn resolved<'a>(&'a self, schema: &'a Json) -> &'a Json {
        let all = std::iter::successors(Some(schema), |schema| self.referred(schema));
        all.take(MAX_DEPTH).last().unwrap_or(schema)
    }

    /// The schemas of which one holds.
    fn branches(schema: &Json) -> impl Iterator<Item = &Json> {
        ["anyOf", "oneOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten()
    }

    fn inside<'a>(&'a self, schema: &'a Json, step: &Step) -> Option<&'a Json> {
        let schema = self.resolved(schema);
        let own = match step {
            Step::Key(key) => &schema["properties"][key],
            Step::Index(_) => &schema["items"],
        };
        if !own.is_null() {
            return Some(own);
        }
        Self::branches(schema).find_map(|branch| self.inside(branch, step))
    }

    fn example_of(&self, schema: &Json, depth: usize) -> Option<Json> {
        if depth > MAX_DEPTH {
            return None;
        }
        let schema = self.resolved(schema);
        let known = [&schema["const"], &schema["examples"][0]];
        if let Some(known) = known.into_iter().find(|value| !value.is_null()) {
            return Some(known.clone());
        }
        if let Some(branch) = Self::branches(schema).next() {
            return self.example_of(branch, depth + 1);
        }
        match schema["type"].as_str().or_else(|| schema["type"][0].as_str())? {
            "string" => Some(json!("x")),
            "boolean" => Some(json!(false)),
            "integer" | "number" => {
                Some(if schema["minimum"].is_null() { json!(0) } else { schema["minimum"].clone() })
            }
            "array" => {
                let item = self.example_of(&schema["items"], depth + 1)?;
                let least = usize::try_from(schema["minItems"].as_u64().unwrap_or(0)).ok()?;
                Some(Json::Array(vec![item; least]))
            }
            "object" => {
                let required = schema["required"].as_array().into_iter().flatten();
                let entry = |key: &Json| {
                    let key = key.as_str()?;
                    let value = self.example_of(&schema["properties"][key], depth + 1)?;
                    Some((key.to_owned(), value))
                };
                required.map(entry).collect::<Option<_>>().map(Json::Object)
            }
            _ => None,
        }
    }
}

struct Walk<'a> {
    rules: &'a Rules,
    text: &'a str,
    path: Vec<Step>,
    outside: Vec<Vec<Step>>,
    told: &'a mut Vec<Problem>,
}

impl Walk<'_> {
    fn value(&mut self, node: &Node, schema: &Json) {
        if node.stands_in {
            return;
        }
        self.limits(node, schema);
        let rules = self.rules;
        if let Some(referred) = rules.referred(schema) {
            self.value(node, referred);
            return;
        }
        if let Some(branch) =
            Rules::branches(schema).find(|branch| fits(node, rules.resolved(branch)))
        {
            self.value(node, branch);
        }
        match &node.value {
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.step(index.into(), item, &schema["items"]);
                }
            }
            Value::Map(entries) => {
                for (key, value) in entries {
                    let inner = &schema["properties"][key.text.as_str()];
                    self.step(key.text.as_str().into(), value, inner);
                }
            }
            _ => {}
        }
    }

    fn step(&mut self, step: Step, node: &Node, schema: &Json) {
        if schema.is_null() {
            return;
        }
        self.path.push(step);
        self.value(node, schema);
        self.path.pop();
    }

    fn limits(&mut self, node: &Node, schema: &Json) {
        let (least, most, found, what) = match &node.value {
            Value::Signed(_) | Value::Unsigned(_) | Value::Float(_) => {
                let Some(value) = number(node) else { return };
                ("minimum", "maximum", value, "a number".to_owned())
            }
            Value::Text(text) => (
                "minLength",
                "maxLength",
                text.chars().count() as f64,
                "text with a length".to_owned(),
            ),
            Value::List(items) => {
                let what = format!("a number of {}", self.last_key());
                ("minItems", "maxItems", items.len() as f64, what)
            }
            Value::Null | Value::Bool(_) | Value::Map(_) => return,
        };
        let (least, most) = (schema[least].as_f64(), schema[most].as_f64());
        if least.is_none_or(|least| found >= least) && most.is_none_or(|most| found <= most) {
            return;
        }
        let range = match (least, most) {
            (Some(least), Some(most)) => format!("from {least} to {most}"),
            (Some(least), None) => format!("of {least} or more"),
            (None, most) => format!("up to {}", most.unwrap_or_default()),
        };
        let found = match &node.value {
            Value::Text(_) | Value::List(_) => found.to_string(),
            _ => node.found(self.text).trim_matches('`').to_owned(),
        };
        self.outside.push(self.path.clone());
        self.told.push(Problem {
            position: node.position,
            field: field(&self.path),
            problem: format!("expected {what} {range}, found {found}"),
            hint: None,
        });
    }

    fn last_key(&self) -> String {
        let keys = self.path.iter().rev().filter_map(|step| match step {
            Step::Key(key) => Some(key.clone()),
            Step::Index(_) => None,
        });
        keys.take(1).next().unwrap_or_else(|| "items".to_owned())
    }
}

fn number(node: &Node) -> Option<f64> {
    match node.value {
        Value::Signed(value) => Some(value as f64),
        Value::Unsigned(value) => Some(value as f64),
        Value::Float(value) => Some(value),
        _ => None,
    }
}

/// Whether a value has the shape that a schema means.
fn fits(node: &Node, schema: &Json) -> bool {
    let type_name = schema["type"].as_str();
    match &node.value {
        Value::Null => type_name == Some("null"),
        Value::Bool(_) => type_name == Some("boolean"),
        Value::Signed(_) | Value::Unsigned(_) | Value::Float(_) => {
            matches!(type_name, Some("number" | "integer"))
        }
        Value::Text(_) => type_name == Some("string"),
        Value::List(_) => type_name == Some("array"),
        Value::Map(entries) => {
            let mut required = schema["required"].as_array().into_iter().flatten();
            (type_name == Some("object") || schema["oneOf"].is_array())
                && required.all(|key| entries.iter().any(|(k, _)| Some(&*k.text) == key.as_str()))
        }
    }
}
