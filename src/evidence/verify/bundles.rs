//! The bundles that do not stand for a version any more: a newer one of their kind was signed since,
//! or a forgery took their place. They are held to the same as the others, and to their rows.
use super::Scope;
use super::log::CheckedLog;
use super::report::{Anchors, Report};
use super::version::check_bundle;
use crate::evidence::Collector;
use crate::evidence::collect::{CONCURRENT_READS, MAX_DOCUMENT_BYTES};
use anyhow::Result;
use documents::Digest;
use documents::statement::{PredicateType, parse};
use futures::stream::{self, StreamExt};
use store::objects::content_key;
use store::read::evidence::{SignedRow, VersionRow, signed};

/// Checks all bundles of the world, or of one digest, that were not among those of the versions.
pub(super) async fn check(
    world: &Collector,
    versions: &[VersionRow],
    scope: &Scope,
    anchors: &Anchors,
    log: Option<&CheckedLog>,
    report: &mut Report,
) -> Result<()> {
    let newest = world.newest_bundles(versions).await?;
    let digest = if let Scope::Image(digest) = scope { Some(digest.as_str()) } else { None };
    let rows = signed(&mut *world.pool.acquire().await?, digest).await?;
    let (mut unmade, mut ahead) = (0, 0);
    let mut wanted = Vec::new();
    for row in rows {
        whole_statement(&row, report);
        let size = row.tree_size.and_then(|size| u64::try_from(size).ok());
        match &row.sha256 {
            None => unmade += 1,
            Some(sha256) if newest.contains(sha256) => {}
            Some(_) if log.is_some_and(|log| size.is_some_and(|size| size > log.tree.size())) => {
                ahead += 1;
            }
            Some(sha256) => wanted.push((content_key(sha256), row)),
        }
    }
    report.left_out("statements without a bundle", unmade, "their jobs are not done yet");
    report.left_out("bundles", ahead, "they are newer than the log's checkpoint");
    if log.is_none() {
        report.passed_over("places of bundles in the log", "the log cannot be relied on");
    }
    let reads = wanted
        .into_iter()
        .map(|(key, row)| async move { (row, world.objects.get(&key, MAX_DOCUMENT_BYTES).await) });
    // Collected first: a lazy iterator of borrowing futures is not `Send` to the compiler.
    let reads: Vec<_> = reads.collect();
    let mut reads = stream::iter(reads).buffered(CONCURRENT_READS);
    while let Some((row, read)) = reads.next().await {
        let place = place(&row);
        match read {
            Ok(bytes) => check_one(&place, &row, &bytes, anchors, log, report),
            Err(error) => report.problem(place, error),
        }
    }
    Ok(())
}

/// `images/<name>/<version>@<fact>`: there are several bundles of a kind about a version.
fn place(row: &SignedRow) -> String {
    format!("images/{}/{}@{}", row.name, row.version, row.seq)
}

/// Provenance and results of scans are statements themselves: the document is what was signed.
fn whole_statement(row: &SignedRow, report: &mut Report) {
    let whole = [PredicateType::Provenance, PredicateType::VulnerabilityScan];
    let is_whole = PredicateType::from_uri(&row.predicate_type).is_some_and(|k| whole.contains(&k));
    let signed = row.payload_sha256.as_ref().map(hex::encode);
    if is_whole && signed.is_some() && signed != row.document_sha256 {
        report.problem(place(row), "its row names another document than the one that was signed");
    }
}

fn check_one(
    place: &str,
    row: &SignedRow,
    bytes: &[u8],
    anchors: &Anchors,
    log: Option<&CheckedLog>,
    report: &mut Report,
) {
    let Some(kind) = PredicateType::from_uri(&row.predicate_type) else {
        return report.problem(place, format!("its predicate type is {}", row.predicate_type));
    };
    let digest = match row.digest.parse::<Digest>() {
        Ok(digest) => digest,
        Err(error) => return report.problem(place, error),
    };
    let Some(bundle) = check_bundle(place, (kind, digest), bytes, anchors, log, report) else {
        return;
    };
    let Some(document) = &row.document_sha256 else { return };
    let payload = &bundle.envelope.payload;
    let stated = match kind {
        PredicateType::Provenance | PredicateType::VulnerabilityScan => Digest::of(payload),
        _ => match parse(payload) {
            Ok(statement) => Digest::of(statement.predicate.as_bytes()),
            Err(error) => return report.problem(place, error),
        },
    };
    if stated.hex() != *document {
        report.problem(place, "it states another document than its row names");
    }
}
