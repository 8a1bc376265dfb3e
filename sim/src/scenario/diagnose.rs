//! Finds out what exactly is wrong with a scenario that could not be read: the model is read once
//! more, from the tree, by a deserializer that knows at every step in which field it is.
use super::error::{Position, Problem, did_you_mean, excerpt};
use super::model::Scenario;
use super::tree::{Node, Step, Value, field};
use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor, value::StrDeserializer,
};
use serde::forward_to_deserialize_any;
use std::fmt;

/// The first thing in the tree that the model refuses.
pub(super) fn diagnose(root: &Node, text: &str) -> Option<Problem> {
    Scenario::deserialize(Cursor { node: root, text }).err().map(Fault::into_problem)
}

/// What was refused and, collected on the way out, where.
#[derive(Debug)]
struct Fault {
    problem: String,
    hint: Option<String>,
    /// What was expected, until the value knows what it found.
    expected: Option<String>,
    /// The place, once a value has claimed the fault.
    position: Option<Option<Position>>,
    /// The steps to the value, the last one first.
    steps: Vec<Step>,
}

impl Fault {
    fn new(problem: String, hint: Option<String>) -> Self {
        Fault { problem, hint, expected: None, position: None, steps: Vec::new() }
    }

    fn expected(expected: String) -> Self {
        Fault { expected: Some(expected), ..Fault::new(String::new(), None) }
    }

    /// The fault is this value's, unless a value inside it has claimed it before.
    fn at(mut self, node: &Node, text: &str) -> Self {
        if self.position.is_none() {
            self.position = Some(node.position);
            if let Some(expected) = self.expected.take() {
                self.problem = format!("expected {expected}, found {}", node.found(text));
                if matches!(node.value, Value::Null) && self.hint.is_none() {
                    let hint = "give it a value, or leave the key out to get the default";
                    self.hint = Some(hint.to_owned());
                }
            }
        }
        self
    }

    fn inside(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    fn into_problem(mut self) -> Problem {
        self.steps.reverse();
        Problem {
            position: self.position.flatten(),
            field: field(&self.steps),
            problem: self.problem,
            hint: self.hint,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Fault {}

impl Error for Fault {
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Fault::new(problem.to_string(), None)
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Fault::expected(plain_words(&expected.to_string()))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Fault::expected(plain_words(&expected.to_string()))
    }

    fn invalid_length(found: usize, expected: &dyn Expected) -> Self {
        let expected = plain_words(&expected.to_string());
        Fault::new(format!("expected {expected}, found a list of {found}"), None)
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        let problem = format!("expected one of {}, found {}", known.join(", "), excerpt(found));
        Fault::new(problem, did_you_mean(found, known.iter().copied()))
    }

    fn unknown_field(found: &str, known: &'static [&'static str]) -> Self {
        let keys = || format!("the keys here are {}", known.join(", "));
        let hint = did_you_mean(found, known.iter().copied()).unwrap_or_else(keys);
        Fault::new(format!("expected a known key, found {}", excerpt(found)), Some(hint))
    }

    fn missing_field(key: &'static str) -> Self {
        Fault::new(format!("expected the key `{key}`, which is missing"), None)
    }
}

/// Serde's names of Rust types, as people say them.
fn plain_words(expected: &str) -> String {
    let text = match expected {
        "u32" => "a whole number from 0 to 4294967295",
        "u64" => "a whole number, 0 or more",
        "f64" => "a number",
        "a boolean" => "true or false",
        "a string" => "text",
        "a sequence" => "a list",
        _ if expected.starts_with("struct ") => "a mapping (`key: value` lines)",
        _ => return expected.replace("an array of length", "a list of"),
    };
    text.to_owned()
}

/// A value of the tree, on its way into the model.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    node: &'a Node,
    text: &'a str,
}

impl<'a> Cursor<'a> {
    fn to(self, node: &'a Node) -> Self {
        Cursor { node, text: self.text }
    }

    fn expected(self, expected: &str) -> Fault {
        Fault::expected(expected.to_owned()).at(self.node, self.text)
    }

    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Signed(value) => visitor.visit_i64(*value),
            Value::Unsigned(value) => visitor.visit_u64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(value) => visitor.visit_str(value),
            Value::List(items) => {
                let mut access = Items { cursor: self, items, next: 0 };
                let value = visitor.visit_seq(&mut access)?;
                match items.len() - access.next {
                    0 => Ok(value),
                    _ => Err(Fault::new(
                        format!(
                            "expected a list of {}, found a list of {}",
                            access.next,
                            items.len()
                        ),
                        None,
                    )),
                }
            }
            Value::Map(entries) => visitor.visit_map(Entries { cursor: self, entries, next: 0 }),
        }
    }
}

impl<'de> Deserializer<'de> for Cursor<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit(visitor).map_err(|fault| fault.at(self.node, self.text))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let scalar = !matches!(self.node.value, Value::Null | Value::List(_) | Value::Map(_));
        let result = match self.node.written(self.text).filter(|_| scalar) {
            Some(text) => visitor.visit_str(text),
            None => self.visit(visitor),
        };
        result.map_err(|fault| fault.at(self.node, self.text))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Text(text) if name != "Draw" => visitor
                .visit_enum(text.as_str().into_deserializer())
                .map_err(|fault: Fault| fault.at(self.node, self.text)),
            Value::Map(entries) if entries.len() == 1 => visitor
                .visit_enum(Variant { cursor: self, key: &entries[0].0.text, node: &entries[0].1 })
                .map_err(|fault: Fault| fault.at(self.node, self.text)),
            _ if name == "Draw" => Err(Fault {
                hint: Some(format!("exactly one of {} is written", variants.join(", "))),
                ..self.expected(
                    "a distribution such as {constant: 6m} or \
                     {lognormal: {median: 6m, sigma: 0.9}}",
                )
            }),
            _ => Err(self.expected(&format!("one of {}", variants.join(", ")))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Items<'a> {
    cursor: Cursor<'a>,
    items: &'a [Node],
    next: usize,
}

impl<'de> SeqAccess<'de> for &mut Items<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some(node) = self.items.get(self.next) else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        seed.deserialize(self.cursor.to(node)).map(Some).map_err(|f| f.inside(index.into()))
    }
}

struct Entries<'a> {
    cursor: Cursor<'a>,
    entries: &'a [(super::tree::Key, Node)],
    next: usize,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((key, _)) = self.entries.get(self.next) else { return Ok(None) };
        let text: StrDeserializer<'_, Fault> = key.text.as_str().into_deserializer();
        seed.deserialize(text)
            .map(Some)
            .map_err(|fault| Fault { position: Some(key.position), ..fault })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some((key, node)) = self.entries.get(self.next) else {
            return Err(Fault::custom("a key without a value"));
        };
        self.next += 1;
        let inside = |fault: Fault| fault.inside(key.text.as_str().into());
        seed.deserialize(self.cursor.to(node)).map_err(inside)
    }
}

/// An enum written as `variant: content`.
struct Variant<'a> {
    cursor: Cursor<'a>,
    key: &'a str,
    node: &'a Node,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let key: StrDeserializer<'_, Fault> = self.key.into_deserializer();
        Ok((seed.deserialize(key)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Err(self.cursor.expected("a plain word"))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self.cursor.to(self.node)).map_err(|f| f.inside(self.key.into()))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.struct_variant(&[], visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let cursor = self.cursor.to(self.node);
        cursor.deserialize_any(visitor).map_err(|f| f.inside(self.key.into()))
    }
}
