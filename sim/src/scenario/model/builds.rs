//! The builder pool, and what asks for builds.
use super::Draw;
use crate::fact::Trigger;
use crate::scenario::units::{CronSchedule, Schedule, Share, Span};
use crate::severity::Severity;
use schemars::JsonSchema;
use serde::Deserialize;

/// The builder pool.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Builders {
    /// How many builders: 4 by default.
    #[schemars(range(min = 1, max = 10_000))]
    pub count: u32,
    /// How long one attempt takes. LN(median 6 min, sigma 0.9) (D).
    pub duration: Draw,
    /// Share of attempts that flake. 0.02 (B).
    pub flake: Share,
    /// How often a flaked build is tried again: 2 by default (D).
    #[schemars(range(max = 100))]
    pub retries: u32,
    /// Share of upstream releases that break the build of their image. 0.01 (D).
    pub breakage: Share,
    /// How long a breakage lasts. LN(median 8 h, sigma 1) (D).
    pub repair: Draw,
    /// How long an image waits for its next automatic build after a failed one; null: no longer
    /// than for any other. First 1 h, at most 2 d (D).
    pub back_off: Option<BackOff>,
    /// The queue discipline.
    pub queue: Queue,
}

/// The wait after the n-th failed build of an image in a row: `first` x 2^(n-1), at most `max`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BackOff {
    /// After the first failed build: 1 h by default (D).
    pub first: Span,
    /// The most: 2 d by default (D).
    pub max: Span,
}

/// The queue discipline of the builder pool.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Queue {
    /// Triggers in order of priority, first served first; not preemptive. Those not named share
    /// the last place. An empty list is first come, first served.
    #[schemars(with = "Vec<Queued>", extend("uniqueItems" = true))]
    pub priority: Vec<Trigger>,
    /// Whether a build is merged into one that already waits for the same image.
    pub merge: bool,
}

/// The schema of a trigger that can wait in a queue: the inventory a world begins with never does.
#[derive(JsonSchema)]
#[schemars(rename = "Trigger", rename_all = "snake_case")]
#[expect(dead_code, reason = "says which triggers may be written")]
enum Queued {
    /// A fix for a known vulnerability is available.
    CveFix,
    /// Somebody asked for a build.
    Manual,
    /// The upstream project released.
    Upstream,
    /// The base image changed.
    BaseChange,
    /// The periodic rebuild.
    Cron,
}

/// What asks for builds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Triggers {
    /// The periodic rebuild of every image; never by default.
    #[serde(deserialize_with = "Schedule::deserialize")]
    #[schemars(with = "Schedule")]
    pub rebuild: Option<CronSchedule>,
    /// Build an image when its main package has a new release.
    pub upstream: bool,
    /// Build an image when its base has a new version.
    pub base_change: bool,
    /// Build an image when a fixed package is out for a finding at or above this severity: medium by
    /// default; null: never.
    pub cve_fix: Option<Severity>,
    /// A stream of requests for a random image, for load: arrivals with these gaps.
    pub arrivals: Vec<Arrivals>,
}

/// A stream of build requests.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arrivals {
    /// The trigger they count as.
    pub trigger: RequestTrigger,
    /// The time between two requests.
    pub gap: Draw,
}

/// The triggers that can be asked for without anything in the world bringing them about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestTrigger {
    /// Somebody asked for a build.
    Manual,
    /// The upstream project released.
    Upstream,
    /// The periodic rebuild.
    Cron,
}
