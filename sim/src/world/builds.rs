//! Builds: who asks, who waits, what comes out.
use super::World;
use super::state::{Build, Event, Version};
use crate::cast::ordinal;
use crate::events::Class;
use crate::fact::{Cause, FactKind, FailureReason, FindingRef, Outcome, Published, Trigger};
use crate::ids::{AdvisoryId, BuildId, BuilderId, ImageId, ReleaseRef, VersionRef};
use crate::random::Purpose;
use crate::recorder::{AttemptEnd, BuildEnd, BuildStart, Recorder};
use crate::scenario::model::RequestTrigger;
use crate::time::{SimDuration, SimTime};
use std::sync::Arc;

impl World {
    /// Version 1 of an image: it exists, unqueued, when the world begins.
    pub(super) fn bootstrap(&mut self, image: ImageId, recorder: &mut impl Recorder) {
        let (contents, base) = self.resolve(image);
        let id = self.next_build_id();
        let changes = self.images[image.index()].changes;
        let build = Build {
            id,
            image,
            cause: Cause::Bootstrap,
            class: 0,
            requested: self.now,
            started: self.now,
            attempts: 1,
            took_in: false,
            builder: BuilderId(0),
            start_order: 0,
            running: false,
            changes,
            base,
            contents,
            report: None,
        };
        self.publish(build, recorder);
    }

    /// Asks for a build; `id` is given when the caller of a command was told it already.
    pub(super) fn request(
        &mut self,
        image: ImageId,
        cause: Cause,
        id: Option<BuildId>,
        recorder: &mut impl Recorder,
    ) {
        if id.is_none() && self.is_put_off(image, &cause) {
            return;
        }
        let class = self.config.class(cause.trigger());
        self.request_in_class(image, cause, class, id, recorder);
    }

