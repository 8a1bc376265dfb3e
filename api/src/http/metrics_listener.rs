//! The listener of metrics: apart from the API's, for it asks nobody who they are. Only the
//! monitoring should reach it.
use poem::http::{StatusCode, header};
use poem::listener::TcpAcceptor;
use poem::{Response, Route, Server, get};
use sqlx::PgPool;
use std::future::Future;
use std::time::Duration;
use telemetry::metrics::Metrics;
use tokio::net::TcpListener;

const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// How long an open scrape may go on after a stop was asked for.
const GRACE: Duration = Duration::from_secs(1);

/// Serves `/metrics` until `shutdown` is ready.
///
/// # Errors
/// The listener failed.
pub async fn serve(
    listener: TcpListener,
    metrics: Metrics,
    pool: PgPool,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let scrape = poem::endpoint::make(move |_| {
        let (metrics, pool) = (metrics.clone(), pool.clone());
        async move { answer(metrics.scrape(&pool).await.ok()) }
    });
    Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?)
        .run_with_graceful_shutdown(Route::new().at("/metrics", get(scrape)), shutdown, Some(GRACE))
        .await
}

fn answer(text: Option<String>) -> Response {
    match text {
        Some(text) => Response::builder().header(header::CONTENT_TYPE, MEDIA_TYPE).body(text),
        None => Response::builder().status(StatusCode::INTERNAL_SERVER_ERROR).finish(),
    }
}
