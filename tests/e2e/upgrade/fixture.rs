//! The worlds that are kept of releases: what is known of each, and how one is made to live again.
use super::Serving;
use crate::support::{data_dir, lend, said, wavetank};
use embedded::{DataDir, EmbeddedPostgres, PostgresOptions};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A file of the repository.
pub(super) fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// `fixture.json`, as scripts/release-fixture.sh writes it.
#[derive(Deserialize)]
pub(super) struct Fixture {
    pub(super) release: String,
    pub(super) kernel_version: String,
    /// Where `requests.json` was asked for.
    pub(super) asked_at: String,
    /// Where tests go on to.
    pub(super) goes_on_to: String,
    pub(super) digest: String,
}

/// Roles belong to the server, not to the database that was dumped.
const ROLES: &str = "CREATE ROLE wavetank_tenant NOLOGIN; CREATE ROLE wavetank_platform NOLOGIN";

impl Fixture {
    /// Those of all releases, in the order of their names.
    pub(super) fn all() -> Vec<Fixture> {
        let directory = fs::read_dir(root("tests/upgrade/fixtures")).expect("fixtures");
        let mut all: Vec<Fixture> = directory
            .map(|entry| {
                let path = entry.expect("an entry").path();
                let text = fs::read_to_string(path.join("fixture.json")).expect("a fixture");
                let fixture: Fixture = serde_json::from_str(&text).expect("JSON");
                assert!(path.ends_with(&fixture.release), "{}", path.display());
                fixture
            })
            .collect();
        all.sort_by(|a, b| a.release.cmp(&b.release));
        assert!(!all.is_empty());
        all
    }

    /// That of this program's own release.
    pub(super) fn newest() -> Fixture {
        let mut all = Self::all().into_iter();
        let own = all.find(|fixture| fixture.release == env!("CARGO_PKG_VERSION"));
        own.expect("a fixture of this release")
    }

    fn file(&self, name: &str) -> PathBuf {
        root("tests/upgrade/fixtures").join(&self.release).join(name)
    }

    /// The data directory as that release left it, but on a cluster of today's server.
    pub(super) async fn restore(&self) -> TempDir {
        let data = data_dir();
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(self.file("world.tar.gz")).arg("-C").arg(data.path());
        assert!(tar.status().expect("tar").success(), "{}", self.release);
        let dump = fs::read_to_string(data.path().join("database.sql")).expect("a dump");
        sql(data.path(), &format!("{ROLES};\n{dump}")).await;
        data
    }

    /// As if another version of the kernel had made the world.
    pub(super) async fn set_kernel(&self, data: &Path, version: &str) {
        sql(data, &format!("UPDATE world SET kernel_version = '{version}'")).await;
    }

    /// `wavetank run` with the fixture's scenario.
    pub(super) fn play(&self, data: &Path, until: &str) -> Command {
        let mut command = wavetank();
        command.arg("run").arg(self.file("scenario.yaml")).arg("--data-dir").arg(data);
        command.args(["--until", until, "--format", "json"]);
        command
    }

    /// Asks a world for what the fixture's was asked for.
    pub(super) async fn ask(&self, data: &Path) {
        let (lender, settings) = lend(data);
        let key = new_key(&settings);
        let mut command = wavetank();
        let serving = Serving::start(command.arg("serve").envs(&settings), "pages at");
        let client = client(&serving.base, &key).await;
        let requests = fs::read_to_string(self.file("requests.json")).expect("requests");
        let requests: Vec<Value> = serde_json::from_str(&requests).expect("JSON");
        for request in requests {
            let url = format!("{}{}", serving.base, request["path"].as_str().expect("a path"));
            let answer = client.post(url).json(&request["body"]).send().await.expect("an answer");
            assert!(answer.status().is_success(), "{request}: {:?}", answer.text().await);
        }
        assert!(serving.process.stop(), "the API stops when it is asked to");
        assert!(lender.stop(), "the services stop when they are asked to");
    }
}

/// Runs statements on the embedded server of a data directory, with no program of ours between.
async fn sql(data: &Path, statements: &str) {
    let held = DataDir::open(data).expect("a data directory");
    let server = EmbeddedPostgres::start(held.path(), PostgresOptions::from_env());
    let server = server.await.expect("a server");
    let mut conn = PgConnection::connect(&server.url()).await.expect("a connection");
    let statements = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
    statements.execute(&mut conn).await.expect("statements");
    conn.close().await.expect("closed");
    server.stop().await;
}

/// A new key of an admin.
pub(super) fn new_key(settings: &HashMap<String, String>) -> String {
    let mut command = wavetank();
    command.args(["api-key", "create", "test", "--role", "admin"]).envs(settings);
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// A client with a token for a key.
pub(super) async fn client(base: &str, key: &str) -> reqwest::Client {
    let asked = reqwest::Client::new().post(format!("{base}/v1/auth/token"));
    let token = asked.json(&json!({ "api_key": key })).send().await.expect("an answer");
    let token: Value = token.json().await.expect("JSON");
    let token = token["access_token"].as_str().unwrap_or_else(|| panic!("{token}"));
    let bearer = HeaderValue::from_str(&format!("Bearer {token}")).expect("a header");
    let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
    reqwest::Client::builder().default_headers(headers).build().expect("a client")
}
