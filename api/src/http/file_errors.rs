//! What is wrong with a file that came in a body, a scenario or a study, as a problem: each place with
//! line, column and field.
use crate::http::problem::{Code, Problem, ProblemPart};
use sim::scenario::{FileError, Refusal};

/// A problem with a part for each thing that is wrong.
pub(crate) fn invalid(code: Code, error: &FileError) -> Problem {
    let parts: Vec<ProblemPart> = error.all().map(part).collect();
    let first = error.first();
    let detail = match parts.len() - 1 {
        0 => first.to_string(),
        others => format!("{first}\nAnd {others} more: see `errors`."),
    };
    let problem = Problem::new(code, detail).parts(parts);
    match first.hint() {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

fn part(refusal: &Refusal) -> ProblemPart {
    let place = match (refusal.line(), refusal.column()) {
        (Some(line), Some(column)) => format!("line {line}, column {column}"),
        _ => "the file".to_owned(),
    };
    let name = if refusal.field().is_empty() { place.clone() } else { refusal.field().to_owned() };
    ProblemPart::new(name, format!("{place}: {}", refusal.problem()))
}
