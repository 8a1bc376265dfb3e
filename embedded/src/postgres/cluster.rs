//! The cluster on disk: how it is made, and the settings its server runs with. Settings go on the
//! command line, so that an older cluster gets today's.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{OWNER, PostgresOptions, account::Account, binaries::Binaries, pgdata::major_version};
use crate::EmbeddedError;

const MIB: u64 = 1024 * 1024;
/// How the directory of an unfinished cluster is called, before six random letters.
const MAKING: &str = "postgres.making-";
/// A log longer than this is set aside at the next start.
const LOG_BYTES: u64 = 8 * MIB;
/// How much of the log's end is read for the reason of a failure.
const TAIL_BYTES: u64 = 16 * 1024;

/// Everything that a server of this cluster needs to start.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    /// The cluster's directory.
    pub(super) pgdata: PathBuf,
    /// Where the server writes what it has to say.
    pub(super) log: PathBuf,
    /// The programs.
    pub(super) binaries: Binaries,
    /// The user that runs them.
    pub(super) account: Account,
    /// Where the socket goes.
    pub(super) socket_dir: PathBuf,
    /// What the caller chose.
    pub(super) options: PostgresOptions,
}

impl Cluster {
    /// The command that makes the cluster at `target`.
    fn initdb(&self, target: &Path) -> Command {
        let mut command = self.account.command(&self.binaries.program("initdb"));
        command
            .arg("--pgdata")
            .arg(target)
            .args(["--username", OWNER, "--encoding=UTF8", "--locale=C", "--data-checksums"])
            // The socket lies in a directory of mode 0700; there is no TCP.
            .args(["--auth-local=trust", "--auth-host=reject", "--no-instructions"])
            .args((!self.options.fsync).then_some("--no-sync"))
            .stdin(Stdio::null());
        command
    }

    /// Makes the cluster if there is none. It is made under another name and renamed when it is
    /// complete: a process killed halfway leaves nothing that looks like a cluster.
    pub(super) fn create_if_missing(
        &self,
        tie: impl Fn(&mut Command),
    ) -> Result<(), EmbeddedError> {
        if major_version(&self.pgdata)?.is_some() {
            return Ok(());
        }
        let parent = self.pgdata.parent().unwrap_or(Path::new("/"));
        remove_unfinished(parent);
        // Never the same name twice: the programs of a run that was killed may still be at work.
        let making = tempfile::Builder::new()
            .prefix(MAKING)
            .tempdir_in(parent)
            .map_err(EmbeddedError::io("write", parent))?;
        self.account.own(making.path())?;
        let mut command = self.initdb(making.path());
        tie(&mut command);
        let run = EmbeddedError::io("run initdb for", &self.pgdata);
        let output = command.output().map_err(run)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let reason = reason(&said).unwrap_or_else(|| output.status.to_string());
            return Err(EmbeddedError::InitFailed { path: self.pgdata.clone(), reason });
        }
        // An empty directory of that name is replaced.
        fs::rename(making.path(), &self.pgdata)
            .map_err(EmbeddedError::io("create", &self.pgdata))?;
        // It is no temporary directory any more.
        let _ = making.keep();
        File::open(parent)
            .and_then(|dir| dir.sync_all())
            .map_err(EmbeddedError::io("write", parent))
    }

    /// The command that runs the server in the foreground, its words going to `log`.
    pub(super) fn server(&self, log: File) -> io::Result<Command> {
        let mut command = self.account.command(&self.binaries.program("postgres"));
        command.arg("-D").arg(&self.pgdata);
        for (name, value) in self.settings() {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let memory_mib = memory_bytes().unwrap_or(2048 * MIB) / MIB;
        let sync = if self.options.fsync { "on" } else { "off" };
        let mut settings = vec![
            ("listen_addresses", String::new()),
            ("port", "5432".into()),
            ("unix_socket_directories", quoted(&self.socket_dir.to_string_lossy())),
            ("unix_socket_permissions", "0700".into()),
            ("max_connections", self.options.max_connections.to_string()),
            ("fsync", sync.into()),
            ("full_page_writes", sync.into()),
            // An eighth of the memory: the operating system caches the rest, and we share it. What
            // is not used of it is not taken.
            ("shared_buffers", format!("{}MB", (memory_mib / 8).clamp(32, 2048))),
            ("effective_cache_size", format!("{}MB", (memory_mib / 2).max(64))),
        ];
        settings.extend(FIXED.iter().map(|(name, value)| (*name, (*value).to_owned())));
        settings
    }

    /// Opens the log for appending, and says where new words will begin.
    pub(super) fn open_log(&self) -> Result<(File, u64), EmbeddedError> {
        let failed = || EmbeddedError::io("write", &self.log);
        if fs::metadata(&self.log).is_ok_and(|found| found.len() > LOG_BYTES) {
            fs::rename(&self.log, self.log.with_extension("log.1")).map_err(failed())?;
        }
        let log = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.log)
            .map_err(failed())?;
        let end = log.metadata().map_err(failed())?.len();
        Ok((log, end))
    }

    /// Why the server ended, from what it wrote since `from`.
    pub(super) fn last_words(&self, from: u64) -> Option<String> {
        let mut file = File::open(&self.log).ok()?;
        let end = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(from.max(end.saturating_sub(TAIL_BYTES)))).ok()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        reason(&String::from_utf8_lossy(&bytes))
    }
}

/// Takes away clusters that killed runs did not finish. What resists goes the next time.
fn remove_unfinished(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.filter_map(Result::ok) {
        if entry.file_name().to_string_lossy().starts_with(MAKING) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Settings that are the same everywhere.
const FIXED: [(&str, &str); 20] = [
    ("cluster_name", "wavetank"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("lc_messages", "C"),
    // One server, no replicas: the least write-ahead log that survives a crash.
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    // Also without fsync: a killed server then loses nothing that it has answered.
    ("synchronous_commit", "on"),
    ("wal_compression", "on"),
    ("max_wal_size", "1GB"),
    ("checkpoint_timeout", "10min"),
    ("work_mem", "16MB"),
    ("maintenance_work_mem", "64MB"),
    ("random_page_cost", "1.1"),
    ("jit", "off"),
    // Parallel queries need /dev/shm, which containers keep at 64 MB, and cores, which the
    // workers use.
    ("max_parallel_workers_per_gather", "0"),
    ("autovacuum_naptime", "15s"),
    ("logging_collector", "off"),
    ("log_destination", "stderr"),
    ("log_min_messages", "error"),
    ("log_checkpoints", "off"),
];

/// For an element of a list setting.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// The line that tells why, out of what a program of PostgreSQL wrote.
fn reason(text: &str) -> Option<String> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut told = lines().filter_map(|line| {
        ["PANIC:", "FATAL:", "initdb: error:", "error:"]
            .iter()
            .find_map(|mark| line.split_once(mark).map(|(_, said)| said.trim().to_owned()))
    });
    told.next_back().or_else(|| lines().next_back().map(str::to_owned))
}

/// The memory this process may use: the machine's, or less where a container limits it.
fn memory_bytes() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
    });
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()
        .and_then(|text| text.trim().parse::<u64>().ok());
    machine.into_iter().chain(limit).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_last_fatal_line() {
        let log = "2026-01-05 LOG:  starting\n2026-01-05 FATAL:  lock file \"x\" already exists\n\
                   2026-01-05 HINT:  Is another postmaster running?\n";
        assert_eq!(reason(log).unwrap(), "lock file \"x\" already exists");
        assert_eq!(reason("\n one \n\n"), Some("one".into()));
        assert_eq!(reason(""), None);
    }
}
