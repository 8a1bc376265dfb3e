//! The file as a tree in which every value knows its place, so that an error can name it.
use super::error::{Position, Problem, excerpt};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};
use std::collections::BTreeMap;
use std::fmt;

/// One value.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) position: Option<Position>,
    pub(crate) value: Value,
    /// The bytes of the file it was read from: its text as somebody wrote it.
    source: Option<std::ops::Range<usize>>,
    /// It stands where the file has something that was refused, or lacks what it must have.
    pub(crate) stands_in: bool,
    /// Keys that the mapping has lost because nobody knows them: what it seems to lack may have been
    /// meant.
    pub(crate) unknown: Vec<Box<str>>,
}

/// What a value is.
#[derive(Debug)]
pub(crate) enum Value {
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
pub(crate) struct Key {
    pub(crate) position: Option<Position>,
    pub(crate) text: String,
}

/// One step from a value to a value inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To the value of a key.
    Key(String),
    /// To an item of a list, from 0.
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
pub fn field(path: &[Step]) -> String {
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
    pub(crate) fn nearest(&self, path: &[Step]) -> &Node {
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
    pub(crate) fn found(&self, text: &str) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
            _ => self.written(text).map_or_else(|| "another value".to_owned(), excerpt),
        }
    }

    /// The scalar's own text in the file, without quotes.
    pub(crate) fn written<'a>(&'a self, text: &'a str) -> Option<&'a str> {
        match &self.value {
            Value::Text(value) => Some(value),
            _ => text.get(self.source.clone()?),
        }
    }

    /// The value at the end of the path, to be changed.
    pub(crate) fn at_mut(&mut self, path: &[Step]) -> Option<&mut Node> {
        let Some((step, rest)) = path.split_first() else { return Some(self) };
        let next = match (step, &mut self.value) {
            (Step::Key(key), Value::Map(entries)) => {
                entries.iter_mut().find(|(k, _)| k.text == *key).map(|(_, node)| node)
            }
            (Step::Index(index), Value::List(items)) => items.get_mut(*index),
            _ => None,
        };
        next?.at_mut(rest)
    }

    /// Whether the file says something at the end of the path.
    pub(crate) fn has(&self, path: &[Step]) -> bool {
        let Some((step, rest)) = path.split_first() else { return true };
        match (step, &self.value) {
            (Step::Key(key), Value::Map(entries)) => {
                entries.iter().any(|(k, node)| k.text == *key && node.has(rest))
            }
            (Step::Index(index), Value::List(items)) => {
                items.get(*index).is_some_and(|node| node.has(rest))
            }
            _ => false,
        }
    }

    /// Whether what the path leads to is not as the file has it: it was refused, or something on
    /// the way or inside it was.
    pub(crate) fn is_touched(&self, path: &[Step]) -> bool {
        if self.stands_in {
            return true;
        }
        let Some((step, rest)) = path.split_first() else { return self.has_stand_in() };
        match (step, &self.value) {
            (Step::Key(key), Value::Map(entries)) => {
                let found = entries.iter().find(|(k, _)| k.text == *key);
                found.map_or(!self.unknown.is_empty(), |(_, node)| node.is_touched(rest))
            }
            (Step::Index(index), Value::List(items)) => {
                items.get(*index).is_some_and(|node| node.is_touched(rest))
            }
            _ => false,
        }
    }

    fn has_stand_in(&self) -> bool {
        self.stands_in
            || match &self.value {
                Value::List(items) => items.iter().any(Node::has_stand_in),
                Value::Map(entries) => {
                    !self.unknown.is_empty() || entries.iter().any(|(_, node)| node.has_stand_in())
                }
                _ => false,
            }
    }

    /// A value in the place of one that was refused or is missing.
    pub(crate) fn stand_in(position: Option<Position>, value: &serde_json::Value) -> Node {
        use serde_json::Value as Json;
        let inner = |value: &Json| Node::stand_in(position, value);
        let value = match value {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => Value::Unsigned(value),
                (None, Some(value)) => Value::Signed(value),
                (None, None) => Value::Float(number.as_f64().unwrap_or_default()),
            },
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(items) => Value::List(items.iter().map(inner).collect()),
            Json::Object(entries) => {
                let key = |text: &String| Key { position, text: text.clone() };
                Value::Map(entries.iter().map(|(text, value)| (key(text), inner(value))).collect())
            }
        };
        Node { position, value, source: None, stands_in: true, unknown: Vec::new() }
    }

    /// Takes out the keys that a mapping has a second time, and tells of each.
    pub(crate) fn drop_duplicates(&mut self, path: &mut Vec<Step>, told: &mut Vec<Problem>) {
        match &mut self.value {
            Value::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    path.push(index.into());
                    item.drop_duplicates(path, told);
                    path.pop();
                }
            }
            Value::Map(entries) => {
                let mut seen = BTreeMap::new();
                entries.retain_mut(|(key, value)| {
                    path.push(key.text.as_str().into());
                    let first = seen.get(&key.text).copied();
                    match first {
                        Some(first) => told.push(twice(key, first, path)),
                        None => {
                            seen.insert(key.text.clone(), key.position);
                            value.drop_duplicates(path, told);
                        }
                    }
                    path.pop();
                    first.is_none()
                });
            }
            _ => {}
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
pub(crate) fn position(location: &Location) -> Option<Position> {
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
        let position = position(&spanned.referenced);
        Ok(Node { position, value: spanned.value, source, stands_in: false, unknown: Vec::new() })
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
