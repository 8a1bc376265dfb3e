//! A world that keeps two days of its past: what it answers about what is gone, that its evidence
//! still holds, and how the demo goes on at the scenario's end.
use crate::demo::{signed_in, wait_for};
use crate::support::{Background, data_dir, said, wavetank};
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Output;

/// The classroom, which keeps two days of its week.
fn scenario(directory: &Path) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/classroom.yaml");
    let text = std::fs::read_to_string(path).expect("the classroom");
    let path = directory.join("forgetful.yaml");
    let text = text.replace("name: classroom", "name: forgetful\nkeep: {history: 2d}");
    std::fs::write(&path, text).expect("a write");
    path
}

/// What a statement gives in the world of a data directory whose server runs.
async fn ask(data: &Path, sql: &'static str) -> String {
    let socket = std::fs::read_to_string(data.join("postgres.socket")).expect("a socket");
    let options = PgConnectOptions::new_without_pgpass().socket(socket.trim());
    let options = options.username("wavetank").database("wavetank");
    let mut conn = PgConnection::connect_with(&options).await.expect("a connection");
    let found = sqlx::query_scalar(sql).fetch_one(&mut conn).await.expect(sql);
    conn.close().await.expect("it closes");
    found
}

async fn get(client: &reqwest::Client, url: String) -> (u16, Value) {
    let answer = client.get(url).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

fn verified(arguments: &[&str]) -> Output {
    wavetank().arg("verify").args(arguments).output().expect("the program runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_is_told_and_what_is_left_holds() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    let address = format!("127.0.0.1:{}", port.expect("a port").port());
    let (data, out) = (data_dir(), data_dir());
    let mut command = wavetank();
    command.arg("demo").arg(scenario(out.path())).args(["--pace", "0", "--listen", &address]);
    command.arg("--data-dir").arg(data.path());
    let demo = Background::start(command);
    let base = format!("http://{address}");
    let client = signed_in(&base, &data.path().join("demo-keys.json")).await;
    let at_the_end = |clock: &Value| clock["materialized_through"] == clock["world"]["ends_at"];
    let clock = wait_for(&client, &format!("{base}/v1/clock"), |clock| {
        at_the_end(clock) && clock["mode"] == "paused"
    })
    .await;
    // The week ends at a midnight; what ended two days before that is gone.
    assert_eq!(clock["world"]["history_from"], "2026-01-10T00:00:00Z", "{clock}");

    let (status, retention) = get(&client, format!("{base}/v1/retention")).await;
    assert_eq!((status, &retention["keep_seconds"]), (200, &172_800.into()), "{retention}");
    assert_eq!(retention["history_from"], "2026-01-10T00:00:00Z");
    assert_eq!(retention["next_run_at"], "2026-01-13T00:00:00Z");
    let runs = retention["runs"].as_array().expect("runs");
    assert_eq!((runs.len(), &runs[0]["at"]), (5, &"2026-01-12T00:00:00Z".into()), "{retention}");
    let sum = |name: &str| runs.iter().filter_map(|run| run[name].as_i64()).sum::<i64>();
    assert!(sum("rows") > 0 && sum("objects") > 0 && sum("document_bytes") > 0, "{retention}");
    assert!(runs.iter().all(|run| run["done"] == true), "{retention}");

    let builds = |at: &str| format!("{base}/v1/builds?as_of={at}");
    let (status, problem) = get(&client, builds("2026-01-09T23:59:59.999Z")).await;
    assert_eq!((status, &problem["code"]), (400, &"as_of_before_history".into()), "{problem}");
    assert!(problem["detail"].as_str().is_some_and(|d| d.contains("2026-01-10T00:00:00Z")));
    assert_eq!(get(&client, builds("2026-01-10T00:00:00Z")).await.0, 200);

    let sha256 = ask(
        data.path(),
        "SELECT substr(object_key, 14) FROM expired_objects WHERE object_key LIKE 'blobs/%' LIMIT 1",
    )
    .await;
    let (status, problem) = get(&client, format!("{base}/v1/artifacts/{sha256}")).await;
    assert_eq!((status, &problem["code"]), (410, &"document_expired".into()), "{problem}");
    let index = ask(
        data.path(),
        "SELECT max(log_index)::text FROM expired_leaves WHERE log = 'transparency'",
    )
    .await;
    let (status, problem) =
        get(&client, format!("{base}/v1/logs/transparency/entries/{index}")).await;
    assert_eq!((status, &problem["code"]), (410, &"log_entry_expired".into()), "{problem}");
    let proof = format!("{base}/v1/logs/transparency/inclusion-proof?index={index}");
    assert_eq!(get(&client, proof).await.0, 200);
    assert!(demo.stop(), "the demo stops when it is asked to");

    // The attacker's forgery of Thursday is of the newest version: it is still found.
    let forged = "images/gateway-legacy/";
    let data_dir = data.path().to_str().expect("a path");
    let of_world = verified(&["--data-dir", data_dir]);
    let text = said(&of_world);
    assert!(text.contains("history is kept from 2026-01-10"), "{text}");
    assert!(text.contains(forged) && text.contains("\n1 problem\n"), "{text}");
    let directory = out.path().join("export");
    let mut export = wavetank();
    export.args(["export", "--all-versions", "--data-dir", data_dir]).arg(&directory);
    let exported = export.output().expect("the program runs");
    assert!(exported.status.success(), "{}", said(&exported));
    let text = said(&verified(&[directory.to_str().expect("a path")]));
    assert!(text.contains(forged) && text.contains("\n1 problem\n"), "{text}");

    // A bundle of entries that should be there is missed as before.
    let bundle = directory.join("log/tile/entries/000");
    assert!(bundle.exists(), "the first bundle holds what the images began with");
    std::fs::remove_file(bundle).expect("it is removed");
    let text = said(&verified(&[directory.to_str().expect("a path")]));
    assert!(text.contains("the log was cut"), "{text}");
}
