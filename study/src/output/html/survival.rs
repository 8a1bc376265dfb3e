//! How long it takes: Kaplan-Meier curves with their bands, and deadlines as lines.
use super::{Page, arrange, for_groups, name_of, tables};
use crate::output::figures;
use crate::output::plot::{Anchor, Panel, Scale, WIDTH, steps};
use crate::result::{CurveKind, CurveResult, StudyResult};
use sim::severity::Severity;

type Kind = (CurveKind, Severity);

const TOP: f64 = 34.0;
const BOTTOM: f64 = 204.0;
const LEFT: f64 = 38.0;
const RIGHT: f64 = WIDTH - 12.0;

/// A panel for each kind and severity, with all arms of a group.
pub(super) fn plots(page: &mut Page, result: &StudyResult) {
    let kinds = arrange::curve_kinds(result);
    if kinds.is_empty() {
        return;
    }
    page.begin("Time to fix and to adopt");
    page.paragraph(
        "how",
        &format!(
            "A curve falls from 100 % at detection: at each time it is the share that is still open \
             then (Kaplan-Meier, so what is open at the end counts as open and not as fixed). Its shade \
             is the {} band, with the replication as the unit. The thin line is one half; a dotted \
             vertical line is a deadline of the arms' policies: what is above 0 to the right of it is \
             late. The time axis is logarithmic; what took less than an hour stands at its left end.",
            figures::percent(result.confidence)
        ),
    );
    let hours = kinds.iter().flat_map(|kind| arrange::curves(result, *kind).flatten());
    let longest = hours.map(longest).fold(24.0, f64::max);
    for_groups(page, result, |page, group| {
        let panels = kinds.iter().filter_map(|kind| panel(result, *kind, group, longest));
        page.panels(panels.collect(), "More curves");
    });
    page.numbers("Numbers of these plots", &head(), &rows(result, &kinds));
    page.end();
}

fn longest(curve: &CurveResult) -> f64 {
    let last = curve.points.last().map_or(0, |point| point.hours);
    let deadline = curve.deadline_days.iter().max().map_or(0.0, |days| f64::from(*days) * 24.0);
    f64::from(last).max(deadline * 1.1)
}

fn panel(result: &StudyResult, kind: Kind, group: &[usize], longest: f64) -> Option<Panel> {
    let all: Vec<Option<&CurveResult>> = arrange::curves(result, kind).collect();
    let curves: Vec<(usize, &CurveResult)> = group
        .iter()
        .enumerate()
        .filter_map(|(style, arm)| Some((style, all[*arm]?)))
        .filter(|(_, curve)| curve.subjects > 0)
        .collect();
    if curves.is_empty() {
        return None;
    }
    let name = format!("{}, {}", kind.0.words(), kind.1);
    let title = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
    let x = Scale::hours(longest, LEFT, RIGHT);
    let y = Scale::between((0.0, 100.0), BOTTOM, TOP, 25.0);
    let mut panel = Panel::new(&title, &description(result, group, &all), BOTTOM + 36.0);
    panel.x_axis(&x, (TOP, BOTTOM), "time since detection");
    panel.y_axis(&y, (LEFT, RIGHT), "still open (%)");
    panel.line("half", (LEFT, y.at(50.0)), (RIGHT, y.at(50.0)));
    for (style, curve) in &curves {
        band(&mut panel, &x, &y, *style, curve);
    }
    for (style, curve) in &curves {
        line(&mut panel, &x, &y, *style, curve);
    }
    deadlines(&mut panel, &x, &curves);
    Some(panel)
}

fn band(panel: &mut Panel, x: &Scale, y: &Scale, style: usize, curve: &CurveResult) {
    if curve.points.iter().all(|point| point.lower.is_none() && point.upper.is_none()) {
        return;
    }
    let limit = |of: fn(&crate::result::CurvePoint) -> f64| {
        let points = curve.points.iter();
        let points = points.map(move |it| (x.at(f64::from(it.hours)), y.at(of(it) * 100.0)));
        steps(points, end(x, curve))
    };
    // Where there is no limit, everything is possible.
    let mut corners = limit(|point| point.upper.unwrap_or(1.0));
    corners.extend(limit(|point| point.lower.unwrap_or(0.0)).into_iter().rev());
    panel.path(&format!("b b{style}"), &corners, true);
}

