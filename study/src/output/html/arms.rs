//! A panel for each measure: the arms below each other, each a dot with its interval.
use super::{Page, arrange, tables};
use crate::output::arrange::{Rank, Row};
use crate::output::figures;
use crate::output::plot::{Anchor, Panel, STYLES, Scale, WIDTH};
use crate::output::printable::elided;
use crate::result::StudyResult;
use crate::statistics::Interval;

/// Up to so many arms each has its name on a line of its own.
const ROOMY: usize = 12;

/// The main measures.
pub(super) fn plots(page: &mut Page, result: &StudyResult) {
    let all = arrange::rows(result);
    let drawn = |rank: Rank| {
        all.iter().filter(move |row| row.has_estimate()).filter({
            let all = &all;
            move |row| arrange::rank(row, all) == rank
        })
    };
    let first: Vec<Panel> = drawn(Rank::First).map(|row| panel(result, row)).collect();
    if first.is_empty() {
        return;
    }
    page.begin("Arms with their intervals");
    page.paragraph(
        "how",
        &format!(
            "Each panel is one figure, each row an arm: the marker is the estimate, the line its {} \
             interval. An arrow means that there is no limit on that side. Arms whose intervals \
             overlap may differ all the same: see the comparisons.",
            figures::percent(result.confidence)
        ),
    );
    page.panels(first, "More figures");
    let further: Vec<Panel> = drawn(Rank::Main).map(|row| panel(result, row)).collect();
    if !further.is_empty() {
        page.push("<details><summary>Further waits and times</summary>\n");
        page.panels(further, "More figures");
        page.push("</details>\n");
    }
    page.push("<details><summary>Numbers of these plots</summary>\n");
    let rows: Vec<&Row<'_>> =
        all.iter().filter(|row| arrange::rank(row, &all) < Rank::Other).collect();
    tables::beside(page, "Arms with their intervals, in numbers", result, &rows);
    page.push("</details>\n");
    page.end();
}

fn panel(result: &StudyResult, row: &Row<'_>) -> Panel {
    let factor = figures::factor(row.unit);
    let roomy = result.arms.len() <= ROOMY;
    let (pitch, left) = if roomy { (34.0, 6.0) } else { (17.0, 150.0) };
    let (top, arms) = (6.0, f64::from(u32::try_from(result.arms.len()).unwrap_or(u32::MAX)));
    let bottom = top + arms * pitch + 2.0;
    let values = row.cells.iter().flatten().flat_map(|it| [it.lower, it.estimate, it.upper]);
    let values = values.flatten().map(|value| value * factor);
    let scale = Scale::over(values, left + 8.0, WIDTH - 14.0, 4.0);
    let mut panel = Panel::new(&row.name(), &description(result, row), bottom + 36.0);
    panel.x_axis(&scale, (top, bottom), &row.label());
    let mut y = top;
    for (place, (arm, interval)) in result.arms.iter().zip(&row.cells).enumerate() {
        let shown = interval.map(|it| figures::shown(it, row.unit));
        let middle = if roomy { y + 22.0 } else { y + 9.0 };
        if roomy {
            let value = shown.as_ref().map_or("-", |shown| shown.estimate.as_str());
            let text = elided(&crate::output::printable::line(&arm.name), 38);
            panel.text("arm", (left, y + 11.0), Anchor::Start, &text);
            panel.text("value", (WIDTH - 6.0, y + 11.0), Anchor::End, value);
        } else {
            let text = elided(&crate::output::printable::line(&arm.name), 25);
            panel.text("tick", (left, middle + 3.5), Anchor::End, &text);
        }
        if let Some(interval) = interval {
            whisker(&mut panel, &scale, (place % STYLES, middle), interval, factor);
        }
        y += pitch;
    }
    panel
}

/// An interval as a line with a marker; an arrow where it has no limit.
pub(super) fn whisker(
    panel: &mut Panel,
    scale: &Scale,
    (style, y): (usize, f64),
    interval: &Interval,
    factor: f64,
) {
    let class = format!("w w{style}");
    let place = |value: Option<f64>| value.map(|value| scale.at(value * factor));
    let (from, to) = (place(interval.lower), place(interval.upper));
    let Some(at) = place(interval.estimate).or(from).or(to) else { return };
    if from.is_some() || to.is_some() {
        let (start, end) = (from.unwrap_or(scale.start()), to.unwrap_or(scale.end()));
        panel.line(&class, (start, y), (end, y));
        for (limit, x, inward) in [(from, start, 5.0), (to, end, -5.0)] {
            match limit {
                Some(x) => panel.line(&class, (x, y - 4.0), (x, y + 4.0)),
                None => {
                    let corners = [(x + inward, y - 4.0), (x, y), (x + inward, y + 4.0)];
                    panel.path(&class, &corners, false);
                }
            }
        }
    }
    if interval.estimate.is_some() {
        panel.marker(style, (at, y));
    }
}

fn description(result: &StudyResult, row: &Row<'_>) -> String {
    let arms = result.arms.iter().zip(&row.cells).take(12).map(|(arm, interval)| {
        let shown = interval.map(|it| figures::shown(it, row.unit).line());
        format!("{}: {}", arm.name, shown.as_deref().unwrap_or("-"))
    });
    let more = match result.arms.len().saturating_sub(12) {
        0 => String::new(),
        more => format!("; {more} more arms are in the table"),
    };
    format!("{}. {}{more}.", row.label(), arms.collect::<Vec<_>>().join("; "))
}
