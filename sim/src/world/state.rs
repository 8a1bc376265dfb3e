//! The state of a world, as data.
use super::timers::Promises;
use crate::catalogue::{ImageInfo, Runtime};
use crate::command::Report;
use crate::fact::{Advisory, BuildResult, Cause, FindingRef, Outcome, UsageMode};
use crate::ids::*;
use crate::severity::Severity;
use crate::time::{SimDuration, SimTime};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is not to be trusted.
#[derive(Clone, Debug, Default)]
pub(super) struct LostTrust {
    pub(super) builders: BTreeSet<BuilderId>,
    pub(super) provenance: BTreeSet<VersionRef>,
}

/// A scheduled event. The order is for those who need any that says nothing of when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    Begin,
    Day(u32),
    Disclose { day: u32, index: u32 },
    FixAvailable(AdvisoryId),
    PackageFix { advisory: AdvisoryId, package: PackageId },
    Release { package: PackageId, nth: u32 },
    Incident(u32),
    OutageEnds(u32),
    Repaired { image: ImageId, release: ReleaseRef },
    Retry(ImageId),
    BuildEnds(u32),
    Adopt(u32),
    MovePin(u32),
    Triage { image: ImageId, advisory: AdvisoryId },
    Cron,
    Arrival { stream: u32, nth: u32 },
    Scan,
    SlaCheck,
    ExternalEnds(BuildId),
    ScanRequested(Option<ImageId>),
    SlaCheckRequested,
    UsageRequested { customer: CustomerId, image: ImageId },
}

/// An advisory that hits one package, with all that matching asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct PackageHit {
    pub(super) finding: FindingRef,
    /// The first affected release.
    pub(super) introduced: u32,
    /// The first release that is not affected any more; the maximum while there is none.
    pub(super) fixed: u32,
    pub(super) detectable: SimTime,
}

impl PackageHit {
    /// Whether a scanner finds it now on contents with this release of the package.
    #[inline]
    pub(super) fn matches(&self, release: u32, now: SimTime) -> bool {
        self.affects(release) && self.detectable <= now
    }

    /// Whether it affects a release. One that is absent has the maximum, and is never below.
    #[inline]
    pub(super) fn affects(&self, release: u32) -> bool {
        self.introduced <= release && release < self.fixed
    }
}

/// A package of an image that an advisory hits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    /// The place among all hits.
    pub(super) hit: u32,
    /// The place of the package in the image's contents.
    pub(super) place: u32,
}

#[derive(Clone, Debug)]
pub(super) struct AdvisoryState {
    pub(super) info: Arc<Advisory>,
    pub(super) severity: Severity,
    /// By package: which releases are affected.
    pub(super) hits: Vec<Hit>,
    /// The place of the first of them among all hits.
    pub(super) first_hit: u32,
    pub(super) fix_available: Option<SimTime>,
    /// Images the scanner has found it on.
    pub(super) images_hit: u32,
    /// Timers that stand still until a fix exists.
    pub(super) paused: Vec<u32>,
    /// By policy: whether its clause about mass events excludes it, once that is decided.
    pub(super) mass_event: Option<Arc<[bool]>>,
    /// Timers that wait for that decision.
    pub(super) undecided: Vec<u32>,
    /// How its packages are fixed: drawn when the upstream fix comes.
    pub(super) fixing: Fixing,
    /// The sum of ln(ms) over the delays of the packages that are fixed: with their number, all that
    /// they say of those that are not.
    pub(super) fixed_log_ms: f64,
}

/// Where the delays of the distribution's fixed packages come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fixing {
    /// A disclosure drawn at random, by its own key.
    Drawn(u64),
    /// An injected incident, by its index.
    Incident(u32),
    /// A command, which says how long.
    Commanded(SimDuration),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) package: PackageId,
    pub(super) introduced: u32,
    pub(super) fixed: Option<u32>,
}

impl AdvisoryState {
    pub(super) fn hit(&self, package: PackageId) -> Option<&Hit> {
        let place = self.hits.binary_search_by_key(&package, |hit| hit.package).ok()?;
        Some(&self.hits[place])
    }
}

