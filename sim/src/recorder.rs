//! What watches a world while it plays: facts for whoever writes them down, bare figures for studies.
use crate::fact::{Fact, Trigger};
use crate::ids::{BuilderId, CustomerId, ImageId};
use crate::severity::Severity;
use crate::time::SimTime;

/// What watches a world while it plays.
pub trait Recorder {
    /// Whether facts are made: a study needs none, and a world without them plays faster. Nothing else
    /// in the world depends on it.
    const FACTS: bool;

    /// A fact, in order. Only called with [`Recorder::FACTS`].
    fn fact(&mut self, fact: Fact);

    /// A builder took a build.
    fn build_started(&mut self, _at: SimTime, _build: BuildStart) {}

    /// A builder became free: an attempt ended.
    fn build_ended(&mut self, _at: SimTime, _build: BuildEnd) {}

    /// A customer's exposure of this severity grew (positive) or shrank: the number of (customer,
    /// image, advisory) for which the version that the customer runs has a finding that is detected and
    /// not judged (docs/model.md, exposure-days). Policies play no part.
    fn exposure_changed(
        &mut self,
        _at: SimTime,
        _customer: CustomerId,
        _severity: Severity,
        _change: i32,
    ) {
    }
}

/// A builder took a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildStart {
    /// What is built.
    pub image: ImageId,
    /// Why: the trigger of the first request.
    pub trigger: Trigger,
    /// When it was first asked for.
    pub requested: SimTime,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The builder.
    pub builder: BuilderId,
}

/// An attempt ended, and its builder is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildEnd {
    /// What was built.
    pub image: ImageId,
    /// Why: the trigger of the first request.
    pub trigger: Trigger,
    /// The builder.
    pub builder: BuilderId,
    /// When the attempt began.
    pub started: SimTime,
    /// How it ended.
    pub end: AttemptEnd,
}

/// The ways an attempt to build ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttemptEnd {
    /// A new version is published.
    Published,
    /// The contents are those of the current version.
    Unchanged,
    /// A build that began later has already published.
    Superseded,
    /// The build failed.
    Failed,
    /// It failed for no fault of the image, and the build waits again.
    Flaked,
}

/// Nobody watches: the world just plays.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Recorder for Unwatched {
    const FACTS: bool = false;

    fn fact(&mut self, _fact: Fact) {}
}

/// Hands every fact to a closure.
pub(crate) struct Facts<'a, F>(pub(crate) &'a mut F);

impl<F: FnMut(Fact)> Recorder for Facts<'_, F> {
    const FACTS: bool = true;

    fn fact(&mut self, fact: Fact) {
        (self.0)(fact);
    }
}
