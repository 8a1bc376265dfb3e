//! The nginx.conf of the compose file, run by Debian's nginx before a real `wavetank serve`: only
//! the words that the compose file sets too are replaced in it.
use crate::compose::compose;
use crate::file;
use crate::support::{Background, data_dir, lend, said, scenario, wavetank};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running nginx; it ends with the test.
struct Nginx {
    child: Child,
    base: String,
    _run: TempDir,
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    listener.expect("a port").port()
}

fn program() -> PathBuf {
    let given = std::env::var_os("NGINX").map(PathBuf::from);
    let path = given.unwrap_or_else(|| PathBuf::from("/usr/sbin/nginx"));
    assert!(path.exists(), "no nginx at {}: run scripts/setup.sh", path.display());
    path
}

impl Nginx {
    /// Before an API at this address.
    fn start(upstream: &str) -> Nginx {
        let run = data_dir();
        let port = free_port();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let values = HashMap::from([
            ("WAVETANK_UPSTREAM", upstream.to_owned()),
            ("WAVETANK_HTTP_LISTEN", format!("127.0.0.1:{port}")),
            ("WAVETANK_STATIC", root.join("static").display().to_string()),
            ("WAVETANK_RUN", run.path().display().to_string()),
        ]);
        let compose = compose();
        let set = compose["services"]["nginx"]["environment"].as_object().expect("variables");
        let mut text = file("deploy/nginx.conf");
        for name in set.keys().filter(|name| name.starts_with("WAVETANK_")) {
            let value = values.get(name.as_str()).unwrap_or_else(|| panic!("{name} is new"));
            text = text.replace(&format!("${{{name}}}"), value);
        }
        assert!(!text.contains("${"), "the compose file does not set all of its words");
        let conf = run.path().join("nginx.conf");
        std::fs::write(&conf, text).expect("written");
        let command = || {
            let mut command = Command::new(program());
            // As root it would drop to a user who may not read the repository.
            command.arg("-c").arg(&conf).arg("-p").arg(run.path());
            command.args(["-e", "stderr", "-g", &format!("daemon off; user {};", me())]);
            command
        };
        let checked = command().arg("-t").output().expect("nginx runs");
        assert!(checked.status.success(), "{}", said(&checked));
        let child = command().stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Nginx {
            child: child.expect("nginx runs"),
            base: format!("http://127.0.0.1:{port}"),
            _run: run,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

fn me() -> String {
    let output = Command::new("id").arg("-un").output().expect("id runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers end with it only when it is asked.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

fn client() -> Client {
    let client = Client::builder().redirect(reqwest::redirect::Policy::none());
    client.timeout(Duration::from_secs(20)).build().expect("a client")
}

async fn wait_for(client: &Client, url: &str) -> Response {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        match client.get(url).send().await {
            Ok(response) if response.status() == StatusCode::OK => return response,
            answer => assert!(Instant::now() < until, "{url}: {answer:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("text"))
}

async fn problem(response: Response, status: u16, code: &str) {
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    let problem: Value = response.json().await.expect("JSON");
    assert_eq!((&problem["code"], &problem["status"]), (&code.into(), &status.into()));
}

/// What the two servers say each in its own way: how the bytes travel, and what they are called.
const OWN_HEADERS: &[&str] = &[
    "accept-ranges",
    "connection",
    "content-length",
    "content-type",
    "date",
    "etag",
    "last-modified",
    "server",
    "transfer-encoding",
    "vary",
    "x-request-id",
];

fn headers(response: &Response) -> BTreeMap<String, String> {
    let all = response.headers().iter().filter(|(name, _)| !OWN_HEADERS.contains(&name.as_str()));
    all.map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned())).collect()
}

/// The pages come from files, with all the headers that the program itself gives them.
async fn pages(client: &Client, nginx: &Nginx, program: &str) {
    for path in ["/ui/", "/ui/images/nginx", "/assets/app.js", "/assets/icon.svg"] {
        let proxied = client.get(nginx.url(path)).send().await.expect("an answer");
        let direct = client.get(format!("{program}{path}")).send().await.expect("an answer");
        assert_eq!(headers(&proxied), headers(&direct), "{path}");
        for name in ["content-security-policy", "cross-origin-resource-policy", "cache-control"] {
            assert!(!header(&direct, name).is_empty(), "{path} has no {name}");
        }
        let is_page = path.starts_with("/ui/");
        for name in ["cross-origin-opener-policy", "permissions-policy"] {
            assert_eq!(!header(&direct, name).is_empty(), is_page, "{path}: {name}");
        }
    }
    for path in ["/ui/", "/ui/images/nginx"] {
        let page = client.get(nginx.url(path)).send().await.expect("an answer");
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
        assert_eq!(header(&page, "x-frame-options"), "DENY");
        assert_eq!(page.text().await.expect("text"), file("static/index.html"));
    }
    let script = client.get(nginx.url("/assets/app.js")).send().await.expect("an answer");
    let kind = header(&script, "content-type").to_owned();
    assert!(kind.contains("javascript") && kind.contains("charset=utf-8"), "{kind}");
    assert_eq!(header(&script, "cache-control"), "no-cache");
    assert_eq!(script.text().await.expect("text"), file("static/app.js"));
}

/// Events pass the proxy when they happen, not when a buffer is full. The token is for more.
async fn events(client: &Client, nginx: &Nginx, settings: &HashMap<String, String>) -> String {
    let mut conduct = wavetank();
    conduct.arg("conduct").arg(scenario("classroom")).envs(settings);
    let _conduct = Background::start(conduct);
    wait_for(client, &nginx.url("/ready")).await;
    let mut create = wavetank();
    create.args(["api-key", "create", "test", "--role", "admin"]).envs(settings);
    let output = create.output().expect("it runs");
    let printed = said(&output);
    let key = printed.split_whitespace().find(|word| word.starts_with("wt_"));
    let key = key.unwrap_or_else(|| panic!("no key in {printed}"));
    let body = serde_json::json!({ "api_key": key });
    let token: Value = client
        .post(nginx.url("/v1/auth/token"))
        .json(&body)
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    let token = token["access_token"].as_str().unwrap_or_else(|| panic!("{token}"));
    let request = client.get(nginx.url("/v1/events")).bearer_auth(token);
    let mut stream = request.send().await.expect("an answer");
    assert!(header(&stream, "content-type").starts_with("text/event-stream"));
    let chunk = stream.chunk().await.expect("a chunk").expect("an event");
    let chunk = String::from_utf8_lossy(&chunk);
    assert!(chunk.contains("progress"), "{chunk}");
    // A buffer of nginx holds 4 KiB or more, and would pass on many events at once.
    assert!(chunk.len() < 4096 && chunk.matches("data:").count() <= 2, "{chunk}");
    token.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_serves_pages_and_proxies_the_api() {
    let data = data_dir();
    let (_services, settings) = lend(data.path());
    let port = free_port();
    let mut command = wavetank();
    command.args(["serve", "--behind-proxy", "--listen", &format!("127.0.0.1:{port}")]);
    let _serve = Background::start({
        command.envs(&settings);
        command
    });
    let nginx = Nginx::start(&format!("127.0.0.1:{port}"));
    let client = client();

    let health = wait_for(&client, &nginx.url("/health")).await;
    assert!(!header(&health, "x-request-id").is_empty());
    assert_eq!(header(&health, "x-content-type-options"), "nosniff");
    assert_eq!(health.headers().get_all("content-security-policy").iter().count(), 1);
    assert_eq!(header(&health, "server"), "nginx", "without its version");

    pages(&client, &nginx, &format!("http://127.0.0.1:{port}")).await;
    let token = events(&client, &nginx, &settings).await;

    let home = client.get(nginx.url("/")).send().await.expect("an answer");
    assert_eq!((home.status().as_u16(), header(&home, "location")), (302, "/ui/"));
    problem(
        client.get(nginx.url("/v1/nothing")).send().await.expect("an answer"),
        404,
        "route_not_found",
    )
    .await;
    // What the API takes at all, its proxy takes; what is larger is refused in the API's shape.
    let post = |path: &str, bytes: usize| {
        client
            .post(nginx.url(path))
            .body("x".repeat(bytes))
            .header("Content-Type", "application/json")
    };
    let answer = post("/v1/images", 65 * 1024).send().await.expect("an answer");
    problem(answer, 413, "body_too_large").await;
    let answer = post("/v1/webhooks/upstream?source=a", 2 << 20).send().await.expect("an answer");
    problem(answer, 413, "body_too_large").await;
    let answer = post("/v1/score", 9 << 20).send().await.expect("an answer");
    problem(answer, 413, "body_too_large").await;
    let answer = post("/v1/score", 2 << 20).bearer_auth(token).send().await.expect("an answer");
    problem(answer, 400, "invalid_body").await;
    let path = "/assets/%2e%2e/%2e%2e/Cargo.toml";
    let answer = client.get(nginx.url(path)).send().await.expect("an answer");
    assert!(answer.status().is_client_error(), "{}", answer.status());
    assert!(!answer.text().await.expect("text").contains("[workspace]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_api_is_a_problem_document() {
    let nginx = Nginx::start(&format!("127.0.0.1:{}", free_port()));
    let client = client();
    let until = Instant::now() + Duration::from_secs(10);
    let answer = loop {
        match client.get(nginx.url("/v1/clock")).send().await {
            Ok(answer) => break answer,
            Err(error) => assert!(Instant::now() < until, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(header(&answer, "retry-after"), "2");
    problem(answer, 503, "not_ready").await;
}
