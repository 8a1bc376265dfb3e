//! `wavetank demo`: a world to explore: four weeks of history in seconds, then live.
use super::api_options::ApiOptions;
use super::play::{Play, WorldOptions};
use super::progress::Shown;
use super::signing::SigningOptions;
use crate::services::{ServiceOptions, Services};
use anyhow::Result;
use jobs::conductor::{Conductor, Progress};
use jobs::webhooks::Dispatcher;
use jobs::worker::WorkerOptions;
use sim::bundled::DEMO;
use sim::time::SimTime;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use store::world::{Clock, Mode};
use telemetry::metrics::Metrics;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// One simulated hour a second.
const LIVE_FACTOR: f64 = 3600.0;

#[derive(clap::Args, Debug)]
#[command(after_help = "The API opens at once; the history fills while you look. Stop with \
    Ctrl-C: the next `wavetank demo` goes on from there. Delete data/demo to begin anew.")]
pub(super) struct Options {
    /// Another scenario than the built-in four weeks.
    #[arg(value_name = "SCENARIO")]
    file: Option<PathBuf>,
    #[command(flatten)]
    world: WorldOptions,
    #[command(flatten)]
    api: ApiOptions,
    #[command(flatten)]
    signing: SigningOptions,
    #[command(flatten)]
    services: ServiceOptions,
}

pub(super) async fn demo(options: Options) -> Result<ExitCode> {
    let play = match &options.file {
        Some(file) => Play::read(file, &options.world)?,
        None => Play::of("four-weeks.yaml", DEMO.as_bytes().to_vec(), &options.world)?,
    };
    let keys = options.signing.keyring()?;
    let listener = options.api.bind().await?;
    let metrics_listener = options.api.metrics.bind().await?;
    let address = listener.local_addr()?;
    let shutdown = super::shutdown_on_signal();
    let services = Services::open(&options.services, Path::new("data/demo")).await?;
    let play = play.or_loaded(&services).await?;
    let resources = super::worker::resources(&services, keys);
    let opened = Conductor::open(
        resources.clone(),
        &play.text,
        play.scenario.clone(),
        play.seed,
        jobs::conductor::Options::default(),
    );
    let conductor = match opened.await {
        Ok(conductor) => conductor,
        Err(error) => {
            services.stop().await;
            return Err(error.into());
        }
    };
    set_the_clock(&services, play.until).await?;
    let metrics = Metrics::default();
    let dispatcher = Dispatcher::new(services.pool.clone(), options.api.webhooks, metrics.clone())?;
    let watched = metrics_listener.serve(&services.pool, &metrics, &shutdown);
    let (tell_progress, progress) = watch::channel(Progress::default());
    eprintln!("Pages       http://{address}/");
    eprintln!("Swagger UI  http://{address}/docs");
    eprintln!("OpenAPI     http://{address}/openapi.json");
    for (what, key) in super::api_key::demo_keys(&services).await? {
        eprintln!("API key     {key}  {what}");
    }
    let workers = super::worker::start(&services, resources, WorkerOptions::default(), &shutdown)?;
    let dispatching = tokio::spawn(dispatcher.run(shutdown.clone()));
    let told =
        tokio::spawn(tell(progress, play.scenario.start.time(), play.until, shutdown.clone()));
    let serving =
        super::serve::serve_until(listener, &options.api, &services, &metrics, shutdown.clone());
    let conducting = conductor.run(tell_progress, shutdown.clone());
    let (served, conducted, failed) = tokio::join!(
        async {
            let served = serving.await;
            shutdown.cancel();
            served
        },
        async {
            let conducted = conducting.await;
            shutdown.cancel();
            conducted
        },
        async {
            let failed = shutdown.run_until_cancelled(services.failed()).await;
            shutdown.cancel();
            failed
        }
    );
    workers.stopped().await;
    let _ = dispatching.await;
    let _ = watched.await;
    let _ = told.await;
    services.stop().await;
    if let Some(failed) = failed {
        return Err(failed);
    }
    served?;
    conducted?;
    Ok(ExitCode::SUCCESS)
}

/// Fast to the end of the scenario, then live; a world that is past it just goes on live.
async fn set_the_clock(services: &Services, until: SimTime) -> Result<()> {
    let mut conn = services.pool.acquire().await?;
    let world = store::world::get(&mut conn).await?;
    let past = world.materialized.at >= until;
    let clock = Clock {
        mode: if past { Mode::Live } else { Mode::Fast },
        factor: LIVE_FACTOR,
        run_until: (!past).then_some(until),
        then_mode: Mode::Live,
        held_reason: store::world::clock(&mut conn).await?.held_reason,
    };
    Ok(store::world::set_clock(&mut conn, &clock).await?)
}

/// Shows the fast-forward, then says once that the world is live.
async fn tell(
    mut progress: watch::Receiver<Progress>,
    start: SimTime,
    until: SimTime,
    shutdown: CancellationToken,
) {
    let shown = Shown::new(progress.clone(), start, until);
    let reached = progress.wait_for(|now| now.materialized_through >= until);
    let live = tokio::select! {
        reached = reached => reached.is_ok(),
        () = shutdown.cancelled() => false,
    };
    shown.finish().await;
    if live {
        eprintln!("live at one simulated hour a second; stop with Ctrl-C");
    }
}
