//! The answer key of an export (`answers.json`) as the truth. An export is one's own, but the file
//! may have been cut or edited: it is read strictly, and what is wrong is told.
use crate::truth::{Advisory, Affected, Held, Instant, Severity, Truth, Version};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The format that is read.
pub const FORMAT: &str = "wavetank-answers/1";
/// The largest answer key that is read, in bytes.
pub const MAX_BYTES: u64 = 1 << 30;

/// Why an answer key cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AnswersError {
    /// It is not what an export holds.
    #[error("answers.json: {0}")]
    Json(#[from] serde_json::Error),
    /// It is of another format.
    #[error("answers.json is of the format {found:?}, expected {FORMAT:?}")]
    Format {
        /// What it says.
        found: String,
    },
    /// An earlier release wrote it, which left out what a score needs.
    #[error(
        "answers.json lacks what a score needs: an earlier release exported it hint: export the \
         world again with this release"
    )]
    Earlier,
}

#[derive(Deserialize)]
struct Key {
    format: String,
    as_of: Instant,
    starts_at: Option<Instant>,
    vulnerabilities: Vec<Vulnerability>,
    images: Vec<Image>,
}

#[derive(Deserialize)]
struct Vulnerability {
    cve: String,
    #[serde(default)]
    aliases: Vec<String>,
    severity: Severity,
    published_at: Instant,
    detectable_at: Instant,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    introduced: String,
    fixed: Option<String>,
    fixed_at: Option<Instant>,
}

#[derive(Deserialize)]
struct Image {
    name: String,
    version: i32,
    digest: String,
    config_digest: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    published_at: Instant,
    superseded_at: Option<Instant>,
    packages: Option<BTreeMap<String, String>>,
    vulnerabilities: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    cve: String,
    package: String,
    #[serde(default)]
    not_affected_at: Option<Instant>,
}

/// Reads an answer key.
///
/// # Errors
/// It is not one, or lacks what a score needs.
pub fn parse(bytes: &[u8]) -> Result<Truth, AnswersError> {
    #[derive(Deserialize)]
    struct Head {
        format: String,
    }
    let Head { format } = serde_json::from_slice(bytes)?;
    if format != FORMAT {
        return Err(AnswersError::Format { found: format });
    }
    let key: Key = serde_json::from_slice(bytes)?;
    debug_assert_eq!(key.format, FORMAT);
    let starts_at = key.starts_at.ok_or(AnswersError::Earlier)?;
    let versions: Result<Vec<_>, _> = key.images.into_iter().map(version).collect();
    let advisories = key.vulnerabilities.into_iter().map(|of| (of.cve.clone(), advisory(of)));
    Ok(Truth { starts_at, as_of: key.as_of, advisories: advisories.collect(), versions: versions? })
}

fn advisory(of: Vulnerability) -> Advisory {
    let affected = |of: Package| {
        (of.name, Affected { introduced: of.introduced, fixed: of.fixed, fixed_at: of.fixed_at })
    };
    Advisory {
        severity: of.severity,
        published_at: of.published_at,
        detectable_at: of.detectable_at,
        aliases: of.aliases,
        packages: of.packages.into_iter().map(affected).collect(),
    }
}

fn version(image: Image) -> Result<Version, AnswersError> {
    let held = image.vulnerabilities.into_iter().map(|entry| Held {
        cve: entry.cve,
        package: entry.package,
        judged_at: entry.not_affected_at,
    });
    Ok(Version {
        image: image.name,
        version: image.version,
        digest: image.digest,
        config_digest: image.config_digest,
        tags: image.tags,
        published_at: image.published_at,
        superseded_at: image.superseded_at,
        packages: image.packages.ok_or(AnswersError::Earlier)?,
        held: held.collect(),
    })
}
