//! What can go wrong with the embedded services, told so that its reader knows what to do next:
//! one line that says what happened, one `hint:` line that says what helps.

use std::{io, net::SocketAddr, path::PathBuf};

/// Why an embedded service, or the data directory below it, cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// Another process works in the data directory.
    #[error(
        "the data directory {} is in use by process {holder}\n\
         hint: stop that process, or give this one a directory of its own with --data-dir",
        path.display()
    )]
    DataDirInUse {
        /// The directory.
        path: PathBuf,
        /// The process id it wrote into the lock file, or a word for an unreadable one.
        holder: String,
    },
    /// Something that is no directory has the data directory's name.
    #[error(
        "the data directory {} is not a directory\n\
         hint: name a directory, or a path that does not exist yet, with --data-dir",
        path.display()
    )]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// The data directory cannot be made or written.
    #[error(
        "the data directory {} cannot be used: {source}\n\
         hint: {}", path.display(), io_hint(source)
    )]
    DataDirUnusable {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// An operation on a file of ours failed.
    #[error("cannot {action} {}: {source}\nhint: {}", path.display(), io_hint(source))]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// No place on this machine holds both `initdb` and `postgres`.
    #[error(
        "PostgreSQL is not installed: no directory holds both initdb and postgres (looked in \
         {looked})\nhint: run scripts/setup.sh, or install it (Debian, Ubuntu: apt-get install \
         postgresql; Fedora: dnf install postgresql-server postgresql-contrib; Alpine: apk add \
         postgresql postgresql-contrib; macOS: brew install postgresql), or name its directory \
         in WAVETANK_PG_BIN, or name a server in DATABASE_URL"
    )]
    PostgresNotFound {
        /// The places, comma-separated.
        looked: String,
    },
    /// The override names a directory without the two programs.
    #[error(
        "WAVETANK_PG_BIN names {}, which does not hold both initdb and postgres\n\
         hint: name the directory of the server's programs, such as /usr/lib/postgresql/15/bin, \
         or unset it", path.display()
    )]
    OverrideUnusable {
        /// What the override names.
        path: PathBuf,
    },
    /// The installed server is older than what the migrations need.
    #[error(
        "PostgreSQL {found} in {} is too old: {minimum} or newer is needed\n\
         hint: install a newer PostgreSQL, name another one in WAVETANK_PG_BIN, or name a server \
         in DATABASE_URL", bin.display()
    )]
    PostgresTooOld {
        /// The version found.
        found: String,
        /// Where.
        bin: PathBuf,
        /// The oldest major version that serves.
        minimum: u32,
    },
    /// A program of the server does not run, or says no version.
    #[error("{} does not run: {reason}\nhint: reinstall PostgreSQL, or name another one in \
             WAVETANK_PG_BIN", program.display())]
    PostgresBroken {
        /// The program.
        program: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// The cluster was made by another major version than any installed one.
    #[error(
        "the cluster in {} was made by PostgreSQL {cluster}, but this machine has {found}\n\
         hint: install PostgreSQL {cluster}, or start with another --data-dir (a world can be \
         made again from its scenario, seed and commands)", path.display()
    )]
    ClusterVersion {
        /// The cluster's directory.
        path: PathBuf,
        /// Its major version.
        cluster: String,
        /// The versions found, comma-separated.
        found: String,
    },
    /// The cluster's directory holds something else.
    #[error(
        "{} is not empty and not a PostgreSQL cluster (it has no PG_VERSION)\n\
         hint: move its contents away, or start with another --data-dir", path.display()
    )]
    NotACluster {
        /// The directory.
        path: PathBuf,
    },
    /// The user id we run as has no entry in the user database, which PostgreSQL insists on.
    #[error(
        "user id {uid} has no entry in /etc/passwd, and PostgreSQL does not run without one\n\
         hint: run as a user that has an entry (in a container: add one for this id), or name a \
         server in DATABASE_URL"
    )]
    NoAccountName {
        /// The user id.
        uid: u32,
    },
    /// We are root, PostgreSQL refuses root, and there is nobody else to run as.
    #[error(
        "PostgreSQL does not run as root, and neither a user `postgres` nor `nobody` exists\n\
         hint: create one (useradd --system postgres), run wavetank as an ordinary user, or name \
         a server in DATABASE_URL"
    )]
    NoServerAccount,
    /// A directory on the way keeps the server's user out.
    #[error(
        "user `{account}`, which runs PostgreSQL because this process is root, cannot pass \
         through {} to {}\nhint: chmod o+x {}, or use a directory elsewhere with --data-dir \
         (such as /var/lib/wavetank), or run wavetank as an ordinary user",
        obstacle.display(), target.display(), obstacle.display()
    )]
    Unreachable {
        /// The user.
        account: String,
        /// The first directory that keeps it out.
        obstacle: PathBuf,
        /// Where it must get.
        target: PathBuf,
    },
    /// The cluster belongs to another user.
    #[error(
        "the cluster in {} belongs to user id {owner}, and this process runs as {us}\n\
         hint: run as that user, or start with another --data-dir", path.display()
    )]
    WrongOwner {
        /// The cluster's directory.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Who we are.
        us: u32,
    },
    /// No temporary directory has a path short enough for a unix socket.
    #[error(
        "no usable place for PostgreSQL's socket: tried {tried} (a socket's path has at most 107 \
         bytes)\nhint: set TMPDIR to a short, writable directory such as /tmp"
    )]
    NoSocketDir {
        /// The places and why not.
        tried: String,
    },
    /// `initdb` failed.
    #[error("PostgreSQL could not create its cluster in {}: {reason}\nhint: {}",
            path.display(), reason_hint(reason))]
    InitFailed {
        /// The cluster's directory.
        path: PathBuf,
        /// The last lines it wrote.
        reason: String,
    },
    /// The server ended while it started.
    #[error("PostgreSQL did not start: {reason}\nhint: {}; its log is {}",
            reason_hint(reason), log.display())]
    StartFailed {
        /// Its last fatal line.
        reason: String,
        /// The log file.
        log: PathBuf,
    },
    /// Another server, or what is left of one, still holds the cluster.
    #[error(
        "the cluster in {} is still held by process {pid} after {waited_seconds} s: {reason}\n\
         hint: an earlier PostgreSQL has not ended yet; wait and try again, or end it with \
         kill -INT {pid}", path.display()
    )]
    ClusterHeld {
        /// The cluster's directory.
        path: PathBuf,
        /// The process named in its lock file.
        pid: String,
        /// How long we waited.
        waited_seconds: u64,
        /// What the server said.
        reason: String,
    },
    /// The server runs and does not become ready.
    #[error(
        "PostgreSQL was not ready after {waited_seconds} s\n\
         hint: it may be recovering from a crash; try again, and see its log {}", log.display()
    )]
    StartTimeout {
        /// How long we waited.
        waited_seconds: u64,
        /// The log file.
        log: PathBuf,
    },
    /// The contributed extensions of the job queue are not installed.
    #[error(
        "PostgreSQL in {} lacks the extensions {missing}\n\
         hint: install its contributed modules (Fedora: dnf install postgresql-contrib; Alpine: \
         apk add postgresql-contrib), or name a server in DATABASE_URL", bin.display()
    )]
    MissingExtensions {
        /// Where the server is.
        bin: PathBuf,
        /// Comma-separated.
        missing: String,
    },
    /// The server answered the first statements with an error.
    #[error("the embedded PostgreSQL could not {action}: {source}\nhint: see its log {}",
            log.display())]
    Sql {
        /// What was tried, as a verb.
        action: &'static str,
        /// The log file.
        log: PathBuf,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// The address of the S3 endpoint cannot be bound.
    #[error(
        "the embedded S3 endpoint cannot listen on {address}: {source}\n\
         hint: another program may have the port; choose another one, or port 0 for any free one"
    )]
    S3Bind {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The stored key of the S3 endpoint cannot be read.
    #[error(
        "the S3 key in {} is damaged: {reason}\n\
         hint: delete the file; a new key is made at the next start", path.display()
    )]
    S3Credentials {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl EmbeddedError {
    /// For `map_err`: an [`EmbeddedError::Io`] that says what was tried on which path.
    pub(super) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

/// The remedy for what the operating system said.
fn io_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "give this user the right to write there, or choose another --data-dir"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full: free some space, then run the same command again"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "the file system is read-only: choose another --data-dir"
        }
        _ => "check the path, or choose another --data-dir",
    }
}

/// The remedy for what the server said, in whatever words it has for it.
fn reason_hint(reason: &str) -> &'static str {
    if reason.contains("No space left") || reason.contains("Disk quota") {
        "the disk is full: free some space, then run the same command again"
    } else if reason.contains("shared memory") {
        "the machine is short of (shared) memory: free some, or name a server in DATABASE_URL"
    } else if reason.contains("Permission denied") {
        "give the user that runs PostgreSQL the rights it lacks, or choose another --data-dir"
    } else {
        "see the reason above"
    }
}
