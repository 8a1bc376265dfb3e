//! Images that exist: manifest, configuration and one small layer by the OCI image-spec 1.1.
//!
//! Nothing in them depends on when an image was built. Identical contents give identical bytes,
//! so the digest says whether a rebuild changed anything.

pub mod referrer;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::apk_db;
use crate::contents::ImageContents;
use crate::digest::Digest;
use crate::error::{Error, to_json};
use crate::gzip;
use crate::subject::NAMESPACE;
use crate::tar::{self, Entry};
use crate::timestamp::Timestamp;

/// Media type of an image manifest.
pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of an image configuration.
pub const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
/// Media type of a gzip-compressed layer.
pub const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// Media type of an image index.
pub const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";

/// One content-addressed piece of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// What it is.
    pub media_type: &'static str,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// The bytes as a registry would serve them.
    pub bytes: Vec<u8>,
}

impl Blob {
    fn new(media_type: &'static str, bytes: Vec<u8>) -> Self {
        Self { media_type, digest: Digest::of(&bytes), bytes }
    }

    fn descriptor(&self) -> Descriptor {
        let (media_type, digest, size) = (self.media_type, self.digest, self.bytes.len());
        Descriptor { media_type, digest, size, annotations: BTreeMap::new() }
    }
}

/// A whole image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The manifest; its digest is the image's digest.
    pub manifest: Blob,
    /// The configuration.
    pub config: Blob,
    /// The only layer.
    pub layer: Blob,
}

impl Image {
    /// The image's digest: SHA-256 of the manifest.
    pub fn digest(&self) -> Digest {
        self.manifest.digest
    }

    /// Manifest, configuration and layer.
    pub fn blobs(&self) -> [&Blob; 3] {
        [&self.manifest, &self.config, &self.layer]
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: &'static str,
    digest: Digest,
    size: usize,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u8,
    media_type: &'static str,
    config: Descriptor,
    layers: [Descriptor; 1],
    annotations: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Config<'a> {
    created: Timestamp,
    architecture: &'a str,
    os: &'static str,
    config: RunConfig<'a>,
    rootfs: RootFs,
    history: [History; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RunConfig<'a> {
    env: [&'static str; 1],
    labels: BTreeMap<&'static str, &'a str>,
}

#[derive(Serialize)]
struct RootFs {
    r#type: &'static str,
    diff_ids: [Digest; 1],
}

#[derive(Serialize)]
struct History {
    created: Timestamp,
    created_by: &'static str,
}

/// Makes the image of those contents.
///
/// # Errors
/// What [`ImageContents::check`] refuses.
pub fn image(contents: &ImageContents) -> Result<Image, Error> {
    contents.check()?;
    let os_release = apk_db::os_release(contents);
    let (alpine, installed) = (apk_db::alpine_release(contents), apk_db::installed(contents));
    let mut entries = vec![Entry::Directory("etc/")];
    entries.extend(alpine.as_ref().map(|text| Entry::File("etc/alpine-release", text.as_bytes())));
    entries.extend([
        Entry::File("etc/os-release", os_release.as_bytes()),
        Entry::Directory("lib/"),
        Entry::Directory("lib/apk/"),
        Entry::Directory("lib/apk/db/"),
        Entry::File("lib/apk/db/installed", installed.as_bytes()),
    ]);
    let archive = tar::archive(&entries);
    let layer = Blob::new(LAYER_TYPE, gzip::compress(&archive));
    let config = Blob::new(CONFIG_TYPE, config(contents, Digest::of(&archive))?);
    let manifest = Manifest {
        schema_version: 2,
        media_type: MANIFEST_TYPE,
        config: config.descriptor(),
        layers: [layer.descriptor()],
        annotations: annotations(contents),
    };
    let manifest = Blob::new(MANIFEST_TYPE, to_json("OCI manifest", 2048, &manifest)?);
    Ok(Image { manifest, config, layer })
}

/// The Go name of an architecture, which OCI uses, from apk's name.
pub fn architecture(apk: &str) -> &str {
    match apk {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        "armv7" | "armhf" => "arm",
        other => other,
    }
}

/// The `index.json` of an OCI image layout that holds the one image of that manifest, by that tag.
///
/// # Errors
/// [`Error::Encode`], which does not happen.
pub fn layout_index(tag: &str, manifest: &[u8]) -> Result<Vec<u8>, Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Index {
        schema_version: u8,
        media_type: &'static str,
        manifests: [Descriptor; 1],
    }
    let mut descriptor = Descriptor {
        media_type: MANIFEST_TYPE,
        digest: Digest::of(manifest),
        size: manifest.len(),
        annotations: BTreeMap::new(),
    };
    descriptor.annotations.insert("org.opencontainers.image.ref.name", tag.to_owned());
    let index = Index { schema_version: 2, media_type: INDEX_TYPE, manifests: [descriptor] };
    to_json("OCI index", 512, &index)
}

/// The `oci-layout` file of an OCI image layout.
pub const LAYOUT_FILE: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

fn config(contents: &ImageContents, diff_id: Digest) -> Result<Vec<u8>, Error> {
    let config = Config {
        created: Timestamp::EPOCH,
        architecture: architecture(&contents.architecture),
        os: "linux",
        config: RunConfig {
            env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            labels: BTreeMap::from([
                ("org.opencontainers.image.title", contents.image.as_str()),
                ("org.opencontainers.image.version", contents.version.as_str()),
            ]),
        },
        rootfs: RootFs { r#type: "layers", diff_ids: [diff_id] },
        history: [History { created: Timestamp::EPOCH, created_by: "wavetank" }],
    };
    to_json("OCI configuration", 1024, &config)
}

fn annotations(contents: &ImageContents) -> BTreeMap<&'static str, String> {
    let mut annotations = BTreeMap::from([
        ("org.opencontainers.image.title", contents.image.clone()),
        ("org.opencontainers.image.version", contents.version.clone()),
        ("org.opencontainers.image.vendor", contents.vendor.clone()),
        ("org.opencontainers.image.url", format!("{NAMESPACE}/images/{}", contents.image)),
        ("example.wavetank.simulated", "true".to_owned()),
    ]);
    if let Some(base) = &contents.base {
        annotations.insert("org.opencontainers.image.base.name", base.name.clone());
        annotations.insert("org.opencontainers.image.base.digest", base.digest.to_string());
    }
    annotations
}

/// The digests that a manifest names: its configuration and layers.
///
/// # Errors
/// [`Error::Decode`] for anything but an image manifest.
pub fn blobs_of(manifest: &[u8]) -> Result<Vec<Digest>, Error> {
    #[derive(Deserialize)]
    struct Named {
        digest: Digest,
    }
    #[derive(Deserialize)]
    struct Blobs {
        config: Named,
        layers: Vec<Named>,
    }
    let blobs: Blobs = serde_json::from_slice(manifest)
        .map_err(|source| Error::Decode { document: "OCI manifest", source })?;
    Ok(std::iter::once(blobs.config).chain(blobs.layers).map(|named| named.digest).collect())
}

#[cfg(test)]
mod tests;
