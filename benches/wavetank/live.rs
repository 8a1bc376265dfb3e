//! A live world: how soon a request is seen to run, and how soon an ended build is on record.
use serde_json::{Value, json};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const REQUESTS: usize = 60;
/// One simulated hour a second: the demo's pace.
const FACTOR: f64 = 3600.0;

pub(crate) async fn latencies() {
    let data = super::directory("wavetank-live-");
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_wavetank"))
        .arg("demo")
        .arg(super::scenario("classroom"))
        .args(["--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
        .arg(data.path())
        .env_remove("DATABASE_URL")
        .env_remove("S3_ENDPOINT")
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let base = format!("http://127.0.0.1:{port}/v1");
    let client = reqwest::Client::new();
    let mut started = Vec::new();
    let origin = Instant::now();
    let mut sightings = Vec::new();
    until(&client, &format!("{base}/clock"), |clock| clock["mode"] == "live").await;
    let images = until(&client, &format!("{base}/images"), |_| true).await;
    let names: Vec<Value> = images["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|image| image["status"] == "active")
        .map(|image| image["name"].clone())
        .collect();
    for request in 0..REQUESTS {
        let body = json!({ "name": names[request % names.len()] });
        let answer = client.post(format!("{base}/images")).json(&body).send().await;
        let build: Value = answer.expect("an answer").json().await.expect("JSON");
        assert!(build["id"].is_number(), "the request was refused: {build}");
        let begin = Instant::now();
        let url = format!("{base}/builds/{}", build["id"]);
        let running = until(&client, &url, |build| build["status"] != "pending").await;
        started.push(begin.elapsed());
        let seen_running = origin.elapsed();
        let ended = until(&client, &url, ended).await;
        let begun = simulated(&running["started_at"]);
        let finished = simulated(&ended["finished_at"]);
        sightings.push((begun, seen_running, finished, origin.elapsed()));
    }
    // The live clock goes straight: the earliest sighting of a start tells where it stands, at most
    // as much too late as that sighting was.
    let wall_ms = |simulated_ms: i64| simulated_ms as f64 / FACTOR;
    let zero = sightings
        .iter()
        .filter_map(|(begun, seen, ..)| Some(seen.as_secs_f64() * 1e3 - wall_ms((*begun)?)))
        .fold(f64::INFINITY, f64::min);
    let recorded: Vec<Duration> = sightings
        .iter()
        .filter_map(|(.., finished, seen)| {
            let late_ms = seen.as_secs_f64() * 1e3 - zero - wall_ms((*finished)?);
            Some(Duration::from_secs_f64(late_ms.max(0.0) / 1e3))
        })
        .collect();
    println!("live, from the answer to the build seen running: {}", quantiles(started));
    println!(
        "live, from a build's simulated end to its documents stored and the build seen completed: \
         {} (the clock is inferred from the earliest start that was seen)",
        quantiles(recorded)
    );
    let _ = Command::new("kill").arg(demo.id().to_string()).status();
    let _ = demo.wait();
}

/// The milliseconds of a simulated instant.
fn simulated(instant: &Value) -> Option<i64> {
    let instant = chrono::DateTime::parse_from_rfc3339(instant.as_str()?).ok()?;
    Some(instant.timestamp_millis())
}

fn ended(build: &Value) -> bool {
    !matches!(build["status"].as_str(), Some("pending" | "running" | "finishing"))
}

fn quantiles(mut all: Vec<Duration>) -> String {
    all.sort_unstable();
    let at = |share: f64| all[((all.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    format!("median {:.1} ms, p95 {:.1} ms ({} builds)", at(0.5), at(0.95), all.len())
}

async fn until(client: &reqwest::Client, url: &str, done: impl Fn(&Value) -> bool) -> Value {
    let give_up = Instant::now() + Duration::from_secs(60);
    while Instant::now() < give_up {
        if let Ok(answer) = client.get(url).send().await
            && answer.status().is_success()
            && let Ok(value) = answer.json::<Value>().await
            && done(&value)
        {
            return value;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{url} did not come to it in a minute");
}
