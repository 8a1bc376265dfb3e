//! What client generators need: forms of the specification that all of them accept and that mean
//! the same. `tests/interop/clients.rs` runs openapi-python-client, openapi-typescript and progenitor on it.
use serde_json::{Map, Value, json};

/// Keywords that describe a value and restrict none, so that they may stand beside `allOf`.
const ANNOTATIONS: [&str; 8] = [
    "default",
    "deprecated",
    "description",
    "example",
    "nullable",
    "readOnly",
    "title",
    "writeOnly",
];
const EVENT_STREAM: &str = "text/event-stream";
const ANY_TYPE: &str = "*/*";
const BINARY: &str = "application/octet-stream";

/// Rewrites the whole document.
pub(super) fn apply(document: &mut Value) {
    annotate_beside_references(document);
    let mut paths = document["paths"].take();
    let schemas = &mut document["components"]["schemas"];
    for item in paths.as_object_mut().into_iter().flat_map(|paths| paths.values_mut()) {
        for operation in item.as_object_mut().into_iter().flat_map(|item| item.values_mut()) {
            type_streams_and_bytes(operation);
            unite_success_schemas(operation, schemas);
        }
    }
    document["paths"] = paths;
}

/// poem-openapi describes a reference by a second member of `allOf`, which generators read as a
/// second type: openapi-python-client leaves out what uses it, openapi-typescript writes
/// `& unknown`. What only annotates moves beside an `allOf` of one member.
fn annotate_beside_references(value: &mut Value) {
    match value {
        Value::Object(schema) => {
            move_annotations(schema);
            schema.values_mut().for_each(annotate_beside_references);
        }
        Value::Array(values) => values.iter_mut().for_each(annotate_beside_references),
        _ => {}
    }
}

fn move_annotations(schema: &mut Map<String, Value>) {
    let Some(Value::Array(members)) = schema.get_mut("allOf") else { return };
    if members.iter().filter(|member| !is_annotation(member)).count() != 1 {
        return;
    }
    let annotations: Vec<Value> = members.extract_if(.., |member| is_annotation(member)).collect();
    for annotation in annotations {
        let Value::Object(annotation) = annotation else { continue };
        for (keyword, value) in annotation {
            schema.entry(keyword).or_insert(value);
        }
    }
}

fn is_annotation(member: &Value) -> bool {
    let keywords = member.as_object();
    keywords.is_some_and(|map| map.keys().all(|keyword| ANNOTATIONS.contains(&keyword.as_str())))
}

/// An event stream is text, not the array that poem-openapi writes. Where any type of content may
/// come, the bytes have a name of their own beside it: `*/*` stays without a type, because what is
/// JSON among it is no string.
fn type_streams_and_bytes(operation: &mut Value) {
    let responses = operation["responses"].as_object_mut();
    for response in responses.into_iter().flat_map(|responses| responses.values_mut()) {
        let Some(content) = response.get_mut("content") else { continue };
        if let Some(stream) = content.get_mut(EVENT_STREAM) {
            *stream = event_stream(stream);
        }
        if let Some(any) = content.get(ANY_TYPE)
            && content.get(BINARY).is_none()
        {
            let example = any["example"].to_string();
            let schema = json!({"type": "string", "format": "binary"});
            content[BINARY] = json!({"schema": schema, "example": example});
        }
    }
}

/// The text of the events that poem-openapi writes as an array.
fn event_stream(array: &Value) -> Value {
    let item = array["schema"]["items"]["$ref"].as_str().unwrap_or_default();
    let item = item.rsplit('/').next().unwrap_or_default();
    let description = format!(
        "Server-sent events, named by their `type`; the `data` of each is `{item}` as JSON."
    );
    let events = array["example"].as_array().into_iter().flatten();
    let text = |event: &Value| {
        let name = event["type"].as_str().unwrap_or("message");
        format!("event: {name}\ndata: {event}\n\n")
    };
    let example: String = events.map(text).collect();
    json!({"schema": {"type": "string", "description": description}, "example": example})
}

/// Progenitor takes one type for all successes of an operation: where there are several, each
/// refers to a schema that is one of them, with its own example beside.
fn unite_success_schemas(operation: &mut Value, schemas: &mut Value) {
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let responses = operation["responses"].as_object_mut();
    let successes = responses.into_iter().flatten().filter(|(status, _)| status.starts_with('2'));
    let mut media: Vec<&mut Value> = successes
        .filter_map(|(_, response)| response.get_mut("content")?.as_object_mut())
        .flat_map(|content| content.values_mut())
        .filter(|media| media["schema"]["$ref"].is_string())
        .collect();
    let mut references: Vec<Value> = media.iter().map(|media| media["schema"].clone()).collect();
    references.dedup();
    if references.len() < 2 {
        return;
    }
    for media in &mut media {
        let reference = media["schema"]["$ref"].as_str().unwrap_or_default();
        let name = reference.rsplit('/').next().unwrap_or_default();
        let example = schemas[name]["example"].clone();
        if !example.is_null() && media.get("example").is_none() {
            media["example"] = example;
        }
    }
    let name = format!("{}Response", capitalized(&id));
    for media in media {
        media["schema"] = json!({"$ref": format!("#/components/schemas/{name}")});
    }
    let description = format!("What `{id}` answers when it succeeds.");
    schemas[name] = json!({"description": description, "oneOf": references});
}

