//! `wavetank study`: many replications of a scenario's variants, and what can be said of them.
use super::say::say;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use study::arms::{Compiled, Source, compile};
use study::campaign::{Progress, Row};
use study::output;
use study::result::StudyResult;

/// A study with everything in it, commented.
const EXAMPLE: &str = include_str!("../../studies/nightly-or-weekly.yaml");

/// How the result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A table for people.
    Text,
    /// The whole result.
    Json,
    /// A row for each replication and arm, for R and pandas.
    Csv,
    /// How long findings stayed open, and which were still open, for survival packages (CSV).
    Survival,
}

/// The options of `study`.
#[derive(Args, Debug)]
#[command(
    after_help = "A study plays variants (arms) of a scenario side by side under the same seeds and \
        answers\nquestions with their certainty: which SLA can be kept, how many builders it takes, \
        what costs\nleast. Nothing is stored and no database is needed.\n\n\
        First steps:\n  \
        wavetank study studies/how-many-builders.yaml\n  \
        wavetank study --example > my-study.yaml\n  \
        wavetank study my-study.yaml --report my-study.html\n\n\
        docs/studies.md goes from a question to its answer in ten minutes."
)]
pub(super) struct Options {
    /// The study.
    #[arg(required_unless_present_any = ["example", "schema"], value_name = "FILE")]
    file: Option<PathBuf>,
    /// Print a commented study to begin with, and exit.
    #[arg(long, conflicts_with_all = ["file", "schema"])]
    example: bool,
    /// Print the JSON Schema of studies, for editors, and exit.
    #[arg(long, conflicts_with = "file")]
    schema: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Write a report with plots to this file as well: one HTML file that needs nothing else.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// How many threads play; the result is the same for any number. All cores by default.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

pub(super) async fn study(options: Options) -> Result<ExitCode> {
    if options.example {
        return super::print(EXAMPLE);
    }
    if options.schema {
        return super::print(&serde_json::to_string_pretty(&study::file::schema())?);
    }
    let Some(file) = options.file.clone() else { bail!("no study is named") };
    let report = options.report.as_deref().map(Report::open).transpose()?;
    let compiled = Arc::new(read(&file)?);
    let token = super::shutdown_on_signal(super::INTERRUPTED);
    let stop = Arc::new(AtomicBool::new(false));
    let on_signal = Arc::clone(&stop);
    tokio::spawn(async move {
        token.cancelled().await;
        on_signal.store(true, Ordering::Relaxed);
    });
    let (format, threads) = (options.format, threads(options.threads));
    let played = tokio::task::spawn_blocking(move || play(&compiled, threads, &stop, format));
    let Some(result) = played.await?? else {
        say!("stopped; a study that is played again begins anew");
        return Ok(ExitCode::from(130));
    };
    if let Some(report) = report {
        report.write(&output::html(&result))?;
    }
    match format {
        Format::Text => super::print(&output::text(&result, width())),
        Format::Json => super::print(&serde_json::to_string_pretty(&result)?),
        Format::Csv | Format::Survival => Ok(ExitCode::SUCCESS),
    }
}

fn threads(asked: Option<u16>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    asked.map_or_else(cores, usize::from)
}

/// The width of the terminal; 100 where there is none.
fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns
        .unwrap_or_else(|| usize::from(console::Term::stdout().size_checked().map_or(100, |s| s.1)))
}

/// Reads a study; its scenarios are named from its own directory.
pub(super) fn read(file: &Path) -> Result<Compiled> {
    let bytes = super::play::read_scenario(file)?;
    let beside = file.parent().unwrap_or(Path::new("")).to_path_buf();
    let load = move |name: &str| load(&beside, name);
    let name = file.display().to_string();
    Ok(compile(Source { file_name: &name, bytes: &bytes }, &load)?)
}

