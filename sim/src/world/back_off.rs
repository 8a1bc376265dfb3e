//! Back-off: what a failed build owed stays owed, and a broken image does not burn the pool.
use super::World;
use super::state::{Build, Event, Owed};
use crate::events::Class;
use crate::fact::{Cause, Trigger};
use crate::ids::{BuilderId, ImageId, ReleaseRef};
use crate::recorder::Recorder;
use crate::time::SimDuration;

impl World {
    /// Whether a request waits for the end of the back-off, which then stands for it as well.
    pub(super) fn is_put_off(&mut self, image: ImageId, cause: &Cause) -> bool {
        let asked = cause.trigger();
        let class = self.config.class(asked);
        match &mut self.images[image.index()].owed {
            Some(owed) if asked != Trigger::Manual && asked != Trigger::Retry => {
                owed.class = owed.class.min(class);
                true
            }
            _ => false,
        }
    }

    /// Counts a build of our own pool that failed, and says when the image is tried again.
    pub(super) fn back_off(&mut self, build: &Build) {
        let Some((first, longest)) = self.config.back_off else { return };
        let manual = build.cause.trigger() == Trigger::Manual && !build.took_in;
        if manual || build.builder == BuilderId::EXTERNAL {
            return;
        }
        let image = &mut self.images[build.image.index()];
        image.failures = image.failures.saturating_add(1);
        let doubled = first.0.saturating_mul(1_i64 << (image.failures - 1).min(40));
        let until = self.now + SimDuration(doubled.min(longest.0));
        let class = image.owed.map_or(build.class, |owed| owed.class.min(build.class));
        image.owed = Some(Owed { build: build.id, failures: image.failures, class, until });
        self.queue.schedule(until, Class::Request, Event::Retry(build.image));
    }

    /// The back-off is over, unless another failure has made it longer or a repair has ended it.
    pub(super) fn retry(&mut self, image: ImageId, recorder: &mut impl Recorder) {
        if self.images[image.index()].owed.is_some_and(|owed| owed.until == self.now) {
            self.build_owed(image, recorder);
        }
    }

    /// Asks for what is owed.
    fn build_owed(&mut self, image: ImageId, recorder: &mut impl Recorder) {
        let state = &mut self.images[image.index()];
        let Some(owed) = state.owed.take() else { return };
        let cause = Cause::Retry { of: owed.build, failures: owed.failures };
        self.request_in_class(image, cause, owed.class, None, recorder);
    }

    /// The image builds again: its upstream project has released a repair.
    pub(super) fn repaired(
        &mut self,
        image: ImageId,
        release: ReleaseRef,
        recorder: &mut impl Recorder,
    ) {
        let state = &mut self.images[image.index()];
        state.breakages.retain(|breakage| breakage.release != release);
        if state.broken_until > self.now {
            return;
        }
        state.failures = 0;
        if self.config.on_upstream {
            let owed = state.owed.take();
            let cause = Cause::Upstream { release: Some(release), revision: None };
            let own = self.config.class(cause.trigger());
            let class = owed.map_or(own, |owed| owed.class.min(own));
            self.request_in_class(image, cause, class, None, recorder);
        } else {
            self.build_owed(image, recorder);
        }
    }
}
