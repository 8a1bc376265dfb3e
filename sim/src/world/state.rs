//! The state of a world, as data.
use crate::cast::ordinal;
use crate::catalogue::{Catalogue, ImageInfo, Runtime};
use crate::command::Report;
use crate::fact::{Advisory, BuildResult, Cause, Clock, FindingRef, Outcome, TimerRef, UsageMode};
use crate::ids::*;
use crate::time::{SimDuration, SimTime};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
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

/// Who stands on whom, and who holds what. Changes only when an image is added.
#[derive(Clone, Debug)]
pub(super) struct Lineage {
    /// By base: the images built directly on it.
    pub(super) children: Vec<Vec<ImageId>>,
    /// By package: images that add it themselves.
    pub(super) owners: Vec<Vec<ImageId>>,
    /// By package: images that hold it, from whichever layer.
    pub(super) holders: Vec<Vec<ImageId>>,
    /// By package: images whose main package it is.
    pub(super) mains: Vec<Vec<ImageId>>,
    /// All images, bases before what stands on them.
    pub(super) by_depth: Vec<ImageId>,
}

impl Lineage {
    pub(super) fn of(catalogue: &Catalogue) -> Self {
        let packages = catalogue.packages.len();
        let mut lineage = Lineage {
            children: Vec::new(),
            owners: vec![Vec::new(); packages],
            holders: vec![Vec::new(); packages],
            mains: vec![Vec::new(); packages],
            by_depth: Vec::new(),
        };
        for image in 0..ordinal(catalogue.images.len()) {
            lineage.add(catalogue, ImageId(image));
        }
        lineage
    }

    pub(super) fn add(&mut self, catalogue: &Catalogue, image: ImageId) {
        let info = &catalogue.images[image.index()];
        self.children.push(Vec::new());
        if let Some(base) = info.base {
            self.children[base.index()].push(image);
        }
        for package in info.own_packages.iter() {
            self.owners[package.index()].push(image);
        }
        for package in catalogue.all_packages(image) {
            self.holders[package.index()].push(image);
        }
        if !info.own_packages.is_empty() {
            self.mains[info.main_package.index()].push(image);
        }
        self.by_depth.push(image);
        self.by_depth.sort_by_key(|id| (catalogue.images[id.index()].depth, *id));
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct PackageState {
    /// The newest release.
    pub(super) release: u32,
    /// Advisories that hit it, in the order of disclosure.
    pub(super) advisories: Vec<AdvisoryId>,
}

#[derive(Clone, Debug)]
pub(super) struct AdvisoryState {
    pub(super) info: Arc<Advisory>,
    /// By package: which releases are affected.
    pub(super) hits: Vec<Hit>,
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
    pub(super) fn affects(&self, release: ReleaseRef) -> bool {
        self.hit(release.package).is_some_and(|hit| {
            hit.introduced <= release.release
                && hit.fixed.is_none_or(|fixed| release.release < fixed)
        })
    }

    pub(super) fn hit(&self, package: PackageId) -> Option<&Hit> {
        let place = self.hits.binary_search_by_key(&package, |hit| hit.package).ok()?;
        Some(&self.hits[place])
    }
}

/// A version that somebody runs, or the newest one.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) version: u32,
    pub(super) contents: Arc<[ReleaseRef]>,
    pub(super) users: u32,
    pub(super) scanned: Option<SimTime>,
    /// All findings so far, in order.
    pub(super) findings: Vec<FindingRef>,
    /// How many advisories among them are not judged, by `Severity as usize`.
    pub(super) exposed: [i32; 4],
}

impl Version {
    pub(super) fn release_of(&self, package: PackageId) -> Option<ReleaseRef> {
        let place = self.contents.binary_search_by_key(&package, |r| r.package).ok()?;
        Some(self.contents[place])
    }

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
    pub(super) exposures: BTreeMap<AdvisoryId, Exposure>,
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
            exposures: BTreeMap::new(),
        }
    }

    pub(super) fn current(&self) -> Option<&Version> {
        self.in_use.last()
    }

    pub(super) fn version(&self, version: u32) -> Option<&Version> {
        self.in_use.iter().find(|v| v.version == version)
    }

    pub(super) fn version_mut(&mut self, version: u32) -> Option<&mut Version> {
        self.in_use.iter_mut().find(|v| v.version == version)
    }

    /// Forgets versions that nobody runs and that are not the newest.
    pub(super) fn forget_unused(&mut self) {
        let newest = self.version;
        self.in_use.retain(|v| v.users > 0 || v.version == newest);
    }
}

/// An advisory that was found on an image, with the timers it started.
#[derive(Clone, Debug)]
pub(super) struct Exposure {
    pub(super) first_detected: SimTime,
    /// When it was judged: the image is not affected.
    pub(super) judged: Option<SimTime>,
    /// Since when no open finding of it is left; none: open.
    pub(super) resolved: Option<SimTime>,
    /// The truth, which nobody knows before it is judged.
    pub(super) false_positive: bool,
    pub(super) timers: Vec<u32>,
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
    pub(super) contents: Arc<[ReleaseRef]>,
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
}

/// One SLA timer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timer {
    pub(super) name: TimerRef,
    pub(super) opened: SimTime,
    /// Not before this instant, whatever starts the clock.
    pub(super) from: SimTime,
    /// What starts the clock, when that is not the fix.
    pub(super) base: SimTime,
    /// When the clock started; none: it stands.
    pub(super) started: Option<SimTime>,
    pub(super) warn: Option<SimTime>,
    pub(super) due: Option<SimTime>,
    pub(super) stopped: Option<SimTime>,
    /// Whether the policy's clause about mass events excludes it; none: not decided yet.
    pub(super) excluded: Option<bool>,
    pub(super) breached: bool,
}

impl Timer {
    /// Whether its deadline has passed by then and it had not stopped at or before it.
    pub(super) fn is_late_at(&self, now: SimTime) -> bool {
        self.due.is_some_and(|due| due <= now && self.stopped.is_none_or(|stopped| stopped > due))
    }
}

/// All SLA timers, and what happened to them since the last evaluation.
#[derive(Clone, Debug, Default)]
pub(super) struct Timers {
    pub(super) all: Vec<Timer>,
    pub(super) due: BinaryHeap<Reverse<(SimTime, u32)>>,
    pub(super) warn: BinaryHeap<Reverse<(SimTime, u32)>>,
    pub(super) opened: Vec<u32>,
    pub(super) stopped: Vec<u32>,
    pub(super) resolved: Vec<u32>,
    pub(super) last_check: SimTime,
}

impl Timers {
    pub(super) fn name(&self, timer: u32) -> TimerRef {
        self.all[timer as usize].name
    }

    /// The latest episode among the timers of an image and an advisory.
    pub(super) fn find(&self, among: &[u32], customer: CustomerId, clock: Clock) -> Option<u32> {
        among.iter().rev().copied().find(|timer| {
            let name = self.name(*timer);
            name.customer == customer && name.clock == clock
        })
    }
}
