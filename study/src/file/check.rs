//! What the types of a study and the limits of its schema cannot say.
use super::{Criterion, Distribution, Measure, Precision, Question, Selection, Study, Uncertain};
use sim::strict_yaml::{Invalid, Step, steps};

type Out<'a> = &'a mut Vec<Invalid>;

/// Checks what can be checked without the scenarios.
pub(super) fn check(study: &Study) -> Vec<Invalid> {
    let mut out = Vec::new();
    one_line(steps!["title"], "a title", &study.title, &mut out);
    for (index, arm) in study.arms.iter().enumerate() {
        one_line(steps!["arms", index, "name"], "a name", &arm.name, &mut out);
    }
    if let Some(costs) = &study.costs {
        one_line(steps!["costs", "currency"], "a currency", &costs.currency, &mut out);
    }
    if study.precision.is_some() && study.replications.is_some() {
        let expected = "either replications or a precision";
        let both = Invalid::new(steps!["replications"], expected, "both")
            .hint("a precision has a `budget`: the most replications");
        out.push(both.involves(steps!["precision"]));
    }
    if let Some(precision) = &study.precision {
        of_precision(precision, study, &mut out);
    }
    for (index, question) in study.questions.iter().enumerate() {
        of_question(index, question, study, &mut out);
    }
    if let Some(uncertain) = &study.uncertain {
        of_uncertain(uncertain, study, &mut out);
    }
    out
}

/// A text that is shown in a line: none that would steer a terminal, or turn the line around.
fn one_line(path: Vec<Step>, what: &str, text: &str, out: Out<'_>) {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.contains(|c: char| c.is_control() || turns(c)) {
        out.push(Invalid::new(path, "one line of text", "another character"));
    } else if text.trim().is_empty() && !text.is_empty() {
        out.push(Invalid::new(path, what, "blanks alone"));
    }
}

fn of_precision(precision: &Precision, study: &Study, out: Out<'_>) {
    if precision.within.value() <= 0.0 || precision.within.value() >= 1.0 {
        let found = precision.within.value();
        let path = steps!["precision", "within"];
        out.push(Invalid::new(path, "a share above 0 and below 1, such as 10%", found));
    }
    selection(steps!["precision", "of"], &precision.of, study, out);
}

fn of_question(index: usize, question: &Question, study: &Study, out: Out<'_>) {
    match question {
        Question::SmallestSla(of) => {
            if of.kept.value() <= 0.0 || of.kept.value() >= 1.0 {
                let path = steps!["questions", index, "smallest_sla", "kept"];
                let invalid = Invalid::new(path, "a share above 0 and below 1", of.kept.value());
                out.push(
                    invalid.hint("no number of replications shows that a promise is always kept"),
                );
            }
        }
        Question::FewestBuilders(of) => {
            let path = steps!["questions", index, "fewest_builders", "where"];
            criterion(path, &of.criterion, study, out);
        }
        Question::Cheapest(_) => {
            if study.costs.is_none() {
                let path = steps!["questions", index, "cheapest"];
                let none = Invalid::new(path, "a study with `costs`", "none");
                out.push(none.hint("costs: {currency: EUR, builder_hour: 0.5, ...}"));
            }
        }
        Question::Better(of) => {
            if of.arm == of.than {
                let path = steps!["questions", index, "better", "than"];
                out.push(Invalid::new(path, "another arm", "the same one"));
            }
            let path = steps!["questions", index, "better", "in"];
            selection(path, &of.measure, study, out);
        }
    }
}

fn criterion(path: Vec<Step>, criterion: &Criterion, study: &Study, out: Out<'_>) {
    if criterion.at_most.is_some() == criterion.at_least.is_some() {
        let found = if criterion.at_most.is_some() { "both" } else { "neither" };
        out.push(Invalid::new(path.clone(), "either at_most or at_least", found));
    }
    let of = path.into_iter().chain([Step::from("of")]).collect();
    selection(of, &criterion.of, study, out);
}

/// Not every measure can be split, and a cost needs prices.
fn selection(path: Vec<Step>, of: &Selection, study: &Study, out: Out<'_>) {
    let at = |key: &str| path.iter().cloned().chain([Step::from(key)]).collect::<Vec<_>>();
    let words = of.measure.as_str();
    if of.measure == Measure::Cost && study.costs.is_none() {
        out.push(Invalid::new(at("measure"), "a study with `costs`", "none"));
    }
    let timers = of.measure.is_of_timers();
    if of.clock.is_some() && !timers {
        out.push(Invalid::new(at("clock"), format!("no clock, for {words} have none"), "one"));
    }
    let by_severity = timers || matches!(of.measure, Measure::ExposureDays | Measure::OpenAtEnd);
    if of.severity.is_some() && !by_severity {
        let expected = format!("no severity, for {words} have none");
        out.push(Invalid::new(at("severity"), expected, "one"));
    }
    if of.tier.is_some() && !timers && of.measure != Measure::ExposureDays {
        out.push(Invalid::new(at("tier"), format!("no tier, for {words} have none"), "one"));
    }
}

fn of_uncertain(uncertain: &Uncertain, study: &Study, out: Out<'_>) {
    if let Some(of) = &uncertain.of {
        selection(steps!["uncertain", "of"], of, study, out);
    }
    if uncertain.inputs.is_empty() && !uncertain.assumptions {
        let none = Invalid::new(steps!["uncertain"], "inputs, or assumptions: true", "neither");
        out.push(none);
    }
    for (index, input) in uncertain.inputs.iter().enumerate() {
        let path = steps!["uncertain", "inputs", index, "is"];
        let wrong = |expected: &str| {
            let found = "others";
            Invalid::new(path.clone(), expected, found)
        };
        match &input.is {
            Distribution::Uniform { min, max } if min.number() >= max.number() => {
                out.push(wrong("min below max"));
            }
            Distribution::Triangular { min, mode, max }
                if min.number() >= max.number()
                    || !(min.number()..=max.number()).contains(&mode.number()) =>
            {
                out.push(wrong("min up to mode up to max"));
            }
            Distribution::Within { of, factor } if !(factor.value() > 1.0 && of.number() > 0.0) => {
                out.push(wrong("a median above 0 and a factor above 1"));
            }
            Distribution::OneOf(values) if values.len() < 2 => {
                out.push(wrong("at least two values"));
            }
            _ => {}
        }
    }
}
