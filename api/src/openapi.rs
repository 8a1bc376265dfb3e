//! The specification: the operations of all resources, and what poem-openapi cannot say by itself.
mod conventions;
pub(crate) mod docs;
mod endpoints;
mod examples;
mod generators;
mod parameters;
mod paths;

pub(crate) use endpoints::endpoints;

use crate::http::problem::{self, Code, ProblemBody, ProblemPart};
use crate::http::request_id;
use crate::http::state::ApiState;
use crate::resources::Resources;
use poem_openapi::types::{Example, ToJSON};
use poem_openapi::{ExtraHeader, LicenseObject, OpenApiService};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const DESCRIPTION: &str = "\
A wave tank for container supply chains. The world is simulated; its documents are real.

**Signing in.** Get a token for an API key at POST /v1/auth/token and send it as \
`Authorization: Bearer TOKEN`; here, press Authorize and paste the key that `wavetank demo` \
prints. Keys have a role (admin, editor, viewer, orchestrator); those that are bound to a tenant \
see that tenant and the shared catalogue, and nothing tells them what else there is.

**Simulated time.** All instants are simulated and written in RFC 3339, UTC with a `Z`, with \
milliseconds where there are some (fields ending in `_wall` are real time). Reads take `as_of`: the answer is what was known at \
that instant. Without it, the answer is the newest state. `settled: true` says that the answer \
can never change again.

**Writes are commands.** A POST stores a command and answers 202 with what it will lead to; the \
world takes it at its current instant. A paused world takes it when time moves again. A POST with \
an `Idempotency-Key` is done once, however often it is sent within 24 hours.

**Pages.** Lists take `page_size` and `page_token`. Pass `next_page_token` on, unchanged, until \
it is absent; all pages speak of the same instant. `total` is counted up to a bound; with \
`exact: false` there are more. `order_by` takes a field's name, with `-` before it for the other \
direction.

**Copies.** JSON, texts and documents carry an `ETag`; with `If-None-Match` what is unchanged is \
not sent again.

**Errors** are `application/problem+json` (RFC 9457) with a stable `code`; GET /problems lists \
them all. A body that is wrong is answered with all that is wrong in it: `errors` holds for each a \
JSON pointer (RFC 6901), what was expected, what came and, where there is a choice, what is allowed. \
Every answer carries `X-Request-Id`.

**Worlds.** Loading a scenario puts another world in this one's place. Page tokens and event ids \
belong to one world: a token of another is answered 410 (`stale_page_token`), and GET /v1/events \
tells `reset`, which says why and from where it goes on.

**A tour.** In the demo world (`wavetank demo`) every example here is a thing that exists; press \
\"Try it out\" and \"Execute\". Read the advisory: when it was disclosed, fixed, and first found. \
Its exposure: who runs an image that it affects, and how many hours are left. The image's findings \
and versions, their SBOMs and attestations. The customer's exposure, the SLA violations: the \
deadline that was missed. The timeline of the CVE, from disclosure on. Then clear `as_of` and see \
how things stand now; ask for a build, a scan, an incident; pause the clock or let it run.";

/// All resources as a service with its specification.
fn service(state: ApiState) -> OpenApiService<Resources, ()> {
    let id = ExtraHeader::new(request_id::HEADER)
        .description("The request's id: the one the client sent, or a new ULID.");
    OpenApiService::new(Resources(state), "Wavetank", env!("CARGO_PKG_VERSION"))
        .description(DESCRIPTION)
        .license(LicenseObject::new("Apache-2.0"))
        .server("/")
        .extra_response_header::<String, _>(id)
}

