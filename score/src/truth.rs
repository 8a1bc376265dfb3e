//! What is true of a world: which advisories there are, what each version of each image holds, and
//! what was judged not to matter there. Each thing has its instants, so that it can be asked as of
//! any.
use chrono::{DateTime, Utc};
use documents::scanner_report::cve_within;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An instant.
pub type Instant = DateTime<Utc>;

/// How severe an advisory is; of what only a report knows, what that says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// CVSS 9.0 to 10.0.
    Critical,
    /// 7.0 to 8.9.
    High,
    /// 4.0 to 6.9.
    Medium,
    /// Below.
    Low,
    /// Nobody says, or in a word of its own.
    #[default]
    Unknown,
}

impl Severity {
    /// The name, as outputs write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::High => "high",
            Severity::Medium => "medium",
            Severity::Low => "low",
            Severity::Unknown => "unknown",
        }
    }

    /// From the name, in lower case; what is not one of the four is unknown.
    pub fn from_name(name: &str) -> Self {
        let all = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];
        all.into_iter().find(|severity| severity.as_str() == name).unwrap_or_default()
    }
}

/// An advisory of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advisory {
    /// Its severity.
    pub severity: Severity,
    /// When it became public.
    pub published_at: Instant,
    /// From when on a scanner could know of it.
    pub detectable_at: Instant,
    /// Other ids of it.
    pub aliases: Vec<String>,
    /// The packages that it concerns, by name.
    pub packages: BTreeMap<String, Affected>,
}

/// Which versions of a package an advisory concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// The first one; `0` for all from the start.
    pub introduced: String,
    /// The first one that is fixed, if there is one.
    pub fixed: Option<String>,
    /// When that was released.
    pub fixed_at: Option<Instant>,
}

/// A version of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The image's name.
    pub image: String,
    /// The version's ordinal.
    pub version: i32,
    /// The digest of its manifest, `sha256:...`.
    pub digest: String,
    /// That of its configuration, which tools call the image's id.
    pub config_digest: Option<String>,
    /// Its tags when it was published.
    pub tags: Vec<String>,
    /// When it was published.
    pub published_at: Instant,
    /// When the next one took its place.
    pub superseded_at: Option<Instant>,
    /// The packages in it, with their versions.
    pub packages: BTreeMap<String, String>,
    /// The vulnerabilities that its packages have.
    pub held: Vec<Held>,
}

/// A vulnerability that a package of a version has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The advisory.
    pub cve: String,
    /// The package.
    pub package: String,
    /// When it was judged not to matter in this image; none: it was not.
    pub judged_at: Option<Instant>,
}

/// The truth about a world, or about a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// When the world began.
    pub starts_at: Instant,
    /// Up to when it is told.
    pub as_of: Instant,
    /// The advisories, by CVE.
    pub advisories: BTreeMap<String, Advisory>,
    /// The versions.
    pub versions: Vec<Version>,
}

impl Version {
    /// Whether it was the current one of its image at an instant.
    pub fn is_current(&self, at: Instant) -> bool {
        self.published_at <= at && self.superseded_at.is_none_or(|until| at < until)
    }
}

/// Finds the advisory that an id names, whichever of its ids that is.
pub(crate) struct Ids<'a>(BTreeMap<String, &'a str>);

impl<'a> Ids<'a> {
    pub(crate) fn of(truth: &'a Truth) -> Self {
        let mut known = BTreeMap::new();
        for (cve, advisory) in &truth.advisories {
            for alias in &advisory.aliases {
                known.insert(alias.to_ascii_uppercase(), cve.as_str());
            }
        }
        for cve in truth.advisories.keys() {
            known.insert(cve.to_ascii_uppercase(), cve.as_str());
        }
        Ids(known)
    }

    /// The advisory that one of the ids names: as it is, or by the CVE id within it (as OSV's ids
    /// for distributions have one).
    pub(crate) fn find(&self, ids: &[String]) -> Option<&'a str> {
        ids.iter().find_map(|id| {
            let id = id.to_ascii_uppercase();
            let whole = self.0.get(&id);
            whole.or_else(|| cve_within(&id).and_then(|cve| self.0.get(cve))).copied()
        })
    }
}
