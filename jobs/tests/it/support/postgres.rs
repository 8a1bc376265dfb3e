//! One PostgreSQL for the test process, and a fresh database for each test: that of
//! `WAVETANK_TEST_DATABASE_URL`, or a private cluster in a temporary directory.
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use std::io::Write;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use store::db::{self, Durability};
use tokio::sync::OnceCell;

pub(crate) async fn connect(url: &str, durability: Durability) -> PgPool {
    db::connect(PgConnectOptions::from_str(url).unwrap(), 16, durability).await.unwrap()
}

/// The URL of a new database with our schema and the queue's.
pub(crate) async fn fresh_database() -> String {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let template = TEMPLATE
        .get_or_init(|| async {
            let template = format!("wavetank_template_{}", std::process::id());
            create(&template, "template1").await;
            let pool = connect(&url(&template), Durability::Full).await;
            db::migrate(&pool).await.unwrap();
            jobs::queue::setup(&pool).await.unwrap();
            pool.close().await;
            template
        })
        .await;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("wavetank_test_{}_{number}", std::process::id());
    create(&name, template).await;
    url(&name)
}

async fn create(name: &str, template: &str) {
    let mut conn = PgConnection::connect(&url("postgres")).await.unwrap();
    let sql = format!("CREATE DATABASE {name} TEMPLATE {template}");
    // Two tests cannot copy one template at the same instant.
    for _ in 0..200 {
        if sqlx::query(AssertSqlSafe(sql.clone())).execute(&mut conn).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{sql}");
}

fn url(database: &str) -> String {
    match std::env::var("WAVETANK_TEST_DATABASE_URL") {
        Ok(server) => {
            let server = server.trim_end_matches('/');
            format!("{}/{database}", server.rsplit_once('/').map_or(server, |(host, _)| host))
        }
        Err(_) => {
            static CLUSTER: OnceLock<Cluster> = OnceLock::new();
            let cluster = CLUSTER.get_or_init(Cluster::start);
            format!("postgres:///{database}?host={}&user=wavetank", cluster.dir.display())
        }
    }
}

/// A private cluster. Its keeper is a shell that reads from us: when this process ends, however
/// it ends, the pipe closes, and the keeper stops the server and deletes the directory.
struct Cluster {
    dir: PathBuf,
    _keeper: Child,
}

impl Cluster {
    fn start() -> Cluster {
        let bin = binaries();
        let dir = std::env::temp_dir().join(format!("wtt-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let user = server_user();
        if let Some((uid, gid)) = user {
            chown(&dir, Some(uid), Some(gid)).unwrap();
        }
        let data = dir.join("data");
        let mut initdb = as_user(Command::new(bin.join("initdb")), user);
        initdb.args(["-U", "wavetank", "-A", "trust", "-E", "UTF8", "--no-sync", "-D"]).arg(&data);
        let made = initdb.current_dir("/").output().unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let script = r#"
            "$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off \
                -c full_page_writes=off -c max_connections=400 -c shared_buffers=128MB \
                >"$2/log" 2>&1 &
            cat >/dev/null; kill -QUIT $!; wait; rm -rf "$2""#;
        let mut keeper = as_user(Command::new("sh"), user);
        keeper.args(["-c", script, "keeper"]).arg(&bin).arg(&dir).current_dir("/");
        let keeper = keeper.stdin(Stdio::piped()).process_group(0).spawn().unwrap();
        let cluster = Cluster { dir, _keeper: keeper };
        cluster.wait(&bin, user);
        cluster
    }

    fn wait(&self, bin: &Path, user: Option<(u32, u32)>) {
        for _ in 0..400 {
            let mut ready = as_user(Command::new(bin.join("pg_isready")), user);
            ready.args(["-q", "-h"]).arg(&self.dir).current_dir("/");
            if ready.status().is_ok_and(|status| status.success()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        let log = std::fs::read_to_string(self.dir.join("log")).unwrap_or_default();
        let _ = writeln!(std::io::stderr(), "{log}");
        panic!("the test cluster did not start");
    }
}

fn binaries() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL is installed (scripts/setup.sh), or WAVETANK_TEST_DATABASE_URL is set")
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort_by_key(|bin| {
        let version = bin.parent().and_then(|dir| dir.file_name()?.to_str()?.parse::<u32>().ok());
        version.unwrap_or(0)
    });
    found.pop().expect("PostgreSQL is installed")
}

/// PostgreSQL refuses root.
fn server_user() -> Option<(u32, u32)> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    if uid.split_whitespace().next() != Some("0") {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let user = ["postgres:", "nobody:"]
        .into_iter()
        .find_map(|name| users.lines().find(|line| line.starts_with(name)))
        .expect("a user other than root");
    let mut fields = user.split(':').skip(2).map(|id| id.parse().unwrap());
    Some((fields.next().unwrap(), fields.next().unwrap()))
}

fn as_user(mut command: Command, user: Option<(u32, u32)>) -> Command {
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}
