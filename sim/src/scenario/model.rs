//! The scenario as data: what a file may say, with the default and the source of every number.
//!
//! Ratings A to D say how far a default can be trusted: A measured on primary data, B a
//! publisher's own report, C secondary or a fit to few points, D an assumption. docs/model.md
//! tells the sources.
use super::units::{Amount, CronSchedule, Instant, Name, Share, Span};
use crate::fact::Trigger;
use crate::severity::Severity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

/// A whole scenario.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A short name: letters, digits and hyphens.
    pub name: Name,
    /// One line for people.
    pub title: String,
    /// What the scenario shows, in a few sentences.
    #[serde(default)]
    pub description: String,
    /// The simulated instant at which the world begins.
    pub start: Instant,
    /// How long the scenario runs; a live world goes on after it.
    pub duration: Span,
    /// The seed of all randomness; the command line can override it.
    #[serde(default)]
    pub seed: u64,
    /// The distribution whose packages the images are made of.
    #[serde(default)]
    pub distribution: Distribution,
    /// How vulnerabilities are disclosed and fixed.
    #[serde(default)]
    pub vulnerabilities: Vulnerabilities,
    /// Images named one by one.
    #[serde(default)]
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
    pub policies: Vec<Policy>,
    /// When SLA timers are evaluated.
    #[serde(default)]
    pub sla: Sla,
    /// Customers, one by one or by the dozen.
    #[serde(default)]
    pub customers: Vec<Customers>,
    /// What happens at a given instant.
    #[serde(default)]
    pub incidents: Vec<Incident>,
}

/// The synthetic distribution.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Distribution {
    /// How many packages it has (1 to 100,000). Wolfi has about 1,600; 400 keeps a demo quick (D).
    pub packages: u32,
    /// Releases of one package in a year, drawn once per package. LN(1.306, 1.078) (A).
    pub releases_per_year: Draw,
    /// Share of packages that have no later release: what hits them stays open. 0.28 of the
    /// detections of 2025 (A), read as a share of packages (D).
    pub end_of_life: Share,
    /// How likely an image is to hold an end-of-life package, against any other. 0.05 (D).
    pub end_of_life_weight: Share,
}

/// How vulnerabilities are disclosed and fixed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Vulnerabilities {
    /// CVEs a day that hit the distribution. 2.89 for 1,600 packages (A); when absent, that rate
    /// scaled to the number of packages.
    pub per_day: Option<Amount>,
    /// Dispersion k of the negative binomial number of CVEs a day. 0.384 (A). 0 is Poisson.
    pub dispersion: Amount,
    /// Relative weight of the weekdays, Monday first. 16.1 24.3 17.9 15.8 17.7 4.6 3.6 (B).
    pub weekdays: [Amount; 7],
    /// Share of CVEs that hit one package only. 0.515 (A).
    pub single_package: Share,
    /// Exponent of the power law of the other blast radii. 1.95 (A).
    pub blast_radius_exponent: Amount,
    /// Largest blast radius as a share of the distribution. 635 of 1,616 (A).
    pub blast_radius_max: Share,
    /// Relative weight of the severities. 2025: 8.3 / 31.1 / 53.0 / 3.2 (A).
    pub severity: SeverityWeights,
    /// Share of CVEs known to be exploited. 0.0024 (A).
    pub known_exploited: Share,
    /// Share of CVEs with an upstream fix at disclosure. 0.85 (D).
    pub fixed_at_disclosure: Share,
    /// Wait for the upstream fix otherwise. Exponential, mean 10 d (C).
    pub upstream_fix: Draw,
    /// From the upstream fix to the distribution's fixed package. LN(1.091, 1.788) d, the
    /// measurement per CVE (A).
    pub package_fix: Draw,
    /// From publication until scanners see it. U(1.4, 3.6) d (A).
    pub detection_lag: Draw,
}

/// Relative weights of the severities; they need not add up to anything.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeverityWeights {
    /// Weight of critical.
    pub critical: Amount,
    /// Weight of high.
    pub high: Amount,
    /// Weight of medium.
    pub medium: Amount,
    /// Weight of low.
    pub low: Amount,
}

