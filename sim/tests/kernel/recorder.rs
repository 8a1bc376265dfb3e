//! A world that is played without facts is the same world, and what recorders and views say of it is
//! what the facts say (docs/model.md, service levels and exposure-days).
use crate::support::{shipped, world};
use sim::World;
use sim::command::{Command, NewAdvisory};
use sim::fact::{Fact, FactKind, Outcome, ScanTrigger};
use sim::ids::{AdvisoryId, BuildId, BuilderId, CustomerId, ImageId, PackageId, VersionRef};
use sim::recorder::{AttemptEnd, BuildEnd, BuildStart, Recorder};
use sim::severity::{Severity, Vector};
use sim::time::{DAY_MS, HOUR_MS, SimDuration, SimTime};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const WORLD: &str = "name: x\ntitle: X\nstart: 2026-01-05T00:00:00Z\nduration: 45d\n\
    distribution: { packages: 120 }\nvulnerabilities: { per_day: 3 }\n\
    fleet: { bases: 2, images: 10 }\n\
    builders: { count: 2, flake: 15%, retries: 1, breakage: 15% }\n\
    triggers: { rebuild: 0 2 * * * }\n\
    scanner: { schedule: 0 */4 * * *, false_positives: 20%, triage: { constant: 6h } }\n\
    policies:\n  - { name: gold, preset: hardened-vendor, on_reexposure: restart }\n  \
    - { name: silver, preset: business-2-30 }\n\
    customers:\n  - { name: gold, count: 3, policy: gold, images: 6 }\n  \
    - { name: silver, count: 3, policy: silver, images: 4, pinned: 60%, \
    pin_age: { constant: 3d } }\n\
    incidents:\n  - { at: 2026-01-06T00:00:00Z, distrust_builder: { builder: 0 } }\n  \
    - { at: 2026-01-12T00:00:00Z, builder_outage: { builders: 1, duration: 1d } }\n  \
    - at: 2026-01-15T00:00:00Z\n    mass_vulnerability: { image_share: 50%, severity: critical, \
    upstream_fix_after: 2h, package_fix_after: { constant: 8h }, detectable_after: 6h }\n";
const SEEDS: std::ops::Range<u64> = 1..5;

/// All that a recorder can be told.
#[derive(Default)]
struct Watch<const FACTS: bool> {
    facts: Vec<Fact>,
    started: Vec<(SimTime, BuildStart)>,
    ended: Vec<(SimTime, BuildEnd)>,
    exposure: Vec<(SimTime, CustomerId, Severity, i32)>,
}

impl<const FACTS: bool> Recorder for Watch<FACTS> {
    const FACTS: bool = FACTS;

    fn fact(&mut self, fact: Fact) {
        assert!(FACTS, "a fact was made");
        self.facts.push(fact);
    }

    fn build_started(&mut self, at: SimTime, build: BuildStart) {
        self.started.push((at, build));
    }

    fn build_ended(&mut self, at: SimTime, build: BuildEnd) {
        self.ended.push((at, build));
    }

    fn exposure_changed(
        &mut self,
        at: SimTime,
        customer: CustomerId,
        severity: Severity,
        change: i32,
    ) {
        self.exposure.push((at, customer, severity, change));
    }
}

fn command(day: u32) -> Command {
    let (image, customer) = (ImageId(day % 12), CustomerId(day % 6));
    let build = BuildId::of_command(u64::from(day));
    match day % 7 {
        0 => Command::EndUse { customer, image },
        1 => Command::UseImage { customer, image, pin: None, runtime: None },
        2 => Command::UseImage { customer, image, pin: Some(1 + day), runtime: None },
        3 => Command::Scan { image: day.is_multiple_of(2).then_some(image) },
        4 => Command::UpstreamChanged { build, image, revision: None },
        5 => Command::CheckSla,
        _ => Command::DiscloseAdvisory(Arc::new(NewAdvisory {
            cve: None,
            vector: Vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into()),
            severity: Severity::Critical,
            known_exploited: false,
            packages: Vec::new(),
            image_share_permille: Some(300),
            detectable_after: SimDuration(i64::from(day) * HOUR_MS / 2),
            fix_after: Some(SimDuration(HOUR_MS)),
            package_fix_after: SimDuration(5 * HOUR_MS),
        })),
    }
}

/// Plays to the end of the scenario, with a command every 13 hours.
fn played<const FACTS: bool>(seed: u64) -> (World, Watch<FACTS>) {
    let mut world = world(WORLD, seed);
    let mut watch = Watch::default();
    let end = world.now() + SimDuration::days(45);
    for nth in 1.. {
        let next = world.now() + SimDuration::hours(13);
        world.play(next.min(end), &mut watch);
        if next >= end {
            break;
        }
        let _ = world.submit_watched(&command(nth), &mut watch);
    }
    (world, watch)
}

