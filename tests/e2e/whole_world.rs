//! Whole worlds, read in every way: a quiet one, in which nothing happens and every list is empty,
//! and a busy one, in all of whose JSON instants have one form.
use crate::demo::{get, signed_in, wait_for};
use crate::instants_in::{instants, misshapen};
use crate::support::{Background, data_dir, figures, lend, run, said, scenario, wavetank};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::net::TcpListener;
use std::path::Path;

/// Nothing is disclosed, nobody uses anything, nothing is built beside what was there, and it
/// begins within a second.
const QUIET: &str = "\
name: quiet
title: A world in which nothing happens
start: 2026-01-05T00:00:00.500Z
duration: 2d
distribution: { packages: 20 }
vulnerabilities: { per_day: 0 }
images:
  - { name: lonely, packages: 3 }
triggers: { upstream: false, base_change: false, cve_fix: null }
scanner: { schedule: null }
sla: { check: null }
";

/// Lists of what a quiet world has none of.
const NOTHING: &[&str] =
    &["advisories", "customers", "findings", "incidents", "notifications", "actions"];

/// The API of a demo on a data directory.
struct Demo {
    process: Background,
    client: reqwest::Client,
    base: String,
}

impl Demo {
    async fn start(scenario: &Path, data: &Path) -> Demo {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let address = format!("127.0.0.1:{}", port.expect("a port").port());
        let mut command = wavetank();
        command.arg("demo").arg(scenario).args(["--listen", &address, "--data-dir"]).arg(data);
        let process = Background::start(command);
        let base = format!("http://{address}");
        let client = signed_in(&base, &data.join("demo-keys.json")).await;
        wait_for(&client, &format!("{base}/v1/clock"), |clock| clock["mode"] == "live").await;
        Demo { process, client, base }
    }

    async fn get(&self, path: &str) -> String {
        get(&self.client, &format!("{}{path}", self.base)).await
    }
}

/// What can be read of a world without naming anything in it.
fn reads() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/wavetank.json");
    let document = std::fs::read(file).expect("the specification");
    let document: Value = serde_json::from_slice(&document).expect("JSON");
    let is_required = |parameter: &Value| {
        let shared = parameter["$ref"].as_str().and_then(|text| text.strip_prefix('#'));
        shared.and_then(|pointer| document.pointer(pointer)).unwrap_or(parameter)["required"]
            == true
    };
    let paths = document["paths"].as_object().expect("paths").iter();
    let reads = paths.filter(|(path, item)| {
        let get = &item["get"];
        let mut parameters = get["parameters"].as_array().into_iter().flatten();
        let json = &get["responses"]["200"]["content"]["application/json; charset=utf-8"];
        path.starts_with("/v1/") && json.is_object() && !parameters.any(is_required)
    });
    reads.map(|(path, _)| path.clone()).collect()
}

fn export(data: &Path, to: &Path) {
    let mut command = wavetank();
    command.arg("export").arg(to).args(["--all-versions", "--data-dir"]).arg(data);
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_in_which_nothing_happens_is_a_world_like_any_other() {
    let (data, out) = (data_dir(), data_dir());
    let file = out.path().join("quiet.yaml");
    std::fs::write(&file, QUIET).expect("a scenario");
    let world = data.path().join("world");
    let mut run = wavetank();
    run.arg("run").arg(&file).args(["--format", "json", "--data-dir"]).arg(&world);
    figures(run);
    let to = out.path().join("export");
    export(&world, &to);
    let mut from_rows = wavetank();
    from_rows.arg("verify").arg("--data-dir").arg(&world);
    let mut from_files = wavetank();
    from_files.arg("verify").arg(&to);
    for mut verify in [from_rows, from_files] {
        let output = verify.output().expect("the program runs");
        assert!(output.status.success(), "{verify:?}: {}", said(&output));
    }
    let world_file = std::fs::read(to.join("world.json")).expect("world.json");
    let world_file: Value = serde_json::from_slice(&world_file).expect("JSON");
    assert_eq!((&world_file["advisories"], &world_file["versions"]), (&0.into(), &1.into()));
    // Files are missed all the same where some should be.
    let claimed = String::from_utf8_lossy(&std::fs::read(to.join("world.json")).expect("a file"))
        .replace("\"advisories\": 0", "\"advisories\": 1");
    std::fs::write(to.join("world.json"), claimed).expect("a write");
    let output = wavetank().arg("verify").arg(&to).output().expect("the program runs");
    assert!(said(&output).contains("osv: it holds 0 advisories"), "{}", said(&output));

    let demo = Demo::start(&file, &data.path().join("demo")).await;
    let reads = reads();
    assert!(reads.len() > 25, "{reads:?}");
    for path in &reads {
        let page: Value = serde_json::from_str(&demo.get(path).await).expect("JSON");
        let name = path.rsplit('/').next().unwrap_or_default();
        let is_empty = page["items"].as_array().is_some_and(Vec::is_empty);
        assert!(is_empty || !NOTHING.contains(&name), "{path}: {page}");
    }
    for name in NOTHING {
        assert!(reads.iter().any(|path| path.ends_with(&format!("/{name}"))), "{name}: {reads:?}");
    }
    assert!(demo.process.stop(), "the demo stops when it is asked to");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_world_writes_instants_in_one_form() {
    let data = data_dir();
    let told =
        figures(run("classroom", data.path(), &["--seed", "3", "--until", "5d"])).to_string();
    assert_eq!(misshapen(&told), [""; 0], "{told}");
    let (lender, settings) = lend(data.path());
    let mut conn = PgConnection::connect(&settings["DATABASE_URL"]).await.expect("a connection");
    // Whatever JSON there is in rows, wherever it came from.
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text FROM information_schema.columns
         WHERE table_schema = 'public' AND data_type = 'jsonb' ORDER BY 1, 2",
    )
    .fetch_all(&mut conn)
    .await
    .expect("columns");
    let mut in_rows = 0;
    for (table, column) in columns {
        let rows = format!("SELECT {column}::text FROM {table} WHERE {column} IS NOT NULL");
        let rows: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(rows)).fetch_all(&mut conn).await.expect("rows");
        for row in rows {
            in_rows += instants(&row).len();
            assert_eq!(misshapen(&row), [""; 0], "{table}.{column}: {row}");
        }
    }
    assert!(in_rows > 10, "{in_rows}");
    conn.close().await.expect("closed");
    assert!(lender.stop(), "the services stop when they are asked to");

    let demo = Demo::start(&scenario("classroom"), data.path()).await;
    let mut seen = 0;
    for path in reads() {
        let text = demo.get(&path).await;
        seen += instants(&text).len();
        assert_eq!(misshapen(&text), [""; 0], "{path}: {text}");
        let page: Value = serde_json::from_str(&text).expect("JSON");
        if let Some(href) = page["items"][0]["href"].as_str() {
            let text = demo.get(href).await;
            seen += instants(&text).len();
            assert_eq!(misshapen(&text), [""; 0], "{href}: {text}");
        }
    }
    assert!(seen > 200, "{seen}");
    assert!(demo.process.stop(), "the demo stops when it is asked to");
}
