//! What all plots are drawn with: scales with round ticks, axes, lines, bands and markers, as SVG. A
//! panel is so narrow that it is read at its own size on a telephone; wider pages show more beside
//! each other. Arms differ by colour, dashes and markers.
use super::printable;

mod scale;

pub(super) use scale::Scale;

/// Width of a panel, in its own units, which are CSS pixels at its least width.
pub(super) const WIDTH: f64 = 340.0;
/// Styles that differ in colour, dashes and marker.
pub(super) const STYLES: usize = 5;

/// A panel in the making.
pub(super) struct Panel {
    title: String,
    description: String,
    height: f64,
    body: String,
}

/// Where a text stands by its place.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    /// It begins there.
    Start,
    /// It is centred there.
    Middle,
    /// It ends there.
    End,
}

impl Panel {
    /// An empty panel with what a reader is told who does not see it.
    pub(crate) fn new(title: &str, description: &str, height: f64) -> Self {
        Panel {
            title: title.to_owned(),
            description: description.to_owned(),
            height,
            body: String::new(),
        }
    }

    /// A straight line.
    pub(crate) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.body.push_str(&format!(
            "<line class=\"{class}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>",
            px(from.0),
            px(from.1),
            px(to.0),
            px(to.1)
        ));
    }

    /// A bar between two corners, which come in any order.
    pub(crate) fn bar(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.body.push_str(&format!(
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
            px(from.0.min(to.0)),
            px(from.1.min(to.1)),
            px((to.0 - from.0).abs()),
            px((to.1 - from.1).abs())
        ));
    }

    /// A text of anyone.
    pub(crate) fn text(&mut self, class: &str, at: (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        self.body.push_str(&format!(
            "<text class=\"{class}\" x=\"{}\" y=\"{}\"{anchor}>{}</text>",
            px(at.0),
            px(at.1),
            escaped(text)
        ));
    }

    /// Lines through points: a polygon when it is closed.
    pub(crate) fn path(&mut self, class: &str, points: &[(f64, f64)], closed: bool) {
        if points.is_empty() {
            return;
        }
        let mut data = String::with_capacity(points.len() * 10);
        for (place, (x, y)) in points.iter().enumerate() {
            data.push(if place == 0 { 'M' } else { 'L' });
            data.push_str(&format!("{} {}", px(*x), px(*y)));
        }
        let end = if closed { "Z" } else { "" };
        self.body.push_str(&format!("<path class=\"{class}\" d=\"{data}{end}\"/>"));
    }

    /// The marker of a style.
    pub(crate) fn marker(&mut self, style: usize, at: (f64, f64)) {
        self.body.push_str(&marker(style, at));
    }

    /// The axis below a plot, with a name and unit, and lines up to the top of it.
    pub(crate) fn x_axis(&mut self, scale: &Scale, (top, bottom): (f64, f64), name: &str) {
        for (value, label) in scale.ticks() {
            let x = scale.at(value);
            self.line("grid", (x, top), (x, bottom));
            self.text("tick", (x, bottom + 13.0), Anchor::Middle, &label);
        }
        self.line("axis", (scale.start(), bottom), (scale.end(), bottom));
        let middle = (scale.start() + scale.end()) / 2.0;
        self.text("name", (middle, bottom + 29.0), Anchor::Middle, &printable::elided(name, 56));
    }

    /// The axis left of a plot; its name and unit stand above it.
    pub(crate) fn y_axis(&mut self, scale: &Scale, (left, right): (f64, f64), name: &str) {
        for (value, label) in scale.ticks() {
            let y = scale.at(value);
            self.line("grid", (left, y), (right, y));
            self.text("tick", (left - 5.0, y + 3.5), Anchor::End, &label);
        }
        self.line("axis", (left, scale.start()), (left, scale.end()));
        let top = scale.start().min(scale.end());
        self.text("name", (2.0, top - 9.0), Anchor::Start, &printable::elided(name, 58));
    }

    /// The panel as a figure. `id` is one that nothing else on the page has.
    pub(crate) fn figure(self, id: &str) -> String {
        let title = escaped(&self.title);
        format!(
            "<figure><figcaption>{title}</figcaption><svg viewBox=\"0 0 {} {}\" role=\"img\" \
             aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{title}</title>\
             <desc id=\"{id}-d\">{}</desc>{}</svg></figure>\n",
            px(WIDTH),
            px(self.height),
            escaped(&self.description),
            self.body
        )
    }
}

/// The marker of a style, by its own.
pub(super) fn marker(style: usize, (x, y): (f64, f64)) -> String {
    let style = style % STYLES;
    let shape = match style {
        0 => {
            return format!("<circle class=\"m m0\" cx=\"{}\" cy=\"{}\" r=\"4\"/>", px(x), px(y));
        }
        1 => "m-3.7-3.7h7.4v7.4h-7.4z",
        2 => "m0-5l4.8 8.6h-9.6z",
        3 => "m0-5.2l5.2 5.2l-5.2 5.2l-5.2-5.2z",
        _ => "m0 5l4.8-8.6h-9.6z",
    };
    format!("<path class=\"m m{style}\" d=\"M{} {}{shape}\"/>", px(x), px(y))
}

/// A coordinate: one decimal, by one rule.
pub(super) fn px(value: f64) -> String {
    let value = if value.is_finite() { value.clamp(-1e5, 1e5) } else { 0.0 };
    let digits = format!("{value:.1}");
    let digits = digits.strip_suffix(".0").unwrap_or(&digits);
    if digits == "-0" { "0".to_owned() } else { digits.to_owned() }
}

/// A text as part of a page, wherever it stands: in an element or in a quoted attribute.
pub(super) fn escaped(text: &str) -> String {
    escape(&printable::line(text))
}

/// A text of many lines as part of an element.
pub(super) fn escaped_lines(text: &str) -> String {
    escape(&printable::lines(text))
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A step curve without the steps that nobody would see: corners, each at least a pixel apart from the
/// one before or the last.
pub(super) fn steps(points: impl IntoIterator<Item = (f64, f64)>, end: f64) -> Vec<(f64, f64)> {
    let mut corners: Vec<(f64, f64)> = Vec::new();
    let mut now: Option<(f64, f64)> = None;
    for (x, y) in points {
        let Some((from, level)) = now else {
            corners.push((x, y));
            now = Some((x, y));
            continue;
        };
        if x - from < 0.7 && (y - level).abs() < 0.7 {
            continue;
        }
        if y != level {
            corners.push((x, level));
            corners.push((x, y));
        }
        now = Some((x, y));
    }
    if let Some((_, level)) = now {
        corners.push((end, level));
    }
    corners
}
