//! Plays a study in one process, on as many threads as it is given.
use crate::arms::Compiled;
use crate::campaign::{Batch, Campaign, Played, Progress, Row, play};
use crate::result::StudyResult;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};

/// Batches that may be played ahead of the one that counts next, for each thread: it bounds memory.
const AHEAD: usize = 4;

/// Plays a study; none: it was stopped. `progress` is called after every batch that counts, `row` for
/// every replication and arm.
pub fn run(
    compiled: &Arc<Compiled>,
    threads: usize,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
    row: &mut dyn FnMut(Row<'_>),
) -> Option<StudyResult> {
    let mut campaign = Campaign::new(Arc::clone(compiled));
    loop {
        let round = campaign.next_round();
        if round.is_empty() {
            return Some(campaign.finish());
        }
        play_round(compiled, &round, threads.max(1), stop, |batch, played| {
            campaign.absorb(batch, played, row);
            progress(campaign.progress());
        })?;
    }
}

/// Plays the batches of a round and hands them on in its order.
fn play_round(
    compiled: &Arc<Compiled>,
    round: &[Batch],
    threads: usize,
    stop: &AtomicBool,
    mut counted: impl FnMut(&Batch, &Played),
) -> Option<()> {
    let next = AtomicUsize::new(0);
    let window = Window::default();
    // The window bounds what it holds.
    let (sender, receiver) = channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(round.len()) {
            let sender = sender.clone();
            let (next, window) = (&next, &window);
            scope.spawn(move || {
                // Should it panic, the others must not wait for it.
                let _opened = OpenAtEnd { window, next, end: round.len() };
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(batch) = round.get(place) else { return };
                    window.wait_for(place, threads * AHEAD);
                    let played = play(compiled, batch, stop);
                    let stopped = played.is_none();
                    if sender.send((place, played)).is_err() || stopped {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let whole = in_order(&receiver, round, &window, &mut counted);
        // Those that wait for their turn must not wait for ever.
        window.open();
        whole
    })
}

fn in_order(
    receiver: &Receiver<(usize, Option<Played>)>,
    round: &[Batch],
    window: &Window,
    counted: &mut impl FnMut(&Batch, &Played),
) -> Option<()> {
    let mut early: BTreeMap<usize, Played> = BTreeMap::new();
    let mut place = 0;
    while place < round.len() {
        let (played_at, played) = receiver.recv().ok()?;
        early.insert(played_at, played?);
        while let Some(played) = early.remove(&place) {
            counted(&round[place], &played);
            place += 1;
        }
        window.advance(place);
    }
    Some(())
}

/// Ends the round when a thread that plays panics.
struct OpenAtEnd<'a> {
    window: &'a Window,
    next: &'a AtomicUsize,
    end: usize,
}

impl Drop for OpenAtEnd<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.next.fetch_max(self.end, Ordering::Relaxed);
            self.window.open();
        }
    }
}

/// How far ahead batches are played.
#[derive(Default)]
struct Window {
    counted: Mutex<usize>,
    changed: Condvar,
}

impl Window {
    fn wait_for(&self, place: usize, ahead: usize) {
        let Ok(mut counted) = self.counted.lock() else { return };
        while place > counted.saturating_add(ahead) {
            match self.changed.wait(counted) {
                Ok(again) => counted = again,
                Err(_) => return,
            }
        }
    }

    fn advance(&self, to: usize) {
        if let Ok(mut counted) = self.counted.lock() {
            *counted = (*counted).max(to);
        }
        self.changed.notify_all();
    }

    fn open(&self) {
        self.advance(usize::MAX);
    }
}
