//! How fast the cores are while something is measured. Virtual cores share theirs with neighbours,
//! and give half of their speed at times: a figure in milliseconds says little without it.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between two pieces of work: they are to be next to nothing beside what is measured.
const PAUSE: Duration = Duration::from_millis(20);
/// The least that a piece has taken since the start, in nanoseconds.
static LEAST: AtomicU64 = AtomicU64::new(u64::MAX);

/// Does a small fixed piece of work from time to time.
pub(super) struct Speedometer {
    stop: Arc<AtomicBool>,
    pieces: JoinHandle<Vec<u64>>,
}

impl Speedometer {
    pub(super) fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let pieces = std::thread::spawn(move || {
            let document =
                format!("[{}]", vec![r#"{"name":"libcapstan","n":[1,2.5,null]}"#; 20].join(","));
            let mut taken = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                taken.push(piece(&document));
                std::thread::sleep(PAUSE);
            }
            taken
        });
        Speedometer { stop, pieces }
    }

    /// The speed meanwhile, as a share of the most that was seen so far.
    pub(super) fn stop(self) -> f64 {
        self.stop.store(true, Ordering::Relaxed);
        let mut taken = self.pieces.join().expect("the work is done");
        taken.sort_unstable();
        let middle = taken[taken.len() / 2];
        let least = LEAST.fetch_min(taken[0], Ordering::Relaxed).min(taken[0]);
        least as f64 / middle as f64
    }
}

/// Reads a small JSON document, and says how long that took once it is in the core's caches.
fn piece(document: &str) -> u64 {
    let read = || serde_json::from_str::<serde_json::Value>(document).expect("JSON");
    std::hint::black_box(read());
    let begin = Instant::now();
    std::hint::black_box(read());
    begin.elapsed().as_nanos() as u64
}
