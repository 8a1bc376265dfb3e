//! Names of images, policies and customers.
use super::from_text;
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::sync::Arc;

const EXPECTED: &str = "a name of 1 to 63 characters: a-z and 0-9, with . _ - between them";

/// A name: 1 to 63 characters, a-z and 0-9, with `.`, `_` and `-` inside. It fits into an image
/// reference, a URL and a DNS label without escaping.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text can be a name.
    pub fn is_valid(text: &str) -> bool {
        parse(text).is_ok()
    }
}

schema_of!(Name, {
    "type": "string",
    "description": "A name: a-z and 0-9, with . _ - between them; at most 63 characters.",
    "pattern": r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$",
    "examples": ["nginx", "python-3.12"]
});

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, EXPECTED, parse)
    }
}

fn parse(text: &str) -> Result<Name, String> {
    let outer = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let inner = |b: u8| outer(b) || matches!(b, b'.' | b'_' | b'-');
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return Err(EXPECTED.to_owned());
    };
    let fits =
        bytes.len() <= 63 && outer(*first) && outer(*last) && bytes.iter().all(|b| inner(*b));
    if fits { Ok(Name(text.into())) } else { Err(EXPECTED.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_references_and_urls() {
        for text in ["a", "nginx", "python-3.12", "team_a", "7", &"x".repeat(63)] {
            assert_eq!(parse(text).expect("a name").as_str(), text);
        }
        for text in ["", "-a", "a-", "A", "a b", "a/b", "\u{e9}", "..", "a\0b", &"x".repeat(64)] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
