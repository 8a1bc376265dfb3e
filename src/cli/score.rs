//! `wavetank score`: reports of scanners against what is true of a world.
use super::say::say;
use crate::evidence::{self, Collector};
use crate::services::{ServiceOptions, Services};
use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use documents::scanner_report::{self, MAX_REPORT_BYTES};
use score::result::Score;
use score::truth::{Instant, Truth};
use score::{NamedReport, answers, output};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The exit code where a figure is below what is asked for.
const BELOW: u8 = 1;
/// The exit code where a report, the truth or an option cannot be used.
const BAD_INPUT: u8 = 2;

/// How the score is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Tables for people.
    Text,
    /// All of it, as POST /v1/score answers.
    Json,
    /// A row for all, and for each severity, image, package and cause.
    Csv,
    /// Tables for the summary of a CI job.
    Markdown,
}

/// The options of `score`.
#[derive(Args, Debug)]
#[command(
    after_help = "The truth is an export (--export DIR, or the directory that one stands in), else \
        the world of a\ndatabase or of a data directory. To score against a server that runs, post \
        the reports to /v1/score.\n\n\
        Reports are Trivy's JSON (--format json --list-all-pkgs), Grype's (-o json), OSV-Scanner's\n\
        (--format json), SARIF 2.1.0 and CycloneDX with vulnerabilities; Syft's JSON and CycloneDX \
        without\nvulnerabilities count as inventories. The format is told by the content. Which \
        image a report is\nabout is told by its digests, else by its names, else by that of its \
        file (NAME.json,\nNAME-VERSION.json, NAME/VERSION/...).\n\n\
        Expected is what an image holds, what a scanner could know by then, and what VEX has not \
        judged by\nthen. Precision is the share of what is reported that is expected; recall, of \
        what is expected that\nis reported; with 95 % intervals of Wilson. What is not defined \
        (nothing reported, nothing\nexpected) is `-`, and no threshold fails on it.\n\n\
        Exits with 0, with 1 if a figure is below a threshold, and with 2 if something cannot be \
        read.\n\n\
        Examples:\n  \
        wavetank export exported --all-versions\n  \
        wavetank score --export exported trivy.json\n  \
        wavetank score --export exported reports/*.json --min-recall 0.95 --min-precision 0.9\n  \
        wavetank score --export exported grype.json syft.json   Syft tells which packages are seen\n  \
        wavetank score trivy.json --as-of 2026-01-14T00:00:00Z  the world in data/demo, back then\n  \
        grype IMAGE -o json | wavetank score --export exported -\n\n\
        docs/tool-authors.md goes from nothing to a scored run in five minutes."
)]
pub(super) struct Options {
    /// Reports of scanners; `-` reads one from standard input.
    #[arg(value_name = "REPORT", required = true)]
    reports: Vec<PathBuf>,
    /// The directory of an export, or its answers.json. When absent: the directory that one stands
    /// in, else the world of the database.
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
    /// The instant to judge at. When absent: when a report was written, if that lies in the world's
    /// time; else the instant of the export or of the world.
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<String>,
    /// Count what is expected of current images that no report is about as missed.
    #[arg(long)]
    all_images: bool,
    /// Exit with 1 if recall is lower (0 to 1).
    #[arg(long, value_name = "SHARE", value_parser = share)]
    min_recall: Option<f64>,
    /// Exit with 1 if precision is lower (0 to 1).
    #[arg(long, value_name = "SHARE", value_parser = share)]
    min_precision: Option<f64>,
    /// Exit with 1 if F1 is lower (0 to 1).
    #[arg(long, value_name = "SHARE", value_parser = share)]
    min_f1: Option<f64>,
    /// How the score is printed.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    services: ServiceOptions,
}

/// A threshold.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

pub(super) async fn run(options: Options) -> Result<ExitCode> {
    match scored(&options).await {
        Ok(score) => {
            super::print(&written(&score, options.format)?)?;
            Ok(judge(&score, &options))
        }
        Err(error) => {
            super::tell(&error);
            Ok(ExitCode::from(BAD_INPUT))
        }
    }
}

