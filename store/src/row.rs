//! The way from rows back to the kernel's types.
use crate::error::Error;

/// A number of the kernel from the value of a column (`table.column`).
///
/// # Errors
/// The row holds what no kernel has written: a negative number, or one that is too large.
pub fn number<S, T>(column: &'static str, stored: S) -> Result<T, Error>
where
    S: Copy + ToString,
    T: TryFrom<S>,
{
    T::try_from(stored).map_err(|_| Error::unknown(column, stored))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_no_kernel_writes_are_refused_with_their_column() {
        assert_eq!(number::<i64, u32>("images.id", 7).unwrap(), 7);
        for stored in [-1, 1 << 32] {
            let error = number::<i64, u32>("images.id", stored).unwrap_err().to_string();
            assert!(error.contains("images.id") && error.contains(&stored.to_string()), "{error}");
        }
    }
}
