//! What the rest of the day brings. Later days are drawn when they begin.
use super::World;
use crate::cast::{low, whole_i64};
use crate::events::Class;
use crate::random::{self, Purpose};
use crate::time::{DAY_MS, SimDuration, SimTime};
use crate::world::state::{Event, Fixing};

impl World {
    /// Draws how many CVEs come before `midnight`, when the day `next` begins, given how many have
    /// come today.
    pub(super) fn disclose_rest_of_day(&mut self, next: u32, midnight: SimTime) {
        // Before the first day there is none whose rest it could be.
        let Some(day) = next.checked_sub(1) else { return };
        let begin = midnight - SimDuration::days(1);
        let (mut seen, mut index) = (0, 0);
        let recent = self.advisories.iter().rev();
        for state in recent.take_while(|state| state.info.published >= begin) {
            if let Fixing::Drawn(key) = state.fixing
                && key >> 32 == u64::from(day)
            {
                seen += 1;
                // A name that no CVE of today has.
                index = index.max(low(key) + 1);
            }
        }
        // All of this millisecond has happened.
        let passed = self.now.since(begin).0 + 1;
        let left = DAY_MS - passed;
        let share = passed as f64 / DAY_MS as f64;
        let mean = self.cves_of_day(begin);
        let (mean, k) = random::rest_of_count(mean, self.config.dispersion, seen, share);
        let u = self.streams.uniform(Purpose::DayCount, u64::from(day), 0);
        for index in index..index + random::count(mean, k, u) {
            let u = self.streams.uniform(Purpose::DisclosureInstant, u64::from(day), index);
            let after = SimDuration(1 + whole_i64(libm::floor(u * left as f64)));
            self.queue.schedule(self.now + after, Class::Exogenous, Event::Disclose { day, index });
        }
    }
}
