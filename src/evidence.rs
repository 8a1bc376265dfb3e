//! Evidence: what a world leaves for others to check. [`collect`] gathers it from a world under the
//! names that an export gives it, [`export`] writes it to a directory, [`verify`] checks it, from a
//! directory without database or network, or from a world together with its rows.
mod answers;
mod collect;
mod export;
mod verify;

pub use collect::Collector;
pub use export::{Exported, export, export_forgeries};
pub use verify::{LeftOut, Problem, Report, Scope, verify_directory, verify_world};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use documents::checkpoint::VerifierKey;
use documents::keys::PublicKey;
use documents::slsa_level::CheckResult;
use documents::world_keys::WorldIdentity;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::logs::Log;

/// What the file `world.json` begins with.
const FORMAT: &str = "wavetank-export/1";
/// Files about the world as a whole.
const WORLD: &str = "world.json";
const TRUSTED_ROOT: &str = "trusted_root.json";
const TRUSTED_BUILDERS: &str = "trusted_builders.json";
const SIGNER_KEY: &str = "keys/signer.pem";
const LOG_KEY: &str = "keys/log.pem";
const LOG_VERIFIER: &str = "keys/log.vkey";
const AUDIT_VERIFIER: &str = "keys/audit.vkey";
/// Files about one version, below its directory.
const IMAGE: &str = "image.json";
const SPDX: &str = "sbom.spdx.json";
const SPDX_3: &str = "sbom.spdx3.json";
const CYCLONEDX: &str = "sbom.cdx.json";
const PROVENANCE: &str = "provenance.json";
const BUILD_LOG: &str = "build.log";
const OPENVEX: &str = "openvex.json";
const SLSA: &str = "slsa.json";

/// `world.json`: which world this is, and as of when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldFile {
    format: String,
    name: String,
    /// Text, for it has 64 bits, and many readers of JSON lose what is above 2^53. Earlier releases
    /// wrote a number.
    #[serde(deserialize_with = "text_or_number")]
    seed: String,
    scenario_sha256: String,
    as_of: DateTime<Utc>,
    log_origin: String,
    rekor_origin: String,
    audit_origin: String,
    signer_key_id: String,
    images: usize,
    versions: usize,
    /// Those that were disclosed; earlier releases did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    advisories: Option<usize>,
    /// What the world no longer keeps; absent when that is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retention: Option<RetentionFile>,
}

/// What a world no longer keeps of its past.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct RetentionFile {
    /// From here on history is whole.
    history_from: Option<DateTime<Utc>>,
    /// The bundles of entries of the transparency log of which no entry is kept, by their number. The
    /// hashes of their entries are in the log's tiles.
    log_bundles: BTreeSet<u64>,
    /// Those of the audit log.
    audit_bundles: BTreeSet<u64>,
}

impl RetentionFile {
    fn bundles(&self, log: Log) -> &BTreeSet<u64> {
        match log {
            Log::Transparency => &self.log_bundles,
            Log::Audit => &self.audit_bundles,
        }
    }
}

fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seed {
        Text(String),
        Number(u64),
    }
    Ok(match Seed::deserialize(deserializer)? {
        Seed::Text(text) => text,
        Seed::Number(number) => number.to_string(),
    })
}

/// `image.json`: which version this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ImageFile {
    name: String,
    version: i32,
    digest: String,
    tags: Vec<String>,
    published_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded_at: Option<DateTime<Utc>>,
    slsa_level: Option<i32>,
}

/// `slsa.json`: the level of a version and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SlsaFile {
    slsa_level: i32,
    assessed_at: DateTime<Utc>,
    /// The fact that asked for it; facts are numbered in order.
    assessed_for_fact: u64,
    checks: Vec<CheckResult>,
}

/// A row of `trusted_builders.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TrustedBuilderFile {
    builder: String,
    key_id: String,
    slsa_level: u8,
    valid_from: DateTime<Utc>,
    /// The fact that ended it; facts are numbered in order.
    ended_by_fact: Option<u64>,
}

/// The files of one version by their names below its directory, and what could not be read.
#[derive(Clone, Debug, Default)]
struct VersionFiles {
    /// `images/<name>/<version>`.
    place: String,
    files: BTreeMap<String, Bytes>,
    /// Files that should be there: their names, and why they are not.
    unreadable: Vec<(String, String)>,
}

/// The name of a bundle's file, by what it says.
fn bundle_file(name: &str) -> String {
    format!("bundles/{name}.sigstore.json")
}

/// The name of a blob's file in an OCI layout.
fn blob_file(sha256: &str) -> String {
    format!("oci/blobs/sha256/{sha256}")
}

/// The identity of a world from the files that tell it.
fn identity(
    id: String,
    signer: &str,
    log: &str,
    rekor_origin: String,
    log_verifier: &str,
    audit_verifier: &str,
) -> Result<WorldIdentity, documents::Error> {
    Ok(WorldIdentity {
        id,
        signer: PublicKey::from_pem(signer)?,
        log: PublicKey::from_pem(log)?,
        rekor_origin,
        log_verifier: VerifierKey::parse(log_verifier.trim())?,
        audit_verifier: VerifierKey::parse(audit_verifier.trim())?,
    })
}

/// As JSON with line breaks, for people.
fn pretty<T: Serialize>(value: &T) -> serde_json::Result<Bytes> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes.into())
}
