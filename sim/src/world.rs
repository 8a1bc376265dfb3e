//! The world: a deterministic state machine from scenario, seed and commands to facts.
//!
//! `World` owns all state; what it does is spread over the files beside it by subject. Nothing
//! comes out of it but facts, and nothing goes in but the scenario, the seed and commands.
mod back_off;
mod builds;
mod commands;
mod config;
mod customers;
mod exogenous;
mod fork;
mod foundation;
mod incidents;
mod lineage;
mod scanner;
mod sla;
mod state;
mod timers;
mod trust;
mod view;

use crate::cast::ordinal;
use crate::catalogue::Catalogue;
use crate::events::{Class, EventQueue};
use crate::fact::{Fact, FactKind};
use crate::ids::{AdvisoryId, BuildId, CustomerId, ImageId};
use crate::pool::Pool;
use crate::random::RandomStreams;
use crate::recorder::{Facts, Recorder};
use crate::scenario::Scenario;
use crate::time::SimTime;
use config::Config;
use foundation::Foundation;
use lineage::Lineage;
pub use sla::{due as sla_due, left as sla_left};
use state::{AdvisoryState, Build, Event, External, ImageState};
use state::{LostTrust, PackageHit, Usage, UsageRequest};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use timers::Timers;
pub use view::{AdvisoryView, BuildView, ImageExposure, TimerView};

/// A running world. A clone goes on by itself to the same future, a [fork](World::fork) to another.
#[derive(Clone, Debug)]
pub struct World {
    /// What was fixed when the world began: the rates of releases.
    traits: RandomStreams,
    /// All draws from now on; other ones than `traits` in a fork.
    streams: RandomStreams,
    config: Arc<Config>,
    foundation: Foundation,
    /// Those of the foundation, until a command adds an image.
    catalogue: Arc<Catalogue>,
    lineage: Arc<Lineage>,
    now: SimTime,
    seq: u64,
    events: u64,
    queue: EventQueue<Event>,
    /// The newest release, by package.
    releases: Vec<u32>,
    /// Packages that advisories hit, by advisory and package.
    hits: Vec<PackageHit>,
    advisories: Vec<AdvisoryState>,
    undetected: Vec<(SimTime, AdvisoryId)>,
    /// When all versions in use were scanned last.
    last_pass: SimTime,
    images: Vec<ImageState>,
    /// How many of them have a version.
    published: u32,
    pool: Pool<u32>,
    builds: Vec<Option<Build>>,
    free_slots: Vec<u32>,
    /// What builds are made of that have not begun.
    nothing: Arc<[u32]>,
    /// Where contents are put together.
    scratch: Vec<u32>,
    builds_made: u64,
    starts: u64,
    /// By the owner of the image.
    failed_since_check: BTreeMap<Option<CustomerId>, u32>,
    usages: Vec<Usage>,
    usage_requests: BTreeMap<(CustomerId, ImageId), UsageRequest>,
    external: BTreeMap<BuildId, External>,
    external_used: bool,
    timers: Timers,
    /// Advisories by the instant at which they were first found, until it is decided whether they
    /// are mass events.
    first_found: VecDeque<(SimTime, AdvisoryId)>,
    /// When timers were evaluated last.
    evaluated: Option<SimTime>,
    lost_trust: LostTrust,
    /// By request stream: when its last request came.
    arrived: Vec<SimTime>,
}

impl World {
    /// The world of a scenario and a seed, at its start, before anything happened.
    pub fn new(scenario: Arc<Scenario>, seed: u64) -> World {
        let streams = RandomStreams::new(seed);
        World::on(Foundation::new(scenario, streams), streams)
    }

    /// The world of another scenario under the same seed, at its start. What both scenarios agree on
    /// among packages, images, customers and what these use is shared and not made again; the world is
    /// the same as [`World::new`] makes.
    pub fn new_like(other: &World, scenario: Arc<Scenario>) -> World {
        World::on(other.foundation.like(scenario, other.traits), other.traits)
    }

    fn on(foundation: Foundation, streams: RandomStreams) -> World {
        let config = Arc::new(Config::of(&foundation.scenario));
        let catalogue = Arc::clone(&foundation.catalogue);
        let lineage = Arc::clone(&foundation.lineage);
        let images = catalogue.images.iter().map(ImageState::new).collect();
        let mut world = World {
            now: config.start,
            seq: 0,
            events: 0,
            queue: EventQueue::default(),
            releases: vec![0; catalogue.packages.len()],
            hits: Vec::new(),
            advisories: Vec::new(),
            undetected: Vec::new(),
            last_pass: SimTime(i64::MIN),
            images,
            published: 0,
            pool: Pool::new(config.builders, config.classes),
            builds: Vec::new(),
            free_slots: Vec::new(),
            nothing: Arc::new([]),
            scratch: Vec::new(),
            builds_made: 0,
            starts: 0,
            failed_since_check: BTreeMap::new(),
            usages: Vec::new(),
            usage_requests: BTreeMap::new(),
            external: BTreeMap::new(),
            external_used: false,
            timers: Timers::default(),
            first_found: VecDeque::new(),
            evaluated: None,
            lost_trust: LostTrust::default(),
            arrived: vec![config.start; config.arrivals.len()],
            traits: streams,
            streams,
            config,
            foundation,
            catalogue,
            lineage,
        };
        world.schedule_initial_events();
        world
    }

