//! What a scenario amounts to, before it is played: when its schedules fire, how busy its builders
//! are, what its policies promise, and what in it cannot work.
mod load;
mod promises;
mod warnings;

pub use load::Load;
pub use promises::Promise;
pub use warnings::Warning;

use super::Scenario;
use super::model::DistributionIdentity;
use super::units::CronSchedule;
use crate::catalogue::Catalogue;
use crate::random::RandomStreams;
use crate::time::SimTime;
use serde::Serialize;

/// How many firings of a schedule are told.
const FIRINGS: usize = 3;

/// What a scenario amounts to.
#[derive(Clone, Debug, Serialize)]
pub struct Review {
    /// Its name.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// The seed, as text because it has 64 bits.
    pub seed: String,
    /// The simulated instant at which the world begins.
    pub starts_at: String,
    /// The simulated instant at which the scenario ends.
    pub ends_at: String,
    /// How many images there are.
    pub images: usize,
    /// How many packages the distribution has.
    pub packages: usize,
    /// As whose packages scanners see them.
    pub identity: DistributionIdentity,
    /// How many customers there are.
    pub customers: usize,
    /// Its schedules.
    pub schedules: Vec<Firings>,
    /// How busy its builders are.
    pub load: Load,
    /// Its policies with their presets resolved.
    pub policies: Vec<Promise>,
    /// What cannot work.
    pub warnings: Vec<Warning>,
}

/// When a schedule fires.
#[derive(Clone, Debug, Serialize)]
pub struct Firings {
    /// The field that says so.
    pub field: String,
    /// The cron schedule; none: never.
    pub schedule: Option<String>,
    /// The first firings.
    pub next: Vec<Firing>,
}

/// One firing.
#[derive(Clone, Debug, Serialize)]
pub struct Firing {
    /// The simulated instant.
    pub at: String,
    /// Its weekday.
    pub weekday: String,
}

impl Review {
    /// Of a checked scenario, with its own seed.
    pub fn of(scenario: &Scenario) -> Self {
        let catalogue = Catalogue::new(scenario, RandomStreams::new(scenario.seed));
        let start = scenario.start.time();
        let load = Load::of(scenario, catalogue.images.len());
        let policies = promises::all(&catalogue);
        let warnings = warnings::all(scenario, &load, &policies, catalogue.images.len());
        let firings = |field, cron: Option<&CronSchedule>| Firings::of(field, cron, start);
        Review {
            name: scenario.name.as_str().to_owned(),
            title: scenario.title.clone(),
            seed: scenario.seed.to_string(),
            starts_at: start.to_string(),
            ends_at: (start + scenario.duration.duration()).to_string(),
            images: catalogue.images.len(),
            packages: catalogue.packages.len(),
            identity: scenario.distribution.identity,
            customers: catalogue.customers.len(),
            schedules: vec![
                firings("triggers.rebuild", scenario.triggers.rebuild.as_ref()),
                firings("scanner.schedule", scenario.scanner.schedule.as_ref()),
                firings("sla.check", scenario.sla.check.as_ref()),
            ],
            load,
            policies,
            warnings,
        }
    }
}

impl Firings {
    fn of(field: &str, cron: Option<&CronSchedule>, start: SimTime) -> Self {
        let fires = |at: &SimTime| cron.and_then(|cron| cron.next_after(*at));
        let next = std::iter::successors(fires(&start), fires).take(FIRINGS);
        Firings {
            field: field.to_owned(),
            schedule: cron.map(|cron| cron.as_str().to_owned()),
            next: next.map(Firing::of).collect(),
        }
    }
}

impl Firing {
    fn of(at: SimTime) -> Self {
        let weekday = at.to_datetime().map(|date| date.format("%A").to_string());
        Firing { at: at.to_string(), weekday: weekday.unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests;
