//! Follows one mass vulnerability through the facts of a world.
use super::score::Timeline;
use sim::fact::{Advisory, Fact, FactKind, NotificationKind, Outcome};
use sim::ids::{CustomerId, ImageId, PackageId, ReleaseRef, VersionRef};
use sim::scenario::Scenario;
use sim::scenario::model::IncidentKind;
use sim::severity::Severity;
use sim::time::SimTime;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is known of the event while the world plays.
pub(super) struct Follower {
    at: SimTime,
    severity: Severity,
    /// How many mass vulnerabilities of the scenario come at that very instant before this one.
    skip: usize,
    advisory: Option<Arc<Advisory>>,
    fixed_release: BTreeMap<PackageId, u32>,
    /// What each version that may still run is made of.
    contents: BTreeMap<VersionRef, Arc<[ReleaseRef]>>,
    newest: BTreeMap<ImageId, u32>,
    runs: BTreeMap<(CustomerId, ImageId), u32>,
    /// Images that are hit, and when it was first found on each.
    hit: BTreeMap<ImageId, Option<SimTime>>,
    unfixed: BTreeSet<ImageId>,
    fixed: Vec<SimTime>,
    /// Uses that are exposed.
    exposed: BTreeSet<(CustomerId, ImageId)>,
    exposed_at_first: usize,
    adopted: Vec<SimTime>,
    /// Customers that have to be told, and those that were.
    to_tell: BTreeSet<CustomerId>,
    found_for: BTreeSet<CustomerId>,
    told: Vec<SimTime>,
}

impl Follower {
    pub(super) fn new(scenario: &Scenario, incident: usize) -> Self {
        let at = scenario.incidents[incident].at.value.time();
        let severity = match &scenario.incidents[incident].kind {
            IncidentKind::MassVulnerability(event) => event.severity,
            _ => Severity::Critical,
        };
        let before = scenario.incidents[..incident].iter().filter(|other| {
            other.at.value.time() == at && matches!(other.kind, IncidentKind::MassVulnerability(_))
        });
        Follower {
            at,
            severity,
            skip: before.count(),
            advisory: None,
            fixed_release: BTreeMap::new(),
            contents: BTreeMap::new(),
            newest: BTreeMap::new(),
            runs: BTreeMap::new(),
            hit: BTreeMap::new(),
            unfixed: BTreeSet::new(),
            fixed: Vec::new(),
            exposed: BTreeSet::new(),
            exposed_at_first: 0,
            adopted: Vec::new(),
            to_tell: BTreeSet::new(),
            found_for: BTreeSet::new(),
            told: Vec::new(),
        }
    }

    pub(super) fn follow(&mut self, fact: &Fact) {
        match &fact.kind {
            // Injected events are known to be exploited; of those at this instant the n-th is ours.
            FactKind::AdvisoryPublished(advisory)
                if fact.at == self.at
                    && advisory.known_exploited
                    && advisory.severity == self.severity
                    && self.advisory.is_none() =>
            {
                match self.skip.checked_sub(1) {
                    Some(left) => self.skip = left,
                    None => self.disclose(Arc::clone(advisory)),
                }
            }
            FactKind::PackageReleased { release, fixes }
                if self.advisory.as_ref().is_some_and(|advisory| fixes.contains(&advisory.id)) =>
            {
                self.fixed_release.insert(release.package, release.release);
            }
            FactKind::BuildFinished(result) => {
                if let Outcome::Published(published) = &result.outcome {
                    let version = VersionRef { image: result.image, version: published.version };
                    self.publish(version, Arc::clone(&published.contents), fact.at);
                }
            }
            FactKind::Scanned(scan) => {
                let Some(advisory) = self.advisory.as_ref().map(|advisory| advisory.id) else {
                    return;
                };
                for target in &scan.targets {
                    if target.new.iter().any(|new| new.finding.advisory == advisory) {
                        self.found(target.version, fact.at);
                    }
                }
            }
            FactKind::UsageChanged { customer, version, .. } => {
                self.run(*customer, *version, fact.at)
            }
            FactKind::UsageEnded { customer, version } => {
                self.runs.remove(&(*customer, version.image));
                if self.exposed.remove(&(*customer, version.image)) {
                    self.adopted.push(fact.at);
                }
            }
            FactKind::Notified(told) if told.kind == NotificationKind::CriticalCve => {
                if let Some(customer) = told.customer
                    && self.found_for.contains(&customer)
                    && self.to_tell.remove(&customer)
                {
                    self.told.push(fact.at);
                }
            }
            _ => {}
        }
    }

