//! The `attest` job: completes the bundles of what was signed, now that the log has given it its
//! place, and assesses the SLSA level that the provenance proves; again when trust is lost.
mod planning;
mod reassess;

use crate::error::{JobError, PlanError};
use crate::job::{Job, JobContext, Stage};
use crate::naming::{builder_name, repository};
use crate::plan::{Plan, PlannedJob};
use crate::sign::StatementContext;
use anyhow::{Context, anyhow};
use documents::bundle::Bundle;
use documents::checkpoint::Checkpoint;
use documents::dsse::Envelope;
use documents::merkle::{Hash, Tree, leaf_hash};
use documents::provenance::builder_id;
use documents::rekor::{self, InclusionProof, LogEntry};
use documents::sbom::MAX_SBOM_BYTES;
use documents::slsa_level::{self, TrustedBuilder};
use documents::statement::{PAYLOAD_TYPE, PredicateType, image_signature, statement_of_document};
use documents::world_keys::{WorldIdentity, WorldKeys};
use documents::{Digest, bundle};
use serde::{Deserialize, Serialize};
use sim::fact::Fact;
use sim::ids::{BuilderId, VersionRef};
use sim::time::SimTime;
use sqlx::PgConnection;
use std::sync::Arc;
use store::artifacts::{Document, StoredDocument, kind};
use store::attestations::{self, LoggedAttestation, StoredBundle};
use store::objects::{NewObject, content_key};
use store::provenance::BuiltBy;
use store::queue::Queue;
use store::slsa::{self, Assessed, Trust};

/// Bundles to be made, or levels to be assessed again.
#[derive(Clone, Copy, Debug)]
pub struct AttestJob;

impl Job for AttestJob {
    type Payload = Attest;

    const QUEUE: Queue = Queue::Attest;
    const STAGE: Stage = Stage::Bundle;

    fn run_together(one: &PlannedJob, next: &PlannedJob) -> bool {
        planning::run_together(one, next)
    }

    fn plan(facts: &[Fact], plan: &mut Plan) -> Result<(), PlanError> {
        planning::plan(facts, plan)
    }

    async fn run(ctx: &JobContext, tx: &mut PgConnection, what: &Attest) -> Result<(), JobError> {
        attest(ctx, tx, *what).await
    }
}

/// What is to be done about attestations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Attest {
    /// The attestations of these facts are in the log and want their bundles.
    Bundle {
        /// The first fact.
        from_seq: u64,
        /// The last one.
        to_seq: u64,
    },
    /// A builder is not trusted any more: what it built is assessed again.
    Distrusted {
        /// The fact.
        seq: u64,
        /// The simulated instant.
        at: SimTime,
        /// The builder.
        builder: BuilderId,
        /// Of the images, divided into so many parts ...
        parts: u32,
        /// ... this one, from 0.
        part: u32,
    },
    /// An attacker replaced a version's provenance: the forgery is stored and assessed.
    Tampered {
        /// The fact.
        seq: u64,
        /// The simulated instant.
        at: SimTime,
        /// The version.
        version: VersionRef,
    },
}

impl Attest {
    /// The first fact that it is about.
    pub fn first_seq(&self) -> u64 {
        match self {
            Attest::Bundle { from_seq, .. } => *from_seq,
            Attest::Distrusted { seq, .. } | Attest::Tampered { seq, .. } => *seq,
        }
    }
}

async fn attest(ctx: &JobContext, tx: &mut PgConnection, what: Attest) -> Result<(), JobError> {
    match what {
        Attest::Bundle { from_seq, to_seq } => bundles(ctx, tx, from_seq, to_seq).await,
        Attest::Distrusted { seq, at, builder, parts, part } => {
            let builder = &builder_name(builder);
            let wanted = BuiltBy { builder, seq, at, parts, part };
            reassess::after_distrust(ctx, tx, wanted).await
        }
        Attest::Tampered { seq, at, version } => {
            reassess::after_tampering(ctx, tx, seq, at, version).await
        }
    }
}

/// Bundles what was signed for the facts of a range.
async fn bundles(
    ctx: &JobContext,
    tx: &mut PgConnection,
    from_seq: u64,
    to_seq: u64,
) -> Result<(), JobError> {
    let placed = attestations::in_log(tx, from_seq, to_seq).await?;
    let Some(size) = placed.iter().map(|one| one.tree_size).max() else { return Ok(()) };
    let keys = ctx.keys.get(tx).await?;
    let proofs = {
        let tree = ctx.caches.log(tx, first_leaf(&keys.identity)?, size).await?;
        placed.iter().map(|one| prove(&tree, one)).collect::<Result<Vec<_>, _>>()?
    };
    let mut work = Vec::with_capacity(placed.len());
    for (one, proof) in placed.into_iter().zip(proofs) {
        let statement = match ctx.caches.take_statement(&one.logged.payload_sha256) {
            Some(statement) => statement,
            None => rebuild_statement(ctx, &one).await?,
        };
        work.push((one, proof, statement));
    }
    let trusted = slsa::trusted(tx, &keys.identity.signer.id().hex()).await?;
    // Signing and verifying is pure computation: it must not hold up the runtime.
    let bundles = tokio::task::spawn_blocking(move || bundle_all(&keys, &trusted, work));
    let Bundles { stored, objects, assessed } = bundles.await.context("making bundles")??;
    ctx.put_all(tx, objects).await.context("storing bundles")?;
    let bundled = stored.into_iter().map(|(log_index, stored)| StoredBundle {
        log_index,
        object_key: stored.key(),
        sha256: stored.sha256,
        bytes: stored.bytes,
    });
    attestations::record_bundles(tx, &bundled.collect::<Vec<_>>()).await?;
    slsa::insert(tx, &assessed).await?;
    Ok(())
}