/// A version that somebody runs, or the newest one.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) version: u32,
    /// Releases by the image's layout.
    pub(super) contents: Arc<[u32]>,
    pub(super) users: u32,
    /// When it was scanned by itself; a full pass may have looked at it since.
    pub(super) scanned: SimTime,
    /// All findings so far, in order.
    pub(super) findings: Vec<FindingRef>,
    /// How many advisories among them are not judged, by `Severity as usize`.
    pub(super) exposed: [i32; 4],
}

impl Version {
    pub(super) fn has(&self, advisory: AdvisoryId) -> bool {
        let first = self.findings.partition_point(|f| f.advisory < advisory);
        self.findings.get(first).is_some_and(|f| f.advisory == advisory)
    }
}

#[derive(Clone, Debug)]
pub(super) struct ImageState {
    /// Own packages, in order.
    pub(super) own: Arc<[PackageId]>,
    /// The newest version; 0 before the first.
    pub(super) version: u32,
    /// Grows whenever a new build could have other contents than the last.
    pub(super) changes: u64,
    /// `changes` as of the contents that are published.
    pub(super) published_changes: u64,
    /// The start order of the build whose contents are published.
    pub(super) published_start: u64,
    pub(super) broken_until: SimTime,
    /// What may have broken it and is not known to be repaired, in order.
    pub(super) breakages: Vec<Breakage>,
    /// Builds that have failed in a row.
    pub(super) failures: u32,
    pub(super) owed: Option<Owed>,
    /// The build that waits, when builds are merged.
    pub(super) waiting: Option<u32>,
    pub(super) started: u32,
    /// Versions in use, oldest first; the last is the newest version.
    pub(super) in_use: Vec<Version>,
    pub(super) users: Vec<u32>,
    /// Findings that no published version resolves yet, in order.
    pub(super) open: Vec<FindingRef>,
    /// What may be found on its versions, in the order of hits.
    pub(super) candidates: Vec<Candidate>,
    /// Those of them that its newest version, or a later one, can still have.
    pub(super) live: Vec<Candidate>,
    /// What has been found on it, by advisory.
    pub(super) exposures: Vec<Exposure>,
}

impl ImageState {
    pub(super) fn new(info: &ImageInfo) -> Self {
        let mut own = info.own_packages.to_vec();
        own.sort_unstable();
        ImageState {
            own: own.into(),
            version: 0,
            changes: 1,
            published_changes: 0,
            published_start: 0,
            broken_until: SimTime(i64::MIN),
            breakages: Vec::new(),
            failures: 0,
            owed: None,
            waiting: None,
            started: 0,
            in_use: Vec::new(),
            users: Vec::new(),
            open: Vec::new(),
            candidates: Vec::new(),
            live: Vec::new(),
            exposures: Vec::new(),
        }
    }

    pub(super) fn current(&self) -> Option<&Version> {
        self.in_use.last()
    }

    pub(super) fn version(&self, version: u32) -> Option<&Version> {
        let place = self.place(version)?;
        Some(&self.in_use[place])
    }

    pub(super) fn version_mut(&mut self, version: u32) -> Option<&mut Version> {
        let place = self.place(version)?;
        Some(&mut self.in_use[place])
    }

    #[inline]
    pub(super) fn place(&self, version: u32) -> Option<usize> {
        match self.in_use.last() {
            Some(newest) if newest.version == version => Some(self.in_use.len() - 1),
            _ => self.in_use.binary_search_by_key(&version, |v| v.version).ok(),
        }
    }

    /// One user fewer runs a version. It is forgotten when nobody runs it and it is not the newest.
    pub(super) fn leave(&mut self, version: u32) {
        let Some(place) = self.place(version) else { return };
        self.in_use[place].users -= 1;
        self.forget_unused(place);
    }

    /// Forgets the version at this place, if nobody runs it and it is not the newest.
    pub(super) fn forget_unused(&mut self, place: usize) {
        if self.in_use.get(place).is_some_and(|v| v.users == 0 && v.version != self.version) {
            self.in_use.remove(place);
        }
    }

    /// The exposure to an advisory that was found on the image.
    #[inline]
    pub(super) fn exposure(&self, advisory: AdvisoryId) -> Option<&Exposure> {
        let place = self.exposures.binary_search_by_key(&advisory, |e| e.advisory).ok()?;
        Some(&self.exposures[place])
    }

