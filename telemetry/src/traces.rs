//! Logs, and traces when somebody asks for them.
//!
//! With `OTEL_EXPORTER_OTLP_ENDPOINT` set, spans of requests, jobs and windows go there over OTLP
//! (HTTP, protobuf). Without it nothing of that is set up, and a span costs what an unused log line
//! costs. The other settings of OpenTelemetry's SDK hold: `OTEL_SERVICE_NAME`,
//! `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_TRACES_SAMPLER`, `OTEL_RESOURCE_ATTRIBUTES`.
mod exporter;

use anyhow::{Context, Result};
use exporter::Client;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::io::IsTerminal;
use std::time::Duration;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// The variables that ask for traces.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
/// How long the last spans may take to leave when the program ends.
const FLUSH: Duration = Duration::from_secs(5);

/// What is told until this is dropped.
#[must_use]
#[derive(Debug)]
pub struct Telemetry(Option<SdkTracerProvider>);

/// Sets up logs on standard error and, if asked for, traces. Once a process, in its runtime.
///
/// # Errors
/// Traces are asked for and cannot be set up.
pub fn init() -> Result<Telemetry> {
    let filter = EnvFilter::try_from_env("WAVETANK_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let logs = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // Where nobody reads standard error any more, there is nobody to tell that either.
        .log_internal_errors(false)
        .with_filter(filter);
    let registry = tracing_subscriber::registry().with(logs);
    let asked = ENDPOINTS.iter().any(|name| std::env::var(name).is_ok_and(|at| !at.is_empty()));
    if !asked {
        registry.init();
        return Ok(Telemetry(None));
    }
    let provider = provider()?;
    // Our own spans alone: neither the exporter's, which would tell of themselves for ever, nor
    // those of libraries.
    let ours = ["wavetank", "api", "jobs", "store"].map(|name| (name, LevelFilter::INFO));
    let spans = Targets::new().with_targets(ours);
    let traces = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("wavetank"))
        .with_location(false)
        .with_threads(false)
        .with_filter(spans);
    registry.with(traces).init();
    Ok(Telemetry(Some(provider)))
}

fn provider() -> Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Client::new()?)
        .build()
        .context("OTEL_EXPORTER_OTLP_ENDPOINT cannot be used")?;
    let mut resource = Resource::builder()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if std::env::var("OTEL_SERVICE_NAME").is_err() {
        resource = resource.with_service_name("wavetank");
    }
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource.build())
        .build())
}

impl Telemetry {
    /// Sends what has not been sent, and ends. Not on a thread of the runtime that sends it.
    pub fn end(self) {
        if let Some(provider) = self.0
            && let Err(error) = provider.shutdown_with_timeout(FLUSH)
        {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}