#[test]
fn a_world_without_facts_is_the_same_world() {
    for seed in SEEDS {
        let (told, with) = played::<true>(seed);
        let (bare, without) = played::<false>(seed);
        assert!(with.facts.len() > 5_000 && without.facts.is_empty(), "seed {seed}");
        assert_eq!((told.seq(), told.events()), (bare.seq(), bare.events()), "seed {seed}");
        assert!(with.started == without.started, "seed {seed}: other builds started");
        assert!(with.ended == without.ended, "seed {seed}: other builds ended");
        assert!(with.exposure == without.exposure, "seed {seed}: other exposure");
        assert!(told.timers().eq(bare.timers()), "seed {seed}: other timers");
        assert!(told.image_exposures().eq(bare.image_exposures()), "seed {seed}: other findings");
        assert!(told.advisories().eq(bare.advisories()), "seed {seed}: other advisories");
        assert!(told.waiting_builds().eq(bare.waiting_builds()), "seed {seed}: other queue");
        assert!(told.running_builds().eq(bare.running_builds()), "seed {seed}: other builds run");
        assert!(told.timers().count() > 300 && !with.exposure.is_empty(), "seed {seed}");
    }
}

fn attempt_end(start: &BuildStart, began: &SimTime, end: AttemptEnd) -> BuildEnd {
    let BuildStart { image, trigger, builder, .. } = *start;
    BuildEnd { image, trigger, builder, started: *began, end }
}

/// What the facts say of builds, in their order.
#[test]
fn builds_start_and_end_as_the_facts_say() {
    for seed in SEEDS {
        let (_, watch) = played::<true>(seed);
        let mut began: BTreeMap<BuildId, SimTime> = BTreeMap::new();
        let mut running: BTreeMap<BuildId, BuildStart> = BTreeMap::new();
        let (mut started, mut ended) = (Vec::new(), Vec::new());
        for fact in &watch.facts {
            let at = fact.at;
            match &fact.kind {
                FactKind::BuildRequested { build, image, cause } => {
                    let start = BuildStart {
                        image: *image,
                        trigger: cause.trigger(),
                        requested: at,
                        attempt: 0,
                        builder: BuilderId(0),
                    };
                    running.insert(*build, start);
                }
                FactKind::BuildStarted { build, builder, attempt } => {
                    began.insert(*build, at);
                    let start = running.get_mut(build).expect("a build that was requested");
                    (start.builder, start.attempt) = (*builder, *attempt);
                    started.push((at, *start));
                }
                FactKind::BuildFlaked { build, .. } => {
                    ended.push((
                        at,
                        attempt_end(&running[build], &began[build], AttemptEnd::Flaked),
                    ));
                }
                FactKind::BuildFinished(result) => {
                    let how = match result.outcome {
                        Outcome::Published(_) => AttemptEnd::Published,
                        Outcome::Unchanged { .. } => AttemptEnd::Unchanged,
                        Outcome::Superseded { .. } => AttemptEnd::Superseded,
                        Outcome::Failed { .. } => AttemptEnd::Failed,
                    };
                    if let Some(start) = running.remove(&result.build)
                        && start.attempt > 0
                    {
                        ended.push((at, attempt_end(&start, &began[&result.build], how)));
                    }
                }
                _ => {}
            }
        }
        assert!(started == watch.started, "seed {seed}: builds start otherwise");
        assert!(ended == watch.ended, "seed {seed}: builds end otherwise");
        let flaked = ended.iter().filter(|(_, end)| end.end == AttemptEnd::Flaked).count();
        assert!(flaked > 20 && ended.len() > 500, "seed {seed}: {flaked} of {}", ended.len());
    }
}

/// The world as the facts tell it, kept without regard to speed.
#[derive(Default)]
struct Told {
    severity: BTreeMap<AdvisoryId, Severity>,
    newest: BTreeMap<ImageId, u32>,
    known: BTreeMap<VersionRef, BTreeSet<AdvisoryId>>,
    runs: BTreeMap<(CustomerId, ImageId), u32>,
    judged: BTreeMap<(ImageId, AdvisoryId), SimTime>,
    /// When it was first found, and when the newest version came to be free of it.
    found: BTreeMap<(ImageId, AdvisoryId), (SimTime, Option<SimTime>)>,
}

