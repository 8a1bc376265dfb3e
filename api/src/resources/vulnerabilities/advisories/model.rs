//! Advisories as the API shows them.
use crate::http::examples;
use crate::http::pages::page;
use crate::http::problem::Problem;
use crate::http::snapshot::Snapshot;
use crate::http::time::{self, Instant};
use crate::schemas::scan::AdvisoryScan;
use crate::schemas::severity::Severity;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use store::read::advisories::{AdvisoryRow, AffectedRow, ReachRow};

/// An advisory.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct Advisory {
    /// Its CVE id.
    cve: String,
    /// Its severity.
    severity: Severity,
    /// Its CVSS base score.
    score: f64,
    /// Its CVSS 3.1 base vector.
    vector: String,
    /// Whether it is known to be exploited.
    known_exploited: bool,
    /// When it was published.
    published_at: Instant,
    /// From when on a scanner saw it; absent until then.
    detectable_at: Option<Instant>,
    /// When an upstream fix was there; absent until then.
    fix_available_at: Option<Instant>,
    /// The packages it affects, the first 10.
    packages: Vec<String>,
    /// How many packages it affects.
    package_count: i64,
    /// Whether all versions in use have been looked at for it; while that is pending nobody knows who
    /// is exposed.
    scan: AdvisoryScan,
    /// This advisory.
    href: String,
    /// Who is exposed to it.
    exposure_href: String,
}

impl Advisory {
    pub(super) fn new(row: AdvisoryRow) -> Result<Self, Problem> {
        Ok(Advisory {
            href: format!("/v1/advisories/{}", row.cve),
            exposure_href: format!("/v1/advisories/{}/exposure", row.cve),
            cve: row.cve,
            severity: Severity::parse(&row.severity)?,
            score: row.score,
            vector: row.vector,
            known_exploited: row.known_exploited,
            published_at: row.published_at.into(),
            detectable_at: row.detectable_at.map(Into::into),
            fix_available_at: row.fix_available_at.map(Into::into),
            packages: row.packages,
            package_count: row.package_count,
            scan: row.scan.into(),
        })
    }
}

page! {
    /// A page of advisories.
    AdvisoryPage of Advisory
}

/// A package that an advisory affects, from one version up to another.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct AffectedPackage {
    /// The package's name.
    package: String,
    /// The first affected version.
    introduced_version: String,
    /// The first version that is not affected any more; absent until it is released.
    fixed_version: Option<String>,
    /// When that was released.
    fixed_at: Option<Instant>,
    /// The images that hold the package.
    images_href: String,
}

impl From<AffectedRow> for AffectedPackage {
    fn from(row: AffectedRow) -> Self {
        AffectedPackage {
            images_href: format!("/v1/packages/{}/images", row.package),
            package: row.package,
            introduced_version: row.introduced_version,
            fixed_version: row.fixed_version,
            fixed_at: row.fixed_at.map(Into::into),
        }
    }
}

/// What happened to an advisory.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum AdvisoryEventKind {
    /// It was published.
    Published,
    /// Scanners could see it.
    Detectable,
    /// A scan found it on an image.
    FirstDetected,
    /// An upstream fix was there.
    FixAvailable,
    /// A release of a package without it was there.
    PackageFixed,
}

/// Something that happened to an advisory.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct AdvisoryEvent {
    /// When.
    at: Instant,
    /// What.
    event: AdvisoryEventKind,
    /// The package that was fixed.
    package: Option<String>,
    /// The version that fixed it.
    version: Option<String>,
}

/// An advisory with what it affects, what happened to it, and how far it reached.
#[derive(Object)]
#[oai(example)]
pub(super) struct AdvisoryDetail {
    #[oai(flatten)]
    advisory: Advisory,
    /// What it affects: the first 200 packages by name.
    affected: Vec<AffectedPackage>,
    /// What happened to it, in order.
    timeline: Vec<AdvisoryEvent>,
    /// How many images it was found on. These numbers count what was found: while `scan` is pending,
    /// that there is nothing says nothing.
    images_affected: i64,
    /// How many of them had no published version without it.
    images_open: i64,
    /// How many had one: their newest versions are without it.
    images_fixed: i64,
    /// How many findings of it were open, on whatever version.
    findings_open: i64,
    /// On how many images it was judged a false positive.
    images_not_affected: i64,
    /// The simulated instant this speaks of.
    as_of: Instant,
    /// Whether this answer can never change again.
    settled: bool,
}

impl AdvisoryDetail {
    pub(super) fn new(
        row: AdvisoryRow,
        affected: Vec<AffectedRow>,
        reach: ReachRow,
        snapshot: &Snapshot,
    ) -> Result<Self, Problem> {
        let advisory = Advisory::new(row)?;
        Ok(AdvisoryDetail {
            timeline: timeline(&advisory, &affected, reach.first_detected_at.map(Into::into)),
            advisory,
            affected: affected.into_iter().map(Into::into).collect(),
            images_affected: reach.images_affected,
            images_open: reach.images_open,
            images_fixed: reach.images_affected - reach.images_open,
            findings_open: reach.findings_open,
            images_not_affected: reach.images_not_affected,
            as_of: snapshot.as_of(),
            settled: snapshot.settled(),
        })
    }
}

fn timeline(
    advisory: &Advisory,
    affected: &[AffectedRow],
    detected: Option<Instant>,
) -> Vec<AdvisoryEvent> {
    let plain = |at, event| AdvisoryEvent { at, event, package: None, version: None };
    let known = [
        (Some(advisory.published_at), AdvisoryEventKind::Published),
        (advisory.detectable_at, AdvisoryEventKind::Detectable),
        (detected, AdvisoryEventKind::FirstDetected),
        (advisory.fix_available_at, AdvisoryEventKind::FixAvailable),
    ];
    let mut events: Vec<AdvisoryEvent> =
        known.into_iter().filter_map(|(at, event)| Some(plain(at?, event))).collect();
    for row in affected {
        let Some(at) = row.fixed_at else { continue };
        events.push(AdvisoryEvent {
            at: at.into(),
            event: AdvisoryEventKind::PackageFixed,
            package: Some(row.package.clone()),
            version: row.fixed_version.clone(),
        });
    }
    events.sort_by_key(|event| event.at);
    events
}

impl Example for Advisory {
    fn example() -> Self {
        Advisory {
            cve: examples::CVE.to_owned(),
            severity: Severity::Critical,
            score: 9.8,
            vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned(),
            known_exploited: true,
            published_at: time::example(0),
            detectable_at: Some(time::example(3)),
            fix_available_at: Some(time::example(1)),
            packages: vec![examples::PACKAGE.to_owned()],
            package_count: 1,
            scan: AdvisoryScan::Complete,
            href: format!("/v1/advisories/{}", examples::CVE),
            exposure_href: format!("/v1/advisories/{}/exposure", examples::CVE),
        }
    }
}

impl Example for AdvisoryDetail {
    fn example() -> Self {
        let row = AffectedRow {
            package: examples::PACKAGE.to_owned(),
            introduced_version: "1.3.0-r0".to_owned(),
            fixed_version: Some("1.3.2-r0".to_owned()),
            fixed_at: Some(time::example(5).datetime()),
        };
        let advisory = Advisory::example();
        let affected = vec![row];
        AdvisoryDetail {
            timeline: timeline(&advisory, &affected, Some(time::example(4))),
            advisory,
            affected: affected.into_iter().map(Into::into).collect(),
            images_affected: 31,
            images_open: 12,
            images_fixed: 19,
            findings_open: 40,
            images_not_affected: 1,
            as_of: time::example(6),
            settled: true,
        }
    }
}
