//! The two Merkle logs: their newest checkpoints, their entries by index and digest, and proofs.
use super::caller::Caller;
use super::page::{self, Scope};
use super::problem::{Code, Failure, Problem, failures};
use super::spec::Tag;
use super::state::ApiState;
use super::time::{self, Instant, example_as_of};
use super::tour;
use documents::merkle::{Hash, empty_root};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{Json, PlainText};
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object, OpenApi};
use store::logs::Log;
use store::read::audit::log_sizes;
use store::read::log::{EntryRow, entries, entry};

pub(crate) struct LogsApi(pub(crate) ApiState);

failures! {
    /// The logs.
    ListLogs: InvalidParameter, UnknownParameter, AsOfInFuture
}
failures! {
    /// A checkpoint.
    OneCheckpoint: InvalidParameter, UnknownParameter, ObjectStoreUnavailable, LogEntryNotFound
}
failures! {
    /// A list of entries.
    ListEntries: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}
failures! {
    /// One entry.
    OneEntry: InvalidParameter, UnknownParameter, LogEntryNotFound
}

/// Which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum LogName {
    /// Signed statements about images: the simulated Rekor.
    Transparency,
    /// Who did what.
    Audit,
}

impl From<LogName> for Log {
    fn from(name: LogName) -> Self {
        match name {
            LogName::Transparency => Log::Transparency,
            LogName::Audit => Log::Audit,
        }
    }
}

/// A log as its newest checkpoint has it.
#[derive(Object)]
struct LogState {
    /// Which log.
    name: LogName,
    /// Its name in checkpoints.
    origin: String,
    /// How many entries it has.
    size: i64,
    /// The root over them, hexadecimal.
    root: String,
    /// Its signed checkpoint.
    checkpoint_href: String,
}

/// Both logs.
#[derive(Object)]
#[oai(example)]
struct LogList {
    /// The logs.
    items: Vec<LogState>,
}

impl Example for LogList {
    fn example() -> Self {
        LogList {
            items: vec![LogState {
                name: LogName::Transparency,
                origin: "log.wavetank.example/0f6f2a1c9b7d3e58".to_owned(),
                size: 1_208,
                root: "a".repeat(64),
                checkpoint_href: "/v1/logs/transparency/checkpoint".to_owned(),
            }],
        }
    }
}

/// An entry of the transparency log: a signed statement about an image version.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct LogEntry {
    /// Its index. Index 0 is the log's own first leaf, which belongs to no image.
    log_index: i64,
    /// The size of the tree in whose checkpoint its bundle proves it.
    tree_size: i64,
    /// When it was logged.
    created_at: Instant,
    /// The type of the predicate.
    predicate_type: String,
    /// The image's name.
    image: String,
    /// The version.
    version: i32,
    /// The digest of the version: the subject.
    digest: String,
    /// The hash of the leaf, hexadecimal.
    leaf_hash: String,
    /// The bundle: signature, statement, proof; absent until it is made.
    bundle_href: Option<String>,
    /// The document that is stated, alone.
    document_href: Option<String>,
}

impl From<EntryRow> for LogEntry {
    fn from(row: EntryRow) -> Self {
        let artifact = |sha256: String| format!("/v1/artifacts/{sha256}");
        LogEntry {
            log_index: row.log_index,
            tree_size: row.tree_size,
            created_at: row.created_at.into(),
            predicate_type: row.predicate_type,
            image: row.image,
            version: row.version,
            digest: row.digest,
            leaf_hash: hex::encode(row.leaf_hash),
            bundle_href: row.sha256.map(artifact),
            document_href: row.document_sha256.map(artifact),
        }
    }
}

