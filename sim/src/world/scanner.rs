//! The scanner: which versions it looks at, what it finds, and what follows from that.
use super::World;
use super::lineage::ABSENT;
use super::state::{Candidate, Event, Exposure, ImageState, Version};
use crate::cast::ordinal;
use crate::events::Class;
use crate::fact::{
    Fact, FactKind, FindingRef, Justification, NewFinding, Scan, ScanTarget, ScanTrigger,
};
use crate::ids::{AdvisoryId, ImageId, VersionRef};
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

    /// Scans the newest version of an image as it is pushed: it has just been given its findings, and
    /// `fixable` says whether any of them has a fixed release.
    pub(super) fn scan_pushed(
        &mut self,
        image: ImageId,
        fixable: bool,
        recorder: &mut impl Recorder,
    ) {
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
        let (mut last, mut place) = (None, 0);
        for finding in &findings {
            let first_here = last.replace(finding.advisory) != Some(finding.advisory);
            // What is open is known, and owed: nobody runs this version yet.
            let state = &mut self.images[image.index()];
            while state.open.get(place).is_some_and(|open| open < finding) {
                place += 1;
            }
            if state.open.get(place) != Some(finding) {
                let new = NewFinding { finding: *finding, fixed_in: None };
                self.found(version, new, first_here, recorder);
            } else if first_here && let Some(current) = state.in_use.last_mut() {
                let severity = self.advisories[finding.advisory.index()].severity;
                current.exposed[severity as usize] += 1;
            }
        }
        for finding in findings.iter().filter(|_| fixable) {
            self.rebuild_if_fixed(version, *finding, recorder);
        }
        // By number: what a rebuild has led to may be another publication.
        if let Some(scanned) = self.images[image.index()].version_mut(version.version) {
            scanned.findings = findings;
        }
    }

    /// A hit may be found on an image from now on, if the image holds the package.
    pub(super) fn may_find(&mut self, hit: u32, image: ImageId) {
        let package = self.hits[hit as usize].finding.package;
        if let Some(place) = self.lineage.layouts[image.index()].place(package) {
            let candidate = Candidate { hit, place };
            let state = &mut self.images[image.index()];
            state.candidates.push(candidate);
            state.live.push(candidate);
        }
    }

    /// Every finding a scanner can make now on contents of an image, in order.
    fn matches(&self, state: &ImageState, contents: &[u32]) -> Vec<FindingRef> {
        let hits = state.candidates.iter().filter_map(|candidate| {
            let hit = &self.hits[candidate.hit as usize];
            hit.matches(contents[candidate.place as usize], self.now).then_some(hit.finding)
        });
        hits.collect()
    }

    /// As `matches`, on the contents of a version that is the newest from now on. Later ones have
    /// later releases, so what is fixed in it need not be looked at again. And whether any finding has a
    /// fixed release.
    pub(super) fn newest_matches(
        &mut self,
        image: ImageId,
        contents: &[u32],
    ) -> (Vec<FindingRef>, bool) {
        let (hits, now) = (&self.hits, self.now);
        let mut found = Vec::new();
        let mut fixable = false;
        self.images[image.index()].live.retain(|candidate| {
            let hit = &hits[candidate.hit as usize];
            let release = contents[candidate.place as usize];
            if hit.matches(release, now) {
                found.push(hit.finding);
                fixable |= hit.fixed != u32::MAX;
            }
            release < hit.fixed || release == ABSENT
        });
        (found, fixable)
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
        let newest = state.current().map(|v| (v.version, self.matches(state, &v.contents)));
        let newest = newest.as_ref();
        let mut all: Vec<Found> = Vec::new();
        for version in &state.in_use {
            let name = VersionRef { image, version: version.version };
            let found = self.matches(state, &version.contents).into_iter();
            for finding in found.filter(|f| version.findings.binary_search(f).is_err()) {
                let fixed_in = newest.filter(|(_, has)| has.binary_search(&finding).is_err());
                let fixed_in = fixed_in.map(|(version, _)| *version);
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
            for hit in &self.hits[state.first_hit as usize..][..state.hits.len()] {
                let finding = hit.finding;
                for image in &self.lineage.holders[finding.package.index()] {
                    let layout = &self.lineage.layouts[image.index()];
                    let Some(place) = layout.place(finding.package) else { continue };
                    let affected = |v: &Version| hit.affects(v.contents[place as usize]);
                    let in_use = &self.images[image.index()].in_use;
                    let fixed_in = in_use.last().filter(|v| !affected(v)).map(|v| v.version);
                    for version in in_use {
                        if self.scanned(version) < hit.detectable && affected(version) {
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
                    let hits = self.images[new.image.index()].candidates.iter();
                    let hits = hits.map(|candidate| self.hits[candidate.hit as usize]);
                    wrong.extend(hits.map(|hit| (new.image, hit.finding.advisory)));
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
