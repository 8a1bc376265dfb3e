//! What scanners have not found yet, and findings that nobody has judged.
use super::{Elapsed, World};
use crate::cast::ordinal;
use crate::events::Class;
use crate::fact::Advisory;
use crate::ids::{AdvisoryId, ImageId};
use crate::random::Purpose;
use crate::time::SimTime;
use crate::world::state::{AdvisoryState, Event, Fixing};
use std::sync::Arc;

impl World {
    /// Draws when scanners can see the advisories that they have found nowhere: not when one last
    /// looked at a version that is affected.
    pub(super) fn redraw_detection(&mut self, elapsed: Elapsed) {
        let mut undetected = Vec::new();
        for id in (0..ordinal(self.advisories.len())).map(AdvisoryId) {
            let state = &self.advisories[id.index()];
            let published = state.info.published;
            let Fixing::Drawn(key) = state.fixing else {
                undetected.extend(self.still_undetected(id));
                continue;
            };
            if state.images_hit > 0 {
                undetected.extend(self.still_undetected(id));
                continue;
            }
            let (is_in_use, looked) = self.last_look(state);
            let u = self.streams.uniform(Purpose::Disclosure, key, 2);
            let lag = &self.config.detection_lag;
            let detectable = match looked.filter(|looked| *looked >= published) {
                Some(looked) => looked + lag.rest(elapsed(looked, published), u),
                None => published + lag.duration(u),
            };
            if is_in_use || detectable > self.now {
                undetected.push((detectable, id));
            }
            self.set_detectable(id, detectable);
        }
        self.undetected = undetected;
    }

    fn set_detectable(&mut self, id: AdvisoryId, detectable: SimTime) {
        let state = &mut self.advisories[id.index()];
        state.info = Arc::new(Advisory { detectable, ..(*state.info).clone() });
        for hit in &mut self.hits[state.first_hit as usize..][..state.hits.len()] {
            hit.detectable = detectable;
        }
    }

    fn still_undetected(&self, id: AdvisoryId) -> Option<(SimTime, AdvisoryId)> {
        let place = self.undetected.binary_search_by_key(&id, |(_, id)| *id).ok()?;
        Some(self.undetected[place])
    }

    /// Whether a version in use is affected, and when one such was scanned last.
    fn last_look(&self, state: &AdvisoryState) -> (bool, Option<SimTime>) {
        let (mut is_in_use, mut last) = (false, None);
        for hit in &self.hits[state.first_hit as usize..][..state.hits.len()] {
            let package = hit.finding.package;
            for image in &self.lineage.holders[package.index()] {
                let place = self.lineage.layouts[image.index()].place(package);
                let Some(place) = place else { continue };
                for version in &self.images[image.index()].in_use {
                    if hit.affects(version.contents[place as usize]) {
                        is_in_use = true;
                        last = last.max(Some(self.scanned(version)));
                    }
                }
            }
        }
        (is_in_use, last)
    }

    /// A finding that nobody has judged for so long is false with the probability
    /// p S / (1 - p + p S): p that any is, S that its judgement takes longer.
    pub(super) fn redraw_judgements(&mut self, elapsed: Elapsed) {
        let p = self.config.false_positives;
        if p <= 0.0 {
            return;
        }
        for image in (0..ordinal(self.images.len())).map(ImageId) {
            let state = &mut self.images[image.index()];
            for exposure in state.exposures.iter_mut().filter(|e| e.judged.is_none()) {
                let advisory = exposure.advisory;
                let entity = u64::from(image.0) << 32 | u64::from(advisory.0);
                let passed = elapsed(self.now, exposure.first_detected);
                let lasts = p * self.config.triage.survival(passed.0 as f64);
                let u = self.streams.uniform(Purpose::Triage, entity, 0);
                exposure.false_positive = u < lasts / (1.0 - p + lasts);
                if exposure.false_positive {
                    let u = self.streams.uniform(Purpose::Triage, entity, 1);
                    let at = self.now + self.config.triage.rest(passed, u);
                    self.queue.schedule(at, Class::Triage, Event::Triage { image, advisory });
                }
            }
        }
    }
}
