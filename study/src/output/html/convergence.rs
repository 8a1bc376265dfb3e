//! How the main measure settled as replications came.
use super::{Page, arrange, name_of};
use crate::output::figures::{self, Rounding};
use crate::output::plot::{Anchor, Panel, Scale, WIDTH};
use crate::output::printable::line;
use crate::result::{ArmResult, ConvergencePoint, StudyResult};

const TOP: f64 = 24.0;
const BOTTOM: f64 = 170.0;
const LEFT: f64 = 54.0;
const RIGHT: f64 = WIDTH - 14.0;

/// A panel for each arm.
pub(super) fn plots(page: &mut Page, result: &StudyResult) {
    let unit = arrange::unit_of(result, &result.main);
    let name = arrange::with_unit(&line(&result.main.words()), unit);
    let arms: Vec<&ArmResult> =
        result.arms.iter().filter(|arm| !arm.convergence.is_empty()).collect();
    if arms.is_empty() {
        return;
    }
    page.begin("Convergence");
    page.paragraph(
        "how",
        &format!(
            "The mean of the main measure, {}, and its {} interval (shade) after so many replications. \
             The study has played long enough when the shade has become as narrow as your decision \
             needs and the line no longer drifts; four times the replications halve its width.",
            super::escaped(&name),
            figures::percent(result.confidence)
        ),
    );
    let panels = arms.iter().map(|arm| panel(arm, &name, unit));
    page.panels(panels.collect(), "More arms");
    let head = ["Arm", "Replications", "Mean", "Interval"].map(str::to_owned);
    let rows: Vec<Vec<String>> = arms.iter().flat_map(|arm| rows(arm, unit)).collect();
    page.numbers("Numbers of these plots", &head, &rows);
    page.end();
}

fn panel(arm: &ArmResult, name: &str, unit: &str) -> Panel {
    let factor = figures::factor(unit);
    let points = &arm.convergence;
    // The first few intervals are so wide that nothing else could be seen beside them.
    let most = points.last().map_or(0, |last| last.n);
    let seen = || points.iter().filter(|point| point.n * 10 >= most);
    let values = seen().flat_map(|point| [point.lower, Some(point.mean), point.upper]);
    let values: Vec<f64> = values.flatten().map(|value| value * factor).collect();
    let x = Scale::over([0.0, most as f64], LEFT, RIGHT, 5.0);
    let y = Scale::over(values, BOTTOM, TOP, 4.0);
    let at = |point: &ConvergencePoint, value: f64| (x.at(point.n as f64), y.at(value * factor));
    let last = points.last().map(|point| said(point, unit)).unwrap_or_default();
    let text = format!(
        "{name} after each number of replications. After all {}: {last}.",
        figures::count(most)
    );
    let mut panel = Panel::new(&arm.name, &text, BOTTOM + 36.0);
    panel.x_axis(&x, (TOP, BOTTOM), "replications");
    panel.y_axis(&y, (LEFT, RIGHT), name);
    let thinned = thin(points);
    let limited: Vec<(&ConvergencePoint, f64, f64)> =
        thinned.iter().filter_map(|point| Some((*point, point.lower?, point.upper?))).collect();
    let upper = limited.iter().map(|(point, _, upper)| at(point, *upper));
    let lower = limited.iter().rev().map(|(point, lower, _)| at(point, *lower));
    panel.path("b b0", &upper.chain(lower).collect::<Vec<_>>(), true);
    let line: Vec<(f64, f64)> = thinned.iter().map(|point| at(point, point.mean)).collect();
    panel.path("l l0", &line, false);
    if let (Some(point), Some(end)) = (points.last(), line.last()) {
        panel.marker(0, *end);
        let rounding = Rounding::to_width(half_width(point) * factor);
        let value = rounding.number(point.mean * factor);
        panel.text("line-name", (end.0, end.1 - 9.0), Anchor::End, &value);
    }
    panel
}

fn half_width(point: &ConvergencePoint) -> f64 {
    match (point.lower, point.upper) {
        (Some(lower), Some(upper)) if upper > lower => (upper - lower) / 2.0,
        _ => point.mean.abs() / 100.0,
    }
}

/// At most 200 points, the last one among them.
fn thin(points: &[ConvergencePoint]) -> Vec<&ConvergencePoint> {
    let every = points.len().div_ceil(200).max(1);
    points.iter().rev().step_by(every).collect::<Vec<_>>().into_iter().rev().collect()
}

fn said(point: &ConvergencePoint, unit: &str) -> String {
    figures::shown(&interval(point), unit).line()
}

fn interval(point: &ConvergencePoint) -> crate::statistics::Interval {
    crate::statistics::Interval {
        estimate: Some(point.mean),
        lower: point.lower,
        upper: point.upper,
        n: point.n,
        note: None,
    }
}

/// About eight replications of each arm.
fn rows(arm: &ArmResult, unit: &str) -> Vec<Vec<String>> {
    let every = arm.convergence.len().div_ceil(8).max(1);
    let chosen: Vec<&ConvergencePoint> = arm.convergence.iter().rev().step_by(every).collect();
    chosen
        .into_iter()
        .rev()
        .map(|point| {
            let shown = figures::shown(&interval(point), unit);
            vec![name_of(&arm.name), figures::count(point.n), shown.estimate, shown.limits]
        })
        .collect()
}
