//! The services a process works with: Postgres and the object store, given or brought along.
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use embedded::{DataDir, EmbeddedPostgres, EmbeddedS3, PostgresOptions};
use jobs::worker::WorkerOptions;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::db::{self, ApiPools, Durability};
use store::objects::{ObjectStore, Settings};
use store::sessions;

/// Connections for the conductor.
const POOL: u32 = 8;
/// Connections for the API, for tenants and for the platform each, where the server has no room
/// for as many as were asked for.
const LEAST_API_POOL: u32 = 1;
/// Connections beside those of the workers and the API: the conductor's and the lead's, the director's
/// of studies, and some spare ones for people who look.
const OTHERS: u32 = POOL + 5;

/// A server with less room than this stops in the middle of a write: two segments of its log.
const LEAST_ROOM: u64 = 32 << 20;
/// How long a stop waits for connections that are in use. What runs on them then is not committed.
const CLOSE_WAIT: Duration = Duration::from_secs(1);
/// How often the services that were brought along are looked after.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Connections of the API for tenants, and as many for the platform, where nobody says. With more
/// for each core no more requests are answered, and the slowest ones later.
fn api_connections() -> u32 {
    let cores = std::thread::available_parallelism()
        .map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX));
    cores.saturating_mul(2).clamp(4, 32)
}

/// Where Postgres and the object store are.
#[derive(Args, Clone, Debug)]
pub struct ServiceOptions {
    /// The directory of the embedded PostgreSQL and S3 store; made when absent. One process at a
    /// time can use it.
    #[arg(long, value_name = "DIR", env = "WAVETANK_DATA_DIR", help_heading = "Services")]
    pub data_dir: Option<PathBuf>,
    /// A PostgreSQL database (14 or newer) to use instead of the embedded one, such as
    /// postgres://user:password@host/wavetank.
    #[arg(
        long,
        value_name = "URL",
        env = "DATABASE_URL",
        hide_env_values = true,
        help_heading = "Services"
    )]
    pub database_url: Option<String>,
    /// An S3 endpoint to use instead of the embedded one, such as http://minio:9000.
    #[arg(long, value_name = "URL", env = "S3_ENDPOINT", help_heading = "Services")]
    pub s3_endpoint: Option<String>,
    /// The bucket; made when absent.
    #[arg(
        long,
        value_name = "NAME",
        env = "S3_BUCKET",
        default_value = "wavetank",
        help_heading = "Services"
    )]
    pub s3_bucket: String,
    /// The region that requests are signed for.
    #[arg(
        long,
        value_name = "NAME",
        env = "S3_REGION",
        default_value = "us-east-1",
        help_heading = "Services"
    )]
    pub s3_region: String,
    /// The access key of the S3 endpoint.
    #[arg(
        long,
        value_name = "KEY",
        env = "S3_ACCESS_KEY",
        hide_env_values = true,
        help_heading = "Services"
    )]
    pub s3_access_key: Option<String>,
    /// The secret key of the S3 endpoint; better given in the environment than here.
    #[arg(
        long,
        value_name = "KEY",
        env = "S3_SECRET_KEY",
        hide_env_values = true,
        help_heading = "Services"
    )]
    pub s3_secret_key: Option<String>,
    /// Connections to the database on which the API answers tenants, and as many on which it
    /// answers the platform's own keys: so many requests are worked on at once, the others wait
    /// their turn. Two for each core when not given, but 4 at the least and 32 at the most.
    #[arg(
        long,
        value_name = "N",
        env = "WAVETANK_API_CONNECTIONS",
        default_value_t = api_connections(),
        value_parser = clap::value_parser!(u32).range(i64::from(LEAST_API_POOL)..=1000),
        help_heading = "Services"
    )]
    pub api_connections: u32,
}

impl ServiceOptions {
    /// The embedded services, in a directory.
    pub fn embedded(data_dir: &Path) -> Self {
        ServiceOptions {
            data_dir: Some(data_dir.to_owned()),
            database_url: None,
            s3_endpoint: None,
            s3_bucket: "wavetank".to_owned(),
            s3_region: "us-east-1".to_owned(),
            s3_access_key: None,
            s3_secret_key: None,
            api_connections: api_connections(),
        }
    }

    /// Whether both services are given, so that several processes can share them.
    pub fn are_shared(&self) -> bool {
        self.database_url.is_some() && self.s3_endpoint.is_some()
    }

    /// Refuses to start a process of a split installation on embedded services.
    ///
    /// # Errors
    /// When a service is not given.
    pub fn require_shared(&self, command: &str) -> Result<()> {
        if self.are_shared() {
            return Ok(());
        }
        bail!(
            "`wavetank {command}` shares its services with other processes and needs DATABASE_URL \
             and S3_ENDPOINT\nhint: `wavetank services` lends the embedded ones to other processes \
             and prints both; `wavetank run` and `wavetank demo` need neither"
        )
    }
}

/// Running services and our connections to them.
pub struct Services {
    /// For the conductor: a commit is durable.
    pub pool: PgPool,
    /// For the API: in roles that own nothing and see one tenant, or all, by what a transaction says.
    pub api_pools: ApiPools,
    /// For workers: a commit may be lost with the machine, together with the ledger's word for it.
    pub worker_pool: PgPool,
    /// The object store.
    pub objects: ObjectStore,
    /// How another process would reach the same database.
    pub database_url: String,
    /// How another process would reach the same object store.
    pub s3: Settings,
    postgres: Option<EmbeddedPostgres>,
    endpoint: Option<EmbeddedS3>,
    data_dir: Option<DataDir>,
}

