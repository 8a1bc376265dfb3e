//! Scenarios in bodies: by the name of one that comes with the program, or as a text.
use crate::http::problem::{Code, Problem};
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
