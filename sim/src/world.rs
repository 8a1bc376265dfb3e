//! The world: a deterministic state machine from scenario, seed and commands to facts.
//!
//! `World` owns all state; what it does is spread over the files beside it by subject. Nothing
//! comes out of it but facts, and nothing goes in but the scenario, the seed and commands.
mod builds;
mod config;
mod customers;
mod scanner;
mod sla;
mod state;
mod trust;
mod weather;

use crate::catalogue::{Catalogue, ImageInfo};
use crate::command::{Command, CommandError, ImageDefinition};
use crate::events::{Class, EventQueue};
use crate::fact::{Cause, Fact, FactKind, NewImage};
use crate::ids::{BuildId, ImageId, PackageId};
use crate::pool::Pool;
use crate::random::Dice;
use crate::scenario::Scenario;
use crate::time::SimTime;
use config::Config;
pub use sla::due as sla_due;
use state::{AdvisoryState, Build, Event, ImageState, Lineage, PackageState, Timers, Usage};
use std::sync::Arc;
use trust::Lost;

/// Where facts go.
type Sink<'a> = &'a mut dyn FnMut(Fact);

/// A running world. Cloning forks it: both go on from here, each by itself.
#[derive(Clone, Debug)]
pub struct World {
    dice: Dice,
    config: Arc<Config>,
    catalogue: Arc<Catalogue>,
    lineage: Arc<Lineage>,
    now: SimTime,
    seq: u64,
    events: u64,
    queue: EventQueue<Event>,
    packages: Vec<PackageState>,
    advisories: Vec<AdvisoryState>,
    undetected: Vec<(SimTime, crate::ids::AdvisoryId)>,
    images: Vec<ImageState>,
    pool: Pool<u32>,
    builds: Vec<Option<Build>>,
    free_slots: Vec<u32>,
    builds_made: u64,
    starts: u64,
    failed_since_check: u32,
    usages: Vec<Usage>,
    timers: Timers,
    lost: Lost,
}

