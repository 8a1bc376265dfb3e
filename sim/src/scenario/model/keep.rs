//! How much of its past a world keeps.
use crate::scenario::units::Span;
use schemars::JsonSchema;
use serde::Deserialize;

/// What is removed as the world grows older, so that one that runs for ever stays small.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Keep {
    /// How long history is kept, at least; a day or more. Older versions that nobody runs go, with
    /// their documents, and what else has ended. When absent, all is kept.
    pub history: Option<Span>,
}
