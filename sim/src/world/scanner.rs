//! The scanner: which versions it looks at, what it finds, and what follows from that.
use super::World;
use super::state::{Event, Exposure, Version};
use crate::cast::ordinal;
use crate::events::Class;
use crate::fact::{
    Fact, FactKind, FindingRef, Justification, NewFinding, Scan, ScanTarget, ScanTrigger,
};
use crate::ids::{AdvisoryId, ImageId, VersionRef};
use crate::random::Purpose;
use crate::recorder::Recorder;
use crate::time::SimTime;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl World {
    pub(super) fn schedule_scan(&mut self) {
        let next = self.config.scan.as_ref().and_then(|cron| cron.next_after(self.now));
        if let Some(at) = next {
            self.queue.schedule(at, Class::Scan, Event::Scan);
        }
    }

    /// Scans the newest version of an image as it is pushed.
    pub(super) fn scan_pushed(&mut self, image: ImageId, recorder: &mut impl Recorder) {
        let now = self.now;
        let Some(current) = self.images[image.index()].current() else { return };
        let findings = self.matches(current, now);
        let new: Vec<_> =
            findings.iter().map(|f| NewFinding { finding: *f, fixed_in: None }).collect();
        let target = ScanTarget {
            version: VersionRef { image, version: current.version },
            previous: None,
            findings: ordinal(findings.len()),
            new,
        };
        if let Some(current) = self.images[image.index()].in_use.last_mut() {
            current.scanned = Some(now);
            current.findings = findings;
        }
        self.report(Scan { trigger: ScanTrigger::Push, targets: vec![target] }, recorder);
    }

    /// Every finding a scanner can make on a version at this instant, in order.
    fn matches(&self, version: &Version, at: SimTime) -> Vec<FindingRef> {
        let mut found = Vec::new();
        for release in version.contents.iter() {
            for advisory in &self.packages[release.package.index()].advisories {
                let state = &self.advisories[advisory.index()];
                if state.info.detectable <= at && state.affects(*release) {
                    found.push(FindingRef { advisory: *advisory, package: release.package });
                }
            }
        }
        found.sort_unstable();
        found
    }

    /// A scheduled pass over all versions in use.
    pub(super) fn scan(&mut self, recorder: &mut impl Recorder) {
        self.schedule_scan();
        self.scan_all(ScanTrigger::Scheduled, recorder);
    }

    /// A pass that somebody asked for: over the versions in use of one image, or of all.
    pub(super) fn requested_scan(&mut self, image: Option<ImageId>, recorder: &mut impl Recorder) {
        match image {
            Some(image) => self.scan_image(image, recorder),
            None => self.scan_all(ScanTrigger::Requested, recorder),
        }
    }

    fn scan_image(&mut self, image: ImageId, recorder: &mut impl Recorder) {
        let now = self.now;
        let state = &self.images[image.index()];
        let mut targets = Vec::with_capacity(state.in_use.len());
        for version in &state.in_use {
            let found = self.matches(version, now).into_iter();
            let mut new: Vec<FindingRef> =
                found.filter(|f| version.findings.binary_search(f).is_err()).collect();
            new.sort_unstable();
            let new = new.into_iter().map(|finding| {
                let advisory = &self.advisories[finding.advisory.index()];
                let has = |v: &&Version| {
                    v.release_of(finding.package).is_some_and(|release| advisory.affects(release))
                };
                let fixed_in = state.current().filter(|newest| !has(newest)).map(|v| v.version);
                NewFinding { finding, fixed_in }
            });
            let new: Vec<NewFinding> = new.collect();
            targets.push(ScanTarget {
                version: VersionRef { image, version: version.version },
                previous: version.scanned,
                findings: ordinal(version.findings.len() + new.len()),
                new,
            });
        }
        for (version, target) in self.images[image.index()].in_use.iter_mut().zip(&targets) {
            version.scanned = Some(now);
            version.findings.extend(target.new.iter().map(|new| new.finding));
            version.findings.sort_unstable();
        }
        self.report(Scan { trigger: ScanTrigger::Requested, targets }, recorder);
    }

    fn scan_all(&mut self, trigger: ScanTrigger, recorder: &mut impl Recorder) {
        let now = self.now;
        let mut new = self.newly_detectable(now);
        let mut targets = Vec::new();
        for image in (0..ordinal(self.images.len())).map(ImageId) {
            let state = &mut self.images[image.index()];
            for version in &mut state.in_use {
                let name = VersionRef { image, version: version.version };
                let found = new.remove(&name).unwrap_or_default();
                version.findings.extend(found.iter().map(|new| new.finding));
                version.findings.sort_unstable();
                targets.push(ScanTarget {
                    version: name,
                    previous: version.scanned.replace(now),
                    findings: ordinal(version.findings.len()),
                    new: found,
                });
            }
        }
        self.report(Scan { trigger, targets }, recorder);
    }

    /// What became detectable since the last pass, by version, in order.
    fn newly_detectable(&mut self, now: SimTime) -> BTreeMap<VersionRef, Vec<NewFinding>> {
        let mut advisories = Vec::new();
        self.undetected.retain(|(detectable, advisory)| {
            let later = *detectable > now;
            if !later {
                advisories.push(*advisory);
            }
            later
        });
        let mut new: BTreeMap<VersionRef, Vec<NewFinding>> = BTreeMap::new();
        for advisory in advisories {
            let state = &self.advisories[advisory.index()];
            for hit in &state.hits {
                let finding = FindingRef { advisory, package: hit.package };
                for image in &self.lineage.holders[hit.package.index()] {
                    let in_use = &self.images[image.index()].in_use;
                    let affected = |version: &Version| {
                        version.release_of(hit.package).is_some_and(|r| state.affects(r))
                    };
                    let fixed_in = in_use.last().filter(|v| !affected(v)).map(|v| v.version);
                    for version in in_use {
                        let seen = version.scanned.is_some_and(|at| at >= state.info.detectable);
                        if !seen && affected(version) {
                            let name = VersionRef { image: *image, version: version.version };
                            new.entry(name).or_default().push(NewFinding { finding, fixed_in });
                        }
                    }
                }
            }
        }
        new.values_mut().for_each(|found| found.sort_unstable());
        new
    }

    /// Says what a scan found, then lets follow what follows from it.
    fn report(&mut self, scan: Scan, recorder: &mut impl Recorder) {
        let scan = Arc::new(scan);
        self.emit(|| FactKind::Scanned(Arc::clone(&scan)), recorder);
        for target in &scan.targets {
            let mut last = None;
            for new in &target.new {
                let advisory = new.finding.advisory;
                self.found(target.version, *new, last != Some(advisory), recorder);
                last = Some(advisory);
            }
        }
        for target in scan.targets.iter().filter(|target| !target.new.is_empty()) {
            for new in &target.new {
                self.rebuild_if_fixed(target.version, new.finding, recorder);
            }
        }
    }

    /// A finding is new on a version, and maybe (`first_here`) its advisory is: a version's findings
    /// of one advisory can all be made at the same time, and are.
    fn found(
        &mut self,
        version: VersionRef,
        new: NewFinding,
        first_here: bool,
        recorder: &mut impl Recorder,
    ) {
        let FindingRef { advisory, .. } = new.finding;
        let now = self.now;
        let state = &mut self.images[version.image.index()];
        let first = !state.exposures.contains_key(&advisory);
        let exposure = state.exposures.entry(advisory).or_insert_with(|| Exposure {
            first_detected: now,
            judged: None,
            resolved: new.fixed_in.map(|_| now),
            false_positive: false,
            timers: Vec::new(),
        });
        if first {
            let hit = &mut self.advisories[advisory.index()].images_hit;
            *hit += 1;
            if *hit == 1 {
                self.first_found.push_back((now, advisory));
            }
        }
        if exposure.judged.is_some() {
            return;
        }
        if new.fixed_in.is_none()
            && let Err(place) = state.open.binary_search(&new.finding)
        {
            exposure.resolved = None;
            state.open.insert(place, new.finding);
        }
        if first_here {
            self.exposed_to(version, advisory, 1, recorder);
        }
        if first {
            self.maybe_false_positive(version.image, advisory);
        }
        self.open_timers(version, advisory, new.fixed_in.is_none());
    }

    /// Which findings would be wrong, among those that facts of this world make possible: of the
    /// advisories that they publish on images that hold what these affect, and on the images that
    /// they add. It is the truth, which in the world nobody knows before a finding is judged.
    pub fn false_positives(&self, facts: &[Fact]) -> BTreeSet<(ImageId, AdvisoryId)> {
        let mut wrong = BTreeSet::new();
        for fact in facts {
            match &fact.kind {
                FactKind::AdvisoryPublished(advisory) => {
                    let packages = advisory.affected.iter().map(|hit| hit.introduced.package);
                    let images = packages.flat_map(|p| &self.lineage.holders[p.index()]);
                    wrong.extend(images.map(|image| (*image, advisory.id)));
                }
                FactKind::ImageCreated(new) => {
                    let packages = self.catalogue.all_packages(new.image).into_iter();
                    let advisories = packages.flat_map(|p| &self.packages[p.index()].advisories);
                    wrong.extend(advisories.map(|advisory| (new.image, *advisory)));
                }
                _ => {}
            }
        }
        wrong.retain(|(image, advisory)| self.is_false_positive(*image, *advisory));
        wrong
    }

    fn is_false_positive(&self, image: ImageId, advisory: AdvisoryId) -> bool {
        if let Some(exposure) = self.images[image.index()].exposures.get(&advisory) {
            return exposure.false_positive;
        }
        self.would_be_false_positive(image, advisory)
    }

    fn would_be_false_positive(&self, image: ImageId, advisory: AdvisoryId) -> bool {
        let entity = u64::from(image.0) << 32 | u64::from(advisory.0);
        self.streams.uniform(Purpose::Triage, entity, 0) < self.config.false_positives
    }

    fn maybe_false_positive(&mut self, image: ImageId, advisory: AdvisoryId) {
        let entity = u64::from(image.0) << 32 | u64::from(advisory.0);
        if self.would_be_false_positive(image, advisory) {
            if let Some(exposure) = self.images[image.index()].exposures.get_mut(&advisory) {
                exposure.false_positive = true;
            }
            let wait =
                self.config.triage.duration(self.streams.uniform(Purpose::Triage, entity, 1));
            let at = self.now + crate::time::SimDuration(wait.0.max(1));
            self.queue.schedule(at, Class::Triage, Event::Triage { image, advisory });
        }
    }

    /// Somebody looked: the image is not affected after all.
    pub(super) fn triage(
        &mut self,
        image: ImageId,
        advisory: AdvisoryId,
        recorder: &mut impl Recorder,
    ) {
        const WHY: [Justification; 5] = [
            Justification::VulnerableCodeNotInExecutePath,
            Justification::VulnerableCodeNotPresent,
            Justification::VulnerableCodeCannotBeControlledByAdversary,
            Justification::InlineMitigationsAlreadyExist,
            Justification::VulnerableCodeNotInExecutePath,
        ];
        let entity = u64::from(image.0) << 32 | u64::from(advisory.0);
        let why = self.streams.below(Purpose::Triage, entity, 2, ordinal(WHY.len())) as usize;
        let kind = || FactKind::FindingTriaged { image, advisory, justification: WHY[why] };
        self.emit(kind, recorder);
        let now = self.now;
        let state = &mut self.images[image.index()];
        state.open.retain(|finding| finding.advisory != advisory);
        if let Some(exposure) = state.exposures.get_mut(&advisory) {
            exposure.judged = Some(now);
        }
        let with = state.in_use.iter().filter(|version| version.has(advisory));
        let with: Vec<u32> = with.map(|version| version.version).collect();
        for version in with {
            self.exposed_to(VersionRef { image, version }, advisory, -1, recorder);
        }
        self.stop_all_timers(image, advisory);
    }

    /// An advisory is known on a version from now on, or is judged: whoever runs it is exposed to one
    /// more, or one less.
    fn exposed_to(
        &mut self,
        version: VersionRef,
        advisory: AdvisoryId,
        change: i32,
        recorder: &mut impl Recorder,
    ) {
        let severity = self.advisories[advisory.index()].info.severity;
        let state = &mut self.images[version.image.index()];
        let Some(known) = state.version_mut(version.version) else { return };
        known.exposed[severity as usize] += change;
        for id in &state.users {
            let usage = &self.usages[*id as usize];
            if usage.version == version.version {
                recorder.exposure_changed(self.now, usage.customer, severity, change);
            }
        }
    }

    /// The fix may be out before the scanner saw the vulnerability.
    fn rebuild_if_fixed(
        &mut self,
        version: VersionRef,
        finding: FindingRef,
        recorder: &mut impl Recorder,
    ) {
        let state = &self.images[version.image.index()];
        if state.version != version.version || state.own.binary_search(&finding.package).is_err() {
            return;
        }
        let fixed = self.advisories[finding.advisory.index()].hit(finding.package);
        if let Some(fixed) = fixed.and_then(|hit| hit.fixed) {
            let release = crate::ids::ReleaseRef { package: finding.package, release: fixed };
            self.rebuild_for_fix(version.image, finding.advisory, release, recorder);
        }
    }
}
