//! Progress of long work: a bar on a terminal, plain lines elsewhere.
use super::say::say;
use indicatif::{ProgressBar, ProgressStyle};
use jobs::conductor::{ConductorState, Progress, WindowProgress};
use sim::time::SimTime;
use std::io::IsTerminal;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Progress being shown.
pub(super) struct Shown {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Shown {
    /// A bar from `start` to `end` on a terminal, a line now and then elsewhere.
    pub(super) fn new(progress: watch::Receiver<Progress>, start: SimTime, end: SimTime) -> Shown {
        if std::io::stderr().is_terminal() {
            return Shown::spawn(|stop| bar(progress, start, end, stop));
        }
        Shown::lines(progress)
    }

    /// A line now and then.
    pub(super) fn lines(progress: watch::Receiver<Progress>) -> Shown {
        Shown::spawn(|stop| lines(progress, stop))
    }

    fn spawn<F>(show: impl FnOnce(CancellationToken) -> F) -> Shown
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let task = tokio::spawn(show(stop.clone()));
        Shown { stop, task }
    }

    /// Shows the last state and stops.
    pub(super) async fn finish(self) {
        self.stop.cancel();
        let _ = self.task.await;
    }
}

async fn bar(
    progress: watch::Receiver<Progress>,
    start: SimTime,
    end: SimTime,
    stop: CancellationToken,
) {
    let total = end.since(start).0.max(1);
    let bar = ProgressBar::new(total.unsigned_abs());
    let style = "{bar:32} {percent:>3} %  {msg}";
    bar.set_style(ProgressStyle::with_template(style).unwrap_or(ProgressStyle::default_bar()));
    loop {
        let now = progress.borrow().clone();
        let done = now.materialized_through.since(start).0.clamp(0, total);
        bar.set_position(done.unsigned_abs());
        bar.set_message(describe(&now));
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
    }
    bar.finish_and_clear();
}

async fn lines(mut progress: watch::Receiver<Progress>, stop: CancellationToken) {
    let mut last = Instant::now();
    let mut held = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            changed = progress.changed() => if changed.is_err() { break },
        }
        let now = progress.borrow_and_update().clone();
        if now.held != held || last.elapsed() >= Duration::from_secs(2) {
            say!("{}", describe(&now));
            last = Instant::now();
            held = now.held;
        }
    }
}

fn describe(progress: &Progress) -> String {
    if let Some(reason) = &progress.held {
        return format!("held: {reason}");
    }
    match progress.state {
        ConductorState::Standby => "standing by: another process conducts".to_owned(),
        ConductorState::Replaying => "replaying the world's record".to_owned(),
        ConductorState::Leading => {
            let mut text = format!(
                "{}  {} facts, {} jobs done, {} in flight",
                progress.materialized_through,
                progress.facts,
                progress.jobs_done,
                progress.jobs_in_flight
            );
            if let Some(window) = &progress.window {
                text.push_str(&describe_window(window));
            }
            if progress.obsolete_objects > 0 {
                let left = progress.obsolete_objects;
                text.push_str(&format!("; deleting the world before, {left} objects left"));
            }
            text
        }
    }
}

fn describe_window(window: &WindowProgress) -> String {
    let WindowProgress { now, facts, written } = window;
    match written {
        Some((rows, of)) => format!("; writing the {facts} facts up to {now}: {rows} of {of} rows"),
        None => format!("; {facts} facts more up to {now}"),
    }
}
