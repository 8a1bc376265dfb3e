//! The one place that says which operation a request calls. The paths are those of the specification;
//! each has the endpoint of its operations with it, so whatever is called has been found here, and
//! has passed what this operation asks for.
use crate::http::access::Access;
use crate::http::body::{BodySchema, Schemas};
use crate::http::problem::{Code, Problem};
use poem::Request;
use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The endpoints of the operations, by the shapes of their paths.
pub(crate) type Endpoints = HashMap<String, BoxEndpoint<'static>>;

/// The shape of a path: without the names of its parameters, which routers write in ways of their own.
pub(crate) fn shape(path: &str) -> String {
    let is_parameter = |segment: &str| segment.starts_with('{') || segment.starts_with(':');
    let segment = |segment| if is_parameter(segment) { "{}" } else { segment };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// What the specification says of each path.
pub(crate) struct Operations(Vec<Template>);

struct Template {
    segments: Vec<Option<String>>,
    operations: BTreeMap<String, Operation>,
    endpoint: BoxEndpoint<'static>,
}

/// What a request is for.
pub(crate) enum Target<'a> {
    /// An operation, with the endpoint of its path.
    Operation(&'a Operation, &'a BoxEndpoint<'static>),
    /// A path of the specification, which has no such method.
    OtherMethod,
    /// No path of the specification: a file of the pages, or nothing.
    Elsewhere,
}

/// What the specification says of an operation.
pub(crate) struct Operation {
    /// Its id.
    pub(crate) id: Arc<str>,
    /// Who may call it.
    pub(crate) access: Option<Access>,
    /// Whether it changes something.
    pub(crate) is_write: bool,
    /// What its body must be; none: it takes none.
    pub(crate) body: Option<Arc<BodySchema>>,
    /// Whether that holds documents of other tools.
    pub(crate) takes_long_body: bool,
    parameters: BTreeSet<String>,
}

impl Operations {
    /// From the specification's text. A path without an endpoint is none.
    pub(crate) fn of_specification(
        specification: &str,
        access: impl Fn(&str) -> Option<Access>,
        mut endpoints: Endpoints,
    ) -> Self {
        let document: Value = serde_json::from_str(specification).unwrap_or_default();
        let schemas = Schemas::of_document(&document);
        let paths = document["paths"].as_object().into_iter().flatten();
        let templates = paths.filter_map(|(path, item)| {
            let endpoint = endpoints.remove(&shape(path))?;
            Some(Template::new(path, item, endpoint, &access, &schemas))
        });
        Operations(templates.collect())
    }

    /// The same with the operations marked that take documents of other tools.
    pub(crate) fn with_long_bodies(mut self, is_long: impl Fn(&str) -> bool) -> Self {
        for operation in self.0.iter_mut().flat_map(|template| template.operations.values_mut()) {
            operation.takes_long_body = is_long(&operation.id);
        }
        self
    }

    fn template(&self, path: &str) -> Option<&Template> {
        let literals = |t: &&Template| t.segments.iter().filter(|s| s.is_some()).count();
        self.0.iter().filter(|template| template.matches(path)).max_by_key(literals)
    }

    /// The value of `Allow` for a path.
    pub(crate) fn allow(&self, path: &str) -> String {
        let mut methods = BTreeSet::from(["GET".to_owned(), "HEAD".to_owned()]);
        if let Some(template) = self.template(path) {
            methods = template.operations.keys().map(|method| method.to_uppercase()).collect();
            if methods.contains("GET") {
                methods.insert("HEAD".to_owned());
            }
        }
        methods.into_iter().collect::<Vec<_>>().join(", ")
    }

    /// What a request is for.
    pub(crate) fn target(&self, request: &Request) -> Target<'_> {
        let method = match *request.method() {
            Method::HEAD => "get".to_owned(),
            ref method => method.as_str().to_lowercase(),
        };
        let Some(template) = self.template(request.uri().path()) else { return Target::Elsewhere };
        match template.operations.get(&method) {
            Some(operation) => Target::Operation(operation, &template.endpoint),
            None => Target::OtherMethod,
        }
    }
}

impl Operation {
    /// Refuses parameters that the operation does not have, and those that are given twice.
    pub(crate) fn check_query(&self, request: &Request) -> Result<(), Problem> {
        let known = &self.parameters;
        let given: Vec<(String, String)> = request.params().map_err(|_| {
            Problem::new(Code::InvalidParameter, "The query is not of the form a=1&b=2.")
        })?;
        let mut seen = BTreeSet::new();
        for (name, _) in &given {
            if !known.contains(name) {
                let shown: String = name.chars().take(64).collect();
                let names = known.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                let hint = match names.as_str() {
                    "" => "This operation takes no query parameters.".to_owned(),
                    _ => format!("This operation takes: {names}."),
                };
                let detail = format!("There is no parameter {shown:?}.");
                return Err(Problem::new(Code::UnknownParameter, detail).hint(hint));
            }
            if !seen.insert(name) {
                let detail = format!("The parameter `{name}` is given twice.");
                return Err(Problem::new(Code::InvalidParameter, detail));
            }
        }
        Ok(())
    }
}

