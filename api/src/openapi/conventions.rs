//! What holds for all operations alike is said of each: who may call it, that it wants a token,
//! its limits, copies, requests that are done once, and whatever else middleware and authorization answer
//! in its place.
use crate::http::access::Access;
use crate::http::problem::{Code, MEDIA_TYPE};
use crate::http::{etags, idempotency};
use serde_json::{Value, json};

/// Adds the conventions to one operation.
pub(super) fn apply(method: &str, operation: &mut Value) {
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let access = crate::resources::access(&id);
    let codes = around(method, operation, access);
    add_codes(operation, &codes);
    if let Some(roles) = access.and_then(Access::roles) {
        let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        operation["x-roles"] = json!(names);
        let of_platform = access.is_some_and(Access::is_of_platform);
        if of_platform {
            operation["x-platform"] = json!(true);
        }
        let said = operation["description"].as_str().unwrap_or_default();
        let may = match of_platform {
            true => format!("Roles: {}, of the platform: no tenant's key.", names.join(", ")),
            false => format!("Roles: {}.", names.join(", ")),
        };
        let said = if said.is_empty() { may } else { format!("{said}\n\n{may}") };
        operation["description"] = Value::String(said);
        if method == "post" {
            once(operation);
        } else if method == "get" && is_marked(operation) {
            copies(operation);
        }
    }
    add_problem_headers(operation);
}

/// What middleware and authorization answer before the operation is asked, or in its place.
fn around(method: &str, operation: &Value, access: Option<Access>) -> Vec<Code> {
    let mut codes = vec![Code::UnknownParameter];
    let parameters = operation["parameters"].as_array();
    if parameters.into_iter().flatten().any(|p| p["in"] == "query" || p["in"] == "path") {
        codes.push(Code::InvalidParameter);
    }
    let has = |name: &str| parameters.into_iter().flatten().any(|p| p["name"] == name);
    if has("page_token") && has("as_of") {
        codes.push(Code::StalePageToken);
    }
    let is_write = method != "get";
    if matches!(method, "post" | "put" | "patch") {
        // A body is read whether it is wanted or not.
        codes.extend([Code::InvalidBody, Code::BodyTooLarge, Code::Timeout]);
    }
    if operation["requestBody"].is_object() {
        codes.push(Code::UnsupportedMediaType);
    }
    let has_key = access.and_then(Access::roles).is_some();
    if has_key {
        codes.extend([Code::Unauthenticated, Code::Forbidden]);
        codes.extend([Code::NoWorld, Code::DatabaseUnavailable, Code::Timeout]);
    }
    if has_key || is_write {
        codes.push(Code::RateLimited);
    }
    codes
}

/// Whether the answer goes out with its hash (`etag.rs`).
fn is_marked(operation: &Value) -> bool {
    let content = operation["responses"]["200"]["content"].as_object();
    content.into_iter().flat_map(|content| content.keys()).any(|kind| etags::is_marked(kind))
}

/// What poem-openapi does with bodies without saying it: unknown fields are refused, and null is
/// the same as nothing.
pub(super) fn apply_to_body(schema: &mut Value) {
    schema["additionalProperties"] = Value::Bool(false);
    // What may be left out is left out: an example is there to be sent.
    if let Some(example) = schema["example"].as_object_mut() {
        example.retain(|_, value| !value.is_null());
    }
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, property) in schema["properties"].as_object_mut().into_iter().flatten() {
        if required.iter().any(|known| known == name) {
            continue;
        }
        if property.get("$ref").is_some() {
            *property = json!({"allOf": [property.clone()]});
        }
        property["nullable"] = Value::Bool(true);
    }
}

fn once(operation: &mut Value) {
    add_header(
        operation,
        idempotency::HEADER,
        "A name of the client's choice for this request, 1 to 128 visible ASCII characters: sent \
         again under the same name within 24 hours, it is not done again but answered the same, \
         with the header `Idempotency-Replayed: true`.",
        json!({"type": "string", "minLength": 1, "maxLength": 128}),
    );
    let codes = [Code::InvalidParameter, Code::IdempotencyKeyInUse, Code::IdempotencyKeyReused];
    add_codes(operation, &codes);
    let responses = operation["responses"].as_object_mut();
    for (status, response) in responses.into_iter().flatten() {
        if status.starts_with('2') {
            response["headers"][shown(idempotency::REPLAYED)] = header(
                "`true`: the answer was given before, to the same request under the same name.",
                false,
            );
        }
    }
}

fn copies(operation: &mut Value) {
    add_header(
        operation,
        "If-None-Match",
        "The `ETag` of a copy that is at hand: when it still holds, the answer is 304.",
        json!({"type": "string"}),
    );
    let headers = &mut operation["responses"]["200"]["headers"];
    headers["ETAG"] = header("The hash of the answer, for `If-None-Match`.", true);
    let headers = headers.clone();
    operation["responses"]["304"] =
        json!({"description": "The copy that is at hand still holds.", "headers": headers});
}

/// What goes out with every problem of a status.
fn add_problem_headers(operation: &mut Value) {
    let responses = operation["responses"].as_object_mut();
    for (status, response) in responses.into_iter().flatten() {
        let (name, description) = match status.as_str() {
            "401" => ("WWW-AUTHENTICATE", "`Bearer`: what is wanted is a token."),
            "429" | "503" => ("RETRY-AFTER", "After how many seconds another try can succeed."),
            _ => continue,
        };
        response["headers"][name] = header(description, true);
    }
}

/// The name of a header as poem-openapi writes those of answers.
fn shown(name: &str) -> String {
    name.to_uppercase()
}

/// A header of an answer.
fn header(description: &str, required: bool) -> Value {
    json!({
        "description": description, "required": required, "deprecated": false,
        "schema": {"type": "string"},
    })
}

fn add_header(operation: &mut Value, name: &str, description: &str, schema: Value) {
    let parameter = json!({
        "name": name, "in": "header", "description": description, "required": false,
        "deprecated": false, "explode": true, "schema": schema,
    });
    match operation["parameters"].as_array_mut() {
        Some(parameters) if parameters.iter().any(|p| p["name"] == name) => {}
        Some(parameters) => parameters.push(parameter),
        None => operation["parameters"] = json!([parameter]),
    }
}

/// Lists codes in the descriptions of the answers with their statuses.
fn add_codes(operation: &mut Value, codes: &[Code]) {
    let headers = operation["responses"]["500"]["headers"].clone();
    for code in codes {
        let response = &mut operation["responses"][code.status().to_string()];
        let line = format!("- `{}`: {}.", code.as_str(), code.title());
        let said = response["description"].as_str().unwrap_or_default();
        if said.contains(&line) {
            continue;
        }
        let said = if said.is_empty() { line } else { format!("{said}\n{line}") };
        response["description"] = Value::String(said);
        let schema = json!({"$ref": "#/components/schemas/Problem"});
        response["content"][MEDIA_TYPE]["schema"] = schema;
        if !response["headers"].is_object() {
            response["headers"] = headers.clone();
        }
    }
}
