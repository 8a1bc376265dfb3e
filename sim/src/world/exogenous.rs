//! Exogenous events: package releases, disclosures, and fixes. None of them
//! depends on builders, cadences or policies, so two policies under one seed face the same events.
use super::World;
use super::state::{AdvisoryState, Event, Fixing, Hit, PackageHit};
use crate::cast::{ordinal, whole_i64, whole_u32};
use crate::events::Class;
use crate::fact::{Advisory, Affected, Cause, FactKind, FindingRef};
use crate::ids::{AdvisoryId, ImageId, PackageId, ReleaseRef};
use crate::random::{self, Purpose, Sampler};
use crate::recorder::Recorder;
use crate::severity::{Severity, Vector};
use crate::time::{DAY_MS, SimDuration, SimTime, YEAR_MS};
use chrono::Datelike;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Spread of one package's fix around the fix of its CVE, as deviation of the natural logarithm;
/// a CVE that hits one package has no spread. 0.35 (D).
pub(super) const FIX_SPREAD: f64 = 0.35;
/// Share of affected packages that every earlier release of is affected too. 0.7 (D).
const AFFECTED_FROM_THE_FIRST: f64 = 0.7;
/// The number of the first advisory of a world in its CVE id; the next 999,999 are the world's too.
pub(super) const FIRST_OWN_CVE: u32 = 1_000_000;

impl World {
    pub(super) fn schedule_releases(&mut self) {
        for package in 0..ordinal(self.releases.len()) {
            self.schedule_release(PackageId(package), 0);
        }
    }

    pub(super) fn schedule_release(&mut self, package: PackageId, nth: u32) {
        if self.catalogue.packages[package.index()].end_of_life {
            return;
        }
        let entity = u64::from(package.0);
        let u = self.traits.uniform(Purpose::ReleaseRate, entity, 0);
        let per_year = self.config.releases_per_year.value(u);
        if per_year <= 0.0 {
            return;
        }
        let gap = Sampler::Exponential { mean: YEAR_MS as f64 / per_year };
        let wait = gap.duration(self.streams.uniform(Purpose::ReleaseGap, entity, nth));
        let at = self.now + SimDuration(wait.0.max(1));
        self.queue.schedule(at, Class::Exogenous, Event::Release { package, nth });
    }

    /// The next release of a package, with the advisories it fixes.
    pub(super) fn release(
        &mut self,
        package: PackageId,
        fixes: &[AdvisoryId],
        recorder: &mut impl Recorder,
    ) -> ReleaseRef {
        let newest = &mut self.releases[package.index()];
        *newest += 1;
        let release = ReleaseRef { package, release: *newest };
        for owner in &self.lineage.owners[package.index()] {
            self.images[owner.index()].changes += 1;
        }
        self.emit(|| FactKind::PackageReleased { release, fixes: fixes.into() }, recorder);
        release
    }

    pub(super) fn regular_release(
        &mut self,
        package: PackageId,
        nth: u32,
        recorder: &mut impl Recorder,
    ) {
        let release = self.release(package, &[], recorder);
        self.schedule_release(package, nth + 1);
        let lineage = Arc::clone(&self.lineage);
        for image in &lineage.mains[package.index()] {
            self.maybe_break(*image, release, nth);
            if self.config.on_upstream {
                let cause = Cause::Upstream { release: Some(release), revision: None };
                self.request(*image, cause, None, recorder);
            }
        }
    }

    fn maybe_break(&mut self, image: ImageId, release: ReleaseRef, nth: u32) {
        let entity = u64::from(image.0);
        let broken =
            self.streams.uniform(Purpose::Breakage, entity, 2 * nth) < self.config.breakage;
        self.note_breakage(image, release, broken);
        if broken {
            let u = self.streams.uniform(Purpose::Breakage, entity, 2 * nth + 1);
            let until = self.now + self.config.repair.duration(u);
            self.images[image.index()].broken_until = until;
            self.queue.schedule(until, Class::Request, Event::Repaired { image, release });
        }
    }

    /// Draws how many CVEs the day brings, and when.
    pub(super) fn day(&mut self, day: u32) {
        let begin = self.now;
        let mean = self.cves_of_day(begin);
        let u = self.streams.uniform(Purpose::DayCount, u64::from(day), 0);
        for index in 0..random::count(mean, self.config.dispersion, u) {
            let u = self.streams.uniform(Purpose::DisclosureInstant, u64::from(day), index);
            let at = begin + SimDuration(whole_i64(libm::floor(u * DAY_MS as f64)));
            self.queue.schedule(at, Class::Exogenous, Event::Disclose { day, index });
        }
        let next = begin + SimDuration::days(1);
        self.queue.schedule(next, Class::Exogenous, Event::Day(day + 1));
    }

    /// The mean number of CVEs of the day that begins then.
    pub(super) fn cves_of_day(&self, begin: SimTime) -> f64 {
        let weekday = begin.to_datetime().map_or(0, |d| d.weekday().num_days_from_monday());
        self.config.cves_per_day * self.config.weekday_share[weekday as usize]
    }

