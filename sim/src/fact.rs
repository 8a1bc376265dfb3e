//! What comes out of the kernel: facts, in order, each with all that a worker needs.
use crate::ids::*;
use crate::severity::{Severity, Vector};
use crate::time::SimTime;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One thing that happened in the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Its place in the order of all facts of the world, from 1, without gaps.
    pub seq: u64,
    /// The simulated instant.
    pub at: SimTime,
    /// What happened.
    pub kind: FactKind,
}

/// The kinds of facts. Small kinds are inline; large ones are shared, so that a fact is cheap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FactKind {
    /// A package has a new release.
    PackageReleased {
        /// The new release.
        release: ReleaseRef,
        /// The advisories whose affected range this release ends.
        fixes: Arc<[AdvisoryId]>,
    },
    /// An advisory became public.
    AdvisoryPublished(Arc<Advisory>),
    /// The upstream project published a fix; SLA clocks may start.
    FixAvailable {
        /// The advisory that has a fix now.
        advisory: AdvisoryId,
    },
    /// An image was added to the catalogue by a command.
    ImageCreated(Arc<NewImage>),
    /// A build is wanted and waits for a builder.
    BuildRequested {
        /// The build.
        build: BuildId,
        /// What is built.
        image: ImageId,
        /// Why.
        cause: Cause,
    },
    /// A wanted build was merged into one that already waits for the same image.
    BuildMerged {
        /// The build that will not run by itself.
        build: BuildId,
        /// The build that covers it.
        into: BuildId,
    },
    /// A builder took the build.
    BuildStarted {
        /// The build.
        build: BuildId,
        /// The builder.
        builder: BuilderId,
        /// The attempt, from 1.
        attempt: u32,
    },
    /// An attempt failed for no fault of the image (a flake); the build waits again.
    BuildFlaked {
        /// The build.
        build: BuildId,
        /// The attempt that failed, from 1.
        attempt: u32,
    },
    /// A build ended.
    BuildFinished(Arc<BuildResult>),
    /// The scanner looked at image versions.
    Scanned(Arc<Scan>),
    /// A finding was judged: the image is not affected (a false positive of the scanner).
    FindingTriaged {
        /// The image.
        image: ImageId,
        /// The advisory.
        advisory: AdvisoryId,
        /// Why the image is not affected.
        justification: Justification,
    },
    /// A customer began to run a version (its first of that image, or another one than before).
    UsageChanged {
        /// The customer.
        customer: CustomerId,
        /// What runs now.
        version: VersionRef,
        /// What ran before.
        previous: Option<u32>,
        /// Whether the customer follows the tag or pins the digest.
        mode: UsageMode,
    },
    /// The SLA timers were evaluated.
    SlaChecked(Arc<SlaCheck>),
    /// A customer (or the platform's own team) is to be told something.
    Notified(Arc<Notification>),
    /// A builder went out of service or came back.
    BuilderOutage {
        /// How many builders are in service now.
        in_service: u32,
    },
}

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
    /// The inventory the world began with; never queued.
    Bootstrap,
}

impl Trigger {
    /// All triggers, in order.
    pub const ALL: [Trigger; 6] = [
        Trigger::CveFix,
        Trigger::Manual,
        Trigger::Upstream,
        Trigger::BaseChange,
        Trigger::Cron,
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
        }
    }
}

/// An advisory as the feed publishes it. What comes later (a fix, a fixed release) is a fact of
/// its own, so that nobody can read the future in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advisory {
    /// Its ordinal.
    pub id: AdvisoryId,
    /// `CVE-<year>-<seven digits>`.
    pub cve: Arc<str>,
    /// CVSS 3.1 base vector.
    pub vector: Vector,
    /// The severity that the vector's score falls in.
    pub severity: Severity,
    /// Whether it is known to be exploited.
    pub known_exploited: bool,
    /// When it became public.
    pub published: SimTime,
    /// When a scanner can first see it (feeds lag behind publication).
    pub detectable: SimTime,
    /// The affected packages, each from a release on, by package.
    pub affected: Vec<Affected>,
}

/// One affected package of an advisory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// The package and the first affected release.
    pub introduced: ReleaseRef,
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
}

impl FailureReason {
    /// The name in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            FailureReason::Broken => "broken",
            FailureReason::Flaked => "flaked",
        }
    }
}

/// One advisory that hits one package of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FindingRef {
    /// The advisory.
    pub advisory: AdvisoryId,
    /// The package.
    pub package: PackageId,
}

/// Why the scanner ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanTrigger {
    /// A version was pushed.
    Push,
    /// The periodic pass over all versions in use.
    Scheduled,
}

