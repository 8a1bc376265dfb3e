//! Bodies that are wrong: every operation that takes one names every place that is wrong in it, what
//! was expected, what came, and what is allowed where there is a choice.
use crate::operations::document;
use crate::support::{Answer, Api, customers};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Map, Value, json};
use sha2::Sha256;

/// An operation with a body.
struct Operation {
    id: String,
    method: Method,
    path: String,
    schema: Value,
    example: Value,
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    loop {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap();
            schema = &document["components"]["schemas"][name];
        } else if let Some([one]) = schema["allOf"].as_array().map(Vec::as_slice) {
            schema = one;
        } else {
            return schema;
        }
    }
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, said) in item.as_object().unwrap() {
            let content = said["requestBody"]["content"].as_object();
            let Some(media) = content.and_then(|content| content.values().next()) else { continue };
            let mut schema = resolved(document, &media["schema"]);
            if let Some(forms) = schema["anyOf"].as_array() {
                schema = resolved(document, &forms[0]);
            }
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let path = path.replace("{id}", "4").replace("{tenant_namespace}", "acme");
            all.push(Operation {
                id: said["operationId"].as_str().unwrap().to_owned(),
                method,
                path,
                schema: schema.clone(),
                example: schema["example"].clone(),
            });
        }
    }
    all
}

/// A signed source of pushes.
struct Source {
    href: String,
    secret: String,
}

async fn send(api: &Api, source: &Source, operation: &Operation, body: &Value) -> Answer {
    let text = body.to_string();
    let request = if operation.id == "pushUpstream" {
        let hmac = Hmac::<Sha256>::new_from_slice(source.secret.as_bytes()).unwrap();
        let signature = hex::encode(hmac.chain_update(&text).finalize().into_bytes());
        let request = api.anonymous(Method::POST, &source.href);
        let request = request.header("X-Hub-Signature-256", format!("sha256={signature}"));
        request.header("X-GitHub-Delivery", "a-delivery")
    } else {
        api.request(operation.method.clone(), &operation.path)
    };
    let request = request.header("Content-Type", "application/json").body(text);
    Answer::of(request.send().await.unwrap()).await
}

/// A value that a schema does not take, and how the answer should call it.
fn wrong_values(document: &Value, schema: &Value) -> Vec<Value> {
    let schema = resolved(document, schema);
    let number = |name: &str| schema[name].as_f64();
    let mut values = match schema["type"].as_str().unwrap() {
        "string" => vec![json!(17), json!(["x"])],
        "integer" => vec![json!("1"), json!(1.5)],
        "number" => vec![json!("1"), json!(true)],
        "boolean" => vec![json!("true"), json!(0)],
        "array" => vec![json!("x"), json!({})],
        _ => vec![json!("x"), json!([])],
    };
    if schema["enum"].is_array() {
        values.push(json!("no such word"));
    }
    if let Some(most) = schema["maxLength"].as_u64() {
        // (The longest text of all would be a body that is too large in letters of two bytes.)
        let letter = if most < 10_000 { "é" } else { "e" };
        values.push(json!(letter.repeat(usize::try_from(most).unwrap() + 1)));
    }
    if schema["minLength"].as_u64().is_some_and(|least| least > 0) {
        values.push(json!(""));
    }
    if schema["pattern"].is_string() {
        values.push(json!("\u{1}"));
    }
    if schema["format"] == "date-time" {
        values.push(json!("yesterday"));
    }
    values.extend(number("minimum").map(|least| json!(least as i64 - 1)));
    values.extend(number("maximum").map(|most| json!(most as i64 + 1)));
    if let Some(most) = schema["maxItems"].as_u64() {
        values.push(Value::Array(vec![json!(17); usize::try_from(most).unwrap() + 1]));
    }
    values
}

/// The errors of an answer by their pointers, each complete.
#[track_caller]
fn errors(operation: &Operation, answer: &Answer, body: &Value) -> Vec<Value> {
    let problem = answer.problem(400, "invalid_body");
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    let (id, shown) = (&operation.id, body.to_string().chars().take(200).collect::<String>());
    assert!(!errors.is_empty(), "{id} {shown}: {problem:#}");
    for error in &errors {
        for field in ["name", "detail", "expected", "found"] {
            let text = error[field].as_str().unwrap_or_default();
            assert!(!text.is_empty() && text.len() < 5_000, "{id} {shown}: {field} of {error}");
        }
        let pointer = error["pointer"].as_str().unwrap_or_else(|| panic!("{id}: {error}"));
        assert!(pointer.is_empty() || pointer.starts_with('/'), "{id}: {error}");
    }
    errors
}

fn at<'a>(errors: &'a [Value], pointer: &str) -> Option<&'a Value> {
    errors.iter().find(|error| error["pointer"] == pointer)
}

async fn start(name: &str) -> (Api, Source) {
    let api = Api::start(name).await;
    customers::add(&api.pool).await;
    let made = api.post("/v1/webhook-sources", json!({"name": "git.example"})).await.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let source =
        Source { href: text(&made["source"]["upstream_href"]), secret: text(&made["secret"]) };
    (api, source)
}

