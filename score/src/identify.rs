//! Which version of which image a report is about. A digest decides alone; where a report has none,
//! its names do, as references (`registry/NAME:TAG`) or as paths (`images/NAME/VERSION/...`); where
//! it has no names, that of the report's own file does.
use crate::truth::{Instant, Truth, Version};
use documents::scanner_report::Target;
use std::collections::BTreeSet;

/// Why no version is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotIdentified {
    /// The digest is of no known version.
    UnknownDigest,
    /// No name is that of an image.
    UnknownName,
    /// The image has no such version, or had not at that instant.
    UnknownVersion,
    /// The report says nothing of which image it is about.
    NoName,
}

impl NotIdentified {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            NotIdentified::UnknownDigest => "no known version has this digest",
            NotIdentified::UnknownName => "no image has this name",
            NotIdentified::UnknownVersion => "the image has no such tag or version at that instant",
            NotIdentified::NoName => "the report does not say which image it is about",
        }
    }
}

/// The place of the version that a target is about in [`Truth::versions`].
///
/// # Errors
/// Why there is none.
pub fn identify(
    truth: &Truth,
    target: &Target,
    report_name: &str,
    at: Instant,
) -> Result<usize, NotIdentified> {
    if !target.digests.is_empty() {
        let known = |digest: &String| newest(truth, at, |version| has_digest(version, digest));
        return target.digests.iter().find_map(known).ok_or(NotIdentified::UnknownDigest);
    }
    let mut why = NotIdentified::NoName;
    for name in &target.names {
        match by_reference(truth, name, at).or_else(|why| by_path(truth, name, at).map_err(|_| why))
        {
            Ok(found) => return Ok(found),
            Err(NotIdentified::UnknownVersion) => why = NotIdentified::UnknownVersion,
            Err(other) if why == NotIdentified::NoName => why = other,
            Err(_) => {}
        }
    }
    by_path(truth, report_name, at).map_err(|_| why)
}

/// Digests, names of images and numbers of versions that may be meant, so that only those need be
/// read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Digests of manifests or configurations.
    pub digests: BTreeSet<String>,
    /// Names that may be images'.
    pub names: BTreeSet<String>,
}

impl Wanted {
    /// Adds what one target of a report may mean; where it has a digest, its names mean nothing.
    pub fn add(&mut self, target: &Target, report_name: &str) {
        self.digests.extend(target.digests.iter().cloned());
        let texts = target.names.iter().map(String::as_str).chain([report_name]);
        for text in texts.filter(|_| target.digests.is_empty()) {
            self.names.insert(reference(text).0.to_owned());
            self.names.extend(segments(text).map(str::to_owned));
            let last = segments(text).last().unwrap_or_default();
            for stem in stems(last) {
                self.names.insert(stem.to_owned());
                self.names.extend(split_version(stem).map(|(name, _)| name.to_owned()));
            }
        }
    }
}

fn has_digest(version: &Version, digest: &str) -> bool {
    version.digest == digest || version.config_digest.as_deref() == Some(digest)
}

/// The newest version of those that had been published.
fn newest(truth: &Truth, at: Instant, is_meant: impl Fn(&Version) -> bool) -> Option<usize> {
    let published =
        truth.versions.iter().enumerate().filter(|(_, version)| version.published_at <= at);
    let meant = published.filter(|(_, version)| is_meant(version));
    meant.max_by_key(|(_, version)| (version.published_at, version.version)).map(|(place, _)| place)
}

/// The last part of a reference, without registry and repository, and its tag.
fn reference(text: &str) -> (&str, Option<&str>) {
    let last = text.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    match last.rsplit_once(':') {
        Some((name, tag)) => (name, Some(tag)),
        None => (last, None),
    }
}

fn by_reference(truth: &Truth, text: &str, at: Instant) -> Result<usize, NotIdentified> {
    let (name, tag) = reference(text);
    if !truth.versions.iter().any(|version| version.image == name) {
        return Err(NotIdentified::UnknownName);
    }
    let tag = tag.filter(|tag| *tag != "latest");
    let found = newest(truth, at, |version| {
        version.image == name && tag.is_none_or(|tag| version.tags.iter().any(|of| of == tag))
    });
    let found = found.filter(|place| {
        // Without a tag the current one is meant: a key of current versions alone may not have it.
        tag.is_some() || truth.versions.get(*place).is_some_and(|version| version.is_current(at))
    });
    found.ok_or(NotIdentified::UnknownVersion)
}

/// A path in which an image's name stands before its version's number, or at its end.
fn by_path(truth: &Truth, text: &str, at: Instant) -> Result<usize, NotIdentified> {
    let numbered = |name: &str, number: &str| {
        let number: i32 = number.parse().ok()?;
        newest(truth, at, |version| version.image == name && version.version == number)
    };
    let all: Vec<&str> = segments(text).collect();
    let pairs = all.windows(2).rev().find_map(|pair| match pair {
        [name, number] => numbered(name, number),
        _ => None,
    });
    if let Some(found) = pairs {
        return Ok(found);
    }
    let last = all.last().copied().unwrap_or_default();
    let by_stem = stems(last).find_map(|stem| {
        let current = newest(truth, at, |version| version.image == stem && version.is_current(at));
        current.or_else(|| split_version(stem).and_then(|(name, number)| numbered(name, number)))
    });
    by_stem.ok_or(NotIdentified::UnknownName)
}

fn segments(text: &str) -> impl Iterator<Item = &str> {
    text.split(['/', '\\']).filter(|segment| !segment.is_empty())
}

/// The name of a file, and what is left of it without one ending after the other.
fn stems(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |stem| stem.rsplit_once('.').map(|(stem, _)| stem))
        .filter(|stem| !stem.is_empty())
}

/// `NAME-7`, `NAME_7` or `NAME@7`.
fn split_version(stem: &str) -> Option<(&str, &str)> {
    let (name, number) = stem.rsplit_once(['-', '_', '@'])?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !name.is_empty()).then_some((name, number))
}