/// The hash of the transparency log's first leaf, which is no attestation.
pub(crate) fn first_leaf(identity: &WorldIdentity) -> Result<Hash, documents::Error> {
    Ok(leaf_hash(&rekor::genesis_body(&identity.rekor_origin)?))
}

/// An entry's proof: the root of the tree that it is proven in, and the path there.
struct Proof {
    root: Hash,
    hashes: Vec<Hash>,
}

fn prove(tree: &Tree, one: &LoggedAttestation) -> Result<Proof, JobError> {
    let root = tree.root(one.tree_size);
    let hashes = tree.inclusion_proof(one.log_index, one.tree_size);
    let (root, hashes) =
        root.zip(hashes).ok_or_else(|| anyhow!("entry {} is not in the log", one.log_index))?;
    Ok(Proof { root, hashes })
}

/// The statement, made again from the stored document by a process that did not sign it.
async fn rebuild_statement(ctx: &JobContext, one: &LoggedAttestation) -> Result<Vec<u8>, JobError> {
    let document = match &one.document_sha256 {
        Some(sha256) => ctx.objects.get(&content_key(sha256), MAX_SBOM_BYTES as u64).await?.into(),
        None => Vec::new(),
    };
    let digest: Digest = one.digest.parse().context("digest of a version")?;
    let name = repository(&one.image_name);
    let statement = match one.predicate_type {
        PredicateType::ImageSignature => image_signature(&name, digest)?,
        PredicateType::Provenance | PredicateType::VulnerabilityScan => document,
        kind @ (PredicateType::Spdx | PredicateType::CycloneDx | PredicateType::OpenVex) => {
            statement_of_document(&name, digest, kind, &document)?
        }
    };
    let found = Digest::of(&statement);
    if found == one.logged.payload_sha256 {
        return Ok(statement);
    }
    Err(JobError::Mismatch {
        what: format!("statement of log entry {}", one.log_index),
        expected: one.logged.payload_sha256.to_string(),
        found: found.to_string(),
    })
}

/// What comes out of a job.
#[derive(Default)]
struct Bundles {
    stored: Vec<(u64, StoredDocument)>,
    objects: Vec<NewObject>,
    assessed: Vec<Assessed>,
}

fn bundle_all(
    keys: &Arc<WorldKeys>,
    trusted: &[Trust],
    work: Vec<(LoggedAttestation, Proof, Vec<u8>)>,
) -> Result<Bundles, JobError> {
    let mut bundles = Bundles::default();
    let mut checkpoint: Option<(u64, String)> = None;
    for (one, proof, statement) in work {
        // The attestations of a fact are proven in one tree, so its checkpoint is signed once.
        let note = match &checkpoint {
            Some((size, note)) if *size == one.tree_size => note.clone(),
            _ => sign_checkpoint(keys, one.tree_size, proof.root),
        };
        checkpoint = Some((one.tree_size, note.clone()));
        let bytes = bundle(keys, &one, proof, note, statement)?;
        if one.predicate_type == PredicateType::Provenance {
            let LoggedAttestation { seq, at, version, .. } = one;
            let digest = one.digest.parse().context("digest of a version")?;
            let occasion = StatementContext { seq, at, version };
            bundles.assessed.push(assess(&keys.identity, trusted, occasion, digest, &bytes));
        }
        let media_type = bundle::MEDIA_TYPE;
        let document = Document { kind: kind::BUNDLE, media_type, bytes: bytes.into() };
        let stored = StoredDocument::of(&document);
        bundles.objects.push(document.into_object(&stored));
        bundles.stored.push((one.log_index, stored));
    }
    Ok(bundles)
}

fn sign_checkpoint(keys: &WorldKeys, size: u64, root: Hash) -> String {
    let origin = keys.identity.rekor_origin.clone();
    let name = keys.identity.log_verifier.name();
    Checkpoint { origin, size, root }.sign_ecdsa(name, &keys.log)
}

fn bundle(
    keys: &WorldKeys,
    one: &LoggedAttestation,
    proof: Proof,
    checkpoint: String,
    statement: Vec<u8>,
) -> Result<Vec<u8>, JobError> {
    let identity = &keys.identity;
    let body = one.logged.body(&identity.signer)?;
    let integrated_seconds = one.at.0.div_euclid(1000);
    let bundle = Bundle {
        key_hint: identity.signer.id().hex(),
        envelope: Envelope {
            payload_type: PAYLOAD_TYPE.to_owned(),
            payload: statement,
            signature: one.logged.signature.clone(),
        },
        log_entry: Some(LogEntry {
            index: one.log_index,
            integrated_seconds,
            promise: rekor::promise(&keys.log, &body, one.log_index, integrated_seconds)?,
            body,
            log_id: identity.log.id(),
            proof: InclusionProof {
                tree_size: one.tree_size,
                root: proof.root,
                hashes: proof.hashes,
                checkpoint,
            },
        }),
    };
    Ok(bundle.to_json()?)
}

/// The level of a version as of a fact, from its provenance bundle and the table of trust.
fn assess(
    identity: &WorldIdentity,
    trusted: &[Trust],
    occasion: StatementContext,
    digest: Digest,
    bundle: &[u8],
) -> Assessed {
    let StatementContext { seq, at, version } = occasion;
    let root = |trust: &Trust| TrustedBuilder {
        key: identity.signer.clone(),
        builder_id: builder_id(&trust.builder),
        level: trust.level,
    };
    let roots: Vec<_> = trusted.iter().filter(|trust| trust.holds(seq, at)).map(root).collect();
    let assessment = slsa_level::assess(bundle, digest, &roots, Some(identity.log_identity()));
    Assessed { seq, at, version, assessment }
}
