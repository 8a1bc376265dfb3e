//! What is promised, to whom, and how it is watched: scanner, SLA policies and customers.
use super::Draw;
use crate::cast::whole_u32;
use crate::scenario::units::{Amount, Change, CronSchedule, Name, Schedule, Share, Span, written};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_saphyr::Spanned;
use std::borrow::Cow;
use std::fmt;

/// The vulnerability scanner.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scanner {
    /// When all versions in use are scanned: every 4 hours by default (D); never: only on push.
    #[serde(deserialize_with = "Schedule::deserialize")]
    #[schemars(with = "Schedule")]
    pub schedule: Option<CronSchedule>,
    /// Share of (image, advisory) pairs that the scanner reports though the image is not
    /// affected. 0.03 (D).
    pub false_positives: Share,
    /// From detection until a false positive is judged. LN(median 2 d, sigma 1) (D).
    pub triage: Draw,
}

/// One SLA policy: a preset, or days for some severity, or both.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("allOf" = [{"anyOf": [
    {"required": ["preset"], "properties": {"preset": {"type": "string"}}},
    {"required": ["days"], "properties": {"days": {"anyOf": [
        {"required": ["critical"], "properties": {"critical": {"type": "integer"}}},
        {"required": ["high"], "properties": {"high": {"type": "integer"}}},
        {"required": ["medium"], "properties": {"medium": {"type": "integer"}}},
        {"required": ["low"], "properties": {"low": {"type": "integer"}}},
    ]}}},
]}]))]
pub struct SlaPolicy {
    /// Its name, unique in the scenario.
    #[schemars(with = "Name")]
    pub name: Spanned<Name>,
    /// A published policy to begin with; each other field that is written changes that alone.
    #[serde(default)]
    pub preset: Option<Preset>,
    /// Days by severity; a severity without days has no deadline. Beside a preset: one that is
    /// absent keeps the preset's days, and null takes its deadline away.
    #[serde(default, deserialize_with = "written")]
    #[schemars(with = "Days")]
    pub days: Option<Days>,
    /// Calendar days, or business days (Monday to Friday, UTC).
    #[serde(default, deserialize_with = "written")]
    #[schemars(with = "Calendar")]
    pub calendar: Option<Calendar>,
    /// What starts the clock.
    #[serde(default, deserialize_with = "written")]
    #[schemars(with = "ClockStart")]
    pub clock_start: Option<ClockStart>,
    /// Whether the clock stands still while no upstream fix exists.
    #[serde(default, deserialize_with = "written")]
    #[schemars(with = "bool")]
    pub pause_without_fix: Option<bool>,
    /// Advisories that hit more than this share of all images are excluded; null takes a preset's
    /// clause away.
    #[serde(default)]
    pub exclude_mass_events_over: Change<Share>,
    /// Share of the time after which a timer is at risk. 0.75 (D).
    #[serde(default, deserialize_with = "written")]
    #[schemars(with = "Share")]
    pub warn_share: Option<Share>,
    /// What is owed when an exposure that had ended begins anew. `continue` (D).
    #[serde(default, deserialize_with = "written")]
    #[schemars(with = "OnReexposure")]
    pub on_reexposure: Option<OnReexposure>,
}

/// Policies in use, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// 7 / 14 / 14 / 14 calendar days once a fix is publicly available (Chainguard-like).
    HardenedVendor,
    /// 2 / 2 / 30 / 30 business days once an upstream fix is verified (Bitnami-like).
    #[serde(rename = "business-2-30")]
    Business230,
    /// 30 / 30 / 90 / 180 calendar days from discovery.
    FedrampLegacy,
    /// 7 / 30 / 90 / 120 calendar days from detection.
    DefectdojoDefault,
    /// 30 calendar days for critical from the release of the fix.
    PciCritical,
}

/// Days by severity.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Days {
    /// For critical.
    #[schemars(range(min = 1, max = 3_650))]
    pub critical: Change<u32>,
    /// For high.
    #[schemars(range(min = 1, max = 3_650))]
    pub high: Change<u32>,
    /// For medium.
    #[schemars(range(min = 1, max = 3_650))]
    pub medium: Change<u32>,
    /// For low.
    #[schemars(range(min = 1, max = 3_650))]
    pub low: Change<u32>,
}

/// Which days count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Calendar {
    /// Every day.
    Calendar,
    /// Monday to Friday, UTC.
    Business,
}

/// What starts an SLA clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClockStart {
    /// An upstream fix is publicly available.
    FixAvailable,
    /// The scanner found it on the image.
    Detected,
    /// The advisory was published.
    Published,
}

