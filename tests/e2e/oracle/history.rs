//! A world's history as the oracle needs it: what was published, found, judged and run, what was
//! promised, and when somebody looked. Where it is read from is not said here.
use super::calendar::Ms;
use std::collections::BTreeMap;

/// What has no end yet.
pub(super) const FOREVER: Ms = Ms::MAX;

/// What is owed when an exposure comes again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Again {
    Continue,
    Restart,
    Ignore,
}

/// What starts a clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ClockStart {
    FixAvailable,
    Detected,
    Published,
}

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Policy {
    pub(super) name: String,
    pub(super) days: BTreeMap<String, i64>,
    pub(super) business: bool,
    pub(super) starts: ClockStart,
    pub(super) pause_without_fix: bool,
    pub(super) excluded_over_permille: Option<i64>,
    pub(super) warn_permille: i64,
    pub(super) again: Again,
}

pub(super) struct Customer {
    pub(super) tenant: String,
    pub(super) policy: i64,
}

pub(super) struct Advisory {
    pub(super) severity: String,
    pub(super) published: Ms,
    pub(super) fix: Option<Ms>,
    /// By package: the first affected release, and the first that is not any more.
    pub(super) ranges: BTreeMap<i64, (i32, Option<i32>)>,
}

pub(super) struct Version {
    pub(super) published: Ms,
    /// The release of each package.
    pub(super) contents: BTreeMap<i64, i32>,
}

pub(super) struct Finding {
    pub(super) version: i32,
    pub(super) advisory: i64,
    pub(super) package: i64,
    pub(super) found: Ms,
    /// The publication of the first later version whose contents are not affected, wherever it
    /// lies; from the contents, not from the column of that name.
    pub(super) resolved: Ms,
    /// The column of that name, which is only compared.
    pub(super) resolved_column: Option<Ms>,
}

#[derive(Default)]
pub(super) struct Image {
    pub(super) versions: BTreeMap<i32, Version>,
    pub(super) findings: Vec<Finding>,
    /// When advisories were judged as not affecting it.
    pub(super) judged: BTreeMap<i64, Ms>,
}

impl Image {
    pub(super) fn of(&self, advisory: i64) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.advisory == advisory)
    }
}

/// A customer runs a version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    pub(super) version: i32,
    pub(super) from: Ms,
    pub(super) to: Ms,
    /// Since when it uses the image, without a break.
    pub(super) since: Ms,
}

pub(super) struct World {
    pub(super) name: String,
    pub(super) seed: i64,
    pub(super) starts: Ms,
    pub(super) ends: Ms,
    /// The instants at which everything was evaluated.
    pub(super) evaluations: Vec<Ms>,
    pub(super) policies: BTreeMap<i64, Policy>,
    pub(super) customers: BTreeMap<i64, Customer>,
    pub(super) advisories: BTreeMap<i64, Advisory>,
    pub(super) images: BTreeMap<i64, Image>,
    /// By customer and image, in order.
    pub(super) uses: BTreeMap<(i64, i64), Vec<Usage>>,
    /// When builds failed, and whose image it was.
    pub(super) failed_builds: Vec<(Ms, String)>,
}

impl World {
    /// For tests of what is said about a world.
    pub(super) fn of_nothing(name: &str, seed: i64) -> World {
        World {
            name: name.to_owned(),
            seed,
            starts: 0,
            ends: 0,
            evaluations: Vec::new(),
            policies: BTreeMap::new(),
            customers: BTreeMap::new(),
            advisories: BTreeMap::new(),
            images: BTreeMap::new(),
            uses: BTreeMap::new(),
            failed_builds: Vec::new(),
        }
    }

    /// The first evaluation at or after an instant.
    pub(super) fn evaluated(&self, at: Ms) -> Option<Ms> {
        self.evaluations.iter().copied().find(|evaluation| *evaluation >= at)
    }

    /// The last evaluation: what came after it is not known.
    pub(super) fn last(&self) -> Ms {
        *self.evaluations.last().expect("an evaluation")
    }
}

impl Advisory {
    /// Whether a version holds an affected release of the package.
    pub(super) fn affects(&self, version: &Version, package: i64) -> bool {
        let Some((introduced, fixed)) = self.ranges.get(&package) else { return false };
        let held = version.contents.get(&package);
        held.is_some_and(|held| held >= introduced && fixed.is_none_or(|fixed| *held < fixed))
    }
}
