//! The scenario, digested for the kernel: samplers instead of descriptions.
use crate::cast::whole_u32;
use crate::fact::Trigger;
use crate::random::Sampler;
use crate::scenario::Scenario;
use crate::scenario::model::{Incident, IncidentKind, RequestTrigger};
use crate::scenario::units::CronSchedule;
use crate::severity::Severity;
use crate::time::{SimDuration, SimTime};

/// CVEs a day for one package: 2.89 a day for 1,616 packages (docs/model.md, rating A).
const CVES_PER_PACKAGE_DAY: f64 = 2.89 / 1_616.0;

#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) start: SimTime,
    /// When the scenario ends; a world may go on.
    pub(super) end: SimTime,
    pub(super) cves_per_day: f64,
    pub(super) dispersion: f64,
    pub(super) weekday_share: [f64; 7],
    pub(super) single_package: f64,
    pub(super) blast_exponent: f64,
    pub(super) blast_max: u32,
    pub(super) severity_below: [(f64, Severity); 4],
    pub(super) known_exploited: f64,
    pub(super) fixed_at_disclosure: f64,
    pub(super) upstream_fix: Sampler,
    pub(super) package_fix: Sampler,
    pub(super) detection_lag: Sampler,
    pub(super) releases_per_year: Sampler,
    pub(super) builders: u32,
    pub(super) classes: usize,
    class_of: [usize; 7],
    pub(super) merge: bool,
    pub(super) duration: Sampler,
    pub(super) flake: f64,
    pub(super) retries: u32,
    /// The first and the longest wait after a failed build.
    pub(super) back_off: Option<(SimDuration, SimDuration)>,
    pub(super) breakage: f64,
    pub(super) repair: Sampler,
    pub(super) rebuild: Option<CronSchedule>,
    pub(super) on_upstream: bool,
    pub(super) on_base_change: bool,
    pub(super) on_cve_fix: Option<Severity>,
    pub(super) arrivals: Vec<(RequestTrigger, Sampler)>,
    pub(super) scan: Option<CronSchedule>,
    pub(super) false_positives: f64,
    pub(super) triage: Sampler,
    pub(super) sla_check: Option<CronSchedule>,
    pub(super) entries: Vec<Entry>,
    pub(super) incidents: Vec<Planned>,
}

/// How the customers of one entry behave.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) adoption_lag: Sampler,
    pub(super) pin_age: Sampler,
}

#[derive(Clone, Debug)]
pub(super) struct Planned {
    /// Its place in the scenario.
    pub(super) place: u32,
    pub(super) at: SimTime,
    pub(super) kind: IncidentKind,
}

impl Config {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let v = &scenario.vulnerabilities;
        let packages = f64::from(scenario.distribution.packages);
        let per_day = v.per_day.as_ref().map_or(packages * CVES_PER_PACKAGE_DAY, |n| n.value());
        let weekdays = v.weekdays.each_ref().map(|weight| weight.value());
        let week: f64 = weekdays.iter().sum();
        let builders = &scenario.builders;
        let (class_of, classes) = classes(&builders.queue.priority);
        Config {
            start: scenario.start.time(),
            end: scenario.start.time() + scenario.duration.duration(),
            cves_per_day: per_day,
            dispersion: v.dispersion.value(),
            weekday_share: weekdays.map(|w| if week > 0.0 { w * 7.0 / week } else { 1.0 }),
            single_package: v.single_package.value(),
            blast_exponent: v.blast_radius_exponent.value(),
            blast_max: whole_u32(libm::ceil(v.blast_radius_max.value() * packages).max(1.0)),
            severity_below: severities(scenario),
            known_exploited: v.known_exploited.value(),
            fixed_at_disclosure: v.fixed_at_disclosure.value(),
            upstream_fix: Sampler::of(&v.upstream_fix),
            package_fix: Sampler::of(&v.package_fix),
            detection_lag: Sampler::of(&v.detection_lag),
            releases_per_year: Sampler::of_number(&scenario.distribution.releases_per_year),
            builders: builders.count,
            classes,
            class_of,
            merge: builders.queue.merge,
            duration: Sampler::of(&builders.duration),
            flake: builders.flake.value(),
            retries: builders.retries,
            back_off: builders
                .back_off
                .as_ref()
                .map(|back_off| (back_off.first.duration(), back_off.max.duration())),
            breakage: builders.breakage.value(),
            repair: Sampler::of(&builders.repair),
            rebuild: scenario.triggers.rebuild.clone(),
            on_upstream: scenario.triggers.upstream,
            on_base_change: scenario.triggers.base_change,
            on_cve_fix: scenario.triggers.cve_fix,
            arrivals: scenario
                .triggers
                .arrivals
                .iter()
                .map(|stream| (stream.trigger, Sampler::of(&stream.gap)))
                .collect(),
            scan: scenario.scanner.schedule.clone(),
            false_positives: scenario.scanner.false_positives.value(),
            triage: Sampler::of(&scenario.scanner.triage),
            sla_check: scenario.sla.check.clone(),
            entries: scenario
                .customers
                .iter()
                .map(|entry| Entry {
                    adoption_lag: Sampler::of(&entry.adoption_lag),
                    pin_age: Sampler::of(&entry.pin_age),
                })
                .collect(),
            incidents: incidents(scenario),
        }
    }

    /// The queue class of a trigger, 0 served first.
    pub(super) fn class(&self, trigger: Trigger) -> usize {
        self.class_of[trigger as usize]
    }
}

/// Draws of an incident are named by its place. Those of trust draw nothing and come last, so that
/// the others draw the same with and without them.
fn incidents(scenario: &Scenario) -> Vec<Planned> {
    let planned = |(incident, place): (&Incident, u32)| Planned {
        place,
        at: incident.at.value.time(),
        kind: incident.kind.clone(),
    };
    let mut all: Vec<Planned> = scenario.incidents.iter().zip(0..).map(planned).collect();
    all.sort_by_key(|planned| planned.kind.is_of_trust());
    all
}

/// Triggers that the priority does not name share the last class.
fn classes(priority: &[Trigger]) -> ([usize; 7], usize) {
    let mut class_of = [priority.len(); 7];
    for (class, trigger) in priority.iter().enumerate() {
        class_of[*trigger as usize] = class;
    }
    (class_of, priority.len() + 1)
}

/// Cumulative shares, critical first.
fn severities(scenario: &Scenario) -> [(f64, Severity); 4] {
    let weights = &scenario.vulnerabilities.severity;
    let all = [
        (weights.critical.value(), Severity::Critical),
        (weights.high.value(), Severity::High),
        (weights.medium.value(), Severity::Medium),
        (weights.low.value(), Severity::Low),
    ];
    let total: f64 = all.iter().map(|(weight, _)| weight).sum();
    let mut below = 0.0;
    all.map(|(weight, severity)| {
        below += weight / total;
        (below, severity)
    })
}
