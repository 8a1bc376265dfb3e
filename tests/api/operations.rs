//! The operations of the specification, for the tests that it drives: a new operation is called by
//! them, or fails them where no values for its parameters are known.
use api::openapi_json;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::OnceLock;

/// The specification, built once a process.
pub(crate) fn specification() -> &'static str {
    static SPECIFICATION: OnceLock<String> = OnceLock::new();
    SPECIFICATION.get_or_init(openapi_json)
}

/// The specification with every parameter where it is used, in the place of the reference to it.
pub(crate) fn document() -> Value {
    let mut document: Value = serde_json::from_str(specification()).unwrap();
    let shared = document["components"]["parameters"].clone();
    let items = document["paths"].as_object_mut().unwrap().values_mut();
    for operation in items.flat_map(|item| item.as_object_mut().unwrap().values_mut()) {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            if let Some(reference) = parameter["$ref"].as_str() {
                *parameter = shared[reference.rsplit('/').next().unwrap()].clone();
            }
        }
    }
    document
}

/// A parameter of an operation.
pub(crate) struct Parameter {
    /// `path`, `query` or `header`.
    pub(crate) place: String,
    pub(crate) name: String,
    pub(crate) required: bool,
    /// All values that it can have, where they are words of the specification.
    pub(crate) words: Vec<String>,
}

/// An operation.
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    /// Its path, with the names of parameters in braces.
    pub(crate) path: String,
    /// Who may call it; none: no token is needed.
    pub(crate) roles: Option<Vec<String>>,
    /// Whether keys of tenants may not call it, whatever their role.
    pub(crate) of_platform: bool,
    pub(crate) parameters: Vec<Parameter>,
    /// The example of its body; none: it has no body.
    pub(crate) body: Option<Value>,
    /// The names of the body's fields.
    pub(crate) fields: Vec<String>,
}

impl Operation {
    pub(crate) fn is_get(&self) -> bool {
        self.method == Method::GET
    }

    /// The parameters of one place.
    pub(crate) fn given_in(&self, place: &str) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(move |parameter| parameter.place == place)
    }

    pub(crate) fn takes(&self, place: &str, name: &str) -> bool {
        self.given_in(place).any(|parameter| parameter.name == name)
    }

    /// The parameters of the path: each as the path up to it, itself included.
    pub(crate) fn places(&self) -> Vec<&str> {
        let ends = self.path.match_indices('}').map(|(end, _)| &self.path[..=end]);
        ends.collect()
    }

    /// The path with these values for its parameters, in their order.
    pub(crate) fn at(&self, values: &[String]) -> String {
        let mut values = values.iter();
        let part = |part: &str| match part.starts_with('{') {
            true => values.next().expect("a value for every parameter").clone(),
            false => part.to_owned(),
        };
        self.path.split('/').map(part).collect::<Vec<_>>().join("/")
    }
}

/// What stands for a parameter of a path, which is given up to it.
type InPath = fn(place: &str) -> &'static [&'static str];
/// What stands for a parameter of a query whose values are not words of the specification.
type InQuery = fn(operation: &Operation, name: &str) -> &'static [&'static str];

impl Operation {
    /// Everything that it can be asked with one filter at a time: addresses to which more can be
    /// added, as they end in `?` or `&`.
    pub(crate) fn questions(&self, in_path: InPath, in_query: InQuery) -> Vec<String> {
        let mut paths = vec![Vec::new()];
        for place in self.places() {
            let further = |path: Vec<String>| {
                let values = in_path(place).iter();
                values.map(move |value| [path.clone(), vec![(*value).to_owned()]].concat())
            };
            paths = paths.into_iter().flat_map(further).collect();
        }
        let values = |parameter: &Parameter| match parameter.words.as_slice() {
            [] => in_query(self, &parameter.name).iter().map(|v| (*v).to_owned()).collect(),
            words => words.to_vec(),
        };
        let mut needed = String::new();
        for parameter in self.given_in("query").filter(|parameter| parameter.required) {
            needed += &format!("{}={}&", parameter.name, values(parameter)[0]);
        }
        let mut queries = vec![needed.clone()];
        for parameter in self.given_in("query").filter(|parameter| !parameter.required) {
            let filter = |value| format!("{needed}{}={value}&", parameter.name);
            queries.extend(values(parameter).into_iter().map(filter));
        }
        let with_each = |path: Vec<String>| {
            let path = self.at(&path);
            queries.iter().map(move |query| format!("{path}?{query}")).collect::<Vec<_>>()
        };
        paths.into_iter().flat_map(with_each).collect()
    }
}

/// All operations, in the order of the specification.
pub(crate) fn all() -> Vec<Operation> {
    let document = document();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push(read(&document, path, method, operation));
        }
    }
    all
}

fn read(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let listed = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let parameter = |given: &Value| Parameter {
        place: text(&given["in"]),
        name: text(&given["name"]),
        required: given["required"] == true,
        words: listed(&named(document, &given["schema"])["enum"]).iter().map(text).collect(),
    };
    let (body, fields) = match &operation["requestBody"] {
        Value::Null => (None, Vec::new()),
        body => read_body(document, body),
    };
    Operation {
        id: text(&operation["operationId"]),
        method: Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(),
        path: path.to_owned(),
        of_platform: operation["x-platform"] == true,
        roles: operation["x-roles"].as_array().map(|roles| roles.iter().map(text).collect()),
        parameters: listed(&operation["parameters"]).iter().map(parameter).collect(),
        body,
        fields,
    }
}

/// The example of a body, and the names of its fields.
fn read_body(document: &Value, body: &Value) -> (Option<Value>, Vec<String>) {
    let content = body["content"].as_object().unwrap().values().next().unwrap();
    let schema = &content["schema"];
    let whole = named(document, schema);
    let examples = [content.get("example"), schema.get("example"), whole.get("example")];
    let example = examples.into_iter().flatten().next().cloned().unwrap_or_else(|| json!({}));
    let fields = whole["properties"].as_object().map(|all| all.keys().cloned().collect());
    (Some(example), fields.unwrap_or_default())
}

/// A schema, or the one that it names.
fn named<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let mut references = std::iter::once(schema).chain(parts).filter_map(|s| s["$ref"].as_str());
    let name = references.next().and_then(|name| name.rsplit('/').next());
    name.map_or(schema, |name| &document["components"]["schemas"][name])
}
