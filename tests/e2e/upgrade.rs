//! Worlds that earlier releases made: brought forward, gone on with where the kernel is the same,
//! and readable for ever where it is another one.
mod fixture;

use crate::support::{Background, data_dir, digest, figures, lend, said, wavetank};
use fixture::Fixture;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

#[test]
fn every_release_has_its_fixture() {
    let changelog = fs::read_to_string(fixture::root("CHANGELOG.md")).expect("a changelog");
    let headings = changelog.lines().filter_map(|line| line.strip_prefix("## [")?.split_once(']'));
    let mut released: Vec<_> = headings.map(|(name, _)| name).collect();
    released.retain(|name| *name != "Unreleased");
    released.sort_unstable();
    assert!(released.contains(&env!("CARGO_PKG_VERSION")), "CHANGELOG.md has {released:?}");
    assert_eq!(Fixture::all().iter().map(|f| f.release.clone()).collect::<Vec<_>>(), released);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_world_is_brought_forward_and_goes_on() {
    for fixture in Fixture::all() {
        let data = fixture.restore().await;
        let migrated = with_data(&["migrate"], data.path());
        assert!(migrated.status.success(), "{}: {}", fixture.release, said(&migrated));
        assert_eq!(fixture.digest, digest_of(data.path()), "{}", fixture.release);
        let keys = with_data(&["api-key", "list"], data.path());
        assert!(said(&keys).contains("fixture"), "{}: {}", fixture.release, said(&keys));
        let verified = with_data(&["verify"], data.path());
        assert!(verified.status.success(), "{}: {}", fixture.release, said(&verified));
        if fixture.kernel_version != sim::KERNEL_VERSION {
            refused(&fixture, data.path());
            continue;
        }
        let went_on = figures(fixture.play(data.path(), &fixture.goes_on_to));
        let straight = data_dir();
        figures(fixture.play(straight.path(), &fixture.asked_at));
        fixture.ask(straight.path()).await;
        let straight = figures(fixture.play(straight.path(), &fixture.goes_on_to));
        assert_eq!(digest(&went_on), digest(&straight), "{}", fixture.release);
        assert_ne!(digest(&went_on), fixture.digest, "{}: it has not gone on", fixture.release);
    }
}

/// Going on with a world of another kernel.
fn refused(fixture: &Fixture, data: &Path) {
    let refused = fixture.play(data, &fixture.goes_on_to).output().expect("the program runs");
    let message = said(&refused);
    assert!(!refused.status.success(), "{}: {message}", fixture.release);
    for part in ["by version", "of the kernel", "\nhint: ", "wavetank export", "--data-dir"] {
        assert!(message.contains(part), "{}: {part:?} is not in {message}", fixture.release);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_of_another_kernel_is_read_and_exported_and_does_not_go_on() {
    let fixture = Fixture::newest();
    let data = fixture.restore().await;
    let answers = exported(data.path());
    fixture.set_kernel(data.path(), "0").await;
    let before = digest_of(data.path());
    assert_eq!(exported(data.path()), answers, "exports come from rows, not from the kernel");
    let verified = with_data(&["verify"], data.path());
    assert!(verified.status.success(), "{}", said(&verified));
    refused(&fixture, data.path());
    split(data.path()).await;
    demo(data.path()).await;
    assert_eq!(digest_of(data.path()), before, "nothing of the world was changed");
}

/// Exports a world, verifies the export, and returns its answer key.
fn exported(data: &Path) -> Value {
    let out = data_dir();
    let target = out.path().to_str().expect("a path");
    let written = with_data(&["export", target, "--all-versions"], data);
    assert!(written.status.success(), "{}", said(&written));
    let verified = wavetank().args(["verify", target]).output().expect("the program runs");
    assert!(verified.status.success(), "{}", said(&verified));
    let answers = fs::read_to_string(out.path().join("answers.json")).expect("the answer key");
    let answers: Value = serde_json::from_str(&answers).expect("JSON");
    let truth = |affected: bool| {
        let images = answers["images"].as_array().into_iter().flatten();
        let held = images.flat_map(|image| image["vulnerabilities"].as_array().expect("a list"));
        held.filter(|held| held["affected"] == affected).count()
    };
    assert!(truth(true) > 0 && truth(false) > 0, "{answers:#}");
    answers
}

/// `serve` answers, and says why the clock stands; `conduct` and `worker` refuse.
async fn split(data: &Path) {
    let (lender, settings) = lend(data);
    let mut command = wavetank();
    let serving = Serving::start(command.arg("serve").envs(&settings), "pages at");
    assert!(serving.said("warning: this world was made by version 0 of the kernel"));
    let key = fixture::new_key(&settings);
    reads_and_refuses(&fixture::client(&serving.base, &key).await, &serving.base).await;
    for part in ["conduct", "worker"] {
        let output = wavetank().arg(part).envs(&settings).output().expect("the program runs");
        assert!(!output.status.success(), "{part}: {}", said(&output));
        assert!(said(&output).contains("of the kernel"), "{part}: {}", said(&output));
    }
    assert!(serving.process.stop(), "the API stops when it is asked to");
    newer_than_the_program(&settings).await;
    assert!(lender.stop(), "the services stop when they are asked to");
}

/// A database that a newer release has opened is left alone, its queue's tables as well as ours.
async fn newer_than_the_program(settings: &HashMap<String, String>) {
    let mut conn = PgConnection::connect(&settings["DATABASE_URL"]).await.expect("a connection");
    for table in ["_sqlx_migrations", "apalis._sqlx_migrations"] {
        let insert = format!(
            "INSERT INTO {table} (version, description, success, checksum, execution_time)
             VALUES (99990101000000, 'of a later release', true, '\\x00', 0)"
        );
        sqlx::query(sqlx::AssertSqlSafe(insert)).execute(&mut conn).await.expect("a row");
        let output = wavetank().arg("migrate").envs(settings).output().expect("the program runs");
        let message = said(&output);
        assert!(!output.status.success(), "{table}: {message}");
        for part in ["a newer release", "99990101000000", "\nhint: use that release"] {
            assert!(message.contains(part), "{table}: {part:?} is not in {message}");
        }
        let delete = format!("DELETE FROM {table} WHERE version = 99990101000000");
        sqlx::query(sqlx::AssertSqlSafe(delete)).execute(&mut conn).await.expect("gone");
    }
    conn.close().await.expect("closed");
}

/// `demo` goes on showing it.
async fn demo(data: &Path) {
    let mut command = wavetank();
    let serving = Serving::start(command.arg("demo").arg("--data-dir").arg(data), "API key");
    for part in ["warning: this world was made by version 0", "hint: the world stays readable"] {
        assert!(serving.said(part), "{part}: {:?}", serving.lines);
    }
    let admin = serving.lines.last().and_then(|line| line.split_whitespace().nth(2));
    let client = fixture::client(&serving.base, admin.expect("a key")).await;
    reads_and_refuses(&client, &serving.base).await;
    assert!(serving.process.stop(), "the demo stops when it is asked to");
}

async fn reads_and_refuses(client: &reqwest::Client, base: &str) {
    let get = async |path: &str| {
        let answer = client.get(format!("{base}{path}")).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        answer.json::<Value>().await.expect("JSON")
    };
    let clock = get("/v1/clock").await;
    let reason = clock["held_reason"].as_str().unwrap_or_else(|| panic!("{clock}"));
    assert!(reason.contains("made by version 0 of the kernel"), "{reason}");
    assert_eq!(clock["world"]["kernel_version"], "0");
    let health = get("/health").await;
    assert_eq!(health["kernel_version"], sim::KERNEL_VERSION, "{health}");
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"), "{health}");
    assert_eq!(get("/ready").await["conductor"], "absent");
    for path in
        ["images", "builds", "findings", "advisories", "timeline", "audit-logs", "commands/1"]
    {
        let answer = get(&format!("/v1/{path}")).await;
        assert!(path.contains('/') || answer["items"][0].is_object(), "{path}: {answer}");
    }
    assert_eq!(get("/v1/scenarios/current").await["images"], 4);
    let then = clock["world"]["starts_at"].as_str().expect("an instant");
    assert!(get(&format!("/v1/images?as_of={then}")).await["items"][0].is_object());
    let refused = async |request: reqwest::RequestBuilder| {
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let problem: Value = answer.json().await.expect("JSON");
        assert_eq!(
            (status.as_u16(), &problem["code"]),
            (409, &json!("kernel_mismatch")),
            "{problem}"
        );
        assert!(problem["hint"].as_str().expect("a hint").contains("export"), "{problem}");
    };
    refused(client.put(format!("{base}/v1/clock")).json(&json!({ "mode": "live" }))).await;
    refused(client.post(format!("{base}/v1/scans")).json(&json!({}))).await;
    refused(client.post(format!("{base}/v1/images")).json(&json!({ "name": "service" }))).await;
    let load = json!({ "name": "classroom", "replace": "upgrade" });
    refused(client.post(format!("{base}/v1/scenarios/load")).json(&load)).await;
    refused(client.post(format!("{base}/v1/jobs/1/retry"))).await;
}

/// The scenario of the demo may change from release to release; its worlds go on with their own.
#[tokio::test(flavor = "multi_thread")]
async fn the_demo_goes_on_with_the_scenario_that_made_its_world() {
    let data = data_dir();
    let file = data.path().join("four-weeks.yaml");
    let earlier = format!("# Of an earlier release.\n{}", sim::bundled::DEMO);
    fs::write(&file, earlier).expect("a file");
    let world = data.path().join("data");
    let mut run = wavetank();
    run.arg("run").arg(&file).args(["--until", "1h", "--format", "json", "--data-dir"]).arg(&world);
    figures(run);
    let mut command = wavetank();
    command.args(["demo", "--until", "2h", "--data-dir"]).arg(&world);
    let demo = Serving::start(&mut command, "API key");
    assert!(demo.said("Going on with four-weeks as an earlier release had it."));
    assert!(demo.process.stop(), "the demo stops when it is asked to");
}

/// A process that serves the API, and what it has said by then.
struct Serving {
    process: Background,
    base: String,
    lines: Vec<String>,
}

impl Serving {
    /// Starts it and reads what it says, up to the first line that begins with `last`.
    fn start(command: &mut Command, last: &str) -> Serving {
        command.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = Background(command.spawn().expect("the program starts"));
        let stderr = process.0.stderr.take().expect("its standard error");
        let mut output = BufReader::new(stderr).lines();
        let mut lines: Vec<String> = Vec::new();
        while !lines.last().is_some_and(|line| line.starts_with(last)) {
            let line = output.next().unwrap_or_else(|| panic!("it ended: {lines:#?}"));
            lines.push(line.expect("text"));
        }
        let address = lines.iter().find_map(|line| line.split_once("http://")?.1.split('/').next());
        let base = format!("http://{}", address.expect("an address"));
        // Whoever writes to a pipe that nobody reads stands still.
        std::thread::spawn(move || output.for_each(drop));
        Serving { process, base, lines }
    }

    fn said(&self, part: &str) -> bool {
        self.lines.iter().any(|line| line.contains(part))
    }
}

fn with_data(arguments: &[&str], data: &Path) -> Output {
    let mut command = wavetank();
    command.args(arguments).arg("--data-dir").arg(data);
    command.output().expect("the program runs")
}

fn digest_of(data: &Path) -> String {
    let output = with_data(&["digest"], data);
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}