    pub(super) fn exposure_mut(&mut self, advisory: AdvisoryId) -> Option<&mut Exposure> {
        let place = self.exposures.binary_search_by_key(&advisory, |e| e.advisory).ok()?;
        Some(&mut self.exposures[place])
    }

    /// Whether a finding of the advisory is open.
    pub(super) fn is_open(&self, advisory: AdvisoryId) -> bool {
        let first = self.open.partition_point(|finding| finding.advisory < advisory);
        self.open.get(first).is_some_and(|finding| finding.advisory == advisory)
    }
}

/// An advisory that was found on an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exposure {
    pub(super) advisory: AdvisoryId,
    pub(super) first_detected: SimTime,
    /// When it was judged: the image is not affected.
    pub(super) judged: Option<SimTime>,
    /// Since when no open finding of it is left; none: open.
    pub(super) resolved: Option<SimTime>,
    /// The truth, which nobody knows before it is judged.
    pub(super) false_positive: bool,
}

/// A release of an image's main package that breaks the image, or may.
#[derive(Clone, Copy, Debug)]
pub(super) struct Breakage {
    pub(super) release: ReleaseRef,
    pub(super) since: SimTime,
    /// The truth, which nobody knows before an attempt to build has ended.
    pub(super) broken: bool,
    pub(super) known: bool,
}

/// What failed builds of an image owe, and when the image is tried again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owed {
    /// The last build that failed.
    pub(super) build: BuildId,
    /// How many had failed in a row with it.
    pub(super) failures: u32,
    /// The best class of what was asked for.
    pub(super) class: usize,
    pub(super) until: SimTime,
}

/// A build that waits or runs.
#[derive(Clone, Debug)]
pub(super) struct Build {
    pub(super) id: BuildId,
    pub(super) image: ImageId,
    pub(super) cause: Cause,
    pub(super) class: usize,
    pub(super) requested: SimTime,
    pub(super) started: SimTime,
    pub(super) attempts: u32,
    /// Whether a request that was not manual has been merged into it.
    pub(super) took_in: bool,
    pub(super) builder: BuilderId,
    pub(super) start_order: u64,
    /// Whether it has a builder now.
    pub(super) running: bool,
    pub(super) changes: u64,
    pub(super) base: Option<VersionRef>,
    pub(super) contents: Arc<[u32]>,
    /// What the external builder reported.
    pub(super) report: Option<Arc<Report>>,
}

impl Build {
    /// How it ended, for those who write it down.
    pub(super) fn into_result(self, depth: u32, outcome: Outcome) -> BuildResult {
        BuildResult {
            build: self.id,
            image: self.image,
            builder: (self.cause != Cause::Bootstrap).then_some(self.builder),
            cause: self.cause,
            depth,
            requested: self.requested,
            started: self.started,
            attempts: self.attempts,
            outcome,
            report: self.report,
        }
    }
}

/// A build that somebody else makes.
#[derive(Clone, Debug)]
pub(super) struct External {
    pub(super) image: ImageId,
    pub(super) cause: Cause,
    pub(super) requested: SimTime,
    /// How it ended: known a millisecond before it counts.
    pub(super) report: Option<Arc<Report>>,
}

/// How a customer has asked to use an image from the next millisecond on.
#[derive(Clone, Debug)]
pub(super) enum UsageRequest {
    Use { pin: Option<u32>, runtime: Option<Arc<Runtime>> },
    End,
}

/// One customer's use of one image.
#[derive(Clone, Debug)]
pub(super) struct Usage {
    pub(super) customer: CustomerId,
    pub(super) image: ImageId,
    pub(super) policy: PolicyId,
    pub(super) entry: u32,
    pub(super) mode: UsageMode,
    pub(super) version: u32,
    pub(super) used_since: SimTime,
    pub(super) version_since: SimTime,
    pub(super) adoption_planned: bool,
    /// When its next move was planned.
    pub(super) planned: SimTime,
    pub(super) moves: u32,
    /// Chosen by a command: a pin stays where it is until another command moves it.
    pub(super) commanded: bool,
    pub(super) ended: bool,
    pub(super) runtime: Option<Arc<Runtime>>,
    pub(super) owed: Promises,
}
