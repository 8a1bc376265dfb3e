//! `wavetank drill`: a mass event of a scenario, played and scored.
use super::play::{Play, WorldOptions};
use super::say::say;
use anyhow::{Result, bail};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use study::drill::{Cra, Drill, MOST_REPLICATIONS, Observed, ScoredShare, drill};
use study::statistics::Level;

#[derive(clap::Args, Debug)]
#[command(
    after_help = "A drill plays one mass vulnerability of the scenario's incidents and says how long it \
        took: until it\nwas known who runs it, until they were told, until 50, 80, 90, 95 and 99 % of the \
        images had a fixed\nversion and the customers ran it; beside the clocks of the Cyber Resilience Act, \
        and what three mass\nevents of 2025 took. Hours count from the disclosure.\n\n\
        wavetank drill scenarios/friday-night.yaml --replications 200"
)]
pub(super) struct Options {
    /// The scenario.
    scenario: PathBuf,
    #[command(flatten)]
    world: WorldOptions,
    /// The place of the incident in the scenario's list, from 0; its first mass vulnerability when
    /// absent.
    #[arg(long, value_name = "N")]
    incident: Option<usize>,
    /// How often it is played, each time with the next seed.
    #[arg(long, value_name = "N", default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_REPLICATIONS)))]
    replications: u32,
    /// How the score card is printed.
    #[arg(long, value_enum, default_value = "text")]
    format: super::report::Format,
}

/// The confidence of the intervals.
const CONFIDENCE: f64 = 0.95;

pub(super) async fn run(options: Options) -> Result<ExitCode> {
    if options.world.until.is_some() {
        bail!("a drill plays its scenario to the end\nhint: leave --until out");
    }
    let play = Play::read(&options.scenario, &options.world)?;
    let stop = Arc::new(AtomicBool::new(false));
    let on_signal = Arc::clone(&stop);
    let token = super::shutdown_on_signal(super::INTERRUPTED);
    tokio::spawn(async move {
        token.cancelled().await;
        on_signal.store(true, Ordering::Relaxed);
    });
    let asked = study::drill::Options {
        incident: options.incident,
        seed: play.seed,
        replications: options.replications,
        level: Level::new(CONFIDENCE)?,
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let scenario = Arc::clone(&play.scenario);
    let played =
        tokio::task::spawn_blocking(move || drill(&scenario, &asked, threads, &stop)).await?;
    let Some(card) = played? else {
        say!("stopped");
        return Ok(ExitCode::from(130));
    };
    match options.format {
        super::report::Format::Json => super::print(&serde_json::to_string_pretty(&card)?),
        super::report::Format::Text => super::print(&text(&card)?),
    }
}

fn text(card: &Drill) -> Result<String> {
    let mut out = String::new();
    let own = &card.own;
    let cve = card.timeline.cve.as_deref().unwrap_or("an advisory");
    writeln!(
        out,
        "{}, seed {}: {cve}, disclosed {}, hits {} images and {} customers",
        card.scenario, card.timeline.seed, card.disclosed, own.images, own.customers
    )?;
    let (n, percent) = (card.replications, card.confidence * 100.0);
    writeln!(
        out,
        "hours from the disclosure; over {n} replications the median with {percent} % limits"
    )?;
    writeln!(out)?;
    line(&mut out, "found on an image", own.aware, None, "")?;
    line(&mut out, "known who runs it", own.scoped, Some(&card.spread.scoped), "")?;
    line(&mut out, "first customer told", own.first_told, None, "")?;
    line(&mut out, "all customers told", own.all_told, Some(&card.spread.all_told), "")?;
    shares(&mut out, "rebuilt", &own.rebuilt, &card.spread.rebuilt)?;
    shares(&mut out, "adopted", &own.adopted, &card.spread.adopted)?;
    writeln!(
        out,
        "\nCyber Resilience Act, Article 14: what is known and done when each clock ends"
    )?;
    clock(&mut out, "early warning, 24 h of becoming aware", &own.cra.early_warning)?;
    clock(&mut out, "notification, 72 h of becoming aware", &own.cra.notification)?;
    clock(&mut out, "final report, 14 d of the first fixed image", &own.cra.final_report)?;
    Ok(out)
}

fn hours(value: Option<f64>) -> String {
    value.map_or_else(|| "not yet".to_owned(), |hours| format!("{hours:.1}"))
}

fn line(
    out: &mut String,
    what: &str,
    own: Option<f64>,
    over: Option<&Observed>,
    reference: &str,
) -> Result<()> {
    let over = over.map_or_else(String::new, |over| {
        let limits = (hours(over.median.lower), hours(over.median.upper));
        format!("median {:>7}  ({} to {})", hours(over.median.estimate), limits.0, limits.1)
    });
    writeln!(
        out,
        "  {}",
        format!("{what:<22} {:>8}  {over:<38} {reference}", hours(own)).trim_end()
    )?;
    Ok(())
}

fn shares(out: &mut String, what: &str, own: &[ScoredShare], over: &[Observed]) -> Result<()> {
    for (own, over) in own.iter().zip(over) {
        let reference = own.reference.map_or_else(String::new, |reference| {
            let within = match own.hours {
                Some(hours) if hours < reference.least_hours => "faster",
                Some(hours) if hours <= reference.most_hours => "as fast",
                _ => "slower",
            };
            format!(
                "{within}; real events took {} to {}",
                reference.least_hours, reference.most_hours
            )
        });
        let what = format!("{:.0} % {what}", own.share * 100.0);
        line(out, &what, own.hours, Some(over), &reference)?;
    }
    Ok(())
}

fn clock(out: &mut String, what: &str, cra: &Cra) -> Result<()> {
    let said = match cra.due_hours {
        None => "has not started".to_owned(),
        Some(due) if !cra.observed => {
            format!("ends after {due:.1} h, which is after the scenario's end")
        }
        Some(due) => {
            let share = |of: Option<f64>| {
                of.map_or_else(|| "nothing".to_owned(), |of| format!("{:.0} %", of * 100.0))
            };
            format!(
                "ends after {due:.1} h: {} of the images found, {} of the customers told, {} fixed",
                share(cra.scoped),
                share(cra.told),
                share(cra.fixed)
            )
        }
    };
    writeln!(out, "  {what}: {said}")?;
    Ok(())
}
