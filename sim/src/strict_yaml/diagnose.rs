//! Reads the model from the tree by a deserializer that knows at every step in which field it is, and
//! goes on after what it refuses: a value that could be there takes its place.
mod fault;

use super::error::{MOST, Problem, did_you_mean};
use super::rules::Rules;
use super::tree::{Key, Node, Step, Value};
use crate::cast::whole_u64;
use fault::{Fault, Kind, MAPPING};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer,
    MapAccess, SeqAccess, VariantAccess, Visitor, value::StrDeserializer,
};
use serde::forward_to_deserialize_any;

/// Reads the model. What is refused is told, and in the tree something that may stand there takes
/// its place; none: so much is wrong that the rest cannot be read.
pub(super) fn read<T: DeserializeOwned>(
    root: &mut Node,
    text: &str,
    rules: &Rules,
    told: &mut Vec<Problem>,
) -> Option<T> {
    while told.len() < MOST {
        let fault = match T::deserialize(Cursor { node: root, text }) {
            Ok(read) => return Some(read),
            Err(fault) => fault,
        };
        let (kind, mut path) = (fault.kind.clone(), fault.steps.clone());
        path.reverse();
        let node = root.at_mut(&path)?;
        if !follows(&kind, node) {
            told.push(fault.into_problem());
        }
        mend(node, &path, kind, rules)?;
    }
    None
}

/// Whether it follows from a key that nobody knows, of which was told before: the key that is missing
/// was meant by it, or the mapping as a whole is not what it should be.
fn follows(kind: &Kind, node: &Node) -> bool {
    match kind {
        Kind::MissingKey(missing) => {
            node.unknown.iter().any(|unknown| did_you_mean(unknown, [*missing]).is_some())
        }
        Kind::Value => matches!(node.value, Value::Map(_)) && !node.unknown.is_empty(),
        Kind::UnknownKey(_) => false,
    }
}

/// Puts something readable into the place of what was refused.
fn mend(node: &mut Node, path: &[Step], kind: Kind, rules: &Rules) -> Option<()> {
    match (kind, &mut node.value) {
        (Kind::UnknownKey(unknown), Value::Map(entries)) => {
            entries.retain(|(key, _)| *key.text != *unknown);
            node.unknown.push(unknown);
        }
        (Kind::MissingKey(missing), Value::Map(entries)) => {
            let inside: Vec<Step> = path.iter().cloned().chain([missing.into()]).collect();
            let value = rules.example(&inside)?;
            let key = Key { position: node.position, text: missing.to_owned() };
            entries.push((key, Node::stand_in(node.position, &value)));
        }
        _ if node.stands_in => return None,
        _ => *node = Node::stand_in(node.position, &rules.example(path)?),
    }
    Some(())
}

const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;

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

    /// A mapping: serde would take a list of its values for one.
    fn mapping<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.node.value {
            Value::List(_) => Err(self.expected(MAPPING)),
            _ => self.deserialize_any(visitor),
        }
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

    /// Text is text alone: what YAML takes for a number or a truth value is none.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let other = !matches!(
            self.node.value,
            Value::Text(_) | Value::Null | Value::List(_) | Value::Map(_)
        );
        let result = match self.node.written(self.text).filter(|_| other) {
            Some(text) => visitor.visit_str(text).and_then(|_| {
                let hint = format!("text that looks like a number needs quotes: \"{text}\"");
                Err(Fault { hint: Some(hint.into()), ..Fault::expected("text".to_owned()) })
            }),
            None => self.visit(visitor),
        };
        result.map_err(|fault| fault.at(self.node, self.text))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.mapping(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_u64(visitor)
    }

    /// A number like 4.0 is whole.
    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let result = match self.node.value {
            Value::Float(value) if (0.0..TWO_TO_64).contains(&value) && value.fract() == 0.0 => {
                visitor.visit_u64(whole_u64(value))
            }
            _ => self.visit(visitor),
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
            Value::Text(text) if !name.ends_with("Draw") => visitor
                .visit_enum(text.as_str().into_deserializer())
                .map_err(|fault: Fault| fault.at(self.node, self.text)),
            Value::Map(entries) if entries.len() == 1 => visitor
                .visit_enum(Variant { cursor: self, key: &entries[0].0.text, node: &entries[0].1 })
                .map_err(|fault: Fault| fault.at(self.node, self.text)),
            _ if name == "NumberDraw" => Err(self.expected(
                "a number without a unit such as {lognormal_number: {mu: 1.3, sigma: 1}}",
            )),
            _ if name == "Draw" => Err(Fault {
                hint: Some(format!("exactly one of {} is written", variants.join(", ")).into()),
                ..self.expected(
                    "a distribution such as {constant: 6m} or \
                     {lognormal: {median: 6m, sigma: 0.9}}",
                )
            }),
            _ => Err(self.expected(&format!("one of {}", variants.join(", ")))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
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
        let claimed = |fault: Fault| fault.at(node, self.cursor.text).inside(index.into());
        seed.deserialize(self.cursor.to(node)).map(Some).map_err(claimed)
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
        let text = self.cursor.text;
        let claimed = |fault: Fault| fault.at(node, text).inside(key.text.as_str().into());
        seed.deserialize(self.cursor.to(node)).map_err(claimed)
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
        cursor.mapping(visitor).map_err(|f| f.inside(self.key.into()))
    }
}
