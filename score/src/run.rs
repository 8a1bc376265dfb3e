//! From reports and truth to a score: which images the reports are about, image by image, and the
//! sums.
use crate::cause::{Cause, Kind};
use crate::compare::{Compared, Different, Fixes, Reported, compare, nothing_reported};
use crate::figures::Counts;
use crate::identify::identify;
use crate::instant::{AsOfSource, choose};
use crate::result::{
    ByCause, ByImage, ByPackage, BySeverity, Coverage, FORMAT, Recognition, ReportSummary, Score,
    UnknownImage,
};
use crate::truth::{Ids, Instant, Severity, Truth};
use documents::scanner_report::{ScannerReport, Target};
use std::collections::BTreeMap;

/// A report with the name that it is told under; for one that does not say which image it is about,
/// the name may (`NAME.json`, `NAME-VERSION.json`, `NAME/VERSION/...`).
#[derive(Clone, Debug)]
pub struct NamedReport {
    /// The name.
    pub name: String,
    /// The report.
    pub report: ScannerReport,
}

/// What is asked of a score.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The instant to judge at; none: that of each report, or of the truth.
    pub as_of: Option<Instant>,
    /// Whether images that are current and in no report count as missed.
    pub all_images: bool,
    /// Whether the truth holds every version that is current (and not only those that were asked
    /// for).
    pub knows_all_images: bool,
}

/// Why there is no score.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// The instant lies outside of what is known.
    #[error("{as_of} lies outside of what is known of the world: {from} to {until}")]
    AsOf {
        /// The instant.
        as_of: String,
        /// When the world began.
        from: String,
        /// Up to when the truth is told.
        until: String,
    },
    /// No report is about an image of the world.
    #[error("no report is about an image of this world: {}", first(.0))]
    NoImage(Vec<UnknownImage>),
}

fn first(unknown: &[UnknownImage]) -> String {
    unknown.first().map_or_else(
        || "the reports are about nothing".to_owned(),
        |of| format!("{} is about {:?}: {}", of.report, of.name, of.reason),
    )
}

/// What all reports say of one version.
struct OfVersion<'a> {
    as_of: Instant,
    distribution: Option<&'a str>,
    reported: Reported<'a>,
}

/// Scores reports. Reports of the same image count together: what one of them reports is reported.
///
/// # Errors
/// The instant is not known, or no report is about an image of the world.
pub fn score(
    truth: &Truth,
    reports: &[NamedReport],
    options: Options,
) -> Result<Score, ScoreError> {
    if let Some(at) = options.as_of.filter(|at| !(truth.starts_at..=truth.as_of).contains(at)) {
        let text = crate::result::text;
        let (as_of, from, until) = (text(at), text(truth.starts_at), text(truth.as_of));
        return Err(ScoreError::AsOf { as_of, from, until });
    }
    let (mut summaries, mut unknown_images) = (Vec::new(), Vec::new());
    let mut versions: BTreeMap<usize, OfVersion<'_>> = BTreeMap::new();
    for NamedReport { name, report } in reports {
        let (as_of, as_of_source) = choose(options.as_of, report.created_at.as_deref(), truth);
        let mut images = 0;
        for target in &report.targets {
            match identify(truth, target, name, as_of) {
                Ok(place) => {
                    images += 1;
                    let of = versions.entry(place).or_insert_with(|| OfVersion::new(as_of));
                    of.add(target, as_of);
                }
                Err(why) => unknown_images.push(UnknownImage {
                    report: name.clone(),
                    name: called(target),
                    reason: why.as_str(),
                    findings: target.findings.as_ref().map(Vec::len),
                }),
            }
        }
        summaries.push(summary(name, report, as_of, as_of_source, images));
    }
    if versions.is_empty() {
        return Err(ScoreError::NoImage(unknown_images));
    }
    Ok(sums(truth, options, versions, summaries, unknown_images))
}

fn summary(
    name: &str,
    report: &ScannerReport,
    as_of: Instant,
    as_of_source: AsOfSource,
    images: usize,
) -> ReportSummary {
    let (format, tool) = (report.format.as_str(), report.tool.clone());
    ReportSummary { name: name.to_owned(), format, tool, as_of, as_of_source, images }
}

/// What a report calls a target.
fn called(target: &Target) -> String {
    let first = target.names.first().or(target.digests.first());
    first.cloned().unwrap_or_default()
}

impl<'a> OfVersion<'a> {
    fn new(as_of: Instant) -> Self {
        OfVersion { as_of, distribution: None, reported: Reported::default() }
    }

    fn add(&mut self, target: &'a Target, as_of: Instant) {
        self.as_of = self.as_of.max(as_of);
        self.distribution = self.distribution.or(target.distribution.as_deref());
        self.reported.add(target);
    }
}