impl Told {
    fn see(&mut self, fact: &Fact) {
        match &fact.kind {
            FactKind::AdvisoryPublished(advisory) => {
                self.severity.insert(advisory.id, advisory.severity);
            }
            FactKind::BuildFinished(result) => {
                if let Outcome::Published(published) = &result.outcome {
                    self.newest.insert(result.image, published.version);
                }
            }
            FactKind::Scanned(scan) => {
                for target in &scan.targets {
                    let known = self.known.entry(target.version).or_default();
                    known.extend(target.new.iter().map(|new| new.finding.advisory));
                }
                for target in &scan.targets {
                    let image = target.version.image;
                    for new in &target.new {
                        let key = (image, new.finding.advisory);
                        let free = (!self.newest_has(key)).then_some(fact.at);
                        self.found.entry(key).or_insert((fact.at, free));
                    }
                    self.reassess(image, fact.at, scan.trigger == ScanTrigger::Push);
                }
            }
            FactKind::FindingTriaged { image, advisory, .. } => {
                self.judged.insert((*image, *advisory), fact.at);
            }
            FactKind::UsageChanged { customer, version, .. } => {
                self.runs.insert((*customer, version.image), version.version);
            }
            FactKind::UsageEnded { customer, version } => {
                self.runs.remove(&(*customer, version.image));
            }
            _ => {}
        }
    }

    fn newest_has(&self, (image, advisory): (ImageId, AdvisoryId)) -> bool {
        let newest = VersionRef { image, version: self.newest[&image] };
        self.known.get(&newest).is_some_and(|known| known.contains(&advisory))
    }

    /// After a scan: is what was found on the image open? Only a publication resolves.
    fn reassess(&mut self, image: ImageId, at: SimTime, published: bool) {
        let all: Vec<_> = self.found.keys().filter(|(of, _)| *of == image).copied().collect();
        for key in all.into_iter().filter(|key| !self.judged.contains_key(key)) {
            let open = self.newest_has(key);
            let (_, resolved) = self.found.get_mut(&key).expect("it was found");
            match (open, *resolved) {
                (true, _) => *resolved = None,
                (false, None) if published => *resolved = Some(at),
                (false, _) => {}
            }
        }
    }

    /// How many (image, advisory) each customer is exposed to, by severity.
    fn exposure(&self) -> BTreeMap<(CustomerId, Severity), i32> {
        let mut counts = BTreeMap::new();
        for ((customer, image), version) in &self.runs {
            let version = VersionRef { image: *image, version: *version };
            for advisory in self.known.get(&version).into_iter().flatten() {
                if !self.judged.contains_key(&(*image, *advisory)) {
                    *counts.entry((*customer, self.severity[advisory])).or_default() += 1;
                }
            }
        }
        counts
    }
}

#[test]
fn exposure_is_what_customers_run_with_a_known_finding() {
    for seed in SEEDS {
        let (_, watch) = played::<true>(seed);
        let mut told = Told::default();
        let mut recorded: BTreeMap<(CustomerId, Severity), i32> = BTreeMap::new();
        let mut changes = watch.exposure.iter().peekable();
        let mut ms = [0_i64; 2];
        let mut last = watch.facts[0].at;
        for facts in watch.facts.chunk_by(|one, next| one.at == next.at) {
            let at = facts[0].at;
            let sums = [recorded.values().sum::<i32>(), told.exposure().values().sum()];
            ms = [0, 1].map(|n| ms[n] + i64::from(sums[n]) * at.since(last).0);
            last = at;
            facts.iter().for_each(|fact| told.see(fact));
            while let Some((_, customer, severity, by)) = changes.next_if(|change| change.0 <= at) {
                *recorded.entry((*customer, *severity)).or_default() += by;
            }
            recorded.retain(|_, count| *count != 0);
            assert_eq!(recorded, told.exposure(), "seed {seed} at {at}");
        }
        assert_eq!(changes.next(), None, "seed {seed}: a change without a fact");
        assert_eq!(ms[0], ms[1], "seed {seed}: exposure-days");
        assert!(ms[0] > 100 * DAY_MS, "seed {seed}: only {} ms of exposure", ms[0]);
    }
}

#[test]
fn image_exposures_are_found_judged_and_resolved_as_the_facts_say() {
    for seed in SEEDS {
        let (world, watch) = played::<true>(seed);
        let mut told = Told::default();
        watch.facts.iter().for_each(|fact| told.see(fact));
        let mut seen = 0;
        for exposure in world.image_exposures() {
            let key = (exposure.image, exposure.advisory);
            assert_eq!(exposure.severity, told.severity[&exposure.advisory], "seed {seed}");
            assert_eq!(exposure.judged, told.judged.get(&key).copied(), "seed {seed}: {key:?}");
            let (detected, resolved) = told.found[&key];
            assert_eq!((exposure.detected, exposure.resolved), (detected, resolved), "{key:?}");
            seen += 1;
        }
        assert_eq!(seen, told.found.len(), "seed {seed}");
        let of_incident: BTreeSet<_> =
            world.advisories().filter_map(|advisory| advisory.incident).collect();
        assert_eq!(of_incident, BTreeSet::from([2]), "the mass event is the third of the list");
    }
}