impl Example for LogEntry {
    fn example() -> Self {
        let row = EntryRow {
            log_index: 1_207,
            tree_size: 1_208,
            created_at: time::example(2).datetime(),
            predicate_type: "https://slsa.dev/provenance/v1".to_owned(),
            image: tour::IMAGE.to_owned(),
            version: 5,
            digest: format!("sha256:{}", "a".repeat(64)),
            sha256: Some("d".repeat(64)),
            document_sha256: Some("f".repeat(64)),
            leaf_hash: vec![0xab; 32],
        };
        row.into()
    }
}

/// A page of entries.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct LogEntryPage {
    /// The entries, by index.
    items: Vec<LogEntry>,
    /// For the next page; absent on the last.
    next_page_token: Option<String>,
}

impl Example for LogEntryPage {
    fn example() -> Self {
        LogEntryPage { items: vec![LogEntry::example()], next_page_token: None }
    }
}

/// A proof by RFC 6962.
#[derive(Object)]
#[oai(example)]
struct Proof {
    /// The size of the (newer) tree.
    tree_size: i64,
    /// Its root, hexadecimal.
    root: String,
    /// The hashes of the proof, hexadecimal, in order.
    hashes: Vec<String>,
}

impl Proof {
    fn new(size: u64, root: Option<Hash>, hashes: Option<Vec<Hash>>) -> Result<Self, Problem> {
        let (root, hashes) = root.zip(hashes).ok_or_else(|| {
            let detail = "The log does not have, or never had, so many entries.";
            Problem::new(Code::InvalidParameter, detail)
        })?;
        Ok(Proof {
            tree_size: size as i64,
            root: hex::encode(root),
            hashes: hashes.iter().map(hex::encode).collect(),
        })
    }
}

impl Example for Proof {
    fn example() -> Self {
        Proof { tree_size: 1_208, root: "a".repeat(64), hashes: vec!["b".repeat(64)] }
    }
}

