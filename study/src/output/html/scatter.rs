//! What it costs against what it breaks: each arm a cross of two intervals.
use super::{Page, arrange, name_of, tables};
use crate::file::Measure;
use crate::output::arrange::Row;
use crate::output::figures;
use crate::output::plot::{Anchor, Panel, STYLES, Scale, WIDTH};
use crate::output::printable::{elided, line};
use crate::result::{Statistic, StudyResult};

const TOP: f64 = 26.0;
const BOTTOM: f64 = 236.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = WIDTH - 14.0;

/// A panel for each clock; against builder-hours where nothing was priced.
pub(super) fn plots(page: &mut Page, result: &StudyResult) {
    let all = arrange::rows(result);
    let is_mean = |row: &&Row<'_>| row.statistic == Statistic::Mean && row.has_estimate();
    let over_all = |row: &&Row<'_>| row.of.severity.is_none() && row.of.tier.is_none();
    let means = || all.iter().filter(is_mean).filter(over_all);
    let of = |measure: Measure| means().find(|row| row.of.measure == measure);
    let Some(cost) = of(Measure::Cost).or_else(|| of(Measure::BuilderHours)) else { return };
    let violations = means().filter(|row| row.of.measure == Measure::Violations);
    let violations: Vec<&Row<'_>> = violations.collect();
    if violations.is_empty() || result.arms.len() < 2 {
        return;
    }
    let title = format!("{} against violations", capital(cost.of.measure.words()));
    page.begin(&title);
    page.paragraph(
        "how",
        &format!(
            "Each marker is an arm; its cross is the {} intervals of both. Best is low and left. An \
             arm with another one both below and left of it is dominated: the other one costs less and \
             keeps more, as far as the crosses are apart.",
            figures::percent(result.confidence)
        ),
    );
    let panels = violations.iter().map(|row| panel(result, row, cost));
    page.panels(panels.collect(), "More");
    let mut head = vec!["Arm".to_owned(), super::escaped(&cost.label())];
    head.extend(violations.iter().map(|row| super::escaped(&row.label())));
    let rows: Vec<Vec<String>> = result
        .arms
        .iter()
        .enumerate()
        .map(|(place, arm)| {
            let cells = std::iter::once(cost).chain(violations.iter().copied());
            let cells = cells.map(|row| tables::cell(row.cells[place], row.unit));
            std::iter::once(name_of(&arm.name)).chain(cells).collect()
        })
        .collect();
    page.numbers("Numbers of these plots", &head, &rows);
    page.end();
}

fn capital(text: &str) -> String {
    text.chars().take(1).flat_map(char::to_uppercase).chain(text.chars().skip(1)).collect()
}

fn panel(result: &StudyResult, violations: &Row<'_>, cost: &Row<'_>) -> Panel {
    let values = |row: &Row<'_>| {
        let cells = row.cells.iter().flatten();
        cells.flat_map(|it| [it.lower, it.estimate, it.upper]).flatten().collect::<Vec<f64>>()
    };
    let x = Scale::over(values(violations), LEFT, RIGHT, 5.0);
    let y = Scale::over(values(cost), BOTTOM, TOP, 5.0);
    let title = format!("{}, {}", cost.name(), violations.name());
    let text = format!(
        "Each arm by {} (across) and {} (up). {}",
        violations.label(),
        cost.label(),
        described(result, violations, cost)
    );
    let mut panel = Panel::new(&capital(&title), &text, BOTTOM + 36.0);
    panel.x_axis(&x, (TOP, BOTTOM), &violations.label());
    panel.y_axis(&y, (LEFT, RIGHT), &cost.label());
    let mut taken: Vec<(f64, f64)> = Vec::new();
    for (place, arm) in result.arms.iter().enumerate() {
        let (Some(across), Some(up)) = (violations.cells[place], cost.cells[place]) else {
            continue;
        };
        let (Some(at_x), Some(at_y)) = (across.estimate, up.estimate) else { continue };
        let at = (x.at(at_x), y.at(at_y));
        let class = format!("w w{}", place % STYLES);
        if let (Some(from), Some(to)) = (across.lower, across.upper) {
            panel.line(&class, (x.at(from), at.1), (x.at(to), at.1));
        }
        if let (Some(from), Some(to)) = (up.lower, up.upper) {
            panel.line(&class, (at.0, y.at(from)), (at.0, y.at(to)));
        }
        panel.marker(place % STYLES, at);
        label(&mut panel, &mut taken, at, &name(result, place, &arm.name));
    }
    panel
}

/// What an arm is called beside its marker: where there are many, by its place in the table.
fn name(result: &StudyResult, place: usize, name: &str) -> String {
    if result.arms.len() <= 8 { elided(&line(name), 24) } else { (place + 1).to_string() }
}

/// A name beside a marker, where no other name stands.
fn label(panel: &mut Panel, taken: &mut Vec<(f64, f64)>, at: (f64, f64), name: &str) {
    let right = at.0 < (LEFT + RIGHT) / 2.0;
    let (x, anchor) = if right { (at.0 + 8.0, Anchor::Start) } else { (at.0 - 8.0, Anchor::End) };
    let free = |y: &f64| {
        *y > TOP
            && *y < BOTTOM
            && taken.iter().all(|it| (it.0 - x).abs() > 90.0 || (it.1 - y).abs() > 11.0)
    };
    let places = [-6.0, 14.0, -18.0, 26.0, -30.0, 38.0].map(|shift| at.1 + shift);
    if let Some(y) = places.iter().find(|y| free(y)) {
        panel.text("line-name", (x, *y), anchor, name);
        taken.push((x, *y));
    }
}

fn described(result: &StudyResult, violations: &Row<'_>, cost: &Row<'_>) -> String {
    let arms = result.arms.iter().enumerate().take(12).map(|(place, arm)| {
        let value = |row: &Row<'_>| match row.cells[place] {
            Some(interval) => figures::shown(interval, row.unit).line(),
            None => "-".to_owned(),
        };
        format!("{}: {} and {}", arm.name, value(violations), value(cost))
    });
    format!("{}.", arms.collect::<Vec<_>>().join("; "))
}
