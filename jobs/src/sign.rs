//! Signing: a statement becomes an envelope and what the log keeps of it. The bundle follows when
//! the log has given it its place.
use crate::error::JobError;
use anyhow::Context;
use documents::dsse::Envelope;
use documents::merkle::leaf_hash;
use documents::rekor::LoggedEnvelope;
use documents::statement::PredicateType;
use documents::world_keys::WorldKeys;
use sim::ids::VersionRef;
use sim::time::SimTime;
use store::attestations::SignedStatement;

/// What a statement is about, and the fact that causes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatementContext {
    /// The fact that brings it about.
    pub(crate) seq: u64,
    /// When.
    pub(crate) at: SimTime,
    /// What it is about.
    pub(crate) version: VersionRef,
}

/// Signs a statement; gives the row, and the statement back.
pub(crate) fn sign(
    keys: &WorldKeys,
    occasion: StatementContext,
    predicate_type: PredicateType,
    document_sha256: Option<String>,
    statement: Vec<u8>,
) -> Result<(SignedStatement, Vec<u8>), JobError> {
    let envelope = Envelope::sign(&keys.signer, statement);
    let logged = LoggedEnvelope::of(&envelope).context("envelope")?;
    let body = logged.body(&keys.identity.signer).context("log entry")?;
    let StatementContext { seq, at, version } = occasion;
    let leaf_hash = leaf_hash(&body);
    let row =
        SignedStatement { seq, at, version, predicate_type, document_sha256, logged, leaf_hash };
    Ok((row, envelope.payload))
}
