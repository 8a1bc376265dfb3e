//! Tables of a terminal: columns as wide as they need to be, and no wider together than it is.
use super::super::printable::{column, columns};

/// Between two columns.
const GAP: usize = 2;
/// No column is made narrower than this, as long as the terminal allows.
const LEAST: usize = 9;

/// A table: the first row is its head. A cell may have several lines.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// How wide it would be if nothing were wrapped.
    pub(crate) fn natural_width(&self) -> usize {
        let widths = self.widths();
        widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.lines().map(columns).max().unwrap_or(0).max(*width);
            }
        }
        widths
    }

    /// The table in that many columns of the terminal.
    pub(crate) fn render(&self, width: usize, out: &mut String) {
        let mut widths = self.widths();
        let room = width.saturating_sub(GAP * widths.len().saturating_sub(1));
        shrink(&mut widths, room);
        for (place, row) in self.rows.iter().enumerate() {
            let cells: Vec<Vec<String>> =
                row.iter().zip(&widths).map(|(cell, width)| wrap(cell, *width)).collect();
            for line in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
                push_line(out, &cells, &widths, line);
            }
            if place == 0 {
                let rules: Vec<Vec<String>> =
                    widths.iter().map(|width| vec!["-".repeat(*width)]).collect();
                push_line(out, &rules, &widths, 0);
            }
        }
    }
}

/// Takes from the widest column until all fit.
fn shrink(widths: &mut [usize], room: usize) {
    while widths.iter().sum::<usize>() > room {
        let Some(widest) = widths.iter_mut().max() else { return };
        if *widest <= LEAST {
            return;
        }
        *widest -= 1;
    }
}

fn push_line(out: &mut String, cells: &[Vec<String>], widths: &[usize], line: usize) {
    let mut text = String::new();
    let mut at = 0;
    for (cell, width) in cells.iter().zip(widths) {
        let part = cell.get(line).map_or("", String::as_str);
        text.push_str(&" ".repeat(at.max(columns(&text)) - columns(&text)));
        text.push_str(part);
        at += width + GAP;
    }
    out.push_str(text.trim_end());
    out.push('\n');
}

/// The text in lines of at most so many columns, broken at spaces where there are any. Its own lines
/// stay apart.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    text.lines().flat_map(|line| wrap_line(line, width.max(2))).collect()
}

fn wrap_line(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut used) = (String::new(), 0);
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let wide = columns(word);
        if used > 0 && used + 1 + wide > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        if wide <= width {
            line.push_str(word);
            used += wide;
            continue;
        }
        for c in word.chars() {
            if used + column(c) > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += column(c);
        }
    }
    if used > 0 {
        lines.push(line);
    }
    lines
}

/// Adds a paragraph, its further lines indented by as much as its first one's prefix is long.
pub(super) fn paragraph(out: &mut String, prefix: &str, text: &str, width: usize) {
    let indent = columns(prefix);
    for (place, line) in wrap(text, width.saturating_sub(indent)).iter().enumerate() {
        match place {
            0 => out.push_str(prefix),
            _ => out.push_str(&" ".repeat(indent)),
        }
        out.push_str(line);
        out.push('\n');
    }
}
