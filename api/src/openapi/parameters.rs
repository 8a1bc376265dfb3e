//! Query parameters in the specification: those that one extractor declares together are written out
//! one by one, and those that many operations share are written once and referenced.
use crate::http::query::PARAMETERS;
use serde_json::{Map, Value, json};

/// What operations share, by name: the key among the components is the same.
const SHARED: [&str; 3] = ["as_of", "page_size", "page_token"];

/// Writes the parameters of an operation out that stand together in one.
pub(super) fn expand(operation: &mut Value) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    let Some(parameters) = parameters else { return };
    let whole = std::mem::take(parameters);
    for mut parameter in whole {
        match parameter["schema"]["title"].as_str() {
            Some(PARAMETERS) => match parameter["schema"]["example"].take() {
                Value::Array(real) => parameters.extend(real),
                _ => continue,
            },
            _ => parameters.push(parameter),
        }
    }
    if parameters.is_empty()
        && let Some(operation) = operation.as_object_mut()
    {
        operation.remove("parameters");
    }
}

/// References what operations share instead of repeating it; what differs stays as it is.
pub(super) fn share(document: &mut Value) {
    let mut shared = Map::new();
    let paths = document["paths"].as_object_mut();
    let items = paths.into_iter().flat_map(|paths| paths.values_mut());
    let operations = items.filter_map(Value::as_object_mut).flat_map(|item| item.values_mut());
    for operation in operations {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default().to_owned();
            if parameter["in"] != "query" || !SHARED.contains(&name.as_str()) {
                continue;
            }
            if shared.entry(&name).or_insert_with(|| parameter.clone()) == parameter {
                *parameter = json!({"$ref": format!("#/components/parameters/{name}")});
            }
        }
    }
    document["components"]["parameters"] = Value::Object(shared);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_together_is_written_out_and_what_is_shared_is_referenced() {
        let shared = json!({"name": "as_of", "in": "query", "schema": {"type": "string"}});
        let own = json!({"name": "q", "in": "query", "schema": {"type": "string"}});
        let together = json!({"name": "query", "in": "query", "schema":
            {"title": PARAMETERS, "example": [own, shared]}});
        let path = json!({"name": "image", "in": "path"});
        let mut first = json!({"parameters": [path, together]});
        expand(&mut first);
        assert_eq!(first["parameters"], json!([path, own, shared]));
        let other = json!({"name": "as_of", "in": "query", "description": "another"});
        let mut document = json!({"paths": {"/a": {"get": first}, "/b": {"get":
            {"parameters": [other, shared]}}}, "components": {}});
        share(&mut document);
        let reference = json!({"$ref": "#/components/parameters/as_of"});
        assert_eq!(document["components"]["parameters"], json!({"as_of": shared}));
        let a = &document["paths"]["/a"]["get"]["parameters"];
        assert_eq!(*a, json!([path, own, reference]));
        assert_eq!(document["paths"]["/b"]["get"]["parameters"], json!([other, reference]));
    }
}
