//! The live clock: maps the wall clock to simulated time.
use sim::time::{SimDuration, SimTime};
use std::time::{Duration, Instant};

/// How far, in wall time, the world may fall behind before the live clock waits for it.
const SLIP: Duration = Duration::from_secs(2);

/// Two instants that belong together, and the speed from there.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    sim: SimTime,
    wall: Instant,
    factor: f64,
}

/// The live clock. Floating point is allowed here: windows may end anywhere.
#[derive(Debug, Default)]
pub(super) struct LiveClock {
    anchor: Option<Anchor>,
}

impl LiveClock {
    /// Stops the clock; it will go on from the world's instant.
    pub(super) fn stop(&mut self) {
        self.anchor = None;
    }

    /// Whether the clock is stopped.
    pub(super) fn is_stopped(&self) -> bool {
        self.anchor.is_none()
    }

    /// The simulated instant of `wall`, for a world that stands at `sim`.
    pub(super) fn target(&mut self, sim: SimTime, wall: Instant, factor: f64) -> SimTime {
        let anchor = match self.anchor {
            Some(anchor) if anchor.factor == factor => anchor,
            _ => Anchor { sim, wall, factor },
        };
        let elapsed_ms = wall.saturating_duration_since(anchor.wall).as_secs_f64() * 1e3;
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates: that far, time stops")]
        let elapsed = SimDuration((elapsed_ms * factor) as i64);
        let target = anchor.sim + elapsed;
        let behind_ms = target.since(sim).0 as f64 / factor;
        if behind_ms > SLIP.as_secs_f64() * 1e3 {
            // Busy, suspended or held: time slows down instead of leaping.
            self.anchor = Some(Anchor { sim, wall, factor });
            return sim;
        }
        self.anchor = Some(anchor);
        target.max(sim)
    }

    /// How long until the wall clock stands for `at`.
    pub(super) fn wait_for(&self, at: SimTime, wall: Instant) -> Duration {
        let Some(anchor) = self.anchor else { return Duration::ZERO };
        let seconds = at.since(anchor.sim).0 as f64 / 1e3 / anchor.factor;
        let after_anchor = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
        after_anchor.saturating_sub(wall.saturating_duration_since(anchor.wall))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::time::HOUR_MS;

    #[test]
    fn follows_the_wall_clock_and_slips_when_left_behind() {
        let wall = Instant::now();
        let after = |ms| wall + Duration::from_millis(ms);
        let start = SimTime(1_000);
        let mut live_clock = LiveClock::default();
        assert_eq!(live_clock.target(start, wall, 3600.0), start);
        assert_eq!(live_clock.target(start, after(500), 3600.0), SimTime(1_000 + HOUR_MS / 2));
        let wait = live_clock.wait_for(SimTime(1_000 + HOUR_MS), after(500));
        assert_eq!(wait, Duration::from_millis(500));
        // Nothing moved for ten seconds: live time goes on from where the world stands.
        let stuck = SimTime(1_000 + HOUR_MS / 2);
        assert_eq!(live_clock.target(stuck, after(10_000), 3600.0), stuck);
        assert_eq!(
            live_clock.target(stuck, after(10_100), 3600.0),
            SimTime(stuck.0 + HOUR_MS / 10)
        );
        // Another speed goes on from there too.
        assert_eq!(live_clock.target(stuck, after(10_200), 1.0), stuck);
        assert_eq!(live_clock.target(stuck, after(10_300), 1.0), SimTime(stuck.0 + 100));
    }
}
