//! The result for a terminal: answers first, then what they rest on.
use super::arrange::{self, Rank, Row};
use super::figures::{self, Shown};
use super::printable;
use crate::result::{ComparisonResult, CurveResult, StudyResult, UncertaintyResult};
use table::{Table, paragraph};

mod table;

/// A narrower terminal is written to as if it were so wide.
const NARROWEST: usize = 40;
/// Lines longer than this are hard to read, whatever the terminal.
const PROSE: usize = 100;

/// The result as text of at most `width` columns (and at least 40), with line feeds. Nothing in it
/// steers the terminal, whatever the study is called.
pub fn text(result: &StudyResult, width: usize) -> String {
    let width = width.max(NARROWEST);
    let mut out = String::new();
    heading(&mut out, result, width);
    answers(&mut out, result, width);
    arms(&mut out, result, width);
    comparisons(&mut out, result, width);
    times(&mut out, result, width);
    uncertainty(&mut out, result, width);
    notes(&mut out, result, width);
    out
}

fn heading(out: &mut String, result: &StudyResult, width: usize) {
    let prose = width.min(PROSE);
    let title = format!("{} ({})", printable::line(&result.title), printable::line(&result.name));
    paragraph(out, "", &title, width);
    paragraph(out, "", &arrange::played(result), prose);
    paragraph(out, "", &printable::line(&result.stopping), prose);
    if result.capped {
        let text =
            "The budget ended before the precision was reached: intervals are wider than asked.";
        paragraph(out, "! ", text, prose);
    }
}

/// Begins a section.
fn section(out: &mut String, title: &str) {
    out.push('\n');
    out.push_str(&title.to_uppercase());
    out.push('\n');
}

fn answers(out: &mut String, result: &StudyResult, width: usize) {
    if result.answers.is_empty() {
        return;
    }
    section(out, "Answers");
    let width = width.min(PROSE);
    for answer in &result.answers {
        paragraph(out, "? ", &printable::line(&answer.question), width);
        paragraph(out, "  = ", &printable::line(&answer.answer), width);
        if !answer.told {
            let text = match answer.more_replications {
                Some(more) => format!(
                    "It cannot be told yet: it takes about {} replications more.",
                    figures::count(more)
                ),
                None => "It cannot be told from this study.".to_owned(),
            };
            paragraph(out, "    ", &text, width);
        }
        paragraph(out, "    rests on: ", &printable::line(&answer.basis), width);
    }
}

/// Figures with a row each and a cell for each arm, as wide as there is room: arms side by side, or,
/// when there are too many, an arm a line and as many figures beside each other as fit.
fn beside(out: &mut String, arms: &[String], rows: &[(String, Vec<Shown>)], width: usize) {
    let mut table = Table::default();
    let names = arms.iter().cloned();
    table.row(std::iter::once(String::new()).chain(names).collect());
    for (label, cells) in rows {
        let cells = cells.iter().map(|cell| format!("{}\n{}", cell.estimate, cell.limits));
        table.row(std::iter::once(label.clone()).chain(cells).collect());
    }
    // Each arm needs room for its intervals, and the names of figures for a few words a line.
    let cell = |cell: &Shown| printable::columns(&cell.limits).max(10);
    let needed = rows.iter().flat_map(|(_, cells)| cells).map(cell).max().unwrap_or(10);
    if table.natural_width() <= width || 24 + arms.len() * (needed + 2) <= width {
        table.render(width, out);
        return;
    }
    let name = arms.iter().map(|name| printable::columns(name)).max().unwrap_or(0);
    let line =
        rows.iter().flat_map(|(_, cells)| cells).map(|cell| printable::columns(&cell.line()));
    let line = line.max().unwrap_or(10).max(12);
    let at_once = (width.saturating_sub(name.min(width / 3)) / (line + 2)).max(1);
    for (place, part) in rows.chunks(at_once).enumerate() {
        if place > 0 {
            out.push('\n');
        }
        let mut table = Table::default();
        let labels = part.iter().map(|(label, _)| label.clone());
        table.row(std::iter::once("arm".to_owned()).chain(labels).collect());
        for (arm, name) in arms.iter().enumerate() {
            let cells = part.iter().map(|(_, cells)| cells[arm].line());
            table.row(std::iter::once(name.clone()).chain(cells).collect());
        }
        table.render(width, out);
    }
}

/// What a cell says of a measure that an arm does not have.
fn cell(interval: Option<&crate::statistics::Interval>, unit: &str) -> Shown {
    match interval {
        Some(interval) => figures::shown(interval, unit),
        None => Shown { estimate: "-".to_owned(), limits: String::new() },
    }
}

fn names(result: &StudyResult) -> Vec<String> {
    result.arms.iter().map(|arm| printable::line(&arm.name)).collect()
}

