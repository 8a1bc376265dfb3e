//! A score as a text for people.
use super::{HEAD, SHOWN, cells, count, coverage, recognition, told, worst};
use crate::result::{Score, text as instant};
use std::collections::BTreeMap;

/// The score as a text. Of images, packages and differences the worst are shown; the JSON has all.
pub fn text(score: &Score) -> String {
    let mut out = String::new();
    reports(score, &mut out);
    let mut table = vec![row("", HEAD.map(str::to_owned))];
    table.push(row("all", cells(&score.total)));
    for of in &score.by_severity {
        table.push(row(of.severity.as_str(), cells(&of.figures)));
    }
    out.push('\n');
    aligned(&table, &mut out);
    let images = worst(&score.by_image, |of| &of.figures);
    let rows =
        images.iter().map(|of| row(&format!("{} {}", of.image, of.version), cells(&of.figures)));
    section("images with differences", rows.collect(), &mut out);
    let packages = worst(&score.by_package, |of| &of.figures);
    let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "(none named)".to_owned());
    let rows = packages.iter().map(|of| row(&name(&of.package), cells(&of.figures)));
    section("packages with differences", rows.collect(), &mut out);
    if !score.causes.is_empty() {
        out.push_str("\ndifferences by cause\n");
        let rows = score.causes.iter().map(|of| {
            let kind = of.kind.as_str().to_owned();
            let cause = of.cause.as_str().to_owned();
            vec![String::new(), of.count.to_string(), kind, cause, of.meaning.to_owned()]
        });
        aligned(&rows.collect::<Vec<_>>(), &mut out);
    }
    if !score.differences.is_empty() {
        let all = score.differences.len();
        let shown =
            if all > SHOWN { format!("the first {SHOWN} of {all}") } else { all.to_string() };
        out.push_str(&format!("\ndifferences: {shown}\n"));
        let rows = score.differences.iter().take(SHOWN);
        let rows = rows.map(|of| [&[String::new()][..], &told(of)].concat());
        aligned(&rows.collect::<Vec<_>>(), &mut out);
    }
    out.push_str(&format!("\n{}\n", recognition(score)));
    for line in coverage(score) {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// Which tools, how many reports, as of when.
fn reports(score: &Score, out: &mut String) {
    let mut groups: BTreeMap<_, (usize, usize)> = BTreeMap::new();
    for report in &score.reports {
        let tool = report.tool.as_deref().unwrap_or(report.format);
        let (reports, images) =
            groups.entry((tool, report.as_of, report.as_of_source)).or_default();
        *reports += 1;
        *images += report.images;
    }
    for ((tool, as_of, source), (reports, images)) in groups {
        let (as_of, source) = (instant(as_of), source.as_str());
        let reports = count(reports, "report");
        out.push_str(&format!(
            "{tool}: {reports} on {}, judged as of {as_of} ({source})\n",
            count(images, "image")
        ));
    }
}

fn row(name: &str, cells: [String; 6]) -> Vec<String> {
    [&[format!("  {name}")][..], &cells].concat()
}

fn section(title: &str, rows: Vec<Vec<String>>, out: &mut String) {
    if rows.is_empty() {
        return;
    }
    let all = rows.len();
    let title = if all > SHOWN { format!("{title}: {SHOWN} of {all}") } else { title.to_owned() };
    out.push_str(&format!("\n{title}\n"));
    let mut table = vec![row("", HEAD.map(str::to_owned))];
    table.extend(rows.into_iter().take(SHOWN));
    aligned(&table, out);
}

/// Writes rows with their columns below each other; numbers stand at the right of theirs.
fn aligned(rows: &[Vec<String>], out: &mut String) {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let gap = " ".repeat(width - cell.chars().count());
            let is_number = !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit());
            let (before, after) = if is_number { (gap.as_str(), "") } else { ("", gap.as_str()) };
            line.push_str(&format!("{before}{cell}{after}  "));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
}