/// A distribution of lengths of time (or of plain numbers, where a field says so).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Draw {
    /// Always the same.
    Constant(Span),
    /// Uniform between two lengths.
    Uniform {
        /// The least.
        min: Span,
        /// The most.
        max: Span,
    },
    /// Exponential.
    Exponential {
        /// Its mean.
        mean: Span,
    },
    /// Lognormal by its median and the deviation of the natural logarithm.
    Lognormal {
        /// The median.
        median: Span,
        /// Deviation of the natural logarithm, 0 to 10.
        sigma: Amount,
    },
    /// Lognormal number without a unit, by the mean and deviation of the natural logarithm.
    LognormalNumber {
        /// Mean of the natural logarithm.
        mu: f64,
        /// Deviation of the natural logarithm, 0 to 10.
        sigma: Amount,
    },
}

/// One image.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Its name, unique in the scenario.
    #[schemars(with = "Name")]
    pub name: Spanned<Name>,
    /// One line for people.
    #[serde(default)]
    pub description: String,
    /// The image it is built on.
    #[serde(default)]
    #[schemars(with = "Option<Name>")]
    pub base: Option<Spanned<Name>>,
    /// How many packages it adds to its base (1 to 5,000): drawn by the seed.
    #[serde(default = "default_image_packages")]
    pub packages: u32,
    /// When it reaches the end of its life: no builds after that.
    #[serde(default)]
    pub end_of_life: Option<Instant>,
}

fn default_image_packages() -> u32 {
    24
}

/// Images made by the dozen: `bases` base images, and `images` images spread over them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// How many base images.
    pub bases: u32,
    /// How many images on those bases (not counting the bases).
    pub images: u32,
    /// Packages of a base: uniform between the two (D).
    #[serde(default = "default_base_packages")]
    pub base_packages: [u32; 2],
    /// Packages an image adds to its base: uniform between the two (D).
    #[serde(default = "default_own_packages")]
    pub own_packages: [u32; 2],
}

fn default_base_packages() -> [u32; 2] {
    [14, 26]
}

fn default_own_packages() -> [u32; 2] {
    [10, 70]
}

/// The builder pool.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Builders {
    /// How many builders: 4 by default.
    pub count: u32,
    /// How long one attempt takes. LN(median 6 min, sigma 0.9) (D).
    pub duration: Draw,
    /// Share of attempts that flake. 0.02 (B).
    pub flake: Share,
    /// How often a flaked build is tried again: 2 by default (D).
    pub retries: u32,
    /// Share of upstream releases that break the build of their image. 0.01 (D).
    pub breakage: Share,
    /// How long a breakage lasts. LN(median 8 h, sigma 1) (D).
    pub repair: Draw,
    /// The queue discipline.
    pub queue: Queue,
}

/// The queue discipline of the builder pool.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Queue {
    /// Triggers in order of priority, first served first; not preemptive. Those not named share
    /// the last place. An empty list is first come, first served.
    pub priority: Vec<Trigger>,
    /// Whether a build is merged into one that already waits for the same image.
    pub merge: bool,
}

/// What asks for builds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Triggers {
    /// The periodic rebuild of every image; absent: none.
    pub rebuild: Option<CronSchedule>,
    /// Build an image when its main package has a new release.
    pub upstream: bool,
    /// Build an image when its base has a new version.
    pub base_change: bool,
    /// Build an image when a fixed package is out for a finding at or above this severity;
    /// absent: never.
    pub cve_fix: Option<Severity>,
    /// A stream of requests for a random image, for load: arrivals with these gaps.
    pub arrivals: Vec<Arrivals>,
}

/// A stream of build requests.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arrivals {
    /// The trigger they count as.
    pub trigger: Asked,
    /// The time between two requests.
    pub gap: Draw,
}

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
pub struct Policy {
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

/// The triggers that can be asked for without anything in the world bringing them about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// Somebody asked for a build.
    Manual,
    /// The upstream project released.
    Upstream,
    /// The periodic rebuild.
    Cron,
}
