//! A live world: how soon a request is seen to run, and how soon an ended build is on record.
use crate::client::{self, Client};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const REQUESTS: usize = 60;
/// One simulated hour a second.
const FACTOR: f64 = 3600.0;

pub(crate) async fn latencies() {
    let data = super::directory("wavetank-live-");
    let services = super::whole::open(data.path()).await;
    let port = client::free_port();
    let mut demo = client::program(&services)
        .arg("demo")
        .arg(super::scenario("classroom"))
        .args(["--pace", &FACTOR.to_string(), "--listen", &format!("127.0.0.1:{port}")])
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let key = client::api_key(&services, None);
    let client = Client::sign_in(format!("http://127.0.0.1:{port}"), &key).await;
    let mut started = Vec::new();
    let origin = Instant::now();
    let mut sightings = Vec::new();
    client.until("/v1/clock", |clock| clock["mode"] == "live").await;
    let images = client.until("/v1/images", |_| true).await;
    let names: Vec<Value> = images["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|image| image["status"] == "active")
        .map(|image| image["name"].clone())
        .collect();
    for request in 0..REQUESTS {
        let body = json!({ "name": names[request % names.len()] });
        let build = client.send(reqwest::Method::POST, "/v1/images", &body).await;
        assert!(build["id"].is_number(), "the request was refused: {build}");
        let begin = Instant::now();
        let path = format!("/v1/builds/{}", build["id"]);
        let running = client.until(&path, |build| build["status"] != "pending").await;
        started.push(begin.elapsed());
        let seen_running = origin.elapsed();
        let ended = client.until(&path, ended).await;
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
    services.stop().await;
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