/// A scenario that comes with the program, or a file.
fn load(beside: &Path, name: &str) -> Result<(String, Vec<u8>), String> {
    if let Some(bundled) = sim::bundled::BUNDLED.iter().find(|bundled| bundled.name == name) {
        return Ok((format!("{name} (bundled)"), bundled.text.as_bytes().to_vec()));
    }
    let path = beside.join(name);
    match super::play::read_scenario(&path) {
        Ok(bytes) => Ok((path.display().to_string(), bytes)),
        Err(error) => {
            let names: Vec<&str> = sim::bundled::BUNDLED.iter().map(|of| of.name).collect();
            let names = names.join(", ");
            Err(format!("`{name}`: {error:#}; bundled scenarios are {names}"))
        }
    }
}

/// Plays the study; none: it was stopped.
fn play(
    compiled: &Arc<Compiled>,
    threads: usize,
    stop: &AtomicBool,
    format: Format,
) -> Result<Option<StudyResult>> {
    let bar = Bar::new();
    let mut rows = Rows::new(format);
    let result = study::runner::run(
        compiled,
        threads,
        stop,
        &mut |progress| bar.show(progress),
        &mut |row| rows.row(&row, stop),
    );
    bar.finish();
    rows.finish()?;
    Ok(result)
}

/// Rows on standard output as they come.
struct Rows {
    format: Format,
    out: Option<std::io::BufWriter<std::io::Stdout>>,
    begun: bool,
    failed: Option<std::io::Error>,
}

impl Rows {
    fn new(format: Format) -> Self {
        let wanted = matches!(format, Format::Csv | Format::Survival);
        let out = wanted.then(|| std::io::BufWriter::new(std::io::stdout()));
        Rows { format, out, begun: false, failed: None }
    }

    fn row(&mut self, row: &Row<'_>, stop: &AtomicBool) {
        let Some(out) = &mut self.out else { return };
        let first = !std::mem::replace(&mut self.begun, true);
        let key = output::csv::Key { arm: row.arm, replication: row.replication, seed: row.seed };
        let text = if self.format == Format::Survival {
            let header = if first { output::csv::survival_header() } else { String::new() };
            header + &output::csv::survival_rows(key, row.outcome)
        } else {
            let names: Vec<String> = row.selections.iter().map(output::csv::column_name).collect();
            let header = if first { output::csv::header(&names) } else { String::new() };
            let values: Vec<_> = names.into_iter().zip(row.values.iter().copied()).collect();
            header + &output::csv::row(key, &values)
        };
        if let Err(error) = out.write_all(text.as_bytes()) {
            stop.store(true, Ordering::Relaxed);
            self.failed.get_or_insert(error);
        }
    }

    fn finish(mut self) -> Result<()> {
        if let Some(out) = &mut self.out
            && let Err(error) = out.flush()
        {
            self.failed.get_or_insert(error);
        }
        match self.failed {
            Some(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(error).context("cannot write the rows")
            }
            _ => Ok(()),
        }
    }
}

/// The report's file, opened before anything is played: what cannot be written is said at once.
struct Report {
    path: PathBuf,
    file: std::fs::File,
}

impl Report {
    fn open(path: &Path) -> Result<Self> {
        let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = file.with_context(|| format!("cannot write the report {}", path.display()))?;
        Ok(Report { path: path.to_path_buf(), file })
    }

    fn write(mut self, text: &str) -> Result<()> {
        let written = self.file.set_len(0).and_then(|()| self.file.write_all(text.as_bytes()));
        let synced = written.and_then(|()| self.file.sync_all());
        synced.with_context(|| {
            format!(
                "cannot write the report {}\nhint: play it again with another --report",
                self.path.display()
            )
        })?;
        say!("report: {}", self.path.display());
        Ok(())
    }
}

/// Progress on a terminal, with the time left.
struct Bar(Option<ProgressBar>);

impl Bar {
    fn new() -> Self {
        if !std::io::stderr().is_terminal() {
            return Bar(None);
        }
        let bar = ProgressBar::new(0);
        let style = "{bar:32} {pos} of {len} replications, {eta} left";
        bar.set_style(ProgressStyle::with_template(style).unwrap_or(ProgressStyle::default_bar()));
        Bar(Some(bar))
    }

    fn show(&self, progress: Progress) {
        if let Some(bar) = &self.0 {
            bar.set_length(progress.expected);
            bar.set_position(progress.done);
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
