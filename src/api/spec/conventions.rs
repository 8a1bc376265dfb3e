//! What holds for all operations alike is said of each: who may call it, that it wants a token,
//! its limits, copies, and requests that are done once.
use crate::api::access;
use crate::api::idempotency;
use crate::api::problem::{Code, MEDIA_TYPE};
use serde_json::{Value, json};

/// Adds the conventions to one operation.
pub(super) fn apply(method: &str, operation: &mut Value) {
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let Some(roles) = access::of(&id).and_then(access::Access::roles) else { return };
    let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    operation["x-roles"] = json!(names);
    let said = operation["description"].as_str().unwrap_or_default();
    let may = format!("Roles: {}.", names.join(", "));
    let said = if said.is_empty() { may } else { format!("{said}\n\n{may}") };
    operation["description"] = Value::String(said);
    add_codes(operation, &[Code::Unauthenticated, Code::Forbidden, Code::RateLimited]);
    // Only a POST has a body that makes something new; only JSON answers are marked.
    let answers = operation["responses"].as_object();
    let is_json = answers.into_iter().flatten().any(|(status, response)| {
        status == "200" && response["content"].get("application/json; charset=utf-8").is_some()
    });
    if method == "post" {
        once(operation);
    } else if method == "get" && is_json {
        copies(operation);
    }
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
}

fn copies(operation: &mut Value) {
    add_header(
        operation,
        "If-None-Match",
        "The `ETag` of a copy that is at hand: when it still holds, the answer is 304.",
        json!({"type": "string"}),
    );
    let id = operation["responses"]["200"]["headers"].clone();
    operation["responses"]["200"]["headers"]["ETAG"] = json!({
        "description": "The hash of the answer, for `If-None-Match`.",
        "required": true, "deprecated": false, "schema": {"type": "string"}
    });
    operation["responses"]["304"] =
        json!({"description": "The copy that is at hand still holds.", "headers": id});
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
