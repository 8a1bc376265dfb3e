//! Bundles as a registry shows them: manifests that refer to an image (OCI image-spec 1.1,
//! `subject`), and the index that lists them (distribution-spec 1.1, "Listing Referrers").
//!
//! They are what cosign 3 writes and looks up: an artifact of the bundle's media type with the empty
//! configuration, the bundle as its only layer, and the predicate type among the annotations.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Blob, INDEX_TYPE, MANIFEST_TYPE};
use crate::bundle;
use crate::digest::Digest;
use crate::error::{Error, to_json};
use crate::timestamp::Timestamp;

/// Media type of the configuration that says nothing.
pub const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
/// That configuration.
pub const EMPTY: &[u8] = b"{}";
/// Media type of a DSSE envelope, as cosign 1 and 2 attach it.
pub const ENVELOPE_TYPE: &str = "application/vnd.dsse.envelope.v1+json";

/// A piece of content, as manifests name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
}

/// A bundle about an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// The image's manifest.
    pub subject: Content,
    /// The bundle.
    pub bundle: Content,
    /// The URI of what its statement says.
    pub predicate_type: String,
    /// When it was signed.
    pub created: Timestamp,
}

type Annotations<'a> = BTreeMap<&'static str, &'a str>;

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor<'a> {
    media_type: &'static str,
    digest: Digest,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<&'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: Annotations<'a>,
}

fn descriptor(media_type: &'static str, content: Content) -> Descriptor<'static> {
    Descriptor {
        media_type,
        digest: content.digest,
        size: content.bytes,
        artifact_type: None,
        annotations: BTreeMap::new(),
    }
}

fn empty() -> Descriptor<'static> {
    let content = Content { digest: Digest::of(EMPTY), bytes: EMPTY.len() as u64 };
    descriptor(EMPTY_TYPE, content)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    schema_version: u8,
    media_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<&'static str>,
    config: Descriptor<'static>,
    layers: Vec<Descriptor<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Descriptor<'static>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: Annotations<'a>,
}

impl Referrer {
    fn annotations<'a>(&'a self, created: &'a str) -> Annotations<'a> {
        BTreeMap::from([
            ("dev.sigstore.bundle.content", "dsse-envelope"),
            ("dev.sigstore.bundle.predicateType", self.predicate_type.as_str()),
            ("org.opencontainers.image.created", created),
        ])
    }

    /// The manifest that refers to the image: the same bytes for the same bundle.
    ///
    /// # Errors
    /// [`Error::Encode`], which does not happen.
    pub fn manifest(&self) -> Result<Blob, Error> {
        let created = self.created.to_string();
        let manifest = Manifest {
            schema_version: 2,
            media_type: MANIFEST_TYPE,
            artifact_type: Some(bundle::MEDIA_TYPE),
            config: empty(),
            layers: vec![descriptor(bundle::MEDIA_TYPE, self.bundle)],
            subject: Some(descriptor(MANIFEST_TYPE, self.subject)),
            annotations: self.annotations(&created),
        };
        Ok(Blob::new(MANIFEST_TYPE, to_json("OCI manifest", 1024, &manifest)?))
    }
}

/// The index that lists manifests which refer to an image, in the order given.
///
/// # Errors
/// [`Error::Encode`], which does not happen.
pub fn index(referrers: &[Referrer]) -> Result<Blob, Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Index<'a> {
        schema_version: u8,
        media_type: &'static str,
        manifests: Vec<Descriptor<'a>>,
    }
    let created: Vec<String> = referrers.iter().map(|one| one.created.to_string()).collect();
    let described = referrers.iter().zip(&created).map(|(referrer, created)| {
        let manifest = referrer.manifest()?;
        let content = Content { digest: manifest.digest, bytes: manifest.bytes.len() as u64 };
        Ok(Descriptor {
            artifact_type: Some(bundle::MEDIA_TYPE),
            annotations: referrer.annotations(created),
            ..descriptor(MANIFEST_TYPE, content)
        })
    });
    let manifests = described.collect::<Result<_, Error>>()?;
    let index = Index { schema_version: 2, media_type: INDEX_TYPE, manifests };
    Ok(Blob::new(INDEX_TYPE, to_json("OCI index", 512 * (1 + referrers.len()), &index)?))
}

/// The manifest under the tag `sha256-<hex>.att`, at which cosign 1 and 2 and OpenVEX's discovery look
/// for attestations: an envelope a layer.
///
/// # Errors
/// [`Error::Encode`], which does not happen.
pub fn attached_envelopes(envelopes: &[(Content, &str)]) -> Result<Blob, Error> {
    let layers = envelopes.iter().map(|(content, predicate_type)| Descriptor {
        annotations: BTreeMap::from([
            // The signature is inside the envelope; cosign wants the member all the same.
            ("dev.cosignproject.cosign/signature", ""),
            ("predicateType", *predicate_type),
        ]),
        ..descriptor(ENVELOPE_TYPE, *content)
    });
    let manifest = Manifest {
        schema_version: 2,
        media_type: MANIFEST_TYPE,
        artifact_type: None,
        config: empty(),
        layers: layers.collect(),
        subject: None,
        annotations: BTreeMap::new(),
    };
    Ok(Blob::new(MANIFEST_TYPE, to_json("OCI manifest", 1024, &manifest)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn referrer() -> Referrer {
        Referrer {
            subject: Content { digest: Digest::of(b"image"), bytes: 5 },
            bundle: Content { digest: Digest::of(b"bundle"), bytes: 6 },
            predicate_type: "https://openvex.dev/ns".to_owned(),
            created: Timestamp::from_ms(1_768_176_000_000).unwrap(),
        }
    }

    /// What OCI image-spec 1.1 ("Guidance for an Empty Descriptor") gives as the digest of `{}`.
    #[test]
    fn the_empty_configuration_is_the_specifications() {
        let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(Digest::of(EMPTY).to_string(), digest);
    }

    #[test]
    fn a_list_describes_its_manifests_as_they_are() {
        let (one, index) = (referrer(), index(&[referrer()]).unwrap());
        let manifest = one.manifest().unwrap();
        let index: Value = serde_json::from_slice(&index.bytes).unwrap();
        let told: Value = serde_json::from_slice(&manifest.bytes).unwrap();
        let listed = &index["manifests"][0];
        assert_eq!(listed["digest"], manifest.digest.to_string());
        assert_eq!(listed["size"], manifest.bytes.len());
        // distribution-spec 1.1: these two are taken from the manifest.
        assert_eq!(listed["artifactType"], told["artifactType"]);
        assert_eq!(listed["annotations"], told["annotations"]);
        assert_eq!(told["subject"]["digest"], one.subject.digest.to_string());
        assert_eq!(told["layers"][0]["digest"], one.bundle.digest.to_string());
        assert_eq!(told["annotations"]["org.opencontainers.image.created"], "2026-01-12T00:00:00Z");
    }
}
