//! Matches packages against affected ranges. Images share most of their packages, so each package
//! and version is matched once a job.
use crate::caches::Package;
use documents::affected::is_affected;
use sim::fact::FindingRef;
use sim::ids::PackageId;
use sim::time::SimTime;
use std::collections::HashMap;
use std::sync::Arc;
use store::findings::AffectedRange;

/// An advisory that hits a package version, and when a scanner says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    /// The advisory and the package.
    pub(super) finding: FindingRef,
    /// From this instant on a scanner sees it.
    pub(super) detectable: SimTime,
    /// Until this instant: the version has the fix, which nobody knew before.
    pub(super) until: Option<SimTime>,
    /// The first version with the fix, and when it was released.
    pub(super) fixed: Option<(Arc<str>, SimTime)>,
    /// The CVE id.
    pub(super) cve: Arc<str>,
    /// The CVSS 3.1 base vector.
    pub(super) vector: Arc<str>,
    /// The package's name.
    pub(super) package: Arc<str>,
    /// Its version.
    pub(super) version: Arc<str>,
}

impl Hit {
    /// Whether a scan at that instant finds it.
    fn holds(&self, at: SimTime) -> bool {
        self.detectable <= at && self.until.is_none_or(|until| at < until)
    }

    /// The fix, if it was out by then.
    pub(super) fn fix_known_at(&self, at: SimTime) -> Option<(&str, SimTime)> {
        let (version, released) = self.fixed.as_ref()?;
        (*released <= at).then_some((version, *released))
    }

    /// Whether a scan at `at` says something else of it than one at `before` did.
    fn changed(&self, before: SimTime, at: SimTime) -> bool {
        self.holds(at) != self.holds(before)
            || (self.holds(at) && self.fix_known_at(at) != self.fix_known_at(before))
    }
}

/// The advisories of a job.
pub(super) struct Matcher {
    ranges: HashMap<String, (PackageId, Vec<AffectedRange>)>,
    hits: HashMap<Package, Vec<Hit>>,
}

impl Matcher {
    /// A matcher for these ranges: package, its name, and the range.
    pub(super) fn new(rows: Vec<(u32, String, AffectedRange)>) -> Self {
        let mut ranges: HashMap<_, (_, Vec<_>)> = HashMap::new();
        for (package, name, range) in rows {
            ranges.entry(name).or_insert((PackageId(package), Vec::new())).1.push(range);
        }
        Matcher { ranges, hits: HashMap::new() }
    }

    /// Everything that a scanner finds in these packages at that instant, in order.
    pub(super) fn findings(&mut self, packages: &[Package], at: SimTime) -> Vec<Hit> {
        let mut found = Vec::new();
        for package in packages {
            found.extend(self.hits(package).iter().filter(|hit| hit.holds(at)).cloned());
        }
        found.sort_unstable_by_key(|hit| hit.finding);
        found
    }

    /// Whether a scan at `at` says something else of these packages than one at `before` did.
    pub(super) fn changed(&mut self, packages: &[Package], before: SimTime, at: SimTime) -> bool {
        packages.iter().any(|package| self.hits(package).iter().any(|hit| hit.changed(before, at)))
    }

    fn hits(&mut self, package: &Package) -> &[Hit] {
        if !self.hits.contains_key(package) {
            let hits = match self.ranges.get(&*package.name) {
                Some((id, ranges)) => {
                    ranges.iter().filter_map(|range| hit(*id, range, package)).collect()
                }
                None => Vec::new(),
            };
            self.hits.insert(package.clone(), hits);
        }
        self.hits.get(package).map_or(&[], Vec::as_slice)
    }
}

fn hit(id: PackageId, range: &AffectedRange, package: &Package) -> Option<Hit> {
    let version = &*package.version;
    if !is_affected(version, &range.introduced, None) {
        return None;
    }
    let fixed = range.fixed.as_ref();
    let until = fixed
        .filter(|(fixed, _)| !is_affected(version, &range.introduced, Some(fixed)))
        .map(|(_, at)| *at);
    Some(Hit {
        finding: FindingRef { advisory: range.advisory, package: id },
        detectable: range.detectable,
        until,
        fixed: fixed.map(|(version, at)| (version.as_str().into(), *at)),
        cve: range.cve.as_str().into(),
        vector: range.vector.as_str().into(),
        package: package.name.clone(),
        version: package.version.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::ids::AdvisoryId;

    fn range(advisory: u32, introduced: &str, fixed: Option<(&str, i64)>) -> AffectedRange {
        AffectedRange {
            advisory: AdvisoryId(advisory),
            introduced: introduced.to_owned(),
            fixed: fixed.map(|(version, at)| (version.to_owned(), SimTime(at))),
            detectable: SimTime(100),
            cve: format!("CVE-2026-{advisory:07}"),
            vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned(),
        }
    }

    fn found(version: &str, at: i64) -> Vec<u32> {
        let rows = vec![
            (7, "keel".to_owned(), range(0, "1.0.0-r0", None)),
            (7, "keel".to_owned(), range(1, "1.2.0-r0", Some(("1.3.0-r0", 500)))),
            (8, "mast".to_owned(), range(2, "1.0.0-r0", None)),
        ];
        let package = Package { name: "keel".into(), version: version.into() };
        let found = Matcher::new(rows).findings(&[package], SimTime(at));
        assert!(found.iter().all(|hit| hit.finding.package == PackageId(7)));
        found.iter().map(|hit| hit.finding.advisory.0).collect()
    }

    #[test]
    fn versions_and_instants_decide() {
        assert_eq!(found("1.1.0-r0", 99), [0; 0], "not detectable yet");
        assert_eq!(found("1.1.0-r0", 100), [0]);
        assert_eq!(found("1.2.0-r0", 100), [0, 1]);
        assert_eq!(found("1.3.0-r0", 600), [0]);
        assert_eq!(found("1.3.0-r0", 499), [0, 1], "nobody knows that it is fixed");
        assert_eq!(found("0.9.0-r0", 600), [0; 0]);
    }

    #[test]
    fn a_scan_says_something_new_when_a_finding_comes_goes_or_gets_a_fix() {
        let rows = vec![
            (7, "keel".to_owned(), range(1, "1.2.0-r0", Some(("1.3.0-r0", 500)))),
            (8, "mast".to_owned(), range(2, "1.0.0-r0", None)),
        ];
        let mut matcher = Matcher::new(rows);
        let mut changed = |version: &str, before, at| {
            let package = Package { name: "keel".into(), version: version.into() };
            matcher.changed(&[package], SimTime(before), SimTime(at))
        };
        assert!(changed("1.2.0-r0", 99, 100), "seen");
        assert!(!changed("1.2.0-r0", 100, 499));
        assert!(changed("1.2.0-r0", 499, 500), "its fix is out");
        assert!(!changed("1.2.0-r0", 500, 900));
        assert!(changed("1.3.0-r0", 499, 500), "it had the fix all along");
        assert!(!changed("1.1.0-r0", 0, 900), "never affected");
    }
}
