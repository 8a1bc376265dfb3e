//! `wavetank import`: a scenario from what people have.
use super::say::say;
use anyhow::{Context, Result, bail};
use import::{Importer, MAX_FILE_BYTES, Moment, Options as Told, Outcome, report};
use sim::scenario::units::{Name, Span};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The most files.
const MOST_FILES: usize = 100_000;
/// How deep folders are looked into.
const MOST_FOLDERS: usize = 16;

/// How the report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// The whole report.
    Json,
}

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Files are told by their content, in any mix: CycloneDX and SPDX (images, packages, \
        lineage), OSV,\nTrivy, Dependency-Track and DefectDojo (JSON), and tables (CSV) of CVEs, findings, \
        builds and\nadoptions. What no file says keeps its default: unknown is not zero.\n\n\
        Examples:\n  \
        wavetank import sboms/ cves.csv builds.csv\n  \
        wavetank import sboms/ osv/ trivy/*.json --until 2026-03-01 --report import.html\n  \
        wavetank import findings.json --scan-every 4h --format json\n  \
        wavetank scenario check imported.yaml && wavetank run imported.yaml\n\n\
        docs/import.md goes from exports to a first forecast in ten minutes."
)]
pub(super) struct Options {
    /// Files, and folders of them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Where the scenario is written.
    #[arg(long, short, default_value = "imported.yaml", value_name = "FILE")]
    output: PathBuf,
    /// Replace the file if it is there.
    #[arg(long)]
    force: bool,
    /// The name of the scenario.
    #[arg(long, default_value = "imported", value_parser = name)]
    name: String,
    /// What lies before this date or instant is left out: a year before the end by default.
    #[arg(long, value_parser = moment, value_name = "DATE")]
    since: Option<Moment>,
    /// When the exports were made: what had not happened then is still open. By default the latest
    /// instant in them.
    #[arg(long, value_parser = moment, value_name = "DATE")]
    until: Option<Moment>,
    /// How often scanners look, such as 4h, where findings say only when something was found.
    #[arg(long, value_name = "SPAN")]
    scan_every: Option<Span>,
    /// How many futures the back-test plays; 0: none.
    #[arg(long, default_value = "200", value_parser = clap::value_parser!(u32).range(0..=10_000))]
    futures: u32,
    /// The seed of the back-test.
    #[arg(long, default_value = "1")]
    seed: u64,
    /// How the report is printed.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Write the report with plots to this file as well: one HTML file that needs nothing else.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

fn moment(text: &str) -> Result<Moment, String> {
    Moment::parse(text).ok_or_else(|| "expected a date such as 2026-01-05".to_owned())
}

fn name(text: &str) -> Result<String, String> {
    match Name::is_valid(text) {
        true => Ok(text.to_owned()),
        false => Err("expected a-z and 0-9, with . _ - between them, at most 63".to_owned()),
    }
}

pub(super) fn run(options: &Options) -> Result<ExitCode> {
    if options.output.exists() && !options.force {
        let output = options.output.display();
        bail!("{output} is there already hint: name another --output, or replace it by --force");
    }
    let outcome = read(options)?;
    std::fs::write(&options.output, &outcome.scenario)
        .with_context(|| format!("cannot write {}", options.output.display()))?;
    if let Some(file) = &options.report {
        std::fs::write(file, report::html(&outcome.report))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    say!("wrote {}", options.output.display());
    match options.format {
        Format::Text => super::print(&report::text(&outcome.report)),
        Format::Json => super::print(&serde_json::to_string_pretty(&outcome.report)?),
    }
}

fn read(options: &Options) -> Result<Outcome> {
    let mut files = Vec::new();
    for path in &options.paths {
        collect(path, 0, &mut files)?;
    }
    if files.is_empty() {
        bail!("no file is there to read");
    }
    let mut importer = Importer::default();
    for file in &files {
        importer.add(&file.display().to_string(), &bytes_of(file)?)?;
    }
    let told = Told {
        name: options.name.clone(),
        since_ms: options.since.map(|moment| moment.from_ms),
        until_ms: options.until.map(|moment| moment.from_ms),
        scan_every_ms: options.scan_every.map(|span| span.duration().0),
        futures: options.futures,
        seed: options.seed,
    };
    Ok(importer.finish(&told)?)
}

/// The files of a folder by their names; of those that a person names, hidden ones too.
fn collect(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    let shown = || path.display().to_string();
    let about = std::fs::metadata(path).with_context(|| format!("cannot read {}", shown()))?;
    if about.is_file() {
        files.push(path.to_path_buf());
        if files.len() > MOST_FILES {
            bail!("more than {MOST_FILES} files");
        }
        return Ok(());
    }
    if !about.is_dir() {
        bail!("{}: neither a file nor a folder", shown());
    }
    if depth > MOST_FOLDERS {
        bail!("{}: more than {MOST_FOLDERS} folders deep", shown());
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", shown()))?;
    let mut inside = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    inside.sort();
    for entry in inside {
        let hidden = entry.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        if !hidden {
            collect(&entry, depth + 1, files)?;
        }
    }
    Ok(())
}

/// No more than what is read anyway: a file can grow, and a device has no end.
fn bytes_of(file: &Path) -> Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", file.display());
    let opened = File::open(file).with_context(cannot)?;
    let mut bytes = Vec::new();
    opened.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).with_context(cannot)?;
    Ok(bytes)
}
