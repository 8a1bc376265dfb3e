//! The logs, their entries and proofs as the API shows them.
use crate::http::examples;
use crate::http::pages::page;
use crate::http::problem::{Code, Problem};
use crate::http::time::{self, Instant};
use documents::merkle::Hash;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use store::logs::Log;
use store::read::log::EntryRow;

/// Which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum LogName {
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
pub(super) struct LogState {
    /// Which log.
    pub(super) name: LogName,
    /// Its name in checkpoints.
    pub(super) origin: String,
    /// How many entries it has.
    pub(super) size: i64,
    /// The root over them, hexadecimal.
    pub(super) root: String,
    /// Its signed checkpoint.
    pub(super) checkpoint_href: String,
}

/// Both logs.
#[derive(Object)]
#[oai(example)]
pub(super) struct LogList {
    /// The logs.
    pub(super) items: Vec<LogState>,
    /// The simulated instant this speaks of.
    pub(super) as_of: Instant,
    /// Whether this answer can never change again.
    pub(super) settled: bool,
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
            as_of: time::example(6),
            settled: true,
        }
    }
}

/// An entry of the transparency log: a signed statement about an image version.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct LogEntry {
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
            image: examples::IMAGE.to_owned(),
            version: 5,
            digest: format!("sha256:{}", "a".repeat(64)),
            sha256: Some("d".repeat(64)),
            document_sha256: Some("f".repeat(64)),
            leaf_hash: vec![0xab; 32],
        };
        row.into()
    }
}

page! {
    /// A page of entries, by index.
    LogEntryPage of LogEntry
}

/// A proof by RFC 6962.
#[derive(Object)]
#[oai(example)]
pub(super) struct Proof {
    /// The size of the (newer) tree.
    tree_size: i64,
    /// Its root, hexadecimal.
    root: String,
    /// The hashes of the proof, hexadecimal, in order.
    hashes: Vec<String>,
}

impl Proof {
    pub(super) fn new(
        size: u64,
        root: Option<Hash>,
        hashes: Option<Vec<Hash>>,
    ) -> Result<Self, Problem> {
        let (root, hashes) = root.zip(hashes).ok_or_else(|| {
            let detail = "The log does not have, or had not then, so many entries.";
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
