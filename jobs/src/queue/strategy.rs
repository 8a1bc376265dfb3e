//! When an apalis worker fetches: when it is told to, a moment after that, and every 100 ms.
//!
//! apalis' own strategies can sleep through a wake-up: a stream or timer that fires while a fetch
//! is under way is used up, the fetch began too early to see the new tasks, and nobody wakes the
//! worker again. So every wake-up is followed by a second fetch, later than any fetch under way,
//! and each timer is polled again after it fired, so that it always has a waker.
use apalis_core::backend::ext::poll_strategy::{PollSnapshot, PollStrategy};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Instant, Interval, MissedTickBehavior, Sleep};

/// The longest that a wake-up can be slept through, when every hint was lost.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Longer than a fetch takes.
const SECOND_LOOK: Duration = Duration::from_millis(4);

/// The strategy of one worker.
pub(crate) struct WakeupStrategy {
    notify: Arc<Notify>,
    notified: Pin<Box<OwnedNotified>>,
    second_look: Pin<Box<Sleep>>,
    looks_again: bool,
    interval: Interval,
}

impl WakeupStrategy {
    pub(crate) fn new(notify: Arc<Notify>) -> Self {
        let mut interval = tokio::time::interval(POLL_INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        WakeupStrategy {
            notified: Box::pin(notify.clone().notified_owned()),
            notify,
            second_look: Box::pin(tokio::time::sleep(Duration::ZERO)),
            looks_again: false,
            interval,
        }
    }
}

impl PollStrategy for WakeupStrategy {
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        let mut woken = false;
        while self.notified.as_mut().poll(cx).is_ready() {
            self.notified = Box::pin(self.notify.clone().notified_owned());
            self.second_look.as_mut().reset(Instant::now() + SECOND_LOOK);
            self.looks_again = true;
            woken = true;
        }
        if self.looks_again && self.second_look.as_mut().poll(cx).is_ready() {
            self.looks_again = false;
            woken = true;
        }
        while self.interval.poll_tick(cx).is_ready() {
            woken = true;
        }
        if woken { Poll::Ready(Some(())) } else { Poll::Pending }
    }
}
