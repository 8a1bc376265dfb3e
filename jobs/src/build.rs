//! The `build` job: resolves what the build was made of, makes and signs its documents, stores
//! them, and writes the rows that name them. A build that publishes nothing leaves its log.
use crate::error::{JobError, PlanError};
use crate::job::{Job, JobContext, SequencedFact, Stage};
use crate::plan::{JobStart, Plan};
use crate::sign::StatementContext;
use anyhow::{Context, anyhow};
use sim::fact::{BuildResult, Cause, Fact, FactKind, Outcome, Published};
use sim::ids::VersionRef;
use sqlx::PgConnection;
use store::artifacts::{StoredDocument, kind};
use store::attestations;
use store::builds::{self, BuildSubject};
use store::images::{self, NewVersion, Sbom};
use store::queue::Queue;

mod artifacts;
mod contents;
mod log;

use artifacts::{BuildArtifacts, pack};

/// One build.
#[derive(Clone, Copy, Debug)]
pub struct BuildJob;

impl Job for BuildJob {
    type Payload = SequencedFact<BuildResult>;

    const QUEUE: Queue = Queue::Build;
    const STAGE: Stage = Stage::Build;

    fn batch_size(concurrency: usize) -> usize {
        2 * concurrency
    }

    /// A job for each build. Its phase is the image's depth: bases come before what stands on them.
    fn plan(facts: &[Fact], plan: &mut Plan) -> Result<(), PlanError> {
        for fact in facts {
            if let FactKind::BuildFinished(result) = &fact.kind {
                plan.push(JobStart::of(fact), result.depth, &SequencedFact::new(fact, result))?;
            }
        }
        Ok(())
    }

    /// The documents are named by their content, so that doing it again stores the same objects and
    /// the same rows.
    async fn run(
        ctx: &JobContext,
        tx: &mut PgConnection,
        job: &Self::Payload,
    ) -> Result<(), JobError> {
        build(ctx, tx, job).await
    }
}

async fn build(
    ctx: &JobContext,
    tx: &mut PgConnection,
    job: &SequencedFact<BuildResult>,
) -> Result<(), JobError> {
    let result = &job.fact;
    let mut subject = builds::subject(tx, result)
        .await?
        .ok_or_else(|| anyhow!("build {} is of an unknown image", result.build.0))?;
    if result.cause == Cause::Cron {
        let schedule = ctx.caches.rebuild_schedule(tx).await?;
        subject.cause_schedule = log::schedule(schedule, result.requested);
    }
    match &result.outcome {
        Outcome::Published(published) => publish(ctx, tx, job, published, subject).await,
        _ => {
            let log = log::of_nothing_published(job, &subject)?;
            let (stored, objects) = pack(vec![log]);
            ctx.put_all(tx, objects).await.context("storing the documents of a build")?;
            finish(tx, job, &stored).await
        }
    }
}

async fn publish(
    ctx: &JobContext,
    tx: &mut PgConnection,
    job: &SequencedFact<BuildResult>,
    published: &Published,
    subject: BuildSubject,
) -> Result<(), JobError> {
    let resolved = builds::resolve(tx, &published.contents, job.fact.started).await?;
    contents::check(job, published, &subject, &resolved)?;
    let tags = contents::tags(published, &subject, &resolved);
    let distribution = ctx.keys.distribution(tx).await?;
    let contents = contents::image(published, &subject, &resolved, &tags, distribution)?;
    let keys = ctx.keys.get(tx).await?;
    let (owner, job) = (subject.tenant_namespace.clone(), job.clone());
    let version = VersionRef { image: job.fact.image, version: published.version };
    let occasion = StatementContext { seq: job.seq, at: job.at, version };
    // Making documents is pure computation: it must not hold up the runtime.
    let (job, artifacts) = tokio::task::spawn_blocking(move || {
        let artifacts = BuildArtifacts::of(&keys, &job, occasion, &subject, &contents);
        (job, artifacts)
    })
    .await
    .context("making documents")?;
    let BuildArtifacts { digest, stored, objects, signed } = artifacts?;
    ctx.put_all(tx, objects).await.context("storing the documents of a build")?;
    finish(tx, &job, &stored).await?;
    let new = NewVersion {
        image: job.fact.image,
        build: job.fact.build,
        tenant_namespace: &owner,
        at: job.at,
        published,
        digest: digest.to_string(),
        tags: &tags,
        sboms: [
            sbom("spdx", "2.3", find(&stored, kind::SPDX)?),
            sbom("cyclonedx", "1.6", find(&stored, kind::CYCLONEDX)?),
        ],
    };
    images::publish(tx, &new).await?;
    let (rows, statements): (Vec<_>, Vec<_>) = signed.into_iter().unzip();
    attestations::insert(tx, &rows).await?;
    for (row, statement) in rows.iter().zip(statements) {
        ctx.caches.keep_statement(row.logged.payload_sha256, statement);
    }
    Ok(())
}

async fn finish(
    tx: &mut PgConnection,
    job: &SequencedFact<BuildResult>,
    documents: &[StoredDocument],
) -> Result<(), JobError> {
    let log = &find(documents, kind::LOG)?.sha256;
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
    format: &'static str,
    spec_version: &'static str,
    document: &'a StoredDocument,
) -> Sbom<'a> {
    Sbom { format, spec_version, document, object_key: document.key() }
}
