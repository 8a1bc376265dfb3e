//! The report: one file that needs no other and no script, for a screen of any width and for paper.
//! What comes from the study is text and nothing else: it is escaped, and the page's own policy
//! forbids everything but its style.
use super::arrange;
use super::plot::{escaped, escaped_lines, marker};
use crate::result::StudyResult;

mod about;
mod arms;
mod convergence;
mod deadlines;
mod scatter;
mod survival;
mod tables;
mod tornado;

const STYLE: &str = include_str!("html/style.css");
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The result as an HTML page, to be stored as a file.
pub fn html(result: &StudyResult) -> String {
    let mut page = Page::default();
    page.push(&format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"referrer\" content=\"no-referrer\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
        escaped(&result.title)
    ));
    about::heading(&mut page, result);
    page.push("<main>\n");
    about::answers(&mut page, result);
    tables::arms(&mut page, result);
    tables::comparisons(&mut page, result);
    about::reading(&mut page, result);
    arms::plots(&mut page, result);
    scatter::plots(&mut page, result);
    survival::plots(&mut page, result);
    deadlines::plots(&mut page, result);
    tornado::plots(&mut page, result);
    convergence::plots(&mut page, result);
    tables::all_measures(&mut page, result);
    about::notes(&mut page, result);
    about::reproduce(&mut page, result);
    page.push("</main>\n</body>\n</html>\n");
    page.out
}

/// A page in the making.
#[derive(Default)]
struct Page {
    out: String,
    panels: u32,
}

/// Panels that are shown at once; the others are folded.
const SHOWN: usize = 6;
/// Arms that are drawn over each other: the first and some others.
const OVERLAID: usize = super::plot::STYLES;

impl Page {
    fn push(&mut self, html: &str) {
        self.out.push_str(html);
    }

    /// An id that nothing else on the page has.
    fn id(&mut self) -> String {
        self.panels += 1;
        format!("p{}", self.panels)
    }

    /// Begins a section with a heading.
    fn begin(&mut self, title: &str) {
        self.push(&format!("<section>\n<h2>{title}</h2>\n"));
    }

    fn end(&mut self) {
        self.push("</section>\n");
    }

    /// A paragraph of our own.
    fn paragraph(&mut self, class: &str, text: &str) {
        self.push(&format!("<p class=\"{class}\">{text}</p>\n"));
    }

    /// Panels beside each other, of which those beyond the first few are folded.
    fn panels(&mut self, panels: Vec<super::plot::Panel>, summary: &str) {
        let figures: Vec<String> = panels
            .into_iter()
            .map(|panel| {
                let id = self.id();
                panel.figure(&id)
            })
            .collect();
        let (shown, folded) = figures.split_at(figures.len().min(SHOWN + 2));
        self.push(&format!("<div class=\"panels\">\n{}</div>\n", shown.concat()));
        if !folded.is_empty() {
            self.push(&format!(
                "<details><summary>{summary} ({})</summary>\n<div class=\"panels\">\n{}</div>\n\
                 </details>\n",
                folded.len(),
                folded.concat()
            ));
        }
    }

    /// A table: the first cell of each row is its head, and so is the first row. Cells are HTML.
    fn table(&mut self, caption: &str, head: &[String], rows: &[Vec<String>]) {
        self.push(&format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table>\n\
             <caption>{caption}</caption>\n<thead><tr>"
        ));
        for cell in head {
            self.push(&format!("<th scope=\"col\">{cell}</th>"));
        }
        self.push("</tr></thead>\n<tbody>\n");
        for row in rows {
            self.push("<tr>");
            for (place, cell) in row.iter().enumerate() {
                self.push(&match place {
                    0 => format!("<th scope=\"row\">{cell}</th>"),
                    _ => format!("<td>{cell}</td>"),
                });
            }
            self.push("</tr>\n");
        }
        self.push("</tbody></table></div>\n");
    }

    /// The same, folded: what a plot shows, in numbers.
    fn numbers(&mut self, caption: &str, head: &[String], rows: &[Vec<String>]) {
        self.push(&format!("<details><summary>{caption}</summary>\n"));
        self.table(caption, head, rows);
        self.push("</details>\n");
    }

    /// What the styles of lines mean.
    fn legend(&mut self, names: &[&str]) {
        self.push("<ul class=\"legend\">");
        for (style, name) in names.iter().enumerate() {
            self.push(&format!(
                "<li><svg viewBox=\"0 0 44 14\" width=\"44\" height=\"14\" aria-hidden=\"true\">\
                 <path class=\"l l{style}\" d=\"M1 7L43 7\"/>{}</svg> {}</li>",
                marker(style, (22.0, 7.0)),
                name_of(name)
            ));
        }
        self.push("</ul>\n");
    }
}

/// A name that others gave, kept apart from the text around it.
fn name_of(name: &str) -> String {
    format!("<bdi>{}</bdi>", escaped(name))
}

/// The places of arms that are drawn over each other: the first arm is in every group, for all are
/// compared with it.
fn groups(arms: usize) -> Vec<Vec<usize>> {
    if arms <= OVERLAID {
        return vec![(0..arms).collect()];
    }
    let others: Vec<usize> = (1..arms).collect();
    let group = |others: &[usize]| std::iter::once(0).chain(others.iter().copied()).collect();
    others.chunks(OVERLAID - 1).map(group).collect()
}

/// Draws each group of arms: the first openly, the others folded.
fn for_groups(page: &mut Page, result: &StudyResult, mut draw: impl FnMut(&mut Page, &[usize])) {
    for (place, group) in groups(result.arms.len()).iter().enumerate() {
        let names: Vec<&str> = group.iter().map(|arm| result.arms[*arm].name.as_str()).collect();
        if place > 0 {
            let from = 2 + place * (OVERLAID - 1);
            let to = (from + OVERLAID - 2).min(result.arms.len());
            page.push(&format!(
                "<details><summary>The first arm and arms {from} to {to}</summary>\n"
            ));
        }
        page.legend(&names);
        draw(page, group);
        if place > 0 {
            page.push("</details>\n");
        }
    }
}
