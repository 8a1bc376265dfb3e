//! The history of a world from its facts, as the oracle needs it, and its builds.
use crate::calendar::Ms;
use crate::history::{
    Advisory, Again, ClockStart, Customer, FOREVER, Finding, Policy, Usage, Version, World,
};
use sim::fact::{Fact, FactKind, Outcome};
use sim::scenario::Scenario;
use sim::scenario::model::{Calendar, IncidentKind, OnReexposure};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A played world.
pub(crate) struct Facts {
    pub(crate) history: World,
    /// Without those that were merged into others.
    pub(crate) builds: BTreeMap<u64, Build>,
    /// By customer.
    pub(crate) tiers: BTreeMap<i64, String>,
    /// Mass vulnerabilities of the scenario: the place of the incident, its instant, its advisory.
    pub(crate) events: Vec<(u32, Ms, Option<i64>)>,
}

/// A build of the pool.
#[derive(Default)]
pub(crate) struct Build {
    pub(crate) requested: Ms,
    pub(crate) attempts: Vec<(Ms, Option<Ms>)>,
    pub(crate) finished: Option<Ms>,
}

/// Plays a scenario to its end, with facts.
pub(crate) fn play(scenario: &Arc<Scenario>, seed: u64) -> Facts {
    let mut world = sim::World::new(Arc::clone(scenario), seed);
    let start = scenario.start.time();
    let end = start + scenario.duration.duration();
    let mut facts = Facts::before(scenario, &world, (start.0, end.0));
    world.advance(end, &mut |fact| facts.see(&fact));
    facts.resolve();
    facts
}

impl Facts {
    fn before(scenario: &Scenario, world: &sim::World, (starts, ends): (Ms, Ms)) -> Self {
        let catalogue = world.catalogue();
        let mut history = World::of_nothing("facts", 0);
        (history.starts, history.ends) = (starts, ends);
        for (id, policy) in (0..).zip(&catalogue.policies) {
            // By `Severity as usize`.
            let days = ["low", "medium", "high", "critical"].into_iter().zip(policy.days);
            let days = days.filter_map(|(name, days)| Some((name.to_owned(), days?.into())));
            history.policies.insert(
                id,
                Policy {
                    name: policy.name.clone(),
                    days: days.collect(),
                    business: policy.calendar == Calendar::Business,
                    starts: match policy.clock_start {
                        sim::scenario::model::ClockStart::FixAvailable => ClockStart::FixAvailable,
                        sim::scenario::model::ClockStart::Detected => ClockStart::Detected,
                        sim::scenario::model::ClockStart::Published => ClockStart::Published,
                    },
                    pause_without_fix: policy.pause_without_fix,
                    excluded_over_permille: policy.exclude_over_permille.map(i64::from),
                    warn_permille: policy.warn_permille.into(),
                    again: match policy.on_reexposure {
                        OnReexposure::Continue => Again::Continue,
                        OnReexposure::Restart => Again::Restart,
                        OnReexposure::Ignore => Again::Ignore,
                    },
                },
            );
        }
        let mut tiers = BTreeMap::new();
        for (id, customer) in (0..).zip(catalogue.customers.iter()) {
            tiers.insert(id, customer.tier.clone());
            let policy = i64::try_from(customer.policy.index()).expect("an ordinal");
            let tenant = customer.namespace.clone();
            history.customers.insert(id, Customer { tenant, policy });
        }
        for id in (0..).take(catalogue.images.len()) {
            history.images.entry(id).or_default();
        }
        let incidents = (0..).zip(&scenario.incidents);
        let events =
            incidents.filter(|(_, of)| matches!(of.kind, IncidentKind::MassVulnerability(_)));
        let events = events.map(|(place, of)| (place, of.at.value.time().0, None)).collect();
        Facts { history, builds: BTreeMap::new(), tiers, events }
    }