/// What is owed when an exposure that had ended begins anew: a customer went back to an affected
/// version, or began again to use the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnReexposure {
    /// The clock goes on from where the episode before began, as if it had never stopped.
    #[default]
    Continue,
    /// The clock starts anew.
    Restart,
    /// Nothing: the first episode is owed, no later one.
    Ignore,
}

impl OnReexposure {
    /// The name in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            OnReexposure::Continue => "continue",
            OnReexposure::Restart => "restart",
            OnReexposure::Ignore => "ignore",
        }
    }
}

/// When SLA timers are evaluated.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sla {
    /// Hourly by default (D).
    #[serde(deserialize_with = "Schedule::deserialize")]
    #[schemars(with = "Schedule")]
    pub check: Option<CronSchedule>,
}

/// Customers: one with a name, or `count` of them with invented names.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Customers {
    /// The name of the one customer, or of the tier.
    #[schemars(with = "Name")]
    pub name: Spanned<Name>,
    /// How many with invented names; absent: one, with this name.
    #[serde(default, deserialize_with = "written")]
    #[schemars(with = "u32", range(min = 1, max = 10_000))]
    pub count: Option<u32>,
    /// The SLA tier, for people; the name of the entry when absent.
    #[serde(default, deserialize_with = "written")]
    #[schemars(with = "Name")]
    pub tier: Option<Name>,
    /// The name of the policy that holds for them.
    #[schemars(with = "Name")]
    pub policy: Spanned<Name>,
    /// The images each uses: by name, or how many, chosen by popularity (Zipf, s = 1.04, C). 8 by
    /// default (D), or all where there are fewer.
    #[serde(default, deserialize_with = "written")]
    #[schemars(with = "CustomerImages")]
    pub images: Option<CustomerImages>,
    /// Share of uses that pin a digest. 0.15 (D).
    #[serde(default = "default_pinned")]
    pub pinned: Share,
    /// From publication until a follower runs it. LN(median 12 h, sigma 1) (D).
    #[serde(default = "default_adoption")]
    pub adoption_lag: Draw,
    /// How long a pin stays before it is moved to the newest version. LN(median 21 d, sigma 0.7)
    /// (D).
    #[serde(default = "default_pin_age")]
    pub pin_age: Draw,
}

/// The images that a customer uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomerImages {
    /// So many, chosen by popularity.
    Count(u32),
    /// These: named under `images`, or of the fleet by their invented names.
    Named(Vec<Name>),
}

impl CustomerImages {
    /// How many there are; of one who says nothing 8, or all images where there are fewer.
    pub fn count(said: Option<&Self>, images: u64) -> u64 {
        match said {
            None => images.min(8),
            Some(CustomerImages::Count(count)) => u64::from(*count),
            Some(CustomerImages::Named(names)) => names.len() as u64,
        }
    }
}

impl JsonSchema for CustomerImages {
    fn schema_name() -> Cow<'static, str> {
        "CustomerImages".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How many images, or a list of their names.",
            "anyOf": [
                { "type": "integer", "minimum": 1, "maximum": 20_000 },
                {
                    "type": "array",
                    "items": generator.subschema_for::<Name>(),
                    "minItems": 1,
                    "maxItems": 20_000,
                    "uniqueItems": true
                }
            ],
            "examples": [8, ["gateway", "base"]]
        })
    }
}

impl<'de> Deserialize<'de> for CustomerImages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountOrNames;

        impl<'de> Visitor<'de> for CountOrNames {
            type Value = CustomerImages;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of images, or a list of their names")
            }

            fn visit_u64<E: de::Error>(self, count: u64) -> Result<CustomerImages, E> {
                let refused = |_| E::invalid_value(Unexpected::Unsigned(count), &self);
                u32::try_from(count).map(CustomerImages::Count).map_err(refused)
            }

            // A number like 4.0 is whole, here as in every other field.
            fn visit_f64<E: de::Error>(self, count: f64) -> Result<CustomerImages, E> {
                if (0.0..=f64::from(u32::MAX)).contains(&count) && count.fract() == 0.0 {
                    return Ok(CustomerImages::Count(whole_u32(count)));
                }
                Err(E::invalid_type(Unexpected::Float(count), &self))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<CustomerImages, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = seq.next_element()? {
                    names.push(name);
                }
                Ok(CustomerImages::Named(names))
            }
        }

        deserializer.deserialize_any(CountOrNames)
    }
}

fn default_pinned() -> Share {
    Share::of(0.15)
}

fn default_adoption() -> Draw {
    Draw::Lognormal { median: Span::hours(12), sigma: Amount::of(1.0) }
}

fn default_pin_age() -> Draw {
    Draw::Lognormal { median: Span::days(21), sigma: Amount::of(0.7) }
}
