//! The HTTP API: reads rows as of an instant, and turns writes into commands of the world.
//!
//! One file a resource. What all of them share: problems (RFC 9457), pages by key, instants, the
//! edge around everything (request ids, limits, security headers), and the specification.
mod artifacts;
mod builds;
mod clock;
mod docs;
mod edge;
mod health;
mod images;
mod limits;
mod logs;
mod page;
pub mod problem;
mod problems;
mod request_id;
mod routes;
mod security;
mod spec;
mod state;
mod text;
mod time;
mod webhooks;

pub use limits::Limits;
pub use spec::openapi_json;
pub use state::ApiState;

use poem::endpoint::BoxEndpoint;
use poem::listener::TcpAcceptor;
use poem::{EndpointExt, Response, Route, Server, get};
use std::future::Future;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long open requests may go on after a stop was asked for.
const GRACE_SECONDS: u64 = 10;

/// Everything the API serves, behind the edge: it answers every request itself and never fails.
pub fn router(state: ApiState) -> BoxEndpoint<'static, Response> {
    let limits = state.limits();
    let specification = openapi_json();
    let routes = routes::Routes::of_specification(&specification);
    let inside = Route::new()
        .at("/openapi.json", get(docs::specification(specification)))
        .nest("/docs", docs::swagger_ui())
        .at("/*rest", spec::service(state));
    edge::Edge::new(inside, routes, limits).boxed()
}

/// Serves the API until `shutdown` is ready, then lets open requests end.
pub async fn serve(
    listener: TcpListener,
    state: ApiState,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<()> {
    Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?)
        .idle_timeout(Duration::from_secs(75))
        .run_with_graceful_shutdown(
            router(state),
            shutdown,
            Some(Duration::from_secs(GRACE_SECONDS)),
        )
        .await
}
