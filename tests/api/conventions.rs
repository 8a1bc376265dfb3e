//! Answers that every operation can give instead of its own (no token, another role, too many
//! requests, an unknown parameter, a body that is too large, no database) are in the specification
//! of each.
use crate::support::{Answer, Api, Content};
use api::Limits;
use api::auth::Role;
use futures::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use std::num::NonZeroU32;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An operation of the specification, with the examples in its path and in its query.
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    said: Value,
}

pub(crate) fn operations() -> Vec<Operation> {
    let document = crate::operations::document();
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().unwrap().iter();
        item.map(|(method, said)| Operation::new(&document, method, path, said))
    });
    all.collect()
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let Some(reference) = schema["$ref"].as_str() else { return schema };
    let name = reference.rsplit('/').next().unwrap();
    &document["components"]["schemas"][name]
}

impl Operation {
    fn new(document: &Value, method: &str, path: &str, said: &Value) -> Self {
        let (mut path, mut query) = (path.to_owned(), Vec::new());
        for parameter in said["parameters"].as_array().into_iter().flatten() {
            let schema = resolved(document, &parameter["schema"]);
            let example = match &schema["example"] {
                Value::Null => &schema["enum"][0],
                example => example,
            };
            let example = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            let name = parameter["name"].as_str().unwrap();
            match parameter["in"].as_str().unwrap() {
                // What only another operation gives: a name of nothing.
                "path" if example == "null" => path = path.replace(&format!("{{{name}}}"), "987"),
                "path" => path = path.replace(&format!("{{{name}}}"), &example),
                "query" if parameter["required"] == true => query.push(format!("{name}={example}")),
                _ => {}
            }
        }
        let content = said["requestBody"]["content"].as_object();
        let schema = content.and_then(|c| c.values().next()).map(|media| &media["schema"]);
        Operation {
            name: said["operationId"].as_str().unwrap().to_owned(),
            method: Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(),
            path: if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) },
            body: schema.map(|schema| resolved(document, schema)["example"].clone()),
            said: said.clone(),
        }
    }

    fn with(&self, parameter: &str) -> String {
        let mark = if self.path.contains('?') { '&' } else { '?' };
        format!("{}{mark}{parameter}", self.path)
    }

    fn roles(&self) -> Vec<&str> {
        self.said["x-roles"].as_array().into_iter().flatten().flat_map(Value::as_str).collect()
    }

    fn needs_key(&self) -> bool {
        !self.roles().is_empty()
    }

    fn has_body(&self) -> bool {
        [Method::POST, Method::PUT, Method::PATCH].contains(&self.method)
    }

    pub(crate) fn request(&self, api: &Api, path: &str) -> RequestBuilder {
        let request = api.anonymous(self.method.clone(), path);
        if self.needs_key() { request.bearer_auth(&api.token) } else { request }
    }

    /// What the specification says of this answer: its status, its code and its headers.
    #[track_caller]
    fn is_documented(&self, answer: &Answer) {
        let (name, status) = (&self.name, answer.status);
        let response = &self.said["responses"][status.as_str()];
        assert!(response.is_object(), "{name} says nothing of {status}: {}", answer.text);
        if !status.is_success() {
            let problem: Value = serde_json::from_str(&answer.text).unwrap();
            let code = problem["code"].as_str().unwrap();
            let said = response["description"].as_str().unwrap();
            assert!(said.contains(&format!("`{code}`")), "{name} says nothing of {code}");
            let example = &response["content"]["application/problem+json"]["examples"][code];
            assert_eq!(example["value"]["status"], status.as_u16(), "{name} {code}");
        }
        for (header, said) in response["headers"].as_object().unwrap() {
            let given = answer.headers.contains_key(header.as_str());
            assert!(given || said["required"] != true, "{name} {status} without {header}");
        }
        let told = response["headers"].as_object().unwrap();
        for header in ["www-authenticate", "retry-after", "etag", "location"] {
            let is_told = told.keys().any(|name| name.eq_ignore_ascii_case(header));
            let given = answer.headers.contains_key(header);
            assert!(!given || is_told, "{name} says nothing of {status} {header}");
        }
    }

    #[track_caller]
    fn is_problem(&self, answer: &Answer, status: u16, code: &str) {
        answer.problem(status, code);
        self.is_documented(answer);
    }
}

