//! The order of apk versions, as apk-package(5) of apk-tools defines it.
//!
//! A version is `number{.number}[letter]{_suffix[number]}[~hash][-rN]`. It is read as a sequence
//! of parts; two versions are compared part by part, and where one ends early the kind of the
//! other's next part decides.

use std::cmp::Ordering;

/// The suffixes in rising order; those before `PRE_RELEASES` stand before the bare version.
const SUFFIXES: [&str; 9] = ["alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p"];
const PRE_RELEASES: usize = 4;

/// Kinds of parts in the order in which they may follow each other. Where two versions differ in
/// kind, the one whose part could stand earlier is greater: `1.0.1` > `1.0a` > `1.0-r1` > `1.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    First,
    Number,
    Letter,
    Suffix,
    SuffixNumber,
    Hash,
    Revision,
    End,
    Invalid,
}

/// One part: its kind, and its text (digits, letter, suffix or hash).
#[derive(Clone, Copy, Debug)]
struct Part<'a> {
    kind: Kind,
    text: &'a [u8],
}

/// Reads parts from the front of a version.
struct Reader<'a> {
    rest: &'a [u8],
    last: Option<Kind>,
}

impl<'a> Reader<'a> {
    fn new(version: &'a str) -> Self {
        Self { rest: version.as_bytes(), last: None }
    }

    fn next(&mut self) -> Part<'a> {
        let part = self.read().unwrap_or(Part { kind: Kind::Invalid, text: &[] });
        self.last = Some(part.kind);
        part
    }

    /// The next part, or nothing if it may not stand here.
    fn read(&mut self) -> Option<Part<'a>> {
        let Some(last) = self.last else {
            return self.number(Kind::First, 0);
        };
        let Some(&byte) = self.rest.first() else {
            return Some(Part { kind: Kind::End, text: &[] });
        };
        match byte {
            b'0'..=b'9' if last == Kind::Suffix => self.number(Kind::SuffixNumber, 0),
            b'.' if last <= Kind::Number => self.number(Kind::Number, 1),
            b'a'..=b'z' if last <= Kind::Number => Some(self.take(Kind::Letter, 0, 1)),
            b'_' if last <= Kind::SuffixNumber => {
                let part = self.run(Kind::Suffix, 1, u8::is_ascii_lowercase)?;
                suffix_rank(part.text).map(|_| part)
            }
            b'~' if last < Kind::Hash => self.run(Kind::Hash, 1, |byte: &u8| {
                byte.is_ascii_digit() || (b'a'..=b'f').contains(byte)
            }),
            b'-' if last < Kind::Revision && self.rest.get(1) == Some(&b'r') => {
                self.number(Kind::Revision, 2)
            }
            _ => None,
        }
    }

    fn number(&mut self, kind: Kind, skip: usize) -> Option<Part<'a>> {
        self.run(kind, skip, u8::is_ascii_digit)
    }

    fn run(&mut self, kind: Kind, skip: usize, takes: impl Fn(&u8) -> bool) -> Option<Part<'a>> {
        let length = self.rest[skip..].iter().take_while(|byte| takes(byte)).count();
        (length > 0).then(|| self.take(kind, skip, length))
    }

    fn take(&mut self, kind: Kind, skip: usize, length: usize) -> Part<'a> {
        let (text, rest) = self.rest[skip..].split_at(length);
        self.rest = rest;
        Part { kind, text }
    }
}

fn suffix_rank(text: &[u8]) -> Option<usize> {
    SUFFIXES.iter().position(|suffix| suffix.as_bytes() == text)
}

fn is_pre_release(part: Part<'_>) -> bool {
    part.kind == Kind::Suffix && suffix_rank(part.text).is_some_and(|rank| rank < PRE_RELEASES)
}

/// Compares digits by value, of any length.
fn compare_numbers(left: &[u8], right: &[u8]) -> Ordering {
    fn significant(digits: &[u8]) -> &[u8] {
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        &digits[zeros..]
    }
    let (left, right) = (significant(left), significant(right));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// Compares two parts of the same kind.
fn compare_parts(left: Part<'_>, right: Part<'_>) -> Ordering {
    match left.kind {
        // A leading zero makes it a decimal fraction: 1.01 < 1.1.
        Kind::Number if left.text.starts_with(b"0") || right.text.starts_with(b"0") => {
            left.text.cmp(right.text)
        }
        Kind::First | Kind::Number | Kind::SuffixNumber | Kind::Revision => {
            compare_numbers(left.text, right.text)
        }
        Kind::Suffix => suffix_rank(left.text).cmp(&suffix_rank(right.text)),
        _ => left.text.cmp(right.text),
    }
}

/// Compares two apk versions. An invalid version is compared up to where it stops being one, as
/// apk-tools does; use [`is_valid`] first where that matters.
pub fn compare(left: &str, right: &str) -> Ordering {
    let (mut lefts, mut rights) = (Reader::new(left), Reader::new(right));
    loop {
        let (left, right) = (lefts.next(), rights.next());
        if left.kind != right.kind {
            return match (is_pre_release(left), is_pre_release(right)) {
                (true, _) => Ordering::Less,
                (_, true) => Ordering::Greater,
                _ => right.kind.cmp(&left.kind),
            };
        }
        if left.kind >= Kind::End {
            return Ordering::Equal;
        }
        let order = compare_parts(left, right);
        if order.is_ne() {
            return order;
        }
    }
}

/// Whether the text is an apk version.
pub fn is_valid(version: &str) -> bool {
    let mut reader = Reader::new(version);
    loop {
        match reader.next().kind {
            Kind::End => return true,
            Kind::Invalid => return false,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
