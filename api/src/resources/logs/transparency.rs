//! The two Merkle logs: their checkpoints, their entries by index and digest, and proofs, each as
//! it stands or as it stood at an instant.
mod model;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::pages::{PageQuery, Pager};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::query::{AsOf, ExampleValue, at_least, pattern, query};
use crate::http::snapshot::Snapshot;
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::time::Instant;
use documents::checkpoint::Checkpoint;
use documents::merkle::{Hash, Tree, empty_root};
use documents::world_keys::WorldKeys;
use model::{LogEntry, LogEntryPage, LogList, LogName, LogState, Proof};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::{Json, PlainText};
use store::logs::Log;
use store::read::audit::log_sizes;
use store::read::log::{entries, entries_total, entry};
use store::retention::leaves::is_expired;
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};

pub(crate) struct LogsApi {
    state: ApiState,
    /// The trees of the logs, each with the generation of the world it is of.
    trees: [Mutex<(i64, Tree)>; 2],
}

failures! {
    /// The logs.
    ListLogs: InvalidParameter, UnknownParameter, AsOfInFuture
}
failures! {
    /// A checkpoint.
    OneCheckpoint:
        InvalidParameter, UnknownParameter, AsOfInFuture, ObjectStoreUnavailable, LogEntryNotFound,
        DocumentDamaged
}
failures! {
    /// A list of entries.
    ListEntries: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}
failures! {
    /// One entry.
    OneEntry:
        InvalidParameter, UnknownParameter, AsOfInFuture, LogEntryNotFound, LogEntryExpired
}
failures! {
    /// A proof.
    OneProof: InvalidParameter, UnknownParameter, AsOfInFuture
}

query! {
    /// The parameters of listLogEntries.
    struct ListLogEntriesQuery {
        /// A SHA-256: `sha256:` and 64 hexadecimal digits.
        digest: Option<String> = pattern("^sha256:[0-9a-f]{64}$"),
    }
}

query! {
    /// The parameters of getInclusionProof.
    struct GetInclusionProofQuery {
        /// The entry's index.
        index: i64 = at_least(0).example(ExampleValue::Number(7)),
        /// The size of the tree; that of the instant when absent.
        tree_size: Option<i64> = at_least(1),
    }
}

query! {
    /// The parameters of getConsistencyProof.
    struct GetConsistencyProofQuery {
        /// The size of the older tree.
        from: i64 = at_least(1).example(ExampleValue::Number(7)),
        /// The size of the newer tree; that of the instant when absent.
        to: Option<i64> = at_least(1),
    }
}

impl Resource for LogsApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("listLogs", Access::Read),
        ("getCheckpoint", Access::Read),
        ("listLogEntries", Access::Read),
        ("getLogEntry", Access::Read),
        ("getInclusionProof", Access::Read),
        ("getConsistencyProof", Access::Read),
    ];

    fn new(state: &ApiState) -> Self {
        LogsApi { state: state.clone(), trees: Default::default() }
    }
}

#[OpenApi(tag = "Tag::Logs")]
impl LogsApi {
    /// List the logs
    ///
    /// The transparency log (a simulated Rekor) and the audit log, each as its newest checkpoint
    /// has it, or as it was at an instant.
    #[oai(path = "/v1/logs", method = "get", operation_id = "listLogs")]
    async fn list(&self, caller: Caller, as_of: AsOf) -> Result<Json<LogList>, Failure<ListLogs>> {
        let (mut snapshot, asked) = self.views(&caller, as_of.0).await?;
        let mut items = Vec::new();
        for name in [LogName::Transparency, LogName::Audit] {
            let log = Log::from(name);
            let Some(state) =
                store::logs::state(snapshot.conn(), log).await.map_err(Problem::from)?
            else {
                continue;
            };
            let (size, root) = match as_of.0 {
                None => (state.size, state.root),
                Some(at) => {
                    let size = size_at(&mut snapshot, log, at).await?.min(state.size);
                    (size, self.tree(log).await?.root(size).unwrap_or_else(empty_root))
                }
            };
            items.push(LogState {
                name,
                origin: state.origin,
                size: size as i64,
                root: hex::encode(root),
                checkpoint_href: format!("/v1/logs/{}/checkpoint", log.as_str()),
            });
        }
        Ok(Json(LogList { items, as_of: asked.as_of(), settled: asked.settled() }))
    }

