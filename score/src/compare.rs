//! The comparison of what was reported of one version with what is true of it.
use crate::cause::{Cause, Kind};
use crate::figures::Counts;
use crate::result::Difference;
use crate::truth::{Affected, Held, Ids, Instant, Severity, Truth, Version};
use documents::affected::FROM_THE_START;
use documents::apk_version;
use documents::scanner_report::{Finding, Package, Target};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Names of distributions that say that the scanner knows none.
const UNKNOWN_DISTRIBUTIONS: [&str; 4] = ["", "none", "unknown", "wavetank"];

/// Whether a scanner that says this of a distribution (its name, then its version) knows none.
pub(crate) fn is_unknown_distribution(told: &str) -> bool {
    let name = told.split(' ').next().unwrap_or_default().to_lowercase();
    UNKNOWN_DISTRIBUTIONS.contains(&name.as_str())
}

/// What reports say of one version.
#[derive(Default)]
pub(crate) struct Reported<'a> {
    /// What they found; none: they did not look.
    pub(crate) findings: Option<Vec<&'a Finding>>,
    packages: Option<Vec<&'a Package>>,
    /// Whether all of them took the distribution for one that they know nothing of.
    distribution_unknown: Option<bool>,
}

/// What came of a comparison.
#[derive(Default)]
pub(crate) struct Compared {
    /// Counts by severity and package.
    pub(crate) counts: Vec<(Severity, Option<String>, Counts)>,
    pub(crate) differences: Vec<Different>,
    /// Whether reports took the distribution for one that they know nothing of.
    pub(crate) distribution_unknown: bool,
    /// How many were right of which a fix is released, and of which none is.
    pub(crate) right: Fixes,
    /// How many packages were recognised; none: no report lists them.
    pub(crate) recognition: Option<Recognised>,
}

/// A difference, with its cause if what the scanner took the distribution for does not explain it.
pub(crate) struct Different {
    pub(crate) difference: Difference,
    pub(crate) otherwise: Option<Cause>,
}

/// How many advisories have a released fix, and how many have none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Fixes {
    pub(crate) with: u64,
    pub(crate) without: u64,
}

/// How many packages of a version were recognised.
#[derive(Clone, Copy, Default)]
pub(crate) struct Recognised {
    pub(crate) held: usize,
    pub(crate) recognised: usize,
    pub(crate) other_version: usize,
    pub(crate) missing: usize,
    pub(crate) not_held: usize,
}

impl<'a> Reported<'a> {
    pub(crate) fn add(&mut self, target: &'a Target) {
        if let Some(findings) = &target.findings {
            self.findings.get_or_insert_default().extend(findings);
            if let Some(distribution) = &target.distribution {
                let unknown = is_unknown_distribution(distribution);
                let before = self.distribution_unknown.unwrap_or(true);
                self.distribution_unknown = Some(before && unknown);
            }
        }
        if let Some(packages) = &target.packages {
            self.packages.get_or_insert_default().extend(packages);
        }
    }
}

/// How what a version holds stands at an instant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Expected,
    Judged,
    Early,
}

fn standing(truth: &Truth, held: &Held, at: Instant) -> Standing {
    let detectable = truth.advisories.get(&held.cve).map(|advisory| advisory.detectable_at);
    if held.judged_at.is_some_and(|judged| judged <= at) {
        Standing::Judged
    } else if detectable.is_none_or(|from| at < from) {
        Standing::Early
    } else {
        Standing::Expected
    }
}

/// Compares what was reported of a version with what is true of it at an instant.
pub(crate) fn compare(
    truth: &Truth,
    ids: &Ids<'_>,
    version: &Version,
    reported: &Reported<'_>,
    at: Instant,
) -> Compared {
    let mut one = One::new(truth, version, reported, at);
    let mut compared = Compared {
        recognition: one.recognition(),
        distribution_unknown: reported.distribution_unknown == Some(true),
        ..Compared::default()
    };
    let Some(findings) = &reported.findings else { return compared };
    let mut suppressed = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for finding in findings {
        let cve = ids.find(&finding.ids);
        let id = cve.or(finding.ids.first().map(String::as_str)).unwrap_or_default();
        if finding.suppressed {
            suppressed.insert((id, finding.package.as_deref()));
        } else if seen.insert((id, finding.package.as_deref())) {
            one.reported(finding, cve, id);
        }
    }
    one.missed(&suppressed);
    compared.right = one.right_fixes();
    compared.counts = one.counts;
    compared.differences = one.differences;
    compared
}

