//! The lock file of a server that was killed: PostgreSQL refuses to start while it names a living
//! process, and process ids come back soon in a container. This decides when it is safe to remove.

use std::{
    fs,
    path::{Path, PathBuf},
};

const PID_FILE: &str = "postmaster.pid";

/// Whether the server with this process id has written that it takes connections.
pub(super) fn ready(pgdata: &Path, pid: u32) -> bool {
    let Ok(text) = fs::read_to_string(pgdata.join(PID_FILE)) else { return false };
    let mut lines = text.lines();
    // Line 1 is the process id, line 8 the state.
    lines.next().is_some_and(|line| line.trim() == pid.to_string())
        && lines.nth(6).is_some_and(|line| line.trim() == "ready")
}

/// The process id in the lock file, for messages.
pub(super) fn holder(pgdata: &Path) -> String {
    let text = fs::read_to_string(pgdata.join(PID_FILE)).unwrap_or_default();
    let first = text.lines().next().unwrap_or("").trim();
    if first.is_empty() { "(unknown)".to_owned() } else { first.to_owned() }
}

/// Removes the lock file if no server process works in the cluster any more. Every process of a
/// server has the cluster's directory as its working directory, so the processes tell; where they
/// cannot be read, the file stays. The caller holds the data directory's lock, so that no other
/// machine or container has a server here.
pub(super) fn remove_stale(pgdata: &Path) -> bool {
    let file = pgdata.join(PID_FILE);
    if !file.exists() || in_use(pgdata) != Some(false) {
        return false;
    }
    tracing::warn!(file = %file.display(), "removing the lock file of a server that is gone");
    fs::remove_file(file).is_ok()
}

/// Whether a living process works in the directory; `None` where that cannot be known.
fn in_use(pgdata: &Path) -> Option<bool> {
    let pgdata = pgdata.canonicalize().ok()?;
    let us = fs::read_link("/proc/self/cwd").ok();
    us.as_ref()?;
    let processes = fs::read_dir("/proc").ok()?;
    Some(processes.filter_map(Result::ok).any(|entry| {
        let name = entry.file_name();
        let number = name.to_string_lossy().bytes().all(|byte| byte.is_ascii_digit());
        number && working_dir(&entry.path()).is_some_and(|dir| dir == pgdata)
    }))
}

/// A zombie has none, and a process of another user tells us none; neither is a server of ours.
fn working_dir(process: &Path) -> Option<PathBuf> {
    fs::read_link(process.join("cwd")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lock_of_a_server_that_is_gone_is_removed() {
        let pgdata = tempfile::tempdir().unwrap();
        let file = pgdata.path().join(PID_FILE);
        // The process id is our own: alive, but no server.
        fs::write(&file, format!("{}\n", std::process::id())).unwrap();
        let mut worker = std::process::Command::new("sleep")
            .arg("60")
            .current_dir(pgdata.path())
            .spawn()
            .unwrap();
        assert!(!remove_stale(pgdata.path()));
        worker.kill().unwrap();
        worker.wait().unwrap();
        if cfg!(target_os = "linux") {
            assert!(remove_stale(pgdata.path()));
            assert!(!file.exists());
        }
    }

    #[test]
    fn ready_wants_the_right_process_and_state() {
        let pgdata = tempfile::tempdir().unwrap();
        let write = |state| {
            let text = format!("77\n/d\n1\n5432\n/tmp/x\n\n 5 6\n{state}   \n");
            fs::write(pgdata.path().join(PID_FILE), text).unwrap();
        };
        write("starting");
        assert!(!ready(pgdata.path(), 77));
        write("ready");
        assert!(ready(pgdata.path(), 77));
        assert!(!ready(pgdata.path(), 78));
        assert_eq!(holder(pgdata.path()), "77");
    }
}
