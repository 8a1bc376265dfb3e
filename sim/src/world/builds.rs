//! Builds: who asks, who waits, what comes out.
use super::state::{Build, Event, Version};
use super::{Sink, World};
use crate::cast::ordinal;
use crate::events::Class;
use crate::fact::{
    BuildResult, Cause, FactKind, FailureReason, FindingRef, Outcome, Published, Trigger,
};
use crate::ids::{AdvisoryId, BuildId, BuilderId, ImageId, ReleaseRef, VersionRef};
use crate::random::Purpose;
use crate::scenario::model::RequestTrigger;
use crate::time::{SimDuration, SimTime};
use std::sync::Arc;

impl World {
    /// Version 1 of an image: it exists, unqueued, when the world begins.
    pub(super) fn bootstrap(&mut self, image: ImageId, sink: Sink<'_>) {
        let (contents, base) = self.resolve(image);
        let id = self.next_build_id();
        let changes = self.images[image.index()].changes;
        let result = BuildResult {
            build: id,
            image,
            cause: Cause::Bootstrap,
            depth: self.catalogue.images[image.index()].depth,
            builder: None,
            requested: self.now,
            started: self.now,
            attempts: 1,
            outcome: Outcome::Unchanged { version: 0 },
            report: None,
        };
        self.publish(result, contents, base, changes, 0, sink);
    }

    /// Asks for a build; `id` is given when the caller of a command was told it already.
    pub(super) fn request(
        &mut self,
        image: ImageId,
        cause: Cause,
        id: Option<BuildId>,
        sink: Sink<'_>,
    ) {
        if id.is_none() && self.is_put_off(image, &cause) {
            return;
        }
        let class = self.config.class(cause.trigger());
        self.request_in_class(image, cause, class, id, sink);
    }

    pub(super) fn request_in_class(
        &mut self,
        image: ImageId,
        cause: Cause,
        class: usize,
        id: Option<BuildId>,
        sink: Sink<'_>,
    ) {
        let end = self.catalogue.images[image.index()].end_of_life;
        if id.is_none() && end.is_some_and(|end| end <= self.now) {
            return;
        }
        let id = id.unwrap_or_else(|| self.next_build_id());
        self.emit(FactKind::BuildRequested { build: id, image, cause: cause.clone() }, sink);
        if let Some(slot) = self.images[image.index()].waiting {
            let manual = cause.trigger() == Trigger::Manual;
            self.merge(id, slot, class, manual, sink);
            return;
        }
        let build = Build {
            id,
            image,
            cause,
            class,
            requested: self.now,
            started: self.now,
            attempts: 0,
            took_in: false,
            builder: BuilderId(0),
            start_order: 0,
            changes: 0,
            base: None,
            contents: Arc::new([]),
            report: None,
        };
        let slot = match self.free_slots.pop() {
            Some(slot) => {
                self.builds[slot as usize] = Some(build);
                slot
            }
            None => {
                self.builds.push(Some(build));
                ordinal(self.builds.len()) - 1
            }
        };
        self.wait(slot);
        self.start_builds(sink);
    }

    fn merge(&mut self, id: BuildId, slot: u32, class: usize, manual: bool, sink: Sink<'_>) {
        let Some(waiting) = self.builds[slot as usize].as_mut() else { return };
        let into = waiting.id;
        waiting.took_in |= !manual;
        if class < waiting.class {
            self.pool.promote(slot, waiting.class, class);
            waiting.class = class;
        }
        self.emit(FactKind::BuildMerged { build: id, into }, sink);
    }

    fn wait(&mut self, slot: u32) {
        let Some(build) = &self.builds[slot as usize] else { return };
        self.pool.wait(slot, build.class);
        let image = &mut self.images[build.image.index()];
        if self.config.merge && image.waiting.is_none() {
            image.waiting = Some(slot);
        }
    }

    /// Gives waiting builds to free builders.
    pub(super) fn start_builds(&mut self, sink: Sink<'_>) {
        while let Some((slot, builder)) = self.pool.start() {
            let Some(mut build) = self.builds[slot as usize].take() else { continue };
            (build.contents, build.base) = self.resolve(build.image);
            let image = &mut self.images[build.image.index()];
            if image.waiting == Some(slot) {
                image.waiting = None;
            }
            self.starts += 1;
            image.started += 1;
            build.attempts += 1;
            build.started = self.now;
            build.builder = builder;
            build.start_order = self.starts;
            build.changes = image.changes;
            let entity = u64::from(build.image.0);
            let u = self.streams.uniform(Purpose::BuildDuration, entity, image.started);
            let ends = self.now + SimDuration(self.config.duration.duration(u).0.max(1));
            let kind = FactKind::BuildStarted { build: build.id, builder, attempt: build.attempts };
            self.builds[slot as usize] = Some(build);
            self.queue.schedule(ends, Class::Build, Event::BuildEnds(slot));
            self.emit(kind, sink);
        }
    }