/// One pass of the scanner and what must come out of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scan {
    /// Why it ran.
    pub trigger: ScanTrigger,
    /// The versions it looked at, in order.
    pub targets: Vec<ScanTarget>,
}

/// One version in a scan. What is new is what became detectable after `previous`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScanTarget {
    /// The version.
    pub version: VersionRef,
    /// When this version was scanned before.
    pub previous: Option<SimTime>,
    /// How many findings the version has in all.
    pub findings: u32,
    /// The new ones, in order.
    pub new: Vec<NewFinding>,
}

/// A finding the scanner has not seen on this version before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NewFinding {
    /// What was found.
    pub finding: FindingRef,
    /// The newer version, already published, that does not have it.
    pub fixed_in: Option<u32>,
}

/// Why an image is not affected by an advisory (the OpenVEX terms).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Justification {
    /// The component is not there.
    ComponentNotPresent,
    /// The vulnerable code is not there.
    VulnerableCodeNotPresent,
    /// The vulnerable code is never executed.
    VulnerableCodeNotInExecutePath,
    /// An adversary cannot control it.
    VulnerableCodeCannotBeControlledByAdversary,
    /// A mitigation exists already.
    InlineMitigationsAlreadyExist,
}

impl Justification {
    /// The OpenVEX name.
    pub fn as_str(self) -> &'static str {
        match self {
            Justification::ComponentNotPresent => "component_not_present",
            Justification::VulnerableCodeNotPresent => "vulnerable_code_not_present",
            Justification::VulnerableCodeNotInExecutePath => "vulnerable_code_not_in_execute_path",
            Justification::VulnerableCodeCannotBeControlledByAdversary => {
                "vulnerable_code_cannot_be_controlled_by_adversary"
            }
            Justification::InlineMitigationsAlreadyExist => "inline_mitigations_already_exist",
        }
    }
}

/// How a customer uses an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageMode {
    /// Runs what the tag points to, after an adoption lag.
    Follow,
    /// Runs one digest until somebody moves the pin.
    Pin,
}

impl UsageMode {
    /// The name in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            UsageMode::Follow => "follow",
            UsageMode::Pin => "pin",
        }
    }
}

/// The two clocks of an SLA, never mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// Stops when a fixed image is published.
    Provider,
    /// Stops when that customer runs it.
    Customer,
}

impl Clock {
    /// The name in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Clock::Provider => "provider",
            Clock::Customer => "customer",
        }
    }
}

/// Names one SLA timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimerRef {
    /// The customer to whom it is owed.
    pub customer: CustomerId,
    /// The image.
    pub image: ImageId,
    /// The advisory.
    pub advisory: AdvisoryId,
    /// Which clock.
    pub clock: Clock,
}

/// One evaluation of all SLA timers and what must come out of it. Lists are in the order of
/// [`TimerRef`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlaCheck {
    /// The evaluation before this one; the lists cover what happened since.
    pub previous: SimTime,
    /// Timers that exist since, excluded ones among them.
    pub opened: Vec<TimerRef>,
    /// Timers of `opened` that an exclusion of the policy keeps from ever breaching.
    pub excluded: Vec<TimerRef>,
    /// Timers that stopped.
    pub stopped: Vec<TimerRef>,
    /// Timers that used up the policy's warning share and still run.
    pub at_risk: Vec<TimerRef>,
    /// Timers whose deadline passed before they stopped.
    pub breached: Vec<TimerRef>,
    /// Breached ones of earlier evaluations (or of this one) that have stopped since.
    pub resolved: Vec<TimerRef>,
}

/// Why somebody is told something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// A build failed.
    BuildFailed,
    /// A critical finding on an image the customer runs.
    CriticalCve,
    /// A timer used up its warning share.
    SlaAtRisk,
    /// A deadline passed.
    SlaBreached,
    /// A breached timer stopped.
    SlaResolved,
}

impl NotificationKind {
    /// The name in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            NotificationKind::BuildFailed => "build_failed",
            NotificationKind::CriticalCve => "critical_cve",
            NotificationKind::SlaAtRisk => "sla_at_risk",
            NotificationKind::SlaBreached => "sla_breached",
            NotificationKind::SlaResolved => "sla_resolved",
        }
    }
}

/// A digest for one receiver: one notification for all that happened since the last evaluation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The receiver; none is the platform's own team.
    pub customer: Option<CustomerId>,
    /// What it is about.
    pub kind: NotificationKind,
    /// The evaluation before this one.
    pub previous: SimTime,
    /// How many things it sums up; the `notify` job must find as many rows.
    pub items: u32,
}
