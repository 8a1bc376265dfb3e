//! The demo: its API answers at once, a requested build completes, and it stops cleanly.
use crate::support::{Background, data_dir, scenario, wavetank};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_build_requested_over_the_api_is_carried_out() {
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let address = format!("127.0.0.1:{port}");
    let data = data_dir();
    let mut command = wavetank();
    command.arg("demo").arg(scenario("classroom")).args(["--pace", "3600"]);
    command.args(["--listen", &address, "--data-dir"]).arg(data.path());
    let demo = Background::start(command);
    let base = format!("http://{address}");
    let client = signed_in(&base, &data.path().join("demo-keys.json")).await;
    let clock =
        wait_for(&client, &format!("{base}/v1/clock"), |clock| clock["mode"] == "live").await;
    assert_eq!(clock["factor"], json!(3600.0), "{clock}");
    let images = wait_for(&client, &format!("{base}/v1/images"), |_| true).await;
    let name = images["items"][0]["name"].as_str().expect("an image").to_owned();
    let asked: Value = client
        .post(format!("{base}/v1/images"))
        .json(&json!({ "name": name }))
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    let id = asked["id"].as_i64().unwrap_or_else(|| panic!("{asked}"));
    let build = wait_for(&client, &format!("{base}/v1/builds/{id}"), |build| {
        !matches!(build["status"].as_str(), Some("pending" | "running" | "finishing"))
    })
    .await;
    assert!(
        matches!(build["status"].as_str(), Some("completed" | "unchanged" | "merged")),
        "{build}"
    );
    assert!(demo.stop(), "the demo stops when it is asked to");
}

/// A client with a token for the demo's admin key, which the demo keeps in its data directory.
pub(crate) async fn signed_in(base: &str, keys: &std::path::Path) -> reqwest::Client {
    use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
    let until = Instant::now() + Duration::from_secs(60);
    let client = reqwest::Client::new();
    loop {
        let kept = std::fs::read_to_string(keys).unwrap_or_default();
        let kept: Value = serde_json::from_str(&kept).unwrap_or_default();
        let asked = client.post(format!("{base}/v1/auth/token"));
        let asked = asked.json(&json!({ "api_key": kept["admin"].as_str().unwrap_or("none") }));
        if let Ok(answer) = asked.send().await
            && let Ok(token) = answer.json::<Value>().await
            && let Some(token) = token["access_token"].as_str()
        {
            let bearer = HeaderValue::from_str(&format!("Bearer {token}")).expect("a header");
            let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
            return reqwest::Client::builder().default_headers(headers).build().expect("a client");
        }
        assert!(Instant::now() < until, "no token within a minute");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The text of an answer, which must be a success.
pub(crate) async fn get(client: &reqwest::Client, url: &str) -> String {
    let answer = client.get(url).send().await.expect("an answer");
    let status = answer.status();
    let text = answer.text().await.expect("a text");
    assert!(status.is_success(), "GET {url}: {status} {text}");
    text
}

pub(crate) async fn wait_for(
    client: &reqwest::Client,
    url: &str,
    done: impl Fn(&Value) -> bool,
) -> Value {
    let until = Instant::now() + Duration::from_secs(300);
    let mut last = Value::Null;
    while Instant::now() < until {
        if let Ok(answer) = client.get(url).send().await
            && answer.status().is_success()
            && let Ok(value) = answer.json::<Value>().await
        {
            if done(&value) {
                return value;
            }
            last = value;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{url} did not become as awaited within five minutes; the last answer: {last}");
}
