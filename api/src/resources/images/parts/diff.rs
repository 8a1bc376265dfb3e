//! How two versions of an image differ: packages, and the advisories that affect them.
use crate::http::examples;
use crate::http::problem::Problem;
use crate::http::snapshot::Snapshot;
use crate::http::time::{self, Instant};
use crate::schemas::severity::Severity;
use poem_openapi::Object;
use poem_openapi::types::Example;
use store::read::diff::{AdvisoryRow, PackageRow};
use store::read::versions::VersionRow;

/// One of two versions that are compared.
#[derive(Object)]
struct Side {
    /// Its ordinal.
    version: i32,
    /// Its digest.
    digest: String,
    /// When it was published.
    published_at: Instant,
}

impl From<VersionRow> for Side {
    fn from(row: VersionRow) -> Self {
        Side { version: row.version, digest: row.digest, published_at: row.published_at.into() }
    }
}

/// A package of one version alone.
#[derive(Object)]
struct OnePackage {
    /// Its name.
    package: String,
    /// Its version.
    version: String,
}

/// A package that both versions hold, in different versions of its own.
#[derive(Object)]
struct ChangedPackage {
    /// Its name.
    package: String,
    /// Its version before.
    from: String,
    /// Its version after.
    to: String,
}

/// The packages that differ, by name.
#[derive(Default, Object)]
struct PackageChanges {
    /// Only in the newer version.
    added: Vec<OnePackage>,
    /// Only in the older version.
    removed: Vec<OnePackage>,
    /// In both, not the same.
    changed: Vec<ChangedPackage>,
}

/// An advisory that affects only one of the two versions.
#[derive(Object)]
struct ChangedAdvisory {
    /// The CVE id.
    cve: String,
    /// Its severity.
    severity: Severity,
    /// Its CVSS base score.
    score: f64,
    /// Whether it is known to be exploited.
    known_exploited: bool,
    /// The packages through which it affects that version.
    packages: Vec<String>,
    /// The advisory.
    href: String,
}

/// The advisories that differ, the most severe first.
#[derive(Default, Object)]
struct AdvisoryChanges {
    /// They affect only the older version.
    fixed: Vec<ChangedAdvisory>,
    /// They affect only the newer version.
    introduced: Vec<ChangedAdvisory>,
}

/// How two versions of an image differ.
#[derive(Object)]
#[oai(example)]
pub(super) struct Diff {
    /// The image's name.
    image: String,
    /// The older version.
    from: Side,
    /// The newer version.
    to: Side,
    /// Packages that were added, removed or changed.
    packages: PackageChanges,
    /// CVEs that were fixed or introduced.
    advisories: AdvisoryChanges,
    /// The simulated instant this speaks of.
    as_of: Instant,
    /// Whether this answer can never change again.
    settled: bool,
}

impl Diff {
    pub(super) fn new(
        image: String,
        (from, to): (VersionRow, VersionRow),
        packages: Vec<PackageRow>,
        advisories: Vec<AdvisoryRow>,
        snapshot: &Snapshot,
    ) -> Result<Self, Problem> {
        Ok(Diff {
            image,
            from: from.into(),
            to: to.into(),
            packages: package_changes(packages),
            advisories: advisory_changes(advisories)?,
            as_of: snapshot.as_of(),
            settled: snapshot.settled(),
        })
    }
}

fn package_changes(rows: Vec<PackageRow>) -> PackageChanges {
    let mut changes = PackageChanges::default();
    for PackageRow { package, before, after } in rows {
        match (before, after) {
            (None, Some(version)) => changes.added.push(OnePackage { package, version }),
            (Some(version), None) => changes.removed.push(OnePackage { package, version }),
            (Some(from), Some(to)) => changes.changed.push(ChangedPackage { package, from, to }),
            (None, None) => {}
        }
    }
    changes
}

fn advisory_changes(rows: Vec<AdvisoryRow>) -> Result<AdvisoryChanges, Problem> {
    let mut changes = AdvisoryChanges::default();
    for row in rows {
        let list = if row.introduced { &mut changes.introduced } else { &mut changes.fixed };
        list.push(ChangedAdvisory {
            href: format!("/v1/advisories/{}", row.cve),
            cve: row.cve,
            severity: Severity::parse(&row.severity)?,
            score: row.score,
            known_exploited: row.known_exploited,
            packages: row.packages,
        });
    }
    Ok(changes)
}

impl Example for Diff {
    fn example() -> Self {
        let side = |version, digit: &str, hour| Side {
            version,
            digest: format!("sha256:{}", digit.repeat(64)),
            published_at: time::example(hour),
        };
        let package = PackageRow {
            package: examples::PACKAGE.to_owned(),
            before: Some("1.3.1-r0".to_owned()),
            after: Some("1.3.2-r0".to_owned()),
        };
        let fixed = ChangedAdvisory {
            cve: examples::CVE.to_owned(),
            severity: Severity::Critical,
            score: 9.8,
            known_exploited: true,
            packages: vec![examples::PACKAGE.to_owned()],
            href: format!("/v1/advisories/{}", examples::CVE),
        };
        Diff {
            image: examples::IMAGE.to_owned(),
            from: side(4, "d", -24),
            to: side(5, "a", 2),
            packages: package_changes(vec![package]),
            advisories: AdvisoryChanges { fixed: vec![fixed], introduced: Vec::new() },
            as_of: time::example(6),
            settled: true,
        }
    }
}
