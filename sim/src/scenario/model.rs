//! The scenario as data: what a file may say, with the default and the source of every number.
//!
//! Ratings A to D say how far a default can be trusted: A measured on primary data, B a
//! publisher's own report, C secondary or a fit to few points, D an assumption. docs/model.md
//! tells the sources.
mod builds;
mod images;
mod incidents;
mod keep;
mod service;
mod world;

pub use builds::*;
pub use images::*;
pub use incidents::*;
pub use keep::*;
pub use service::*;
pub use world::*;

use super::units::{Instant, Name, Span};
use schemars::JsonSchema;
use serde::Deserialize;

/// A whole scenario.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("allOf" = [{"anyOf": [
    {"required": ["fleet"], "properties": {"fleet": {"type": "object"}}},
    {"required": ["images"], "properties": {"images": {"minItems": 1}}},
]}]))]
pub struct Scenario {
    /// A short name: letters, digits and hyphens.
    pub name: Name,
    /// One line for people.
    #[schemars(length(min = 1, max = 200))]
    #[schemars(extend("pattern" = r"^(?!\s*$)[^\u0000-\u001f\u007f-\u009f]+$"))]
    pub title: String,
    /// What the scenario shows, in a few sentences.
    #[serde(default)]
    #[schemars(length(max = 10_000))]
    pub description: String,
    /// The simulated instant at which the world begins.
    pub start: Instant,
    /// How long the scenario runs, 1m to 3650d; a live world goes on after it.
    pub duration: Span,
    /// The seed of all randomness; the command line can override it.
    #[serde(default)]
    #[schemars(extend("maximum" = u64::MAX))]
    pub seed: u64,
    /// The distribution whose packages the images are made of.
    #[serde(default)]
    pub distribution: Distribution,
    /// How vulnerabilities are disclosed and fixed.
    #[serde(default)]
    pub vulnerabilities: Vulnerabilities,
    /// Images named one by one.
    #[serde(default)]
    #[schemars(length(max = 20_000))]
    pub images: Vec<Image>,
    /// Images made by the dozen.
    #[serde(default)]
    pub fleet: Option<Fleet>,
    /// The builder pool.
    #[serde(default)]
    pub builders: Builders,
    /// What asks for builds.
    #[serde(default)]
    pub triggers: Triggers,
    /// The vulnerability scanner.
    #[serde(default)]
    pub scanner: Scanner,
    /// SLA policies, by name.
    #[serde(default)]
    #[schemars(length(max = 1_000))]
    pub policies: Vec<SlaPolicy>,
    /// When SLA timers are evaluated.
    #[serde(default)]
    pub sla: Sla,
    /// Customers, one by one or by the dozen.
    #[serde(default)]
    #[schemars(length(max = 10_000))]
    pub customers: Vec<Customers>,
    /// What happens at a given instant.
    #[serde(default)]
    #[schemars(length(max = 1_000))]
    pub incidents: Vec<Incident>,
    /// How much of the past is kept; the kernel's facts do not depend on it.
    #[serde(default)]
    pub keep: Keep,
}