/// Compares image by image and adds up.
fn sums(
    truth: &Truth,
    options: Options,
    versions: BTreeMap<usize, OfVersion<'_>>,
    reports: Vec<ReportSummary>,
    unknown_images: Vec<UnknownImage>,
) -> Score {
    let ids = Ids::of(truth);
    let newest = versions.values().map(|of| of.as_of).max().unwrap_or(truth.as_of);
    let mut sums = Sums::default();
    let (mut scanned, mut listed) = (0, 0);
    for (place, of) in &versions {
        let Some(version) = truth.versions.get(*place) else { continue };
        let compared = compare(truth, &ids, version, &of.reported, of.as_of);
        let is_scanned = of.reported.findings.is_some();
        if is_scanned {
            scanned += 1
        } else {
            listed += 1
        }
        sums.add(truth, *place, of.as_of, of.distribution, is_scanned, compared);
    }
    let current = || {
        let all = truth.versions.iter().enumerate();
        all.filter(|(_, version)| version.is_current(newest))
    };
    let left_out = || current().filter(|(place, _)| !versions.contains_key(place));
    if options.all_images {
        for (place, version) in left_out() {
            let compared = nothing_reported(truth, version, newest);
            sums.add(truth, place, newest, None, false, compared);
        }
    }
    let known = options.knows_all_images;
    let coverage = Coverage {
        images_scored: scanned,
        images_with_inventory_only: listed,
        images_current: known.then(|| current().count()),
        images_not_scanned: known.then(|| left_out().count()),
    };
    sums.score(reports, coverage, unknown_images)
}

/// The cause of what is missed, if what is right in the whole run does not speak against it: whoever
/// reports nothing, or other advisories without a fix, has another reason.
fn supported(cause: Cause, right: Fixes) -> Cause {
    let explains = match cause {
        Cause::NoFixYet => right.with > 0 && right.without == 0,
        Cause::VersionOrder => right.with + right.without > 0,
        _ => true,
    };
    if explains { cause } else { Cause::NotReported }
}

#[derive(Default)]
struct Sums {
    total: Counts,
    by_severity: BTreeMap<Severity, Counts>,
    by_package: BTreeMap<Option<String>, Counts>,
    by_image: Vec<ByImage>,
    right: Fixes,
    /// Whether something is right in an image whose distribution the scanner does not name.
    sees_through: bool,
    packages: Recognition,
    differences: Vec<Different>,
}

impl Sums {
    fn add(
        &mut self,
        truth: &Truth,
        place: usize,
        as_of: Instant,
        distribution: Option<&str>,
        scanned: bool,
        compared: Compared,
    ) {
        let Some(version) = truth.versions.get(place) else { return };
        let mut of_image = Counts::default();
        for (severity, package, counts) in compared.counts {
            of_image.add(counts);
            self.total.add(counts);
            self.by_severity.entry(severity).or_default().add(counts);
            self.by_package.entry(package).or_default().add(counts);
        }
        self.differences.extend(compared.differences);
        self.right.with += compared.right.with;
        self.right.without += compared.right.without;
        let any = compared.right.with + compared.right.without > 0;
        self.sees_through |= any && compared.distribution_unknown;
        match compared.recognition {
            Some(of) => {
                let all = &mut self.packages;
                all.images_known += 1;
                all.held += of.held;
                all.recognised += of.recognised;
                all.other_version += of.other_version;
                all.missing += of.missing;
                all.not_held += of.not_held;
            }
            None => self.packages.images_unknown += 1,
        }
        self.by_image.push(ByImage {
            image: version.image.clone(),
            version: version.version,
            digest: version.digest.clone(),
            as_of,
            distribution: distribution.map(str::to_owned),
            packages: version.packages.len(),
            packages_recognised: compared.recognition.map(|of| of.recognised),
            scanned,
            figures: of_image.into(),
        });
    }

    fn score(
        mut self,
        reports: Vec<ReportSummary>,
        coverage: Coverage,
        unknown_images: Vec<UnknownImage>,
    ) -> Score {
        self.by_image.sort_by(|a, b| (&a.image, a.version).cmp(&(&b.image, b.version)));
        let mut causes: BTreeMap<(Kind, Cause), u64> = BTreeMap::new();
        let mut differences = Vec::with_capacity(self.differences.len());
        for Different { mut difference, otherwise } in self.differences {
            if difference.kind == Kind::Missed {
                let otherwise = otherwise.filter(|_| self.sees_through);
                difference.cause = supported(otherwise.unwrap_or(difference.cause), self.right);
            }
            *causes.entry((difference.kind, difference.cause)).or_default() += 1;
            differences.push(difference);
        }
        differences.sort();
        let causes = causes.into_iter().map(|((kind, cause), count)| ByCause {
            kind,
            cause,
            count,
            meaning: cause.meaning(),
        });
        let severities = self.by_severity.into_iter();
        let packages = self.by_package.into_iter();
        Score {
            format: FORMAT,
            reports,
            coverage,
            total: self.total.into(),
            by_severity: severities
                .map(|(severity, counts)| BySeverity { severity, figures: counts.into() })
                .collect(),
            by_image: self.by_image,
            by_package: packages
                .map(|(package, counts)| ByPackage { package, figures: counts.into() })
                .collect(),
            packages: self.packages,
            causes: causes.collect(),
            differences,
            unknown_images,
        }
    }
}