    /// Read a log's checkpoint
    ///
    /// A C2SP signed note: origin, size, root, and the log's Ed25519 signature. At an instant of
    /// the past, the note that the log would have given then.
    #[oai(path = "/v1/logs/:log/checkpoint", method = "get", operation_id = "getCheckpoint")]
    async fn checkpoint(
        &self,
        caller: Caller,
        /// Which log.
        #[oai(example = "example_log")]
        log: Path<LogName>,
        as_of: AsOf,
    ) -> Result<PlainText<String>, Failure<OneCheckpoint>> {
        let empty = || Problem::new(Code::LogEntryNotFound, "The log has no entries yet.");
        let log = Log::from(log.0);
        if let Some(at) = as_of.0 {
            let (mut snapshot, _) = self.views(&caller, as_of.0).await?;
            let size = size_at(&mut snapshot, log, at).await?;
            let origin = store::world::get(snapshot.conn()).await.map_err(Problem::from)?.origin;
            drop(snapshot);
            let root = self.tree(log).await?.root(size);
            let root = root.filter(|_| size > 0).ok_or_else(empty)?;
            let keys = WorldKeys::of(&origin.scenario_sha256, origin.seed, None);
            let keys = keys.map_err(Problem::internal)?;
            return Ok(PlainText(signed(&keys, log, size, root)));
        }
        let key = format!("{}checkpoint", log.prefix());
        let note = match self.state.objects()?.get(&key, 1 << 16).await {
            // A log that has no entries yet has no checkpoint.
            Err(store::objects::ObjectError::Missing { .. }) if !self.begun(log).await? => {
                return Err(empty().into());
            }
            note => note.map_err(Problem::from)?,
        };
        let note = String::from_utf8_lossy(&note).into_owned();
        self.check_note(log, &key, &note).await?;
        Ok(PlainText(note))
    }

    /// Search the transparency log
    ///
    /// By index. With `digest`, the entries about the image of that digest, or whose bundle,
    /// document or statement has it.
    #[oai(path = "/v1/logs/transparency/entries", method = "get", operation_id = "listLogEntries")]
    async fn entries(
        &self,
        caller: Caller,
        query: ListLogEntriesQuery,
        page: PageQuery,
    ) -> Result<Json<LogEntryPage>, Failure<ListEntries>> {
        let mut pager = Pager::<i64>::begin(&self.state, &caller, page).await?;
        let sha256 = query.digest.as_deref().and_then(|digest| digest.strip_prefix("sha256:"));
        let (at, from, limit) = (pager.moment.as_of, pager.after.unwrap_or(1), pager.limit());
        let conn = pager.snapshot.conn();
        let total = entries_total(conn, at, sha256).await?;
        let mut rows = entries(conn, at, sha256, from, limit).await?;
        let next = pager.end(&mut rows, |row| row.log_index + 1)?;
        let items = rows.into_iter().map(LogEntry::from).collect();
        Ok(Json(LogEntryPage::new(items, total, next, &pager.snapshot)))
    }

