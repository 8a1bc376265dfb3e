//! Broken images: known once an attempt to build has ended, until the repair is released.
use super::{Elapsed, World};
use crate::cast::ordinal;
use crate::events::Class;
use crate::ids::{ImageId, ReleaseRef};
use crate::random::Purpose;
use crate::time::SimTime;
use crate::world::state::{Breakage, Event, ImageState};

/// Releases that may have broken an image which nobody has tried to build since: older ones are
/// taken to be repaired.
const SUSPECTS: usize = 8;

impl ImageState {
    /// An attempt to build has ended, so it is known whether the image was broken. (Of two releases
    /// that break it one after the other, both are known by the first failure.)
    pub(in crate::world) fn learn_if_broken(&mut self, was_broken: bool) {
        self.breakages.retain_mut(|breakage| {
            breakage.known = true;
            breakage.broken && was_broken
        });
    }
}

impl World {
    /// A release of an image's main package has broken it, or not: nobody knows yet.
    pub(in crate::world) fn note_breakage(
        &mut self,
        image: ImageId,
        release: ReleaseRef,
        broken: bool,
    ) {
        if self.config.breakage <= 0.0 {
            return;
        }
        let breakages = &mut self.images[image.index()].breakages;
        if breakages.len() == SUSPECTS {
            breakages.remove(0);
        }
        breakages.push(Breakage { release, since: self.now, broken, known: false });
    }

    /// A known breakage is repaired after the rest of its time. One that is not known is there with
    /// the probability p S / (1 - p + p S): p that a release breaks an image, S that a repair takes
    /// longer than the time since, for its release would have been seen.
    pub(super) fn redraw_breakages(&mut self, elapsed: Elapsed) {
        let p = self.config.breakage;
        for image in (0..ordinal(self.images.len())).map(ImageId) {
            let mut breakages = std::mem::take(&mut self.images[image.index()].breakages);
            if breakages.is_empty() {
                continue;
            }
            let mut broken_until = SimTime(i64::MIN);
            for breakage in &mut breakages {
                let entity = 1 << 63 | u64::from(image.0);
                let draw = |n| {
                    let index = breakage.release.release.wrapping_mul(2).wrapping_add(n);
                    self.streams.uniform(Purpose::Rest, entity, index)
                };
                let passed = elapsed(self.now, breakage.since);
                let lasts = p * self.config.repair.survival(passed.0 as f64);
                breakage.broken = breakage.known || draw(0) < lasts / (1.0 - p + lasts);
                if breakage.broken {
                    let release = breakage.release;
                    let until = self.now + self.config.repair.rest(passed, draw(1));
                    broken_until = until;
                    self.queue.schedule(until, Class::Request, Event::Repaired { image, release });
                }
            }
            let state = &mut self.images[image.index()];
            state.breakages = breakages;
            state.broken_until = broken_until;
        }
    }
}