    fn affects(&self, contents: &[ReleaseRef]) -> bool {
        let affected = self.advisory.iter().flat_map(|advisory| &advisory.affected);
        affected.map(|affected| affected.introduced).any(|from| {
            let before = self.fixed_release.get(&from.package).copied().unwrap_or(u32::MAX);
            let place = contents.binary_search_by_key(&from.package, |held| held.package);
            place.is_ok_and(|place| (from.release..before).contains(&contents[place].release))
        })
    }

    fn is_affected(&self, version: VersionRef) -> bool {
        self.contents.get(&version).is_some_and(|contents| self.affects(contents))
    }

    fn disclose(&mut self, advisory: Arc<Advisory>) {
        self.advisory = Some(advisory);
        let newest = self.newest.iter().map(|(image, version)| (*image, *version));
        let hit: Vec<ImageId> = newest
            .filter(|(image, version)| {
                self.is_affected(VersionRef { image: *image, version: *version })
            })
            .map(|(image, _)| image)
            .collect();
        self.hit = hit.iter().map(|image| (*image, None)).collect();
        self.unfixed = hit.into_iter().collect();
        let runs = self.runs.iter();
        let exposed = runs.filter(|((_, image), version)| {
            self.is_affected(VersionRef { image: *image, version: **version })
        });
        self.exposed = exposed.map(|(place, _)| *place).collect();
        self.exposed_at_first = self.exposed.len();
        self.to_tell = self.exposed.iter().map(|(customer, _)| *customer).collect();
    }

    fn publish(&mut self, version: VersionRef, contents: Arc<[ReleaseRef]>, at: SimTime) {
        if self.advisory.is_some()
            && self.unfixed.contains(&version.image)
            && !self.affects(&contents)
        {
            self.unfixed.remove(&version.image);
            self.fixed.push(at);
        }
        let before = self.newest.insert(version.image, version.version);
        self.contents.insert(version, contents);
        // Nobody runs most versions: they are not needed any more.
        if let Some(before) = before {
            let before = VersionRef { image: version.image, version: before };
            self.forget(before);
        }
    }

    fn forget(&mut self, version: VersionRef) {
        let image = version.image;
        let runs = self.runs.iter().any(|((_, of), runs)| *of == image && *runs == version.version);
        if !runs && self.newest.get(&image) != Some(&version.version) {
            self.contents.remove(&version);
        }
    }

    fn found(&mut self, version: VersionRef, at: SimTime) {
        if let Some(first) = self.hit.get_mut(&version.image) {
            first.get_or_insert(at);
        }
        let runs = self
            .runs
            .iter()
            .filter(|((_, image), runs)| *image == version.image && **runs == version.version);
        let customers: Vec<CustomerId> = runs.map(|((customer, _), _)| *customer).collect();
        self.found_for.extend(customers);
    }

    fn run(&mut self, customer: CustomerId, version: VersionRef, at: SimTime) {
        let place = (customer, version.image);
        let before = self.runs.insert(place, version.version);
        if self.exposed.contains(&place) && !self.is_affected(version) {
            self.exposed.remove(&place);
            self.adopted.push(at);
        }
        if let Some(before) = before {
            self.forget(VersionRef { image: version.image, version: before });
        }
    }

    pub(super) fn timeline(self, seed: u64, end: SimTime) -> Timeline {
        let disclosed = self.at;
        let after = |at: &SimTime| at.since(disclosed).as_hours();
        let hours = |instants: &[SimTime]| instants.iter().map(after).collect::<Vec<f64>>();
        let customers = self.told.len() + self.to_tell.len();
        let mut found: Vec<SimTime> = self.hit.values().flatten().copied().collect();
        found.sort_unstable();
        Timeline {
            seed,
            cve: self.advisory.as_ref().map(|advisory| advisory.cve.to_string()),
            observed_hours: end.since(disclosed).as_hours(),
            images: self.hit.len(),
            found: hours(&found),
            fixed: hours(&self.fixed),
            uses: self.exposed_at_first,
            adopted: hours(&self.adopted),
            customers,
            told: hours(&self.told),
        }
    }
}