    /// What an image would be made of if it were built now: its base's newest version, and the
    /// newest releases of its own packages.
    pub(super) fn resolve(&self, image: ImageId) -> (Arc<[ReleaseRef]>, Option<VersionRef>) {
        let state = &self.images[image.index()];
        let base = self.catalogue.images[image.index()]
            .base
            .map(|base| VersionRef { image: base, version: self.images[base.index()].version })
            .filter(|base| base.version > 0);
        if let Some(current) = state.current()
            && state.changes == state.published_changes
        {
            return (Arc::clone(&current.contents), base);
        }
        let below = base.and_then(|base| self.images[base.image.index()].current());
        let inherited: &[ReleaseRef] = below.map_or(&[], |version| &version.contents);
        let mut contents = Vec::with_capacity(inherited.len() + state.own.len());
        contents.extend_from_slice(inherited);
        contents.extend(state.own.iter().map(|package| ReleaseRef {
            package: *package,
            release: self.packages[package.index()].release,
        }));
        contents.sort_unstable();
        (contents.into(), base)
    }

    pub(super) fn build_ends(&mut self, slot: u32, sink: Sink<'_>) {
        let Some(build) = self.builds[slot as usize].take() else { return };
        self.pool.release(build.builder);
        let image = &mut self.images[build.image.index()];
        let flake = self.streams.uniform(Purpose::BuildFlake, build.id.0, build.attempts)
            < self.config.flake;
        let broken = image.broken_until > build.started;
        image.attempt_ended(broken);
        let failure = if broken {
            Some(FailureReason::Broken)
        } else if flake && build.attempts <= self.config.retries {
            let kind = FactKind::BuildFlaked { build: build.id, attempt: build.attempts };
            self.builds[slot as usize] = Some(build);
            self.emit(kind, sink);
            self.wait(slot);
            self.start_builds(sink);
            return;
        } else {
            flake.then_some(FailureReason::Flaked)
        };
        self.free_slots.push(slot);
        self.finish(build, failure, sink);
        self.start_builds(sink);
    }

    pub(super) fn finish(&mut self, build: Build, failure: Option<FailureReason>, sink: Sink<'_>) {
        let image = &self.images[build.image.index()];
        let version = image.version;
        let same = image.current().is_some_and(|current| {
            Arc::ptr_eq(&current.contents, &build.contents) || current.contents == build.contents
        });
        if failure.is_some() {
            self.back_off(&build);
        } else if build.builder != BuilderId::EXTERNAL {
            let image = &mut self.images[build.image.index()];
            image.failures = 0;
            // What was put off meanwhile may not be in it.
            if build.changes == image.changes {
                image.owed = None;
            }
        }
        let image = &self.images[build.image.index()];
        let outcome = match failure {
            Some(reason) => Some(Outcome::Failed { reason }),
            None if same => Some(Outcome::Unchanged { version }),
            None if build.start_order < image.published_start => {
                Some(Outcome::Superseded { version })
            }
            None => None,
        };
        let result = BuildResult {
            build: build.id,
            image: build.image,
            cause: build.cause,
            depth: self.catalogue.images[build.image.index()].depth,
            builder: Some(build.builder),
            requested: build.requested,
            started: build.started,
            attempts: build.attempts,
            outcome: outcome.clone().unwrap_or(Outcome::Unchanged { version }),
            report: build.report,
        };
        if outcome.is_none() {
            let (contents, base) = (build.contents, build.base);
            self.publish(result, contents, base, build.changes, build.start_order, sink);
            return;
        }
        if failure.is_some() {
            let owner = self.catalogue.images[build.image.index()].owner;
            *self.failed_since_check.entry(owner).or_default() += 1;
        }
        if same && build.start_order > image.published_start {
            let image = &mut self.images[build.image.index()];
            image.published_changes = build.changes;
            image.published_start = build.start_order;
        }
        self.emit(FactKind::BuildFinished(Arc::new(result)), sink);
    }