#[test]
fn timers_are_those_that_evaluations_name() {
    for seed in SEEDS {
        let (world, watch) = played::<true>(seed);
        let [mut opened, mut stopped] = [(); 2].map(|()| Vec::new());
        let [mut breached, mut excluded] = [(); 2].map(|()| Vec::new());
        for fact in &watch.facts {
            let FactKind::SlaChecked(check) = &fact.kind else { continue };
            opened.extend(check.opened.iter().map(|timer| (*timer, check.previous, fact.at)));
            stopped.extend(check.stopped.iter().map(|timer| (*timer, check.previous, fact.at)));
            breached.extend(check.breached.iter().copied());
            excluded.extend(check.excluded.iter().copied());
        }
        let opened: BTreeMap<_, _> =
            opened.into_iter().map(|(t, after, to)| (t, (after, to))).collect();
        let stopped: BTreeMap<_, _> =
            stopped.into_iter().map(|(t, after, to)| (t, (after, to))).collect();
        let within = |at: SimTime, (after, to): (SimTime, SimTime)| after <= at && at <= to;
        let mut count = 0;
        for timer in world.timers() {
            count += 1;
            assert!(within(timer.opened, opened[&timer.name]), "seed {seed}: {timer:?}");
            assert_eq!(timer.stopped.is_some(), stopped.contains_key(&timer.name), "{timer:?}");
            assert!(timer.stopped.is_none_or(|at| within(at, stopped[&timer.name])), "{timer:?}");
            assert_eq!(timer.breached, breached.contains(&timer.name), "seed {seed}: {timer:?}");
            let is_excluded = timer.excluded == Some(true);
            assert_eq!(is_excluded, excluded.contains(&timer.name), "seed {seed}: {timer:?}");
            assert_eq!(timer.started.is_some(), timer.due.is_some(), "seed {seed}: {timer:?}");
        }
        assert_eq!(count, opened.len(), "seed {seed}");
        assert!(!breached.is_empty() && !excluded.is_empty(), "seed {seed}: nothing to compare");
    }
}

#[test]
fn a_world_like_another_is_the_world_of_its_scenario() {
    let variants = [
        ("count: 2, flake", "count: 1, flake"),
        ("business-2-30", "pci-critical"),
        ("pinned: 60%", "pinned: 10%"),
        ("images: 10 }", "images: 11 }"),
        ("packages: 120", "packages: 110"),
        ("images: 6 }", "images: [wave-base, wave-static] }"),
        ("0 2 * * *", "0 3 * * 1"),
    ];
    let mut other = world(WORLD, 9);
    other.play(other.now() + SimDuration::days(3), &mut Watch::<false>::default());
    let new = sim::command::ImageDefinition {
        name: "new".into(),
        base: None,
        packages: vec![PackageId(1)],
        owner: None,
    };
    let create = Command::BuildImage {
        build: BuildId::of_command(1),
        image: ImageId(12),
        create: Some(new),
        requested_by: None,
        external: false,
    };
    other.submit(&create, &mut |_| {}).expect("a new image");
    for (from, to) in variants {
        let yaml = WORLD.replace(from, to);
        assert_ne!(yaml, WORLD, "{from}");
        let scenario = sim::scenario::parse("x.yaml", yaml.as_bytes()).expect("a scenario");
        let mut like = World::new_like(&other, Arc::new(scenario));
        let mut alone = world(&yaml, 9);
        let end = alone.now() + SimDuration::days(10);
        let [mut one, mut two] = [(); 2].map(|()| Watch::<true>::default());
        like.play(end, &mut one);
        alone.play(end, &mut two);
        assert_eq!(like.seed(), 9);
        assert!(one.facts == two.facts, "{to}: other facts");
        assert_eq!(like.catalogue().images, alone.catalogue().images, "{to}");
        assert_eq!(like.catalogue().customers, alone.catalogue().customers, "{to}");
        assert_eq!(like.catalogue().policies, alone.catalogue().policies, "{to}");
    }
}

/// As the model says: who asks gets the same world, with facts or without.
#[test]
fn the_shipped_worlds_play_without_facts_as_with_them() {
    for name in ["classroom", "friday-night"] {
        let mut told = world(&shipped(name), 3);
        let mut bare = told.clone();
        let end = told.now() + SimDuration::days(14);
        told.play(end, &mut Watch::<true>::default());
        bare.play(end, &mut Watch::<false>::default());
        assert!(told.timers().eq(bare.timers()) && told.seq() == bare.seq(), "{name}");
    }
}
