//! The `build` job: resolves what the build was made of, makes its documents, stores them, and
//! writes the rows that name them. A build that publishes nothing leaves its log.
use crate::job::{JobContext, JobError, Placed};
use anyhow::{Context, anyhow};
use sim::fact::{BuildResult, Outcome, Published};
use sqlx::PgConnection;
use store::artifacts::{Document, StoredDocument, kind};
use store::builds::{self, BuildSubject};
use store::images::{self, Attestation, NewVersion, Sbom};

mod contents;
mod log;
mod papers;

use papers::Papers;

/// Does all of it. The documents are named by their content, so that doing it again stores the
/// same objects and the same rows.
///
/// # Errors
/// [`JobError::Mismatch`] when the stored releases resolve to other contents than in the kernel.
pub async fn run(
    ctx: &JobContext,
    tx: &mut PgConnection,
    job: &Placed<BuildResult>,
) -> Result<(), JobError> {
    let result = &job.fact;
    let subject = builds::subject(tx, result)
        .await?
        .ok_or_else(|| anyhow!("build {} is of an unknown image", result.build.0))?;
    match &result.outcome {
        Outcome::Published(published) => publish(ctx, tx, job, published, subject).await,
        _ => {
            let log = log::of_nothing_published(job, &subject)?;
            let (documents, log) = store_all(ctx, vec![log]).await?;
            finish(tx, job, &log, &documents).await
        }
    }
}

async fn publish(
    ctx: &JobContext,
    tx: &mut PgConnection,
    job: &Placed<BuildResult>,
    published: &Published,
    subject: BuildSubject,
) -> Result<(), JobError> {
    let resolved = builds::resolve(tx, &published.contents, job.fact.started).await?;
    contents::check(job, published, &subject, &resolved)?;
    let tags = contents::tags(published, &subject, &resolved);
    let contents = contents::image(published, &subject, &resolved, &tags)?;
    let (owner, job) = (subject.tenant_namespace.clone(), job.clone());
    // Making documents is pure computation: it must not hold up the runtime.
    let (job, papers) = tokio::task::spawn_blocking(move || {
        let papers = Papers::of(&job, &subject, &contents);
        (job, papers)
    })
    .await
    .context("making documents")?;
    let Papers { digest, documents } = papers?;
    let (stored, log) = store_all(ctx, documents).await?;
    finish(tx, &job, &log, &stored).await?;
    let new = NewVersion {
        image: job.fact.image,
        build: job.fact.build,
        tenant_namespace: &owner,
        at: job.at,
        published,
        digest: digest.to_string(),
        tags: &tags,
        // Provenance exists; nobody has signed it.
        slsa_level: 1,
        sboms: [
            sbom(ctx, "spdx", "2.3", find(&stored, kind::SPDX)?),
            sbom(ctx, "cyclonedx", "1.6", find(&stored, kind::CYCLONEDX)?),
        ],
        provenance: provenance(ctx, find(&stored, kind::PROVENANCE)?),
    };
    images::publish(tx, &new).await?;
    Ok(())
}

/// Puts documents into the object store, several at a time, and gives their names and the log's.
async fn store_all(
    ctx: &JobContext,
    documents: Vec<Document>,
) -> Result<(Vec<StoredDocument>, String), JobError> {
    let stored: Vec<_> = documents.iter().map(StoredDocument::of).collect();
    let objects = stored
        .iter()
        .zip(documents)
        .map(|(stored, document)| (stored.key(), document.bytes, document.media_type));
    ctx.objects.put_all(objects.collect()).await.context("storing the documents of a build")?;
    let log = find(&stored, kind::LOG)?.sha256.clone();
    Ok((stored, log))
}

async fn finish(
    tx: &mut PgConnection,
    job: &Placed<BuildResult>,
    log: &str,
    documents: &[StoredDocument],
) -> Result<(), JobError> {
    let known = builds::finish(tx, &job.fact, job.at, log, documents).await?;
    if known {
        return Ok(());
    }
    Err(anyhow!("build {} has no row", job.fact.build.0).into())
}

fn find<'a>(
    stored: &'a [StoredDocument],
    kind: &'static str,
) -> Result<&'a StoredDocument, JobError> {
    let found = stored.iter().find(|document| document.kind == kind);
    Ok(found.ok_or_else(|| anyhow!("the build has no {kind}"))?)
}

fn sbom<'a>(
    ctx: &JobContext,
    format: &'static str,
    spec_version: &'static str,
    document: &'a StoredDocument,
) -> Sbom<'a> {
    Sbom { format, spec_version, document, uri: ctx.objects.uri(&document.key()) }
}

fn provenance<'a>(ctx: &JobContext, document: &'a StoredDocument) -> Attestation<'a> {
    let predicate_type = documents::statement::PredicateType::Provenance.uri();
    Attestation { predicate_type, document, uri: ctx.objects.uri(&document.key()), signed: false }
}
