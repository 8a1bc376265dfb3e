//! The scanner: which versions it looks at, what it finds, and what follows from that.
use super::World;
use super::state::{Event, Exposure, ImageState, Version};
use crate::cast::ordinal;
use crate::events::Class;
use crate::fact::{
    Fact, FactKind, FindingRef, Justification, NewFinding, Scan, ScanTarget, ScanTrigger,
};
use crate::ids::{AdvisoryId, ImageId, ReleaseRef, VersionRef};
use crate::random::Purpose;
use crate::recorder::Recorder;
use crate::time::SimTime;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A finding that is new on a version.
type Found = (VersionRef, NewFinding);

impl World {
    pub(super) fn schedule_scan(&mut self) {
        let next = self.config.scan.as_ref().and_then(|cron| cron.next_after(self.now));
        if let Some(at) = next {
            self.queue.schedule(at, Class::Scan, Event::Scan);
        }
    }

    /// Scans the newest version of an image as it is pushed: it has just been given its findings.
    pub(super) fn scan_pushed<R: Recorder>(&mut self, image: ImageId, recorder: &mut R) {
        let now = self.now;
        let state = &mut self.images[image.index()];
        let Some(current) = state.in_use.last_mut() else { return };
        current.scanned = now;
        let version = VersionRef { image, version: current.version };
        let findings = std::mem::take(&mut current.findings);
        let scan = || {
            let new = findings.iter().map(|f| NewFinding { finding: *f, fixed_in: None }).collect();
            let findings = ordinal(findings.len());
            let target = ScanTarget { version, previous: None, findings, new };
            FactKind::Scanned(Arc::new(Scan { trigger: ScanTrigger::Push, targets: vec![target] }))
        };
        self.emit(scan, recorder);
        let mut last = None;
        for finding in &findings {
            let first_here = last.replace(finding.advisory) != Some(finding.advisory);
            // What is open is known, and owed: nobody runs this version yet.
            let state = &mut self.images[image.index()];
            if state.open.binary_search(finding).is_err() {
                let new = NewFinding { finding: *finding, fixed_in: None };
                self.found(version, new, first_here, recorder);
            } else if first_here && let Some(current) = state.in_use.last_mut() {
                let severity = self.advisories[finding.advisory.index()].severity;
                current.exposed[severity as usize] += 1;
            }
        }
        for finding in &findings {
            self.rebuild_if_fixed(version, *finding, recorder);
        }
        // By number: what a rebuild has led to may be another publication.
        if let Some(scanned) = self.images[image.index()].version_mut(version.version) {
            scanned.findings = findings;
        }
    }

