//! What is wrong with one value, and where: serde's errors in the words of people.
use crate::strict_yaml::error::{Position, Problem, did_you_mean, excerpt};
use crate::strict_yaml::tree::{Node, Step, Value, field};
use serde::de::{Error, Expected, Unexpected};
use std::fmt;

/// The one distribution of numbers that have no unit.
const NUMBER_DRAW: &str = "lognormal_number";
pub(super) const MAPPING: &str = "a mapping (`key: value` lines)";

/// What has to be mended.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// The value itself.
    Value,
    /// A key of the mapping that nobody knows.
    UnknownKey(Box<str>),
    /// A key that the mapping must have.
    MissingKey(&'static str),
}

/// What was refused and, collected on the way out, where.
#[derive(Debug)]
pub(super) struct Fault {
    /// What is wrong; or what was expected, until the value knows what it found.
    pub(super) problem: String,
    pub(super) only_expected: bool,
    pub(super) hint: Option<Box<str>>,
    pub(super) kind: Kind,
    /// The place, once a value has claimed the fault.
    pub(super) position: Option<Option<Position>>,
    /// The steps to the value, the last one first.
    pub(super) steps: Vec<Step>,
}

impl Fault {
    pub(super) fn new(problem: String, hint: Option<String>) -> Self {
        let kind = Kind::Value;
        let hint = hint.map(Into::into);
        Fault { problem, only_expected: false, hint, kind, position: None, steps: Vec::new() }
    }

    pub(super) fn expected(expected: String) -> Self {
        Fault { only_expected: true, ..Fault::new(expected, None) }
    }

    /// The fault is this value's, unless a value inside it has claimed it before.
    pub(super) fn at(mut self, node: &Node, text: &str) -> Self {
        if self.position.is_none() {
            self.position = Some(node.position);
            if std::mem::take(&mut self.only_expected) {
                let found = node.found(text);
                self.problem = format!("expected {}, found {found}", self.problem);
                if matches!(node.value, Value::Null) && self.hint.is_none() {
                    let hint = "give it a value, or leave the key out to get the default";
                    self.hint = Some(hint.into());
                }
            }
        }
        self
    }

    pub(super) fn inside(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    pub(super) fn into_problem(mut self) -> Problem {
        self.steps.reverse();
        Problem {
            position: self.position.flatten(),
            field: field(&self.steps),
            problem: self.problem,
            hint: self.hint.map(Into::into),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Fault {}

impl Error for Fault {
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Fault::new(problem.to_string(), None)
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Fault::expected(plain_words(&expected.to_string()))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Fault::expected(plain_words(&expected.to_string()))
    }

    fn invalid_length(found: usize, expected: &dyn Expected) -> Self {
        let expected = plain_words(&expected.to_string());
        Fault::new(format!("expected {expected}, found a list of {found}"), None)
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        if known == [NUMBER_DRAW] {
            let problem = format!(
                "expected a number without a unit: {NUMBER_DRAW}, found {}",
                excerpt(found)
            );
            let hint = "{lognormal_number: {mu: 1.1, sigma: 0}} is always exp(1.1)";
            return Fault::new(problem, Some(hint.to_owned()));
        }
        let problem = format!("expected one of {}, found {}", known.join(", "), excerpt(found));
        Fault::new(problem, did_you_mean(found, known.iter().copied()))
    }

    fn unknown_field(found: &str, known: &'static [&'static str]) -> Self {
        let keys = || format!("the keys here are {}", known.join(", "));
        let hint = did_you_mean(found, known.iter().copied()).unwrap_or_else(keys);
        let problem = format!("expected a known key, found {}", excerpt(found));
        Fault { kind: Kind::UnknownKey(found.into()), ..Fault::new(problem, Some(hint)) }
    }

    fn missing_field(key: &'static str) -> Self {
        let problem = format!("expected the key `{key}`, which is missing");
        Fault { kind: Kind::MissingKey(key), ..Fault::new(problem, None) }
    }
}

/// Serde's names of Rust types, as people say them.
fn plain_words(expected: &str) -> String {
    let text = match expected {
        "u32" => "a whole number from 0 to 4294967295",
        "u64" => "a whole number, 0 or more",
        "f64" => "a number",
        "a boolean" => "true or false",
        "a string" => "text",
        "a sequence" => "a list",
        _ if expected.starts_with("struct ") => MAPPING,
        _ => return expected.replace("an array of length", "a list of"),
    };
    text.to_owned()
}