    /// Read an entry of the transparency log
    #[oai(
        path = "/v1/logs/transparency/entries/:index",
        method = "get",
        operation_id = "getLogEntry"
    )]
    async fn entry(
        &self,
        caller: Caller,
        /// The entry's index, from 1.
        #[oai(validator(minimum(value = "0")), example = "example_index")]
        index: Path<i64>,
        as_of: AsOf,
    ) -> Result<Json<LogEntry>, Failure<OneEntry>> {
        let mut snapshot = self.state.snapshot(&caller, as_of.0).await?;
        let at = snapshot.moment.as_of;
        let row = entry(snapshot.conn(), index.0).await?.filter(|row| row.created_at <= at);
        let log = Log::Transparency;
        if row.is_none() && is_expired(snapshot.conn(), log, index.0).await? {
            let detail = format!("Entry {} is about a version that is no longer kept.", index.0);
            return Err(Problem::new(Code::LogEntryExpired, detail).into());
        }
        let row = row.ok_or_else(|| {
            let detail = format!("The log has no entry {} as of {}.", index.0, snapshot.as_of());
            Problem::new(Code::LogEntryNotFound, detail)
        })?;
        Ok(Json(row.into()))
    }

    /// Prove that an entry is in a log
    ///
    /// The path from the leaf to the root of the tree of `tree_size` entries.
    #[oai(
        path = "/v1/logs/:log/inclusion-proof",
        method = "get",
        operation_id = "getInclusionProof"
    )]
    async fn inclusion(
        &self,
        caller: Caller,
        /// Which log.
        #[oai(example = "example_log")]
        log: Path<LogName>,
        query: GetInclusionProofQuery,
        as_of: AsOf,
    ) -> Result<Json<Proof>, Failure<OneProof>> {
        let proven = |tree: &Tree, size| tree.inclusion_proof(query.index.unsigned_abs(), size);
        let log = Log::from(log.0);
        Ok(Json(self.proof(&caller, log, as_of.0, query.tree_size, proven).await?))
    }

    /// Prove that a log only grew
    ///
    /// That the tree of `to` entries begins with that of `from` entries.
    #[oai(
        path = "/v1/logs/:log/consistency-proof",
        method = "get",
        operation_id = "getConsistencyProof"
    )]
    async fn consistency(
        &self,
        caller: Caller,
        /// Which log.
        #[oai(example = "example_log")]
        log: Path<LogName>,
        query: GetConsistencyProofQuery,
        as_of: AsOf,
    ) -> Result<Json<Proof>, Failure<OneProof>> {
        let proven = |tree: &Tree, size| tree.consistency_proof(query.from.unsigned_abs(), size);
        let log = Log::from(log.0);
        Ok(Json(self.proof(&caller, log, as_of.0, query.to, proven).await?))
    }
}

