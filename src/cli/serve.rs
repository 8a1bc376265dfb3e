//! `wavetank serve`, `migrate` and `services`: the parts of a split installation.
use super::api_options::ApiOptions;
use super::say::say;
use crate::services::{ServiceOptions, Services};
use anyhow::{Context, Result};
use api::{self, ApiState};
use std::path::Path;
use std::process::ExitCode;
use telemetry::metrics::Metrics;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[derive(clap::Args, Debug)]
pub(super) struct Options {
    #[command(flatten)]
    services: ServiceOptions,
    #[command(flatten)]
    api: ApiOptions,
}

#[derive(clap::Args, Debug)]
pub(super) struct MigrateOptions {
    #[command(flatten)]
    services: ServiceOptions,
}

#[derive(clap::Args, Debug)]
pub(super) struct LendOptions {
    #[command(flatten)]
    services: ServiceOptions,
}

pub(super) async fn serve(options: Options) -> Result<ExitCode> {
    options.services.require_shared("serve")?;
    let listener = options.api.bind().await?;
    let metrics_listener = options.api.metrics.bind().await?;
    let services = Services::open(&options.services, Path::new("data")).await?;
    super::warn_of_kernel_mismatch(&services).await?;
    let shutdown = super::shutdown_on_signal(0);
    say!("pages at http://{0}/, API at http://{0}/docs", listener.local_addr()?);
    let metrics = Metrics::default();
    let watched = metrics_listener.serve(&services.pool, &metrics, &shutdown);
    let served = serve_until(listener, &options.api, &services, &metrics, shutdown.clone()).await;
    shutdown.cancel();
    let _ = watched.await;
    served?;
    services.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Serves the API until told to stop, on threads of its own: what fills a core for a while in this
/// process (the kernel, documents) takes turns with answers instead of keeping them waiting.
pub(super) async fn serve_until(
    listener: TcpListener,
    options: &ApiOptions,
    services: &Services,
    metrics: &Metrics,
    shutdown: CancellationToken,
) -> Result<()> {
    let (pools, objects) = (services.api_pools.clone(), services.objects.clone());
    let (key, settings) = (options.token_key(services)?, options.settings(metrics));
    let state = ApiState::with_settings(pools.clone(), objects, key, settings);
    let listener = listener.into_std()?;
    let serving = tokio::task::spawn_blocking(move || {
        let mut threads = tokio::runtime::Builder::new_multi_thread();
        threads.enable_all().thread_name("api").build()?.block_on(async {
            let listener = TcpListener::from_std(listener)?;
            let served = api::serve(listener, state, shutdown.cancelled_owned()).await;
            // Its connections belong to these threads.
            pools.close().await;
            served
        })
    });
    serving.await.context("the threads of the API ended")?.context("the API ended")
}

pub(super) async fn migrate(options: MigrateOptions) -> Result<ExitCode> {
    // Opening the services brings the schema up to date.
    let services = Services::open(&options.services, Path::new("data/demo")).await?;
    super::warn_of_kernel_mismatch(&services).await?;
    services.stop().await;
    super::print("the schema is up to date")
}

pub(super) async fn lend(options: LendOptions) -> Result<ExitCode> {
    let services = Services::open(&options.services, Path::new("data/demo")).await?;
    let s3 = &services.s3;
    super::print(&format!(
        "export DATABASE_URL='{}'\nexport S3_ENDPOINT='{}'\nexport S3_BUCKET='{}'\n\
         export S3_ACCESS_KEY='{}'\nexport S3_SECRET_KEY='{}'",
        services.database_url, s3.endpoint, s3.bucket, s3.access_key, s3.secret_key
    ))?;
    say!("the services run until this process is stopped (Ctrl-C)");
    let failed = super::shutdown_on_signal(0).run_until_cancelled_owned(services.failed()).await;
    services.stop().await;
    failed.map_or(Ok(ExitCode::SUCCESS), Err)
}
