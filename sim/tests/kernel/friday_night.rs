//! The shipped Friday night against observations: its mass event must be fixed as fast, and as
//! slowly, as the three of 2025 that the scenario names.
use crate::support::shipped;
use sim::World;
use sim::fact::{Advisory, FactKind, Outcome};
use sim::ids::{ImageId, PackageId, ReleaseRef};
use sim::severity::Severity;
use sim::time::SimDuration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Share of what was hit in percent, and the least and the most hours from disclosure until so
/// much was fixed: CVE-2025-22866, -47907 and -22874 in Wolfi.
const BAND: [(usize, f64, f64); 4] =
    [(50, 21.0, 33.0), (80, 34.0, 54.0), (90, 53.0, 75.0), (95, 66.0, 96.0)];

/// What the mass event does to the images.
#[derive(Default)]
struct Event {
    contents: BTreeMap<ImageId, Arc<[ReleaseRef]>>,
    advisory: Option<Arc<Advisory>>,
    fixed_release: BTreeMap<PackageId, u32>,
    open: BTreeSet<ImageId>,
    hit: usize,
    /// Hours from disclosure to each image's first version without it.
    fixed_hours: Vec<f64>,
}

impl Event {
    fn affects(&self, contents: &[ReleaseRef]) -> bool {
        let affected = self.advisory.iter().flat_map(|advisory| &advisory.affected);
        affected.map(|affected| affected.introduced).any(|from| {
            let before = self.fixed_release.get(&from.package).copied().unwrap_or(u32::MAX);
            let held = contents.iter().find(|held| held.package == from.package);
            held.is_some_and(|held| (from.release..before).contains(&held.release))
        })
    }

    fn disclose(&mut self, advisory: Arc<Advisory>) {
        self.advisory = Some(advisory);
        let hit = self.contents.iter().filter(|(_, contents)| self.affects(contents));
        self.open = hit.map(|(image, _)| *image).collect();
        self.hit = self.open.len();
    }

    fn publish(&mut self, image: ImageId, contents: &Arc<[ReleaseRef]>, after: SimDuration) {
        if self.open.contains(&image) && !self.affects(contents) {
            self.open.remove(&image);
            self.fixed_hours.push(after.0 as f64 / 3_600_000.0);
        }
        self.contents.insert(image, Arc::clone(contents));
    }

    /// The hours until each share of the band was fixed; infinite when that never happened.
    fn hours(&self) -> [f64; 4] {
        BAND.map(|(percent, ..)| {
            let wanted = (self.hit * percent).div_ceil(100);
            self.fixed_hours.get(wanted - 1).copied().unwrap_or(f64::INFINITY)
        })
    }

    fn is_within_the_band(&self) -> bool {
        let pairs = self.hours().into_iter().zip(BAND);
        pairs.into_iter().all(|(hours, (_, least, most))| (least..=most).contains(&hours))
    }
}

/// Plays the scenario to its end and follows the one advisory that was injected. Returns it, and
/// the scenario's own seed.
fn played(seed: Option<u64>) -> (Event, u64) {
    let text = shipped("friday-night");
    let scenario = sim::scenario::parse("friday-night.yaml", text.as_bytes()).expect("valid");
    let (start, length) = (scenario.start.time(), scenario.duration.duration());
    let at = scenario.incidents[0].at.value.time();
    let own = scenario.seed;
    let mut world = World::new(Arc::new(scenario), seed.unwrap_or(own));
    let mut event = Event::default();
    world.advance(start + length, &mut |fact| match fact.kind {
        FactKind::AdvisoryPublished(advisory)
            if fact.at == at && advisory.known_exploited && event.advisory.is_none() =>
        {
            assert_eq!(advisory.severity, Severity::Critical);
            event.disclose(advisory);
        }
        FactKind::PackageReleased { release, fixes }
            if event.advisory.as_ref().is_some_and(|advisory| fixes.contains(&advisory.id)) =>
        {
            event.fixed_release.insert(release.package, release.release);
        }
        FactKind::BuildFinished(result) => {
            if let Outcome::Published(published) = &result.outcome {
                event.publish(result.image, &published.contents, fact.at.since(at));
            }
        }
        _ => {}
    });
    (event, own)
}

#[test]
fn the_friday_night_is_fixed_as_fast_as_real_ones_were() {
    let (event, seed) = played(None);
    assert!((315..=325).contains(&event.hit), "80 % of 400 images are to be hit: {}", event.hit);
    assert!(
        event.is_within_the_band(),
        "seed {seed}: hours {:.1?} until {BAND:?} (percent, least, most); seeds that fit: {:?}",
        event.hours(),
        (seed..seed + 50).filter(|s| played(Some(*s)).0.is_within_the_band()).collect::<Vec<_>>()
    );
}
