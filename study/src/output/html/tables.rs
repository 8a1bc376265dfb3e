//! The tables of the report: arms side by side, and each beside the first.
use super::{Page, arrange, escaped, name_of};
use crate::output::arrange::{Rank, Row};
use crate::output::{figures, text};
use crate::result::StudyResult;
use crate::statistics::Interval;

/// With more arms than this, an arm is a row and not a column.
const COLUMNS: usize = 5;

/// An interval as a cell.
pub(super) fn cell(interval: Option<&Interval>, unit: &str) -> String {
    let Some(interval) = interval else { return "-".to_owned() };
    let shown = figures::shown(interval, unit);
    match shown.limits.as_str() {
        "" => format!("<b>{}</b>", shown.estimate),
        limits => format!("<b>{}</b> <span class=\"limits\">{limits}</span>", shown.estimate),
    }
}

/// Rows of measures with a cell for each arm, as one table or several.
pub(super) fn beside(page: &mut Page, caption: &str, result: &StudyResult, rows: &[&Row<'_>]) {
    let names = result.arms.iter().map(|arm| name_of(&arm.name));
    if result.arms.len() <= COLUMNS {
        let head: Vec<String> = std::iter::once("Figure".to_owned()).chain(names).collect();
        let line = |row: &&Row<'_>| {
            let cells = row.cells.iter().map(|interval| cell(*interval, row.unit));
            std::iter::once(escaped(&row.label())).chain(cells).collect()
        };
        page.table(caption, &head, &rows.iter().map(line).collect::<Vec<Vec<String>>>());
        return;
    }
    let names: Vec<String> = names.collect();
    for part in rows.chunks(COLUMNS) {
        let labels = part.iter().map(|row| escaped(&row.label()));
        let head: Vec<String> = std::iter::once("Arm".to_owned()).chain(labels).collect();
        let line = |(arm, name): (usize, &String)| {
            let cells = part.iter().map(|row| cell(row.cells[arm], row.unit));
            std::iter::once(name.clone()).chain(cells).collect()
        };
        page.table(caption, &head, &names.iter().enumerate().map(line).collect::<Vec<_>>());
    }
}

/// The main measures of all arms.
pub(super) fn arms(page: &mut Page, result: &StudyResult) {
    let all = arrange::rows(result);
    let main: Vec<&Row<'_>> =
        all.iter().filter(|row| arrange::rank(row, &all) < Rank::Other).collect();
    if main.is_empty() {
        return;
    }
    page.begin("Arms");
    let confidence = figures::percent(result.confidence);
    beside(page, &format!("Estimates, and in brackets {confidence} intervals"), result, &main);
    let settings: Vec<Vec<String>> = result
        .arms
        .iter()
        .map(|arm| {
            let settings = arm.settings.iter();
            let settings: Vec<String> = settings
                .map(|(path, value)| format!("<code>{}: {}</code>", escaped(path), escaped(value)))
                .collect();
            let as_written = "as the scenario is written".to_owned();
            let settings = if settings.is_empty() { as_written } else { settings.join("<br/>") };
            vec![name_of(&arm.name), arm.builders.to_string(), settings]
        })
        .collect();
    let head = ["Arm", "Builders", "Settings"].map(str::to_owned);
    page.numbers("What the arms are", &head, &settings);
    page.end();
}

/// Every measure of every arm, folded.
pub(super) fn all_measures(page: &mut Page, result: &StudyResult) {
    let all = arrange::rows(result);
    let others: Vec<&Row<'_>> =
        all.iter().filter(|row| arrange::rank(row, &all) == Rank::Other).collect();
    if others.is_empty() {
        return;
    }
    page.begin("Further figures");
    page.push("<details><summary>By severity and customer tier, and what remains</summary>\n");
    beside(page, "Further figures by arm", result, &others);
    page.push("</details>\n");
    page.end();
}

/// Each arm beside the first.
pub(super) fn comparisons(page: &mut Page, result: &StudyResult) {
    if result.comparisons.is_empty() {
        return;
    }
    page.begin("Comparisons");
    let rows: Vec<Vec<String>> = result
        .comparisons
        .iter()
        .map(|it| {
            let unit = arrange::unit_of(result, &it.of);
            let of = arrange::with_unit(
                &crate::output::printable::line(&it.of.words()),
                arrange::unit_of_difference(result, &it.of),
            );
            vec![
                format!("{} less {}", name_of(&it.arm), name_of(&it.than)),
                escaped(&of),
                cell(Some(&it.difference), unit),
                escaped(&text::differs(it)),
                it.variance_ratio.map_or_else(|| "-".to_owned(), figures::alone),
                cell(Some(&it.differ), "%"),
            ]
        })
        .collect();
    let head = [
        "Arm less arm",
        "In",
        "Difference",
        "Do they differ?",
        "Variance ratio",
        "Replications that differ (%)",
    ];
    page.table("Differences between arms", &head.map(str::to_owned), &rows);
    page.paragraph(
        "how",
        &format!(
            "Differences of means under the same seeds. Their {} intervals hold all at once \
             (Bonferroni); whether arms differ is decided by Holm's procedure, with p adjusted for all \
             comparisons. The variance ratio is the variance of the difference as a share of what it \
             would be if each arm had seeds of its own: below 1 the common seeds helped.",
            figures::percent(result.confidence)
        ),
    );
    page.end();
}
