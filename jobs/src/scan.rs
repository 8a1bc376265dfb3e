//! The `scan` job: reads the stored SBOM of each version, matches its packages against the stored
//! advisories as they were known at that instant, and holds the kernel to the result.
use crate::check::{same, same_list};
use crate::job::{JobContext, JobError, Placed};
use sim::fact::{FindingRef, Scan, ScanTarget};
use sim::time::SimTime;
use sqlx::PgConnection;
use store::findings::{self, Detected};

mod inventory;
mod matcher;

use inventory::Inventory;
use matcher::Matcher;

/// Scans every target of every fact, and writes the findings that are new.
///
/// # Errors
/// [`JobError::Mismatch`] when a version has other findings than in the kernel.
pub async fn run(
    ctx: &JobContext,
    tx: &mut PgConnection,
    scans: &[Placed<Scan>],
) -> Result<(), JobError> {
    let Some(last) = scans.iter().map(|scan| scan.at).max() else { return Ok(()) };
    let versions = scans.iter().flat_map(|scan| scan.fact.targets.iter().map(|t| t.version));
    let inventory = Inventory::load(ctx, tx, versions.collect()).await?;
    let ranges = findings::affected_ranges(tx, &inventory.names(), last).await?;
    let mut matcher = Matcher::new(ranges);
    let mut detected = Vec::new();
    for scan in scans {
        for target in &scan.fact.targets {
            let found = matcher.findings(inventory.packages(target.version)?, scan.at);
            compare(target, scan.at, &found)?;
            let new = target.new.iter();
            detected.extend(new.map(|new| Detected {
                version: target.version,
                at: scan.at,
                new: *new,
            }));
        }
    }
    findings::insert(tx, &detected).await?;
    Ok(())
}

/// What was found: each finding with the instant from which a scanner could see it, in order.
type Found = Vec<(FindingRef, SimTime)>;

fn compare(target: &ScanTarget, at: SimTime, found: &Found) -> Result<(), JobError> {
    let version = target.version;
    let what = |which: &str| {
        format!("{which} of image {} version {} at {at}", version.image.0, version.version)
    };
    let new: Vec<_> = found
        .iter()
        .filter(|(_, detectable)| target.previous.is_none_or(|before| *detectable > before))
        .map(|(finding, _)| *finding)
        .collect();
    let expected: Vec<_> = target.new.iter().map(|new| new.finding).collect();
    same_list(|| what("new findings"), &expected, &new)?;
    same(|| what("findings"), &(target.findings as usize), &found.len())
}
