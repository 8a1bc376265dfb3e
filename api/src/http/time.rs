//! Instants as the API writes them: RFC 3339, UTC with a `Z`, milliseconds where there are some.
use chrono::{DateTime, Timelike, Utc};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{
    ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type,
};
use serde_json::Value;
use std::borrow::Cow;

/// A simulated (or, where a field says so, a real) instant, cut to milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(DateTime<Utc>);

impl Instant {
    /// The instant as a date.
    pub(crate) fn datetime(self) -> DateTime<Utc> {
        self.0
    }

    fn parse(text: &str) -> Result<Self, String> {
        let at = DateTime::parse_from_rfc3339(text).map_err(|_| {
            let plus = if text.contains(' ') { "; a + in a query is written %2B" } else { "" };
            format!("expected an instant such as 2026-01-12T06:00:00Z{plus}")
        })?;
        Ok(at.with_timezone(&Utc).into())
    }
}

impl From<DateTime<Utc>> for Instant {
    fn from(at: DateTime<Utc>) -> Self {
        let nanos = at.nanosecond() % 1_000_000_000 / 1_000_000 * 1_000_000;
        Instant(at.with_nanosecond(nanos).unwrap_or(at))
    }
}

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&store::instants::text(self.0))
    }
}

impl Type for Instant {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "string_date-time".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        let schema = MetaSchema {
            example: Some("2026-01-12T06:00:00Z".into()),
            ..MetaSchema::new_with_format("string", "date-time")
        };
        MetaSchemaRef::Inline(Box::new(schema))
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

impl ParseFromJSON for Instant {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value.unwrap_or_default() {
            Value::String(text) => Instant::parse(&text).map_err(ParseError::custom),
            other => Err(ParseError::expected_type(other)),
        }
    }
}

impl ParseFromParameter for Instant {
    fn parse_from_parameter(text: &str) -> ParseResult<Self> {
        Instant::parse(text).map_err(ParseError::custom)
    }
}

impl ToJSON for Instant {
    fn to_json(&self) -> Option<Value> {
        Some(Value::String(self.to_string()))
    }
}

/// An instant for examples: so many hours after the start of 12 January 2026.
pub(crate) fn example(hours: i64) -> Instant {
    const START_MS: i64 = 1_768_176_000_000;
    let at = DateTime::from_timestamp_millis(START_MS + hours * 3_600_000);
    Instant(at.unwrap_or(DateTime::UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_offset_is_read_and_one_form_is_written() {
        let at = Instant::parse("2026-01-05T01:00:00.123456+01:00").unwrap();
        assert_eq!(at.to_string(), "2026-01-05T00:00:00.123Z");
        let at = Instant::parse("2026-01-05T00:00:00.000999Z").unwrap();
        assert_eq!(at.to_string(), "2026-01-05T00:00:00Z");
        for text in ["", "2026-01-05", "2026-01-05T00:00:00", "yesterday", "2026-13-05T00:00:00Z"] {
            assert!(Instant::parse(text).is_err(), "{text}");
        }
        assert!(Instant::parse("2026-01-05T00:00:00 01:00").unwrap_err().contains("%2B"));
    }
}
