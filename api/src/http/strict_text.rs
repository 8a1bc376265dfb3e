//! Texts in bodies: a JSON string and nothing else. (poem-openapi's own takes numbers too, which
//! the specification does not say.)
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde_json::Value;
use std::borrow::Cow;
use std::ops::Deref;

/// A JSON string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StrictText(pub(crate) String);

impl Deref for StrictText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for StrictText {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for StrictText {
    fn from(text: &str) -> Self {
        StrictText(text.to_owned())
    }
}

impl Type for StrictText {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "string".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")))
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        Some(self)
    }

    fn raw_element_iter<'a>(
        &'a self,
    ) -> Box<dyn Iterator<Item = &'a Self::RawElementValueType> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ParseFromJSON for StrictText {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value.unwrap_or_default() {
            Value::String(text) => Ok(StrictText(text)),
            other => Err(ParseError::expected_type(other)),
        }
    }
}

impl ToJSON for StrictText {
    fn to_json(&self) -> Option<Value> {
        Some(Value::String(self.0.clone()))
    }
}
