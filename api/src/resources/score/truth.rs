//! The truth of the versions that reports are about, from the rows that the caller may see.
use crate::http::problem::{Code, Problem};
use crate::http::snapshot::Snapshot;
use chrono::{DateTime, Utc};
use documents::scanner_report::cve_within;
use score::NamedReport;
use score::identify::Wanted;
use score::truth::{Advisory, Affected, Held, Severity, Truth, Version};
use std::collections::{BTreeMap, BTreeSet};
use store::read::evidence::{AdvisoryRow, contents};
use store::read::score::{CandidateRow, advisories, candidates, held};

/// The most versions that may be meant by them.
const MAX_VERSIONS: i64 = 5_000;
/// The most images that reports of one request may be about.
const MAX_TARGETS: usize = 1_000;
/// The most names that are looked up.
const MAX_NAMES: usize = 20_000;

/// What is true of the versions that reports are about, up to the instant that is asked for, or up
/// to which all work is done.
pub(super) async fn read(
    snapshot: &mut Snapshot,
    asked: Option<DateTime<Utc>>,
    reports: &[NamedReport],
) -> Result<Truth, Problem> {
    let position = &snapshot.position;
    let as_of = asked.unwrap_or(position.materialized_through);
    let starts_at = position.history_from.unwrap_or(position.starts_at);
    let mut wanted = Wanted::default();
    if reports.iter().map(|report| report.report.targets.len()).sum::<usize>() > MAX_TARGETS {
        return Err(too_much("images", MAX_TARGETS));
    }
    for report in reports {
        for target in &report.report.targets {
            wanted.add(target, &report.name);
        }
    }
    let names: Vec<_> = wanted.names.into_iter().filter(|name| is_plain(name)).collect();
    let digests: Vec<_> = wanted.digests.into_iter().collect();
    let found = if names.len() + digests.len() > MAX_NAMES {
        return Err(too_much("names", MAX_NAMES));
    } else {
        candidates(snapshot.conn(), as_of, &digests, &names, MAX_VERSIONS + 1).await?
    };
    if found.len() as u64 > MAX_VERSIONS.unsigned_abs() {
        return Err(too_much("versions of images", MAX_VERSIONS));
    }
    let versions = versions(snapshot, as_of, found).await?;
    let of_versions = versions.iter().flat_map(|version| &version.held);
    let mut cves: BTreeSet<String> = of_versions.map(|held| held.cve.clone()).collect();
    cves.extend(reported(reports));
    let cves: Vec<_> = cves.into_iter().collect();
    let rows = advisories(snapshot.conn(), as_of, &cves).await?;
    let advisories = rows.chunk_by(|a, b| a.id == b.id).filter_map(advisory).collect();
    Ok(Truth { starts_at, as_of, advisories, versions })
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

fn too_much(what: &str, limit: impl std::fmt::Display) -> Problem {
    let detail = format!("The reports are about more than {limit} {what}.");
    Problem::new(Code::TooMuchWork, detail).hint(super::HINT)
}

/// The CVE ids in what is reported, as the world writes them.
fn reported(reports: &[NamedReport]) -> BTreeSet<String> {
    let targets = reports.iter().flat_map(|report| &report.report.targets);
    let findings = targets.flat_map(|target| target.findings.iter().flatten());
    let ids = findings.flat_map(|finding| &finding.ids).map(|id| id.to_ascii_uppercase());
    ids.filter_map(|id| cve_within(&id).map(str::to_owned)).collect()
}

/// The versions with what they hold.
async fn versions(
    snapshot: &mut Snapshot,
    as_of: DateTime<Utc>,
    found: Vec<CandidateRow>,
) -> Result<Vec<Version>, Problem> {
    let keys: Vec<_> = found.iter().map(|row| (row.image_id, row.version)).collect();
    let mut packages: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for row in contents(snapshot.conn(), &keys).await? {
        let of_version = packages.entry((row.image_id, row.version)).or_default();
        of_version.insert(row.package, row.package_version);
    }
    let mut vulnerabilities: BTreeMap<_, Vec<Held>> = BTreeMap::new();
    for row in held(snapshot.conn(), as_of, &keys).await? {
        let of_version = vulnerabilities.entry((row.image_id, row.version)).or_default();
        of_version.push(Held { cve: row.cve, package: row.package, judged_at: row.judged_at });
    }
    let version = |row: CandidateRow| {
        let key = (row.image_id, row.version);
        Version {
            image: row.image,
            version: row.version,
            digest: row.digest,
            config_digest: row.config_digest,
            tags: row.tags,
            published_at: row.published_at,
            superseded_at: row.superseded_at,
            packages: packages.remove(&key).unwrap_or_default(),
            held: vulnerabilities.remove(&key).unwrap_or_default(),
        }
    };
    Ok(found.into_iter().map(version).collect())
}

fn advisory(rows: &[AdvisoryRow]) -> Option<(String, Advisory)> {
    let first = rows.first()?;
    let affected = |row: &AdvisoryRow| {
        let introduced = row.introduced_version.clone();
        let (fixed, fixed_at) = (row.fixed_version.clone(), row.fixed_at);
        (row.package.clone(), Affected { introduced, fixed, fixed_at })
    };
    let advisory = Advisory {
        severity: Severity::from_name(&first.severity),
        published_at: first.published_at,
        detectable_at: first.detectable_at,
        aliases: Vec::new(),
        packages: rows.iter().map(affected).collect(),
    };
    Some((first.cve.clone(), advisory))
}