    pub(super) fn disclose(&mut self, day: u32, index: u32, recorder: &mut impl Recorder) {
        let key = u64::from(day) << 32 | u64::from(index);
        let draw = |n| self.streams.uniform(Purpose::Disclosure, key, n);
        let u = draw(0);
        let severity = self
            .config
            .severity_below
            .iter()
            .find(|(below, _)| u < *below)
            .map_or(Severity::Low, |(_, severity)| *severity);
        let lag = self.config.detection_lag.duration(draw(2));
        let detectable = self.now + lag;
        let known_exploited = draw(3) < self.config.known_exploited;
        let fix_after = if draw(4) < self.config.fixed_at_disclosure {
            SimDuration(0)
        } else {
            self.config.upstream_fix.duration(draw(5))
        };
        let vector = vector(severity, draw(1));
        let packages = self.blast(key);
        let draft = Draft {
            cve: None,
            severity,
            vector,
            known_exploited,
            detectable,
            fixing: Fixing::Drawn(key),
        };
        let hits = self.hits_of(&packages, key);
        let advisory = self.publish_advisory(draft, hits, recorder);
        self.plan_fix(advisory, fix_after, recorder);
    }

    pub(super) fn plan_fix(
        &mut self,
        advisory: AdvisoryId,
        after: SimDuration,
        recorder: &mut impl Recorder,
    ) {
        if after.0 == 0 {
            self.fix_available(advisory, recorder);
        } else {
            let at = self.now + after;
            self.queue.schedule(at, Class::Exogenous, Event::FixAvailable(advisory));
        }
    }

    /// Which packages a CVE hits: one, or a power law; popular ones more often (Zipf, exponent 1).
    fn blast(&self, key: u64) -> BTreeSet<PackageId> {
        let packages = ordinal(self.releases.len());
        let u = self.streams.uniform(Purpose::Blast, key, 0);
        let single = self.config.single_package;
        let radius = if u < single || self.config.blast_max < 2 {
            1
        } else {
            let u = (u - single) / (1.0 - single);
            let power = 1.0 - self.config.blast_exponent;
            let most = f64::from(self.config.blast_max) + 1.0;
            let least = libm::pow(2.0, power);
            let value = libm::pow(least + u * (libm::pow(most, power) - least), 1.0 / power);
            whole_u32(value).clamp(2, self.config.blast_max).min(packages)
        };
        let mut hit = BTreeSet::new();
        let mut index = 1;
        while ordinal(hit.len()) < radius {
            // Inversion of the continuous density 1 / x on (1, packages + 1).
            let u = self.streams.uniform(Purpose::Blast, key, index);
            let rank = whole_u32(libm::exp(u * libm::log(f64::from(packages) + 1.0)));
            index += 1;
            let mut at = rank.clamp(1, packages) - 1;
            while !hit.insert(PackageId(at)) {
                at = (at + 1) % packages;
            }
        }
        hit
    }

    /// From which release on each package is affected.
    pub(super) fn hits_of(&self, packages: &BTreeSet<PackageId>, key: u64) -> Vec<Hit> {
        let introduced = |package: PackageId| {
            let newest = self.releases[package.index()];
            let u = self.streams.uniform(Purpose::Fix, key ^ u64::from(package.0) << 16, 0);
            if u < AFFECTED_FROM_THE_FIRST {
                return 0;
            }
            let u = (u - AFFECTED_FROM_THE_FIRST) / (1.0 - AFFECTED_FROM_THE_FIRST);
            whole_u32(u * f64::from(newest + 1))
        };
        packages
            .iter()
            .map(|p| Hit { package: *p, introduced: introduced(*p), fixed: None })
            .collect()
    }

    pub(super) fn publish_advisory(
        &mut self,
        draft: Draft,
        hits: Vec<Hit>,
        recorder: &mut impl Recorder,
    ) -> AdvisoryId {
        let id = AdvisoryId(ordinal(self.advisories.len()));
        let year = self.now.to_datetime().map_or(1970, |d| d.year());
        let own = || format!("CVE-{year}-{:07}", FIRST_OWN_CVE + id.0).into();
        let affected = hits
            .iter()
            .map(|hit| Affected {
                introduced: ReleaseRef { package: hit.package, release: hit.introduced },
                fixed: hit.fixed,
            })
            .collect();
        let info = Arc::new(Advisory {
            id,
            cve: draft.cve.unwrap_or_else(own),
            vector: draft.vector,
            severity: draft.severity,
            known_exploited: draft.known_exploited,
            published: self.now,
            detectable: draft.detectable,
            affected,
        });
        let first_hit = ordinal(self.hits.len());
        for (hit, place) in hits.iter().zip(first_hit..) {
            self.hits.push(PackageHit {
                finding: FindingRef { advisory: id, package: hit.package },
                introduced: hit.introduced,
                fixed: hit.fixed.unwrap_or(u32::MAX),
                detectable: draft.detectable,
            });
            let lineage = Arc::clone(&self.lineage);
            for image in &lineage.holders[hit.package.index()] {
                self.may_find(place, *image);
            }
        }
        self.undetected.push((draft.detectable, id));
        self.advisories.push(AdvisoryState {
            info: Arc::clone(&info),
            severity: draft.severity,
            hits,
            first_hit,
            fix_available: None,
            images_hit: 0,
            paused: Vec::new(),
            mass_event: None,
            undecided: Vec::new(),
            fixing: draft.fixing,
            fixed_log_ms: 0.0,
        });
        self.emit(|| FactKind::AdvisoryPublished(info), recorder);
        id
    }

