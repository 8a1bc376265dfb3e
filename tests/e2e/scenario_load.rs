//! Another world replaces the running one, over the API: it equals one played from the start, and
//! nothing of the old world is left.
use crate::demo::{signed_in, wait_for};
use crate::determinism::CLASSROOM;
use crate::support::{Background, data_dir, scenario, wavetank};
use serde_json::{Value, json};
use std::net::TcpListener;

async fn post(client: &reqwest::Client, url: &str, body: Value) -> (u16, Value) {
    let answer = client.post(url).json(&body).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loaded_world_equals_one_played_from_the_start() {
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let address = format!("127.0.0.1:{port}");
    let base = format!("http://{address}");
    let data = data_dir();
    let demo = |file: &str| {
        let mut command = wavetank();
        command.arg("demo").arg(scenario(file)).args(["--pace", "3600"]);
        command.args(["--listen", &address, "--data-dir"]).arg(data.path());
        Background::start(command)
    };
    let running = demo("four-weeks");
    let client = signed_in(&base, &data.path().join("demo-keys.json")).await;
    // In the middle of the fast-forward, with jobs in flight.
    let clock = format!("{base}/v1/clock");
    let moved = |clock: &Value| clock["materialized_through"] != clock["world"]["starts_at"];
    let before = wait_for(&client, &clock, moved).await;
    assert_eq!(before["world"]["name"], "four-weeks");
    let load = format!("{base}/v1/scenarios/load");
    let wish = json!({"name": "classroom", "replace": "four-weeks", "clock": "paused"});
    let (status, asked) = post(&client, &load, wish.clone()).await;
    assert_eq!(status, 202, "{asked}");
    let href = format!("{base}{}", asked["href"].as_str().expect("an href"));
    let over = |load: &Value| load["status"] == "done" || load["status"] == "failed";
    let done = wait_for(&client, &href, over).await;
    assert_eq!(done["status"], "done", "{done}");
    let now = wait_for(&client, &clock, |clock| clock["world"]["name"] == "classroom").await;
    assert_eq!(now["materialized_through"], now["world"]["starts_at"], "it has just begun");
    let (status, refused) = post(&client, &load, wish).await;
    assert_eq!((status, &refused["code"]), (409, &json!("other_world")));

    let ends = now["world"]["ends_at"].clone();
    let play = json!({"mode": "fast", "run_until": ends});
    let set = client.put(&clock).json(&play).send().await.expect("an answer");
    assert_eq!(set.status(), 200);
    let at_end = |clock: &Value| clock["materialized_through"] == ends && clock["mode"] == "paused";
    wait_for(&client, &clock, at_end).await;
    assert!(running.stop(), "the demo stops when it is asked to");
    let digest = || {
        let mut command = wavetank();
        command.args(["digest", "--data-dir"]).arg(data.path());
        let output = command.output().expect("the program runs");
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    };
    assert_eq!(digest(), CLASSROOM, "it differs from one played from the start");

    // The same command goes on with the world that was loaded.
    let again = demo("four-weeks");
    let client = signed_in(&base, &data.path().join("demo-keys.json")).await;
    let clock = wait_for(&client, &clock, |_| true).await;
    assert_eq!(clock["world"]["name"], "classroom");
    assert!(again.stop());
}