#[tokio::test]
async fn every_fault_of_every_body_is_named() {
    let (api, source) = start("bodies_faults").await;
    let document = document();
    let all = operations(&document);
    assert!(all.len() >= 16, "{}", all.len());
    for operation in &all {
        for whole in [json!(null), json!([]), json!("x"), json!(1)] {
            let answer = send(&api, &source, operation, &whole).await;
            assert!(at(&errors(operation, &answer, &whole), "").is_some(), "{}", operation.id);
        }
        let properties = operation.schema["properties"].as_object().unwrap();
        let required = operation.schema["required"].as_array().cloned().unwrap_or_default();
        for name in required.iter().map(|name| name.as_str().unwrap()) {
            let mut body = operation.example.clone();
            body.as_object_mut().unwrap().remove(name);
            let told = errors(operation, &send(&api, &source, operation, &body).await, &body);
            let error = at(&told, &format!("/{name}")).unwrap_or_else(|| panic!("{name} {told:?}"));
            assert_eq!(error["found"], "nothing", "{} {name}", operation.id);
        }
        let mut body = operation.example.clone();
        body["no/such~field"] = json!(1);
        let told = errors(operation, &send(&api, &source, operation, &body).await, &body);
        let error = at(&told, "/no~1such~0field").expect("the field is named");
        let known: Vec<&String> = properties.keys().collect();
        assert_eq!(error["allowed"].as_array().unwrap().len(), known.len(), "{}", operation.id);
        for (name, schema) in properties {
            for value in wrong_values(&document, schema) {
                let mut body = operation.example.clone();
                body[name] = value.clone();
                let told = errors(operation, &send(&api, &source, operation, &body).await, &body);
                let pointer = format!("/{name}");
                let below = format!("{pointer}/");
                let found = told.iter().find(|error| {
                    let place = error["pointer"].as_str().unwrap();
                    place == pointer || place.starts_with(&below)
                });
                let error = found.unwrap_or_else(|| panic!("{} {body}: {told:?}", operation.id));
                let choice = &resolved(&document, schema)["enum"];
                if choice.is_array() {
                    assert_eq!(&error["allowed"], choice, "{} {name}", operation.id);
                }
            }
        }
    }
}

#[tokio::test]
async fn all_faults_of_a_body_are_told_at_once() {
    let (api, source) = start("bodies_all").await;
    let document = document();
    for operation in &operations(&document) {
        let properties = operation.schema["properties"].as_object().unwrap();
        let wrong = |(name, schema): (&String, &Value)| {
            (name.clone(), wrong_values(&document, schema)[0].clone())
        };
        let body: Map<String, Value> = properties.iter().map(wrong).collect();
        let body = Value::Object(body);
        let told = errors(operation, &send(&api, &source, operation, &body).await, &body);
        for name in properties.keys() {
            assert!(at(&told, &format!("/{name}")).is_some(), "{}: {name} {told:?}", operation.id);
        }
        assert_eq!(told.len(), properties.len(), "{}", operation.id);
    }
}

#[tokio::test]
async fn nested_places_and_texts_that_are_no_json_are_named() {
    let api = Api::start("bodies_nested").await;
    let body = json!({
        "cve": {"severity": "worst", "packages": [{"package": "musl"}, {"package": 1, "x": 2}]},
        "builder_outage": {"builders": 0},
    });
    let problem = api.post("/v1/incidents", body).await.problem(400, "invalid_body");
    let told = problem["errors"].as_array().unwrap();
    for (pointer, found) in [
        ("/cve/severity", "\"worst\""),
        ("/cve/packages/1/package", "1"),
        ("/cve/packages/1/x", "2"),
        ("/builder_outage/builders", "0"),
        ("/builder_outage/duration_minutes", "nothing"),
    ] {
        let error = at(told, pointer).unwrap_or_else(|| panic!("{pointer}: {problem:#}"));
        assert_eq!(error["found"], found, "{error}");
    }
    assert_eq!(at(told, "/cve/severity").unwrap()["allowed"][0], "critical");
    assert!(problem["detail"].as_str().unwrap().starts_with("5 things are wrong."), "{problem:#}");
    let request =
        api.request(Method::POST, "/v1/images").header("Content-Type", "application/json");
    let answer = Answer::of(request.body("{\"name\": ").send().await.unwrap()).await;
    let problem = answer.problem(400, "invalid_body");
    assert_eq!(problem["errors"][0]["pointer"], "");
    assert!(problem["errors"][0]["found"].as_str().unwrap().contains("line 1"), "{problem:#}");
    // What a secret was is not repeated.
    let answer = api.anonymous(Method::POST, "/v1/auth/token");
    let wrong = json!({"api_key": "wt_hidden".repeat(100)});
    let answer = Answer::of(answer.json(&wrong).send().await.unwrap()).await;
    answer.problem(400, "invalid_body");
    assert!(!answer.text.contains("wt_hidden"), "{}", answer.text);
}
