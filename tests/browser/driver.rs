//! A Chromium of its own for every test, through chromedriver, signed in to a served API.
//!
//! WebDriver is a small protocol of JSON over HTTP (W3C WebDriver 2): the dozen commands that the
//! tests need are written out here. The crates for it (fantoccini, thirtyfour) bring 25 duplicated
//! packages, or change how serde_json orders maps in every test build.
use crate::support::Api;
use api::auth::Role;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::panic::Location;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The key under which WebDriver hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Keys as WebDriver writes them.
pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";

/// So many browsers run at once: each takes a processor and a good deal of memory.
static BROWSERS: Semaphore = Semaphore::const_new(2);
/// How long a page may take, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser. What it started ends with it, also when a test fails.
pub(crate) struct Browser {
    client: Client,
    session: String,
    driver: Child,
    base: String,
    /// Where downloads go.
    pub(crate) downloads: TempDir,
    _profile: TempDir,
    _permit: SemaphorePermit<'static>,
}

impl Browser {
    /// At a page of an API, not signed in.
    pub(crate) async fn open(api: &Api, path: &str) -> Self {
        let permit = BROWSERS.acquire().await.unwrap();
        let (driver, port) = start_driver().await;
        let profile = tempfile::tempdir().unwrap();
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options(profile.path()),
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let client = Client::new();
        let sessions = format!("http://127.0.0.1:{port}/session");
        let started = command(&client, Method::POST, &sessions, wanted).await;
        let started = started.expect("chromedriver starts Chromium");
        let session = format!("{sessions}/{}", started["sessionId"].as_str().unwrap());
        let browser = Browser {
            client,
            session,
            driver,
            base: format!("http://{}", api.address),
            downloads: tempfile::tempdir().unwrap(),
            _profile: profile,
            _permit: permit,
        };
        let path_of_downloads = browser.downloads.path().to_str().unwrap();
        let allow = json!({"behavior": "allow", "downloadPath": path_of_downloads});
        browser.devtools("Browser.setDownloadBehavior", allow).await;
        browser.size(1280, 900).await;
        browser.go(path).await;
        browser
    }

    /// At a page, signed in with a new viewer's key.
    pub(crate) async fn signed_in(api: &Api, path: &str, tenant: Option<&str>) -> Self {
        let browser = Browser::open(api, path).await;
        let key = api.key(Role::Viewer, tenant).await;
        browser.sign_in(&key.reveal()).await;
        browser.wait("!document.getElementById('key')").await;
        browser
    }

    /// Fills in the sign-in page.
    pub(crate) async fn sign_in(&self, key: &str) {
        self.wait("document.getElementById('key')").await;
        self.fill("#key", key).await;
        self.click(".sign-in button[type=submit]").await;
    }

    pub(crate) async fn go(&self, path: &str) {
        self.post("url", json!({"url": format!("{}{path}", self.base)})).await;
    }

    pub(crate) async fn back(&self) {
        self.post("back", json!({})).await;
    }

    pub(crate) async fn reload(&self) {
        self.post("refresh", json!({})).await;
    }

