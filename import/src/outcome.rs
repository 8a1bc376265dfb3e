//! From files to a scenario and a report: the way in.
use crate::back_test::back_test;
use crate::cast::count_u32;
use crate::error::Refusal;
use crate::evidence::Evidence;
use crate::inputs::{Setting, Window, fit};
use crate::lineage::{Lineage, lineage};
use crate::read::{self, FileReport, MAX_ENTRIES};
use crate::report::{self, Report};
use crate::scenario::{self, Head};
use sim::time::{DAY_MS, YEAR_MS};
use std::collections::BTreeSet;

/// What an import may be told.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name of the scenario.
    pub name: String,
    /// What lies before this is left out, in milliseconds since 1970; none: a year before the end.
    pub since_ms: Option<i64>,
    /// When the exports were made: what had not happened by then had not happened yet. None: the
    /// latest instant in them.
    pub until_ms: Option<i64>,
    /// How often scanners look, where findings do not say.
    pub scan_every_ms: Option<i64>,
    /// Futures of the back-test; 0: none.
    pub futures: u32,
    /// Their seed.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            name: "imported".to_owned(),
            since_ms: None,
            until_ms: None,
            scan_every_ms: None,
            futures: 200,
            seed: 1,
        }
    }
}

/// What an import comes to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The scenario, as a commented file that is valid.
    pub scenario: String,
    /// What stands behind it.
    pub report: Report,
}

/// Reads files one by one, in any order.
#[derive(Debug, Default)]
pub struct Importer {
    evidence: Evidence,
    files: Vec<FileReport>,
    entries: u64,
}

impl Importer {
    /// Reads a file. `file` is what refusals and the report call it.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn add(&mut self, file: &str, bytes: &[u8]) -> Result<(), Refusal> {
        let report = read::read(&mut self.evidence, file, bytes)?;
        self.entries += report.used;
        if self.entries > MAX_ENTRIES {
            return Err(Refusal::whole(
                file,
                format!("more than {MAX_ENTRIES} entries in all files"),
            ));
        }
        self.files.push(report);
        Ok(())
    }

    /// Fits, tests, and writes the scenario.
    ///
    /// # Errors
    /// There is nothing to begin with, or the span of time holds nothing.
    pub fn finish(mut self, options: &Options) -> Result<Outcome, Refusal> {
        self.evidence.resolve_scans();
        let evidence = &self.evidence;
        let lineage = lineage(evidence);
        let window = window(evidence, options)?;
        let known: BTreeSet<u32> =
            evidence.images.values().flat_map(|image| &image.packages).copied().collect();
        // Names that never meet are of different kinds: then nothing can be left out by them.
        let meets =
            evidence.cves.values().any(|cve| cve.packages.keys().any(|p| known.contains(p)));
        let setting = Setting {
            known: if meets { known } else { BTreeSet::new() },
            scan_every_ms: options.scan_every_ms,
        };
        let fits = fit(evidence, &setting, window);
        let packages = if lineage.packages > 0 { count_u32(lineage.packages) } else { 400 };
        let tested = (options.futures > 0).then(|| {
            back_test(evidence, &setting, window, packages, (options.futures, options.seed))
        });
        let customers: BTreeSet<u32> = evidence.adoptions.iter().map(|it| it.customer).collect();
        let uses: BTreeSet<(u32, u32)> =
            evidence.adoptions.iter().map(|it| (it.customer, it.image)).collect();
        let head = Head {
            name: &options.name,
            start_ms: window.until_ms,
            customers: customers.len() as u64,
            uses: uses.len() as u64,
        };
        let scenario = scenario::write(&head, &fits, &lineage);
        sim::scenario::parse("the scenario", scenario.as_bytes())
            .map_err(|error| Refusal::whole(&options.name, error.to_string()))?;
        let report = report::report(self.files, window, &setting, &fits, &lineage, tested);
        Ok(Outcome { scenario, report: assumed_of(report, &lineage) })
    }
}

fn assumed_of(mut report: Report, lineage: &Lineage) -> Report {
    report.notes.extend(lineage.assumed.iter().cloned());
    report
}

fn window(evidence: &Evidence, options: &Options) -> Result<Window, Refusal> {
    let until = options.until_ms.or(evidence.latest_ms);
    let Some(until_ms) = until else {
        let reason = "no instant is in any file: give --until, the instant at which they were made";
        return Err(Refusal::whole("the files", reason));
    };
    let first = evidence
        .cves
        .values()
        .filter_map(|cve| cve.published)
        .chain(evidence.builds.iter().map(|build| build.start))
        .chain(evidence.adoptions.iter().map(|it| it.available))
        .map(|moment| moment.from_ms)
        .min()
        .unwrap_or(until_ms - DAY_MS);
    let from_ms = options.since_ms.unwrap_or(first.max(until_ms - YEAR_MS));
    if from_ms >= until_ms {
        let reason = "the span of time is empty: --since must lie before --until";
        return Err(Refusal::whole("the options", reason));
    }
    Ok(Window { from_ms, until_ms })
}
