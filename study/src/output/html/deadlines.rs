//! Which deadline would be kept how often: by days, with the share that a question requires.
use super::{Page, escaped, for_groups, name_of, tables};
use crate::output::figures;
use crate::output::plot::{Anchor, Panel, Scale, WIDTH};
use crate::result::{DeadlineResult, StudyResult};
use crate::statistics::Interval;
use sim::fact::Clock;
use sim::severity::Severity;

const TOP: f64 = 24.0;
const BOTTOM: f64 = 190.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = WIDTH - 14.0;

/// Of what a panel is.
type Of<'a> = (Clock, Severity, Option<&'a str>);

fn of(it: &DeadlineResult) -> Of<'_> {
    (it.clock, it.severity, it.tier.as_deref())
}

fn deadlines<'a>(result: &'a StudyResult) -> Vec<Of<'a>> {
    let mut all: Vec<Of<'a>> = Vec::new();
    for it in result.arms.iter().flat_map(|arm| &arm.deadlines).map(of) {
        if !all.contains(&it) {
            all.push(it);
        }
    }
    all
}

/// That deadline of an arm, when anything is known of it.
fn find<'a>(result: &'a StudyResult, arm: usize, wanted: Of<'_>) -> Option<&'a DeadlineResult> {
    result.arms[arm].deadlines.iter().find(|it| of(it) == wanted)
}

/// A panel for each clock, severity and tier.
pub(super) fn plots(page: &mut Page, result: &StudyResult) {
    let mut all = deadlines(result);
    let known = |of: &Of<'_>| {
        (0..result.arms.len())
            .filter_map(|arm| find(result, arm, *of))
            .any(|it| it.kept.iter().any(|kept| kept.estimate.is_some()))
    };
    all.retain(known);
    if all.is_empty() {
        return;
    }
    page.begin("Share kept, by deadline");
    page.paragraph(
        "how",
        &format!(
            "What share of the timers a promise of so many days would have kept: the line is the \
             estimate, the shade its {} interval. The dotted line is the share that a question \
             requires; a deadline can be promised where the <em>lower</em> edge of the shade is above \
             it. The axis begins where it is of interest, not at 0.",
            figures::percent(result.confidence)
        ),
    );
    for_groups(page, result, |page, group| {
        let panels = all.iter().map(|of| panel(result, *of, group));
        page.panels(panels.collect(), "More deadlines");
    });
    let head = ["Deadline", "Arm", "1 d (%)", "3 d (%)", "7 d (%)", "14 d (%)", "30 d (%)"];
    page.numbers("Numbers of these plots", &head.map(str::to_owned), &rows(result, &all));
    page.end();
}

fn name(of: Of<'_>) -> String {
    let clock = match of.0 {
        Clock::Provider => "provider's clock",
        Clock::Customer => "customers' clock",
    };
    let tier = of.2.map(|tier| format!(", tier {tier}")).unwrap_or_default();
    format!("{}, {clock}{tier}", of.1)
}

/// Days from 1 on, with what is kept.
fn by_day(kept: &[Interval]) -> impl Iterator<Item = (f64, &Interval)> {
    (1_u32..).map(f64::from).zip(kept)
}

fn panel(result: &StudyResult, of: Of<'_>, group: &[usize]) -> Panel {
    let title = name(of);
    let title = format!("{}{}", title[..1].to_uppercase(), &title[1..]);
    let found: Vec<(usize, &DeadlineResult)> = group
        .iter()
        .enumerate()
        .filter_map(|(style, arm)| Some((style, find(result, *arm, of)?)))
        .collect();
    let required = found.iter().find_map(|(_, it)| it.required);
    let days = found.iter().flat_map(|(_, it)| by_day(&it.kept)).map(|(day, _)| day);
    let longest = days.fold(2.0, f64::max);
    let lowest = found.iter().flat_map(|(_, it)| &it.kept).filter_map(|kept| kept.estimate);
    let lowest = lowest.chain(required).fold(1.0, f64::min);
    let lowest = [0.9, 0.8, 0.5, 0.0].into_iter().find(|from| *from <= lowest).unwrap_or(0.0);
    let x = Scale::over([0.0, longest], LEFT, RIGHT, 6.0);
    let y = Scale::over([lowest * 100.0, 100.0], BOTTOM, TOP, 5.0);
    let mut panel = Panel::new(&title, &description(result, group, of, required), BOTTOM + 36.0);
    panel.x_axis(&x, (TOP, BOTTOM), "deadline (d)");
    panel.y_axis(&y, (LEFT, RIGHT), "timers kept (%)");
    for (style, it) in &found {
        for part in parts(&it.kept) {
            curve(&mut panel, &x, &y, *style, &part);
        }
    }
    if let Some(required) = required {
        let at = y.at(required * 100.0);
        panel.line("limit", (LEFT, at), (RIGHT, at));
        let text = format!("required {}", figures::percent(required));
        panel.text("line-name", (RIGHT, at + 13.0), Anchor::End, &text);
    }
    panel
}

