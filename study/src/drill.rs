//! Drills: an incident of a scenario is played and scored, from its disclosure to the last customer that
//! runs the fix, against the deadlines of the Cyber Resilience Act and what real mass events took.
mod follow;
mod score;

pub use score::{
    Cra, CraScore, Drill, Observed, REFERENCE, Reference, SHARES, Scored, ScoredShare, Spread,
    Timeline,
};

use crate::statistics::Level;
use follow::Follower;
use score::summarize;
use sim::World;
use sim::scenario::Scenario;
use sim::scenario::model::IncidentKind;
use sim::time::SimDuration;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What is drilled.
#[derive(Clone, Debug)]
pub struct Options {
    /// The place of the incident in the scenario's list, from 0; none: its first mass vulnerability.
    pub incident: Option<usize>,
    /// The seed of the drill itself; further replications count on from it.
    pub seed: u64,
    /// How often it is played.
    pub replications: u32,
    /// The confidence of intervals.
    pub level: Level,
}

/// The most replications of a drill.
pub const MOST_REPLICATIONS: u32 = 10_000;

/// Why there is nothing to drill.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such incident.
    #[error("the scenario has no mass vulnerability among its incidents; a drill needs one")]
    NoEvent,
    /// The named one is another kind.
    #[error("incident {0} is no mass vulnerability of the scenario; those are {1}, counted from 0")]
    OtherIncident(usize, String),
}

/// Plays a drill; none: it was stopped.
///
/// # Errors
/// The scenario has no such incident.
pub fn drill(
    scenario: &Arc<Scenario>,
    options: &Options,
    threads: usize,
    stop: &AtomicBool,
) -> Result<Option<Drill>, Error> {
    let incident = find(scenario, options.incident)?;
    let played = play(threads, options.replications.max(1), stop, |nth| {
        let seed = options.seed.wrapping_add(u64::from(nth));
        one(scenario, incident, seed, stop)
    });
    Ok(played.map(|played| summarize(scenario, incident, options.level, played)))
}

fn find(scenario: &Scenario, wanted: Option<usize>) -> Result<usize, Error> {
    let is_event = |place: &usize| {
        let incident = scenario.incidents.get(*place);
        incident.is_some_and(|of| matches!(of.kind, IncidentKind::MassVulnerability(_)))
    };
    let events: Vec<usize> = (0..scenario.incidents.len()).filter(is_event).collect();
    match wanted {
        _ if events.is_empty() => Err(Error::NoEvent),
        Some(place) if !events.contains(&place) => {
            let events: Vec<String> = events.iter().map(usize::to_string).collect();
            Err(Error::OtherIncident(place, events.join(", ")))
        }
        Some(place) => Ok(place),
        None => Ok(events[0]),
    }
}

fn one(
    scenario: &Arc<Scenario>,
    incident: usize,
    seed: u64,
    stop: &AtomicBool,
) -> Option<Timeline> {
    let mut world = World::new(Arc::clone(scenario), seed);
    let end = scenario.start.time() + scenario.duration.duration();
    let mut follower = Follower::new(scenario, incident);
    while world.now() < end {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let next = (world.now() + SimDuration::days(1)).min(end);
        world.advance(next, &mut |fact| follower.follow(&fact));
    }
    Some(follower.timeline(seed, end))
}

/// Plays all replications and gives them in their order.
fn play(
    threads: usize,
    count: u32,
    stop: &AtomicBool,
    one: impl Fn(u32) -> Option<Timeline> + Sync,
) -> Option<Vec<Timeline>> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let (sender, next, one) = (sender.clone(), &next, &one);
            scope.spawn(move || {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Ok(nth) = u32::try_from(place) else { return };
                    if nth >= count || stop.load(Ordering::Relaxed) {
                        return;
                    }
                    if let Some(played) = one(nth)
                        && sender.send((nth, played)).is_err()
                    {
                        return;
                    }
                }
            });
        }
    });
    drop(sender);
    let all: BTreeMap<u32, Timeline> = receiver.into_iter().collect();
    (all.len() == count as usize).then(|| all.into_values().collect())
}
