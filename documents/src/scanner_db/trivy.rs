//! Trivy's database, version 2 of its schema: as a cache directory, and as the artifact that
//! `trivy --db-repository` pulls.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{DatabaseFile, JSON};
use crate::affected::FROM_THE_START;
use crate::bolt::{self, Bucket};
use crate::cvss::{BaseScore, Severity};
use crate::digest::Digest;
use crate::distribution::Distribution;
use crate::error::{Error, to_json};
use crate::gzip;
use crate::oci::MANIFEST_TYPE;
use crate::osv::{Advisory, AffectedPackage};
use crate::subject::{DISCLAIMER, NAMESPACE};
use crate::tar::{self, Entry};
use crate::timestamp::Timestamp;

/// Media type of the artifact's only layer.
pub const LAYER_TYPE: &str = "application/vnd.aquasec.trivy.db.layer.v1.tar+gzip";
/// Media type of its configuration, and the artifact's type.
pub const ARTIFACT_TYPE: &str = CONFIG_TYPE;
/// Media type of its configuration.
pub const CONFIG_TYPE: &str = "application/vnd.aquasec.trivy.config.v1+json";
const SCHEMA_VERSION: u8 = 2;
const DATABASE: &str = "trivy.db";
const METADATA: &str = "metadata.json";
/// The layer's name; by its end Trivy knows how to unpack it.
const LAYER: &str = "db.tar.gz";

/// Severities as Trivy counts them.
fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::None => 0,
        Severity::Low => 1,
        Severity::Medium => 2,
        Severity::High => 3,
        Severity::Critical => 4,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entered<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    affected_version: Option<&'a str>,
}

#[derive(Serialize)]
struct DataSource {
    #[serde(rename = "ID")]
    id: &'static str,
    #[serde(rename = "Name")]
    name: &'static str,
    #[serde(rename = "URL")]
    url: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Vulnerability<'a> {
    title: &'a str,
    description: &'a str,
    severity: String,
    vendor_severity: BTreeMap<&'static str, u8>,
    #[serde(rename = "CVSS")]
    cvss: BTreeMap<&'static str, Cvss<'a>>,
    references: [String; 1],
    published_date: Timestamp,
    last_modified_date: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Cvss<'a> {
    v3_vector: &'a str,
    v3_score: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    version: u8,
    next_update: Timestamp,
    updated_at: Timestamp,
    downloaded_at: Timestamp,
}

/// The cache directory (`--cache-dir`), and the layer that holds the same two files.
pub(super) fn files(
    advisories: &[Advisory],
    distribution: Distribution,
    as_of: Timestamp,
) -> Result<Vec<DatabaseFile>, Error> {
    let [metadata, database] = parts(advisories, distribution, as_of)?;
    let layer = layer(&metadata, &database);
    let file = |path: &str, media_type, bytes| DatabaseFile {
        scanner: "trivy",
        path: format!("trivy/{path}"),
        media_type,
        bytes,
    };
    Ok(vec![
        file(LAYER, LAYER_TYPE, layer),
        file("db/metadata.json", JSON, metadata),
        file("db/trivy.db", "application/octet-stream", database),
    ])
}

fn parts(
    advisories: &[Advisory],
    distribution: Distribution,
    as_of: Timestamp,
) -> Result<[Vec<u8>; 2], Error> {
    let metadata = Metadata {
        version: SCHEMA_VERSION,
        next_update: as_of,
        updated_at: as_of,
        downloaded_at: as_of,
    };
    let metadata = to_json("metadata of Trivy's database", 256, &metadata)?;
    Ok([metadata, bolt::file(&buckets(advisories, distribution)?)?])
}

fn layer(metadata: &[u8], database: &[u8]) -> Vec<u8> {
    let archive = tar::archive(&[Entry::File(METADATA, metadata), Entry::File(DATABASE, database)]);
    gzip::compress(&archive)
}

fn buckets(advisories: &[Advisory], distribution: Distribution) -> Result<Bucket, Error> {
    const DOCUMENT: &str = "Trivy's database";
    let mut root = Bucket::default();
    // A scan fails in a database without this one.
    root.bucket("vulnerability");
    for advisory in advisories {
        for affected in &advisory.affected {
            let entered = to_json(DOCUMENT, 128, &entered(affected))?;
            let release = root.bucket(distribution.trivy_bucket());
            release.bucket(&affected.name).put(&advisory.id, entered);
        }
        let vulnerability = to_json(DOCUMENT, 1024, &vulnerability(advisory, distribution)?)?;
        root.bucket("vulnerability").put(&advisory.id, vulnerability);
    }
    let source = DataSource {
        id: distribution.id(),
        name: "Advisories of a simulated world",
        url: NAMESPACE,
    };
    let source = to_json(DOCUMENT, 128, &source)?;
    root.bucket("data-source").put(distribution.trivy_bucket(), source);
    Ok(root)
}

fn entered(affected: &AffectedPackage) -> Entered<'_> {
    let introduced = Some(&*affected.introduced);
    Entered {
        fixed_version: affected.fixed.as_deref(),
        affected_version: introduced.filter(|from| !from.is_empty() && *from != FROM_THE_START),
    }
}

fn vulnerability(
    advisory: &Advisory,
    distribution: Distribution,
) -> Result<Vulnerability<'_>, Error> {
    let score = BaseScore::of(&advisory.cvss_vector)?;
    let severity = score.severity();
    let cvss = Cvss { v3_vector: &advisory.cvss_vector, v3_score: score.value() };
    let description = if advisory.details.is_empty() { DISCLAIMER } else { &advisory.details };
    Ok(Vulnerability {
        title: &advisory.summary,
        description,
        severity: severity.as_str().to_uppercase(),
        vendor_severity: BTreeMap::from([(distribution.id(), rank(severity))]),
        cvss: BTreeMap::from([(distribution.id(), cvss)]),
        references: [format!("{NAMESPACE}/advisories/{}", advisory.id)],
        published_date: advisory.published,
        last_modified_date: advisory.modified,
    })
}

/// The database as an OCI artifact: what a registry needs for `trivy --db-repository`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The manifest, of media type [`MANIFEST_TYPE`].
    pub manifest: Vec<u8>,
    /// The blobs that it names: digest, media type, bytes.
    pub blobs: [(Digest, &'static str, Vec<u8>); 2],
}

/// Makes the artifact.
///
/// # Errors
/// As [`super::files`].
pub fn artifact(
    advisories: &[Advisory],
    distribution: Distribution,
    as_of: Timestamp,
) -> Result<Artifact, Error> {
    let [metadata, database] = parts(advisories, distribution, as_of)?;
    let (config, layer) = (b"{}".to_vec(), layer(&metadata, &database));
    let digests = [Digest::of(&config), Digest::of(&layer)];
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "artifactType": ARTIFACT_TYPE,
        "config": {
            "mediaType": CONFIG_TYPE,
            "digest": digests[0].to_string(),
            "size": config.len(),
        },
        "layers": [{
            "mediaType": LAYER_TYPE,
            "digest": digests[1].to_string(),
            "size": layer.len(),
            "annotations": { "org.opencontainers.image.title": LAYER },
        }],
        "annotations": { "org.opencontainers.image.created": as_of },
    });
    Ok(Artifact {
        manifest: to_json("manifest of Trivy's database", 1024, &manifest)?,
        blobs: [(digests[0], CONFIG_TYPE, config), (digests[1], LAYER_TYPE, layer)],
    })
}
