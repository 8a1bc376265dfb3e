//! `wavetank demo`: a world to explore: four weeks of history in seconds, then live, at a walk.
use super::api_options::ApiOptions;
use super::keep_options::Keep;
use super::play::{Play, WorldOptions};
use super::progress::Shown;
use super::say::say;
use super::signing::SigningOptions;
use crate::services::{ServiceOptions, Services};
use anyhow::Result;
use jobs::conductor::{Conductor, Progress};
use jobs::keys::Keyring;
use jobs::webhooks::Dispatcher;
use jobs::worker::WorkerOptions;
use sim::bundled::DEMO;
use sim::time::SimTime;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use store::world::{Clock, Mode};
use telemetry::metrics::Metrics;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What live means where the history that the scenario tells is over: a simulated minute a second.
const PACE: &str = "60";

#[derive(clap::Args, Debug)]
#[command(after_help = "The API opens at once; the history fills while you look. Stop with \
    Ctrl-C: the next `wavetank demo` goes on from there. Delete data/demo to begin anew.\n\n\
    When the scenario's history is complete, the world goes on live, a simulated minute a second: \
    --pace 3600 makes that an hour a second, --pace 0 stops there. (PUT /v1/clock and the pages set \
    the clock at any time.) It keeps 28 days of its past, so that its disk does not fill: versions \
    that nobody runs any more go then, with their documents. --keep 90d keeps more, --keep all \
    everything. GET /v1/retention tells what was removed.")]
pub(super) struct Options {
    /// Another scenario than the built-in four weeks.
    #[arg(value_name = "SCENARIO")]
    file: Option<PathBuf>,
    /// Simulated seconds a second once the scenario's end is reached; 0 stops there.
    #[arg(long, value_name = "N", default_value = PACE, value_parser = pace)]
    pace: f64,
    /// How long history is kept in a world whose scenario does not say: 28d, or all.
    #[arg(long, value_name = "T", default_value = "28d")]
    keep: Keep,
    #[command(flatten)]
    world: WorldOptions,
    #[command(flatten)]
    api: ApiOptions,
    #[command(flatten)]
    signing: SigningOptions,
    #[command(flatten)]
    services: ServiceOptions,
}

/// A number of simulated seconds a second that the clock takes, or 0.
fn pace(text: &str) -> Result<f64, String> {
    let pace = text.parse().ok().filter(|pace| *pace == 0.0 || (0.001..=1e9).contains(pace));
    pace.ok_or_else(|| "expected 0, or a number from 0.001 to 1000000000".to_owned())
}

pub(super) async fn demo(options: Options) -> Result<ExitCode> {
    let play = match &options.file {
        Some(file) => Play::read(file, &options.world)?,
        None => Play::of("four-weeks.yaml", DEMO.as_bytes().to_vec(), &options.world)?,
    };
    let keys = options.signing.keyring()?;
    let listener = options.api.bind().await?;
    let metrics_listener = options.api.metrics.bind().await?;
    let shutdown = super::shutdown_on_signal(0);
    let services =
        Services::open_for(&options.services, Path::new("data/demo"), &workers()).await?;
    let metrics = Metrics::default();
    let watched = metrics_listener.serve(&services.pool, &metrics, &shutdown);
    let demo = Demo { listener, metrics, options: &options, services: &services };
    let ended = if super::warn_of_kernel_mismatch(&services).await? {
        demo.still(&shutdown).await
    } else {
        demo.going_on(play, keys, &shutdown).await
    };
    shutdown.cancel();
    let _ = watched.await;
    services.stop().await;
    ended.map(|()| ExitCode::SUCCESS)
}

/// Studies get half the cores: the others are for the world and its pages.
fn workers() -> WorkerOptions {
    WorkerOptions { studies: (super::worker::cores() / 2).max(1), ..WorkerOptions::default() }
}

/// A world that the demo shows.
struct Demo<'a> {
    listener: TcpListener,
    metrics: Metrics,
    options: &'a Options,
    services: &'a Services,
}