/// Stretches of days of which something is known.
fn parts(kept: &[Interval]) -> Vec<Vec<(f64, &Interval, f64)>> {
    let mut parts = vec![Vec::new()];
    for (day, interval) in by_day(kept) {
        match (interval.estimate, parts.last_mut()) {
            (Some(estimate), Some(part)) => part.push((day, interval, estimate)),
            _ => parts.push(Vec::new()),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn curve(panel: &mut Panel, x: &Scale, y: &Scale, style: usize, part: &[(f64, &Interval, f64)]) {
    let at = |day: f64, share: f64| (x.at(day), y.at(share * 100.0));
    if part.iter().any(|(_, it, _)| it.lower.is_some() || it.upper.is_some()) {
        let upper = part.iter().map(|(day, it, _)| at(*day, it.upper.unwrap_or(1.0)));
        let lower = part.iter().rev().map(|(day, it, _)| at(*day, it.lower.unwrap_or(0.0)));
        panel.path(&format!("b b{style}"), &upper.chain(lower).collect::<Vec<_>>(), true);
    }
    let line: Vec<(f64, f64)> = part.iter().map(|(day, _, share)| at(*day, *share)).collect();
    panel.path(&format!("l l{style}"), &line, false);
    // Every seventh day, each arm on days of its own.
    for point in line.iter().skip(1 + style).step_by(7) {
        panel.marker(style, *point);
    }
    if let [only] = line[..] {
        panel.marker(style, only);
    }
}

/// The first day of which the lower limit keeps the share.
fn first_kept(it: &DeadlineResult, required: f64) -> Option<f64> {
    by_day(&it.kept)
        .find(|(_, kept)| kept.lower.is_some_and(|lower| lower >= required))
        .map(|(day, _)| day)
}

fn description(
    result: &StudyResult,
    group: &[usize],
    wanted: Of<'_>,
    required: Option<f64>,
) -> String {
    let mut text = "The share of timers kept by the days of the deadline. ".to_owned();
    let arms = group.iter().filter_map(|arm| {
        let it = find(result, *arm, wanted)?;
        let name = &result.arms[*arm].name;
        let last = it.kept.last().map(|kept| figures::shown(kept, "%").line());
        let at_most = format!("{} days: {} %", it.kept.len(), last.as_deref().unwrap_or("-"));
        let Some(required) = required else { return Some(format!("{name}: {at_most}")) };
        let first = match first_kept(it, required) {
            Some(day) => format!("from {day} days on"),
            None => "never".to_owned(),
        };
        let required = figures::percent(required);
        Some(format!("{name}: {at_most}; its lower limit reaches {required} {first}"))
    });
    text.push_str(&arms.collect::<Vec<_>>().join(". "));
    text.push('.');
    text
}

fn rows(result: &StudyResult, all: &[Of<'_>]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for of in all {
        for arm in 0..result.arms.len() {
            let Some(it) = find(result, arm, *of) else { continue };
            let mut row = vec![escaped(&name(*of)), name_of(&result.arms[arm].name)];
            let days = [1, 3, 7, 14, 30];
            row.extend(days.map(|day: usize| tables::cell(it.kept.get(day - 1), "%")));
            rows.push(row);
        }
    }
    rows
}
