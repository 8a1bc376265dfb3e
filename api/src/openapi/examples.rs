//! Examples where poem-openapi has no place for one: documents and texts, lists without a page, and
//! the body that has two forms.
use crate::http::{examples, time};
use crate::resources::logs::transparency::example_note;
use serde_json::{Value, json};

const JSON: &str = "application/json; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const CSV: &str = "text/csv; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Where the values of parameters come from that no world has before something else was done: the
/// operation, its parameter, and the operation and the place in its answer that give it. An example
/// would name what is not there.
const GIVEN: &[(&str, &str, &str, &str)] = &[
    ("cancelStudy", "id", "createStudy", "/id"),
    ("changeWebhookEndpoint", "id", "createWebhookEndpoint", "/endpoint/id"),
    ("completeBuild", "id", "buildImage", "/id"),
    ("deleteStudy", "id", "createStudy", "/id"),
    ("deleteWebhookEndpoint", "id", "createWebhookEndpoint", "/endpoint/id"),
    ("discardJob", "id", "listJobs", "/items/0/id"),
    ("discardWebhookDelivery", "id", "testWebhookEndpoint", "/id"),
    ("getCommand", "id", "startScan", "/id"),
    ("getJob", "id", "listJobs", "/items/0/id"),
    ("getScenarioLoad", "id", "loadScenario", "/id"),
    ("getStudy", "id", "createStudy", "/id"),
    ("getStudyReplications", "id", "createStudy", "/id"),
    ("getStudyReport", "id", "createStudy", "/id"),
    ("getStudyResult", "id", "createStudy", "/id"),
    ("getWebhookEndpoint", "id", "createWebhookEndpoint", "/endpoint/id"),
    ("listWebhookDeliveries", "id", "createWebhookEndpoint", "/endpoint/id"),
    ("pushUpstream", "source", "createWebhookSource", "/source/id"),
    ("retryJob", "id", "listJobs", "/items/0/id"),
    ("retryWebhookDelivery", "id", "testWebhookEndpoint", "/id"),
    ("revokeApiKey", "id", "createApiKey", "/key/id"),
    ("revokeWebhookSource", "id", "createWebhookSource", "/source/id"),
    ("rotateWebhookSecret", "id", "createWebhookEndpoint", "/endpoint/id"),
    ("testWebhookEndpoint", "id", "createWebhookEndpoint", "/endpoint/id"),
    ("watchStudy", "id", "createStudy", "/id"),
];
/// Says of a parameter where its values come from.
const FROM: &str = "x-example-from";

/// Gives an operation the examples that it lacks. The schemas have theirs already.
pub(super) fn apply(operation: &mut Value, schemas: &Value) {
    given(operation);
    match operation["operationId"].as_str().unwrap_or_default() {
        "getArtifact" => {
            operation["responses"]["200"]["content"]["*/*"]["example"] = document();
        }
        "getBuildLog" => {
            operation["responses"]["200"]["content"][TEXT]["example"] = json!(LOG);
        }
        "getCheckpoint" => {
            operation["responses"]["200"]["content"][TEXT]["example"] = json!(example_note());
        }
        "getStudyResult" => {
            operation["responses"]["200"]["content"][JSON]["example"] =
                json!({"format": 1, "name": "one-or-two", "replications": 4, "arms": []});
        }
        "getStudyReport" => {
            operation["responses"]["200"]["content"][HTML]["example"] =
                json!("<!doctype html>\n<html lang=\"en\">\n");
        }
        "getStudyReplications" => {
            operation["responses"]["200"]["content"][CSV]["example"] =
                json!("arm,replication,seed,violations\nbuilders.count=1,1,1,0\n");
        }
        "pushUpstream" => {
            operation["requestBody"]["content"][JSON]["examples"] = json!({
                "own": {"summary": "Our own form", "value": schemas["UpstreamPush"]["example"]},
                "forge": {"summary": "A forge's event", "value": schemas["ForgePush"]["example"]},
            });
        }
        // What was just asked for, or done, is not to be seen at an instant of the past.
        "getCommand" | "listActions" => without_instant(operation),
        // A forecast for the instant of the examples would be of the past once that is left out.
        "forecastSla" => {
            let far = time::example(FORECAST_HOURS).to_string();
            for parameter in parameters(operation).filter(|p| p["name"] == "by") {
                parameter["schema"]["example"] = far.as_str().into();
            }
        }
        _ => {}
    }
    lists(operation, schemas);
}

/// Later than any demo comes: ten years.
const FORECAST_HOURS: i64 = 10 * 365 * 24;

fn parameters(operation: &mut Value) -> impl Iterator<Item = &mut Value> {
    operation["parameters"].as_array_mut().into_iter().flatten()
}

/// Says where values come from, in the place of examples.
fn given(operation: &mut Value) {
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let Some((_, name, source, pointer)) = GIVEN.iter().find(|(known, ..)| *known == id) else {
        return;
    };
    for parameter in parameters(operation).filter(|parameter| parameter["name"] == *name) {
        without_example(parameter);
        parameter[FROM] = json!({"operation": source, "pointer": pointer});
    }
}

fn without_example(parameter: &mut Value) {
    if let Some(schema) = parameter.get_mut("schema").and_then(Value::as_object_mut) {
        schema.remove("example");
    }
    if let Some(parameter) = parameter.as_object_mut() {
        parameter.remove("example");
    }
}

/// Takes away the example that every instant has.
fn without_instant(operation: &mut Value) {
    parameters(operation).filter(|p| p["name"] == "as_of").for_each(without_example);
}

/// A list is shown with one item.
fn lists(operation: &mut Value, schemas: &Value) {
    let responses = operation["responses"].as_object_mut();
    for response in responses.into_iter().flat_map(|responses| responses.values_mut()) {
        let content = response.get_mut("content").and_then(Value::as_object_mut);
        for media in content.into_iter().flat_map(|content| content.values_mut()) {
            let item = media["schema"]["items"]["$ref"].as_str();
            let name = item.and_then(|item| item.rsplit('/').next());
            if let Some(name) = name.map(str::to_owned) {
                media["example"] = json!([schemas[name]["example"]]);
            }
        }
    }
}

/// The beginning of the document that the tour downloads.
fn document() -> Value {
    let name = format!("{}:{}", examples::IMAGE, examples::VERSION);
    json!({"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": name, "packages": []})
}

const LOG: &str = "\
2026-01-28T02:00:00.000Z INFO  build build-2152 requested: fix available for CVE-2026-1000017
2026-01-28T02:00:00.000Z INFO  image registry.wavetank.example/sonde-web:1.7
2026-01-28T02:00:01.500Z INFO  attempt 1 on builder-2 after 1.500 s in the queue
2026-01-28T02:00:01.500Z INFO  resolve: 3 packages, 1 more from the base
2026-01-28T02:06:24.000Z INFO  publish: pushing to registry.wavetank.example/sonde-web
2026-01-28T02:06:41.500Z INFO  attempt 1 succeeded
2026-01-28T02:06:41.500Z INFO  build build-2152 completed
";
