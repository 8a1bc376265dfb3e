//! The words of the report: what was asked and answered, how to read it, what it leaves out, and how
//! to get the same again.
use super::{Page, arrange, escaped, escaped_lines, name_of};
use crate::output::figures;
use crate::result::{Answer, StudyResult};

/// Title, description and what was played.
pub(super) fn heading(page: &mut Page, result: &StudyResult) {
    page.push(&format!("<header>\n<h1>{}</h1>\n", name_of(&result.title)));
    if !result.description.trim().is_empty() {
        page.push(&format!("<p>{}</p>\n", escaped(&result.description)));
    }
    page.paragraph("played", &escaped(&arrange::played(result)));
    page.paragraph("played", &escaped(&result.stopping));
    if result.capped {
        page.paragraph(
            "capped",
            "The budget of replications ended before the precision was reached: intervals are wider \
             than the study asks for.",
        );
    }
    page.push("</header>\n");
}

/// The questions with their answers.
pub(super) fn answers(page: &mut Page, result: &StudyResult) {
    if result.answers.is_empty() {
        return;
    }
    page.begin("Answers");
    page.push("<ul class=\"answers\">\n");
    for answer in &result.answers {
        let class = if answer.told { "told" } else { "untold" };
        page.push(&format!(
            "<li class=\"{class}\"><h3>{}</h3>\n<p class=\"answer\">{}</p>\n{}\
             <p class=\"basis\">Rests on: {}</p></li>\n",
            escaped(&answer.question),
            escaped(&answer.answer),
            untold(answer),
            escaped(&answer.basis)
        ));
    }
    page.push("</ul>\n");
    page.end();
}

fn untold(answer: &Answer) -> String {
    let text = match (answer.told, answer.more_replications) {
        (true, _) => return String::new(),
        (false, Some(more)) => format!(
            "Cannot be told yet: about {} more replications of each arm.",
            figures::count(more)
        ),
        (false, None) => "Cannot be told from this study.".to_owned(),
    };
    format!("<p class=\"untold-mark\">{text}</p>\n")
}

/// How to read the report, and what the model leaves out (docs/model.md).
pub(super) fn reading(page: &mut Page, result: &StudyResult) {
    page.begin("How to read this, and its limits");
    let confidence = figures::percent(result.confidence);
    page.push(&format!(
        "<p>A replication is one simulated course of events; each arm is a variant of the scenario and \
         plays the same courses, so that arms differ by what was changed and not by luck. Every figure is \
         an estimate over replications with its {confidence} interval in brackets. The interval says how \
         far chance alone leaves the figure open in this model; it does not say how far the model is from \
         your platform. Two arms differ where their <em>difference</em> has an interval without 0, not \
         where their own intervals are apart. What is still open or running at the end is counted as open \
         or running.</p>\n\
         <p>The model has limits. A world begins without open CVEs, so the figures begin after a \
         warm-up; what hits packages without further releases stays. There is one architecture, one \
         distribution and one registry, and packages do not depend on each other. Builders are equal, \
         without a cache; durations do not depend on the time of day; there are no holidays. Scanners \
         miss nothing that can be detected and never disagree. Customers neither come nor go. Days are \
         independent: CVEs come in batches within a day, without memory between days. Part of the inputs \
         are assumptions without a source (rated D in <code>docs/model.md</code>); {}</p>\n",
        match result.uncertainty {
            Some(_) => "what they leave open is shown below under uncertain inputs.",
            None =>
                "this study does not vary them, so the answers hold for the scenario as it is \
                 written.",
        }
    ));
    page.end();
}

/// What is special about intervals.
pub(super) fn notes(page: &mut Page, result: &StudyResult) {
    let notes = arrange::notes(result);
    if notes.is_empty() {
        return;
    }
    page.begin("Notes on intervals");
    page.push("<ul>\n");
    for (note, figures) in notes {
        page.push(&format!("<li>{}: {}.</li>\n", escaped(&note), escaped(&figures.join("; "))));
    }
    page.push("</ul>\n");
    page.end();
}

/// The study and its scenarios, and how to play it again.
pub(super) fn reproduce(page: &mut Page, result: &StudyResult) {
    page.begin("To get the same again");
    page.push("<dl>\n");
    for (name, value) in [
        ("Study", name_of(&result.name)),
        ("Kernel", name_of(&result.kernel)),
        ("Seeds", seeds(result)),
        ("Replications", figures::count(result.replications)),
        ("Horizon", format!("{} d", figures::alone(result.horizon_days))),
        ("Warm-up", format!("{} d", figures::alone(result.warm_up_days))),
    ] {
        page.push(&format!("<dt>{name}</dt><dd>{value}</dd>\n"));
    }
    page.push(
        "</dl>\n<p>Store the study below as <code>study.yaml</code>, with the scenarios where it names \
         them, and run <code>wavetank study study.yaml --report report.html</code> with the same kernel. \
         The result is the same byte for byte, whatever the machine and the number of cores.</p>\n",
    );
    text(page, "The study", &result.study_text);
    for scenario in &result.scenarios {
        text(page, &format!("The scenario {}", name_of(&scenario.name)), &scenario.text);
    }
    page.end();
}

fn seeds(result: &StudyResult) -> String {
    let last = result.seed.saturating_add(result.replications.saturating_sub(1));
    format!("{} to {last}, one a replication, the same for every arm", result.seed)
}

fn text(page: &mut Page, summary: &str, text: &str) {
    if !text.is_empty() {
        page.push(&format!(
            "<details><summary>{summary}</summary>\n<pre>{}</pre></details>\n",
            escaped_lines(text)
        ));
    }
}
