//! From the figures of a score to what the API shows of them.
use super::{
    ImageScore, PackageRecognition, PackageScore, Score, ScoreCause, ScoreCoverage,
    ScoreDifference, ScoreFigures, ScoredReport, SeverityScore, UnknownTarget,
};
use crate::schemas::estimate::Estimate;
use ::score::{Figures, result};

/// So many packages and differences are shown; `total` and `causes` count all.
const SHOWN: usize = 1_000;

/// The packages that are shown: those with the most differences, in the order of their names.
fn shown(mut packages: Vec<result::ByPackage>) -> Vec<result::ByPackage> {
    let differ = |of: &result::ByPackage| of.figures.counts.missed + of.figures.counts.wrong;
    packages.sort_by_key(|of| std::cmp::Reverse(differ(of)));
    packages.truncate(SHOWN);
    packages.sort_by(|a, b| a.package.cmp(&b.package));
    packages
}

fn estimate(of: ::score::Ratio) -> Estimate {
    Estimate { estimate: of.estimate, lower: of.lower, upper: of.upper }
}

impl From<Figures> for ScoreFigures {
    fn from(of: Figures) -> Self {
        let counts = of.counts;
        ScoreFigures {
            right: counts.right,
            missed: counts.missed,
            wrong: counts.wrong,
            early: counts.early,
            precision: estimate(of.precision),
            recall: estimate(of.recall),
            f1: of.f1,
        }
    }
}

impl From<result::ByImage> for ImageScore {
    fn from(of: result::ByImage) -> Self {
        ImageScore {
            image: of.image,
            version: of.version,
            digest: of.digest,
            as_of: of.as_of.into(),
            distribution: of.distribution,
            packages: of.packages as u64,
            packages_recognised: of.packages_recognised.map(|count| count as u64),
            scanned: of.scanned,
            figures: of.figures.into(),
        }
    }
}

impl From<result::Difference> for ScoreDifference {
    fn from(of: result::Difference) -> Self {
        ScoreDifference {
            kind: of.kind.as_str().to_owned(),
            image: of.image,
            version: of.version,
            vulnerability: of.vulnerability,
            package: of.package,
            severity: of.severity.as_str().to_owned(),
            cause: of.cause.as_str().to_owned(),
            installed: of.installed,
            reported: of.reported,
            fixed: of.fixed,
        }
    }
}

impl From<result::ReportSummary> for ScoredReport {
    fn from(of: result::ReportSummary) -> Self {
        ScoredReport {
            name: of.name,
            format: of.format.to_owned(),
            tool: of.tool,
            as_of: of.as_of.into(),
            as_of_source: of.as_of_source.name().to_owned(),
            images: of.images as u64,
        }
    }
}

impl From<result::Recognition> for PackageRecognition {
    fn from(of: result::Recognition) -> Self {
        PackageRecognition {
            images_known: of.images_known as u64,
            images_unknown: of.images_unknown as u64,
            held: of.held as u64,
            recognised: of.recognised as u64,
            other_version: of.other_version as u64,
            missing: of.missing as u64,
            not_held: of.not_held as u64,
        }
    }
}

impl From<result::Score> for Score {
    fn from(of: result::Score) -> Self {
        let severity = |of: result::BySeverity| SeverityScore {
            severity: of.severity.as_str().to_owned(),
            figures: of.figures.into(),
        };
        let package = |of: result::ByPackage| PackageScore {
            package: of.package,
            figures: of.figures.into(),
        };
        let cause = |of: result::ByCause| ScoreCause {
            kind: of.kind.as_str().to_owned(),
            cause: of.cause.as_str().to_owned(),
            count: of.count,
            meaning: of.meaning.to_owned(),
        };
        let unknown = |of: result::UnknownImage| UnknownTarget {
            report: of.report,
            name: of.name,
            reason: of.reason.to_owned(),
            findings: of.findings.map(|count| count as u64),
        };
        let differences = of.differences.into_iter().take(SHOWN);
        Score {
            format: of.format.to_owned(),
            reports: of.reports.into_iter().map(Into::into).collect(),
            coverage: ScoreCoverage {
                images_scored: of.coverage.images_scored as u64,
                images_with_inventory_only: of.coverage.images_with_inventory_only as u64,
            },
            total: of.total.into(),
            by_severity: of.by_severity.into_iter().map(severity).collect(),
            by_image: of.by_image.into_iter().map(Into::into).collect(),
            by_package: shown(of.by_package).into_iter().map(package).collect(),
            packages: of.packages.into(),
            causes: of.causes.into_iter().map(cause).collect(),
            differences: differences.map(Into::into).collect(),
            unknown_images: of.unknown_images.into_iter().map(unknown).collect(),
        }
    }
}
