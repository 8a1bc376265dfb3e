//! The thread that owns the server process. It exists because the kernel's parent-death signal is
//! tied to the *thread* that started the child: this one ends only after the server has.

use std::{
    io,
    process::{Child, Command, ExitStatus},
    sync::{
        Arc, OnceLock,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::sync::oneshot;

use super::{cluster::Cluster, lock};
use crate::EmbeddedError;

/// How often the thread looks at the process while it starts, and while it runs.
const STARTING_TICK: Duration = Duration::from_millis(10);
const RUNNING_TICK: Duration = Duration::from_millis(100);
/// How long a start waits for an earlier server that has not quite ended.
const HELD_WAIT: Duration = Duration::from_secs(20);
const HELD_PAUSE: Duration = Duration::from_millis(200);
/// How long a server may take to end: after a polite signal, then after a rude one, which leaves it
/// to the next start to read its log again. What was committed is there in both cases.
const FAST_STOP: Duration = Duration::from_secs(2);
const IMMEDIATE_STOP: Duration = Duration::from_secs(5);
/// A server that dies more often than this within the time is not started again.
const RESTARTS: usize = 5;
const RESTARTS_WITHIN: Duration = Duration::from_secs(60);

/// The handle on the thread. The server ends when this is dropped.
#[derive(Debug)]
pub(super) struct Supervisor {
    // Nothing is ever sent: the thread ends the server when the channel closes.
    running: Option<Sender<()>>,
    ended: Option<oneshot::Receiver<()>>,
    thread: Option<JoinHandle<()>>,
    given_up: Arc<OnceLock<String>>,
}

impl Supervisor {
    /// Makes the cluster if need be, starts its server, and returns when it takes connections.
    pub(super) async fn start(cluster: Cluster) -> Result<Self, EmbeddedError> {
        let (running, stop) = mpsc::channel();
        let (tell_started, started) = oneshot::channel();
        let (tell_ended, ended) = oneshot::channel();
        let log = cluster.log.clone();
        let given_up = Arc::new(OnceLock::new());
        let why = Arc::clone(&given_up);
        let thread = thread::Builder::new()
            .name("embedded-pg".to_owned())
            .spawn(move || {
                Thread { cluster, stop, given_up: why }.run(tell_started);
                let _ = tell_ended.send(());
            })
            .map_err(EmbeddedError::io("start a thread for", &log))?;
        let handle =
            Self { running: Some(running), ended: Some(ended), thread: Some(thread), given_up };
        let gone = || EmbeddedError::StartFailed { reason: "its thread ended".to_owned(), log };
        started.await.unwrap_or_else(|_| Err(gone())).map(|()| handle)
    }

    /// Why the server died and could not be started again, if so.
    pub(super) fn failure(&self) -> Option<&str> {
        self.given_up.get().map(String::as_str)
    }

    /// Ends the server and waits for it.
    pub(super) async fn stop(&mut self) {
        self.running = None;
        if let Some(ended) = self.ended.take() {
            let _ = ended.await;
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.running = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// How one try to start ended.
enum Try {
    Ready(Child),
    Stopped,
    /// The cluster's lock is held; the text is what the server said.
    Held(String),
}

struct Thread {
    cluster: Cluster,
    stop: Receiver<()>,
    given_up: Arc<OnceLock<String>>,
}

impl Thread {
    fn run(&self, tell_started: oneshot::Sender<Result<(), EmbeddedError>>) {
        let first = self.cluster.create_if_missing(tie_to_this_thread).and_then(|()| self.start());
        let mut server = match first {
            Ok(Some(server)) => server,
            Ok(None) => return,
            Err(error) => {
                let _ = tell_started.send(Err(error));
                return;
            }
        };
        if tell_started.send(Ok(())).is_err() {
            end(&mut server);
            return;
        }
        let mut deaths: Vec<Instant> = Vec::new();
        while let Some(status) = self.watch(&mut server) {
            deaths.retain(|death| death.elapsed() < RESTARTS_WITHIN);
            deaths.push(Instant::now());
            if deaths.len() > RESTARTS {
                let often = format!("PostgreSQL died {} times in a minute: {status}", deaths.len());
                return self.give_up(often);
            }
            tracing::warn!(%status, "the embedded PostgreSQL died; starting it again");
            server = match self.start() {
                Ok(Some(server)) => server,
                Ok(None) => return,
                Err(error) => return self.give_up(error.to_string()),
            };
        }
        end(&mut server);
    }

    fn give_up(&self, reason: String) {
        tracing::error!(%reason, "the embedded PostgreSQL is gone");
        let _ = self.given_up.set(reason);
    }

    /// Whether we shall stop, after waiting that long for the word.
    fn told_to_stop(&self, wait: Duration) -> bool {
        !matches!(self.stop.recv_timeout(wait), Err(RecvTimeoutError::Timeout))
    }

    /// Waits for the server's death, or for the word to stop (`None`).
    fn watch(&self, server: &mut Child) -> Option<ExitStatus> {
        while !self.told_to_stop(RUNNING_TICK) {
            if let Ok(Some(status)) = server.try_wait() {
                return Some(status);
            }
        }
        None
    }

    /// Starts the server, patiently while an earlier one holds the cluster. `None`: told to stop.
    fn start(&self) -> Result<Option<Child>, EmbeddedError> {
        let since = Instant::now();
        loop {
            let reason = match self.try_start()? {
                Try::Ready(server) => return Ok(Some(server)),
                Try::Stopped => return Ok(None),
                Try::Held(reason) => reason,
            };
            if since.elapsed() > HELD_WAIT {
                return Err(EmbeddedError::ClusterHeld {
                    path: self.cluster.pgdata.clone(),
                    pid: lock::holder(&self.cluster.pgdata),
                    waited_seconds: since.elapsed().as_secs(),
                    reason,
                });
            }
            if !lock::remove_stale(&self.cluster.pgdata) && self.told_to_stop(HELD_PAUSE) {
                return Ok(None);
            }
        }
    }

    fn try_start(&self) -> Result<Try, EmbeddedError> {
        let cluster = &self.cluster;
        let (log, log_start) = cluster.open_log()?;
        let program = cluster.binaries.program("postgres");
        let mut command = cluster.server(log).map_err(EmbeddedError::io("write", &cluster.log))?;
        tie_to_this_thread(&mut command);
        let mut server = command.spawn().map_err(EmbeddedError::io("run", program))?;
        let since = Instant::now();
        loop {
            if let Ok(Some(status)) = server.try_wait() {
                let reason =
                    cluster.last_words(log_start).unwrap_or_else(|| format!("it ended: {status}"));
                if held(&reason) {
                    return Ok(Try::Held(reason));
                }
                return Err(EmbeddedError::StartFailed { reason, log: cluster.log.clone() });
            }
            if lock::ready(&cluster.pgdata, server.id()) {
                return Ok(Try::Ready(server));
            }
            if self.told_to_stop(STARTING_TICK) {
                end(&mut server);
                return Ok(Try::Stopped);
            }
            if since.elapsed() > cluster.options.start_timeout {
                end(&mut server);
                return Err(EmbeddedError::StartTimeout {
                    waited_seconds: since.elapsed().as_secs(),
                    log: cluster.log.clone(),
                });
            }
        }
    }
}

/// Whether the server refused because another one, or its remains, has the cluster.
fn held(reason: &str) -> bool {
    (reason.contains("lock file") && !reason.contains("could not"))
        || reason.contains("shared memory block")
}

/// Ends the server: fast first (sessions are cut off, a checkpoint is written), then at once
/// (the next start recovers), then by force.
fn end(server: &mut Child) {
    let ladder = [
        (Signal::SIGINT, FAST_STOP),
        (Signal::SIGQUIT, IMMEDIATE_STOP),
        (Signal::SIGKILL, IMMEDIATE_STOP),
    ];
    for (signal, patience) in ladder {
        let Ok(pid) = i32::try_from(server.id()) else { return };
        if kill(Pid::from_raw(pid), signal).is_err() {
            break;
        }
        let since = Instant::now();
        while since.elapsed() < patience {
            if !matches!(server.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(STARTING_TICK);
        }
        tracing::warn!(%signal, "the embedded PostgreSQL does not stop; sending a stronger signal");
    }
}

/// Has the kernel interrupt the child when this thread ends, and with it when this process is
/// killed: the server then shuts down as if asked to.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[expect(unsafe_code, reason = "the only way to run code between fork and exec")]
fn tie_to_this_thread(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;

    use nix::{sys::prctl::set_pdeathsig, unistd};

    let us = unistd::getpid();
    let tie = move || -> io::Result<()> {
        set_pdeathsig(Signal::SIGINT)?;
        // We may have died before the line above.
        if unistd::getppid() == us { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    };
    // SAFETY: `prctl` and `getppid` are plain system calls that allocate nothing and take no
    // lock, and so are safe between fork and exec.
    unsafe {
        command.pre_exec(tie);
    }
}

/// Elsewhere a killed process leaves its server behind, which the next start reports.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn tie_to_this_thread(_command: &mut Command) {}
