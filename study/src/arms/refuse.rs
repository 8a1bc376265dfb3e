//! What is wrong with a study, collected and said by line.
use super::source::Source;
use crate::file;
use sim::strict_yaml::{FileError, Invalid, Step, WrongChange};

/// All that is wrong.
#[derive(Default)]
pub(super) struct Wrong(Vec<Invalid>);

impl Wrong {
    pub(super) fn push(&mut self, invalid: Invalid) {
        self.0.push(invalid);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As one error with the places in the file; none: nothing is wrong.
    pub(super) fn into_error(self, source: Source<'_>) -> Option<FileError> {
        (!self.0.is_empty()).then(|| {
            let told = file::refuse(source.file_name, source.bytes, &self.0);
            told.unwrap_or_else(|| FileError::of_file(source.file_name, "expected another study"))
        })
    }

    /// Nothing is wrong, and there is nothing.
    pub(super) fn nothing(source: Source<'_>) -> FileError {
        FileError::of_file(source.file_name, "expected a study, found nothing to play")
    }
}

/// What is wrong with a setting.
pub(super) fn changed(path: Vec<Step>, wrong: WrongChange) -> Invalid {
    let invalid = Invalid::said(path, wrong.problem);
    match wrong.hint {
        Some(hint) => invalid.hint(hint),
        None => invalid,
    }
}
