//! Advisories as OSV 1.7 records, the form in which scanners take vulnerability data.

use serde::Serialize;

use crate::affected::FROM_THE_START;
use crate::cvss::BaseScore;
use crate::distribution::Distribution;
use crate::error::{Error, to_json};
use crate::purl;
use crate::subject::{DISCLAIMER, NAMESPACE};
use crate::timestamp::Timestamp;

/// The version of the OSV schema.
pub const SCHEMA_VERSION: &str = "1.7.0";

/// One package that an advisory affects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AffectedPackage {
    /// The package's name.
    pub name: String,
    /// First affected apk version; `"0"` for all from the start.
    pub introduced: String,
    /// First fixed apk version, if a fix is known.
    pub fixed: Option<String>,
}

/// A vulnerability as it is known at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advisory {
    /// `CVE-<year>-<seven digits>`: no real CVE has seven, so none is mistaken.
    pub id: String,
    /// One line.
    pub summary: String,
    /// Some sentences; may be empty.
    pub details: String,
    /// CVSS 3.1 base vector.
    pub cvss_vector: String,
    /// When it was disclosed.
    pub published: Timestamp,
    /// When this record last changed (for example: a fix became known).
    pub modified: Timestamp,
    /// What it affects.
    pub affected: Vec<AffectedPackage>,
}

#[derive(Serialize)]
struct Record<'a> {
    schema_version: &'static str,
    id: &'a str,
    modified: Timestamp,
    published: Timestamp,
    summary: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    details: &'a str,
    severity: [Severity<'a>; 1],
    affected: Vec<Affected<'a>>,
    references: [Reference; 1],
    database_specific: DatabaseSpecific,
}

#[derive(Serialize)]
struct Severity<'a> {
    r#type: &'static str,
    score: &'a str,
}

#[derive(Serialize)]
struct Affected<'a> {
    package: Package<'a>,
    ranges: [Range<'a>; 1],
}

#[derive(Serialize)]
struct Package<'a> {
    ecosystem: &'static str,
    name: &'a str,
    purl: String,
}

#[derive(Serialize)]
struct Range<'a> {
    r#type: &'static str,
    events: Vec<Event<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Event<'a> {
    Introduced(&'a str),
    Fixed(&'a str),
}

#[derive(Serialize)]
struct Reference {
    r#type: &'static str,
    url: String,
}

#[derive(Serialize)]
struct DatabaseSpecific {
    note: &'static str,
    severity: &'static str,
    cvss_score: String,
}

/// The OSV record of an advisory of the distribution. Score and severity are computed
/// from the vector.
///
/// # Errors
/// [`Error::CvssVector`] for a bad vector, [`Error::Purl`] for a package without a name.
pub fn record(advisory: &Advisory, distribution: Distribution) -> Result<Vec<u8>, Error> {
    let score = BaseScore::of(&advisory.cvss_vector)?;
    let affected: Result<Vec<_>, Error> =
        advisory.affected.iter().map(|package| affected(package, distribution)).collect();
    let record = Record {
        schema_version: SCHEMA_VERSION,
        id: &advisory.id,
        modified: advisory.modified,
        published: advisory.published,
        summary: &advisory.summary,
        details: &advisory.details,
        severity: [Severity { r#type: "CVSS_V3", score: &advisory.cvss_vector }],
        affected: affected?,
        references: [Reference {
            r#type: "ADVISORY",
            url: format!("{NAMESPACE}/advisories/{}", advisory.id),
        }],
        database_specific: DatabaseSpecific {
            note: DISCLAIMER,
            severity: score.severity().as_str(),
            cvss_score: score.to_string(),
        },
    };
    to_json("OSV record", 1024 + advisory.affected.len() * 256, &record)
}

fn affected<'a>(
    package: &'a AffectedPackage,
    distribution: Distribution,
) -> Result<Affected<'a>, Error> {
    let introduced =
        if package.introduced.is_empty() { FROM_THE_START } else { &package.introduced };
    let mut events = vec![Event::Introduced(introduced)];
    events.extend(package.fixed.as_deref().map(Event::Fixed));
    Ok(Affected {
        package: Package {
            ecosystem: distribution.osv_ecosystem(),
            name: &package.name,
            purl: purl::package(distribution, &package.name)?,
        },
        ranges: [Range { r#type: "ECOSYSTEM", events }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_record() {
        let advisory = Advisory {
            id: "CVE-2026-1000001".into(),
            summary: "Out-of-bounds write in zlib".into(),
            details: String::new(),
            cvss_vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into(),
            published: Timestamp::from_ms(1_767_578_400_000).unwrap(),
            modified: Timestamp::from_ms(1_767_578_400_500).unwrap(),
            affected: vec![
                AffectedPackage {
                    name: "zlib".into(),
                    introduced: "0".into(),
                    fixed: Some("1.3.1-r2".into()),
                },
                AffectedPackage { name: "libz++".into(), introduced: "2.0-r0".into(), fixed: None },
            ],
        };
        let text = String::from_utf8(record(&advisory, Distribution::Alpine).unwrap()).unwrap();
        assert_eq!(text, include_str!("osv/golden.json").trim_end());
        let broken = Advisory { cvss_vector: "CVSS:3.1/AV:N".into(), ..advisory };
        assert!(record(&broken, Distribution::Alpine).is_err());
    }
}
