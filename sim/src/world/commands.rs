//! Commands: what is asked from outside, checked, and done now or in a millisecond.
//!
//! Builds and their images change at once. What an SLA evaluation looks at changes a millisecond
//! later: the evaluation of this very instant may have been made, and must not become wrong.
use super::World;
use super::exogenous::{Draft, FIRST_OWN_CVE};
use super::state::{Build, Event, External, Fixing, Hit, ImageState, Usage, UsageRequest};
use super::timers::Promises;
use crate::cast::ordinal;
use crate::catalogue::{ImageInfo, Runtime};
use crate::command::{Command, CommandError, ImageDefinition, NewAdvisory, NewRange, Report};
use crate::events::Class;
use crate::fact::{Cause, Fact, FactKind, FailureReason, NewImage, UsageMode};
use crate::ids::{BuildId, BuilderId, CustomerId, ImageId, PackageId, VersionRef};
use crate::recorder::{Facts, Recorder};
use crate::time::{SimDuration, SimTime};
use std::sync::Arc;

/// When what a command brings about is seen by evaluations.
const SOON: SimDuration = SimDuration(1);

impl World {
    /// Lets a command take effect now.
    ///
    /// # Errors
    /// When the command cannot be carried out; nothing has changed then.
    pub fn submit(
        &mut self,
        command: &Command,
        sink: &mut impl FnMut(Fact),
    ) -> Result<(), CommandError> {
        self.submit_watched(command, &mut Facts(sink))
    }

    /// As [`World::submit`], watched by a recorder.
    ///
    /// # Errors
    /// When the command cannot be carried out; nothing has changed then.
    pub fn submit_watched(
        &mut self,
        command: &Command,
        recorder: &mut impl Recorder,
    ) -> Result<(), CommandError> {
        let soon = self.now + SOON;
        match command {
            Command::BuildImage { build, image, create, requested_by, external } => {
                match create {
                    Some(definition) => self.create_image(*image, definition, recorder)?,
                    None => self.known(*image)?,
                }
                let requested_by = requested_by.clone();
                let cause = Cause::Manual { requested_by, external: *external };
                if *external {
                    self.request_external(*build, *image, cause, recorder);
                } else {
                    self.request(*image, cause, Some(*build), recorder);
                }
            }
            Command::CompleteBuild { build, report } => self.complete(*build, report)?,
            Command::UpstreamChanged { build, image, revision } => {
                self.known(*image)?;
                let package = self.catalogue.images[image.index()].main_package;
                let release = self.release(package, &[], recorder);
                let cause = Cause::Upstream { release: Some(release), revision: revision.clone() };
                self.request(*image, cause, Some(*build), recorder);
            }
            Command::Scan { image } => {
                image.map_or(Ok(()), |image| self.exists(image))?;
                self.queue.schedule(soon, Class::Scan, Event::ScanRequested(*image));
            }
            Command::CheckSla => self.queue.schedule(soon, Class::Sla, Event::SlaCheckRequested),
            Command::DiscloseAdvisory(new) => self.disclose_on_command(new, recorder)?,
            Command::BuilderOutage { builders, duration } => {
                self.outage_on_command(*builders, *duration, recorder)?;
            }
            Command::DistrustBuilder { builder } => self.distrust(*builder, recorder)?,
            Command::TamperAttestation { image } => self.tamper(*image, recorder)?,
            Command::UseImage { customer, image, pin, runtime } => {
                self.request_use(*customer, *image, *pin, runtime.clone())?;
            }
            Command::EndUse { customer, image } => self.request_end_of_use(*customer, *image)?,
        }
        Ok(())
    }

    fn exists(&self, image: ImageId) -> Result<(), CommandError> {
        let known = image.index() < self.images.len();
        known.then_some(()).ok_or(CommandError::UnknownImage(image.0))
    }

    fn known(&self, image: ImageId) -> Result<(), CommandError> {
        self.exists(image)?;
        match self.catalogue.images[image.index()].end_of_life {
            Some(end) if end <= self.now => Err(CommandError::EndOfLife(image.0)),
            _ => Ok(()),
        }
    }