#[OpenApi(tag = "Tag::Logs")]
impl LogsApi {
    /// List the logs
    ///
    /// The transparency log (a simulated Rekor) and the audit log, each as its newest checkpoint
    /// has it, or as it was at an instant.
    #[oai(path = "/v1/logs", method = "get", operation_id = "listLogs")]
    async fn list(
        &self,
        caller: Caller,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
    ) -> Result<Json<LogList>, Failure<ListLogs>> {
        drop(self.0.view(&caller, as_of.0).await?);
        // Sizes and roots are public, whosever the entries are.
        let mut view = self.0.platform_view().await?;
        let then = match as_of.0 {
            Some(at) => Some(log_sizes(view.conn(), at.datetime()).await?),
            None => None,
        };
        let mut items = Vec::new();
        for name in [LogName::Transparency, LogName::Audit] {
            let log = Log::from(name);
            let state = store::logs::state(view.conn(), log).await.map_err(Problem::from)?;
            let Some(state) = state else { continue };
            let (size, root) = match then {
                None => (state.size, state.root),
                Some((transparency, audit)) => {
                    let size = match name {
                        // The log's own first leaf is there from the beginning.
                        LogName::Transparency => transparency.max(1),
                        LogName::Audit => audit,
                    };
                    let size = (size as u64).min(state.size);
                    (size, self.0.log_tree(log).await?.root(size).unwrap_or_else(empty_root))
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
        Ok(Json(LogList { items }))
    }

    /// Read a log's checkpoint
    ///
    /// A C2SP signed note: origin, size, root, and the log's Ed25519 signature.
    #[oai(path = "/v1/logs/:log/checkpoint", method = "get", operation_id = "getCheckpoint")]
    async fn checkpoint(
        &self,
        _caller: Caller,
        /// Which log.
        log: Path<LogName>,
    ) -> Result<PlainText<String>, Failure<OneCheckpoint>> {
        let log = Log::from(log.0);
        let key = format!("{}checkpoint", log.prefix());
        let note = self.0.objects()?.get(&key, 1 << 16).await;
        let note = match note {
            Err(store::objects::ObjectError::Missing { .. }) => {
                let detail = "The log has no entries yet.";
                return Err(Problem::new(Code::LogEntryNotFound, detail).into());
            }
            note => note.map_err(Problem::from)?,
        };
        Ok(PlainText(String::from_utf8_lossy(&note).into_owned()))
    }

    /// Search the transparency log
    ///
    /// By index. With `digest`, the entries about the image of that digest, or whose bundle,
    /// document or statement has it.
    #[oai(path = "/v1/logs/transparency/entries", method = "get", operation_id = "listLogEntries")]
    async fn entries(
        &self,
        caller: Caller,
        /// A SHA-256: `sha256:` and 64 hexadecimal digits.
        #[oai(validator(pattern = "^sha256:[0-9a-f]{64}$"))]
        digest: Query<Option<String>>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many entries a page holds, 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<LogEntryPage>, Failure<ListEntries>> {
        let at_ms = as_of.map(|at| at.datetime().timestamp_millis());
        let scope = Scope::new("log", &(&digest.0, at_ms))?;
        let start = page::start::<i64>(&scope, page_token.as_deref())?;
        let mut view = self.0.page_view(&caller, as_of.0, start.as_ref()).await?;
        let from = start.map_or(1, |start| start.key);
        let size = page_size.unwrap_or(page::DEFAULT_SIZE);
        let moment = view.moment;
        let sha256 = digest.0.as_deref().and_then(|digest| digest.strip_prefix("sha256:"));
        let mut rows =
            entries(view.conn(), moment.as_of, sha256, from, i64::from(size) + 1).await?;
        let more = page::cut(&mut rows, size);
        let last = rows.last().filter(|_| more).map(|row| row.log_index + 1);
        Ok(Json(LogEntryPage {
            next_page_token: last.map(|key| page::token(&scope, moment, key)).transpose()?,
            items: rows.into_iter().map(LogEntry::from).collect(),
        }))
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
    ) -> Result<Json<LogEntry>, Failure<OneEntry>> {
        let mut tx = self.0.snapshot(&caller).await?;
        let row = entry(&mut tx, index.0).await?.ok_or_else(|| {
            let detail = format!("The log has no entry {}.", index.0);
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
        _caller: Caller,
        /// Which log.
        log: Path<LogName>,
        /// The entry's index.
        #[oai(validator(minimum(value = "0")), example = "example_index")]
        index: Query<i64>,
        /// The size of the tree; the newest when absent.
        #[oai(validator(minimum(value = "1")))]
        tree_size: Query<Option<i64>>,
    ) -> Result<Json<Proof>, Failure<OneEntry>> {
        let tree = self.0.log_tree(log.0.into()).await?;
        let size = tree_size.0.map_or(tree.size(), |size| size as u64);
        let index = index.0 as u64;
        Ok(Json(Proof::new(size, tree.root(size), tree.inclusion_proof(index, size))?))
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
        _caller: Caller,
        /// Which log.
        log: Path<LogName>,
        /// The size of the older tree.
        #[oai(validator(minimum(value = "1")), example = "example_index")]
        from: Query<i64>,
        /// The size of the newer tree; the newest when absent.
        #[oai(validator(minimum(value = "1")))]
        to: Query<Option<i64>>,
    ) -> Result<Json<Proof>, Failure<OneEntry>> {
        let tree = self.0.log_tree(log.0.into()).await?;
        let size = to.0.map_or(tree.size(), |size| size as u64);
        let hashes = tree.consistency_proof(from.0 as u64, size);
        Ok(Json(Proof::new(size, tree.root(size), hashes)?))
    }
}

fn example_index() -> i64 {
    7
}

/// The digest of a leaf that belongs to no attestation: the log's first.
pub(crate) fn first_leaf(scenario_sha256: &str, seed: u64) -> Result<Hash, documents::Error> {
    let keys = documents::world_keys::WorldKeys::of(scenario_sha256, seed, None)?;
    let body = documents::rekor::genesis_body(&keys.identity.rekor_origin)?;
    Ok(documents::merkle::leaf_hash(&body))
}
