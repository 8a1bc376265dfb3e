//! A score in CSV (RFC 4180): a row for all, and for each severity, image, package and cause.
use crate::figures::{Figures, Ratio};
use crate::result::Score;

const HEAD: &str = "scope,name,version,right,missed,wrong,early,precision,precision_lower,\
                    precision_upper,recall,recall_lower,recall_upper,f1,packages,\
                    packages_recognised\r\n";

/// The score in CSV. What is not defined or not known is empty, never 0. Rows of the scopes
/// `missed`, `wrong` and `early` are of a cause, with how many differences it has.
pub fn csv(score: &Score) -> String {
    let mut out = HEAD.to_owned();
    row(&mut out, ["all", "", ""], &score.total, None);
    for of in &score.by_severity {
        row(&mut out, ["severity", of.severity.as_str(), ""], &of.figures, None);
    }
    for of in &score.by_image {
        let version = of.version.to_string();
        let packages = (of.packages, of.packages_recognised);
        row(&mut out, ["image", &of.image, &version], &of.figures, Some(packages));
    }
    for of in &score.by_package {
        row(&mut out, ["package", of.package.as_deref().unwrap_or(""), ""], &of.figures, None);
    }
    for of in &score.causes {
        let mut counts = [""; 4].map(str::to_owned);
        let place = match of.kind {
            crate::cause::Kind::Missed => 1,
            crate::cause::Kind::Wrong => 2,
            crate::cause::Kind::Early => 3,
        };
        counts[place] = of.count.to_string();
        let cells = [of.kind.as_str(), of.cause.as_str(), ""].map(field);
        out.push_str(&format!("{},{},,,,,,,,,\r\n", cells.join(","), counts.join(",")));
    }
    out
}

fn row(
    out: &mut String,
    names: [&str; 3],
    figures: &Figures,
    packages: Option<(usize, Option<usize>)>,
) {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let ratio = |of: Ratio| [of.estimate, of.lower, of.upper].map(number).join(",");
    let counts = figures.counts;
    let counts = [counts.right, counts.missed, counts.wrong, counts.early].map(|of| of.to_string());
    let held = packages.map_or_else(String::new, |(held, _)| held.to_string());
    let recognised = packages.and_then(|(_, recognised)| recognised);
    let recognised = recognised.map_or_else(String::new, |of| of.to_string());
    out.push_str(&format!(
        "{},{},{},{},{},{held},{recognised}\r\n",
        names.map(field).join(","),
        counts.join(","),
        ratio(figures.precision),
        ratio(figures.recall),
        number(figures.f1),
    ));
}

/// A field, quoted where it must be; a text that a spreadsheet would take for a formula begins with
/// an apostrophe.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}
