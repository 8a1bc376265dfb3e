//! The answer key: which image truly has which vulnerability, from when to when. For people who
//! test scanners; nothing in a world reads it. It comes from rows alone, so that a world can be
//! exported whichever version of the kernel made it.
use super::Collector;
use anyhow::Result;
use chrono::{DateTime, Utc};
use documents::statement::PredicateType;
use serde::Serialize;
use std::collections::BTreeMap;
use store::read::evidence::{AdvisoryRow, TruthRow, VersionRow, Which, advisories, bundles, truth};

/// `answers.json`.
#[derive(Debug, Serialize)]
pub(super) struct Answers {
    format: &'static str,
    /// What was known and published by then.
    as_of: DateTime<Utc>,
    /// All that was disclosed.
    vulnerabilities: Vec<Vulnerability>,
    images: Vec<Image>,
}

#[derive(Debug, Serialize)]
struct Vulnerability {
    cve: String,
    severity: String,
    cvss_vector: String,
    published_at: DateTime<Utc>,
    /// From when a scanner of this world could see it: feeds lag.
    detectable_at: DateTime<Utc>,
    packages: Vec<Package>,
}

#[derive(Debug, Serialize)]
struct Package {
    name: String,
    introduced: String,
    fixed: Option<String>,
    fixed_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize)]
struct Image {
    name: String,
    version: i32,
    digest: String,
    published_at: DateTime<Utc>,
    superseded_at: Option<DateTime<Utc>>,
    slsa_level: Option<i32>,
    /// What an attacker has replaced, by the name of its bundle: a verifier must refuse it.
    tampered: Vec<String>,
    vulnerabilities: Vec<Held>,
}

#[derive(Debug, Serialize)]
struct Held {
    cve: String,
    package: String,
    installed: String,
    /// Since when this version has it: its publication, or the disclosure if that came later.
    from: DateTime<Utc>,
    /// Until when this version was the current one; null if it still is.
    until: Option<DateTime<Utc>>,
    /// Whether it matters here. If not, a finding that matches the package is a false positive,
    /// judged so by then or not.
    affected: bool,
}

/// Makes the answer key of those versions.
pub(super) async fn answers(
    world: &Collector,
    which: Which<'_>,
    versions: &[VersionRow],
) -> Result<Answers> {
    let mut conn = world.pool.acquire().await?;
    let disclosed = advisories(&mut conn, world.as_of).await?;
    let rows = truth(&mut conn, world.as_of, which).await?;
    let keys: Vec<_> = versions.iter().map(|row| (row.image_id, row.version)).collect();
    let mut tampered: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for bundle in bundles(&mut conn, world.as_of, &keys).await? {
        let kind = PredicateType::from_uri(&bundle.predicate_type).filter(|_| bundle.replaced);
        if let Some(kind) = kind {
            let of_version = tampered.entry((bundle.image_id, bundle.version)).or_default();
            of_version.push(kind.as_str().to_owned());
        }
    }
    drop(conn);
    let mut held: BTreeMap<_, Vec<Held>> = BTreeMap::new();
    for row in rows {
        held.entry((row.image_id, row.version)).or_default().push(row.into());
    }
    let images = versions.iter().map(|row| Image {
        name: row.name.clone(),
        version: row.version,
        digest: row.digest.clone(),
        published_at: row.published_at,
        superseded_at: row.superseded_at,
        slsa_level: row.slsa_level,
        tampered: tampered.remove(&(row.image_id, row.version)).unwrap_or_default(),
        vulnerabilities: held.remove(&(row.image_id, row.version)).unwrap_or_default(),
    });
    Ok(Answers {
        format: "wavetank-answers/1",
        as_of: world.as_of,
        images: images.collect(),
        vulnerabilities: disclosed.chunk_by(|a, b| a.id == b.id).filter_map(disclosure).collect(),
    })
}

impl From<TruthRow> for Held {
    fn from(row: TruthRow) -> Self {
        Held {
            from: row.published_at.max(row.disclosed_at),
            cve: row.cve,
            package: row.package,
            installed: row.installed_version,
            until: row.superseded_at,
            affected: row.affected,
        }
    }
}

fn disclosure(rows: &[AdvisoryRow]) -> Option<Vulnerability> {
    let first = rows.first()?;
    let package = |row: &AdvisoryRow| Package {
        name: row.package.clone(),
        introduced: row.introduced_version.clone(),
        fixed: row.fixed_version.clone(),
        fixed_at: row.fixed_at,
    };
    Some(Vulnerability {
        cve: first.cve.clone(),
        severity: first.severity.clone(),
        cvss_vector: first.vector.clone(),
        published_at: first.published_at,
        detectable_at: first.detectable_at,
        packages: rows.iter().map(package).collect(),
    })
}
