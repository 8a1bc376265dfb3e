//! From floats to whole numbers, in the one way that loses nothing unsaid.

/// The nearest whole number within the range of `i64`; 0 for what is no number.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is what is wanted")]
pub(crate) fn whole(value: f64) -> i64 {
    libm::round(value) as i64
}

/// The nearest whole number within the range of `u32`; 0 for what is no number.
pub(crate) fn whole_u32(value: f64) -> u32 {
    u32::try_from(whole(value.clamp(0.0, f64::from(u32::MAX)))).unwrap_or(0)
}

/// A count as `u32`, at most the largest one.
pub(crate) fn count_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
