//! What can be read of a world at any instant: timers, exposures, advisories and builds, without facts.
use super::World;
use super::state::{Build, Fixing};
use crate::cast::ordinal;
use crate::fact::{TimerRef, Trigger};
use crate::ids::{AdvisoryId, BuildId, ImageId};
use crate::severity::Severity;
use crate::time::SimTime;

/// One SLA timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerView {
    /// Its name.
    pub name: TimerRef,
    /// The severity of its advisory.
    pub severity: Severity,
    /// When it opened.
    pub opened: SimTime,
    /// When its clock started, which may be before it opened; none: the clock stands until a fix
    /// exists, or never ran.
    pub started: Option<SimTime>,
    /// Its deadline, once the clock has started.
    pub due: Option<SimTime>,
    /// When it stopped; none: it is open.
    pub stopped: Option<SimTime>,
    /// Whether the policy's clause about mass events excludes it; none: not decided yet.
    pub excluded: Option<bool>,
    /// Whether an evaluation has recorded that it was missed.
    pub breached: bool,
}

/// An advisory that was found on an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageExposure {
    /// The image.
    pub image: ImageId,
    /// The advisory.
    pub advisory: AdvisoryId,
    /// Its severity.
    pub severity: Severity,
    /// When it was first found on the image.
    pub detected: SimTime,
    /// When it was judged: the image is not affected.
    pub judged: Option<SimTime>,
    /// The publication that left no open finding of the advisory on the image; `detected` itself
    /// where the newest version was free of it already. None: open now, or open when it was judged.
    pub resolved: Option<SimTime>,
    /// The place in the scenario's list of the incident that brought it; none: no incident did.
    pub incident: Option<u32>,
}

/// An advisory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvisoryView {
    /// The advisory.
    pub advisory: AdvisoryId,
    /// Its severity.
    pub severity: Severity,
    /// When it became public.
    pub published: SimTime,
    /// When the upstream fix came; none: not yet.
    pub fix_available: Option<SimTime>,
    /// The place in the scenario's list of the incident that brought it; none: no incident did.
    pub incident: Option<u32>,
    /// On how many images it has been found.
    pub images_hit: u32,
}

/// A build of the platform's own pool that waits or runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildView {
    /// The build.
    pub build: BuildId,
    /// What is built.
    pub image: ImageId,
    /// Why: the trigger of the first request.
    pub trigger: Trigger,
    /// When it was first asked for.
    pub requested: SimTime,
    /// When the attempt that runs began; none: it waits.
    pub started: Option<SimTime>,
    /// Attempts that have begun: above 0 in a build that waits, it has flaked.
    pub attempts: u32,
}

impl World {
    /// All timers there have been, in the order in which they opened.
    pub fn timers(&self) -> impl Iterator<Item = TimerView> {
        self.timers.all.iter().map(|timer| TimerView {
            name: timer.name,
            severity: self.advisories[timer.name.advisory.index()].severity,
            opened: timer.opened,
            started: timer.started,
            due: timer.due,
            stopped: timer.stopped,
            excluded: timer.excluded,
            breached: timer.breached,
        })
    }

    /// What has been found: one for each image and advisory, in that order.
    pub fn image_exposures(&self) -> impl Iterator<Item = ImageExposure> {
        let images = self.images.iter().zip(0..).map(|(state, image)| (state, ImageId(image)));
        images.flat_map(move |(state, image)| {
            state.exposures.iter().map(move |exposure| ImageExposure {
                image,
                advisory: exposure.advisory,
                severity: self.advisories[exposure.advisory.index()].severity,
                detected: exposure.first_detected,
                judged: exposure.judged,
                resolved: exposure.resolved,
                incident: self.incident_of(exposure.advisory),
            })
        })
    }

    /// All advisories so far, in the order of disclosure.
    pub fn advisories(&self) -> impl Iterator<Item = AdvisoryView> {
        (0..ordinal(self.advisories.len())).map(AdvisoryId).map(|advisory| {
            let state = &self.advisories[advisory.index()];
            AdvisoryView {
                advisory,
                severity: state.severity,
                published: state.info.published,
                fix_available: state.fix_available,
                incident: self.incident_of(advisory),
                images_hit: state.images_hit,
            }
        })
    }

    /// The CVE id of an advisory.
    pub fn cve(&self, advisory: AdvisoryId) -> Option<&str> {
        self.advisories.get(advisory.index()).map(|state| &*state.info.cve)
    }

    /// Builds that wait for a builder, flaked ones among them; in no order that means something.
    pub fn waiting_builds(&self) -> impl Iterator<Item = BuildView> {
        self.builds.iter().flatten().filter(|build| !build.running).map(build_view)
    }

    /// Builds that a builder works on; in no order that means something.
    pub fn running_builds(&self) -> impl Iterator<Item = BuildView> {
        self.builds.iter().flatten().filter(|build| build.running).map(build_view)
    }

    /// The seed it was made from; a fork keeps that of the world it comes from.
    pub fn seed(&self) -> u64 {
        self.traits.seed()
    }

    fn incident_of(&self, advisory: AdvisoryId) -> Option<u32> {
        match self.advisories[advisory.index()].fixing {
            Fixing::Incident(index) => Some(self.config.incidents[index as usize].place),
            Fixing::Drawn(_) | Fixing::Commanded(_) => None,
        }
    }
}

fn build_view(build: &Build) -> BuildView {
    BuildView {
        build: build.id,
        image: build.image,
        trigger: build.cause.trigger(),
        requested: build.requested,
        started: build.running.then_some(build.started),
        attempts: build.attempts,
    }
}