async fn scored(options: &Options) -> Result<Score> {
    let as_of = options.as_of.as_deref().map(instant).transpose()?;
    let reports: Result<Vec<_>> = options.reports.iter().map(|path| report(path)).collect();
    let reports = reports?;
    let truth = truth(options).await?;
    let asked = score::Options { as_of, all_images: options.all_images, knows_all_images: true };
    score::score(&truth, &reports, asked).map_err(|error| {
        let hint = match error {
            score::ScoreError::AsOf { .. } => "name an instant within, or leave --as-of out",
            score::ScoreError::NoImage(_) => {
                "scan the images of this very world; versions that are not current are in an \
                 export made with --all-versions; a report that names no image is named for it \
                 (NAME.json, NAME-VERSION.json)"
            }
        };
        anyhow!("{error}\nhint: {hint}")
    })
}

fn written(score: &Score, format: Format) -> Result<String> {
    Ok(match format {
        Format::Text => output::text(score),
        Format::Json => serde_json::to_string_pretty(score)?,
        Format::Csv => output::csv(score),
        Format::Markdown => output::markdown(score),
    })
}

/// Says which thresholds are not reached. What is not defined reaches all.
fn judge(score: &Score, options: &Options) -> ExitCode {
    let total = score.total;
    let asked = [
        ("recall", options.min_recall, total.recall.estimate),
        ("precision", options.min_precision, total.precision.estimate),
        ("F1", options.min_f1, total.f1),
    ];
    let mut code = ExitCode::SUCCESS;
    for (what, least, value) in asked {
        if let (Some(least), Some(value)) = (least, value)
            && value < least
        {
            say!("{what} {value} is below {least}");
            code = ExitCode::from(BELOW);
        }
    }
    code
}

fn instant(text: &str) -> Result<Instant> {
    let at = score::parse_instant(text);
    at.ok_or_else(|| anyhow!("--as-of {text:?} is no instant such as 2026-01-14T00:00:00Z"))
}

/// Reads a report, not more of it than may be.
fn report(path: &Path) -> Result<NamedReport> {
    let limit = MAX_REPORT_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let name = path.display().to_string();
    if path == Path::new("-") {
        let read = std::io::stdin().lock().take(limit).read_to_end(&mut bytes);
        read.context("cannot read the report from standard input")?;
    } else {
        let read = std::fs::File::open(path).and_then(|file| {
            if file.metadata()?.is_dir() {
                return Err(std::io::Error::from(std::io::ErrorKind::IsADirectory));
            }
            file.take(limit).read_to_end(&mut bytes)
        });
        read.with_context(|| format!("cannot read the report {name}"))?;
    }
    let report = scanner_report::parse(&bytes)
        .map_err(|error| anyhow!("{name}: {error}\nhint: {}", error.hint()))?;
    Ok(NamedReport { name, report })
}

/// The truth: of an export, else of the world of a database.
async fn truth(options: &Options) -> Result<Truth> {
    let here = || Some(PathBuf::from("answers.json")).filter(|file| file.is_file());
    let database = options.services.database_url.is_some() || options.services.data_dir.is_some();
    let named = options.export.clone();
    let key = match named.or_else(|| here().filter(|_| !database)) {
        Some(path) if path.is_dir() => path.join("answers.json"),
        Some(path) => path,
        None => return world(&options.services).await,
    };
    let shown = key.display();
    let size = std::fs::metadata(&key).with_context(|| {
        format!("cannot read {shown}; --export names the directory that `wavetank export` wrote")
    })?;
    if size.len() > answers::MAX_BYTES {
        bail!("{shown} is larger than {} bytes", answers::MAX_BYTES);
    }
    let bytes = std::fs::read(&key).with_context(|| format!("cannot read {shown}"))?;
    answers::parse(&bytes).with_context(|| format!("cannot use {shown}"))
}

/// The truth of the world in a database: the answer key that an export of all versions would hold.
async fn world(services: &ServiceOptions) -> Result<Truth> {
    let services = Services::open(services, Path::new("data/demo")).await?;
    let key = async {
        let world = Collector::open(services.pool.clone(), services.objects.clone()).await?;
        evidence::answer_key(&world).await
    };
    let key = key.await;
    services.stop().await;
    Ok(answers::parse(&key?)?)
}
