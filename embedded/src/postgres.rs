//! A private PostgreSQL cluster, so that a world needs no database server to be set up first: from
//! programs found on the machine, in the data directory, on a unix socket only.
//!
//! The server never outlives this process: a thread that lives as long as it started the server,
//! and the kernel signals the server when that thread ends, `kill -9` included. A server that dies
//! is started again at the same address, so that clients need only reconnect.

mod account;
mod binaries;
mod cluster;
mod lock;
mod pgdata;
mod socket;
mod supervisor;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};

use self::{account::Account, binaries::Binaries, cluster::Cluster, supervisor::Supervisor};
use super::EmbeddedError;

/// The oldest major version that serves.
const OLDEST_MAJOR: u32 = 14;
/// The superuser of the cluster: it owns the database, and no other local user can reach it.
const OWNER: &str = "wavetank";
/// The database of the world.
const DATABASE: &str = "wavetank";
/// Extensions that the job queue's own migrations create.
const EXTENSIONS: [&str; 2] = ["hstore", "pgcrypto"];

/// How the embedded server runs.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// The directory of the server's programs, instead of searching for one.
    pub bin_dir: Option<PathBuf>,
    /// Whether a commit survives a power cut. Off is for tests only.
    pub fsync: bool,
    /// How many connections the server accepts.
    pub max_connections: u32,
    /// How long a start, recovery after a crash included, may take.
    pub start_timeout: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            bin_dir: None,
            fsync: true,
            max_connections: 100,
            start_timeout: Duration::from_secs(120),
        }
    }
}

impl PostgresOptions {
    /// The defaults, with the programs' directory from `WAVETANK_PG_BIN`, and `fsync` off when
    /// `WAVETANK_PG_FSYNC` is `off`.
    pub fn from_env() -> Self {
        Self {
            bin_dir: std::env::var_os("WAVETANK_PG_BIN")
                .filter(|value| !value.is_empty())
                .map(PathBuf::from),
            fsync: std::env::var_os("WAVETANK_PG_FSYNC").is_none_or(|value| value != "off"),
            ..Self::default()
        }
    }
}

/// A running PostgreSQL server of this process.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    // Declared before the socket's directory: the server ends before its directory goes.
    supervisor: Supervisor,
    socket: socket::SocketDir,
}

impl EmbeddedPostgres {
    /// Starts the server on the cluster in `<data_dir>/postgres`, which is made if it is not
    /// there, and makes the database. The caller holds the lock of the data directory.
    ///
    /// # Errors
    /// No usable PostgreSQL is installed, the cluster cannot be made, belongs to somebody else or
    /// to another major version, or the server does not start.
    pub async fn start(data_dir: &Path, options: PostgresOptions) -> Result<Self, EmbeddedError> {
        let data_dir = data_dir
            .canonicalize()
            .map_err(EmbeddedError::io("find the data directory", data_dir))?;
        let (cluster, socket) = Self::prepare(&data_dir, &options)?;
        let bin = cluster.binaries.dir.clone();
        let log = cluster.log.clone();
        let supervisor = Supervisor::start(cluster).await?;
        let server = Self { supervisor, socket };
        server.make_database(&bin, &log).await?;
        Ok(server)
    }

    /// What needs no server yet: whose rights, which programs, where the socket goes.
    fn prepare(
        data_dir: &Path,
        options: &PostgresOptions,
    ) -> Result<(Cluster, socket::SocketDir), EmbeddedError> {
        let pgdata = data_dir.join("postgres");
        let account = Account::choose(&pgdata)?;
        let binaries = Binaries::find(options.bin_dir.as_deref(), &pgdata, &account, data_dir)?;
        let socket = socket::SocketDir::create(data_dir, &account)?;
        let cluster = Cluster {
            pgdata,
            log: data_dir.join("postgres.log"),
            binaries,
            account,
            socket_dir: socket.path().to_owned(),
            options: options.clone(),
        };
        Ok((cluster, socket))
    }

    async fn make_database(&self, bin: &Path, log: &Path) -> Result<(), EmbeddedError> {
        let failed = |action| move |source| EmbeddedError::Sql { action, log: log.into(), source };
        let options: PgConnectOptions =
            self.address("postgres").parse().map_err(failed("read its own address"))?;
        let mut connection: PgConnection =
            options.disable_statement_logging().connect().await.map_err(failed("connect"))?;
        let missing: Vec<String> = sqlx::query_scalar(
            "SELECT wanted FROM unnest($1::text[]) wanted
             WHERE wanted NOT IN (SELECT name::text FROM pg_available_extensions) ORDER BY 1",
        )
        .bind(EXTENSIONS.as_slice())
        .fetch_all(&mut connection)
        .await
        .map_err(failed("list its extensions"))?;
        if !missing.is_empty() {
            let missing = missing.join(", ");
            return Err(EmbeddedError::MissingExtensions { bin: bin.into(), missing });
        }
        let exists: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
                .bind(DATABASE)
                .fetch_one(&mut connection)
                .await
                .map_err(failed("look for the database"))?;
        if !exists {
            sqlx::query("CREATE DATABASE wavetank")
                .execute(&mut connection)
                .await
                .map_err(failed("create the database"))?;
        }
        connection.close().await.map_err(failed("close the first connection"))
    }

    /// The address of the world's database, as `DATABASE_URL` would give it. It stays the same
    /// while this value lives, also when the server had to be started again.
    pub fn url(&self) -> String {
        self.address(DATABASE)
    }

    fn address(&self, database: &str) -> String {
        let socket = percent_encode(&self.socket.path().to_string_lossy());
        format!("postgres://{OWNER}@localhost/{database}?host={socket}&sslmode=disable")
    }

    /// Why there is no server any more, if it died and could not be started again: the reason
    /// behind a client's lost connection.
    pub fn failure(&self) -> Option<&str> {
        self.supervisor.failure()
    }

    /// Ends the server: open sessions are cut off, everything committed is on disk.
    pub async fn stop(mut self) {
        self.supervisor.stop().await;
    }
}

/// For a path in the query of a URL.
fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
