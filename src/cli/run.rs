//! `wavetank run`: a scenario from its start, or from where it stopped, to its end.
use super::play::{Play, WorldOptions};
use super::progress::Shown;
use super::report::{Format, Report};
use super::say::say;
use super::signing::SigningOptions;
use crate::services::{ServiceOptions, Services};
use anyhow::{Context, Result, bail};
use jobs::conductor::{Conductor, PhaseTimes, Progress, Stop};
use jobs::keys::Keyring;
use jobs::worker::WorkerOptions;
use sim::time::SimTime;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

#[derive(clap::Args, Debug)]
#[command(after_help = "Stopped, killed or crashed, the same command goes on where it was: the \
    digest is the same as if nothing had happened. The data directory is data/<scenario>-<seed> \
    unless --data-dir names another; delete it to begin anew.")]
pub(super) struct Options {
    /// The scenario to play.
    #[arg(value_name = "SCENARIO")]
    file: PathBuf,
    #[command(flatten)]
    world: WorldOptions,
    /// How many jobs of a queue to work on at a time. The result does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = super::worker::count())]
    workers: u64,
    /// Leave out of the figures of service levels what began before this instant or, as 14d, in the
    /// first time of the run: a world begins without known vulnerabilities, which flatters them.
    #[arg(long, value_name = "INSTANT|LENGTH")]
    from: Option<String>,
    /// How to print the figures.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    signing: SigningOptions,
    #[command(flatten)]
    services: ServiceOptions,
}

pub(super) async fn run(options: Options) -> Result<ExitCode> {
    let begin = Instant::now();
    let play = Play::read(&options.file, &options.world)?;
    let start = play.scenario.start.time();
    let from = match &options.from {
        Some(text) => super::play::instant("--from", text, start)?,
        None => start,
    };
    if from >= play.until {
        bail!("--from lies at or after the end, {}\nhint: name an earlier instant", play.until);
    }
    let keys = options.signing.keyring()?;
    let shutdown = super::shutdown_on_signal(super::INTERRUPTED);
    let workers = super::worker::options(options.workers);
    let services =
        Services::open_for(&options.services, &play.default_data_dir(), &workers).await?;
    let started = begin.elapsed();
    let played = play_to_end(&play, &services, keys, workers, &shutdown).await;
    let report = match played {
        Ok((Stop::ReachedEnd, phase_times)) => {
            Some(report(&play, from, &services, (begin, started), phase_times).await)
        }
        Ok((Stop::Shutdown, _)) => None,
        Ok((Stop::Held { reason }, _)) => {
            services.stop().await;
            bail!("a defect holds the clock: {reason}");
        }
        Err(error) => {
            services.stop().await;
            return Err(error);
        }
    };
    services.stop().await;
    match report {
        Some(report) => super::print(&report?.write(options.format)?),
        None => {
            say!("stopped; the same command goes on from here");
            Ok(ExitCode::from(130))
        }
    }
}

async fn play_to_end(
    play: &Play,
    services: &Services,
    keys: Arc<Keyring>,
    workers: WorkerOptions,
    shutdown: &CancellationToken,
) -> Result<(Stop, PhaseTimes)> {
    let resources = super::worker::resources(services, keys);
    let conductor = Conductor::open(
        resources.clone(),
        &play.text,
        play.scenario.clone(),
        play.seed,
        jobs::conductor::Options {
            stop_at: Some(play.until),
            stop_when_held: true,
            ..Default::default()
        },
    )
    .await?;
    let (tell, progress) = watch::channel(Progress::default());
    let shown = Shown::new(progress.clone(), play.scenario.start.time(), play.until);
    let stop_workers = CancellationToken::new();
    let workers = super::worker::start(services, resources, workers, &stop_workers)?;
    let stop = tokio::select! {
        stop = conductor.run(tell, shutdown.clone()) => stop.context("the world cannot go on"),
        failed = services.failed() => Err(failed),
    };
    stop_workers.cancel();
    workers.stopped().await;
    shown.finish().await;
    let phase_times = progress.borrow().phase_times;
    Ok((stop?, phase_times))
}

async fn report(
    play: &Play,
    from: SimTime,
    services: &Services,
    (begin, start_wall): (Instant, Duration),
    phase_times: PhaseTimes,
) -> Result<Report> {
    let before = Instant::now();
    let digest = store::digest::world_digest(&services.pool, &services.objects).await?;
    let mut conn = services.pool.acquire().await?;
    let (now, since) = (store::db::instant(play.until)?, store::db::instant(from)?);
    let summary = store::read::summary::summary(&mut conn, now, since).await?;
    Ok(Report {
        name: play.scenario.name.as_str().to_owned(),
        seed: play.seed,
        from,
        until: play.until,
        simulated: play.until.since(play.scenario.start.time()),
        wall: begin.elapsed(),
        start_wall,
        digest_wall: before.elapsed(),
        phase_times,
        summary,
        digest,
    })
}