    fn see(&mut self, fact: &Fact) {
        let at = fact.at.0;
        match &fact.kind {
            FactKind::PackageReleased { release, fixes } => {
                for advisory in fixes.iter() {
                    let advisory = self.history.advisories.get_mut(&i64::from(advisory.0));
                    let ranges = &mut advisory.expect("an advisory").ranges;
                    let range = ranges.get_mut(&i64::from(release.package.0)).expect("it is hit");
                    range.1 = Some(ordinal(release.release));
                }
            }
            FactKind::AdvisoryPublished(advisory) => {
                let id = i64::from(advisory.id.0);
                let mut events = self.events.iter_mut();
                if advisory.known_exploited
                    && let Some(event) = events.find(|of| of.1 == at && of.2.is_none())
                {
                    event.2 = Some(id);
                }
                let range = |hit: &sim::fact::Affected| {
                    let range = (ordinal(hit.introduced.release), hit.fixed.map(ordinal));
                    (i64::from(hit.introduced.package.0), range)
                };
                let known = Advisory {
                    severity: advisory.severity.as_str().to_owned(),
                    published: at,
                    fix: None,
                    ranges: advisory.affected.iter().map(range).collect(),
                };
                self.history.advisories.insert(id, known);
            }
            FactKind::FixAvailable { advisory } => {
                let known = self.history.advisories.get_mut(&i64::from(advisory.0));
                known.expect("an advisory").fix = Some(at);
            }
            FactKind::Scanned(scan) => {
                for target in &scan.targets {
                    self.found(target, at);
                }
            }
            FactKind::FindingTriaged { image, advisory, .. } => {
                let image = self.history.images.entry(image.0.into()).or_default();
                image.judged.insert(advisory.0.into(), at);
            }
            FactKind::UsageChanged { customer, version, .. } => {
                let place = (i64::from(customer.0), i64::from(version.image.0));
                let uses = self.history.uses.entry(place).or_default();
                let last = uses.last_mut().filter(|last| last.to == FOREVER);
                let since = last.map_or(at, |last| {
                    last.to = at;
                    last.since
                });
                let version = ordinal(version.version);
                uses.push(Usage { version, from: at, to: FOREVER, since });
            }
            FactKind::SlaChecked(_) => self.history.evaluations.push(at),
            _ => self.see_build(fact),
        }
    }

    fn see_build(&mut self, fact: &Fact) {
        let at = fact.at.0;
        match &fact.kind {
            FactKind::BuildRequested { build, .. } => {
                self.builds.insert(build.0, Build { requested: at, ..Build::default() });
            }
            FactKind::BuildMerged { build, .. } => {
                self.builds.remove(&build.0);
            }
            FactKind::BuildStarted { build, .. } => {
                let build = self.builds.get_mut(&build.0).expect("it was asked for");
                build.attempts.push((at, None));
            }
            FactKind::BuildFlaked { build, .. } => self.ended(build.0, at),
            FactKind::BuildFinished(result) => {
                if result.builder.is_some() {
                    self.ended(result.build.0, at);
                    let build = self.builds.get_mut(&result.build.0).expect("it ended");
                    build.finished = Some(at);
                }
                if let Outcome::Published(published) = &result.outcome {
                    let held =
                        |of: &sim::ids::ReleaseRef| (i64::from(of.package.0), ordinal(of.release));
                    let contents = published.contents.iter().map(held).collect();
                    let image = self.history.images.entry(result.image.0.into()).or_default();
                    let version = Version { published: at, contents };
                    image.versions.insert(ordinal(published.version), version);
                }
            }
            _ => {}
        }
    }

    fn ended(&mut self, build: u64, at: Ms) {
        let build = self.builds.get_mut(&build).expect("it was asked for");
        build.attempts.last_mut().expect("an attempt").1 = Some(at);
    }

    fn found(&mut self, target: &sim::fact::ScanTarget, at: Ms) {
        let image = self.history.images.entry(target.version.image.0.into()).or_default();
        image.findings.extend(target.new.iter().map(|new| Finding {
            version: ordinal(target.version.version),
            advisory: new.finding.advisory.0.into(),
            package: new.finding.package.0.into(),
            found: at,
            resolved: FOREVER,
            resolved_column: None,
        }));
    }

    /// By which later version each finding is resolved: the first whose contents are not affected.
    fn resolve(&mut self) {
        for image in self.history.images.values_mut() {
            for finding in &mut image.findings {
                let advisory = &self.history.advisories[&finding.advisory];
                let mut later = image.versions.range(finding.version + 1..);
                let without = later.find(|(_, later)| !advisory.affects(later, finding.package));
                finding.resolved = without.map_or(FOREVER, |(_, without)| without.published);
            }
        }
    }
}

fn ordinal(number: u32) -> i32 {
    i32::try_from(number).expect("an ordinal")
}
