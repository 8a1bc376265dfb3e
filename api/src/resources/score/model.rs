//! Scores as the API shows them: the JSON of `wavetank score`.
mod convert;
mod examples;

use crate::http::problem::{Code, Problem};
use crate::http::strict_text::StrictText;
use crate::http::time::Instant;
use crate::schemas::estimate::Estimate;
use ::score::NamedReport;
use chrono::{DateTime, Utc};
use documents::scanner_report;
use poem_openapi::Object;
use poem_openapi::types::Any;
use serde_json::Value;

/// Reports to score.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct NewScore {
    /// The instant to judge at. When absent: when a report was written, if that lies in the world's
    /// time; else the newest state of which all work is done.
    pub(super) as_of: Option<Instant>,
    /// The reports. Those about the same image count together.
    #[oai(validator(min_items = 1, max_items = 100))]
    reports: Vec<NewReport>,
}

/// A report of a scanner.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct NewReport {
    /// What to call it. Where the report does not say which image it is about, the name does:
    /// `NAME.json`, `NAME-VERSION.json`, `NAME/VERSION/...`.
    #[oai(validator(max_length = 500))]
    name: Option<StrictText>,
    /// The report as the scanner wrote it. Its format is told by its content.
    report: Any<Value>,
}

impl NewScore {
    /// Reads the reports.
    pub(super) fn read(self) -> Result<(Vec<NamedReport>, Option<DateTime<Utc>>), Problem> {
        let reports = self.reports.into_iter().enumerate().map(|(place, given)| {
            let name = match given.name {
                Some(name) => name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
                None => format!("report {place}"),
            };
            match scanner_report::read(&given.report.0) {
                Ok(report) => Ok(NamedReport { name, report }),
                Err(error) => {
                    let detail = format!("`/reports/{place}/report`: {error}.");
                    Err(Problem::new(Code::UnreadableReport, detail).hint(sentence(error.hint())))
                }
            }
        });
        Ok((reports.collect::<Result<_, _>>()?, self.as_of.map(Instant::datetime)))
    }
}

/// A text as a sentence.
pub(super) fn sentence(hint: &str) -> String {
    let mut letters = hint.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    format!("{}{}.", first.map_or_else(String::new, String::from), letters.as_str())
}

/// How often reports and truth agree, and what follows.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct ScoreFigures {
    /// Expected and reported.
    right: u64,
    /// Expected and not reported.
    missed: u64,
    /// Reported and not expected.
    wrong: u64,
    /// Reported, and there, but not to be known yet: it counts for nothing.
    early: u64,
    /// right / (right + wrong), with 95 % limits (Wilson); without an estimate where nothing was
    /// reported.
    precision: Estimate,
    /// right / (right + missed), with 95 % limits; without an estimate where nothing was expected.
    recall: Estimate,
    /// The harmonic mean of both, 2 right / (2 right + wrong + missed); absent where that is 0 / 0.
    f1: Option<f64>,
}

/// A report, and the instant that it is judged at.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct ScoredReport {
    /// Its name.
    name: String,
    /// Its format: `trivy`, `grype`, `osv-scanner`, `sarif`, `cyclonedx` or `syft`.
    format: String,
    /// The tool that wrote it, with its version where it says so.
    tool: Option<String>,
    /// The instant that it is judged at.
    as_of: Instant,
    /// Where that comes from: `option` (asked for), `report` (when it was written) or `world`.
    as_of_source: String,
    /// How many known images it is about.
    images: u64,
}

/// How much of the world the reports are about.
#[derive(Object)]
struct ScoreCoverage {
    /// Versions that reports looked for vulnerabilities in.
    images_scored: u64,
    /// Versions whose packages alone are known.
    images_with_inventory_only: u64,
}

/// Figures of a severity.
#[derive(Object)]
struct SeverityScore {
    /// The advisory's severity; of what the world does not know, the one that is reported, or
    /// `unknown`.
    severity: String,
    #[oai(flatten)]
    figures: ScoreFigures,
}

/// Figures of a version of an image.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct ImageScore {
    /// The image's name.
    image: String,
    /// The version's ordinal.
    version: i32,
    /// Its digest.
    digest: String,
    /// The instant that it is judged at.
    as_of: Instant,
    /// What the scanner took its distribution for.
    distribution: Option<String>,
    /// How many packages it holds.
    packages: u64,
    /// How many of them were recognised, name and version; absent: no report lists packages.
    packages_recognised: Option<u64>,
    /// Whether a report looked for vulnerabilities in it.
    scanned: bool,
    #[oai(flatten)]
    figures: ScoreFigures,
}

/// Figures of a package.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct PackageScore {
    /// The package's name; absent: findings whose report names no package.
    package: Option<String>,
    #[oai(flatten)]
    figures: ScoreFigures,
}

/// How many packages were recognised, over the images whose reports list packages.
#[derive(Object)]
struct PackageRecognition {
    /// Images whose reports list packages.
    images_known: u64,
    /// Images of which no report does: unknown, not none.
    images_unknown: u64,
    /// Packages that the former hold.
    held: u64,
    /// Those recognised, name and version.
    recognised: u64,
    /// Those recognised by name, in another version.
    other_version: u64,
    /// Those not recognised.
    missing: u64,
    /// Packages listed that the images do not hold.
    not_held: u64,
}

/// How many differences have a cause.
#[derive(Object)]
struct ScoreCause {
    /// `missed`, `wrong` or `early`.
    kind: String,
    /// The cause.
    cause: String,
    /// How many.
    count: u64,
    /// What it means.
    meaning: String,
}

/// A difference between reports and truth.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct ScoreDifference {
    /// `missed`, `wrong` or `early`.
    kind: String,
    /// The image's name.
    image: String,
    /// The version's ordinal.
    version: i32,
    /// The advisory, or the id that was reported.
    vulnerability: String,
    /// The package; absent: the report names none.
    package: Option<String>,
    /// The severity.
    severity: String,
    /// Why.
    cause: String,
    /// The version of the package that the image holds.
    installed: Option<String>,
    /// The version that the report says.
    reported: Option<String>,
    /// The first version that is fixed, if one is released.
    fixed: Option<String>,
}

/// A target of a report of which it is not known which image it is.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct UnknownTarget {
    /// The report.
    report: String,
    /// What that calls it.
    name: String,
    /// Why it is not known.
    reason: String,
    /// How many findings were reported of it; absent: it is an inventory.
    findings: Option<u64>,
}

/// How well reports of scanners agree with what is true.
#[derive(Object)]
#[oai(example)]
pub(super) struct Score {
    /// `wavetank-score/1`.
    format: String,
    /// The reports.
    reports: Vec<ScoredReport>,
    /// How much of the world they are about.
    coverage: ScoreCoverage,
    /// All images together.
    total: ScoreFigures,
    /// By severity, the most severe first.
    by_severity: Vec<SeverityScore>,
    /// By image.
    by_image: Vec<ImageScore>,
    /// By package: the 1,000 with the most differences.
    by_package: Vec<PackageScore>,
    /// How many packages were recognised.
    packages: PackageRecognition,
    /// How many differences there are of each cause.
    causes: Vec<ScoreCause>,
    /// The differences, at most 1,000.
    differences: Vec<ScoreDifference>,
    /// Targets that are no image that the caller may see: nothing of them counts.
    unknown_images: Vec<UnknownTarget>,
}