    /// A new version: the current one from now on.
    fn publish(
        &mut self,
        mut result: BuildResult,
        contents: Arc<[ReleaseRef]>,
        base: Option<VersionRef>,
        changes: u64,
        start_order: u64,
        sink: Sink<'_>,
    ) {
        let image = result.image;
        let bootstrap = result.cause == Cause::Bootstrap;
        let state = &mut self.images[image.index()];
        state.version += 1;
        state.published_changes = changes;
        state.published_start = start_order;
        let version = state.version;
        state.in_use.push(Version {
            version,
            contents: Arc::clone(&contents),
            users: 0,
            scanned: None,
            findings: Vec::new(),
        });
        state.forget_unused();
        let fixed = self.resolve_findings(image);
        let mut closed: Vec<AdvisoryId> = fixed.iter().map(|finding| finding.advisory).collect();
        closed.dedup();
        result.outcome = Outcome::Published(Published {
            version,
            base,
            contents,
            own_packages: Arc::clone(&self.catalogue.images[image.index()].own_packages),
            fixed,
        });
        self.emit(FactKind::BuildFinished(Arc::new(result)), sink);
        self.scan_pushed(image, sink);
        // Only now: the new version may have brought the same advisory in by another package.
        for advisory in closed {
            self.stop_provider_timers_if_resolved(image, advisory);
        }
        self.offer(image, sink);
        if !bootstrap {
            self.rebuild_children(image, version, sink);
        }
    }

    /// The open findings of an image that its newest version does not have; they are closed.
    fn resolve_findings(&mut self, image: ImageId) -> Vec<FindingRef> {
        let state = &self.images[image.index()];
        let Some(current) = state.current() else { return Vec::new() };
        let (open, fixed): (Vec<_>, Vec<_>) = state.open.iter().copied().partition(|finding| {
            current
                .release_of(finding.package)
                .is_some_and(|release| self.advisories[finding.advisory.index()].affects(release))
        });
        self.images[image.index()].open = open;
        fixed
    }

    fn rebuild_children(&mut self, base: ImageId, version: u32, sink: Sink<'_>) {
        let lineage = Arc::clone(&self.lineage);
        for child in &lineage.children[base.index()] {
            self.images[child.index()].changes += 1;
            if self.config.on_base_change {
                let cause = Cause::BaseChange { base: VersionRef { image: base, version } };
                self.request(*child, cause, None, sink);
            }
        }
    }

    /// A fixed package is out: rebuild an image on which the scanner has found the vulnerability.
    pub(super) fn rebuild_for_fix(
        &mut self,
        image: ImageId,
        advisory: AdvisoryId,
        release: ReleaseRef,
        sink: Sink<'_>,
    ) {
        let Some(least) = self.config.on_cve_fix else { return };
        let finding = FindingRef { advisory, package: release.package };
        if self.advisories[advisory.index()].info.severity >= least
            && self.images[image.index()].open.binary_search(&finding).is_ok()
        {
            self.request(image, Cause::CveFix { advisory, release }, None, sink);
        }
    }

    pub(super) fn schedule_cron(&mut self) {
        let next = self.config.rebuild.as_ref().and_then(|cron| cron.next_after(self.now));
        if let Some(at) = next {
            self.queue.schedule(at, Class::Request, Event::Cron);
        }
    }

    pub(super) fn cron(&mut self, sink: Sink<'_>) {
        self.schedule_cron();
        self.rebuild_all(RequestTrigger::Cron, sink);
    }

    pub(super) fn rebuild_all(&mut self, asked: RequestTrigger, sink: Sink<'_>) {
        let lineage = Arc::clone(&self.lineage);
        for image in &lineage.by_depth {
            self.request(*image, plain_cause(asked), None, sink);
        }
    }

    pub(super) fn schedule_arrival(&mut self, stream: u32, nth: u32) {
        let (_, gap) = &self.config.arrivals[stream as usize];
        let u = self.streams.uniform(Purpose::ArrivalGap, u64::from(stream), nth);
        let at: SimTime = self.now + SimDuration(gap.duration(u).0.max(1));
        self.arrived[stream as usize] = self.now;
        self.queue.schedule(at, Class::Request, Event::Arrival { stream, nth });
    }

    pub(super) fn arrival(&mut self, stream: u32, nth: u32, sink: Sink<'_>) {
        self.schedule_arrival(stream, nth + 1);
        let (asked, _) = self.config.arrivals[stream as usize];
        let images = ordinal(self.images.len());
        if images > 0 {
            let image = self.streams.below(Purpose::ArrivalImage, u64::from(stream), nth, images);
            self.request(ImageId(image), plain_cause(asked), None, sink);
        }
    }
}

/// The cause of a request that nothing in the world brought about.
fn plain_cause(asked: RequestTrigger) -> Cause {
    match asked {
        RequestTrigger::Cron => Cause::Cron,
        RequestTrigger::Upstream => Cause::Upstream { release: None, revision: None },
        RequestTrigger::Manual => Cause::Manual { requested_by: None, external: false },
    }
}
