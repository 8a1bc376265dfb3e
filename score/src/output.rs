//! A score for people and for machines: a text, a table in Markdown, rows in CSV. (Its JSON is that
//! of [`crate::result::Score`].)
mod csv;
mod markdown;
mod text;

pub use csv::csv;
pub use markdown::markdown;
pub use text::text;

use crate::compare::is_unknown_distribution;
use crate::figures::{Figures, Ratio};
use crate::result::{Difference, Score};
use std::collections::BTreeMap;

/// Rows of images, packages and differences that people are shown, the worst first.
const SHOWN: usize = 20;

/// A ratio in percent with its limits.
fn percent(ratio: Ratio) -> String {
    match (ratio.estimate, ratio.lower, ratio.upper) {
        (Some(estimate), Some(lower), Some(upper)) => {
            let [estimate, lower, upper] = [estimate, lower, upper].map(|of| of * 100.0);
            format!("{estimate:.1} % ({lower:.1} to {upper:.1})")
        }
        _ => "-".to_owned(),
    }
}

fn f1(figures: &Figures) -> String {
    figures.f1.map_or_else(|| "-".to_owned(), |f1| format!("{f1:.3}"))
}

/// The head of tables of figures.
const HEAD: [&str; 6] = ["right", "missed", "wrong", "precision", "recall", "F1"];

fn cells(figures: &Figures) -> [String; 6] {
    let counts = figures.counts;
    [
        counts.right.to_string(),
        counts.missed.to_string(),
        counts.wrong.to_string(),
        percent(figures.precision),
        percent(figures.recall),
        f1(figures),
    ]
}

/// Rows with a difference, the worst first: by how many differences, then in their order.
fn worst<T>(rows: &[T], figures: impl Fn(&T) -> &Figures) -> Vec<&T> {
    let differ = |row: &&T| {
        let counts = figures(row).counts;
        counts.missed + counts.wrong
    };
    let mut worst: Vec<&T> = rows.iter().filter(|row| differ(row) > 0).collect();
    worst.sort_by_key(|row| std::cmp::Reverse(differ(row)));
    worst
}

/// A difference in words: what, in which package, and what is installed, reported, fixed.
fn told(difference: &Difference) -> [String; 5] {
    let Difference { image, version, vulnerability, package, .. } = difference;
    let mut versions: Vec<String> = Vec::new();
    versions.extend(difference.installed.as_ref().map(|of| format!("holds {of}")));
    let other = difference.reported.as_ref().filter(|of| difference.installed.as_ref() != Some(of));
    versions.extend(other.map(|of| format!("reported {of}")));
    versions.extend(difference.fixed.as_ref().map(|of| format!("fixed in {of}")));
    [
        format!("{} {}", difference.kind.as_str(), difference.cause.as_str()),
        format!("{image} {version}"),
        vulnerability.clone(),
        package.clone().unwrap_or_else(|| "-".to_owned()),
        versions.join(", "),
    ]
}

/// What is said of packages that were recognised.
fn recognition(score: &Score) -> String {
    let of = score.packages;
    let mut said = match of.images_known {
        0 => "packages recognised: unknown; no report lists packages".to_owned(),
        images => {
            let rest = [
                ("in another version", of.other_version),
                ("not recognised", of.missing),
                ("listed that are not there", of.not_held),
            ];
            let rest = rest.iter().filter(|(_, count)| *count > 0);
            let rest: String = rest.map(|(what, count)| format!(", {count} {what}")).collect();
            let images = count(images, "image");
            format!("packages recognised: {} of {} in {images}{rest}", of.recognised, of.held)
        }
    };
    if of.images_known > 0 && of.images_unknown > 0 {
        let images = count(of.images_unknown, "image");
        said.push_str(&format!("; unknown in {images}, of which no report lists packages"));
    }
    said
}

fn count(of: usize, what: &str) -> String {
    format!("{of} {what}{}", if of == 1 { "" } else { "s" })
}

/// What is said of images that no report is about, and of what is about no image.
fn coverage(score: &Score) -> Vec<String> {
    let of = score.coverage;
    let mut said = Vec::new();
    if let (Some(current), Some(not_scanned)) = (of.images_current, of.images_not_scanned)
        && not_scanned > 0
    {
        said.push(format!("no report is about {not_scanned} of the {current} current images"));
    }
    if of.images_with_inventory_only > 0 {
        let images = count(of.images_with_inventory_only, "image");
        said.push(format!("only packages, no vulnerabilities, are reported of {images}"));
    }
    let mut strange: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for image in score.by_image.iter().filter(|image| image.scanned) {
        let distribution = image.distribution.as_deref();
        if let Some(distribution) = distribution.filter(|of| is_unknown_distribution(of)) {
            let (images, right) = strange.entry(distribution).or_default();
            *images += 1;
            *right += image.figures.counts.right;
        }
    }
    for (distribution, (images, _)) in strange.into_iter().filter(|(_, (_, right))| *right == 0) {
        let images = count(images, "image");
        said.push(format!(
            "the scanner took the distribution of {images} for {distribution:?}, and found nothing \
             there"
        ));
    }
    for unknown in &score.unknown_images {
        let findings = unknown.findings.map(|of| format!(", {}", count(of, "finding")));
        let findings = findings.unwrap_or_default();
        let (report, name, reason) = (&unknown.report, &unknown.name, unknown.reason);
        said.push(format!("not counted: {report}: {name:?}{findings}: {reason}"));
    }
    said
}
