//! `wavetank forecast`: possible futures of a world that runs.
use super::say::say;
use crate::services::{ServiceOptions, Services};
use anyhow::{Result, bail};
use sim::World;
use sim::scenario::units::Span;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use study::forecast::{CustomerForecast, Forecast, LONGEST, MOST_FUTURES, TimerForecast, forecast};
use study::statistics::{Interval, Level};

#[derive(clap::Args, Debug)]
#[command(
    after_help = "A forecast forks the world of a database at its instant and plays many futures of it. \
        What is known\nthen stays; what is not is drawn anew, conditional on it: a fix that has not come \
        after nine days\nhas the delay of a fix that takes more than nine days. The world itself goes on \
        as it would."
)]
pub(super) struct Options {
    #[command(flatten)]
    services: ServiceOptions,
    /// How far to look ahead, up to 366d.
    #[arg(long, value_name = "SPAN", default_value = "14d")]
    horizon: Span,
    /// In how many futures.
    #[arg(long, value_name = "N", default_value_t = 200,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_FUTURES)))]
    futures: u32,
    /// The seed of the futures; the same one gives the same forecast.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The confidence of intervals.
    #[arg(long, value_name = "SHARE", default_value = "0.95")]
    confidence: f64,
    /// How the forecast is printed.
    #[arg(long, value_enum, default_value = "text")]
    format: super::report::Format,
}

pub(super) async fn run(options: Options) -> Result<ExitCode> {
    let horizon = options.horizon.duration();
    if horizon.0 <= 0 || horizon > LONGEST {
        bail!("--horizon {} is not between 1s and 366d", options.horizon);
    }
    let Ok(level) = Level::new(options.confidence) else {
        bail!("--confidence {} is not between 0 and 1", options.confidence);
    };
    let services = Services::open(&options.services, Path::new("data/demo")).await?;
    let world = jobs::conductor::present(&services.pool).await;
    services.stop().await;
    let world = world?;
    let token = super::shutdown_on_signal(super::INTERRUPTED);
    let stop = Arc::new(AtomicBool::new(false));
    let on_signal = Arc::clone(&stop);
    tokio::spawn(async move {
        token.cancelled().await;
        on_signal.store(true, Ordering::Relaxed);
    });
    let asked =
        study::forecast::Options { horizon, futures: options.futures, seed: options.seed, level };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let played = tokio::task::spawn_blocking(move || {
        let ahead = forecast(&world, asked, threads, &stop);
        (world, ahead)
    });
    let (world, Some(ahead)) = played.await? else {
        say!("stopped");
        return Ok(ExitCode::from(130));
    };
    match options.format {
        super::report::Format::Json => super::print(&serde_json::to_string_pretty(&ahead)?),
        super::report::Format::Text => super::print(&text(&world, &ahead)?),
    }
}

/// So many timers are named.
const SHOWN_TIMERS: usize = 20;

fn text(world: &World, ahead: &Forecast) -> Result<String> {
    let mut out = String::new();
    writeln!(
        out,
        "from {} to {}, {} futures, {} % confidence",
        ahead.from,
        ahead.until,
        ahead.futures,
        ahead.confidence * 100.0
    )?;
    writeln!(out, "\nviolations, of timers open now and to come")?;
    for of in &ahead.total {
        writeln!(out, "  {}", group(of))?;
    }
    let name = |of: &CustomerForecast| {
        let customer = of.customer.map(|customer| &world.catalogue().customers[customer.index()]);
        customer.map_or_else(String::new, |customer| customer.namespace.clone())
    };
    let likely = |of: &&CustomerForecast| of.any.estimate.is_some_and(|any| any >= 0.05);
    let mut customers: Vec<&CustomerForecast> = ahead.customers.iter().filter(likely).collect();
    customers.sort_by(|a, b| {
        b.any.estimate.partial_cmp(&a.any.estimate).unwrap_or(std::cmp::Ordering::Equal)
    });
    if !customers.is_empty() {
        writeln!(out, "\ncustomers with a violation in at least 5 % of the futures")?;
        for of in customers.iter().take(SHOWN_TIMERS) {
            writeln!(out, "  {:<20} {}", name(of), group(of))?;
        }
    }
    let endangered = |timer: &&TimerForecast| timer.missed.estimate.is_some_and(|p| p > 0.0);
    let timers: Vec<&TimerForecast> = ahead.timers.iter().filter(endangered).collect();
    writeln!(
        out,
        "\n{} of {} open timers miss their deadline in some future",
        timers.len(),
        ahead.timers.len()
    )?;
    for timer in timers.iter().take(SHOWN_TIMERS) {
        let customer = &world.catalogue().customers[timer.customer.index()].namespace;
        let image = &world.catalogue().images[timer.image.index()].name;
        let cve = world.cve(timer.advisory).unwrap_or_default();
        let due = timer.due.map_or_else(|| "no deadline yet".to_owned(), |due| due.to_string());
        let missed = percent(&timer.missed);
        writeln!(
            out,
            "  {missed:<24} {customer:<16} {image:<20} {cve:<17} {:<9} due {due}",
            timer.clock.as_str()
        )?;
    }
    writeln!(out, "\nbuilds that wait or run")?;
    for day in &ahead.queue {
        let mean = day.builds.estimate.unwrap_or_default();
        writeln!(
            out,
            "  {}  {mean:>7.1} in the mean, at most {} in 95 % of the futures",
            day.at, day.p95
        )?;
    }
    Ok(out)
}

fn group(of: &CustomerForecast) -> String {
    let expected = of.expected.estimate.unwrap_or_default();
    format!(
        "{:<9} {:<9} at least one: {:<24} expected: {expected:.2}",
        of.clock.as_str(),
        of.severity.as_str(),
        percent(&of.any)
    )
}

fn percent(interval: &Interval) -> String {
    let of =
        |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{:.1}", v * 100.0));
    format!("{} % ({} to {})", of(interval.estimate), of(interval.lower), of(interval.upper))
}
