//! The HTTP API: reads rows as of an instant, and turns writes into commands of the world.
//!
//! `http` is what every request meets (problems, pages, instants, authorization, limits), `schemas` what
//! several resources answer with, `resources` the endpoints by subject, and `openapi` the specification.
//! `registry` stands beside the resources: images for the tools that pull them, by a protocol of others.
#![cfg_attr(not(test), deny(clippy::cast_possible_truncation, clippy::cast_sign_loss))]

pub mod auth;
mod http;
mod openapi;
mod registry;
mod resources;
mod schemas;
mod web;

pub use http::generated::{GeneratedArtifact, GeneratedRepository};
pub use http::limits::Limits;
pub use http::metrics_listener;
pub use http::problem;
pub use http::state::{ApiState, Settings};
pub use openapi::openapi_json;

use http::authorize::Authorizer;
use http::middleware::Middleware;
use http::operations::Operations;
use poem::endpoint::BoxEndpoint;
use poem::listener::TcpAcceptor;
use poem::middleware::Cors;
use poem::{EndpointExt, Response, Route, Server, get};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long open requests may go on after a stop was asked for.
const GRACE_SECONDS: u64 = 2;

/// What scripts of other origins may send: every header that the API reads from callers with a
/// token.
const READ_HEADERS: [&str; 6] = [
    "authorization",
    "content-type",
    "idempotency-key",
    "if-none-match",
    "last-event-id",
    "x-request-id",
];
/// What they may read beside the body: every header that tells something of the answer.
const SENT_HEADERS: [&str; 8] = [
    "allow",
    "content-disposition",
    "etag",
    "idempotency-replayed",
    "location",
    "retry-after",
    "www-authenticate",
    "x-request-id",
];

/// Everything the API serves, behind the middleware: it answers every request itself and never fails.
pub fn router(state: ApiState) -> BoxEndpoint<'static, Response> {
    let origins = state.allowed_origins().to_vec();
    let specification = openapi_json();
    let endpoints = openapi::endpoints(state.clone());
    let operations = Operations::of_specification(&specification, resources::access, endpoints)
        .with_long_bodies(resources::takes_long_body);
    let pages = web::mount(Route::new(), state.static_dir())
        .at("/openapi.json", get(openapi::docs::specification(specification)))
        .nest("/docs", openapi::docs::swagger_ui());
    let authorizer = Arc::new(Authorizer::new(state.clone()));
    let registry = registry::Registry::new(state.clone(), authorizer.clone());
    let middleware = Middleware::new(pages, operations, registry, authorizer, state);
    if origins.is_empty() {
        return middleware.boxed();
    }
    let cors = Cors::new()
        .allow_origins(origins)
        .allow_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allow_headers(READ_HEADERS)
        .expose_headers(SENT_HEADERS);
    middleware.with(cors).map_to_response().boxed()
}

/// Serves the API until `shutdown` is ready, then lets open requests end.
pub async fn serve(
    listener: TcpListener,
    state: ApiState,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let closing = state.closing();
    let shutdown = async move {
        shutdown.await;
        closing.cancel();
    };
    Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?)
        .idle_timeout(Duration::from_secs(75))
        .run_with_graceful_shutdown(
            router(state),
            shutdown,
            Some(Duration::from_secs(GRACE_SECONDS)),
        )
        .await
}