    pub(crate) async fn size(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1,
                          "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// `light` or `dark`; and nothing moves, so that colours are what they are at once.
    pub(crate) async fn scheme(&self, scheme: &str) {
        let media = json!({"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]});
        self.devtools("Emulation.setEmulatedMedia", media).await;
    }

    /// The address of an element's commands.
    async fn element(&self, css: &str) -> String {
        self.wait(&format!("document.querySelector({})", json!(css))).await;
        let found = self.post("element", json!({"using": "css selector", "value": css})).await;
        format!("element/{}", found[ELEMENT].as_str().unwrap())
    }

    pub(crate) async fn click(&self, css: &str) {
        self.post(&format!("{}/click", self.element(css).await), json!({})).await;
    }

    /// Types a text in the place of what is there.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let element = self.element(css).await;
        self.post(&format!("{element}/clear"), json!({})).await;
        self.post(&format!("{element}/value"), json!({"text": text})).await;
    }

    /// Presses a key where the focus is.
    pub(crate) async fn press(&self, key: &str) {
        let actions = json!({"actions": [{"type": "key", "id": "keyboard", "actions": [
            {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key},
        ]}]});
        self.post("actions", actions).await;
    }

    /// What an expression gives in the page.
    pub(crate) async fn eval(&self, expression: &str) -> Value {
        self.run(&format!("return {expression};")).await
    }

    /// Runs a script in the page; gives what it returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.post("execute/sync", json!({"script": script, "args": []})).await
    }

    /// What a script hands to the function that it gets as its argument.
    pub(crate) async fn run_async(&self, script: &str) -> Value {
        self.post("execute/async", json!({"script": script, "args": []})).await
    }

    /// The text that people see.
    pub(crate) async fn text(&self, css: &str) -> String {
        self.element(css).await;
        let text = format!("document.querySelector({}).innerText", json!(css));
        self.eval(&text).await.as_str().unwrap_or_default().to_owned()
    }

    /// The path and query of the address.
    pub(crate) async fn address(&self) -> String {
        let address = self.eval("location.pathname + location.search").await;
        address.as_str().unwrap().to_owned()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub(crate) fn wait<'a>(&'a self, expression: &'a str) -> impl Future<Output = ()> + use<'a> {
        self.wait_from(expression, Location::caller())
    }

    async fn wait_from(&self, expression: &str, caller: &Location<'_>) {
        let began = Instant::now();
        while !self.eval(&format!("Boolean({expression})")).await.as_bool().unwrap_or(false) {
            if began.elapsed() > PATIENCE {
                let seen = self.eval("location.href + '\\n' + document.body.innerText").await;
                let seen = seen.as_str().unwrap_or_default().to_owned();
                let log = self.log().await.join("\n");
                panic!("{caller}: never became true: {expression}\n{seen}\n{log}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until an element shows a text.
    #[track_caller]
    pub(crate) fn sees(&self, css: &str, text: &str) -> impl Future<Output = ()> + use<'_> {
        let caller = Location::caller();
        let shown = format!("document.querySelector({})?.innerText", json!(css));
        let expression = format!("{shown}?.includes({})", json!(text));
        async move { self.wait_from(&expression, caller).await }
    }

    /// Waits until nothing is loading and the page has a heading.
    #[track_caller]
    pub(crate) fn settle(&self) -> impl Future<Output = ()> + use<'_> {
        self.wait(
            "document.querySelector('h1') && !document.querySelector('[aria-busy], .loading')",
        )
    }

    /// What the browser has complained about since it was asked last: broken policies, errors of
    /// scripts, answers that are no success.
    pub(crate) async fn log(&self) -> Vec<String> {
        let entries = self.post("se/log", json!({"type": "browser"})).await;
        let text = |entry: &Value| {
            let severe = matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING"));
            severe.then(|| entry["message"].as_str().unwrap_or_default().to_owned())
        };
        entries.as_array().unwrap().iter().filter_map(text).collect()
    }

    async fn devtools(&self, command: &str, parameters: Value) {
        self.post("goog/cdp/execute", json!({"cmd": command, "params": parameters})).await;
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let address = format!("{}/{path}", self.session);
        let answer = command(&self.client, Method::POST, &address, body).await;
        answer.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Ends the browser in good order.
    pub(crate) async fn close(mut self) {
        let _ = command(&self.client, Method::DELETE, &self.session, json!({})).await;
        stop(&mut self.driver);
    }
}

/// One command of WebDriver.
async fn command(
    client: &Client,
    method: Method,
    address: &str,
    body: Value,
) -> Result<Value, String> {
    let sent = client.request(method, address).json(&body).send().await;
    let answer = sent.map_err(|error| error.to_string())?;
    let is_success = answer.status().is_success();
    let mut answer: Value = answer.json().await.map_err(|error| error.to_string())?;
    let value = answer["value"].take();
    if is_success { Ok(value) } else { Err(value.to_string()) }
}

impl Drop for Browser {
    fn drop(&mut self) {
        stop(&mut self.driver);
    }
}

/// The driver and the browsers it has started: they are one group of processes.
fn stop(driver: &mut Child) {
    if let Some(id) = driver.id() {
        let _ = killpg(Pid::from_raw(i32::try_from(id).unwrap()), Signal::SIGKILL);
    }
}

async fn start_driver() -> (Child, u16) {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("chromedriver is installed: run scripts/setup.sh");
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some((_, port)) = line.split_once("successfully on port ") {
            let port = port.trim_end_matches('.').parse().unwrap();
            // Nobody reads on; a full pipe would stop the driver.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (driver, port);
        }
    }
    panic!("chromedriver did not say on which port it listens");
}

fn options(profile: &Path) -> Value {
    let profile = format!("--user-data-dir={}", profile.display());
    let mut options = json!({"args": [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", profile,
    ]});
    // Where Debian puts it; elsewhere chromedriver finds it by itself.
    if Path::new("/usr/bin/chromium").exists() {
        options["binary"] = json!("/usr/bin/chromium");
    }
    options
}