impl Services {
    /// Starts what is not given, connects, and brings the schema up to date. `data_dir` is used
    /// when the options name none.
    ///
    /// # Errors
    /// A service cannot be started or reached, or refuses us.
    pub async fn open(options: &ServiceOptions, data_dir: &Path) -> Result<Self> {
        Self::open_for(options, data_dir, &WorkerOptions::default()).await
    }

    /// The same with as many connections for workers as these need, so that none waits for
    /// another; fewer where the server has no room for them.
    ///
    /// # Errors
    /// A service cannot be started or reached, or refuses us.
    pub async fn open_for(
        options: &ServiceOptions,
        data_dir: &Path,
        workers: &WorkerOptions,
    ) -> Result<Self> {
        let wanted = workers.connections();
        let place = options.data_dir.as_deref().unwrap_or(data_dir);
        let held = if options.are_shared() { None } else { Some(DataDir::open(place)?) };
        let postgres = match (&options.database_url, &held) {
            (None, Some(dir)) => {
                let mut server = PostgresOptions::from_env();
                server.max_connections =
                    server.max_connections.max(wanted + 2 * (2 * options.api_connections + OTHERS));
                Some(EmbeddedPostgres::start(dir.path(), server).await?)
            }
            _ => None,
        };
        let database_url = match (&options.database_url, &postgres) {
            (Some(url), _) => url.clone(),
            (None, Some(postgres)) => postgres.url(),
            (None, None) => unreachable!("one of the two is there"),
        };
        let connect: PgConnectOptions = database_url
            .parse()
            .context("DATABASE_URL is not a PostgreSQL address\nhint: write it as postgres://user:password@host:5432/database")?;
        if postgres.is_none() {
            sessions::check(connect.clone()).await?;
        }
        let pool = db::connect(connect.clone(), POOL, Durability::Full).await?;
        let room = db::free_connections(&pool).await?.saturating_sub(OTHERS);
        let for_workers = wanted.min(room.saturating_sub(2 * LEAST_API_POOL)).max(1);
        let for_api =
            options.api_connections.min(room.saturating_sub(for_workers) / 2).max(LEAST_API_POOL);
        let worker_pool = db::connect(connect.clone(), for_workers, Durability::Relaxed).await?;
        let (endpoint, s3) = object_store(options, held.as_ref()).await?;
        let objects = ObjectStore::connect(&s3).await?;
        db::migrate(&pool).await?;
        jobs::queue::setup(&pool).await?;
        let api_pools = ApiPools::connect(connect, for_api).await?;
        Ok(Services {
            pool,
            api_pools,
            worker_pool,
            objects,
            database_url,
            s3,
            postgres,
            endpoint,
            data_dir: held,
        })
    }

    /// Returns when a service that was brought along cannot go on: its server is gone, or the disk
    /// is all but full. It is told while there is still room to stop in good order.
    pub async fn failed(&self) -> anyhow::Error {
        loop {
            if let Some(why) = self.postgres.as_ref().and_then(EmbeddedPostgres::failure) {
                return anyhow!("{why}");
            }
            if let Some(dir) = &self.data_dir
                && let Some(left) = room(dir.path()).filter(|left| *left < LEAST_ROOM)
            {
                return anyhow!(
                    "the disk of the data directory {} is full: {:.0} MB are left\n\
                     hint: make room (100 MB and more), then run the same command again: it goes \
                     on where it was, and what was stored before is whole",
                    dir.path().display(),
                    left as f64 / 1e6
                );
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// The directory in which the services that were brought along keep what is theirs.
    pub(crate) fn data_dir(&self) -> Option<&DataDir> {
        self.data_dir.as_ref()
    }

    /// Lets go of everything in order; what was brought along stops.
    pub async fn stop(self) {
        let closing = async {
            tokio::join!(self.api_pools.close(), self.pool.close(), self.worker_pool.close());
        };
        if tokio::time::timeout(CLOSE_WAIT, closing).await.is_err() {
            tracing::debug!("stopped while statements were under way; they are rolled back");
        }
        if let Some(endpoint) = self.endpoint {
            endpoint.stop().await;
        }
        if let Some(postgres) = self.postgres {
            postgres.stop().await;
        }
    }
}

/// The bytes that are left on the disk of a directory.
fn room(path: &Path) -> Option<u64> {
    let disk = nix::sys::statvfs::statvfs(path).ok()?;
    Some(disk.blocks_available() * disk.fragment_size())
}

async fn object_store(
    options: &ServiceOptions,
    held: Option<&DataDir>,
) -> Result<(Option<EmbeddedS3>, Settings)> {
    let settings = |endpoint: String, access_key: &str, secret_key: &str| Settings {
        endpoint,
        region: options.s3_region.clone(),
        bucket: options.s3_bucket.clone(),
        access_key: access_key.to_owned(),
        secret_key: secret_key.to_owned(),
    };
    let Some(given) = &options.s3_endpoint else {
        let dir = held.context("no data directory for the embedded S3 store")?;
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let endpoint = EmbeddedS3::start(&dir.path().join("s3"), any_port).await?;
        let settings = settings(endpoint.endpoint(), endpoint.access_key(), endpoint.secret_key());
        return Ok((Some(endpoint), settings));
    };
    match (&options.s3_access_key, &options.s3_secret_key) {
        (Some(access), Some(secret)) => Ok((None, settings(given.clone(), access, secret))),
        _ => bail!(
            "S3_ENDPOINT is given without its keys\nhint: set S3_ACCESS_KEY and S3_SECRET_KEY too"
        ),
    }
}
