//! What is well written and makes no sense, by the place it is at.
use super::error::Problem;
use super::tree::{Node, Step, field};
use std::fmt::Display;

/// Something that is well written and makes no sense.
#[derive(Clone, Debug)]
pub struct Invalid {
    path: Vec<Step>,
    /// What else it depends on.
    involved: Vec<Vec<Step>>,
    problem: String,
    hint: Option<String>,
    /// What to say when the file does not have the field: a default is not blamed for what is
    /// written elsewhere.
    unwritten: Option<Box<Invalid>>,
}

impl Invalid {
    /// `expected` is what belongs at the place, `found` what is there.
    pub fn new(path: Vec<Step>, expected: impl Into<String>, found: impl Display) -> Self {
        Invalid::said(path, format!("expected {}, found {found}", expected.into()))
    }

    /// `problem` says all: what belongs at the place, and what is there.
    pub fn said(path: Vec<Step>, problem: String) -> Self {
        Invalid { path, involved: Vec::new(), problem, hint: None, unwritten: None }
    }

    /// With what may help.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Depends on another value as well.
    pub fn involves(mut self, path: Vec<Step>) -> Self {
        self.involved.push(path);
        self
    }

    /// Says the other where this field is not written.
    pub fn or(mut self, other: Invalid) -> Self {
        self.unwritten = Some(Box::new(other));
        self
    }

    /// Whether it depends on something that was refused before: then nobody knows.
    pub(crate) fn is_touched(&self, tree: &Node) -> bool {
        tree.is_touched(&self.path)
            || self.involved.iter().any(|path| tree.is_touched(path))
            || self.unwritten.as_ref().is_some_and(|other| other.is_touched(tree))
    }

    /// The problem with its place in the file.
    pub(crate) fn locate(self, tree: &Node) -> Problem {
        if let Some(other) = self.unwritten
            && !tree.has(&self.path)
        {
            return other.locate(tree);
        }
        Problem {
            position: tree.nearest(&self.path).position,
            field: field(&self.path),
            problem: self.problem,
            hint: self.hint,
        }
    }
}

/// A path to a field: `steps!["images", 3, "base"]`.
#[macro_export]
macro_rules! steps {
    ($($step:expr),* $(,)?) => {
        vec![$($crate::strict_yaml::Step::from($step)),*]
    };
}
