//! The examples of the specification: in the demo world every operation is called as Swagger UI
//! would, with its examples, and one CVE is followed from its disclosure to a missed deadline.
use crate::demo::{get, signed_in, wait_for};
use crate::support::{Background, data_dir, wavetank};
use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use sha2::Sha256;
use std::net::TcpListener;
use std::path::Path;

/// What a demo world has none of: work that failed for good.
const OF_A_DEFECT: &[&str] = &["discardJob", "retryJob"];

/// Lists of what a new demo world has none of yet.
const EMPTY: &[&str] = &[
    "listActions",
    "listIncidents",
    "listWebhookDeliveries",
    "listWebhookEndpoints",
    "listStudies",
    "listWebhookSources",
];

/// They end what is looked at, so they come last.
const LAST: &[&str] = &["loadScenario", "getScenarioLoad"];

struct World {
    client: Client,
    base: String,
    admin_key: String,
    specification: Value,
}

impl World {
    async fn get(&self, path: &str) -> Value {
        let text = get(&self.client, &format!("{}{path}", self.base)).await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("GET {path}: {error}: {text}"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_specification_can_be_executed() {
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let data = data_dir();
    let mut command = wavetank();
    command
        .args(["demo", "--pace", "3600", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
        .arg(data.path());
    let demo = Background::start(command);
    let base = format!("http://127.0.0.1:{port}");
    let client = signed_in(&base, &data.path().join("demo-keys.json")).await;
    wait_for(&client, &format!("{base}/v1/clock"), |clock| clock["mode"] == "live").await;
    let keys = std::fs::read_to_string(data.path().join("demo-keys.json")).expect("the keys");
    let keys: Value = serde_json::from_str(&keys).expect("JSON");
    let specification = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/wavetank.json");
    let specification = std::fs::read_to_string(specification).expect("the specification");
    let mut specification: Value = serde_json::from_str(&specification).expect("JSON");
    put_parameters_in_place(&mut specification);
    let admin_key = keys["admin"].as_str().expect("a key").to_owned();
    let world = World { client, base, admin_key, specification };
    follow_one_cve(&world).await;
    let mut wrong = Vec::new();
    // What is read first shows what was; then things are asked for, and what is ended comes last.
    for method in ["get", "post", "patch", "delete", "put"] {
        wrong.extend(world.execute_all(method, |id| !LAST.contains(&id)).await);
    }
    // An hour later all that can be read is still there.
    let live = json!({"mode": "live", "factor": 3600.0});
    let set = world.client.put(format!("{}/v1/clock", world.base)).json(&live).send().await;
    assert!(set.expect("an answer").status().is_success());
    let clock = world.get("/v1/clock").await;
    let later = instant(&clock["released_through"]) + chrono::TimeDelta::hours(1);
    wait_for(&world.client, &format!("{}/v1/clock", world.base), |clock| {
        instant(&clock["materialized_through"]) >= later
    })
    .await;
    let again = world.execute_all("get", |id| !LAST.contains(&id)).await;
    wrong.extend(again.into_iter().map(|problem| format!("an hour later: {problem}")));
    // Another scenario takes the place of this one.
    wrong.extend(world.execute_all("get", |id| id == "getScenarioLoad").await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(demo.stop(), "the demo stops when it is asked to");
}

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value}"))
}

/// Writes what operations share where they refer to it.
fn put_parameters_in_place(specification: &mut Value) {
    let shared = specification["components"]["parameters"].clone();
    let items = specification["paths"].as_object_mut().expect("paths").values_mut();
    let operations = items.filter_map(Value::as_object_mut).flat_map(|item| item.values_mut());
    for operation in operations {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            let reference = parameter["$ref"].as_str().map(str::to_owned);
            if let Some(name) = reference.as_deref().and_then(|text| text.rsplit('/').next()) {
                *parameter = shared[name].clone();
            }
        }
    }
}

impl World {
    /// Executes every operation of a method that is wanted, and says what is wrong.
    async fn execute_all(&self, method: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let mut wrong = Vec::new();
        for item in self.specification["paths"].as_object().expect("paths").values() {
            let operation = &item[method];
            let id = operation["operationId"].as_str().unwrap_or_default();
            if id.is_empty() || OF_A_DEFECT.contains(&id) || !wanted(id) {
                continue;
            }
            // As it stands there, and without the instant of the past.
            let mut parameters = operation["parameters"].as_array().into_iter().flatten();
            let has_instant = parameters.any(|parameter| parameter["name"] == "as_of");
            for pinned in [true, false].into_iter().filter(|pinned| *pinned || has_instant) {
                if let Err(problem) = self.execute(id, pinned).await {
                    wrong.push(format!("{id}: {problem}"));
                }
            }
        }
        wrong
    }

    /// The method, the path and the operation of an id.
    fn operation(&self, id: &str) -> (&str, &str, &Value) {
        let paths = self.specification["paths"].as_object().expect("paths");
        let all = paths.iter().flat_map(|(path, item)| {
            let item = item.as_object().expect("operations").iter();
            item.map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
        });
        let found = all.into_iter().find(|(.., operation)| operation["operationId"] == id);
        found.unwrap_or_else(|| panic!("there is no operation {id}"))
    }

    /// Sends a request as Swagger UI does, with every example that is there, and reads the answer.
    /// What only another operation can give is asked of that one first.
    fn execute<'a>(&'a self, id: &'a str, pinned: bool) -> BoxFuture<'a, Result<Value, String>> {
        async move {
            let (method, path, operation) = self.operation(id);
            let mut given = Value::Null;
            let (mut filled, mut query) = (path.to_owned(), Vec::new());
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap_or_default();
                if !pinned && name == "as_of" {
                    continue;
                }
                let mut example = match &parameter["example"] {
                    Value::Null => parameter["schema"]["example"].clone(),
                    example => example.clone(),
                };
                if let Some(source) = parameter["x-example-from"]["operation"].as_str() {
                    given = self.prepare(id, source).await?;
                    let pointer = parameter["x-example-from"]["pointer"].as_str();
                    let found = pointer.and_then(|pointer| given.pointer(pointer));
                    example = found.cloned().ok_or_else(|| format!("{source} gave {given}"))?;
                }
                let example = match example {
                    // A list of choices begins with its first where one must be made.
                    Value::Null if parameter["required"] == true => {
                        choice(&self.specification, parameter)
                    }
                    Value::Null => continue,
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                match parameter["in"].as_str() {
                    Some("path") => filled = filled.replace(&format!("{{{name}}}"), &example),
                    Some("query") => query.push((name.to_owned(), example)),
                    _ => {}
                }
            }
            let url = url::Url::parse_with_params(&format!("{}{filled}", self.base), &query);
            let method = Method::from_bytes(method.to_uppercase().as_bytes());
            let method = method.map_err(|error| error.to_string())?;
            let mut request = self.client.request(method, url.map_err(|error| error.to_string())?);
            if let Some(body) = self.body(id, operation) {
                let text = body.to_string();
                if let Some(secret) = given["secret"].as_str() {
                    let signature = format!("sha256={}", signature(secret, &text));
                    request = request.header("X-Hub-Signature-256", signature);
                    request = request.header("X-GitHub-Delivery", "an-example");
                }
                request = request.header("Content-Type", "application/json").body(text);
            }
            let answer = request.send().await.map_err(|error| error.to_string())?;
            let status = answer.status();
            let kind = answer.headers().get("content-type").cloned();
            if kind.is_some_and(|kind| kind == "text/event-stream") && status.is_success() {
                // It has no end.
                return Ok(Value::Null);
            }
            let text = answer.text().await.unwrap_or_default();
            let body: Value = serde_json::from_str(&text).unwrap_or_default();
            let empty = body["items"].as_array().is_some_and(Vec::is_empty);
            if empty && !EMPTY.contains(&id) {
                return Err(format!("{filled} {query:?} is empty"));
            }
            if status.is_success() || status.is_redirection() {
                return Ok(body);
            }
            Err(format!("{filled} {query:?}: {status} {text:.300}"))
        }
        .boxed()
    }

    /// What another operation gives for this one, in the state that this one needs.
    async fn prepare(&self, id: &str, source: &str) -> Result<Value, String> {
        match id {
            // A build of the platform is not completed from outside.
            "completeBuild" => {
                let mut body = self.body(source, self.operation(source).2).unwrap_or_default();
                body["builder"] = "external".into();
                self.send("post", "/v1/images", body).await
            }
            // What waits is given up only by disabling its endpoint.
            "discardWebhookDelivery" => {
                let delivery = self.execute(source, true).await?;
                let endpoint = delivery["endpoint_id"].as_str().unwrap_or_default();
                let path = format!("/v1/webhook-endpoints/{endpoint}");
                self.send("patch", &path, json!({"enabled": false})).await?;
                Ok(delivery)
            }
            // What comes of a study is there when it has ended.
            "getStudyReplications" | "getStudyReport" | "getStudyResult" => {
                let study = self.execute(source, true).await?;
                let href = format!("{}{}", self.base, study["href"].as_str().unwrap_or_default());
                wait_for(&self.client, &href, |study| study["status"] == "completed").await;
                Ok(study)
            }
            _ => self.execute(source, true).await,
        }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Result<Value, String> {
        let method = Method::from_bytes(method.to_uppercase().as_bytes());
        let method = method.map_err(|error| error.to_string())?;
        let request = self.client.request(method, format!("{}{path}", self.base)).json(&body);
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
        match status.is_success() {
            true => serde_json::from_str(&text).map_err(|error| error.to_string()),
            false => Err(format!("{path}: {status} {text}")),
        }
    }

    /// The example of a body. (No key can stand in a specification.)
    fn body(&self, id: &str, operation: &Value) -> Option<Value> {
        if id == "getToken" {
            return Some(json!({"api_key": self.admin_key}));
        }
        let media = operation["requestBody"]["content"].as_object()?.values().next()?;
        if media["examples"].is_object() {
            return Some(media["examples"]["own"]["value"].clone());
        }
        let name = media["schema"]["$ref"].as_str()?.rsplit('/').next()?;
        Some(self.specification["components"]["schemas"][name]["example"].clone())
    }
}

/// The signature of a push, as forges make it.
fn signature(secret: &str, body: &str) -> String {
    let hmac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key does");
    hex::encode(hmac.chain_update(body).finalize().into_bytes())
}

fn choice(specification: &Value, parameter: &Value) -> String {
    let schema = match parameter["schema"]["$ref"].as_str() {
        Some(reference) => {
            let name = reference.rsplit('/').next().unwrap_or_default();
            &specification["components"]["schemas"][name]
        }
        None => &parameter["schema"],
    };
    schema["enum"][0].as_str().unwrap_or_default().to_owned()
}

/// By the links of the answers alone, from the advisory to the deadline that was missed.
async fn follow_one_cve(world: &World) {
    let parameters = &world.specification["paths"]["/v1/advisories/{cve}"]["get"]["parameters"];
    let example = |name: &str| {
        let all = parameters.as_array().into_iter().flatten();
        let one = all.clone().find(|parameter| parameter["name"] == name).expect(name);
        let example = one["example"].as_str().or(one["schema"]["example"].as_str());
        example.unwrap_or_else(|| panic!("{name} has no example")).to_owned()
    };
    let (cve, at) = (example("cve"), example("as_of"));
    let advisory = world.get(&format!("/v1/advisories/{cve}?as_of={at}")).await;
    assert_eq!(advisory["timeline"][0]["event"], "published", "{advisory}");
    assert!(advisory["images_open"].as_u64() > Some(0), "{advisory}");
    let href = advisory["exposure_href"].as_str().expect("a link");
    let exposure = world.get(&format!("{href}?as_of={at}")).await;
    let items = exposure["items"].as_array().expect("items");
    let late = |item: &&Value| {
        let deadlines = item["deadlines"].as_array().into_iter().flatten();
        deadlines.clone().any(|deadline| deadline["state"] == "overdue")
    };
    let missed = items.iter().find(late).unwrap_or_else(|| panic!("nobody is late: {exposure}"));
    let tenant = missed["tenant_namespace"].as_str().expect("a tenant");
    let image = missed["image"].as_str().expect("an image");
    let findings =
        world.get(&format!("/v1/images/{image}/findings?as_of={at}&page_size=200")).await;
    let findings = findings["items"].as_array().expect("items");
    assert!(findings.iter().any(|finding| finding["cve"] == cve.as_str()), "{findings:?}");
    let violations =
        world.get(&format!("/v1/sla/violations?tenant={tenant}&as_of={at}&page_size=200")).await;
    let violations = violations["items"].as_array().expect("items");
    assert!(
        violations.iter().any(|violation| violation["cve"] == cve.as_str()
            && violation["image"] == image
            && violation["state"] == "open"),
        "{violations:?}"
    );
}
