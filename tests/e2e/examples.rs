//! The examples of the specification: in the demo world every operation is called as Swagger UI
//! would, with its examples, and one CVE is followed from its disclosure to a missed deadline.
use crate::demo::{signed_in, wait_for};
use crate::support::{Background, data_dir, wavetank};
use reqwest::{Client, Method};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;

/// What cannot be answered with a success before something else was done, and what it says then.
const NOT_YET: &[(&str, &str)] = &[
    ("getToken", "invalid_api_key"), // no key can stand in a specification
    ("revokeApiKey", "api_key_not_found"),
    ("getCommand", "command_not_found"),
    ("completeBuild", "build_not_external"),
    ("discardJob", "dead_job_not_found"),
    ("retryJob", "dead_job_not_found"),
    ("getScenarioLoad", "scenario_load_not_found"),
    ("getWebhookEndpoint", "webhook_endpoint_not_found"),
    ("changeWebhookEndpoint", "webhook_endpoint_not_found"),
    ("deleteWebhookEndpoint", "webhook_endpoint_not_found"),
    ("listWebhookDeliveries", "webhook_endpoint_not_found"),
    ("testWebhookEndpoint", "webhook_endpoint_not_found"),
    ("retryWebhookDelivery", "webhook_delivery_not_found"),
    ("discardWebhookDelivery", "webhook_delivery_not_found"),
    ("revokeWebhookSource", "webhook_source_not_found"),
    ("pushUpstream", "invalid_signature"),
];

/// Lists of what a new demo world has none of yet.
const EMPTY: &[&str] =
    &["listActions", "listIncidents", "listWebhookEndpoints", "listWebhookSources"];

/// Without an end, or ending what is looked at: tested elsewhere.
const LEFT_OUT: &[&str] = &["watchEvents", "loadScenario"];

struct World {
    client: Client,
    base: String,
}

impl World {
    async fn get(&self, path: &str) -> Value {
        let answer =
            self.client.get(format!("{}{path}", self.base)).send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("a text");
        assert!(status.is_success(), "GET {path}: {status} {text}");
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
    let world = World { client, base };
    let specification = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/wavetank.json");
    let specification = std::fs::read_to_string(specification).expect("the specification");
    let mut specification: Value = serde_json::from_str(&specification).expect("JSON");
    put_parameters_in_place(&mut specification);
    follow_one_cve(&world, &specification).await;
    let mut wrong = Vec::new();
    // What is read first shows what was; then things are asked for, and what is ended comes last.
    for method in [Method::GET, Method::POST, Method::PATCH, Method::DELETE, Method::PUT] {
        for (path, item) in specification["paths"].as_object().expect("paths") {
            let operation = &item[method.as_str().to_lowercase()];
            let id = operation["operationId"].as_str().unwrap_or_default();
            if id.is_empty() || LEFT_OUT.contains(&id) {
                continue;
            }
            if let Err(problem) =
                execute(&world, &specification, method.clone(), path, operation).await
            {
                wrong.push(format!("{id}: {problem}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let known: BTreeSet<&str> = NOT_YET.iter().map(|(id, _)| *id).collect();
    assert_eq!(known.len(), NOT_YET.len());
    assert!(demo.stop(), "the demo stops when it is asked to");
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

/// Sends a request as Swagger UI does: with every example that is there.
async fn execute(
    world: &World,
    specification: &Value,
    method: Method,
    path: &str,
    operation: &Value,
) -> Result<(), String> {
    let mut filled = path.to_owned();
    let mut query = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default();
        let example = match &parameter["example"] {
            Value::Null => &parameter["schema"]["example"],
            example => example,
        };
        let example = match example {
            // A list of choices begins with its first where one must be made.
            Value::Null if parameter["required"] == true => choice(specification, parameter),
            Value::Null => continue,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match parameter["in"].as_str() {
            Some("path") => filled = filled.replace(&format!("{{{name}}}"), &example),
            Some("query") => query.push((name.to_owned(), example)),
            _ => {}
        }
    }
    let url = url::Url::parse_with_params(&format!("{}{filled}", world.base), &query);
    let mut request = world.client.request(method, url.map_err(|error| error.to_string())?);
    if let Some(schema) = operation["requestBody"]["content"]
        .as_object()
        .and_then(|content| content.values().next())
        .and_then(|media| media["schema"]["$ref"].as_str())
    {
        let name = schema.rsplit('/').next().unwrap_or_default();
        request = request.json(&specification["components"]["schemas"][name]["example"]);
    }
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    let id = operation["operationId"].as_str().unwrap_or_default();
    let expected = NOT_YET.iter().find(|(known, _)| *known == id).map(|(_, code)| *code);
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    let empty = body["items"].as_array().is_some_and(Vec::is_empty);
    let code = &body["code"];
    match expected {
        None if empty && !EMPTY.contains(&id) => Err(format!("{filled} {query:?} is empty")),
        Some(expected) if *code == expected => Ok(()),
        None if status.is_success() || status.is_redirection() => Ok(()),
        _ => Err(format!("{filled} {query:?}: {status} {text:.300}")),
    }
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
async fn follow_one_cve(world: &World, specification: &Value) {
    let parameters = &specification["paths"]["/v1/advisories/{cve}"]["get"]["parameters"];
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