fn line(panel: &mut Panel, x: &Scale, y: &Scale, style: usize, curve: &CurveResult) {
    let points = curve.points.iter();
    let points = points.map(|it| (x.at(f64::from(it.hours)), y.at(it.survival * 100.0)));
    let corners = steps(std::iter::once((LEFT, y.at(100.0))).chain(points), end(x, curve));
    panel.path(&format!("l l{style}"), &corners, false);
    // Markers at places of its own, so that they tell lines apart where these cross.
    let shift = f64::from(u32::try_from(style).unwrap_or(0));
    for share in [0.3, 0.55, 0.8] {
        let wanted = LEFT + (RIGHT - LEFT) * share + shift * 13.0;
        let before = corners.iter().take_while(|(x, _)| *x <= wanted).last();
        if let Some((_, level)) = before.filter(|_| wanted <= end(x, curve)) {
            panel.marker(style, (wanted, *level));
        }
    }
}

/// Up to where a curve is known.
fn end(x: &Scale, curve: &CurveResult) -> f64 {
    curve.points.last().map_or(LEFT, |point| x.at(f64::from(point.hours)))
}

fn deadlines(panel: &mut Panel, x: &Scale, curves: &[(usize, &CurveResult)]) {
    let days = curves.iter().flat_map(|(_, curve)| &curve.deadline_days).copied();
    let days: std::collections::BTreeSet<u32> = days.filter(|days| *days > 0).collect();
    let mut last = f64::NEG_INFINITY;
    for days in days {
        let at = x.at(f64::from(days) * 24.0);
        panel.line("limit", (at, TOP - 6.0), (at, BOTTOM));
        if at - last > 40.0 {
            let (place, anchor) = match at > RIGHT - 24.0 {
                true => (RIGHT + 6.0, Anchor::End),
                false => (at, Anchor::Middle),
            };
            panel.text("line-name", (place, TOP - 9.0), anchor, &format!("SLA {days} d"));
            last = at;
        } else {
            panel.text("line-name", (at + 3.0, TOP + 4.0), Anchor::Start, &format!("{days} d"));
        }
    }
}

fn description(result: &StudyResult, group: &[usize], all: &[Option<&CurveResult>]) -> String {
    let arms = group.iter().filter_map(|arm| {
        let curve = all[*arm]?;
        Some(format!(
            "{}: half by {} hours, 90 % by {} hours, {} of {} ended",
            result.arms[*arm].name,
            figures::shown(&curve.median, "h").line(),
            figures::shown(&curve.p90, "h").line(),
            figures::count(curve.ended),
            figures::count(curve.subjects)
        ))
    });
    format!("The share still open by time. {}.", arms.collect::<Vec<_>>().join("; "))
}

/// Days at which the table has the curves.
const DAYS: [u32; 5] = [1, 3, 7, 14, 30];

fn head() -> Vec<String> {
    let days = DAYS.map(|days| format!("Open after {days} d (%)"));
    ["Curve", "Arm", "Ended", "Median (h)", "90 % by (h)"]
        .map(str::to_owned)
        .into_iter()
        .chain(days)
        .collect()
}

fn rows(result: &StudyResult, kinds: &[Kind]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for kind in kinds {
        for (arm, curve) in result.arms.iter().zip(arrange::curves(result, *kind)) {
            let Some(curve) = curve else { continue };
            let mut row = vec![
                format!("{}, {}", kind.0.words(), kind.1),
                name_of(&arm.name),
                format!("{} of {}", figures::count(curve.ended), figures::count(curve.subjects)),
                tables::cell(Some(&curve.median), "h"),
                tables::cell(Some(&curve.p90), "h"),
            ];
            row.extend(DAYS.map(|days| open_after(curve, days)));
            rows.push(row);
        }
    }
    rows
}

fn open_after(curve: &CurveResult, days: u32) -> String {
    let hours = days * 24;
    if curve.points.last().is_none_or(|last| last.hours < hours && last.survival > 0.0) {
        return "-".to_owned();
    }
    let before = curve.points.iter().take_while(|point| point.hours <= hours).last();
    let Some(point) = before else { return "<b>100</b>".to_owned() };
    let interval = crate::statistics::Interval {
        estimate: Some(point.survival),
        lower: point.lower,
        upper: point.upper,
        ..Default::default()
    };
    tables::cell(Some(&interval), "%")
}