fn arms(out: &mut String, result: &StudyResult, width: usize) {
    let all = arrange::rows(result);
    let is_main = |row: &&Row<'_>| arrange::rank(row, &all) < Rank::Other;
    let rows: Vec<(String, Vec<Shown>)> = all
        .iter()
        .filter(is_main)
        .map(|row| {
            let cells = row.cells.iter().map(|interval| cell(*interval, row.unit));
            (row.label(), cells.collect())
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    section(out, "Arms");
    let text = format!(
        "The estimate of each figure, and in brackets its {} interval.",
        figures::percent(result.confidence)
    );
    paragraph(out, "", &text, width.min(PROSE));
    beside(out, &names(result), &rows, width);
}

fn comparisons(out: &mut String, result: &StudyResult, width: usize) {
    if result.comparisons.is_empty() {
        return;
    }
    section(out, "Comparisons");
    let mut table = Table::default();
    let head = ["arm less arm", "in", "difference", "differ?", "variance ratio"];
    table.row(head.map(str::to_owned).to_vec());
    for comparison in &result.comparisons {
        table.row(compared(result, comparison));
    }
    table.render(width, out);
    let text = format!(
        "All arms played the same seeds. The {} intervals hold all at once (Bonferroni); whether arms \
         differ is decided by Holm's procedure. The variance ratio is the variance of the difference \
         as a share of what seeds of its own for each arm would give: the less, the more the common \
         seeds help.",
        figures::percent(result.confidence)
    );
    paragraph(out, "", &text, width.min(PROSE));
}

fn compared(result: &StudyResult, comparison: &ComparisonResult) -> Vec<String> {
    let unit = arrange::unit_of(result, &comparison.of);
    let difference = figures::shown(&comparison.difference, unit);
    let words = printable::line(&comparison.of.words());
    vec![
        format!("{} less {}", printable::line(&comparison.arm), printable::line(&comparison.than)),
        arrange::with_unit(&words, arrange::unit_of_difference(result, &comparison.of)),
        format!("{}\n{}", difference.estimate, difference.limits),
        differs(comparison),
        comparison.variance_ratio.map_or_else(|| "-".to_owned(), figures::alone),
    ]
}

/// Whether two arms differ, in words.
pub(super) fn differs(comparison: &ComparisonResult) -> String {
    let word = if comparison.differs { "yes" } else { "not shown" };
    match comparison.p_value {
        Some(p) => format!("{word} ({})", figures::p_value(p)),
        None => word.to_owned(),
    }
}

fn times(out: &mut String, result: &StudyResult, width: usize) {
    let kinds = arrange::curve_kinds(result);
    if kinds.is_empty() {
        return;
    }
    section(out, "Times (Kaplan-Meier; what is still open counts as open)");
    let mut rows = Vec::new();
    for kind in kinds {
        let name = format!("{}, {}", kind.0.words(), kind.1);
        let mut add = |what: &str, of: fn(&CurveResult) -> &crate::statistics::Interval| {
            let cells = arrange::curves(result, kind).map(|curve| cell(curve.map(of), "h"));
            rows.push((format!("{name}: {what} (h)"), cells.collect()));
        };
        add("median", |curve| &curve.median);
        add("90 %", |curve| &curve.p90);
    }
    beside(out, &names(result), &rows, width);
}

fn uncertainty(out: &mut String, result: &StudyResult, width: usize) {
    let Some(uncertainty) = &result.uncertainty else { return };
    section(out, "Uncertain inputs");
    let prose = width.min(PROSE);
    let unit = arrange::unit_of(result, &uncertainty.of);
    paragraph(out, "", &drawn(result, uncertainty), prose);
    let mut table = Table::default();
    table.row(["arm", "by chance alone", "by inputs as well"].map(str::to_owned).to_vec());
    for arm in &uncertainty.arms {
        table.row(vec![
            printable::line(&arm.arm),
            figures::shown(&arm.by_chance, unit).line(),
            figures::shown(&arm.by_inputs, unit).line(),
        ]);
    }
    table.render(width, out);
    out.push('\n');
    let mut table = Table::default();
    let head = ["arm", "what it rests on most", "from", "to", "the mean goes", "variance"];
    table.row(head.map(str::to_owned).to_vec());
    for arm in &uncertainty.arms {
        for input in arm.inputs.iter().take(3) {
            let digits = figures::Rounding::to_width((input.at_high - input.at_low) / 2.0);
            let value = |value: f64| digits.number(value * figures::factor(unit));
            table.row(vec![
                printable::line(&arm.arm),
                printable::line(&input.path),
                printable::line(&input.low),
                printable::line(&input.high),
                format!("{} to {}", value(input.at_low), value(input.at_high)),
                input.variance_share.map_or_else(|| "-".to_owned(), figures::percent),
            ]);
        }
    }
    table.render(width, out);
}

/// How the uncertain inputs were drawn, in a sentence or two.
pub(super) fn drawn(result: &StudyResult, uncertainty: &UncertaintyResult) -> String {
    let unit = arrange::unit_of(result, &uncertainty.of);
    let words = printable::line(&uncertainty.of.words());
    format!(
        "Mean {} over {} draws of the inputs, each played {} times. By chance: what another seed \
         changes. By inputs: between what {} of the draws lie.",
        arrange::with_unit(&words, unit),
        figures::count(uncertainty.draws),
        figures::count(uncertainty.replications),
        figures::percent(result.confidence),
    )
}

fn notes(out: &mut String, result: &StudyResult, width: usize) {
    let notes = arrange::notes(result);
    if notes.is_empty() {
        return;
    }
    section(out, "Notes on intervals");
    for (note, figures) in notes {
        let text = format!("{note}: {}.", figures.join("; "));
        paragraph(out, "- ", &text, width.min(PROSE));
    }
}
