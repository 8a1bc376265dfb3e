//! Injected incidents: mass events, outages, rebuilds of everything and lost trust, each at the instant
//! that the scenario names.
use super::World;
use super::exogenous::{Draft, vector};
use super::state::{Event, Fixing};
use crate::cast::{ordinal, whole_u32};
use crate::events::Class;
use crate::fact::FactKind;
use crate::ids::{BuilderId, ImageId, PackageId};
use crate::random::{Purpose, Sampler};
use crate::recorder::Recorder;
use crate::scenario::model::{IncidentKind, MassVulnerability};
use crate::time::SimDuration;
use std::collections::BTreeSet;
use std::sync::Arc;

impl World {
    pub(super) fn incident(&mut self, index: u32, recorder: &mut impl Recorder) {
        let config = Arc::clone(&self.config);
        match &config.incidents[index as usize].kind {
            IncidentKind::MassVulnerability(event) => self.mass_event(index, event, recorder),
            IncidentKind::BuilderOutage(outage) => {
                self.outage(-i64::from(outage.builders), recorder);
                let until = self.now + outage.duration.duration();
                let back = Event::OutageEnds(outage.builders);
                self.queue.schedule(until, Class::Exogenous, back);
            }
            IncidentKind::RebuildAll(rebuild) => self.rebuild_all(rebuild.trigger, recorder),
            // What cannot happen (any more) does not: only a command hears why.
            IncidentKind::DistrustBuilder(distrust) => {
                let _ = self.distrust(BuilderId(distrust.builder), recorder);
            }
            IncidentKind::TamperAttestation(tamper) => {
                let name = tamper.image.as_str();
                if let Some(image) = self.catalogue.image_named(name) {
                    let _ = self.tamper(image, recorder);
                }
            }
        }
    }

    fn mass_event(&mut self, index: u32, event: &MassVulnerability, recorder: &mut impl Recorder) {
        let key = u64::MAX - u64::from(index);
        let u = self.streams.uniform(Purpose::Disclosure, key, 1);
        let packages = self.packages_of_share(event.image_share.value());
        let draft = Draft {
            cve: None,
            severity: event.severity,
            vector: vector(event.severity, u),
            known_exploited: true,
            detectable: self.now + event.detectable_after.duration(),
            fixing: Fixing::Incident(index),
        };
        let hits = self.hits_of(&packages, key);
        let advisory = self.publish_advisory(draft, hits, recorder);
        self.plan_fix(advisory, event.upstream_fix_after.duration(), recorder);
    }

    /// The fewest packages, most widely held first, that together hit this share of all images.
    pub(super) fn packages_of_share(&self, share: f64) -> BTreeSet<PackageId> {
        let wanted = whole_u32(libm::ceil(share * self.images.len() as f64)) as usize;
        let mut hit: BTreeSet<ImageId> = BTreeSet::new();
        let mut packages = BTreeSet::new();
        while hit.len() < wanted {
            let gain = |p: &u32| {
                let holders = &self.lineage.holders[*p as usize];
                holders.iter().filter(|image| !hit.contains(image)).count()
            };
            let room = wanted - hit.len();
            // The best that does not overshoot; else the smallest that does.
            let candidates = (0..ordinal(self.releases.len())).map(|p| (gain(&p), p));
            let usable: Vec<_> = candidates
                .filter(|(gain, p)| *gain > 0 && !self.catalogue.packages[*p as usize].end_of_life)
                .collect();
            let best = usable
                .iter()
                .filter(|(gain, _)| *gain <= room)
                .max_by_key(|(gain, p)| (*gain, std::cmp::Reverse(*p)))
                .or_else(|| usable.iter().min());
            let Some((_, package)) = best else { break };
            packages.insert(PackageId(*package));
            hit.extend(&self.lineage.holders[*package as usize]);
        }
        packages
    }

    pub(super) fn incident_fix(&self, index: u32, package: PackageId) -> SimDuration {
        let IncidentKind::MassVulnerability(event) = &self.config.incidents[index as usize].kind
        else {
            return SimDuration(0);
        };
        let u = self.streams.uniform(Purpose::Incident, u64::from(index), package.0);
        Sampler::of(&event.package_fix_after).duration(u)
    }

    pub(super) fn outage(&mut self, by: i64, recorder: &mut impl Recorder) {
        let in_service = self.pool.change_service(by);
        self.emit(|| FactKind::BuilderOutage { in_service }, recorder);
        self.start_builds(recorder);
    }
}