impl LogsApi {
    /// The tree of a log with all entries that it has now. Logs only grow, so what is known is
    /// kept, as long as the world is.
    async fn tree(&self, log: Log) -> Result<MappedMutexGuard<'_, Tree>, Problem> {
        let mut known = self.trees[log as usize].lock().await;
        let mut tx = self.state.platform_read_tx().await?;
        let world = store::world::get(&mut tx).await.map_err(Problem::from)?;
        if known.0 != world.generation {
            *known = (world.generation, Tree::default());
        }
        let origin = world.origin;
        let tree = &mut known.1;
        if log == Log::Transparency && tree.size() == 0 {
            let leaf = first_leaf(&origin.scenario_sha256, origin.seed);
            tree.push(leaf.map_err(Problem::internal)?);
        }
        let leaves = match log {
            Log::Transparency => store::attestations::leaf_hashes(&mut tx, tree.size()).await,
            Log::Audit => store::audit::leaf_hashes(&mut tx, tree.size()).await,
        };
        for leaf in leaves.map_err(Problem::from)? {
            tree.push(leaf);
        }
        Ok(MutexGuard::map(known, |known| &mut known.1))
    }

    /// Whether a checkpoint of the log must be there: it is published before its window is sealed.
    async fn begun(&self, log: Log) -> Result<bool, Problem> {
        let mut tx = self.state.platform_read_tx().await?;
        let world = store::world::get(&mut tx).await.map_err(Problem::from)?;
        let state = store::logs::state(&mut tx, log).await.map_err(Problem::from)?;
        let has_entries = |size: u64| size > 0 && world.materialized.seq > 0;
        Ok(state.is_some_and(|state| state.published > 0 || has_entries(state.size)))
    }

    /// A checkpoint is what the log has signed, or it is damaged.
    async fn check_note(&self, log: Log, key: &str, note: &str) -> Result<(), Problem> {
        let mut tx = self.state.platform_read_tx().await?;
        let origin = store::world::get(&mut tx).await.map_err(Problem::from)?.origin;
        let keys = WorldKeys::of(&origin.scenario_sha256, origin.seed, None);
        let identity = keys.map_err(Problem::internal)?.identity;
        let key_of = match log {
            Log::Transparency => &identity.log_verifier,
            Log::Audit => &identity.audit_verifier,
        };
        let checked = Checkpoint::verify_ed25519(note, key_of, key_of.name());
        let damaged = |error: documents::Error| {
            let (key, reason) = (key.to_owned(), error.to_string());
            store::objects::ObjectError::Corrupt { key, reason }
        };
        checked.map(|_| ()).map_err(damaged).map_err(Problem::from)
    }

    /// What the platform sees, and the caller's own snapshot of that instant. Sizes, roots and hashes
    /// are public, whosever the entries are; whether the instant has come is told as always.
    async fn views(
        &self,
        caller: &Caller,
        as_of: Option<Instant>,
    ) -> Result<(Snapshot, Snapshot), Problem> {
        let asked = self.state.snapshot(caller, as_of).await?;
        Ok((self.state.platform_snapshot().await?, asked))
    }

    /// What a log proves of its tree of a size, which is that of the instant when none is given.
    async fn proof(
        &self,
        caller: &Caller,
        log: Log,
        as_of: Option<Instant>,
        size: Option<i64>,
        proven: impl Fn(&Tree, u64) -> Option<Vec<Hash>>,
    ) -> Result<Proof, Problem> {
        let limit = self.limit(caller, log, as_of).await?;
        let tree = self.tree(log).await?;
        let limit = limit.unwrap_or_else(|| tree.size());
        let size = size.map_or(limit, i64::unsigned_abs);
        let root = tree.root(size).filter(|_| size <= limit);
        Proof::new(size, root, proven(&tree, size))
    }

    /// How many entries a log had at an instant; none: no instant is asked about.
    async fn limit(
        &self,
        caller: &Caller,
        log: Log,
        as_of: Option<Instant>,
    ) -> Result<Option<u64>, Problem> {
        let Some(at) = as_of else { return Ok(None) };
        let (mut snapshot, _) = self.views(caller, as_of).await?;
        Ok(Some(size_at(&mut snapshot, log, at).await?))
    }
}

/// How many entries a log had at an instant.
async fn size_at(snapshot: &mut Snapshot, log: Log, at: Instant) -> Result<u64, Problem> {
    let (transparency, audit) = log_sizes(snapshot.conn(), at.datetime()).await?;
    let size = match log {
        // The log's own first leaf is there from the beginning.
        Log::Transparency => transparency.max(1),
        Log::Audit => audit,
    };
    u64::try_from(size).map_err(Problem::internal)
}

/// A checkpoint as the conductor signs those that it publishes: the same size and root give the
/// same note.
fn signed(keys: &WorldKeys, log: Log, size: u64, root: Hash) -> String {
    let (verifier, key) = match log {
        Log::Transparency => (&keys.identity.log_verifier, &keys.log_checkpoint),
        Log::Audit => (&keys.identity.audit_verifier, &keys.audit_checkpoint),
    };
    let origin = verifier.name().to_owned();
    Checkpoint { origin, size, root }.sign_ed25519(verifier.name(), key)
}

/// A note for examples: its signature is right, its log is nobody's.
pub(crate) fn example_note() -> String {
    let keys = WorldKeys::of(&"0".repeat(64), 0, None);
    keys.map(|keys| signed(&keys, Log::Transparency, 1_208, [0xaa; 32])).unwrap_or_default()
}

fn example_log() -> LogName {
    LogName::Transparency
}

fn example_index() -> i64 {
    7
}

/// The digest of a leaf that belongs to no attestation: the log's first.
fn first_leaf(scenario_sha256: &str, seed: u64) -> Result<Hash, documents::Error> {
    let keys = WorldKeys::of(scenario_sha256, seed, None)?;
    let body = documents::rekor::genesis_body(&keys.identity.rekor_origin)?;
    Ok(documents::merkle::leaf_hash(&body))
}
