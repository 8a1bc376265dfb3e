//! What a score says: the JSON of `wavetank score --format json` and of `POST /v1/score`.
use crate::cause::{Cause, Kind};
use crate::figures::Figures;
use crate::instant::AsOfSource;
use crate::truth::{Instant, Severity};
use chrono::SecondsFormat;
use serde::{Serialize, Serializer};

/// The format of the JSON.
pub const FORMAT: &str = "wavetank-score/1";

/// How well reports agree with the truth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// [`FORMAT`].
    pub format: &'static str,
    /// The reports, in the order in which they were given.
    pub reports: Vec<ReportSummary>,
    /// How much of the world the reports are about.
    pub coverage: Coverage,
    /// All images together.
    pub total: Figures,
    /// By severity: the advisory's; of what the world does not know, the one that is reported.
    pub by_severity: Vec<BySeverity>,
    /// By image, in the order of their names.
    pub by_image: Vec<ByImage>,
    /// By package, in the order of their names.
    pub by_package: Vec<ByPackage>,
    /// How many packages were recognised.
    pub packages: Recognition,
    /// How many differences there are of each cause.
    pub causes: Vec<ByCause>,
    /// The differences.
    pub differences: Vec<Difference>,
    /// Targets of reports of which it is not known which image they are about: nothing of them
    /// counts.
    pub unknown_images: Vec<UnknownImage>,
}

/// A report, and the instant that it is judged at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportSummary {
    /// Its name.
    pub name: String,
    /// Its format.
    pub format: &'static str,
    /// The tool that wrote it.
    pub tool: Option<String>,
    /// The instant that it is judged at.
    #[serde(serialize_with = "instant")]
    pub as_of: Instant,
    /// Where that comes from.
    pub as_of_source: AsOfSource,
    /// How many known images it is about.
    pub images: usize,
}

/// How much of the world the reports are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Versions that reports looked for vulnerabilities in.
    pub images_scored: usize,
    /// Versions whose packages alone are known.
    pub images_with_inventory_only: usize,
    /// Versions that were current, whether a report is about them or not; none: not all are known.
    pub images_current: Option<usize>,
    /// Of these, those that no report is about.
    pub images_not_scanned: Option<usize>,
}

/// Figures of a severity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BySeverity {
    /// The severity.
    pub severity: Severity,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Figures of a version of an image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ByImage {
    /// The image's name.
    pub image: String,
    /// The version's ordinal.
    pub version: i32,
    /// Its digest.
    pub digest: String,
    /// The instant that it is judged at.
    #[serde(serialize_with = "instant")]
    pub as_of: Instant,
    /// What the scanner took its distribution for.
    pub distribution: Option<String>,
    /// How many packages it holds.
    pub packages: usize,
    /// How many of them the scanner recognised, name and version; none: no report lists them.
    pub packages_recognised: Option<usize>,
    /// Whether a report looked for vulnerabilities in it.
    pub scanned: bool,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Figures of a package.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ByPackage {
    /// The package's name; none: findings whose report names no package.
    pub package: Option<String>,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// How many packages were recognised, over the images whose reports list packages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recognition {
    /// Images whose reports list packages.
    pub images_known: usize,
    /// Images of which no report does: unknown, not none.
    pub images_unknown: usize,
    /// Packages that the former hold.
    pub held: usize,
    /// Those recognised, name and version.
    pub recognised: usize,
    /// Those recognised by name, in another version.
    pub other_version: usize,
    /// Those not recognised.
    pub missing: usize,
    /// Packages listed that the images do not hold.
    pub not_held: usize,
}

/// How many differences have a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ByCause {
    /// What kind of difference.
    pub kind: Kind,
    /// The cause.
    pub cause: Cause,
    /// How many.
    pub count: u64,
    /// What it means.
    pub meaning: &'static str,
}

/// A difference between reports and truth.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// What kind.
    pub kind: Kind,
    /// The image's name.
    pub image: String,
    /// The version's ordinal.
    pub version: i32,
    /// The advisory, or the id that was reported.
    pub vulnerability: String,
    /// The package; none: the report names none.
    pub package: Option<String>,
    /// Its severity.
    pub severity: Severity,
    /// Why.
    pub cause: Cause,
    /// The version of the package that the image holds.
    pub installed: Option<String>,
    /// The version that the report says.
    pub reported: Option<String>,
    /// The first version that is fixed, if one is released.
    pub fixed: Option<String>,
}

/// A target that is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnknownImage {
    /// The report.
    pub report: String,
    /// What that calls it.
    pub name: String,
    /// Why it is not known.
    pub reason: &'static str,
    /// How many findings were reported of it; none: it is an inventory.
    pub findings: Option<usize>,
}

/// The one form of instants: with milliseconds only where there are some.
pub(crate) fn text(at: Instant) -> String {
    let whole = at.timestamp_subsec_millis() == 0;
    at.to_rfc3339_opts(if whole { SecondsFormat::Secs } else { SecondsFormat::Millis }, true)
}

fn instant<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*at))
}
