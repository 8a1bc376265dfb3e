//! Fields that can be left out: what an absent key and a written null mean is not the same.
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// What a field says beside something that holds already: nothing when it is absent, that there is
/// to be none when it is null, or another value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// Absent: what holds goes on holding.
    #[default]
    Keep,
    /// Null: none.
    Off,
    /// Another value.
    To(T),
}

impl<T> Change<T> {
    /// What holds after the change.
    pub fn of(self, before: Option<T>) -> Option<T> {
        match self {
            Change::Keep => before,
            Change::Off => None,
            Change::To(value) => Some(value),
        }
    }

    /// The change of a value made from this one.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Change::Keep => Change::Keep,
            Change::Off => Change::Off,
            Change::To(value) => Change::To(make(value)),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Change::Off, Change::To))
    }
}

impl<T: JsonSchema> JsonSchema for Change<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }
}

/// Reads a field that may be left out, and has no null: there is nothing to be switched off.
pub(crate) fn written<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}