/// The text with its first letter in upper case, as schemas are named.
fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(mut document: Value) -> Value {
        apply(&mut document);
        document
    }

    #[test]
    fn a_description_moves_beside_the_reference() {
        let before = json!({"components": {"schemas": {"Action": {"properties": {
            "outcome": {
                "allOf": [
                    {"$ref": "#/components/schemas/Outcome"},
                    {"description": "How it ended.", "example": "done", "default": "done"},
                ],
                "description": "How it ended.",
                "nullable": true,
            },
        }}}}, "paths": {}});
        let after = json!({"components": {"schemas": {"Action": {"properties": {
            "outcome": {
                "allOf": [{"$ref": "#/components/schemas/Outcome"}],
                "description": "How it ended.",
                "example": "done",
                "default": "done",
                "nullable": true,
            },
        }}}}, "paths": {}});
        assert_eq!(applied(before), after);
    }

    #[test]
    fn members_that_restrict_stay_where_they_are() {
        let both = json!({"components": {"schemas": {
            "Both": {"allOf": [
                {"$ref": "#/components/schemas/A"},
                {"$ref": "#/components/schemas/B"},
                {"description": "Both."},
            ]},
            "More": {"allOf": [
                {"$ref": "#/components/schemas/A"},
                {"properties": {"b": {"type": "string"}}},
            ]},
        }}, "paths": {}});
        assert_eq!(applied(both.clone()), both);
    }

    /// A document with one operation.
    fn operation(responses: Value, schemas: Value) -> Value {
        json!({
            "components": {"schemas": schemas},
            "paths": {"/v1/things": {
                "post": {"operationId": "pushThing", "responses": responses},
            }},
        })
    }

    #[test]
    fn an_event_stream_is_text() {
        let items = json!({"$ref": "#/components/schemas/Event"});
        let array = json!({"type": "array", "format": "event-stream", "items": items});
        let event = json!({"at": 1, "type": "progress"});
        let before = json!({EVENT_STREAM: {"schema": array, "example": [event]}});
        let after = json!({EVENT_STREAM: {
            "schema": {
                "type": "string",
                "description": "Server-sent events, named by their `type`; the `data` of each is \
                                `Event` as JSON.",
            },
            "example": "event: progress\ndata: {\"at\":1,\"type\":\"progress\"}\n\n",
        }});
        let with = |content: Value| operation(json!({"200": {"content": content}}), json!({}));
        assert_eq!(applied(with(before)), with(after));
    }

    #[test]
    fn bytes_of_any_type_have_a_type_that_is_bytes() {
        let any = json!({"schema": {}, "example": {"packages": []}});
        let before = json!({"*/*": any});
        let after = json!({
            "*/*": any,
            BINARY: {
                "schema": {"type": "string", "format": "binary"},
                "example": "{\"packages\":[]}",
            },
        });
        let with = |content: Value| operation(json!({"200": {"content": content}}), json!({}));
        assert_eq!(applied(with(before)), with(after));
    }

    #[test]
    fn successes_of_several_schemas_are_one_of_them() {
        let json_of = |schema: &str| {
            let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
            json!({"content": {"application/json": {"schema": schema}}})
        };
        let schemas = json!({
            "Done": {"type": "object", "example": {"done": 1}},
            "Ignored": {"type": "object"},
        });
        let problem = json_of("Problem");
        let before = json!({"200": json_of("Ignored"), "202": json_of("Done"), "400": problem});
        let mut after = json!({
            "200": json_of("PushThingResponse"),
            "202": json_of("PushThingResponse"),
            "400": problem,
        });
        after["202"]["content"]["application/json"]["example"] = json!({"done": 1});
        let mut with_union = schemas.clone();
        with_union["PushThingResponse"] = json!({
            "description": "What `pushThing` answers when it succeeds.",
            "oneOf": [
                {"$ref": "#/components/schemas/Ignored"},
                {"$ref": "#/components/schemas/Done"},
            ],
        });
        assert_eq!(applied(operation(before, schemas)), operation(after, with_union));
    }

    #[test]
    fn successes_of_one_schema_stay_as_they_are() {
        let schema = json!({"$ref": "#/components/schemas/Build"});
        let build = json!({"content": {"application/json": {"schema": schema}}});
        let document = operation(json!({"200": build, "202": build}), json!({"Build": {}}));
        assert_eq!(applied(document.clone()), document);
    }
}
