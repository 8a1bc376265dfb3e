//! What happens at a given instant.
use super::{Asked, Draw};
use crate::scenario::units::{Instant, Share, Span};
use crate::severity::Severity;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

/// Something that happens at a given instant.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "IncidentFields")]
pub struct Incident {
    /// When.
    pub at: Spanned<Instant>,
    /// What.
    pub kind: IncidentKind,
}

/// The kinds of incidents: exactly one key beside `at`.
#[derive(Clone, Debug)]
pub enum IncidentKind {
    /// One advisory that hits a share of all images at once.
    MassVulnerability(MassVulnerability),
    /// Builders out of service for a while.
    BuilderOutage(BuilderOutage),
    /// Every image is to be rebuilt now.
    RebuildAll(RebuildAll),
}

/// An incident as it is written: `at`, and exactly one of the other keys.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Incident", extend("minProperties" = 2, "maxProperties" = 2))]
struct IncidentFields {
    /// When.
    #[schemars(with = "Instant")]
    at: Spanned<Instant>,
    /// One advisory that hits a share of all images at once.
    mass_vulnerability: Option<MassVulnerability>,
    /// Builders out of service for a while.
    builder_outage: Option<BuilderOutage>,
    /// Every image is to be rebuilt now.
    rebuild_all: Option<RebuildAll>,
}

impl JsonSchema for Incident {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        IncidentFields::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        IncidentFields::json_schema(generator)
    }
}

impl TryFrom<IncidentFields> for Incident {
    type Error = &'static str;

    fn try_from(fields: IncidentFields) -> Result<Self, Self::Error> {
        let kinds = [
            fields.mass_vulnerability.map(IncidentKind::MassVulnerability),
            fields.builder_outage.map(IncidentKind::BuilderOutage),
            fields.rebuild_all.map(IncidentKind::RebuildAll),
        ];
        let mut kinds = kinds.into_iter().flatten();
        match (kinds.next(), kinds.next()) {
            (Some(kind), None) => Ok(Incident { at: fields.at, kind }),
            _ => Err("expected exactly one of mass_vulnerability, builder_outage and rebuild_all"),
        }
    }
}

/// One advisory that hits a share of all images at once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MassVulnerability {
    /// Share of images hit through a package most of them hold.
    pub image_share: Share,
    /// The severity.
    pub severity: Severity,
    /// From disclosure to the upstream fix.
    pub upstream_fix_after: Span,
    /// From the upstream fix to the fixed package in the distribution.
    pub package_fix_after: Draw,
    /// From disclosure until scanners see it.
    pub detectable_after: Span,
}

/// Builders out of service for a while.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BuilderOutage {
    /// How many builders.
    pub builders: u32,
    /// For how long.
    pub duration: Span,
}

/// Every image is to be rebuilt now.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RebuildAll {
    /// The trigger it counts as.
    pub trigger: Asked,
}
