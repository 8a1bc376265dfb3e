//! Runs the real program in a data directory of its own.
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A scenario of the repository.
pub(crate) fn scenario(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{name}.yaml"))
}

/// A directory that every user may enter, so that the embedded PostgreSQL can drop its rights.
pub(crate) fn data_dir() -> TempDir {
    let dir = tempfile::Builder::new().prefix("wavetank-e2e-").tempdir().expect("a directory");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(dir.path(), open).expect("rights");
    dir
}

/// The program, without any setting of the environment that the test did not choose. Its services
/// are fast instead of durable: a power cut could lose something, and nothing that a test does.
pub(crate) fn wavetank() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wavetank"));
    for name in ["DATABASE_URL", "S3_ENDPOINT", "S3_BUCKET", "S3_ACCESS_KEY", "S3_SECRET_KEY"] {
        command.env_remove(name);
    }
    command.env("WAVETANK_PG_FSYNC", "off").env("WAVETANK_S3_FSYNC", "off");
    command.env_remove("WAVETANK_DATA_DIR").stdin(Stdio::null());
    command
}

/// `wavetank run SCENARIO` with its data in `data`.
pub(crate) fn run(name: &str, data: &Path, more: &[&str]) -> Command {
    let mut command = wavetank();
    command.arg("run").arg(scenario(name)).arg("--data-dir").arg(data);
    command.args(["--format", "json"]).args(more);
    command
}

/// Runs to the end and reads the figures.
pub(crate) fn figures(mut command: Command) -> Value {
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{command:?} failed:\n{}", said(&output));
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{command:?} printed no JSON ({error}):\n{}", said(&output)))
}

/// The digest among the figures.
pub(crate) fn digest(figures: &Value) -> String {
    figures["digest"].as_str().expect("a digest").to_owned()
}

/// Both streams, for messages.
pub(crate) fn said(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    format!("{out}{}", String::from_utf8_lossy(&output.stderr))
}

/// Whether the long worlds are played to their end, as `make test-full` does, and not for a week.
pub(crate) fn in_full() -> bool {
    std::env::var_os("WAVETANK_TEST_FULL").is_some_and(|value| value == "1")
}

/// How long a test waits for something that must happen.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// A process that ends with the test.
pub(crate) struct Background(pub(crate) Child);

impl Background {
    pub(crate) fn start(mut command: Command) -> Background {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Background(child.expect("the program starts"))
    }

    /// Kills it, and the database server with it, as soon as that many jobs of the world in its
    /// data directory are done.
    pub(crate) async fn kill_at_job(mut self, data: &Path, job: i64) {
        let began = Instant::now();
        let mut done = None;
        while done < Some(job) {
            done = done_jobs(data).await.or(done);
            if let Some(status) = self.0.try_wait().expect("a child") {
                let mut said = String::new();
                let _ = self.0.stderr.take().map(|mut text| text.read_to_string(&mut said));
                panic!("nothing was killed: {done:?} jobs were done, not {job}; {status}: {said}");
            }
            let waited = began.elapsed() < LIMIT;
            assert!(waited, "nothing was killed: {done:?} jobs are done, {job} are awaited");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.0.kill().expect("kill -9");
        let status = self.0.wait().expect("it ends");
        assert_eq!(status.signal(), Some(9), "it ended by itself after {done:?} jobs: {status}");
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(mut self) -> bool {
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let until = Instant::now() + Duration::from_secs(60);
        while Instant::now() < until {
            if let Ok(Some(status)) = self.0.try_wait() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }
}

/// `wavetank services` on a data directory, and the settings with which others reach them.
pub(crate) fn lend(data: &Path) -> (Background, HashMap<String, String>) {
    let mut command = wavetank();
    command.arg("services").arg("--data-dir").arg(data);
    let mut lender = Background::start(command);
    let out = lender.0.stdout.take().expect("standard output");
    let setting = |line: String| {
        let (name, value) = line
            .strip_prefix("export ")
            .and_then(|rest| rest.split_once('='))
            .unwrap_or_else(|| panic!("{line:?} is no setting"));
        (name.to_owned(), value.trim_matches('\'').to_owned())
    };
    let lines = BufReader::new(out).lines().take(5);
    let settings = lines.map(|line| setting(line.expect("text"))).collect();
    (lender, settings)
}

/// How many jobs of the world in a data directory are done; `None` while its server does not answer
/// or it has no world.
async fn done_jobs(data: &Path) -> Option<i64> {
    let socket = std::fs::read_to_string(data.join("postgres.socket")).ok()?;
    let options = PgConnectOptions::new_without_pgpass()
        .socket(socket.trim())
        .username("wavetank")
        .database("wavetank");
    let mut conn = PgConnection::connect_with(&options).await.ok()?;
    let done = sqlx::query_scalar("SELECT count(*) FROM ledger WHERE state = 'done'");
    let done = done.fetch_one(&mut conn).await;
    let _ = conn.close().await;
    done.ok()
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
