//! A study over the API of a split installation, without a world: three workers play it, one of them is
//! killed in the middle, and the result is that of the command line, byte for byte.
use crate::demo::wait_for;
use crate::support::{Background, LIMIT, data_dir, lend, said, wavetank};
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const STUDY: &str = "name: one-or-two\ntitle: One builder or two\nscenario: classroom\n\
                     warm_up: 1d\nseed: 11\ngrid:\n  builders.count: [1, 2]\n\
                     precision: {of: {measure: queue_wait_mean}, within: 2%, budget: 900}\n";

/// The program beside others on the same services.
fn beside(settings: &HashMap<String, String>, arguments: &[&str]) -> Command {
    let mut command = wavetank();
    command.args(arguments).envs(settings);
    command.env("WAVETANK_TOKEN_KEY", "0".repeat(64));
    command
}

fn worker(settings: &HashMap<String, String>) -> Background {
    Background::start(beside(settings, &["worker", "--workers", "1", "--study-threads", "1"]))
}

/// A client with the token of a new key.
async fn admin(settings: &HashMap<String, String>, base: &str) -> Client {
    let made = beside(settings, &["api-key", "create", "test", "--role", "admin"]).output();
    let made = made.expect("the program runs");
    assert!(made.status.success(), "{}", said(&made));
    let text = String::from_utf8_lossy(&made.stdout).into_owned();
    let key =
        text.split_whitespace().find(|word| word.starts_with("wt_")).expect("a key").to_owned();
    let client = Client::new();
    let began = Instant::now();
    let token = loop {
        let asked = client.post(format!("{base}/v1/auth/token")).json(&json!({"api_key": key}));
        match asked.send().await {
            Ok(answer) => break answer.json::<Value>().await.expect("JSON"),
            Err(error) => assert!(began.elapsed() < LIMIT, "no answer: {error}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let token = token["access_token"].as_str().unwrap_or_else(|| panic!("{token}")).to_owned();
    let mut headers = HeaderMap::new();
    let bearer = HeaderValue::from_str(&format!("Bearer {token}")).expect("a header");
    headers.insert(AUTHORIZATION, bearer);
    Client::builder().default_headers(headers).build().expect("a client")
}

/// What the command line prints of the study on one thread.
fn on_the_command_line(dir: &Path, format: &str) -> String {
    let file = dir.join("study.yaml");
    std::fs::write(&file, STUDY).expect("the study");
    let mut command = wavetank();
    command.arg("study").arg(&file).args(["--format", format, "--threads", "1"]);
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn three_workers_of_which_one_is_killed_play_a_study_as_the_command_line_does() {
    let data = data_dir();
    let (lender, settings) = lend(data.path());
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let base = format!("http://127.0.0.1:{port}");
    let serving =
        Background::start(beside(&settings, &["serve", "--listen", &format!("127.0.0.1:{port}")]));
    let client = admin(&settings, &base).await;
    let asked = client.post(format!("{base}/v1/studies")).json(&json!({"study": STUDY}));
    let asked: Value = asked.send().await.expect("an answer").json().await.expect("JSON");
    let href = format!("{base}{}", asked["href"].as_str().unwrap_or_else(|| panic!("{asked}")));

    // The first worker has the director's part, too. It is killed when something has been counted.
    let mut doomed = worker(&settings);
    wait_for(&client, &href, |study| study["done"].as_i64() > Some(0)).await;
    doomed.0.kill().expect("kill -9");
    doomed.0.wait().expect("it ends");
    let study: Value =
        client.get(&href).send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(study["status"], "running", "nothing was killed in the middle: {study:#}");
    let workers = [worker(&settings), worker(&settings)];
    wait_for(&client, &href, |study| study["status"] == "completed").await;

    for (document, format) in [("result", "json"), ("replications", "csv")] {
        let answer = client.get(format!("{href}/{document}")).send().await.expect("an answer");
        let text = answer.text().await.expect("text");
        let expected = on_the_command_line(data.path(), format);
        assert!(text == expected, "another {document} than on the command line");
    }
    for process in workers.into_iter().chain([serving, lender]) {
        assert!(process.stop(), "a process stops when it is asked to");
    }
}
