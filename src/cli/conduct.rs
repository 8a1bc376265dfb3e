//! `wavetank conduct`: the one who advances the world of a split installation.
use super::keep_options::Keep;
use super::metrics::MetricsOptions;
use super::play::{Play, WorldOptions};
use super::progress::Shown;
use super::signing::SigningOptions;
use crate::services::{ServiceOptions, Services};
use anyhow::{Result, bail};
use jobs::conductor::{Conductor, Progress, Stop};
use jobs::keys::Keyring;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use telemetry::metrics::Metrics;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

#[derive(clap::Args, Debug)]
pub(super) struct Options {
    /// The scenario of a world to make. Without one, conduct the world that the database holds.
    #[arg(value_name = "SCENARIO")]
    file: Option<PathBuf>,
    #[command(flatten)]
    world: WorldOptions,
    #[command(flatten)]
    signing: SigningOptions,
    #[command(flatten)]
    services: ServiceOptions,
    #[command(flatten)]
    metrics: MetricsOptions,
    /// Play at once to the scenario's end (or --until) and exit then; without this, obey the
    /// clock that the API sets, and go on.
    #[arg(long)]
    to_end: bool,
    /// How long history is kept in a world that is made now and whose scenario does not say: a length
    /// of time (28d), or all.
    #[arg(long, value_name = "T", default_value = "all")]
    keep: Keep,
}

pub(super) async fn conduct(options: Options) -> Result<ExitCode> {
    options.services.require_shared("conduct")?;
    let play = options.file.as_ref().map(|file| Play::read(file, &options.world)).transpose()?;
    let keys = options.signing.keyring()?;
    let listener = options.metrics.bind().await?;
    let services = Services::open(&options.services, Path::new("data")).await?;
    let ended = CancellationToken::new();
    let watched = listener.serve(&services.pool, &Metrics::default(), &ended);
    let conducted = lead(&services, keys, play, &options).await;
    ended.cancel();
    let _ = watched.await;
    services.stop().await;
    match conducted? {
        Stop::Held { reason } => bail!("a defect holds the clock: {reason}"),
        _ => Ok(ExitCode::SUCCESS),
    }
}

async fn lead(
    services: &Services,
    keys: Arc<Keyring>,
    play: Option<Play>,
    options: &Options,
) -> Result<Stop> {
    let to_end = options.to_end;
    let play = match play {
        Some(play) if to_end => play,
        Some(play) => play.or_loaded(services).await?,
        None => stored(services).await?,
    };
    let conductor = Conductor::open(
        super::worker::resources(services, keys),
        &play.text,
        play.scenario.clone(),
        play.seed,
        jobs::conductor::Options {
            stop_at: to_end.then_some(play.until),
            stop_when_held: to_end,
            keep: options.keep.duration(),
            ..Default::default()
        },
    )
    .await?;
    let (tell, progress) = watch::channel(Progress::default());
    let shown = Shown::lines(progress);
    let stop = conductor.run(tell, super::shutdown_on_signal(0)).await;
    shown.finish().await;
    Ok(stop?)
}

/// The world that the database holds.
async fn stored(services: &Services) -> Result<Play> {
    let mut conn = services.pool.acquire().await?;
    let Some(world) = store::world::find(&mut conn).await? else {
        bail!("the database holds no world\nhint: name a scenario to make one of")
    };
    Play::stored(world)
}
