//! Verification: every digest, signature, proof and level, worked out again. A problem names its
//! place and does not keep the rest from being checked.
mod bundles;
mod cases;
mod directory;
mod log;
mod objects;
mod report;
mod root;
mod rows;
mod version;

use super::Collector;
use anyhow::{Result, bail};
use directory::Directory;
use documents::keys::PublicKey;
use log::{CheckedLog, Tiles};
use report::{Anchors, anchors};
use std::path::Path;
use store::logs::Log;
use store::read::evidence::Which;

pub use report::{LeftOut, Problem, Report};

/// How much of a world to verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of it.
    World,
    /// The two logs and the rows that stand in them.
    Logs,
    /// The versions of that digest.
    Image(String),
}

/// Verifies a directory that an export has written, with nothing but its files. `signer` is the
/// key that must have signed, if somebody knows it from elsewhere; otherwise the export's own word
/// is taken for it. Of a case of the catalogue of forgeries its one bundle is verified, of the
/// catalogue that each case has the verdict that it should have.
///
/// # Errors
/// It is no export, or its keys cannot be read.
pub async fn verify_directory(
    path: &Path,
    scope: &Scope,
    signer: Option<PublicKey>,
) -> Result<Report> {
    if cases::is_one(path) || cases::are_some(path) {
        if *scope != Scope::World {
            bail!("the catalogue of forgeries has neither logs nor versions of images");
        }
        return if cases::is_one(path) {
            cases::check_one(path, signer.as_ref())
        } else {
            cases::check_all(path)
        };
    }
    let directory = Directory::open(path)?;
    let mut anchors = directory.anchors()?;
    let mut report = Report::default();
    if let Some(signer) = signer {
        if signer != anchors.identity.signer {
            report.problem(super::SIGNER_KEY, "it is another key than the one given");
        }
        anchors.identity.signer = signer;
    }
    directory.compare_names(&anchors, &mut report);
    anchors.check_root(&mut report);
    let tiles = Tiles::Directory(path);
    let (log, audit) = logs(&tiles, &anchors, &mut report).await;
    report.audit_lines = audit.map_or(0, |audit| audit.tree.size());
    if *scope != Scope::Logs {
        for place in directory.versions()? {
            let files = directory.version(&place)?;
            if let Scope::Image(digest) = scope
                && !version::is_of(&files, digest)
            {
                continue;
            }
            version::check(&files, &anchors, log.as_ref(), &mut report);
        }
        directory.check_advisories(&mut report)?;
        nothing_found(scope, &report)?;
    }
    let why = "an export has neither; `wavetank verify` without a directory looks at the world's";
    report.passed_over("rows and objects", why);
    Ok(report)
}

/// Verifies a world: what an export of it would hold, and that its rows say the same. `progress` is
/// told how many versions are done.
///
/// # Errors
/// The services fail.
pub async fn verify_world(
    world: &Collector,
    scope: &Scope,
    progress: impl Fn(usize, usize),
) -> Result<Report> {
    let which = match scope {
        Scope::Image(digest) => Which::Digest(digest),
        _ => Which::All,
    };
    let versions = world.versions(which).await?;
    let files = world.world_files(&versions).await?;
    let anchors = anchors(|name| files.get(name).cloned())?;
    let mut report = Report::default();
    anchors.check_root(&mut report);
    let (log, audit) = logs(&Tiles::World(&world.objects), &anchors, &mut report).await;
    report.audit_lines = audit.as_ref().map_or(0, |audit| audit.tree.size());
    if !matches!(scope, Scope::Image(_)) {
        rows::check(world, log.as_ref(), audit.as_ref(), &mut report).await?;
    }
    if *scope != Scope::Logs {
        let mut done = 0;
        for batch in Collector::batches(&versions) {
            for files in world.version_files(batch).await? {
                version::check(&files, &anchors, log.as_ref(), &mut report);
                done += 1;
                progress(done, versions.len());
            }
        }
        nothing_found(scope, &report)?;
        bundles::check(world, &versions, scope, &anchors, log.as_ref(), &mut report).await?;
    }
    match scope {
        Scope::World => {
            let logs = [(Log::Transparency, log.as_ref()), (Log::Audit, audit.as_ref())];
            objects::check(world, logs, &mut report).await?;
        }
        Scope::Logs => report.passed_over("versions, bundles and objects", "only the logs"),
        Scope::Image(_) => report.passed_over("other versions and objects", "only this digest"),
    }
    Ok(report)
}

fn nothing_found(scope: &Scope, report: &Report) -> Result<()> {
    match scope {
        Scope::Image(digest) if report.versions == 0 => {
            bail!("there is no image version with the digest {digest}")
        }
        _ => Ok(()),
    }
}

async fn logs(
    tiles: &Tiles<'_>,
    anchors: &Anchors,
    report: &mut Report,
) -> (Option<CheckedLog>, Option<CheckedLog>) {
    let Anchors { identity, retention, .. } = anchors;
    report.history_from = retention.history_from;
    let check = async |log, key, report: &mut Report| {
        log::check(tiles, log, key, retention.bundles(log), report).await
    };
    let log = check(Log::Transparency, &identity.log_verifier, report).await;
    let audit = check(Log::Audit, &identity.audit_verifier, report).await;
    report.log_entries = log.as_ref().map_or(0, |log| log.tree.size());
    (log, audit)
}
