//! What stands at `/`; no operation of the specification.
use crate::http::access::{Access, Resource};
use crate::http::state::ApiState;
use poem::http::StatusCode;
use poem::http::header::LOCATION;
use poem_openapi::OpenApi;
use poem_openapi::payload::Response;

/// Where the pages begin.
const PAGES: &str = "/ui/";

pub(crate) struct HomeApi;

impl Resource for HomeApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[];

    fn new(_state: &ApiState) -> Self {
        HomeApi
    }
}

#[OpenApi]
impl HomeApi {
    #[oai(path = "/", method = "get", hidden)]
    async fn home(&self) -> Response<()> {
        Response::new(()).status(StatusCode::SEE_OTHER).header(LOCATION, PAGES)
    }
}
