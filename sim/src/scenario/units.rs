//! The values a scenario is written in: each says what it expected when it refuses something.
/// The schema of a value that is written as one scalar.
macro_rules! schema_of {
    ($name:ident, $schema:tt) => {
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

mod change;
mod cron;
mod instant;
mod name;
mod number;
mod span;

pub use change::Change;
pub(crate) use change::written;
pub use cron::CronSchedule;
pub(crate) use cron::Schedule;
pub use instant::Instant;
pub use name::Name;
pub use number::{Amount, Share};
pub use span::Span;

use serde::de::{Deserializer, Error, Unexpected, Visitor};
use std::fmt;

/// Reads one scalar as text and turns it into a value; what it refuses is reported as
/// "expected ..., found ...".
fn from_text<'de, D, T>(
    deserializer: D,
    expected: &'static str,
    parse: fn(&str) -> Result<T, String>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
{
    struct Text<T> {
        expected: &'static str,
        parse: fn(&str) -> Result<T, String>,
    }

    impl<T> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.expected)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            (self.parse)(text).map_err(|e| E::invalid_value(Unexpected::Str(text), &e.as_str()))
        }
    }

    deserializer.deserialize_str(Text { expected, parse })
}