    /// Whether a customer (none: the catalogue) may build on or run an image: a shared one, or its
    /// own.
    fn visible(&self, image: ImageId, to: Option<CustomerId>) -> Result<(), CommandError> {
        let owner = self.catalogue.images[image.index()].owner;
        let visible = owner.is_none() || owner == to;
        visible.then_some(()).ok_or(CommandError::ForeignImage(image.0))
    }

    fn customer(&self, customer: CustomerId) -> Result<(), CommandError> {
        let known = customer.index() < self.catalogue.customers.len();
        known.then_some(()).ok_or(CommandError::UnknownCustomer(customer.0))
    }

    fn check_definition(
        &self,
        image: ImageId,
        definition: &ImageDefinition,
    ) -> Result<(), CommandError> {
        let expected = ordinal(self.images.len());
        let name = &definition.name;
        if image.0 != expected {
            return Err(CommandError::WrongOrdinal { expected, found: image.0 });
        }
        if self.catalogue.images.iter().any(|other| *other.name == **name) {
            return Err(CommandError::NameTaken(name.clone()));
        }
        if let Some(owner) = definition.owner {
            self.customer(owner)?;
            let namespace = self.catalogue.customers[owner.index()].namespace.as_str();
            let rest = name.strip_prefix(namespace).and_then(|rest| rest.strip_prefix('.'));
            if rest.is_none_or(str::is_empty) {
                let namespace = namespace.into();
                return Err(CommandError::ForeignName { namespace, name: name.clone() });
            }
        }
        if let Some(base) = definition.base {
            self.known(base)?;
            self.visible(base, definition.owner)?;
        }
        let unknown = |p: &&PackageId| p.index() >= self.releases.len();
        match definition.packages.iter().find(unknown) {
            Some(package) => Err(CommandError::UnknownPackage(package.0)),
            None => Ok(()),
        }
    }

