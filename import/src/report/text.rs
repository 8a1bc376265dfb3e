//! The report for a terminal.
use super::{Input, Report, Source};
use crate::back_test::BackTest;
use crate::scenario::{interval, number, value};
use std::fmt::Write;

/// The report as text.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "data from {} to {}", report.since, report.until);
    for file in &report.files {
        let _ = write!(out, "  {}: {}, {} used", file.file, file.format.words(), file.used);
        for (reason, n) in &file.left_out {
            let _ = write!(out, "; {n} left out: {reason}");
        }
        out.push('\n');
    }
    out.push_str("\ninputs, with 95 % intervals\n");
    for input in report.inputs.iter().filter(|input| input.source != Source::Default) {
        known(&mut out, input);
    }
    out.push_str("\nno data: the default stays (unknown is not zero)\n");
    for input in report.inputs.iter().filter(|input| input.source == Source::Default) {
        let _ = writeln!(out, "  {}: {}", input.field, input.value);
        assumed(&mut out, input);
    }
    out.push('\n');
    match (&report.back_test, &report.not_tested) {
        (Some(test), _) => back_test(&mut out, test),
        (None, why) => {
            let why = why.as_deref().unwrap_or("nothing to test");
            let _ = writeln!(out, "no back-test: {why}");
        }
    }
    for note in &report.notes {
        let _ = writeln!(out, "note: {note}");
    }
    out
}

fn known(out: &mut String, input: &Input) {
    let _ = writeln!(out, "  {}: {}", input.field, input.value);
    let several = input.parameters.len() > 1;
    for p in &input.parameters {
        let name = if several { format!("{} ", p.name) } else { String::new() };
        let _ = writeln!(out, "    {name}{} ({})", value(p, p.estimate), interval(p));
    }
    let _ = write!(out, "    {} data", input.data);
    for (n, what) in [(input.open, "still open"), (input.between, "between two limits")] {
        if n > 0 {
            let _ = write!(out, ", {n} {what}");
        }
    }
    if let Some(goodness) = &input.goodness {
        let (distance, bound) = (number(goodness.distance), number(goodness.bound));
        let _ = write!(out, "; distance to Kaplan-Meier {distance}, poor above {bound}");
    }
    out.push('\n');
    assumed(out, input);
}

fn assumed(out: &mut String, input: &Input) {
    for assumed in &input.assumed {
        let _ = writeln!(out, "    assumed: {assumed}");
    }
}

fn back_test(out: &mut String, test: &BackTest) {
    let _ = writeln!(
        out,
        "back-test: fitted before {}, {} futures, compared until {}",
        test.split, test.futures, test.until
    );
    for measure in &test.measures {
        let within = measure.weeks.iter().filter(|band| band.holds()).count();
        let total = measure.total;
        let _ = writeln!(
            out,
            "  {}: {} ({} to {} expected){}; {within} of {} weeks within their band",
            measure.name,
            total.seen,
            total.lower,
            total.upper,
            if total.holds() { "" } else { ", OUTSIDE" },
            measure.weeks.len()
        );
    }
    let share = test.within as f64 / (test.of as f64).max(1.0) * 100.0;
    let _ = writeln!(
        out,
        "  {} of {} weeks within the bands, {} %; promised {} %{}",
        test.within,
        test.of,
        number(share),
        number(test.promised * 100.0),
        if test.held { "" } else { ". NOT HELD: do not forecast with this before you know why" }
    );
}
