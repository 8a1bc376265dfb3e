//! Builds in facts: why one was asked for, how it ended, and what it published.
use super::FindingRef;
use crate::command::Report;
use crate::ids::*;
use crate::time::SimTime;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Why a build was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "trigger", rename_all = "snake_case")]
pub enum Cause {
    /// The image existed when the world began.
    Bootstrap,
    /// The image's main package has a new upstream release, or a webhook said so.
    Upstream {
        /// The release that was pushed; none when a webhook named only a revision.
        release: Option<ReleaseRef>,
        /// The revision as the webhook named it.
        revision: Option<Arc<str>>,
    },
    /// Somebody asked for it.
    Manual {
        /// Who asked.
        requested_by: Option<Arc<str>>,
        /// Whether somebody else builds it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        external: bool,
    },
    /// The periodic rebuild.
    Cron,
    /// A fixed package is available for a known vulnerability.
    CveFix {
        /// The advisory.
        advisory: AdvisoryId,
        /// The release with the fix.
        release: ReleaseRef,
    },
    /// The base image has a new version.
    BaseChange {
        /// The new version of the base.
        base: VersionRef,
    },
    /// A build has failed, and what it owed is still owed.
    Retry {
        /// The last build that failed.
        of: BuildId,
        /// How many builds of the image have failed in a row.
        failures: u32,
    },
}

/// The triggers, in the order of the default priority (first served first).
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
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
    /// A build failed; waits in the class of that build.
    Retry,
    /// The inventory the world began with; never queued.
    Bootstrap,
}

impl Trigger {
    /// All triggers, in order.
    pub const ALL: [Trigger; 7] = [
        Trigger::CveFix,
        Trigger::Manual,
        Trigger::Upstream,
        Trigger::BaseChange,
        Trigger::Cron,
        Trigger::Retry,
        Trigger::Bootstrap,
    ];

    /// The name in the database, the API and scenarios.
    pub fn as_str(self) -> &'static str {
        match self {
            Trigger::CveFix => "cve_fix",
            Trigger::Manual => "manual",
            Trigger::Upstream => "upstream",
            Trigger::BaseChange => "base_change",
            Trigger::Cron => "cron",
            Trigger::Retry => "retry",
            Trigger::Bootstrap => "bootstrap",
        }
    }
}

impl Cause {
    /// Which trigger this is.
    pub fn trigger(&self) -> Trigger {
        match self {
            Cause::Bootstrap => Trigger::Bootstrap,
            Cause::Upstream { .. } => Trigger::Upstream,
            Cause::Manual { .. } => Trigger::Manual,
            Cause::Cron => Trigger::Cron,
            Cause::CveFix { .. } => Trigger::CveFix,
            Cause::BaseChange { .. } => Trigger::BaseChange,
            Cause::Retry { .. } => Trigger::Retry,
        }
    }
}

/// An image that a command adds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewImage {
    /// Its ordinal: always the number of images before it.
    pub image: ImageId,
    /// Its name, unique in the catalogue.
    pub name: Arc<str>,
    /// The image it is built on.
    pub base: Option<ImageId>,
    /// Its own packages, without those of the base.
    pub packages: Arc<[PackageId]>,
    /// The customer whose it is; none: the shared catalogue's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<CustomerId>,
}

/// How a build ended, with all that the build job needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BuildResult {
    /// The build.
    pub build: BuildId,
    /// What was built.
    pub image: ImageId,
    /// Why.
    pub cause: Cause,
    /// Depth of the image in its lineage: 0 for an image without a base.
    pub depth: u32,
    /// The builder of the last attempt; none for the inventory the world began with.
    pub builder: Option<BuilderId>,
    /// When it was asked for.
    pub requested: SimTime,
    /// When the last attempt began.
    pub started: SimTime,
    /// How many attempts it took.
    pub attempts: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// What an external builder reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Arc<Report>>,
}

impl BuildResult {
    /// Why it failed: in the words of the external builder, if it gave any.
    pub fn failure(&self) -> Option<&str> {
        let Outcome::Failed { reason } = &self.outcome else { return None };
        let words = self.report.as_ref().and_then(|report| report.failure.as_deref());
        Some(words.unwrap_or(reason.as_str()))
    }
}

/// The ways a build ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// A new version was published.
    Published(Published),
    /// The contents are those of the current version: nothing new to publish.
    Unchanged {
        /// The version that already has these contents.
        version: u32,
    },
    /// A build that began later has already published: this one's contents are old.
    Superseded {
        /// The version that is current.
        version: u32,
    },
    /// It failed.
    Failed {
        /// Why.
        reason: FailureReason,
    },
}

impl Outcome {
    /// The name in the database and the API.
    pub fn as_str(&self) -> &'static str {
        match self {
            Outcome::Published(_) => "completed",
            Outcome::Unchanged { .. } => "unchanged",
            Outcome::Superseded { .. } => "superseded",
            Outcome::Failed { .. } => "failed",
        }
    }
}

/// What a published version is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// The new version's ordinal.
    pub version: u32,
    /// The version of the base it stands on.
    pub base: Option<VersionRef>,
    /// The contents: every package with its release, in the order of packages.
    pub contents: Arc<[ReleaseRef]>,
    /// How many of the contents come from the base are not repeated here: the image's own
    /// packages, so that a document can tell the layers apart.
    pub own_packages: Arc<[PackageId]>,
    /// The open findings of this image that the new version no longer has.
    pub fixed: Vec<FindingRef>,
}

/// Why a build failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// The new upstream release does not build until somebody repairs it.
    Broken,
    /// Every allowed attempt flaked.
    Flaked,
    /// The external builder says so.
    Reported,
}

impl FailureReason {
    /// The name in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            FailureReason::Broken => "broken",
            FailureReason::Flaked => "flaked",
            FailureReason::Reported => "reported",
        }
    }
}