impl Template {
    fn new(
        path: &str,
        item: &Value,
        endpoint: BoxEndpoint<'static>,
        access: &impl Fn(&str) -> Option<Access>,
        schemas: &Arc<Schemas>,
    ) -> Self {
        let literal = |text: &str| (!text.starts_with('{')).then(|| text.to_owned());
        let operations = item.as_object().into_iter().flatten().map(|(method, operation)| {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let names = parameters
                .filter(|parameter| parameter["in"] == "query" || parameter["$ref"].is_string())
                .filter_map(|parameter| parameter_name(parameter).map(str::to_owned));
            let id = operation["operationId"].as_str().unwrap_or_default();
            let parsed = Operation {
                id: id.into(),
                access: access(id),
                is_write: method != "get",
                body: BodySchema::of_operation(operation, schemas).map(Arc::new),
                takes_long_body: false,
                parameters: names.collect(),
            };
            (method.clone(), parsed)
        });
        Template {
            segments: path.split('/').map(literal).collect(),
            operations: operations.collect(),
            endpoint,
        }
    }

    fn matches(&self, path: &str) -> bool {
        let mut given = path.split('/');
        let all = self.segments.iter().all(|segment| match (segment, given.next()) {
            (Some(literal), Some(text)) => literal == text,
            (None, Some(text)) => !text.is_empty(),
            (_, None) => false,
        });
        all && given.next().is_none()
    }
}

/// The name of a parameter; what operations share is referenced under its name.
fn parameter_name(parameter: &Value) -> Option<&str> {
    let reference = parameter["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    parameter["name"].as_str().or(reference)
}

#[cfg(test)]
mod tests {
    use super::*;
    use poem::EndpointExt;
    use poem::endpoint::make_sync;

    fn routes() -> Operations {
        let endpoint = || make_sync(|_| "answered").map_to_response().boxed();
        let paths = ["/v1/images", "/v1/images/{image}"];
        Operations::of_specification(
            r#"{"paths": {
                "/v1/images": {"get": {"parameters": [{"in": "query", "name": "name"}]},
                               "post": {}},
                "/v1/images/{image}": {"get": {"parameters": [{"in": "path", "name": "image"}]}}}}"#,
            |_| Some(Access::Public),
            paths.into_iter().map(|path| (shape(path), endpoint())).collect(),
        )
    }

    #[test]
    fn methods_come_from_the_specification() {
        assert_eq!(routes().allow("/v1/images"), "GET, HEAD, POST");
        assert_eq!(routes().allow("/v1/images/nginx"), "GET, HEAD");
        assert_eq!(routes().allow("/docs"), "GET, HEAD");
    }

    #[test]
    fn unknown_and_repeated_parameters_are_refused() {
        let check = |uri: &'static str| {
            let request = Request::builder().uri(uri.parse().unwrap()).finish();
            let routes = routes();
            let Target::Operation(operation, _) = routes.target(&request) else { return Ok(()) };
            operation.check_query(&request).map_err(|problem| problem.code().to_owned())
        };
        assert_eq!(check("/v1/images?name=a"), Ok(()));
        assert_eq!(check("/v1/images?nam=a"), Err("unknown_parameter".to_owned()));
        assert_eq!(check("/v1/images?name=a&name=b"), Err("invalid_parameter".to_owned()));
        assert_eq!(check("/v1/images/nginx?name=a"), Err("unknown_parameter".to_owned()));
        assert_eq!(check("/elsewhere?x=1"), Ok(()));
    }

    #[test]
    fn a_path_is_that_of_the_specification_or_none() {
        let routes = routes();
        let target = |method: Method, uri: &'static str| {
            let request = Request::builder().method(method).uri(uri.parse().unwrap()).finish();
            match routes.target(&request) {
                Target::Operation(..) => "operation",
                Target::OtherMethod => "method",
                Target::Elsewhere => "elsewhere",
            }
        };
        assert_eq!(target(Method::HEAD, "/v1/images"), "operation");
        assert_eq!(target(Method::DELETE, "/v1/images"), "method");
        for odd in [
            "/v1/images/",
            "//v1/images",
            "/v1//images",
            "/V1/images",
            "/v1/images/a/",
            "/v1/images//a",
            "/v1%2Fimages",
            "/v1/%69mages",
            "/",
        ] {
            assert_eq!(target(Method::GET, odd), "elsewhere", "{odd}");
        }
        for value in ["/v1/images/..", "/v1/images/%2F", "/v1/images/%00", "/v1/images/A"] {
            assert_eq!(target(Method::GET, value), "operation", "{value}");
        }
    }
}
