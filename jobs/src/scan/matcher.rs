//! Matches packages against affected ranges. Images share most of their packages, so each package
//! and version is matched once a job.
use super::Found;
use crate::caches::Package;
use documents::affected::is_affected;
use sim::fact::FindingRef;
use sim::ids::PackageId;
use sim::time::SimTime;
use std::collections::HashMap;
use store::findings::AffectedRange;

/// A match of a package version, and when it holds: a range ends only once its fix is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Match {
    finding: FindingRef,
    detectable: SimTime,
    until: Option<SimTime>,
}

/// The advisories of a job.
pub(super) struct Matcher {
    ranges: HashMap<String, (PackageId, Vec<AffectedRange>)>,
    matches: HashMap<Package, Vec<Match>>,
}

impl Matcher {
    /// A matcher for these ranges: package, its name, and the range.
    pub(super) fn new(rows: Vec<(u32, String, AffectedRange)>) -> Self {
        let mut ranges: HashMap<_, (_, Vec<_>)> = HashMap::new();
        for (package, name, range) in rows {
            ranges.entry(name).or_insert((PackageId(package), Vec::new())).1.push(range);
        }
        Matcher { ranges, matches: HashMap::new() }
    }

    /// What a scanner finds in these packages at that instant, in order.
    pub(super) fn findings(&mut self, packages: &[Package], at: SimTime) -> Found {
        let mut found = Vec::new();
        for package in packages {
            let Some((id, ranges)) = self.ranges.get(&*package.name) else { continue };
            if !self.matches.contains_key(package) {
                let matches = ranges.iter().filter_map(|range| hit(*id, range, &package.version));
                self.matches.insert(package.clone(), matches.collect());
            }
            let known = self.matches.get(package).into_iter().flatten();
            let holds = known
                .filter(|one| one.detectable <= at && one.until.is_none_or(|until| at < until));
            found.extend(holds.map(|one| (one.finding, one.detectable)));
        }
        found.sort_unstable();
        found
    }
}

fn hit(package: PackageId, range: &AffectedRange, version: &str) -> Option<Match> {
    if !is_affected(version, &range.introduced, None) {
        return None;
    }
    let fixed = range.fixed.as_ref();
    let until = fixed
        .filter(|(fixed, _)| !is_affected(version, &range.introduced, Some(fixed)))
        .map(|(_, at)| *at);
    let finding = FindingRef { advisory: range.advisory, package };
    Some(Match { finding, detectable: range.detectable, until })
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
        assert!(found.iter().all(|(finding, _)| finding.package == PackageId(7)));
        found.iter().map(|(finding, _)| finding.advisory.0).collect()
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
}