/// What is missed of a version that no report is about.
pub(crate) fn nothing_reported(truth: &Truth, version: &Version, at: Instant) -> Compared {
    let reported = Reported::default();
    let mut one = One::new(truth, version, &reported, at);
    for held in &version.held {
        if standing(truth, held, at) == Standing::Expected {
            one.differ(Kind::Missed, Cause::ImageNotScanned, &held.cve, Some(&held.package), None);
        }
    }
    Compared { counts: one.counts, differences: one.differences, ..Compared::default() }
}

/// The comparison of one version.
struct One<'a> {
    truth: &'a Truth,
    version: &'a Version,
    reported: &'a Reported<'a>,
    at: Instant,
    held: BTreeMap<(&'a str, &'a str), Standing>,
    /// What was expected and reported.
    right: BTreeSet<(&'a str, &'a str)>,
    /// What was told as early, so that it is told once.
    early: BTreeSet<(&'a str, &'a str)>,
    counts: Vec<(Severity, Option<String>, Counts)>,
    differences: Vec<Different>,
}

impl<'a> One<'a> {
    fn new(
        truth: &'a Truth,
        version: &'a Version,
        reported: &'a Reported<'a>,
        at: Instant,
    ) -> Self {
        let held = version
            .held
            .iter()
            .map(|held| ((held.cve.as_str(), held.package.as_str()), standing(truth, held, at)));
        One {
            truth,
            version,
            reported,
            at,
            held: held.collect(),
            right: BTreeSet::new(),
            early: BTreeSet::new(),
            counts: Vec::new(),
            differences: Vec::new(),
        }
    }

    /// A finding that was reported. One that names no package stands for all that have it.
    fn reported(&mut self, finding: &Finding, cve: Option<&str>, id: &str) {
        let meant: Vec<_> = self
            .held
            .iter()
            .filter(|((held, package), _)| {
                cve == Some(*held) && finding.package.as_deref().is_none_or(|of| of == *package)
            })
            .map(|(key, standing)| (*key, *standing))
            .collect();
        for (key, standing) in &meant {
            match standing {
                Standing::Expected => {
                    if self.right.insert(*key) {
                        let counts = Counts { right: 1, ..Counts::default() };
                        self.count(self.severity(key.0, None), Some(key.1), counts);
                    }
                }
                Standing::Early => {
                    if self.early.insert(*key) {
                        let cause = Cause::NotYetDetectable;
                        self.differ(Kind::Early, cause, key.0, Some(key.1), Some(finding));
                    }
                }
                Standing::Judged => {}
            }
        }
        // Without a package it is wrong only if it is right nowhere.
        if meant.iter().any(|(_, standing)| *standing != Standing::Judged) {
            return;
        }
        if let Some(((_, package), _)) = meant.first() {
            let package = finding.package.as_deref().or(Some(*package));
            return self.differ(Kind::Wrong, Cause::JudgedNotAffected, id, package, Some(finding));
        }
        let cause = match cve {
            Some(cve) => self.why_wrong(finding, cve),
            None => Cause::UnknownVulnerability,
        };
        self.differ(Kind::Wrong, cause, id, finding.package.as_deref(), Some(finding));
    }

    /// Why a finding of a known advisory is wrong that the version does not hold.
    fn why_wrong(&self, finding: &Finding, cve: &str) -> Cause {
        let Some(package) = finding.package.as_deref() else { return Cause::PackageNotAffected };
        let Some(installed) = self.version.packages.get(package) else {
            return Cause::PackageNotInImage;
        };
        if finding.version.as_ref().is_some_and(|reported| reported != installed) {
            return Cause::OtherVersion;
        }
        let advisory = self.truth.advisories.get(cve);
        let Some(affected) = advisory.and_then(|advisory| advisory.packages.get(package)) else {
            return Cause::PackageNotAffected;
        };
        if is_affected_as_text(installed, affected) {
            return Cause::VersionOrder;
        }
        let fixed = affected.fixed.as_deref();
        if fixed.is_some_and(|fixed| apk_version::compare(installed, fixed) != Ordering::Less) {
            Cause::FixedAlready
        } else {
            Cause::NotYetIntroduced
        }
    }

    /// What was expected and is not among what was reported.
    fn missed(&mut self, suppressed: &BTreeSet<(&str, Option<&str>)>) {
        let expected = self.held.iter().filter(|(_, standing)| **standing == Standing::Expected);
        let missed: Vec<_> =
            expected.map(|(key, _)| *key).filter(|key| !self.right.contains(key)).collect();
        for (cve, package) in missed {
            let left_out = [Some(package), None].map(|of| suppressed.contains(&(cve, of)));
            let cause = if left_out.contains(&true) {
                Cause::Suppressed
            } else {
                self.why_missed(cve, package)
            };
            let blames = self.reported.distribution_unknown == Some(true)
                && matches!(cause, Cause::VersionOrder | Cause::NoFixYet | Cause::NotReported);
            let told = if blames { Cause::IdentityNotRecognised } else { cause };
            self.differ(Kind::Missed, told, cve, Some(package), None);
            if let Some(different) = self.differences.last_mut().filter(|_| blames) {
                different.otherwise = Some(cause);
            }
        }
    }

