//! The services of the tests: the embedded ones, fast instead of durable, in a directory below
//! `target/tmp` that the next process takes over. All tests of a process share a PostgreSQL cluster;
//! each has a database, copied from a template, and an S3 endpoint of its own.
//!
//! `WAVETANK_TEST_DATABASE_URL` names a server to use instead of an own cluster.
use embedded::{DataDir, EmbeddedPostgres, EmbeddedS3, PostgresOptions, S3Durability};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use store::objects::{ObjectStore, Settings};
use tokio::runtime::Handle;

/// A cluster with more databases of earlier processes is made anew instead of emptied.
const FEW_DATABASES: usize = 20;

/// The services of this process; they end with it, however it ends.
pub struct Services {
    server: String,
    objects: PathBuf,
    runtime: Handle,
    next: AtomicU32,
}

/// The services, started by the first test that asks for them.
pub fn services() -> &'static Services {
    static SERVICES: OnceLock<Services> = OnceLock::new();
    SERVICES.get_or_init(|| {
        let (send, receive) = mpsc::channel();
        // The runtime of a test ends with the test; this one ends with the process.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async {
                let dir = data_dir();
                let (server, postgres) = postgres(dir.path()).await;
                let objects = dir.path().join("s3");
                let _ = std::fs::remove_dir_all(&objects);
                let (runtime, next) = (Handle::current(), AtomicU32::new(0));
                send.send(Services { server, objects, runtime, next }).expect("a test");
                std::future::pending::<()>().await;
                drop((postgres, dir));
            });
        });
        receive.recv().expect("the services of the tests start")
    })
}

/// The first directory that no other process uses.
fn data_dir() -> DataDir {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for number in 0..100 {
        if let Ok(dir) = DataDir::open(&place.join(format!("services-{number}"))) {
            return dir;
        }
    }
    panic!("no directory for the services of the tests below {}", place.display());
}

/// The URL of a server, and the server if it is our own.
async fn postgres(dir: &Path) -> (String, Option<EmbeddedPostgres>) {
    if let Ok(server) = std::env::var("WAVETANK_TEST_DATABASE_URL") {
        return (server, None);
    }
    let server = start_postgres(dir).await;
    let mut admin = PgConnection::connect(&server.url()).await.expect("a connection");
    let left: Vec<String> =
        sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname LIKE 'test\\_%'")
            .fetch_all(&mut admin)
            .await
            .expect("databases");
    if left.len() <= FEW_DATABASES {
        for name in left {
            drop_database(&mut admin, &name).await;
        }
        return (server.url(), Some(server));
    }
    admin.close().await.expect("closed");
    server.stop().await;
    std::fs::remove_dir_all(dir.join("postgres")).expect("the old cluster is removed");
    let server = start_postgres(dir).await;
    (server.url(), Some(server))
}

async fn start_postgres(dir: &Path) -> EmbeddedPostgres {
    let options =
        PostgresOptions { fsync: false, max_connections: 400, ..PostgresOptions::from_env() };
    match EmbeddedPostgres::start(dir, options.clone()).await {
        Ok(server) => server,
        // Of another version of PostgreSQL, or damaged by a killed test.
        Err(_) => {
            let _ = std::fs::remove_dir_all(dir.join("postgres"));
            EmbeddedPostgres::start(dir, options).await.expect("PostgreSQL starts")
        }
    }
}

/// A new endpoint on a directory; it ends with the process.
async fn endpoint(files: PathBuf) -> Settings {
    std::fs::create_dir_all(&files).expect("a directory");
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let endpoint = EmbeddedS3::start_with(&files, any_port, S3Durability::Cached).await;
    let endpoint = endpoint.expect("the S3 endpoint starts");
    let settings = Settings {
        endpoint: endpoint.endpoint(),
        region: "us-east-1".into(),
        bucket: "test".into(),
        access_key: endpoint.access_key().into(),
        secret_key: endpoint.secret_key().into(),
    };
    std::mem::forget(endpoint);
    settings
}

async fn drop_database(admin: &mut PgConnection, name: &str) {
    let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    sqlx::query(AssertSqlSafe(sql)).execute(admin).await.expect("the old database is dropped");
}

impl Services {
    /// The URL of a database of the server.
    pub fn url(&self, database: &str) -> String {
        let (address, query) = self.server.split_once('?').unwrap_or((self.server.as_str(), ""));
        let (server, _) = address.rsplit_once('/').expect("a URL with a database");
        format!("{server}/{database}?{query}")
    }

    /// A session as the owner of the server.
    pub async fn admin(&self) -> PgConnection {
        let options: PgConnectOptions = self.server.parse().expect("a URL");
        options.connect().await.expect("a connection")
    }

    /// The name of a template database that `fill` has filled, given its URL: once a cluster for
    /// the same migrations and the same `version`.
    pub async fn template<F: Future<Output = ()>>(
        &self,
        kind: &str,
        version: &str,
        fill: impl FnOnce(String) -> F,
    ) -> String {
        let mut hash = DefaultHasher::new();
        version.hash(&mut hash);
        store::db::MIGRATOR.iter().for_each(|migration| migration.checksum.hash(&mut hash));
        let name = format!("template_{kind}_{:016x}", hash.finish());
        let mut admin = self.admin().await;
        // Many tests begin at once: the first makes the template, the others wait for it.
        sqlx::query("SELECT pg_advisory_lock(7)").execute(&mut admin).await.expect("a lock");
        let made: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
                .bind(&name)
                .fetch_one(&mut admin)
                .await
                .expect("databases");
        if !made {
            let unfinished = format!("unfinished_{name}");
            drop_database(&mut admin, &unfinished).await;
            let create = format!("CREATE DATABASE {unfinished}");
            sqlx::query(AssertSqlSafe(create)).execute(&mut admin).await.expect("a database");
            fill(self.url(&unfinished)).await;
            let rename = format!("ALTER DATABASE {unfinished} RENAME TO {name}");
            sqlx::query(AssertSqlSafe(rename)).execute(&mut admin).await.expect("a template");
        }
        admin.close().await.expect("closed");
        name
    }

    /// The URL of a new database, a copy of a template.
    pub async fn database(&self, template: &str) -> String {
        self.url(&self.new_database("", Some(template)).await)
    }

    /// The name of a new database, which ends in `name`: a copy of a template, or empty.
    pub async fn new_database(&self, name: &str, template: Option<&str>) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}_{name}", std::process::id());
        let copy = template.map(|template| format!(" TEMPLATE {template}")).unwrap_or_default();
        let mut admin = self.admin().await;
        let create = format!("CREATE DATABASE {name}{copy}");
        sqlx::query(AssertSqlSafe(create)).execute(&mut admin).await.expect("a database");
        admin.close().await.expect("closed");
        name
    }

    /// A new bucket, in an endpoint of its own.
    pub async fn bucket(&self) -> ObjectStore {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let settings = self.runtime.spawn(endpoint(self.objects.join(number.to_string())));
        ObjectStore::connect(&settings.await.expect("an endpoint")).await.expect("a bucket")
    }
}
