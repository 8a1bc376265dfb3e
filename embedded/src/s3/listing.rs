//! One page of a listing: which keys and which common prefixes, in order, and where the next page
//! begins. Pure, so that paging can be tested without files.

use std::{collections::BTreeSet, ops::Bound};

/// The most entries a page has.
pub(super) const LARGEST_PAGE: usize = 1000;

/// What is asked for.
#[derive(Debug, Default)]
pub(super) struct Request {
    /// Only keys that begin so.
    pub(super) prefix: String,
    /// Keys with this after the prefix are told once, by what they share.
    pub(super) delimiter: Option<String>,
    /// Only what comes after this.
    pub(super) after: Option<After>,
    /// The most entries to tell.
    pub(super) limit: usize,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum After {
    /// After this key.
    Key(String),
    /// After all keys that begin so.
    Prefix(String),
}

impl After {
    /// As a continuation token: opaque to clients.
    pub(super) fn to_token(&self) -> String {
        match self {
            Self::Key(key) => format!("k{}", hex::encode(key)),
            Self::Prefix(prefix) => format!("p{}", hex::encode(prefix)),
        }
    }

    /// Reads a token that [`Self::to_token`] made.
    pub(super) fn from_token(token: &str) -> Option<Self> {
        let (kind, digits) = token.split_at_checked(1)?;
        let text = String::from_utf8(hex::decode(digits).ok()?).ok()?;
        match kind {
            "k" => Some(Self::Key(text)),
            "p" => Some(Self::Prefix(text)),
            _ => None,
        }
    }
}

/// One page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// Keys, sorted.
    pub(super) keys: Vec<String>,
    /// What grouped keys share, sorted.
    pub(super) prefixes: Vec<String>,
    /// Where the next page begins, if there is one.
    pub(super) next: Option<After>,
}

/// Cuts the page out of all keys. Its cost is that of its entries, however many keys it groups.
pub(super) fn page(all: &BTreeSet<String>, request: &Request) -> Page {
    let mut page = Page::default();
    let mut last = None;
    let mut from = start(request);
    while let Some(key) = all.range((from, Bound::Unbounded)).next() {
        let Some(rest) = key.strip_prefix(request.prefix.as_str()) else { break };
        if page.keys.len() + page.prefixes.len() == request.limit {
            page.next = last;
            break;
        }
        let shared = request.delimiter.as_deref().and_then(|delimiter| {
            let at = rest.find(delimiter)?;
            Some(&key[..request.prefix.len() + at + delimiter.len()])
        });
        if let Some(shared) = shared {
            last = Some(After::Prefix(shared.to_owned()));
            page.prefixes.push(shared.to_owned());
            match beyond(shared) {
                Some(next) => from = Bound::Included(next),
                None => break,
            }
        } else {
            last = Some(After::Key(key.clone()));
            page.keys.push(key.clone());
            from = Bound::Excluded(key.clone());
        }
    }
    page
}

fn start(request: &Request) -> Bound<String> {
    let prefix = &request.prefix;
    match &request.after {
        Some(After::Key(key)) if key >= prefix => Bound::Excluded(key.clone()),
        Some(After::Prefix(shared)) if shared >= prefix => match beyond(shared) {
            Some(next) => Bound::Included(next),
            None => Bound::Excluded(char::MAX.to_string().repeat(1024)),
        },
        _ => Bound::Included(prefix.clone()),
    }
}

/// The smallest text above all that begin with `prefix`; `None` if there is none.
fn beyond(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(request: impl Fn(Option<After>) -> Request, keys: &BTreeSet<String>) -> Page {
        let mut whole = Page::default();
        let mut after = None;
        for _ in 0..100 {
            let part = page(keys, &request(after));
            whole.keys.extend(part.keys);
            whole.prefixes.extend(part.prefixes);
            let Some(next) = part.next else { return whole };
            after = After::from_token(&next.to_token());
            assert!(after.is_some());
        }
        panic!("the listing does not end");
    }

    #[test]
    fn pages_of_any_size_make_the_same_whole() {
        let keys: BTreeSet<String> =
            ["a", "a/1", "a/2", "a0", "b/x/1", "b/x/2", "b/y", "c", "é/1", "\u{10ffff}/1"]
                .map(String::from)
                .into();
        for prefix in ["", "a", "a/", "b/", "zz"] {
            for delimiter in [None, Some("/".to_owned())] {
                let request = |limit| {
                    let delimiter = delimiter.clone();
                    move |after| Request {
                        prefix: prefix.to_owned(),
                        delimiter: delimiter.clone(),
                        after,
                        limit,
                    }
                };
                let whole = all(request(1000), &keys);
                for limit in 1..5 {
                    assert_eq!(all(request(limit), &keys), whole, "{prefix} {delimiter:?} {limit}");
                }
                if delimiter.is_none() {
                    let wanted: Vec<_> =
                        keys.iter().filter(|key| key.starts_with(prefix)).cloned().collect();
                    assert_eq!(whole.keys, wanted);
                }
            }
        }
    }

    #[test]
    fn groups_by_the_delimiter_after_the_prefix() {
        let keys = ["b", "b/x/1", "b/x/2", "b/y"].map(String::from).into();
        let request = Request {
            prefix: "b/".into(),
            delimiter: Some("/".into()),
            limit: 10,
            ..Request::default()
        };
        let found = page(&keys, &request);
        assert_eq!(found.keys, ["b/y"]);
        assert_eq!(found.prefixes, ["b/x/"]);
        assert_eq!(found.next, None);
    }

    #[test]
    fn a_strange_token_is_refused() {
        for token in ["", "k", "x00", "kzz", "é"] {
            let read = After::from_token(token);
            assert!(read.is_none() || token == "k", "{token}: {read:?}");
        }
    }
}
