//! Conversions between numbers that `From` does not offer, each with the reason why it is right.

/// How many there are, or the ordinal of the next one, in the 32 bits that the kernel numbers with.
///
/// # Panics
/// There are 2^32 or more: a scenario's limits are far below, and memory ends before.
#[inline]
pub(crate) fn ordinal(count: usize) -> u32 {
    u32::try_from(count).expect("a world holds fewer than 2^32 of anything")
}

/// The whole part of a number, within the range of `u32`: a negative number gives 0, a huge one the
/// maximum.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` cuts the fraction off and saturates, which is what is wanted"
)]
pub(crate) fn whole_u32(value: f64) -> u32 {
    value as u32
}

/// The whole part of a number, within the range of `u64`.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` cuts the fraction off and saturates, which is what is wanted"
)]
pub(crate) fn whole_u64(value: f64) -> u64 {
    value as u64
}

/// The whole part of a number, within the range of `i64`.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` cuts the fraction off and saturates, which is what is wanted"
)]
pub(crate) fn whole_i64(value: f64) -> i64 {
    value as i64
}

/// The lower 32 bits of a word.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
pub(crate) const fn low(word: u64) -> u32 {
    word as u32
}

/// The upper 32 bits of a word.
#[inline]
pub(crate) const fn high(word: u64) -> u32 {
    low(word >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_parts_saturate() {
        assert_eq!([-0.5, 2.9, 1e20].map(whole_u32), [0, 2, u32::MAX]);
        assert_eq!([-2.9, 2.9, 1e20].map(whole_i64), [-2, 2, i64::MAX]);
        assert_eq!([-0.5, 2.9, 1e20].map(whole_u64), [0, 2, u64::MAX]);
        let word = 0x1234_5678_9abc_def0;
        assert_eq!((high(word), low(word)), (0x1234_5678, 0x9abc_def0));
    }
}
