//! What can go wrong between us and Postgres, with the inputs that tell one failure from another.
use sim::time::SimTime;
use sqlx::migrate::MigrateError;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Postgres refused a statement, or could not be reached.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The first connection failed.
    #[error(
        "PostgreSQL cannot be reached: {source}. \
         hint: check DATABASE_URL (server, port, user, password, database), or unset it to use a \
         private server"
    )]
    Unreachable {
        /// What the driver said.
        source: sqlx::Error,
    },
    /// The server did not answer the first connection.
    #[error(
        "PostgreSQL did not answer within {seconds} s. \
         hint: check DATABASE_URL, or unset it to use a private server"
    )]
    Silent {
        /// How long we waited.
        seconds: u64,
    },
    /// The address leads to a pooler that divides sessions among clients.
    #[error(
        "DATABASE_URL leads to a connection pooler (PgBouncer or the like), not to PostgreSQL \
         itself: {found}. Advisory locks, LISTEN, roles and prepared statements need sessions of \
         their own; nothing was changed. \
         hint: name PostgreSQL itself in DATABASE_URL (its own port, usually 5432); this program \
         pools its few connections by itself"
    )]
    Pooler {
        /// How it was noticed.
        found: String,
    },
    /// The schema could not be brought up to date.
    #[error("the database schema could not be brought up to date")]
    Migration(#[source] MigrateError),
    /// A newer release has brought the schema further than this program knows it.
    #[error(
        "this database was brought up to date by a newer release of wavetank: it has the migration \
         {migration}, which this program (release {ours}) does not know; nothing was changed. \
         hint: use that release or a later one (`wavetank --version` tells a program's release), \
         or begin anew in another database or --data-dir"
    )]
    NewerSchema {
        /// The first migration that this program does not have.
        migration: i64,
        /// The release of this program.
        ours: &'static str,
    },
    /// A migration was applied with another content than this program has.
    #[error(
        "this database was made with another content of the migration {migration} than this \
         program has: by a build from between two releases; nothing was changed. \
         hint: use the program that made it, or begin anew in another database or --data-dir (a \
         world can always be made again from its scenario, seed and commands)"
    )]
    EditedMigration {
        /// The migration.
        migration: i64,
    },
    /// The world was made by another version of the kernel.
    #[error(
        "this world was made by version {stored} of the kernel and this program has version \
         {ours}, which would tell another story; nothing was changed. \
         hint: the world stays readable: `wavetank export`, `verify`, `digest`, `serve` and `demo` \
         work as before. To go on, use the release that made it, or begin a new world in another \
         database or --data-dir"
    )]
    KernelMismatch {
        /// The version that made the world.
        stored: String,
        /// The version of this program.
        ours: &'static str,
    },
    /// The server is older than what we test with.
    #[error(
        "PostgreSQL {found} is too old: version {needed} or later is needed. \
         hint: upgrade the server, or unset DATABASE_URL to use a private one"
    )]
    TooOld {
        /// The server's major version.
        found: i32,
        /// The oldest that will do.
        needed: i32,
    },
    /// An instant that no calendar date stands for.
    #[error("{0:?} is outside the years that a database can store")]
    Instant(SimTime),
    /// A stored value that no version of this program up to this one writes.
    #[error("{column} holds {value:?}, which this version of the program does not know")]
    UnknownValue {
        /// The table and the column.
        column: &'static str,
        /// What it holds.
        value: String,
    },
    /// A stored document that does not read as what it must be.
    #[error("the stored {what} cannot be read")]
    Stored {
        /// What was read.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: serde_json::Error,
    },
    /// A value that cannot be written as JSON.
    #[error("the {what} cannot be written as JSON")]
    Encode {
        /// What was written.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: serde_json::Error,
    },
    /// A number that does not fit where it is needed.
    #[error("the {what} {value} is out of range")]
    OutOfRange {
        /// What it counts.
        what: &'static str,
        /// The number.
        value: i64,
    },
    /// A CVSS vector that has no score.
    #[error("the vector {vector:?} of {cve} has no score")]
    Vector {
        /// The advisory.
        cve: String,
        /// Its vector.
        vector: String,
    },
    /// A document that cannot be written or read.
    #[error(transparent)]
    Document(#[from] documents::Error),
    /// The stored log has fewer leaves than it must have.
    #[error("the stored log has {size} leaves, expected {needed} or more")]
    ShortLog {
        /// How many there are.
        size: u64,
        /// How many are needed.
        needed: u64,
    },
    /// Another conductor has taken over: this one must write no more.
    #[error("another conductor has taken over")]
    Superseded,
    /// The database holds no world yet.
    #[error(
        "the database holds no world yet. hint: `wavetank conduct` or `wavetank run` makes one"
    )]
    NoWorld,
}

impl From<MigrateError> for Error {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(migration) => {
                Error::NewerSchema { migration, ours: env!("CARGO_PKG_VERSION") }
            }
            MigrateError::VersionMismatch(migration) => Error::EditedMigration { migration },
            other => Error::Migration(other),
        }
    }
}

impl Error {
    /// A stored value that this program does not know.
    pub fn unknown(column: &'static str, value: impl ToString) -> Self {
        Error::UnknownValue { column, value: value.to_string() }
    }

    /// Whether trying again on a new connection may help: the server went away, is starting, or
    /// chose this transaction as the victim of a deadlock.
    pub fn is_transient(&self) -> bool {
        match self {
            Error::Database(error) => is_transient(error),
            _ => false,
        }
    }
}

/// Whether trying again on a new connection may help.
pub fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_) => true,
        // Connection exceptions, rollbacks (deadlock, serialization), resources, the operator.
        sqlx::Error::Database(e) => e
            .code()
            .is_some_and(|code| ["08", "40", "53", "57"].contains(&code.get(..2).unwrap_or(""))),
        _ => false,
    }
}