    /// The upstream fix is out; the distribution's fixed packages follow.
    pub(super) fn fix_available(&mut self, advisory: AdvisoryId, recorder: &mut impl Recorder) {
        self.advisories[advisory.index()].fix_available = Some(self.now);
        self.emit(|| FactKind::FixAvailable { advisory }, recorder);
        self.start_paused_timers(advisory);
        let state = &self.advisories[advisory.index()];
        let mut planned = Vec::with_capacity(state.hits.len());
        for hit in &state.hits {
            if hit.fixed.is_some() || self.catalogue.packages[hit.package.index()].end_of_life {
                continue;
            }
            let wait = match state.fixing {
                Fixing::Drawn(key) => self.drawn_fix(key, hit.package, state.hits.len()),
                Fixing::Incident(index) => self.incident_fix(index, hit.package),
                Fixing::Commanded(wait) => wait,
            };
            planned.push((self.now + SimDuration(wait.0.max(1)), hit.package));
        }
        for (at, package) in planned {
            self.queue.schedule(at, Class::Exogenous, Event::PackageFix { advisory, package });
        }
    }

    fn drawn_fix(&self, key: u64, package: PackageId, packages: usize) -> SimDuration {
        let wait = self.config.package_fix.duration(self.streams.uniform(Purpose::Fix, key, 1));
        if packages == 1 {
            return wait;
        }
        let u = self.streams.uniform(Purpose::Fix, key ^ u64::from(package.0) << 16, 2);
        let spread = Sampler::Lognormal { mu: 0.0, sigma: FIX_SPREAD }.value(u);
        SimDuration(whole_i64(libm::round(wait.0 as f64 * spread)))
    }

    pub(super) fn package_fix(
        &mut self,
        advisory: AdvisoryId,
        package: PackageId,
        recorder: &mut impl Recorder,
    ) {
        let release = self.release(package, &[advisory], recorder);
        let state = &mut self.advisories[advisory.index()];
        if let Ok(place) = state.hits.binary_search_by_key(&package, |hit| hit.package) {
            state.hits[place].fixed = Some(release.release);
            let delay = state.fix_available.map_or(0, |available| self.now.since(available).0);
            state.fixed_log_ms += libm::log(delay.max(1) as f64);
            self.hits[state.first_hit as usize + place].fixed = release.release;
        }
        let lineage = Arc::clone(&self.lineage);
        for image in &lineage.owners[package.index()] {
            self.rebuild_for_fix(*image, advisory, release, recorder);
        }
    }
}

/// An advisory about to be published.
pub(super) struct Draft {
    /// Its id; none: the next of the world's own.
    pub(super) cve: Option<Arc<str>>,
    pub(super) severity: Severity,
    pub(super) vector: Vector,
    pub(super) known_exploited: bool,
    pub(super) detectable: SimTime,
    pub(super) fixing: Fixing,
}

/// A vector whose score falls in the severity; the shapes most common in public feeds.
pub(super) fn vector(severity: Severity, u: f64) -> Vector {
    let all = VECTORS[severity as usize];
    let place = whole_u32(u * all.len() as f64) as usize;
    Vector(format!("CVSS:3.1/{}", all[place.min(all.len() - 1)]).into())
}

/// By `Severity as usize`.
const VECTORS: [&[&str]; 4] = [
    &[
        "AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N",
        "AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N",
        "AV:N/AC:H/PR:L/UI:N/S:U/C:L/I:N/A:N",
        "AV:P/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N",
    ],
    &[
        "AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N",
        "AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N",
        "AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H",
        "AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:N",
        "AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N",
        "AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H",
    ],
    &[
        "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
        "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
        "AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H",
        "AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H",
        "AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H",
        "AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H",
    ],
    &[
        "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
        "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
        "AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H",
        "AV:N/AC:L/PR:N/UI:R/S:C/C:H/I:H/A:H",
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vector_scores_in_its_severity() {
        for severity in Severity::ALL {
            for shape in VECTORS[severity as usize] {
                let vector: cvss::v3::Vector =
                    format!("CVSS:3.1/{shape}").parse().expect("a valid vector");
                let score = vector.score().value();
                let expected = match score {
                    s if s >= 9.0 => Severity::Critical,
                    s if s >= 7.0 => Severity::High,
                    s if s >= 4.0 => Severity::Medium,
                    _ => Severity::Low,
                };
                assert_eq!(severity, expected, "{shape} scores {score}");
            }
        }
    }
}
