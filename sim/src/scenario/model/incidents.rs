//! What happens at a given instant.
use super::{Draw, RequestTrigger};
use crate::scenario::units::{Instant, Name, Share, Span, written};
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
    /// A builder is not trusted any more.
    DistrustBuilder(DistrustBuilder),
    /// An attacker replaces the signed provenance of an image's newest version.
    TamperAttestation(TamperAttestation),
}

impl IncidentKind {
    /// Whether it is about trust alone: nothing that is built, found or promised depends on it.
    pub fn is_of_trust(&self) -> bool {
        matches!(self, IncidentKind::DistrustBuilder(_) | IncidentKind::TamperAttestation(_))
    }
}

/// An incident as it is written: `at`, and exactly one of the other keys.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Incident", extend(
    "minProperties" = 2,
    "maxProperties" = 2,
    "examples" = [{"at": "2026-01-05T00:00:00Z", "rebuild_all": {"trigger": "manual"}}],
))]
struct IncidentFields {
    /// When.
    #[schemars(with = "Instant")]
    at: Spanned<Instant>,
    /// One advisory that hits a share of all images at once.
    #[serde(default, deserialize_with = "written")]
    #[schemars(with = "MassVulnerability")]
    mass_vulnerability: Option<MassVulnerability>,
    /// Builders out of service for a while.
    #[serde(default, deserialize_with = "written")]
    #[schemars(with = "BuilderOutage")]
    builder_outage: Option<BuilderOutage>,
    /// Every image is to be rebuilt now.
    #[serde(default, deserialize_with = "written")]
    #[schemars(with = "RebuildAll")]
    rebuild_all: Option<RebuildAll>,
    /// A builder is not trusted any more: the SLSA level of what it built falls.
    #[serde(default, deserialize_with = "written")]
    #[schemars(with = "DistrustBuilder")]
    distrust_builder: Option<DistrustBuilder>,
    /// An attacker replaces the signed provenance of an image's newest version: its SLSA level
    /// falls.
    #[serde(default, deserialize_with = "written")]
    #[schemars(with = "TamperAttestation")]
    tamper_attestation: Option<TamperAttestation>,
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
            fields.distrust_builder.map(IncidentKind::DistrustBuilder),
            fields.tamper_attestation.map(IncidentKind::TamperAttestation),
        ];
        let mut kinds = kinds.into_iter().flatten();
        match (kinds.next(), kinds.next()) {
            (Some(kind), None) => Ok(Incident { at: fields.at, kind }),
            _ => Err("expected exactly one of mass_vulnerability, builder_outage, rebuild_all, \
                      distrust_builder and tamper_attestation"),
        }
    }
}

/// One advisory that hits a share of all images at once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MassVulnerability {
    /// Share of images hit through a package most of them hold, above 0.
    #[schemars(extend("not" = {"anyOf": [
        {"const": 0},
        {"type": "string", "pattern": r"^0+(\.0+)?%$"},
    ]}))]
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
    #[schemars(range(min = 1, max = 10_000))]
    pub builders: u32,
    /// For how long.
    pub duration: Span,
}

/// Every image is to be rebuilt now.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RebuildAll {
    /// The trigger it counts as.
    pub trigger: RequestTrigger,
}

/// A builder is not trusted any more. It goes on building, but its word counts for nothing: what
/// it built, and what it builds from then on, has SLSA level 1. For good.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DistrustBuilder {
    /// Which one, from 0: the number in the builder's name, `builder-0`.
    #[schemars(range(max = 9_999))]
    pub builder: u32,
}

/// An attacker replaces the stored provenance bundle of an image's newest version by one that names
/// an unknown builder under the old signature. The signature no longer holds, so the version's SLSA
/// level falls to 1. The next version is not touched.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TamperAttestation {
    /// The image: one that the scenario names, or one of its fleet by its invented name.
    pub image: Name,
}