    fn why_missed(&self, cve: &str, package: &str) -> Cause {
        let installed = self.version.packages.get(package).map_or("", String::as_str);
        if let Some(packages) = &self.reported.packages {
            let mut named = packages.iter().filter(|of| of.name == package).peekable();
            if named.peek().is_none() {
                return Cause::IdentityNotRecognised;
            }
            if !named.any(|of| of.version == installed) {
                return Cause::OtherVersion;
            }
        }
        let advisory = self.truth.advisories.get(cve);
        let affected = advisory.and_then(|advisory| advisory.packages.get(package));
        match affected {
            Some(affected) if !is_affected_as_text(installed, affected) => Cause::VersionOrder,
            Some(affected) if !self.is_fixed(affected) => Cause::NoFixYet,
            _ => Cause::NotReported,
        }
    }

    /// How much of what is right has a fix.
    fn right_fixes(&self) -> Fixes {
        let mut fixes = Fixes::default();
        for (cve, package) in &self.right {
            let advisory = self.truth.advisories.get(*cve);
            let affected = advisory.and_then(|advisory| advisory.packages.get(*package));
            match affected.is_some_and(|affected| self.is_fixed(affected)) {
                true => fixes.with += 1,
                false => fixes.without += 1,
            }
        }
        fixes
    }

    fn is_fixed(&self, affected: &Affected) -> bool {
        affected.fixed.is_some() && affected.fixed_at.is_none_or(|fixed| fixed <= self.at)
    }

    fn severity(&self, cve: &str, finding: Option<&Finding>) -> Severity {
        match self.truth.advisories.get(cve) {
            Some(advisory) => advisory.severity,
            None => finding
                .and_then(|finding| finding.severity.as_deref())
                .map_or(Severity::Unknown, Severity::from_name),
        }
    }

    fn count(&mut self, severity: Severity, package: Option<&str>, counts: Counts) {
        self.counts.push((severity, package.map(str::to_owned), counts));
    }

    fn differ(
        &mut self,
        kind: Kind,
        cause: Cause,
        id: &str,
        package: Option<&str>,
        finding: Option<&Finding>,
    ) {
        let severity = self.severity(id, finding);
        let counts = match kind {
            Kind::Missed => Counts { missed: 1, ..Counts::default() },
            Kind::Wrong => Counts { wrong: 1, ..Counts::default() },
            Kind::Early => Counts { early: 1, ..Counts::default() },
        };
        self.count(severity, package, counts);
        let affected = package
            .and_then(|package| self.truth.advisories.get(id)?.packages.get(package))
            .filter(|affected| self.is_fixed(affected));
        let difference = Difference {
            kind,
            image: self.version.image.clone(),
            version: self.version.version,
            vulnerability: id.to_owned(),
            package: package.map(str::to_owned),
            severity,
            cause,
            installed: package.and_then(|package| self.version.packages.get(package)).cloned(),
            reported: finding.and_then(|finding| finding.version.clone()),
            fixed: affected.and_then(|affected| affected.fixed.clone()),
        };
        self.differences.push(Different { difference, otherwise: None });
    }

    fn recognition(&self) -> Option<Recognised> {
        let listed = self.reported.packages.as_ref()?;
        let mut by_name: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for package in listed {
            by_name.entry(&package.name).or_default().insert(&package.version);
        }
        let held = &self.version.packages;
        let mut of = Recognised { held: held.len(), ..Recognised::default() };
        for (name, version) in held {
            match by_name.get(name.as_str()) {
                Some(versions) if versions.contains(version.as_str()) => of.recognised += 1,
                Some(_) => of.other_version += 1,
                None => of.missing += 1,
            }
        }
        of.not_held = by_name.keys().filter(|name| !held.contains_key(**name)).count();
        Some(of)
    }
}

/// Whether a version would be affected if versions were compared as texts, byte by byte.
fn is_affected_as_text(version: &str, affected: &Affected) -> bool {
    let started = affected.introduced == FROM_THE_START || version >= affected.introduced.as_str();
    started && affected.fixed.as_deref().is_none_or(|fixed| version < fixed)
}
