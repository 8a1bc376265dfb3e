//! The report as one HTML file with plots: fits against what was seen, and the back-test.
use super::{Input, Report, Source};
use crate::back_test::{Band, MeasureTest};
use crate::fit::{Goodness, GoodnessPoint};
use crate::scenario::{interval, value};
use study::output::page;
use study::output::plot::{Anchor, Panel, Scale, WIDTH, escaped, steps};

const TOP: f64 = 34.0;
const BOTTOM: f64 = 204.0;
const LEFT: f64 = 38.0;
const RIGHT: f64 = WIDTH - 12.0;
const TITLE: &str = "What stands behind the imported scenario";

/// The report, to be stored as a file.
pub fn html(report: &Report) -> String {
    let mut body = format!(
        "<h1>{TITLE}</h1>\n<main>\n<p>Data from {} to {}. Intervals hold with 95 %: they say how well \
         the data tell a number, if the distribution is the right one.</p>\n",
        report.since, report.until
    );
    inputs(&mut body, report);
    let fitted = report.inputs.iter().filter_map(|it| Some((it, it.goodness.as_ref()?)));
    let panels: Vec<Panel> = fitted.map(|(input, goodness)| fit_panel(input, goodness)).collect();
    section(
        &mut body,
        "How well the distributions fit",
        "The stepped line is what was seen (Kaplan-Meier: what is still open counts as open), the shade \
         its 95 % band, the other line the fit. The axis of long times is logarithmic, and what took \
         less than an hour stands at its left end.",
        panels,
        "f",
    );
    if let Some(test) = &report.back_test {
        let text = format!(
            "Fitted before {}, played {} times. The shade is the band that each week was to lie within \
             with 95 %, the marks are what came: {} of {} weeks lie within.",
            test.split, test.futures, test.within, test.of
        );
        let panels = test.measures.iter().map(test_panel).collect();
        section(&mut body, "The back-test", &text, panels, "b");
    } else {
        let why = escaped(report.not_tested.as_deref().unwrap_or_default());
        body.push_str(&format!("<section><h2>The back-test</h2><p>None: {why}.</p></section>\n"));
    }
    files(&mut body, report);
    body.push_str("</main>\n");
    page(TITLE, &body)
}

fn files(body: &mut String, report: &Report) {
    body.push_str("<section><h2>Files and notes</h2><ul>\n");
    for file in &report.files {
        let (name, words, used) = (escaped(&file.file), file.format.words(), file.used);
        body.push_str(&format!("<li>{name}: {words}, {used} used"));
        for (reason, n) in &file.left_out {
            body.push_str(&format!("; {n} left out: {}", escaped(reason)));
        }
        body.push_str("</li>\n");
    }
    for note in &report.notes {
        body.push_str(&format!("<li>{}</li>\n", escaped(note)));
    }
    body.push_str("</ul></section>\n");
}

fn section(body: &mut String, title: &str, text: &str, panels: Vec<Panel>, id: &str) {
    if panels.is_empty() {
        return;
    }
    body.push_str(&format!(
        "<section>\n<h2>{title}</h2>\n<p class=\"how\">{text}</p>\n<div class=\"panels\">\n"
    ));
    for (place, panel) in panels.into_iter().enumerate() {
        body.push_str(&panel.figure(&format!("{id}{place}")));
    }
    body.push_str("</div>\n</section>\n");
}

fn inputs(body: &mut String, report: &Report) {
    body.push_str(
        "<section>\n<h2>Inputs</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" \
         aria-label=\"Inputs\"><table><thead><tr><th>Input</th><th>Value</th><th>95 % interval</th>\
         <th>Data</th><th>Assumed</th></tr></thead><tbody>\n",
    );
    for input in &report.inputs {
        let limits: Vec<String> = input
            .parameters
            .iter()
            .map(|p| format!("{} {} ({})", p.name, value(p, p.estimate), interval(p)))
            .collect();
        let data = match (input.source, input.open) {
            (Source::Default, _) => "none: default".to_owned(),
            (_, 0) => input.data.to_string(),
            (_, open) => format!("{}, {open} open", input.data),
        };
        body.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{data}</td><td>{}</td></tr>\n",
            escaped(input.field),
            escaped(&input.value),
            escaped(&limits.join("; ")),
            escaped(&input.assumed.join("; "))
        ));
    }
    body.push_str("</tbody></table></div>\n</section>\n");
}