    /// Every finding a scanner can make on these contents now, in order.
    pub(super) fn matches(&self, contents: &[ReleaseRef]) -> Vec<FindingRef> {
        let mut found = Vec::new();
        for release in contents {
            for hit in &self.packages[release.package.index()].hits {
                if hit.introduced <= release.release
                    && release.release < hit.fixed
                    && hit.detectable <= self.now
                {
                    found.push(FindingRef { advisory: hit.advisory, package: release.package });
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

    fn scan_image<R: Recorder>(&mut self, image: ImageId, recorder: &mut R) {
        let now = self.now;
        let state = &self.images[image.index()];
        let mut all: Vec<Found> = Vec::new();
        for version in &state.in_use {
            let name = VersionRef { image, version: version.version };
            let found = self.matches(&version.contents).into_iter();
            for finding in found.filter(|f| version.findings.binary_search(f).is_err()) {
                let fixed_in = self.fixed_in(state, finding);
                all.push((name, NewFinding { finding, fixed_in }));
            }
        }
        self.note(&all);
        let targets = R::FACTS.then(|| self.targets(std::iter::once(image), &all));
        for version in &mut self.images[image.index()].in_use {
            version.scanned = now;
        }
        self.report(ScanTrigger::Requested, targets, &all, recorder);
    }

    fn scan_all<R: Recorder>(&mut self, trigger: ScanTrigger, recorder: &mut R) {
        let new = self.newly_detectable();
        self.note(&new);
        let images = (0..ordinal(self.images.len())).map(ImageId);
        let targets = R::FACTS.then(|| self.targets(images, &new));
        self.last_pass = self.now;
        self.report(trigger, targets, &new, recorder);
    }

    /// The newest version of an image, where it does not have the finding.
    fn fixed_in(&self, state: &ImageState, finding: FindingRef) -> Option<u32> {
        let advisory = &self.advisories[finding.advisory.index()];
        let has = |v: &&Version| {
            v.release_of(finding.package).is_some_and(|release| advisory.affects(release))
        };
        state.current().filter(|newest| !has(newest)).map(|v| v.version)
    }

    /// When a version was scanned last, by itself or by a pass over all.
    pub(super) fn scanned(&self, version: &Version) -> SimTime {
        version.scanned.max(self.last_pass)
    }

    /// What became detectable since the last pass, by version, in order.
    fn newly_detectable(&mut self) -> Vec<Found> {
        let now = self.now;
        let mut advisories = Vec::new();
        self.undetected.retain(|(detectable, advisory)| {
            let later = *detectable > now;
            if !later {
                advisories.push(*advisory);
            }
            later
        });
        let mut new = Vec::new();
        for advisory in advisories {
            let state = &self.advisories[advisory.index()];
            for hit in &state.hits {
                let finding = FindingRef { advisory, package: hit.package };
                for image in &self.lineage.holders[hit.package.index()] {
                    let of_image = &self.images[image.index()];
                    let fixed_in = self.fixed_in(of_image, finding);
                    for version in &of_image.in_use {
                        let seen = self.scanned(version) >= state.info.detectable;
                        let release = version.release_of(hit.package);
                        if !seen && release.is_some_and(|release| state.affects(release)) {
                            let name = VersionRef { image: *image, version: version.version };
                            new.push((name, NewFinding { finding, fixed_in }));
                        }
                    }
                }
            }
        }
        new.sort_unstable();
        new
    }

    /// Adds what was found to what is known of each version.
    fn note(&mut self, new: &[Found]) {
        for of_version in new.chunk_by(|one, next| one.0 == next.0) {
            let VersionRef { image, version } = of_version[0].0;
            if let Some(version) = self.images[image.index()].version_mut(version) {
                version.findings.extend(of_version.iter().map(|(_, new)| new.finding));
                version.findings.sort_unstable();
            }
        }
    }

    /// What a scan of all versions in use of these images says.
    fn targets(&self, images: impl Iterator<Item = ImageId>, new: &[Found]) -> Vec<ScanTarget> {
        let mut targets = Vec::new();
        let mut new = new;
        for image in images {
            for version in &self.images[image.index()].in_use {
                let name = VersionRef { image, version: version.version };
                let here = new.iter().take_while(|(of, _)| *of == name).count();
                let (found, rest) = new.split_at(here);
                new = rest;
                targets.push(ScanTarget {
                    version: name,
                    previous: Some(self.scanned(version)),
                    findings: ordinal(version.findings.len()),
                    new: found.iter().map(|(_, new)| *new).collect(),
                });
            }
        }
        targets
    }

    /// Says what a scan found, then lets follow what follows from it.
    fn report(
        &mut self,
        trigger: ScanTrigger,
        targets: Option<Vec<ScanTarget>>,
        found: &[Found],
        recorder: &mut impl Recorder,
    ) {
        let targets = targets.unwrap_or_default();
        self.emit(|| FactKind::Scanned(Arc::new(Scan { trigger, targets })), recorder);
        let mut last = None;
        for (version, new) in found {
            let here = Some((*version, new.finding.advisory));
            self.found(*version, *new, last != here, recorder);
            last = here;
        }
        for (version, new) in found {
            self.rebuild_if_fixed(*version, new.finding, recorder);
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
        let place = state.exposures.binary_search_by_key(&advisory, |e| e.advisory);
        let first = place.is_err();
        let place = place.unwrap_or_else(|place| {
            let resolved = new.fixed_in.map(|_| now);
            let exposure = Exposure {
                advisory,
                first_detected: now,
                judged: None,
                resolved,
                false_positive: false,
            };
            state.exposures.insert(place, exposure);
            place
        });
        let exposure = &mut state.exposures[place];
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
                    let hits = packages.flat_map(|p| &self.packages[p.index()].hits);
                    wrong.extend(hits.map(|hit| (new.image, hit.advisory)));
                }
                _ => {}
            }
        }
        wrong.retain(|(image, advisory)| self.is_false_positive(*image, *advisory));
        wrong
    }

    fn is_false_positive(&self, image: ImageId, advisory: AdvisoryId) -> bool {
        if let Some(exposure) = self.images[image.index()].exposure(advisory) {
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
            if let Some(exposure) = self.images[image.index()].exposure_mut(advisory) {
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
        if let Some(exposure) = state.exposure_mut(advisory) {
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
        let severity = self.advisories[advisory.index()].severity;
        let state = &mut self.images[version.image.index()];
        let Some(known) = state.version_mut(version.version) else { return };
        known.exposed[severity as usize] += change;
        if known.users == 0 {
            return;
        }
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
        let fixed = self.advisories[finding.advisory.index()].hit(finding.package);
        let Some(fixed) = fixed.and_then(|hit| hit.fixed) else { return };
        let state = &self.images[version.image.index()];
        if state.version == version.version && state.own.binary_search(&finding.package).is_ok() {
            let release = crate::ids::ReleaseRef { package: finding.package, release: fixed };
            self.rebuild_for_fix(version.image, finding.advisory, release, recorder);
        }
    }
}
