//! Answers that cost processor time: one is worked out at a time, so that everything else is answered
//! meanwhile; it ends when its time is up. (Poem lets a handler go on when its client has gone, so
//! that alone does not end it.)
use crate::http::limits::Limits;
use crate::http::problem::{Code, Problem};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// After so many seconds another try is worth it.
const RETRY_SECONDS: u64 = 5;

/// The turns of one process.
pub(crate) struct Turns {
    turn: Arc<Semaphore>,
    wait: Duration,
    time: Duration,
}

/// Tells work that its answer is not wanted any more, in both forms that work listens to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    /// True from then on.
    pub(crate) flag: Arc<AtomicBool>,
    /// Cancelled from then on.
    pub(crate) token: CancellationToken,
}

/// Stops work when it is dropped: with the answer, and with a request that is given up.
struct StopsWork(Stop);

impl Drop for StopsWork {
    fn drop(&mut self) {
        self.0.flag.store(true, Ordering::Relaxed);
        self.0.token.cancel();
    }
}

impl Turns {
    pub(crate) fn new(limits: &Limits) -> Self {
        Turns {
            turn: Arc::new(Semaphore::new(1)),
            wait: limits.compute_wait,
            time: limits.compute_time,
        }
    }

    /// Works something out on a thread of its own when it is its turn. `work` gives none when it was
    /// stopped. `hint` says how to ask for less.
    ///
    /// # Errors
    /// Others have their turn for longer than one waits; the work takes too long; or what `work`
    /// fails with.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        hint: &str,
        work: impl FnOnce(&Stop) -> Result<Option<T>, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let Ok(turn) = timeout(self.wait, Arc::clone(&self.turn).acquire_owned()).await else {
            let detail = "Another answer that costs processor time is being worked out.";
            return Err(Problem::new(Code::RateLimited, detail).retry_after(RETRY_SECONDS));
        };
        let turn = turn.map_err(Problem::internal)?;
        let stops = StopsWork(Stop::default());
        let stop = stops.0.clone();
        let working = tokio::task::spawn_blocking(move || {
            // The turn ends with the work, not with the request.
            let _turn = turn;
            work(&stop)
        });
        let Ok(done) = timeout(self.time, working).await else {
            let seconds = self.time.as_secs();
            let detail = format!("It was not worked out within {seconds} seconds.");
            return Err(Problem::new(Code::TooMuchWork, detail).hint(hint));
        };
        let answer = done.map_err(Problem::internal)??;
        answer.ok_or_else(|| Problem::internal("work was stopped while somebody waited for it"))
    }
}

/// How many threads such work may take: half of the machine, for others are answered meanwhile.
pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get).div_ceil(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn turns(wait_ms: u64, time_ms: u64) -> Turns {
        let (compute_wait, compute_time) =
            (Duration::from_millis(wait_ms), Duration::from_millis(time_ms));
        Turns::new(&Limits { compute_wait, compute_time, ..Limits::default() })
    }

    /// Work that ends when it is stopped, and says so.
    fn endless(
        begun: tokio::sync::oneshot::Sender<()>,
        ended: mpsc::Sender<()>,
    ) -> impl FnOnce(&Stop) -> Result<Option<()>, Problem> + Send + 'static {
        move |stop| {
            let _ = begun.send(());
            while !(stop.flag.load(Ordering::Relaxed) && stop.token.is_cancelled()) {
                std::thread::yield_now();
            }
            ended.send(()).unwrap();
            Ok(None)
        }
    }

    #[tokio::test]
    async fn work_that_takes_too_long_is_stopped_and_refused_with_what_helps() {
        let turns = turns(10_000, 10);
        let (begun, _) = tokio::sync::oneshot::channel();
        let (ended, has_ended) = mpsc::channel();
        let problem = turns.work("Ask for less.", endless(begun, ended)).await.unwrap_err();
        assert_eq!(problem.code(), "too_much_work");
        has_ended.recv().unwrap();
        assert_eq!(turns.work("", |_| Ok(Some(7))).await.unwrap(), 7, "the turn is free again");
    }

    #[tokio::test]
    async fn one_at_a_time_and_a_request_that_is_dropped_ends_its_work() {
        let turns = Arc::new(turns(10, 60_000));
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (ended, has_ended) = mpsc::channel();
        let first = {
            let turns = Arc::clone(&turns);
            tokio::spawn(async move { turns.work("", endless(begun, ended)).await })
        };
        has_begun.await.unwrap();
        let second = turns.work("", |_| Ok(Some(()))).await.unwrap_err();
        assert_eq!(second.code(), "rate_limited");
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        has_ended.recv().unwrap();
    }

    #[tokio::test]
    async fn a_failure_of_the_work_is_that_of_the_answer() {
        let turns = turns(10, 10_000);
        let failed = turns.work("", |_| Err::<Option<()>, _>(Problem::new(Code::NoWorld, "None.")));
        assert_eq!(failed.await.unwrap_err().code(), "no_world");
        let panicked = turns.work("", |_| -> Result<Option<()>, Problem> { panic!("no") }).await;
        assert_eq!(panicked.unwrap_err().code(), "internal");
    }
}
