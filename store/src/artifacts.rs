//! What a build stores: documents by the SHA-256 of their bytes.
use crate::objects::{NewObject, content_key};
use bytes::Bytes;
use documents::gzip;
use sha2::{Digest, Sha256};

/// The kinds of documents, as the `artifacts` table names them.
pub mod kind {
    /// The build's log.
    pub const LOG: &str = "log";
    /// The OCI manifest; its digest is the image's.
    pub const MANIFEST: &str = "manifest";
    /// The OCI configuration.
    pub const CONFIG: &str = "config";
    /// The OCI layer.
    pub const LAYER: &str = "layer";
    /// The SPDX SBOM.
    pub const SPDX: &str = "spdx";
    /// The CycloneDX SBOM: the one that scans read.
    pub const CYCLONEDX: &str = "cyclonedx";
    /// The SLSA provenance statement.
    pub const PROVENANCE: &str = "provenance";
    /// The statement with the result of a scan.
    pub const VULN: &str = "vuln";
    /// The OpenVEX document.
    pub const OPENVEX: &str = "openvex";
    /// A signed statement with its place in the transparency log.
    pub const BUNDLE: &str = "bundle";
}

/// A document on its way to the object store.
#[derive(Clone, Debug)]
pub struct Document {
    /// One of [`kind`].
    pub kind: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// The document.
    pub bytes: Bytes,
}

impl Document {
    /// The object that holds it. The parts of the image are stored as they are, for registries
    /// serve them so; everything else is compressed.
    pub fn into_object(self, stored: &StoredDocument) -> NewObject {
        let as_it_is = [kind::MANIFEST, kind::CONFIG, kind::LAYER].contains(&self.kind);
        let bytes = if as_it_is { self.bytes } else { gzip::compress_fast(&self.bytes).into() };
        NewObject { key: stored.key(), bytes, media_type: self.media_type, packed: !as_it_is }
    }
}

/// A document that is in the object store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDocument {
    /// One of [`kind`].
    pub kind: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

impl StoredDocument {
    /// The name of a document that is stored, or is to be.
    pub fn of(document: &Document) -> Self {
        StoredDocument {
            kind: document.kind,
            media_type: document.media_type,
            sha256: hex::encode(Sha256::digest(&document.bytes)),
            bytes: document.bytes.len() as u64,
        }
    }

    /// Its key in the object store.
    pub fn key(&self) -> String {
        content_key(&self.sha256)
    }
}
