//! `wavetank worker`: works on jobs until it is told to stop.
use super::metrics::MetricsOptions;
use super::say::say;
use super::signing::SigningOptions;
use crate::services::{ServiceOptions, Services};
use anyhow::{Result, bail};
use jobs::conductor::Resources;
use jobs::job::JobContext;
use jobs::keys::Keyring;
use jobs::queue::Signals;
use jobs::webhooks::{AddressPolicy, Dispatcher};
use jobs::worker::{WorkerOptions, Workers};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use telemetry::metrics::Metrics;
use tokio_util::sync::CancellationToken;

#[derive(clap::Args, Debug)]
pub(super) struct Options {
    #[command(flatten)]
    signing: SigningOptions,
    #[command(flatten)]
    services: ServiceOptions,
    /// How many jobs of a queue to work on at a time.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = super::worker::count())]
    workers: u64,
    /// How many batches of studies to play at a time, beside those jobs: each fills a core. All cores
    /// by default; 0 leaves studies to other processes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=256))]
    study_threads: Option<u16>,
    #[command(flatten, next_help_heading = "Webhooks")]
    webhooks: AddressPolicy,
    #[command(flatten)]
    metrics: MetricsOptions,
}

/// From 1 to 256 workers.
pub(super) fn count() -> clap::builder::RangedU64ValueParser<u64> {
    clap::value_parser!(u64).range(1..=256)
}

pub(super) async fn worker(options: Options) -> Result<ExitCode> {
    options.services.require_shared("worker")?;
    let keys = options.signing.keyring()?;
    let listener = options.metrics.bind().await?;
    let studies = options.study_threads.map_or_else(cores, usize::from);
    let workers = WorkerOptions { studies, ..self::options(options.workers) };
    let services = Services::open_for(&options.services, Path::new("data"), &workers).await?;
    // What it would do for a world of another kernel would be compared with another story.
    store::world::assert_kernel(&mut *services.pool.acquire().await?).await?;
    let metrics = Metrics::default();
    let dispatcher = Dispatcher::new(services.pool.clone(), options.webhooks, metrics.clone())?;
    let shutdown = super::shutdown_on_signal(0);
    let watched = listener.serve(&services.pool, &metrics, &shutdown);
    say!("working with {} workers; stop with Ctrl-C", options.workers);
    let workers = start(&services, resources(&services, keys), workers, &shutdown)?;
    let dispatching = tokio::spawn(dispatcher.run(shutdown.clone()));
    shutdown.cancelled().await;
    workers.stopped().await;
    let _ = dispatching.await;
    let _ = watched.await;
    services.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// The cores of this machine.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// What this process's conductor and workers share.
pub(super) fn resources(services: &Services, keys: Arc<Keyring>) -> Resources {
    Resources {
        pool: services.pool.clone(),
        objects: services.objects.clone(),
        keys,
        signals: Arc::new(Signals::default()),
    }
}

/// So many jobs of a queue at a time.
pub(super) fn options(workers: u64) -> WorkerOptions {
    WorkerOptions {
        concurrency: usize::try_from(workers).unwrap_or(usize::MAX),
        ..WorkerOptions::default()
    }
}

/// Starts this process's workers; fewer where the server has no room for their connections.
///
/// # Errors
/// It has not even room for one worker a queue.
pub(super) fn start(
    services: &Services,
    resources: Resources,
    wanted: WorkerOptions,
    shutdown: &CancellationToken,
) -> Result<Workers> {
    let asked = wanted.concurrency;
    let room = services.worker_pool.options().get_max_connections();
    let options = wanted.within(room);
    if options.connections() > room {
        let needed = options.connections();
        bail!(
            "PostgreSQL has room for {room} connections of workers, and one worker a queue needs \
             {needed}\nhint: raise max_connections of the server, or end other programs that use it"
        );
    }
    if options.concurrency < asked {
        let workers = options.concurrency;
        tracing::warn!(asked, workers, "PostgreSQL has no room for as many connections");
    }
    let ctx = JobContext {
        pool: services.worker_pool.clone(),
        objects: resources.objects,
        caches: Arc::default(),
        keys: resources.keys,
    };
    Ok(Workers::start(ctx, resources.signals, options, shutdown.clone()))
}