    /// What the world is made of; grows when a command adds an image.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The simulated instant up to which everything has happened.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// The sequence number of the last fact; 0 before the first.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// How many events the kernel has processed.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// How many builds wait and run.
    pub fn builds_in_system(&self) -> usize {
        self.pool.waiting() + self.pool.running() as usize
    }

    /// The image of a build that waits or runs.
    pub fn image_of(&self, build: BuildId) -> Option<ImageId> {
        let own = || self.builds.iter().flatten().find(|other| other.id == build);
        let external = self.external.get(&build).map(|external| external.image);
        external.or_else(|| own().map(|build| build.image))
    }

    /// The instant of the next event; none when nothing will ever happen again.
    pub fn next_event(&self) -> Option<SimTime> {
        self.queue.next_at()
    }

    /// Lets everything up to and including `until` happen. Afterwards it is `until` (an earlier
    /// instant than now changes nothing).
    pub fn advance(&mut self, until: SimTime, sink: &mut impl FnMut(Fact)) {
        self.play(until, &mut Facts(sink));
    }

    /// As [`World::advance`], watched by a recorder.
    pub fn play(&mut self, until: SimTime, recorder: &mut impl Recorder) {
        while let Some((at, event)) = self.queue.pop(until) {
            self.now = at;
            self.events += 1;
            self.handle(event, recorder);
        }
        self.now = self.now.max(until);
    }

    fn handle(&mut self, event: Event, recorder: &mut impl Recorder) {
        match event {
            Event::Begin => self.begin(recorder),
            Event::Day(day) => self.day(day),
            Event::Disclose { day, index } => self.disclose(day, index, recorder),
            Event::FixAvailable(advisory) => self.fix_available(advisory, recorder),
            Event::PackageFix { advisory, package } => {
                self.package_fix(advisory, package, recorder)
            }
            Event::Release { package, nth } => self.regular_release(package, nth, recorder),
            Event::Incident(index) => self.incident(index, recorder),
            Event::OutageEnds(builders) => self.outage(i64::from(builders), recorder),
            Event::Repaired { image, release } => self.repaired(image, release, recorder),
            Event::Retry(image) => self.retry(image, recorder),
            Event::BuildEnds(slot) => self.build_ends(slot, recorder),
            Event::Adopt(usage) => self.adopt(usage, recorder),
            Event::MovePin(usage) => self.move_pin(usage, recorder),
            Event::Triage { image, advisory } => self.triage(image, advisory, recorder),
            Event::Cron => self.cron(recorder),
            Event::Arrival { stream, nth } => self.arrival(stream, nth, recorder),
            Event::Scan => self.scan(recorder),
            Event::SlaCheck => self.sla_check(recorder),
            Event::ExternalEnds(build) => self.external_ends(build, recorder),
            Event::ScanRequested(image) => self.requested_scan(image, recorder),
            Event::SlaCheckRequested => self.evaluate(recorder),
            Event::UsageRequested { customer, image } => {
                self.requested_usage(customer, image, recorder)
            }
        }
    }

    /// The inventory the world begins with: version 1 of every image, and who runs it.
    fn begin(&mut self, recorder: &mut impl Recorder) {
        for image in 0..ordinal(self.images.len()) {
            self.bootstrap(ImageId(image), recorder);
        }
    }

    fn schedule_initial_events(&mut self) {
        let start = self.config.start;
        self.queue.schedule(start, Class::Exogenous, Event::Begin);
        self.queue.schedule(start, Class::Exogenous, Event::Day(0));
        self.schedule_releases();
        self.settle();
        for index in 0..ordinal(self.config.incidents.len()) {
            let at = self.config.incidents[index as usize].at;
            self.queue.schedule(at, Class::Exogenous, Event::Incident(index));
        }
        for stream in 0..ordinal(self.config.arrivals.len()) {
            self.schedule_arrival(stream, 0);
        }
        // A moment before the start, so that a schedule may fire at the very start.
        self.now = SimTime(start.0 - 1);
        self.schedule_cron();
        self.schedule_scan();
        self.schedule_sla_check();
        // What is due by the end of the scenario is said, however seldom timers are evaluated.
        self.queue.schedule(self.config.end, Class::Sla, Event::SlaCheckRequested);
        self.now = start;
        self.timers.last_check = start;
    }

    /// Tells a fact; without facts it is only counted.
    fn emit<R: Recorder>(&mut self, kind: impl FnOnce() -> FactKind, recorder: &mut R) {
        self.seq += 1;
        if R::FACTS {
            recorder.fact(Fact { seq: self.seq, at: self.now, kind: kind() });
        }
    }

    /// Tells a fact that was made; none where facts are only counted.
    fn emit_some(&mut self, kind: Option<FactKind>, recorder: &mut impl Recorder) {
        self.seq += 1;
        if let Some(kind) = kind {
            recorder.fact(Fact { seq: self.seq, at: self.now, kind });
        }
    }

    fn next_build_id(&mut self) -> BuildId {
        self.builds_made += 1;
        BuildId(self.builds_made)
    }
}
