//! The file as a tree in which every value knows its place, so that an error can name it.
use super::error::{Position, Problem, excerpt};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};
use std::collections::BTreeMap;
use std::fmt;

/// One value.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) position: Option<Position>,
    pub(super) value: Value,
    /// The bytes of the file it was read from: its text as somebody wrote it.
    source: Option<std::ops::Range<usize>>,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) position: Option<Position>,
    pub(super) text: String,
}

/// One step from a value to a value inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Step::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Step::Index(index)
    }
}

/// A field as people write it: `images[2].base`.
pub(super) fn field(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.push_str(&format!(".{key}")),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

impl Node {
    /// The value at the end of the path, or the last one on the way that exists.
    pub(super) fn nearest(&self, path: &[Step]) -> &Node {
        let Some((step, rest)) = path.split_first() else { return self };
        let next = match (step, &self.value) {
            (Step::Key(key), Value::Map(entries)) => {
                entries.iter().find(|(k, _)| k.text == *key).map(|(_, node)| node)
            }
            (Step::Index(index), Value::List(items)) => items.get(*index),
            _ => None,
        };
        next.map_or(self, |node| node.nearest(rest))
    }

    /// What the file says here, for an error.
    pub(super) fn found(&self, text: &str) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
            _ => self.written(text).map_or_else(|| "another value".to_owned(), excerpt),
        }
    }

    /// The scalar's own text in the file, without quotes.
    pub(super) fn written<'a>(&'a self, text: &'a str) -> Option<&'a str> {
        match &self.value {
            Value::Text(value) => Some(value),
            _ => text.get(self.source.clone()?),
        }
    }

    /// The first key that a mapping has twice.
    pub(super) fn duplicate(&self, path: &mut Vec<Step>) -> Option<Problem> {
        match &self.value {
            Value::List(items) => items.iter().enumerate().find_map(|(index, item)| {
                path.push(index.into());
                let problem = item.duplicate(path);
                path.pop();
                problem
            }),
            Value::Map(entries) => {
                let mut seen = BTreeMap::new();
                entries.iter().find_map(|(key, value)| {
                    path.push(key.text.as_str().into());
                    let problem = match seen.insert(&key.text, key.position) {
                        Some(first) => Some(twice(key, first, path)),
                        None => value.duplicate(path),
                    };
                    path.pop();
                    problem
                })
            }
            _ => None,
        }
    }
}

fn twice(key: &Key, first: Option<Position>, path: &[Step]) -> Problem {
    Problem {
        position: key.position,
        field: field(path),
        problem: format!("expected each key once, found {} a second time", excerpt(&key.text)),
        hint: first.map(|at| format!("it was given before on line {}", at.line)),
    }
}

/// The place that the YAML reader reports, when it has one.
pub(super) fn position(location: &Location) -> Option<Position> {
    (location.line() > 0).then(|| Position { line: location.line(), column: location.column() })
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        let span = spanned.referenced.span();
        let source = span.byte_offset().zip(span.byte_len()).and_then(|(from, len)| {
            let from = usize::try_from(from).ok()?;
            Some(from..from.checked_add(usize::try_from(len).ok()?)?)
        });
        Ok(Node { position: position(&spanned.referenced), value: spanned.value, source })
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<String>::deserialize(deserializer)?;
        Ok(Key { position: position(&spanned.referenced), text: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Signed(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Unsigned(value))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Float(value as f64))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Float(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Value::Map(entries))
    }
}
