//! Where metrics can be read.
use super::say::say;
use anyhow::{Context, Result};
use api::metrics_listener;
use sqlx::PgPool;
use std::net::SocketAddr;
use telemetry::metrics::Metrics;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

#[derive(clap::Args, Clone, Debug)]
pub(super) struct MetricsOptions {
    /// Serve Prometheus metrics at /metrics of this address, apart from the API, to whoever can
    /// reach it: only the monitoring should. Without it, there are none.
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "WAVETANK_METRICS_ADDRESS",
        help_heading = "Monitoring"
    )]
    metrics_address: Option<SocketAddr>,
}

/// The address, taken before anything slow begins.
pub(super) struct MetricsListener(Option<TcpListener>);

impl MetricsOptions {
    /// Takes the address, if there is one.
    pub(super) async fn bind(&self) -> Result<MetricsListener> {
        let Some(address) = self.metrics_address else { return Ok(MetricsListener(None)) };
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("metrics cannot be served on {address}"))?;
        say!("metrics at http://{}/metrics", listener.local_addr()?);
        Ok(MetricsListener(Some(listener)))
    }
}

impl MetricsListener {
    /// Serves until `shutdown`; a failure is logged, for it is no reason to stop working.
    pub(super) fn serve(
        self,
        pool: &PgPool,
        metrics: &Metrics,
        shutdown: &CancellationToken,
    ) -> JoinHandle<()> {
        let (pool, metrics) = (pool.clone(), metrics.clone());
        let shutdown = shutdown.clone();
        tokio::spawn(async move {
            let Some(listener) = self.0 else { return };
            let served =
                metrics_listener::serve(listener, metrics, pool, shutdown.cancelled_owned());
            if let Err(error) = served.await {
                tracing::error!(%error, "metrics are served no more");
            }
        })
    }
}