    pub(super) fn request_in_class(
        &mut self,
        image: ImageId,
        cause: Cause,
        class: usize,
        id: Option<BuildId>,
        recorder: &mut impl Recorder,
    ) {
        let end = self.catalogue.images[image.index()].end_of_life;
        if id.is_none() && end.is_some_and(|end| end <= self.now) {
            return;
        }
        let id = id.unwrap_or_else(|| self.next_build_id());
        self.emit(|| FactKind::BuildRequested { build: id, image, cause: cause.clone() }, recorder);
        if let Some(slot) = self.images[image.index()].waiting {
            let manual = cause.trigger() == Trigger::Manual;
            self.merge(id, slot, class, manual, recorder);
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
            running: false,
            changes: 0,
            base: None,
            contents: Arc::clone(&self.nothing),
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
        self.start_builds(recorder);
    }

    fn merge(
        &mut self,
        id: BuildId,
        slot: u32,
        class: usize,
        manual: bool,
        recorder: &mut impl Recorder,
    ) {
        let Some(waiting) = self.builds[slot as usize].as_mut() else { return };
        let into = waiting.id;
        waiting.took_in |= !manual;
        if class < waiting.class {
            self.pool.promote(slot, waiting.class, class);
            waiting.class = class;
        }
        self.emit(|| FactKind::BuildMerged { build: id, into }, recorder);
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
    pub(super) fn start_builds(&mut self, recorder: &mut impl Recorder) {
        while let Some((slot, builder)) = self.pool.start() {
            let Some(image_id) = self.builds[slot as usize].as_ref().map(|build| build.image)
            else {
                continue;
            };
            let (contents, base) = self.resolve(image_id);
            let Some(build) = &mut self.builds[slot as usize] else { continue };
            let image = &mut self.images[image_id.index()];
            if image.waiting == Some(slot) {
                image.waiting = None;
            }
            self.starts += 1;
            image.started += 1;
            build.attempts += 1;
            build.started = self.now;
            build.builder = builder;
            build.start_order = self.starts;
            build.running = true;
            build.changes = image.changes;
            (build.contents, build.base) = (contents, base);
            let (id, attempt) = (build.id, build.attempts);
            let start = BuildStart {
                image: image_id,
                trigger: build.cause.trigger(),
                requested: build.requested,
                attempt,
                builder,
            };
            let entity = u64::from(image_id.0);
            let u = self.streams.uniform(Purpose::BuildDuration, entity, image.started);
            let ends = self.now + SimDuration(self.config.duration.duration(u).0.max(1));
            self.queue.schedule(ends, Class::Build, Event::BuildEnds(slot));
            recorder.build_started(self.now, start);
            self.emit(|| FactKind::BuildStarted { build: id, builder, attempt }, recorder);
        }
    }

    /// What an image would be made of if it were built now: its base's newest version, and the
    /// newest releases of its own packages.
    pub(super) fn resolve(&mut self, image: ImageId) -> (Arc<[u32]>, Option<VersionRef>) {
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
        let layout = &self.lineage.layouts[image.index()];
        let below = below.map(|version| &*version.contents);
        layout.resolve(below, &self.releases, &mut self.scratch);
        (Arc::from(self.scratch.as_slice()), base)
    }

    pub(super) fn build_ends(&mut self, slot: u32, recorder: &mut impl Recorder) {
        let Some(mut build) = self.builds[slot as usize].take() else { return };
        self.pool.release(build.builder);
        let image = &mut self.images[build.image.index()];
        let flake = self.streams.uniform(Purpose::BuildFlake, build.id.0, build.attempts)
            < self.config.flake;
        let broken = image.broken_until > build.started;
        image.learn_if_broken(broken);
        let failure = if broken {
            Some(FailureReason::Broken)
        } else if flake && build.attempts <= self.config.retries {
            let (id, attempt) = (build.id, build.attempts);
            self.attempt_ended(&build, AttemptEnd::Flaked, recorder);
            build.running = false;
            self.builds[slot as usize] = Some(build);
            self.emit(|| FactKind::BuildFlaked { build: id, attempt }, recorder);
            self.wait(slot);
            self.start_builds(recorder);
            return;
        } else {
            flake.then_some(FailureReason::Flaked)
        };
        self.free_slots.push(slot);
        self.finish(build, failure, recorder);
        self.start_builds(recorder);
    }

    pub(super) fn finish(
        &mut self,
        build: Build,
        failure: Option<FailureReason>,
        recorder: &mut impl Recorder,
    ) {
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
        let (end, outcome) = match failure {
            Some(reason) => (AttemptEnd::Failed, Some(Outcome::Failed { reason })),
            None if same => (AttemptEnd::Unchanged, Some(Outcome::Unchanged { version })),
            None if build.start_order < image.published_start => {
                (AttemptEnd::Superseded, Some(Outcome::Superseded { version }))
            }
            None => (AttemptEnd::Published, None),
        };
        if build.builder != BuilderId::EXTERNAL {
            self.attempt_ended(&build, end, recorder);
        }
        let Some(outcome) = outcome else {
            self.publish(build, recorder);
            return;
        };
        if failure.is_some() {
            let owner = self.catalogue.images[build.image.index()].owner;
            *self.failed_since_check.entry(owner).or_default() += 1;
        }
        let image = &mut self.images[build.image.index()];
        if same && build.start_order > image.published_start {
            image.published_changes = build.changes;
            image.published_start = build.start_order;
        }
        let depth = self.catalogue.images[build.image.index()].depth;
        let kind = || FactKind::BuildFinished(Arc::new(build.into_result(depth, outcome)));
        self.emit(kind, recorder);
    }

    fn attempt_ended(&self, build: &Build, end: AttemptEnd, recorder: &mut impl Recorder) {
        let Build { image, builder, started, .. } = *build;
        let trigger = build.cause.trigger();
        recorder.build_ended(self.now, BuildEnd { image, trigger, builder, started, end });
    }

    /// A new version: the current one from now on.
    fn publish(&mut self, build: Build, recorder: &mut impl Recorder) {
        let image = build.image;
        let bootstrap = build.cause == Cause::Bootstrap;
        let state = &mut self.images[image.index()];
        state.version += 1;
        state.published_changes = build.changes;
        state.published_start = build.start_order;
        let version = state.version;
        if version == 1 {
            self.published += 1;
        }
        let (findings, fixable) = self.newest_matches(image, &build.contents);
        let state = &mut self.images[image.index()];
        let before = state.in_use.len();
        // What is open has been found, so it is among what can be found on the new version, unless
        // that does not have it any more.
        let mut fixed = Vec::new();
        let mut rest = findings.iter().peekable();
        state.open.retain(|finding| {
            while rest.next_if(|found| *found < finding).is_some() {}
            let stays = rest.peek() == Some(&finding);
            if !stays {
                fixed.push(*finding);
            }
            stays
        });
        state.in_use.push(Version {
            version,
            contents: Arc::clone(&build.contents),
            users: 0,
            scanned: self.now,
            findings,
            exposed: [0; 4],
        });
        if let Some(replaced) = before.checked_sub(1) {
            state.forget_unused(replaced);
        }
        let mut closed: Vec<AdvisoryId> = fixed.iter().map(|finding| finding.advisory).collect();
        closed.dedup();
        let (catalogue, lineage) = (Arc::clone(&self.catalogue), Arc::clone(&self.lineage));
        let kind = || {
            let info = &catalogue.images[image.index()];
            let outcome = Outcome::Published(Published {
                version,
                base: build.base,
                contents: lineage.layouts[image.index()].releases(&build.contents),
                own_packages: Arc::clone(&info.own_packages),
                fixed,
            });
            FactKind::BuildFinished(Arc::new(build.into_result(info.depth, outcome)))
        };
        self.emit(kind, recorder);
        self.scan_pushed(image, fixable, recorder);
        // Only now: the new version may have brought the same advisory in by another package.
        for advisory in closed {
            self.resolved(image, advisory);
        }
        self.offer(image, recorder);
        if !bootstrap {
            self.rebuild_children(image, version, recorder);
        }
    }

    fn rebuild_children(&mut self, base: ImageId, version: u32, recorder: &mut impl Recorder) {
        let lineage = Arc::clone(&self.lineage);
        for child in &lineage.children[base.index()] {
            self.images[child.index()].changes += 1;
            if self.config.on_base_change {
                let cause = Cause::BaseChange { base: VersionRef { image: base, version } };
                self.request(*child, cause, None, recorder);
            }
        }
    }

    /// A fixed package is out: rebuild an image on which the scanner has found the vulnerability.
    pub(super) fn rebuild_for_fix(
        &mut self,
        image: ImageId,
        advisory: AdvisoryId,
        release: ReleaseRef,
        recorder: &mut impl Recorder,
    ) {
        let Some(least) = self.config.on_cve_fix else { return };
        let finding = FindingRef { advisory, package: release.package };
        if self.advisories[advisory.index()].severity >= least
            && self.images[image.index()].open.binary_search(&finding).is_ok()
        {
            self.request(image, Cause::CveFix { advisory, release }, None, recorder);
        }
    }

    pub(super) fn schedule_cron(&mut self) {
        let next = self.config.rebuild.as_ref().and_then(|cron| cron.next_after(self.now));
        if let Some(at) = next {
            self.queue.schedule(at, Class::Request, Event::Cron);
        }
    }

    pub(super) fn cron(&mut self, recorder: &mut impl Recorder) {
        self.schedule_cron();
        self.rebuild_all(RequestTrigger::Cron, recorder);
    }

    pub(super) fn rebuild_all(&mut self, asked: RequestTrigger, recorder: &mut impl Recorder) {
        let lineage = Arc::clone(&self.lineage);
        for image in &lineage.by_depth {
            self.request(*image, plain_cause(asked), None, recorder);
        }
    }

    pub(super) fn schedule_arrival(&mut self, stream: u32, nth: u32) {
        let (_, gap) = &self.config.arrivals[stream as usize];
        let u = self.streams.uniform(Purpose::ArrivalGap, u64::from(stream), nth);
        let at: SimTime = self.now + SimDuration(gap.duration(u).0.max(1));
        self.arrived[stream as usize] = self.now;
        self.queue.schedule(at, Class::Request, Event::Arrival { stream, nth });
    }

    pub(super) fn arrival(&mut self, stream: u32, nth: u32, recorder: &mut impl Recorder) {
        self.schedule_arrival(stream, nth + 1);
        let (asked, _) = self.config.arrivals[stream as usize];
        let images = ordinal(self.images.len());
        if images > 0 {
            let image = self.streams.below(Purpose::ArrivalImage, u64::from(stream), nth, images);
            self.request(ImageId(image), plain_cause(asked), None, recorder);
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
