//! Reassesses SLSA levels when trust is lost: provenance that was believed is assessed again, as of
//! the fact that records the loss. Earlier levels stand for the instants before it.
use super::assess;
use crate::error::JobError;
use crate::job::JobContext;
use crate::sign::StatementContext;
use anyhow::{Context, anyhow};
use bytes::Bytes;
use documents::statement::PAYLOAD_TYPE;
use documents::{Digest, bundle, tamper};
use futures::stream::{self, StreamExt, TryStreamExt};
use sim::ids::VersionRef;
use sim::time::SimTime;
use sqlx::PgConnection;
use store::artifacts::{Document, StoredDocument, kind};
use store::objects::content_key;
use store::provenance::{self, BuiltBy, Provenance, Replacement};
use store::slsa::{self, Assessed};

/// Bundles that are in memory at the same time.
const CHUNK: usize = 64;
/// Bundles that are fetched at the same time.
const CONCURRENT_READS: usize = 8;

/// Assesses again what a builder made, now that it is not trusted any more.
pub(super) async fn after_distrust(
    ctx: &JobContext,
    tx: &mut PgConnection,
    wanted: BuiltBy<'_>,
) -> Result<(), JobError> {
    let made = provenance::built_by(tx, wanted).await?;
    for chunk in made.chunks(CHUNK) {
        let reads = chunk.iter().map(|one| async move {
            let bytes = read(ctx, one).await?;
            Ok::<_, JobError>((one.clone(), bytes))
        });
        // Collected first: a lazy iterator of borrowing futures is not `Send` to the compiler.
        let reads: Vec<_> = reads.collect();
        let bundles = stream::iter(reads).buffered(CONCURRENT_READS).try_collect().await?;
        assess_all(ctx, tx, wanted.seq, wanted.at, bundles).await?;
    }
    Ok(())
}

/// Puts a forgery in the place of a version's provenance, and assesses it.
pub(super) async fn after_tampering(
    ctx: &JobContext,
    tx: &mut PgConnection,
    seq: u64,
    at: SimTime,
    version: VersionRef,
) -> Result<(), JobError> {
    let signed = provenance::signed(tx, version).await?.ok_or_else(|| no_bundle(version))?;
    let log_index = signed.log_index.ok_or_else(|| no_bundle(version))?;
    let forged = tamper::foreign_builder(&read(ctx, &signed).await?)?;
    let forgery: Bytes = forged.bundle.into();
    let bundle =
        Document { kind: kind::BUNDLE, media_type: bundle::MEDIA_TYPE, bytes: forgery.clone() };
    let document = Document {
        kind: kind::PROVENANCE,
        media_type: PAYLOAD_TYPE,
        bytes: forged.statement.into(),
    };
    let stored = [StoredDocument::of(&bundle), StoredDocument::of(&document)];
    let objects = vec![bundle.into_object(&stored[0]), document.into_object(&stored[1])];
    ctx.put_all(tx, objects).await.context("storing a forgery")?;
    let [bundle, document] = &stored;
    let object_key = bundle.key();
    let new = Replacement { log_index, seq, at, bundle, object_key, document };
    provenance::replace(tx, &new).await?;
    assess_all(ctx, tx, seq, at, vec![(signed, forgery)]).await
}

/// Assesses bundles as of a fact and writes what is news.
async fn assess_all(
    ctx: &JobContext,
    tx: &mut PgConnection,
    seq: u64,
    at: SimTime,
    bundles: Vec<(Provenance, Bytes)>,
) -> Result<(), JobError> {
    let keys = ctx.keys.get(tx).await?;
    let trusted = slsa::trusted(tx, &keys.identity.signer.id().hex()).await?;
    let assess_one = move |(one, bytes): (Provenance, Bytes)| {
        let digest: Digest = one.digest.parse().context("digest of a version")?;
        let occasion = StatementContext { seq, at, version: one.version };
        Ok(assess(&keys.identity, &trusted, occasion, digest, &bytes))
    };
    // Verifying is pure computation: it must not hold up the runtime.
    let assessed = tokio::task::spawn_blocking(move || {
        bundles.into_iter().map(assess_one).collect::<anyhow::Result<Vec<Assessed>>>()
    });
    slsa::insert(tx, &assessed.await.context("assessing again")??).await?;
    Ok(())
}

async fn read(ctx: &JobContext, one: &Provenance) -> Result<Bytes, JobError> {
    let sha256 = one.sha256.as_ref().ok_or_else(|| no_bundle(one.version))?;
    Ok(ctx.objects.get(&content_key(sha256), bundle::MAX_BUNDLE_BYTES as u64).await?)
}

fn no_bundle(version: VersionRef) -> anyhow::Error {
    anyhow!("image {} version {} has no bundle of provenance", version.image.0, version.version)
}
