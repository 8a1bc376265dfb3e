//! A score in Markdown, for the summary of a CI job.
use super::{HEAD, SHOWN, cells, coverage, recognition, told, worst};
use crate::result::{Score, text as instant};

/// The score in Markdown. Of images, packages and differences the worst are shown; the JSON has
/// all.
pub fn markdown(score: &Score) -> String {
    let mut out = String::from("## Score\n\n");
    for report in &score.reports {
        let tool = report.tool.as_deref().unwrap_or(report.format);
        let (as_of, source) = (instant(report.as_of), report.as_of_source.as_str());
        let (tool, name) = (escaped(tool), escaped(&report.name));
        out.push_str(&format!("- {name}: {tool}, as of {as_of} ({source})\n"));
    }
    let severities = score.by_severity.iter();
    let severities = severities.map(|of| (of.severity.as_str().to_owned(), cells(&of.figures)));
    let all = std::iter::once(("all".to_owned(), cells(&score.total)));
    figures("", "Severity", all.chain(severities).collect(), &mut out);
    let images = worst(&score.by_image, |of| &of.figures);
    let images =
        images.iter().map(|of| (format!("{} {}", of.image, of.version), cells(&of.figures)));
    figures("### Images with differences", "Image", images.collect(), &mut out);
    let packages = worst(&score.by_package, |of| &of.figures);
    let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "(none named)".to_owned());
    let packages = packages.iter().map(|of| (name(&of.package), cells(&of.figures)));
    figures("### Packages with differences", "Package", packages.collect(), &mut out);
    if !score.causes.is_empty() {
        out.push_str(
            "\n### Differences\n\n| count | kind | cause | meaning |\n|---:|---|---|---|\n",
        );
        for of in &score.causes {
            let (kind, cause, meaning) = (of.kind.as_str(), of.cause.as_str(), of.meaning);
            out.push_str(&format!("| {} | {kind} | `{cause}` | {meaning} |\n", of.count));
        }
    }
    if !score.differences.is_empty() {
        out.push_str(
            "\n| what | image | vulnerability | package | versions |\n|---|---|---|---|---|\n",
        );
        for of in score.differences.iter().take(SHOWN) {
            let cells = told(of).map(|cell| escaped(&cell));
            out.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        if let Some(more @ 1..) = score.differences.len().checked_sub(SHOWN) {
            out.push_str(&format!("\nand {more} more\n"));
        }
    }
    out.push_str(&format!("\n{}\n", escaped(&recognition(score))));
    for line in coverage(score) {
        out.push_str(&format!("\n{}\n", escaped(&line)));
    }
    out
}

fn figures(title: &str, what: &str, rows: Vec<(String, [String; 6])>, out: &mut String) {
    if rows.is_empty() {
        return;
    }
    out.push_str(&format!("\n{title}\n\n").replace("\n\n\n", "\n"));
    out.push_str(&format!(
        "| {what} | {} |\n|---|---:|---:|---:|---:|---:|---:|\n",
        HEAD.join(" | ")
    ));
    for (name, cells) in rows.iter().take(SHOWN) {
        out.push_str(&format!("| {} | {} |\n", escaped(name), cells.join(" | ")));
    }
    if let Some(more @ 1..) = rows.len().checked_sub(SHOWN) {
        out.push_str(&format!("\nand {more} more\n"));
    }
}

/// A text of somebody else, of which nothing acts as Markdown or HTML.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '~' | '!' | '#' | '@' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}