/// The specification as stored in `openapi/wavetank.json`: the same text every time.
pub fn openapi_json() -> String {
    let text = service(ApiState::detached()).spec();
    let Ok(mut document) = serde_json::from_str::<Value>(&text) else { return text };
    // Where two resources share a path, poem-openapi writes it twice.
    if let Ok(whole) = serde_json::from_str::<paths::Document>(&text) {
        document["paths"] = whole.paths.0;
    }
    let mut bodies = BTreeSet::new();
    for item in document["paths"].as_object_mut().into_iter().flat_map(|p| p.values_mut()) {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            parameters::expand(operation);
            conventions::apply(method, operation);
            add_problem_examples(operation);
            bodies.extend(body_schemas(operation));
        }
    }
    bodies.remove(SIGNED);
    bodies.insert(OWN_PUSH.to_owned());
    add_objects_within(&mut bodies, &document["components"]["schemas"]);
    for body in bodies {
        conventions::apply_to_body(&mut document["components"]["schemas"][body]);
    }
    let schemas = document["components"]["schemas"].clone();
    for item in document["paths"].as_object_mut().into_iter().flat_map(|p| p.values_mut()) {
        for operation in item.as_object_mut().into_iter().flat_map(|item| item.values_mut()) {
            examples::apply(operation, &schemas);
        }
    }
    generators::apply(&mut document);
    parameters::share(&mut document);
    let mut text = serde_json::to_string_pretty(&document).unwrap_or(text);
    text.push('\n');
    text
}

/// The body that has two forms, and the one of them that is ours: a forge's holds more than is read.
const SIGNED: &str = "PushBody";
const OWN_PUSH: &str = "UpstreamPush";

/// The names of the schemas of an operation's body.
fn body_schemas(operation: &Value) -> Vec<String> {
    let content = operation["requestBody"]["content"].as_object();
    let references = content.into_iter().flat_map(|content| content.values());
    let name =
        |media: &Value| media["schema"]["$ref"].as_str()?.rsplit('/').next().map(str::to_owned);
    references.filter_map(name).collect()
}

/// The names of the objects that bodies hold, however deep.
fn add_objects_within(bodies: &mut BTreeSet<String>, schemas: &Value) {
    let mut open: Vec<String> = bodies.iter().cloned().collect();
    while let Some(name) = open.pop() {
        let mut names = Vec::new();
        references(&schemas[&name], &mut names);
        for name in names {
            if schemas[&name]["type"] == "object" && bodies.insert(name.clone()) {
                open.push(name);
            }
        }
    }
}

/// The names of the schemas that a schema refers to.
fn references(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            let reference = map.get("$ref").and_then(Value::as_str);
            names.extend(reference.and_then(|text| text.rsplit('/').next()).map(str::to_owned));
            map.values().for_each(|value| references(value, names));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, names)),
        _ => {}
    }
}

/// One example for each code that the description of an error response names.
fn add_problem_examples(operation: &mut Value) {
    let responses = operation["responses"].as_object_mut();
    for response in responses.into_iter().flat_map(|responses| responses.values_mut()) {
        let said = response["description"].as_str().unwrap_or_default().to_owned();
        let content = response.get_mut("content").and_then(|c| c.get_mut(problem::MEDIA_TYPE));
        let Some(content) = content else { continue };
        for code in Code::ALL {
            let name = code.as_str();
            if said.contains(&format!("`{name}`")) {
                content["examples"][name] =
                    json!({"summary": code.title(), "value": example(*code)});
            }
        }
    }
}

/// The choice of an example.
const LEVELS: [&str; 4] = ["low", "medium", "high", "critical"];

fn example(code: Code) -> Value {
    let mut example = ProblemBody::example();
    example.kind = format!("/problems/{}", code.as_str());
    example.code = code.as_str().to_owned();
    example.title = code.title().to_owned();
    example.status = code.status();
    example.detail = format!("{}.", code.title());
    example.hint = code.hint().to_owned();
    example.instance = "/v1/...".to_owned();
    if code == Code::InvalidBody {
        let wide = "a whole number from 1 to 86400";
        let choice = LEVELS.iter().map(|level| (*level).to_owned()).collect();
        example.errors = Some(vec![
            ProblemPart::at("/digest_window_seconds", wide, "0", None),
            ProblemPart::at("/min_severity", "one of the allowed values", "1", Some(choice)),
        ]);
    }
    example.to_json().unwrap_or_default()
}
