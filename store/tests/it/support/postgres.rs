//! One private Postgres cluster a test process; it ends with the process, however that ends.
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgPool};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use store::db::{self, Durability};

/// Starts the server as a child of a shell that waits for the end of its standard input: that
/// comes when this process ends, also when it is killed.
const SCRIPT: &str = r#"
set -e
"$BIN/initdb" -D "$DIR/data" -U postgres -A trust -N -E UTF8 --locale=C >"$DIR/initdb.log" 2>&1
"$BIN/postgres" -D "$DIR/data" -c listen_addresses= -c unix_socket_directories="$DIR" \
    -c fsync=off -c full_page_writes=off -c max_connections=200 >"$DIR/log" 2>&1 &
server=$!
until "$BIN/pg_isready" -q -h "$DIR"; do
    kill -0 $server || { cat "$DIR/log" >&2; exit 1; }
    sleep 0.05
done
echo ready
cat >/dev/null || true
kill -INT $server
wait $server || true
rm -rf "$DIR"
"#;

struct Cluster {
    dir: PathBuf,
    _shell: Child,
    next: AtomicU32,
}

static CLUSTER: OnceLock<Cluster> = OnceLock::new();

/// A pool on a fresh database that holds our schema.
pub async fn database() -> PgPool {
    let (name, options) = fresh().await;
    db::connect(options.database(&name), 8, Durability::Relaxed).await.expect("a pool")
}

async fn fresh() -> (String, PgConnectOptions) {
    let cluster = tokio::task::spawn_blocking(|| CLUSTER.get_or_init(start)).await.expect("start");
    let options = PgConnectOptions::new().socket(&cluster.dir).username("postgres");
    let mut admin = options.clone().database("postgres").connect().await.expect("connect");
    // Many tests begin at once: the first makes the template, the others wait for it.
    sqlx::query("SELECT pg_advisory_lock(1)").execute(&mut admin).await.expect("lock");
    let made: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = 'model')")
            .fetch_one(&mut admin)
            .await
            .expect("databases");
    if !made {
        sqlx::query("CREATE DATABASE model").execute(&mut admin).await.expect("create");
        let options = options.clone().database("model");
        let pool = db::connect(options, 1, Durability::Relaxed).await.expect("a pool");
        db::migrate(&pool).await.expect("the schema");
        pool.close().await;
    }
    let name = format!("test_{}", cluster.next.fetch_add(1, Ordering::Relaxed));
    let create = AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE model"));
    sqlx::query(create).execute(&mut admin).await.expect("create");
    (name, options)
}

fn start() -> Cluster {
    let dir = tempfile::Builder::new().prefix("wt-pg-").tempdir().expect("a directory").keep();
    std::fs::set_permissions(&dir, PermissionsExt::from_mode(0o755)).expect("permissions");
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(SCRIPT).env("BIN", binaries()).env("DIR", &dir).current_dir(&dir);
    shell.stdin(Stdio::piped()).stdout(Stdio::piped());
    if id("-u", None) == Some(0) {
        let user = ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| Some((id("-u", Some(name))?, id("-g", Some(name))?)));
        let (uid, gid) = user.expect("a user to run Postgres as");
        chown(&dir, Some(uid), Some(gid)).expect("chown");
        shell.uid(uid).gid(gid);
    }
    let mut shell = shell.spawn().expect("sh");
    let mut line = String::new();
    let output = shell.stdout.take().expect("piped");
    BufReader::new(output).read_line(&mut line).expect("output");
    assert_eq!(line, "ready\n", "Postgres did not start: see {}", dir.display());
    Cluster { dir, _shell: shell, next: AtomicU32::new(0) }
}

fn id(flag: &str, user: Option<&str>) -> Option<u32> {
    let output = Command::new("id").arg(flag).args(user).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// The newest of Debian's places, else what is on the PATH.
fn binaries() -> PathBuf {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let bins = installed.map(|version| version.path().join("bin"));
    let newest = bins.filter(|bin| bin.join("initdb").exists()).max_by_key(|bin| major(bin));
    newest.unwrap_or_else(|| {
        let output = Command::new("pg_config").arg("--bindir").output().expect("pg_config");
        PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
    })
}

fn major(bin: &Path) -> u32 {
    let version = bin.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    version.and_then(|name| name.parse().ok()).unwrap_or(0)
}

/// Time for what should be quick.
pub const PATIENCE: Duration = Duration::from_secs(20);