async fn answer(request: RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn an_unknown_parameter() {
    let api = Api::start("conventions_parameters").await;
    for operation in operations() {
        let path = operation.with("nothing=1");
        let answer = answer(operation.request(&api, &path)).await;
        operation.is_problem(&answer, 400, "unknown_parameter");
    }
}

#[tokio::test]
async fn a_repeated_or_non_text_parameter() {
    let api = Api::start("conventions_twice").await;
    let known = operations();
    for operation in &known {
        let parameters = operation.said["parameters"].as_array();
        let mut query = parameters.into_iter().flatten().filter(|p| p["in"] == "query");
        if let Some(parameter) = query.next() {
            let name = parameter["name"].as_str().unwrap();
            let bare = operation.path.split('?').next().unwrap();
            let path = format!("{bare}?{name}=1&{name}=1");
            let answer = answer(operation.request(&api, &path)).await;
            operation.is_problem(&answer, 400, "invalid_parameter");
        }
    }
    for name in ["getProblem", "getArtifact", "getImage", "revokeApiKey", "getScenario"] {
        let operation = known.iter().find(|operation| operation.name == name).unwrap();
        let above = operation.path.rsplit_once('/').unwrap().0;
        let answer = answer(operation.request(&api, &format!("{above}/%FF"))).await;
        operation.is_problem(&answer, 400, "invalid_parameter");
    }
}

#[tokio::test]
async fn a_too_large_or_malformed_body() {
    let (body_bytes, long_body_bytes) = (100, 200);
    let limits =
        Limits { body_bytes, long_body_bytes, signed_body_bytes: 200, ..Limits::default() };
    let api = Api::start_with("conventions_bodies", Content::World, limits).await;
    for operation in operations().iter().filter(|operation| operation.has_body()) {
        let request = operation.request(&api, &operation.path);
        let request = request.header("Content-Type", "application/json").body(" ".repeat(300));
        operation.is_problem(&answer(request).await, 413, "body_too_large");
        let answer = broken(&api, operation).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{}: {answer}", operation.name);
        assert!(answer.contains("invalid_body"), "{}: {answer}", operation.name);
        let said = operation.said["responses"]["400"]["description"].as_str().unwrap();
        assert!(said.contains("`invalid_body`"), "{}", operation.name);
    }
    for operation in operations().iter().filter(|operation| operation.body.is_some()) {
        let request = operation.request(&api, &operation.path);
        let request = request.header("Content-Type", "text/plain").body("{}");
        operation.is_problem(&answer(request).await, 415, "unsupported_media_type");
    }
}

/// The beginning of the answer to a body whose chunks cannot be read.
async fn broken(api: &Api, operation: &Operation) -> String {
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    let (method, path, token) = (&operation.method, &operation.path, &api.token);
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[tokio::test]
async fn no_token_and_a_role_without_permission() {
    let api = Api::start("conventions_roles").await;
    for operation in operations().iter().filter(|operation| operation.needs_key()) {
        let request = api.anonymous(operation.method.clone(), &operation.path);
        operation.is_problem(&answer(request).await, 401, "unauthenticated");
        let may = operation.roles();
        let Some(role) = Role::ALL.iter().find(|role| !may.contains(&role.as_str())) else {
            continue;
        };
        let token = api.sign_in(*role, None).await;
        let request = api.anonymous(operation.method.clone(), &operation.path).bearer_auth(token);
        operation.is_problem(&answer(request).await, 403, "forbidden");
    }
}

#[tokio::test]
async fn too_many_requests() {
    let limits = Limits {
        requests_per_second: NonZeroU32::MIN,
        anonymous_per_second: NonZeroU32::MIN,
        ..Limits::default()
    };
    let api = Api::start_with("conventions_rates", Content::World, limits).await;
    for operation in operations() {
        // What needs no key and changes nothing is not counted.
        let is_counted = operation.needs_key() || operation.method != Method::GET;
        let mut was_limited = false;
        for _ in 0..8 {
            let response = operation.request(&api, &operation.path).send().await.unwrap();
            was_limited = response.status() == 429;
            if was_limited {
                operation.is_problem(&Answer::of(response).await, 429, "rate_limited");
                break;
            }
        }
        assert_eq!(was_limited, is_counted, "{}", operation.name);
    }
}

#[tokio::test]
async fn existing_and_missing_resources() {
    for (name, content, is_cut) in [
        ("world", Content::World, false),
        ("no_world", Content::Schema, false),
        ("no_schema", Content::Nothing, false),
        ("no_database", Content::World, true),
    ] {
        let api = Api::start_with(&format!("conventions_{name}"), content, Limits::default()).await;
        if is_cut {
            api.cut_database().await;
        }
        // Those that end something do so after the others.
        let (first, last): (Vec<_>, Vec<_>) =
            operations().into_iter().partition(|operation| operation.method != Method::DELETE);
        for operations in [first, last] {
            let asked = operations.iter().map(|operation| async {
                let mut request = operation.request(&api, &operation.path);
                if let Some(body) = &operation.body {
                    request = request.json(body);
                }
                let response = request.send().await.unwrap();
                let kind = response.headers().get("content-type");
                if kind.is_none_or(|kind| kind != "text/event-stream") {
                    operation.is_documented(&Answer::of(response).await);
                }
            });
            join_all(asked).await;
        }
    }
}
