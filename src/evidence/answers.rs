//! The answer key: which image truly has which vulnerability, from when to when. For people who
//! test scanners; nothing in a world reads it. It comes from rows alone, so that a world can be
//! exported whichever version of the kernel made it.
use super::{Collector, pretty};
use anyhow::{Context, Result};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use documents::statement::PredicateType;
use serde::Serialize;
use std::collections::BTreeMap;
use store::artifacts::kind;
use store::read::evidence::{
    AdvisoryRow, TruthRow, VersionRow, Which, advisories, bundles, contents as contents_of,
    documents, truth,
};

/// `answers.json`.
#[derive(Debug, Serialize)]
pub(super) struct Answers {
    format: &'static str,
    /// What was known and published by then.
    as_of: DateTime<Utc>,
    /// When the world began.
    starts_at: DateTime<Utc>,
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
    /// The digest of its configuration: what tools call the image's id.
    config_digest: Option<String>,
    tags: Vec<String>,
    published_at: DateTime<Utc>,
    superseded_at: Option<DateTime<Utc>>,
    slsa_level: Option<i32>,
    /// What an attacker has replaced, by the name of its bundle: a verifier must refuse it.
    tampered: Vec<String>,
    /// What it holds: each package with its version.
    packages: BTreeMap<String, String>,
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
    /// When it was judged not to matter, as its VEX document says from then on; null: not yet.
    not_affected_at: Option<DateTime<Utc>>,
}

/// The answer key of all versions of a world, as an export would hold it.
///
/// # Errors
/// The database fails.
pub async fn answer_key(world: &Collector) -> Result<Bytes> {
    let versions = world.versions(Which::All).await?;
    Ok(pretty(&answers(world, Which::All, &versions).await?)?)
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
    let mut contents: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for row in contents_of(&mut conn, &keys).await? {
        let of_version = contents.entry((row.image_id, row.version)).or_default();
        of_version.insert(row.package, row.package_version);
    }
    let builds: Vec<_> = versions.iter().map(|row| row.build_id).collect();
    let documents = documents(&mut conn, &builds).await?.into_iter();
    let configs = documents.filter(|document| document.kind == kind::CONFIG);
    let mut configs: BTreeMap<_, _> =
        configs.map(|of| (of.build_id, format!("sha256:{}", of.sha256))).collect();
    let mut tampered: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for bundle in bundles(&mut conn, world.as_of, &keys).await? {
        let said = PredicateType::from_uri(&bundle.predicate_type).filter(|_| bundle.replaced);
        if let Some(kind) = said {
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
        config_digest: configs.remove(&row.build_id),
        tags: row.tags.clone(),
        published_at: row.published_at,
        superseded_at: row.superseded_at,
        slsa_level: row.slsa_level,
        tampered: tampered.remove(&(row.image_id, row.version)).unwrap_or_default(),
        packages: contents.remove(&(row.image_id, row.version)).unwrap_or_default(),
        vulnerabilities: held.remove(&(row.image_id, row.version)).unwrap_or_default(),
    });
    Ok(Answers {
        format: "wavetank-answers/1",
        as_of: world.as_of,
        starts_at: world.origin.starts_at.to_datetime().context("the world's start")?,
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
            not_affected_at: row.judged_at,
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
