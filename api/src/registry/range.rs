//! Which part of a blob a client wants (RFC 9110, section 14).

/// What a `Range` header asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// All of it: there is no such header, or none that has to be followed.
    Whole,
    /// From the first of these bytes up to the one before the second.
    Part(u64, u64),
    /// Bytes that are not there.
    Nothing,
}

/// What the header wants of so many bytes. Several ranges at once, other units and what is malformed are
/// passed over, as the standard allows.
pub(super) fn wants(header: Option<&str>, bytes: u64) -> Wants {
    let Some(spec) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else {
        return Wants::Whole;
    };
    let Some((first, last)) = spec.trim().split_once('-') else { return Wants::Whole };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // (A number that no integer holds is larger than every blob.)
    let number = |text: &str| text.parse::<u64>().unwrap_or(u64::MAX);
    let (from, until) = match (first, last) {
        ("", last) if digits(last) => match number(last) {
            0 => return Wants::Nothing,
            length => (bytes.saturating_sub(length), bytes),
        },
        (first, "") if digits(first) => (number(first), bytes),
        (first, last) if digits(first) && digits(last) => {
            if number(last) < number(first) {
                return Wants::Whole;
            }
            (number(first), number(last).saturating_add(1).min(bytes))
        }
        _ => return Wants::Whole,
    };
    if from < until { Wants::Part(from, until) } else { Wants::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 9110, section 14.1.2, for a representation of 10,000 bytes, and what hostile
    /// clients send.
    #[test]
    fn ranges_are_those_of_the_standard() {
        for (header, wanted) in [
            ("bytes=0-499", Wants::Part(0, 500)),
            ("bytes=500-999", Wants::Part(500, 1000)),
            ("bytes=-500", Wants::Part(9500, 10_000)),
            ("bytes=9500-", Wants::Part(9500, 10_000)),
            ("bytes=0-0", Wants::Part(0, 1)),
            ("bytes=-1", Wants::Part(9999, 10_000)),
            ("bytes=0-0,-1", Wants::Whole),
            ("bytes=500-700,601-999", Wants::Whole),
            ("bytes=9999-18446744073709551615", Wants::Part(9999, 10_000)),
            ("bytes=0-99999999999999999999999999", Wants::Part(0, 10_000)),
            ("bytes=-99999999999999999999999999", Wants::Part(0, 10_000)),
            ("bytes=10000-", Wants::Nothing),
            ("bytes=99999999999999999999999999-", Wants::Nothing),
            ("bytes=-0", Wants::Nothing),
            ("bytes=5-4", Wants::Whole),
            ("bytes=-", Wants::Whole),
            ("bytes=+1-2", Wants::Whole),
            ("bytes=a-b", Wants::Whole),
            ("lines=0-1", Wants::Whole),
        ] {
            assert_eq!(wants(Some(header), 10_000), wanted, "{header}");
        }
        assert_eq!(wants(None, 10_000), Wants::Whole);
        assert_eq!(wants(Some("bytes=0-"), 0), Wants::Nothing);
    }
}
