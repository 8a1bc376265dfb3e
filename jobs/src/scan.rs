//! The `scan` job: reads the stored SBOM of each version, matches its packages against the stored
//! advisories as they were known at that instant, and holds the kernel to the result. Where the
//! result is another than before, it signs a report and a VEX document.
use crate::check::{expect_equal, expect_equal_lists};
use crate::error::{JobError, PlanError};
use crate::job::{Job, JobContext, SequencedFact, Stage};
use crate::plan::Plan;
use crate::sign::StatementContext;
use anyhow::{Context, anyhow};
use sim::fact::{Fact, Scan, ScanTarget};
use sim::ids::{AdvisoryId, ImageId, VersionRef};
use sim::time::SimTime;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use store::findings::{self, Detected};
use store::queue::Queue;
use store::{attestations, images};

mod inventory;
mod matcher;
mod planning;
mod report;

use inventory::Inventory;
use matcher::{Hit, Matcher};
pub(crate) use report::OPENVEX_TYPE;
use report::{Report, ReportDocuments};

/// Scans, in order.
#[derive(Clone, Copy, Debug)]
pub struct ScanJob;

impl Job for ScanJob {
    type Payload = Vec<SequencedFact<Scan>>;

    const QUEUE: Queue = Queue::Scan;
    const STAGE: Stage = Stage::Scan;

    fn plan(facts: &[Fact], plan: &mut Plan) -> Result<(), PlanError> {
        planning::plan(facts, plan)
    }

    async fn run(
        ctx: &JobContext,
        tx: &mut PgConnection,
        scans: &Self::Payload,
    ) -> Result<(), JobError> {
        scan(ctx, tx, scans).await
    }
}

/// Scans every target of every fact, and writes the findings that are new.
async fn scan(
    ctx: &JobContext,
    tx: &mut PgConnection,
    scans: &[SequencedFact<Scan>],
) -> Result<(), JobError> {
    let Some(last) = scans.iter().map(|scan| scan.at).max() else { return Ok(()) };
    let versions: BTreeSet<VersionRef> =
        scans.iter().flat_map(|scan| scan.fact.targets.iter().map(|t| t.version)).collect();
    let of_images: BTreeSet<ImageId> = versions.iter().map(|version| version.image).collect();
    let inventory = Inventory::load(ctx, tx, versions).await?;
    let ranges = findings::affected_ranges(tx, &inventory.names(), last).await?;
    let judgements = Judgements::load(tx, of_images, last).await?;
    let mut matcher = Matcher::new(ranges);
    let mut detected = Vec::new();
    let mut results = Vec::new();
    for scan in scans {
        let (seq, at) = (scan.seq, scan.at);
        for target in &scan.fact.targets {
            let version = target.version;
            let packages = inventory.packages(version)?;
            let found = matcher.findings(packages, at);
            compare(target, at, &found)?;
            detected.extend(target.new.iter().map(|new| Detected { version, at, new: *new }));
            let says_more = target.previous.is_none_or(|before| {
                matcher.changed(packages, before, at)
                    || judgements.made(version.image, before, at, &found)
            });
            if says_more {
                results.push((StatementContext { seq, at, version }, found));
            }
        }
    }
    findings::insert(tx, &detected).await?;
    let reports = reports(ctx, tx, &mut matcher, &judgements, results).await?;
    publish(ctx, tx, reports).await
}

fn compare(target: &ScanTarget, at: SimTime, found: &[Hit]) -> Result<(), JobError> {
    let version = target.version;
    let what = |which: &str| {
        format!("{which} of image {} version {} at {at}", version.image.0, version.version)
    };
    let new: Vec<_> = found
        .iter()
        .filter(|hit| target.previous.is_none_or(|before| hit.detectable > before))
        .map(|hit| hit.finding)
        .collect();
    let expected: Vec<_> = target.new.iter().map(|new| new.finding).collect();
    expect_equal_lists(|| what("new findings"), &expected, &new)?;
    expect_equal(|| what("findings"), &(target.findings as usize), &found.len())
}

/// What was judged about images.
struct Judgements {
    by_image: BTreeMap<ImageId, BTreeMap<AdvisoryId, (SimTime, String)>>,
}

