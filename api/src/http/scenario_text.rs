//! Scenarios in bodies: by the name of one that comes with the program, or as a text; and what is said
//! of one that is wrong.
use crate::http::problem::{Code, Problem, ProblemPart};
use sim::bundled::BUNDLED;

/// The text of a scenario that is either named or given.
pub(crate) fn text(name: Option<&str>, given: Option<&str>) -> Result<String, Problem> {
    match (name, given) {
        (Some(name), None) => {
            let found = BUNDLED.iter().find(|scenario| scenario.name == name);
            found.map(|scenario| scenario.text.to_owned()).ok_or_else(|| {
                let detail = format!("There is no scenario {name:?}.");
                Problem::new(Code::UnknownScenario, detail)
            })
        }
        (None, Some(text)) => Ok(text.to_owned()),
        _ => {
            let detail = "Either `name` or `scenario` says which scenario, and not both.";
            Err(Problem::new(Code::Contradiction, detail))
        }
    }
}

/// A seed of 64 bits from its text.
pub(crate) fn seed(given: Option<&str>) -> Result<Option<u64>, Problem> {
    given
        .map(str::parse::<u64>)
        .transpose()
        .map_err(|_| Problem::field("/seed", "a number of at most 64 bits", "a larger one"))
}

/// A problem with a part for each thing that is wrong.
pub(crate) fn invalid(error: &sim::scenario::FileError) -> Problem {
    let parts: Vec<ProblemPart> = error.all().map(part).collect();
    let first = error.first();
    let detail = match parts.len() - 1 {
        0 => first.to_string(),
        others => format!("{first}\nAnd {others} more: see `errors`."),
    };
    let problem = Problem::new(Code::InvalidScenario, detail).parts(parts);
    match first.hint() {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

fn part(refusal: &sim::scenario::Refusal) -> ProblemPart {
    let place = match (refusal.line(), refusal.column()) {
        (Some(line), Some(column)) => format!("line {line}, column {column}"),
        _ => "the file".to_owned(),
    };
    let name = if refusal.field().is_empty() { place.clone() } else { refusal.field().to_owned() };
    ProblemPart::new(name, format!("{place}: {}", refusal.problem()))
}
