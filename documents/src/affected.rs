//! Whether a package version lies in an advisory's affected range: the heart of every scan.

use std::cmp::Ordering;

use crate::apk_version::compare;

/// The OSV way of saying "from the first version on".
pub const FROM_THE_START: &str = "0";

/// Whether `version` is affected by a range that starts at `introduced` (inclusive; `"0"` is
/// before every version) and ends before `fixed` (exclusive; nothing means that no fix exists).
/// Versions are apk versions; the rules are those of the OSV schema's `ECOSYSTEM` ranges.
pub fn is_affected(version: &str, introduced: &str, fixed: Option<&str>) -> bool {
    let started = introduced == FROM_THE_START || compare(version, introduced) != Ordering::Less;
    started && fixed.is_none_or(|fixed| compare(version, fixed) == Ordering::Less)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_inclusive_below_and_exclusive_above() {
        for (version, introduced, fixed, expected) in [
            ("1.2.3-r0", "0", None, true),
            ("0_alpha", "0", None, true),
            ("1.2.3-r0", "1.2.3-r0", None, true),
            ("1.2.2-r9", "1.2.3-r0", None, false),
            ("1.2.3-r0", "0", Some("1.2.3-r1"), true),
            ("1.2.3-r1", "0", Some("1.2.3-r1"), false),
            ("1.2.3-r10", "0", Some("1.2.3-r2"), false),
            ("1.10.0-r0", "1.9.0-r0", Some("1.10.0-r1"), true),
            ("1.3.0_rc1-r0", "0", Some("1.3.0-r0"), true),
            ("1.0.0-r0", "2.0.0-r0", Some("1.0.0-r0"), false),
        ] {
            assert_eq!(is_affected(version, introduced, fixed), expected, "{version}");
        }
    }
}
