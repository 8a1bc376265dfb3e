//! A client of the API that has signed in.
use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, Instant};
use wavetank::services::Services;

#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    pub(crate) token: String,
}

impl Client {
    /// Waits for the API of a world and signs in to it.
    pub(crate) async fn sign_in(base: String, api_key: &str) -> Client {
        let http = reqwest::Client::new();
        let body = json!({ "api_key": api_key });
        let give_up = Instant::now() + Duration::from_secs(60);
        loop {
            let sent = http.post(format!("{base}/v1/auth/token")).json(&body).send().await;
            if let Ok(answer) = sent
                && answer.status().is_success()
            {
                let answer: Value = answer.json().await.expect("JSON");
                let token = answer["access_token"].as_str().expect("a token").to_owned();
                return Client { http, base, token };
            }
            assert!(Instant::now() < give_up, "{base} gave no token in a minute");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Result<Value> {
        let answer = self.request(reqwest::Method::GET, path).send().await?.error_for_status()?;
        answer.json().await
    }

    pub(crate) async fn send(&self, method: reqwest::Method, path: &str, body: &Value) -> Value {
        let answer = self.request(method, path).json(body).send().await.expect("an answer");
        let answer = answer.error_for_status().expect("it is taken");
        answer.json().await.expect("JSON")
    }

    /// Asks until it is so; fails after some minutes.
    pub(crate) async fn until(&self, path: &str, done: impl Fn(&Value) -> bool) -> Value {
        let give_up = Instant::now() + Duration::from_secs(300);
        while Instant::now() < give_up {
            if let Ok(value) = self.get(path).await
                && done(&value)
            {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("{path} did not come to it in five minutes");
    }
}

/// The program, working with services that run.
pub(crate) fn program(services: &Services) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wavetank"));
    let s3 = &services.s3;
    command
        .env("DATABASE_URL", &services.database_url)
        .env("S3_ENDPOINT", &s3.endpoint)
        .env("S3_BUCKET", &s3.bucket)
        .env("S3_REGION", &s3.region)
        .env("S3_ACCESS_KEY", &s3.access_key)
        .env("S3_SECRET_KEY", &s3.secret_key);
    command
}

/// A key for the API of a world: an admin's, or that of a tenant.
pub(crate) fn api_key(services: &Services, tenant: Option<&str>) -> String {
    let whose = match tenant {
        None => ["--role=admin".to_owned()].to_vec(),
        Some(tenant) => ["--role=viewer".to_owned(), format!("--tenant={tenant}")].to_vec(),
    };
    let output = program(services)
        .args(["api-key", "create", "bench"])
        .args(whose)
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a key").trim().to_owned()
}

/// A port of this machine that is free now.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
