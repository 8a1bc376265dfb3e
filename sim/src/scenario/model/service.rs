//! What is promised, to whom, and how it is watched: scanner, SLA policies and customers.
use super::Draw;
use crate::scenario::units::{Amount, CronSchedule, Name, Share, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

/// The vulnerability scanner.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scanner {
    /// When all versions in use are scanned; absent: only on push.
    pub schedule: Option<CronSchedule>,
    /// Share of (image, advisory) pairs that the scanner reports though the image is not
    /// affected. 0.03 (D).
    pub false_positives: Share,
    /// From detection until a false positive is judged. LN(median 2 d, sigma 1) (D).
    pub triage: Draw,
}

/// One SLA policy.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlaPolicy {
    /// Its name, unique in the scenario.
    #[schemars(with = "Name")]
    pub name: Spanned<Name>,
    /// A published policy to begin with; the other fields change it.
    #[serde(default)]
    pub preset: Option<Preset>,
    /// Days by severity; a severity without days has no deadline.
    #[serde(default)]
    pub days: Option<Days>,
    /// Calendar days, or business days (Monday to Friday, UTC).
    #[serde(default)]
    pub calendar: Option<Calendar>,
    /// What starts the clock.
    #[serde(default)]
    pub clock_start: Option<ClockStart>,
    /// Whether the clock stands still while no upstream fix exists.
    #[serde(default)]
    pub pause_without_fix: Option<bool>,
    /// Advisories that hit more than this share of all images are excluded.
    #[serde(default)]
    pub exclude_mass_events_over: Option<Share>,
    /// Share of the time after which a timer is at risk. 0.75 (D).
    #[serde(default)]
    pub warn_share: Option<Share>,
    /// What is owed when an exposure that had ended begins anew. `continue` (D).
    #[serde(default)]
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
    pub critical: Option<u32>,
    /// For high.
    pub high: Option<u32>,
    /// For medium.
    pub medium: Option<u32>,
    /// For low.
    pub low: Option<u32>,
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
    /// Hourly by default; absent (null): never.
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
    #[serde(default)]
    pub count: Option<u32>,
    /// The SLA tier, for people; the name of the entry when absent.
    #[serde(default)]
    pub tier: Option<Name>,
    /// The name of the policy that holds for them.
    #[schemars(with = "Name")]
    pub policy: Spanned<Name>,
    /// How many images each uses, chosen by popularity (Zipf, s = 1.04, C).
    #[serde(default = "default_customer_images")]
    pub images: u32,
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

fn default_customer_images() -> u32 {
    8
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