    fn create_image(
        &mut self,
        image: ImageId,
        definition: &ImageDefinition,
        recorder: &mut impl Recorder,
    ) -> Result<(), CommandError> {
        self.check_definition(image, definition)?;
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
            owner: definition.owner,
        };
        self.images.push(ImageState::new(&info));
        let new = NewImage {
            image,
            name: definition.name.clone(),
            base: info.base,
            packages: info.own_packages.clone(),
            owner: info.owner,
        };
        let catalogue = Arc::make_mut(&mut self.catalogue);
        Arc::make_mut(&mut catalogue.images).push(info);
        Arc::make_mut(&mut self.lineage).add(&self.catalogue, image);
        for hit in 0..ordinal(self.hits.len()) {
            self.may_find(hit, image);
        }
        self.emit(|| FactKind::ImageCreated(Arc::new(new)), recorder);
        Ok(())
    }

    /// A build that somebody else makes: it waits for the report, by itself. It is never merged
    /// with another, for each was promised an answer of its own.
    fn request_external(
        &mut self,
        id: BuildId,
        image: ImageId,
        cause: Cause,
        recorder: &mut impl Recorder,
    ) {
        self.external_used = true;
        let requested = self.now;
        let external = External { image, cause: cause.clone(), requested, report: None };
        self.external.insert(id, external);
        self.emit(|| FactKind::BuildRequested { build: id, image, cause }, recorder);
    }

    fn complete(&mut self, build: BuildId, report: &Arc<Report>) -> Result<(), CommandError> {
        match self.external.get_mut(&build) {
            Some(external) if external.report.is_none() => {
                external.report = Some(report.clone());
                self.queue.schedule(self.now + SOON, Class::Build, Event::ExternalEnds(build));
                Ok(())
            }
            _ => Err(CommandError::NotWaiting(build.0)),
        }
    }

    /// An external build counts as begun and ended at this instant: nobody here saw when it began,
    /// so it is taken to have built what is newest now.
    pub(super) fn external_ends(&mut self, id: BuildId, recorder: &mut impl Recorder) {
        let Some(external) = self.external.remove(&id) else { return };
        let image = external.image;
        let (contents, base) = self.resolve(image);
        self.starts += 1;
        let failed = external.report.as_ref().is_some_and(|report| !report.succeeded);
        let build = Build {
            id,
            image,
            cause: external.cause,
            class: 0,
            requested: external.requested,
            started: self.now,
            attempts: 1,
            took_in: false,
            builder: BuilderId::EXTERNAL,
            start_order: self.starts,
            running: true,
            changes: self.images[image.index()].changes,
            base,
            contents,
            report: external.report,
        };
        self.finish(build, failed.then_some(FailureReason::Reported), recorder);
    }

    fn outage_on_command(
        &mut self,
        builders: u32,
        duration: SimDuration,
        recorder: &mut impl Recorder,
    ) -> Result<(), CommandError> {
        let in_service = self.pool.in_service();
        if builders == 0 || builders > in_service {
            return Err(CommandError::TooManyBuilders { in_service, found: builders });
        }
        self.outage(-i64::from(builders), recorder);
        let until = self.now + SimDuration(duration.0.max(1));
        self.queue.schedule(until, Class::Exogenous, Event::OutageEnds(builders));
        Ok(())
    }

    fn range(&self, range: &NewRange) -> Result<Hit, CommandError> {
        let NewRange { package, introduced, fixed } = *range;
        let Some(newest) = self.releases.get(package.index()).copied() else {
            return Err(CommandError::UnknownPackage(package.0));
        };
        let last = fixed.unwrap_or(newest);
        if introduced > newest || last > newest || fixed.is_some_and(|fixed| fixed <= introduced) {
            let package = package.0;
            return Err(CommandError::UnknownRelease { package, introduced, fixed, newest });
        }
        Ok(Hit { package, introduced, fixed })
    }

    fn disclose_on_command(
        &mut self,
        new: &NewAdvisory,
        recorder: &mut impl Recorder,
    ) -> Result<(), CommandError> {
        if let Some(cve) = &new.cve {
            let taken = self.advisories.iter().any(|advisory| advisory.info.cve == *cve);
            let number = cve.rsplit('-').next().and_then(|digits| digits.parse::<u32>().ok());
            let own = FIRST_OWN_CVE..2 * FIRST_OWN_CVE;
            if taken || number.is_none_or(|number| own.contains(&number)) {
                return Err(CommandError::CveTaken(cve.clone()));
            }
        }
        let mut hits = match new.image_share_permille {
            Some(permille) => {
                let packages = self.packages_of_share(f64::from(permille) / 1000.0);
                let all = |package| Hit { package, introduced: 0, fixed: None };
                packages.into_iter().map(all).collect()
            }
            None => new.packages.iter().map(|r| self.range(r)).collect::<Result<Vec<_>, _>>()?,
        };
        hits.sort_unstable_by_key(|hit| hit.package);
        hits.dedup_by_key(|hit| hit.package);
        if hits.is_empty() {
            return Err(CommandError::NothingAffected);
        }
        let fixed = hits.iter().any(|hit| hit.fixed.is_some());
        let draft = Draft {
            cve: new.cve.clone(),
            severity: new.severity,
            vector: new.vector.clone(),
            known_exploited: new.known_exploited,
            detectable: self.now + new.detectable_after.max(SOON),
            fixing: Fixing::Commanded(new.package_fix_after),
        };
        let advisory = self.publish_advisory(draft, hits, recorder);
        let fix_after = if fixed { Some(SimDuration(0)) } else { new.fix_after };
        if let Some(after) = fix_after {
            self.plan_fix(advisory, after, recorder);
        }
        Ok(())
    }

    fn usage_of(&self, customer: CustomerId, image: ImageId) -> Option<u32> {
        let users = self.images[image.index()].users.iter().copied();
        users.into_iter().find(|id| self.usages[*id as usize].customer == customer)
    }

    /// Records a change of usage, which takes effect in the next millisecond.
    fn request_usage(
        &mut self,
        customer: CustomerId,
        image: ImageId,
        class: Class,
        request: UsageRequest,
    ) -> Result<(), CommandError> {
        if self.usage_requests.contains_key(&(customer, image)) {
            let (customer, image) = (customer.0, image.0);
            return Err(CommandError::UseChanging { customer, image });
        }
        self.usage_requests.insert((customer, image), request);
        self.queue.schedule(self.now + SOON, class, Event::UsageRequested { customer, image });
        Ok(())
    }

    fn request_use(
        &mut self,
        customer: CustomerId,
        image: ImageId,
        pin: Option<u32>,
        runtime: Option<Arc<Runtime>>,
    ) -> Result<(), CommandError> {
        self.customer(customer)?;
        self.exists(image)?;
        self.visible(image, Some(customer))?;
        if let Some(version) = pin
            && self.images[image.index()].version(version).is_none()
        {
            return Err(CommandError::NotServed { image: image.0, version });
        }
        // After judgements of that instant, before its scans, as the evaluation sees it.
        self.request_usage(customer, image, Class::Request, UsageRequest::Use { pin, runtime })?;
        // The version must still be there in a millisecond.
        if let Some(version) = pin.and_then(|pin| self.images[image.index()].version_mut(pin)) {
            version.users += 1;
        }
        Ok(())
    }

    fn request_end_of_use(
        &mut self,
        customer: CustomerId,
        image: ImageId,
    ) -> Result<(), CommandError> {
        self.customer(customer)?;
        self.exists(image)?;
        if self.usage_of(customer, image).is_none() {
            return Err(CommandError::NotUsed { customer: customer.0, image: image.0 });
        }
        // Before anything else of that instant: who has left is concerned by nothing any more.
        self.request_usage(customer, image, Class::Exogenous, UsageRequest::End)
    }

    pub(super) fn requested_usage(
        &mut self,
        customer: CustomerId,
        image: ImageId,
        recorder: &mut impl Recorder,
    ) {
        match self.usage_requests.remove(&(customer, image)) {
            Some(UsageRequest::Use { pin, runtime }) => {
                self.use_now(customer, image, pin, runtime, recorder)
            }
            Some(UsageRequest::End) => self.end_use(customer, image, recorder),
            None => {}
        }
    }

    fn use_now(
        &mut self,
        customer: CustomerId,
        image: ImageId,
        pin: Option<u32>,
        runtime: Option<Arc<Runtime>>,
        recorder: &mut impl Recorder,
    ) {
        let id = self.usage_of(customer, image).unwrap_or_else(|| self.new_usage(customer, image));
        let usage = &mut self.usages[id as usize];
        usage.mode = if pin.is_some() { UsageMode::Pin } else { UsageMode::Follow };
        usage.commanded = true;
        usage.runtime = runtime.or(usage.runtime.take());
        let first = usage.version == 0;
        let state = &mut self.images[image.index()];
        let wanted = pin.unwrap_or(state.version);
        if let Some(reserved) = pin.and_then(|pin| state.version_mut(pin)) {
            reserved.users -= 1;
        }
        match (first, wanted) {
            // Nothing is published yet: the first version will be run.
            (true, 0) => {}
            (true, version) => self.begin_use(id, version, recorder),
            (false, version) => self.run_version(id, version, recorder),
        }
    }

    fn new_usage(&mut self, customer: CustomerId, image: ImageId) -> u32 {
        let id = ordinal(self.usages.len());
        // What was owed by an earlier use is remembered.
        let before = |usage: &&mut Usage| (usage.customer, usage.image) == (customer, image);
        let before = self.usages.iter_mut().rev().find(before);
        let owed = before.map_or_else(Promises::default, |usage| std::mem::take(&mut usage.owed));
        self.usages.push(Usage {
            customer,
            image,
            policy: self.catalogue.customers[customer.index()].policy,
            entry: ordinal(self.catalogue.customer_entry[customer.index()]),
            mode: UsageMode::Follow,
            version: 0,
            used_since: SimTime::MAX,
            version_since: SimTime::MAX,
            adoption_planned: false,
            planned: SimTime::MAX,
            moves: 0,
            commanded: true,
            ended: false,
            runtime: None,
            owed,
        });
        self.images[image.index()].users.push(id);
        id
    }

    fn end_use(&mut self, customer: CustomerId, image: ImageId, recorder: &mut impl Recorder) {
        let Some(id) = self.usage_of(customer, image) else { return };
        let usage = &mut self.usages[id as usize];
        usage.ended = true;
        let version = usage.version;
        let exposed = self.exposed(image, version);
        let state = &mut self.images[image.index()];
        state.users.retain(|user| *user != id);
        state.leave(version);
        if version > 0 {
            let version = VersionRef { image, version };
            self.emit(|| FactKind::UsageEnded { customer, version }, recorder);
        }
        self.exposure_moved(customer, exposed, [0; 4], recorder);
        self.stop_timers_of(id);
    }
}