impl Demo<'_> {
    /// A world that another version of the kernel made: it is served, and nothing in it moves.
    async fn still(self, shutdown: &CancellationToken) -> Result<()> {
        self.addresses().await?;
        say!("the world stands still; stop with Ctrl-C");
        let failed = self.services.failed();
        let serving = self.serve(shutdown);
        tokio::select! {
            served = serving => served,
            failed = failed => Err(failed),
        }
    }

    /// A world that is conducted and worked on in this process, and served meanwhile.
    async fn going_on(
        self,
        play: Play,
        keys: Arc<Keyring>,
        shutdown: &CancellationToken,
    ) -> Result<()> {
        let (services, options) = (self.services, self.options);
        let play = match &options.file {
            Some(_) => play,
            None => play.or_earlier(services, &options.world).await?,
        };
        let play = play.or_loaded(services).await?;
        let resources = super::worker::resources(services, keys);
        let conductor = Conductor::open(
            resources.clone(),
            &play.text,
            play.scenario.clone(),
            play.seed,
            jobs::conductor::Options { keep: options.keep.duration(), ..Default::default() },
        )
        .await?;
        prepare(services, play.until, options).await?;
        let (webhooks, metrics) = (options.api.webhooks, self.metrics.clone());
        let dispatcher = Dispatcher::new(services.pool.clone(), webhooks, metrics)?;
        self.addresses().await?;
        let workers = super::worker::start(services, resources, workers(), shutdown)?;
        let (tell_progress, progress) = watch::channel(Progress::default());
        let dispatching = tokio::spawn(dispatcher.run(shutdown.clone()));
        let start = play.scenario.start.time();
        let told = tokio::spawn(tell(progress, start, play.until, options.pace, shutdown.clone()));
        // Whichever ends first ends the others.
        let (served, conducted, failed) = tokio::join!(
            ending(shutdown, self.serve(shutdown)),
            ending(shutdown, conductor.run(tell_progress, shutdown.clone())),
            ending(shutdown, shutdown.run_until_cancelled(services.failed())),
        );
        workers.stopped().await;
        let _ = dispatching.await;
        let _ = told.await;
        if let Some(failed) = failed {
            return Err(failed);
        }
        served?;
        conducted?;
        Ok(())
    }

    /// Says where everything is, and with which keys.
    async fn addresses(&self) -> Result<()> {
        let address = self.listener.local_addr()?;
        say!("Pages       http://{address}/");
        say!("Swagger UI  http://{address}/docs");
        say!("OpenAPI     http://{address}/openapi.json");
        say!("Registry    {address}/IMAGE:TAG  (images of the catalogue; see docs/registry.md)");
        for (what, key) in super::api_key::demo_keys(self.services).await? {
            say!("API key     {key}  {what}");
        }
        Ok(())
    }

    async fn serve(self, shutdown: &CancellationToken) -> Result<()> {
        let (api, shutdown) = (self.options.api.with_anonymous_pulls(), shutdown.clone());
        super::serve::serve_until(self.listener, &api, self.services, &self.metrics, shutdown).await
    }
}

/// Waits for the end of something, with which everything ends.
async fn ending<T>(shutdown: &CancellationToken, something: impl Future<Output = T>) -> T {
    let ended = something.await;
    shutdown.cancel();
    ended
}

/// Fast to the end of the scenario, then at the demo's pace; a world that is past it just goes on.
async fn prepare(services: &Services, until: SimTime, options: &Options) -> Result<()> {
    let mut conn = services.pool.acquire().await?;
    let world = store::world::get(&mut conn).await?;
    let past = world.materialized.at >= until;
    let now = store::world::clock(&mut conn).await?;
    let (then, factor) = match options.pace {
        0.0 => (Mode::Paused, now.factor),
        pace => (Mode::Live, pace),
    };
    let clock = Clock {
        mode: if past { then } else { Mode::Fast },
        factor,
        run_until: (!past).then_some(until),
        then_mode: then,
        held_reason: now.held_reason,
    };
    Ok(store::world::set_clock(&mut conn, &clock).await?)
}

/// Shows the fast-forward, then says once how the world goes on.
async fn tell(
    mut progress: watch::Receiver<Progress>,
    start: SimTime,
    until: SimTime,
    pace: f64,
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
        say!("{}; stop with Ctrl-C", going_on(pace));
    }
}

/// How the world goes on after the scenario's end.
fn going_on(pace: f64) -> String {
    let faster = "--pace, the pages or PUT /v1/clock change that";
    match pace {
        0.0 => format!("the world stands still at its scenario's end; {faster}"),
        60.0 => format!("live at one simulated minute a second; {faster}"),
        3600.0 => format!("live at one simulated hour a second; {faster}"),
        pace => format!("live at {pace} simulated seconds a second; {faster}"),
    }
}