fn fit_panel(input: &Input, goodness: &Goodness) -> Panel {
    let longest = goodness.points.last().map_or(24.0, |point| point.hours);
    // Short lags on a linear axis, long ones on a logarithmic one.
    let (unit, per_hour, x) = match longest {
        t if t < 3.0 => ("minutes", 60.0, Scale::over([0.0, t * 60.0], LEFT, RIGHT, 5.0)),
        t if t < 48.0 => ("hours", 1.0, Scale::over([0.0, t], LEFT, RIGHT, 5.0)),
        t => ("time", 1.0, Scale::hours(t, LEFT, RIGHT)),
    };
    let y = Scale::between((0.0, 100.0), BOTTOM, TOP, 25.0);
    let description = format!(
        "The share that lasts longer, as seen and as fitted ({}): the largest distance is {:.3}, and \
         speaks against the fit above {:.3}.",
        input.value, goodness.distance, goodness.bound
    );
    let mut panel = Panel::new(input.field, &description, BOTTOM + 36.0);
    panel.x_axis(&x, (TOP, BOTTOM), unit);
    panel.y_axis(&y, (LEFT, RIGHT), "longer than this (%)");
    let curve = |of: fn(&GoodnessPoint) -> f64| {
        let points =
            goodness.points.iter().map(|it| (x.at(it.hours * per_hour), y.at(of(it) * 100.0)));
        std::iter::once((LEFT, y.at(100.0))).chain(points).collect::<Vec<_>>()
    };
    let mut band = steps(curve(|it| it.upper), RIGHT);
    band.extend(steps(curve(|it| it.lower), RIGHT).into_iter().rev());
    panel.path("b b0", &band, true);
    panel.path("l l0", &steps(curve(|it| it.seen), RIGHT), false);
    panel.path("l l1", &curve(|it| it.fitted), false);
    panel
}

fn test_panel(measure: &MeasureTest) -> Panel {
    let most = measure.weeks.iter().map(|band| band.upper.max(band.seen)).max().unwrap_or(1);
    let n = measure.weeks.len() as f64;
    let x = Scale::over([0.0, n], LEFT, RIGHT, 5.0);
    let y = Scale::over([0.0, most as f64], BOTTOM, TOP, 4.0);
    let total = measure.total;
    let description = format!(
        "{} in all, {} to {} expected. {} of {} weeks lie within their band.",
        total.seen,
        total.lower,
        total.upper,
        measure.weeks.iter().filter(|band| band.holds()).count(),
        measure.weeks.len()
    );
    let mut panel = Panel::new(measure.name, &description, BOTTOM + 36.0);
    panel.x_axis(&x, (TOP, BOTTOM), "week of the last third");
    panel.y_axis(&y, (LEFT, RIGHT), "number");
    let place = |nth: usize| x.at(nth as f64 + 0.5);
    let limit = |of: fn(&Band) -> u64| {
        let weeks = measure.weeks.iter().enumerate();
        weeks.map(|(nth, band)| (place(nth), y.at(of(band) as f64))).collect::<Vec<_>>()
    };
    let mut band = limit(|band| band.upper);
    band.extend(limit(|band| band.lower).into_iter().rev());
    panel.path("b b0", &band, true);
    for (nth, band) in measure.weeks.iter().enumerate() {
        panel.marker(usize::from(!band.holds()), (place(nth), y.at(band.seen as f64)));
    }
    let verdict = if total.holds() { "held" } else { "not held" };
    panel.text("line-name", (RIGHT, TOP - 9.0), Anchor::End, verdict);
    panel
}
