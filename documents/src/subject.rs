//! What a document is about: an image's contents, its digest and the instant of publication.

use crate::contents::ImageContents;
use crate::digest::{self, Digest};
use crate::timestamp::Timestamp;

/// Under this address all of the world's identifiers stand. The name is reserved (RFC 2606), so
/// it can never be mistaken for a real service.
pub const NAMESPACE: &str = "https://wavetank.example";
/// The tool named as a document's author.
pub const TOOL_NAME: &str = "wavetank";
/// The version of the documents' shape. It is not the program's, so that a release that changes
/// no document changes no digest.
pub const TOOL_VERSION: &str = "1";
/// What every document says of its world.
pub const DISCLAIMER: &str = "Written by Wavetank, a simulator: the image, \
     its packages and its vulnerabilities are invented.";

/// Where the world's organizations can be reached; nobody reads it (RFC 2606).
pub const CONTACT: &str = "sbom@wavetank.example";

/// One published image: the input of both SBOMs.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What it holds.
    pub contents: &'a ImageContents,
    /// SHA-256 of its manifest, from [`crate::oci::image`].
    pub digest: Digest,
    /// When it was published, in simulated time.
    pub created: Timestamp,
}

impl Subject<'_> {
    /// A deterministic UUID for the document of that kind about this subject.
    pub(crate) fn uuid(&self, kind: &str) -> String {
        digest::uuid(&[
            kind.as_bytes(),
            self.contents.repository.as_bytes(),
            self.contents.version.as_bytes(),
            self.digest.as_bytes(),
            &self.created.ms().to_be_bytes(),
        ])
    }
}
