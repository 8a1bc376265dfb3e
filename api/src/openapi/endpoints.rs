//! The endpoints of all operations, a path each. Which path a request is for is decided in one place
//! (`http::operations`); behind each stands a router that knows this path alone, and reads its
//! parameters.
use crate::http::operations::{Endpoints, shape};
use crate::http::state::ApiState;
use crate::resources::Resources;
use poem::IntoEndpoint;
use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem_openapi::registry::{MetaApi, Registry};
use poem_openapi::{OpenApi, OpenApiService};
use std::collections::HashMap;

type Methods = HashMap<Method, BoxEndpoint<'static>>;

/// The endpoints by the shapes of their paths.
pub(crate) fn endpoints(state: ApiState) -> Endpoints {
    let mut routes = HashMap::new();
    Resources(state).add_routes(&mut routes);
    let of_path = |(path, methods): (String, Methods)| {
        (shape(&path), OpenApiService::new(OnePath(path, methods), "", "").into_endpoint())
    };
    routes.into_iter().map(of_path).collect()
}

/// The operations of one path, with nothing to say of them.
struct OnePath(String, Methods);

impl OpenApi for OnePath {
    fn meta() -> Vec<MetaApi> {
        Vec::new()
    }

    fn register(_registry: &mut Registry) {}

    fn add_routes(self, routes: &mut HashMap<String, Methods>) {
        routes.insert(self.0, self.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_path_of_the_specification_has_an_endpoint_and_no_other() {
        let document: serde_json::Value = serde_json::from_str(&crate::openapi_json()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let specified: BTreeSet<String> = paths.keys().map(|path| shape(path)).collect();
        assert_eq!(specified.len(), paths.len(), "two paths have one shape");
        let endpoints = endpoints(ApiState::detached());
        assert_eq!(endpoints.into_keys().collect::<BTreeSet<_>>(), specified);
    }
}
