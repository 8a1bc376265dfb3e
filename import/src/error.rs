//! What is refused: a file, the place in it, and why.
use std::fmt;
use thiserror::Error;

/// A file that cannot be used, or a question that has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}{place}: {reason}")]
pub struct Refusal {
    /// The file, as it was named.
    pub file: String,
    /// Where in the file.
    pub place: Place,
    /// Why, and what was expected.
    pub reason: String,
}

/// A place in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    #[default]
    Whole,
    /// A line and a column, from 1.
    At(usize, usize),
    /// A line, from 1, and the name of a column of a table.
    Cell(u64, String),
    /// The n-th entry of a list, from 1.
    Entry(String, usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Whole => Ok(()),
            Place::At(line, column) => write!(f, ":{line}:{column}"),
            Place::Cell(line, column) => write!(f, ":{line}, column {column}"),
            Place::Entry(list, nth) => write!(f, ", {list}[{}]", nth.saturating_sub(1)),
        }
    }
}

impl Refusal {
    /// Of a file as a whole.
    pub(crate) fn whole(file: &str, reason: impl Into<String>) -> Self {
        Refusal { file: file.to_owned(), place: Place::Whole, reason: reason.into() }
    }

    /// Of an entry of a list in a file.
    pub(crate) fn entry(file: &str, list: &str, place: usize, reason: impl Into<String>) -> Self {
        let place = Place::Entry(list.to_owned(), place + 1);
        Refusal { file: file.to_owned(), place, reason: reason.into() }
    }

    /// What a JSON reader says.
    pub(crate) fn json(file: &str, error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or_default().to_owned();
        Refusal { file: file.to_owned(), place: Place::At(error.line(), error.column()), reason }
    }
}