impl World {
    /// The world of a scenario and a seed, at its start, before anything happened.
    pub fn new(scenario: Arc<Scenario>, seed: u64) -> World {
        let dice = Dice::new(seed);
        let config = Arc::new(Config::of(&scenario));
        let catalogue = Arc::new(Catalogue::new(&scenario, dice));
        let lineage = Arc::new(Lineage::of(&catalogue));
        let images = catalogue.images.iter().map(ImageState::new).collect();
        let mut world = World {
            now: config.start,
            seq: 0,
            events: 0,
            queue: EventQueue::default(),
            packages: vec![PackageState::default(); catalogue.packages.len()],
            advisories: Vec::new(),
            undetected: Vec::new(),
            images,
            pool: Pool::new(config.builders, config.classes),
            builds: Vec::new(),
            free_slots: Vec::new(),
            builds_made: 0,
            starts: 0,
            failed_since_check: 0,
            usages: Vec::new(),
            timers: Timers::default(),
            lost: Lost::default(),
            dice,
            config,
            catalogue,
            lineage,
        };
        world.schedule_the_beginning(&scenario);
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

    /// The instant of the next event; none when nothing will ever happen again.
    pub fn next_event(&self) -> Option<SimTime> {
        self.queue.next_at()
    }

    /// Lets everything up to and including `until` happen. Afterwards it is `until` (an earlier
    /// instant than now changes nothing).
    pub fn advance(&mut self, until: SimTime, sink: &mut impl FnMut(Fact)) {
        while let Some((at, event)) = self.queue.pop(until) {
            self.now = at;
            self.events += 1;
            self.happen(event, sink);
        }
        self.now = self.now.max(until);
    }

    /// Lets a command take effect now.
    ///
    /// # Errors
    /// When the command cannot be carried out; nothing has changed then.
    pub fn submit(
        &mut self,
        command: &Command,
        sink: &mut impl FnMut(Fact),
    ) -> Result<(), CommandError> {
        match command {
            Command::BuildImage { build, image, create, requested_by } => {
                match create {
                    Some(definition) => self.create_image(*image, definition, sink)?,
                    None => self.known(*image)?,
                }
                let cause = Cause::Manual { requested_by: requested_by.clone() };
                self.request(*image, cause, Some(*build), sink);
            }
            Command::UpstreamChanged { build, image, revision } => {
                self.known(*image)?;
                let package = self.catalogue.images[image.index()].main_package;
                let release = self.release(package, Arc::new([]), sink);
                let cause = Cause::Upstream { release: Some(release), revision: revision.clone() };
                self.request(*image, cause, Some(*build), sink);
            }
            Command::DistrustBuilder { builder } => self.distrust(*builder, sink)?,
            Command::TamperAttestation { image } => self.tamper(*image, sink)?,
        }
        Ok(())
    }

    fn known(&self, image: ImageId) -> Result<(), CommandError> {
        match self.catalogue.images.get(image.index()) {
            None => Err(CommandError::UnknownImage(image.0)),
            Some(info) if info.end_of_life.is_some_and(|end| end <= self.now) => {
                Err(CommandError::EndOfLife(image.0))
            }
            Some(_) => Ok(()),
        }
    }

    fn create_image(
        &mut self,
        image: ImageId,
        definition: &ImageDefinition,
        sink: Sink<'_>,
    ) -> Result<(), CommandError> {
        let expected = self.images.len() as u32;
        if image.0 != expected {
            return Err(CommandError::WrongOrdinal { expected, found: image.0 });
        }
        if self.catalogue.images.iter().any(|other| *other.name == *definition.name) {
            return Err(CommandError::NameTaken(definition.name.clone()));
        }
        if let Some(base) = definition.base {
            self.known(base)?;
        }
        let unknown = |p: &&PackageId| p.index() >= self.packages.len();
        if let Some(package) = definition.packages.iter().find(unknown) {
            return Err(CommandError::UnknownPackage(package.0));
        }
        let inherited =
            definition.base.map_or_else(Vec::new, |base| self.catalogue.all_packages(base));
        let mut own: Vec<PackageId> = Vec::new();
        for package in &definition.packages {
            if !inherited.contains(package) && !own.contains(package) {
                own.push(*package);
            }
        }
        let main = own.first().or(inherited.first()).copied().unwrap_or(PackageId(0));
        let info = ImageInfo {
            name: definition.name.to_string(),
            description: "Added to the catalogue by a request.".to_owned(),
            base: definition.base,
            depth: definition.base.map_or(0, |b| self.catalogue.images[b.index()].depth + 1),
            main_package: main,
            own_packages: own.into(),
            end_of_life: None,
        };
        self.images.push(ImageState::new(&info));
        let new = NewImage {
            image,
            name: definition.name.clone(),
            base: info.base,
            packages: info.own_packages.clone(),
        };
        Arc::make_mut(&mut self.catalogue).images.push(info);
        Arc::make_mut(&mut self.lineage).add(&self.catalogue, image);
        self.emit(FactKind::ImageCreated(Arc::new(new)), sink);
        Ok(())
    }

    fn happen(&mut self, event: Event, sink: Sink<'_>) {
        match event {
            Event::Begin => self.begin(sink),
            Event::Day(day) => self.day(day),
            Event::Disclose { day, index } => self.disclose(day, index, sink),
            Event::FixAvailable(advisory) => self.fix_available(advisory, sink),
            Event::PackageFix { advisory, package } => self.package_fix(advisory, package, sink),
            Event::Release { package, nth } => self.regular_release(package, nth, sink),
            Event::Incident(index) => self.incident(index, sink),
            Event::OutageEnds(builders) => self.outage(i64::from(builders), sink),
            Event::Repaired { image, release } => self.repaired(image, release, sink),
            Event::BuildEnds(slot) => self.build_ends(slot, sink),
            Event::Adopt(usage) => self.adopt(usage, sink),
            Event::MovePin(usage) => self.move_pin(usage, sink),
            Event::Triage { image, advisory } => self.triage(image, advisory, sink),
            Event::Cron => self.cron(sink),
            Event::Arrival { stream, nth } => self.arrival(stream, nth, sink),
            Event::Scan => self.scan(sink),
            Event::SlaCheck => self.sla_check(sink),
        }
    }

    /// The inventory the world begins with: version 1 of every image, and who runs it.
    fn begin(&mut self, sink: Sink<'_>) {
        for image in 0..self.images.len() as u32 {
            self.bootstrap(ImageId(image), sink);
        }
    }

    fn schedule_the_beginning(&mut self, scenario: &Scenario) {
        let start = self.config.start;
        self.queue.schedule(start, Class::Weather, Event::Begin);
        self.queue.schedule(start, Class::Weather, Event::Day(0));
        self.schedule_releases();
        self.choose_usages(scenario);
        for index in 0..self.config.incidents.len() as u32 {
            let at = self.config.incidents[index as usize].at;
            self.queue.schedule(at, Class::Weather, Event::Incident(index));
        }
        for stream in 0..self.config.arrivals.len() as u32 {
            self.schedule_arrival(stream, 0);
        }
        // A moment before the start, so that a schedule may fire at the very start.
        self.now = SimTime(start.0 - 1);
        self.schedule_cron();
        self.schedule_scan();
        self.schedule_sla_check();
        self.now = start;
        self.timers.last_check = start;
    }

    fn emit(&mut self, kind: FactKind, sink: Sink<'_>) {
        self.seq += 1;
        sink(Fact { seq: self.seq, at: self.now, kind });
    }

    fn next_build_id(&mut self) -> BuildId {
        self.builds_made += 1;
        BuildId(self.builds_made)
    }
}
