//! Which uncertain input decides: a bar for each, the widest first.
use super::arms::whisker;
use super::{Page, arrange, escaped, name_of, tables};
use crate::output::figures::{self, Rounding};
use crate::output::plot::{Anchor, Panel, Scale, WIDTH};
use crate::output::printable::{elided, line};
use crate::output::text;
use crate::result::{InputEffect, StudyResult, UncertainArm, UncertaintyResult};

/// Inputs that are drawn; the others are in the table.
const DRAWN: usize = 10;
const LEFT: f64 = 8.0;
const RIGHT: f64 = WIDTH - 8.0;

/// A panel for each arm.
pub(super) fn plots(page: &mut Page, result: &StudyResult) {
    let Some(uncertainty) = &result.uncertainty else { return };
    let unit = arrange::unit_of(result, &uncertainty.of);
    page.begin("Uncertain inputs");
    page.paragraph("how", &escaped(&text::drawn(result, uncertainty)));
    page.paragraph(
        "how",
        "At the top of each panel stand both intervals: by chance alone, and with the inputs unknown as \
         well. Below, each bar is one input alone, from its 5 % value (open end) to its 95 % value \
         (filled end), the others as the scenario has them; the longest bar is the input that decides \
         most, and the one worth measuring. The vertical line is the mean with the scenario's own \
         inputs. The percentage is the share of the variance that goes with the input.",
    );
    let panels = uncertainty.arms.iter().map(|arm| panel(uncertainty, arm, unit));
    page.panels(panels.collect(), "More arms");
    intervals(page, uncertainty, unit);
    effects(page, uncertainty, unit);
    page.end();
}

fn values<'a>(arm: &'a UncertainArm) -> impl Iterator<Item = f64> + 'a {
    let intervals = [&arm.by_chance, &arm.by_inputs];
    let limits = intervals.into_iter().flat_map(|it| [it.lower, it.estimate, it.upper]).flatten();
    limits.chain(arm.inputs.iter().take(DRAWN).flat_map(|input| [input.at_low, input.at_high]))
}

fn panel(uncertainty: &UncertaintyResult, arm: &UncertainArm, unit: &str) -> Panel {
    let factor = figures::factor(unit);
    let drawn = u32::try_from(arm.inputs.len().min(DRAWN)).unwrap_or(u32::MAX);
    let (top, bars) = (6.0, 84.0);
    let bottom = bars + f64::from(drawn) * 44.0;
    let scale = Scale::over(values(arm).map(|value| value * factor), LEFT + 8.0, RIGHT - 14.0, 4.0);
    let name = arrange::with_unit(&line(&uncertainty.of.words()), unit);
    let mut panel = Panel::new(&arm.arm, &description(arm, unit, &name), bottom + 36.0);
    panel.x_axis(&scale, (top, bottom), &name);
    for (style, y, words, interval) in [
        (0, 6.0, "by chance alone", &arm.by_chance),
        (1, 42.0, "by inputs as well", &arm.by_inputs),
    ] {
        panel.text("arm", (LEFT, y + 11.0), Anchor::Start, words);
        let value = figures::shown(interval, unit).line();
        panel.text("value", (RIGHT, y + 11.0), Anchor::End, &value);
        whisker(&mut panel, &scale, (style, y + 23.0), interval, factor);
    }
    if let Some(mean) = arm.by_chance.estimate {
        let x = scale.at(mean * factor);
        panel.line("limit", (x, bars), (x, bottom));
    }
    let mut y = bars;
    for input in arm.inputs.iter().take(DRAWN) {
        effect(&mut panel, &scale, y, input, factor);
        y += 44.0;
    }
    panel
}

fn effect(panel: &mut Panel, scale: &Scale, y: f64, input: &InputEffect, factor: f64) {
    panel.text("arm", (LEFT, y + 13.0), Anchor::Start, &elided(&line(&input.path), 42));
    if let Some(share) = input.variance_share {
        panel.text("value", (RIGHT, y + 13.0), Anchor::End, &figures::percent(share));
    }
    let (low, high) = (scale.at(input.at_low * factor), scale.at(input.at_high * factor));
    let middle = (low + high) / 2.0;
    panel.bar("low", (low, y + 18.0), (middle, y + 28.0));
    panel.bar("high", (middle, y + 18.0), (high, y + 28.0));
    // The values at the ends, apart from each other when the bar is short.
    let labels = [(low, &input.low), (high, &input.high)];
    let (left, right) = if low <= high { (labels[0], labels[1]) } else { (labels[1], labels[0]) };
    let label = |text: &str| elided(&line(text), 14);
    let (left_at, right_at) = (left.0.clamp(LEFT + 4.0, RIGHT - 90.0), right.0.max(LEFT + 90.0));
    if right.0 - left.0 > 60.0 {
        panel.text("tick", (left_at, y + 39.0), Anchor::Start, &label(left.1));
        panel.text("tick", (right_at, y + 39.0), Anchor::End, &label(right.1));
    } else {
        let both = format!("{} to {}", label(left.1), label(right.1));
        let at = ((left.0 + right.0) / 2.0).clamp(LEFT + 80.0, RIGHT - 80.0);
        panel.text("tick", (at, y + 39.0), Anchor::Middle, &both);
    }
}

fn description(arm: &UncertainArm, unit: &str, name: &str) -> String {
    let most = match arm.inputs.first() {
        Some(input) => {
            let (low, high) = ends(input, unit);
            format!(
                " The input that moves it most is {}: {low} with {}, {high} with {}.",
                input.path, input.low, input.high
            )
        }
        None => String::new(),
    };
    format!(
        "{name}. By chance alone: {}. By inputs as well: {}.{most}",
        figures::shown(&arm.by_chance, unit).line(),
        figures::shown(&arm.by_inputs, unit).line()
    )
}

/// The means with the low and the high value, in digits.
fn ends(input: &InputEffect, unit: &str) -> (String, String) {
    let factor = figures::factor(unit);
    let rounding = Rounding::to_width((input.at_high - input.at_low) * factor / 2.0);
    (rounding.number(input.at_low * factor), rounding.number(input.at_high * factor))
}

fn intervals(page: &mut Page, uncertainty: &UncertaintyResult, unit: &str) {
    let head = ["Arm", "By chance alone", "By inputs as well", "The input that decides most"];
    let rows: Vec<Vec<String>> = uncertainty
        .arms
        .iter()
        .map(|arm| {
            let most = arm.inputs.first().map_or_else(
                || "-".to_owned(),
                |input| format!("<code>{}</code>", escaped(&input.path)),
            );
            vec![
                name_of(&arm.arm),
                tables::cell(Some(&arm.by_chance), unit),
                tables::cell(Some(&arm.by_inputs), unit),
                most,
            ]
        })
        .collect();
    page.table("Both intervals", &head.map(str::to_owned), &rows);
}

fn effects(page: &mut Page, uncertainty: &UncertaintyResult, unit: &str) {
    let head = ["Arm", "Input", "5 %", "95 %", "Mean at 5 %", "Mean at 95 %", "Variance share"];
    let mut rows = Vec::new();
    for arm in &uncertainty.arms {
        for input in &arm.inputs {
            let (low, high) = ends(input, unit);
            rows.push(vec![
                name_of(&arm.arm),
                format!("<code>{}</code>", escaped(&input.path)),
                escaped(&input.low),
                escaped(&input.high),
                low,
                high,
                input.variance_share.map_or_else(|| "-".to_owned(), figures::percent),
            ]);
        }
    }
    page.numbers("Numbers of these plots", &head.map(str::to_owned), &rows);
}