impl Judgements {
    async fn load(
        tx: &mut PgConnection,
        images: BTreeSet<ImageId>,
        last: SimTime,
    ) -> Result<Self, JobError> {
        let images: Vec<_> = images.into_iter().collect();
        let mut by_image: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for judged in findings::judgements(tx, &images, last).await? {
            let of_image = by_image.entry(judged.image).or_default();
            of_image.insert(judged.advisory, (judged.at, judged.justification));
        }
        Ok(Judgements { by_image })
    }

    /// Whether one of the findings was judged after `before` and by `at`.
    fn made(&self, image: ImageId, before: SimTime, at: SimTime, found: &[Hit]) -> bool {
        let Some(judged) = self.by_image.get(&image) else { return false };
        let judged = |hit: &Hit| judged.get(&hit.finding.advisory);
        found.iter().filter_map(judged).any(|(when, _)| *when > before && *when <= at)
    }

    /// The judgements of an image up to an instant.
    fn of(&self, image: ImageId, at: SimTime) -> BTreeMap<AdvisoryId, (SimTime, String)> {
        let judged = self.by_image.get(&image).into_iter().flatten();
        judged.filter(|(_, (when, _))| *when <= at).map(|(id, why)| (*id, why.clone())).collect()
    }
}

/// The reports on these results.
async fn reports(
    ctx: &JobContext,
    tx: &mut PgConnection,
    matcher: &mut Matcher,
    judgements: &Judgements,
    results: Vec<(StatementContext, Vec<Hit>)>,
) -> Result<Vec<Report>, JobError> {
    let versions: Vec<_> = results.iter().map(|(occasion, _)| occasion.version).collect();
    let identities = images::identities(tx, &versions).await?;
    let before = |version: &VersionRef| {
        let earlier = version.version.checked_sub(1).filter(|earlier| *earlier > 0)?;
        Some(VersionRef { image: version.image, version: earlier })
    };
    let all: BTreeSet<_> =
        versions.iter().flat_map(|v| before(v).into_iter().chain([*v])).collect();
    let inventory = Inventory::load(ctx, tx, all).await?;
    let mut reports = Vec::with_capacity(results.len());
    for ((occasion, found), identity) in results.into_iter().zip(identities) {
        let StatementContext { at, version, .. } = occasion;
        let identity = identity.ok_or_else(|| {
            anyhow!("image {} has no version {}", version.image.0, version.version)
        })?;
        let mut fixed = match before(&version) {
            Some(before) => matcher.findings(inventory.packages(before)?, at),
            None => Vec::new(),
        };
        let now: BTreeMap<_, _> =
            inventory.packages(version)?.iter().map(|p| (&p.name, &p.version)).collect();
        fixed.retain(|hit| !found.iter().any(|still| still.finding == hit.finding));
        // What is no longer in the image at all needs no statement.
        fixed.retain_mut(|hit| {
            let version = now.get(&hit.package);
            version.is_some_and(|version| {
                hit.version = Clone::clone(version);
                true
            })
        });
        let judged = judgements.of(version.image, at);
        reports.push(Report { occasion, identity, found, fixed, judged });
    }
    Ok(reports)
}

/// Stores what is said in reports, and what was signed of it.
async fn publish(
    ctx: &JobContext,
    tx: &mut PgConnection,
    reports: Vec<Report>,
) -> Result<(), JobError> {
    if reports.is_empty() {
        return Ok(());
    }
    let keys = ctx.keys.get(tx).await?;
    let distribution = ctx.keys.distribution(tx).await?;
    // Signing is pure computation: it must not hold up the runtime.
    let documents = tokio::task::spawn_blocking(move || {
        let mut documents = ReportDocuments::default();
        reports.iter().try_for_each(|report| documents.add(&keys, distribution, report))?;
        Ok::<_, JobError>(documents)
    });
    let ReportDocuments { objects, signed } = documents.await.context("making reports")??;
    ctx.put_all(tx, objects).await.context("storing reports")?;
    let (rows, statements): (Vec<_>, Vec<_>) = signed.into_iter().unzip();
    attestations::insert(tx, &rows).await?;
    for (row, statement) in rows.iter().zip(statements) {
        ctx.caches.keep_statement(row.logged.payload_sha256, statement);
    }
    Ok(())
}
