//! Compares the kernel's result with the job's: where they differ, the simulation has found a defect.
use crate::error::JobError;
use std::fmt::Debug;

/// How many entries of a long list a message shows.
const SHOWN: usize = 10;

/// Compares two values.
///
/// # Errors
/// [`JobError::Mismatch`] with both.
pub(crate) fn expect_equal<T: PartialEq + Debug>(
    what: impl FnOnce() -> String,
    expected: &T,
    found: &T,
) -> Result<(), JobError> {
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (format!("{expected:?}"), format!("{found:?}"));
    Err(JobError::Mismatch { what: what(), expected, found })
}

/// Compares two sorted lists and shows what only one of them holds.
///
/// # Errors
/// [`JobError::Mismatch`] with the entries that the other side lacks.
pub(crate) fn expect_equal_lists<T: Ord + Debug>(
    what: impl FnOnce() -> String,
    expected: &[T],
    found: &[T],
) -> Result<(), JobError> {
    if expected == found {
        return Ok(());
    }
    let side = |all: &[T], other: &[T]| {
        let only: Vec<_> = all.iter().filter(|one| other.binary_search(one).is_err()).collect();
        let shown = &only[..only.len().min(SHOWN)];
        format!("{} in all, {} alone with it: {shown:?}", all.len(), only.len())
    };
    let (expected, found) = (side(expected, found), side(found, expected));
    Err(JobError::Mismatch { what: what(), expected, found })
}
