//! All documents of a published version, from one resolved list of packages. Pure, so it may run on
//! any thread.
use super::log;
use crate::error::JobError;
use crate::job::SequencedFact;
use crate::naming::BOOTSTRAP_BUILDER;
use crate::sign::{StatementContext, sign};
use anyhow::Context;
use documents::provenance::{self, Build, Source};
use documents::statement::{PAYLOAD_TYPE, PredicateType, image_signature, statement_of_document};
use documents::world_keys::WorldKeys;
use documents::{Digest, ImageContents, Subject, cyclonedx, oci, spdx};
use sim::fact::BuildResult;
use std::collections::BTreeMap;
use store::artifacts::{Document, StoredDocument, kind};
use store::attestations::SignedStatement;
use store::builds::{BuildSubject, builder_name};
use store::objects::NewObject;

/// Where the definitions of images live.
const SOURCES: &str = "git+https://git.wavetank.example/images";

/// The documents, what was signed of them, and the digest that they are about.
pub(super) struct BuildArtifacts {
    /// The image's digest.
    pub(super) digest: Digest,
    /// The documents.
    pub(super) stored: Vec<StoredDocument>,
    /// What is to be put into the object store.
    pub(super) objects: Vec<NewObject>,
    /// What was signed, each with its statement.
    pub(super) signed: Vec<(SignedStatement, Vec<u8>)>,
}

impl BuildArtifacts {
    /// Makes, signs and packs them.
    pub(super) fn of(
        keys: &WorldKeys,
        job: &SequencedFact<BuildResult>,
        occasion: StatementContext,
        subject: &BuildSubject,
        contents: &ImageContents,
    ) -> Result<Self, JobError> {
        let image = oci::image(contents).context("OCI image")?;
        let digest = image.digest();
        let created = log::timestamp(job.at)?;
        let about = Subject { contents, digest, created };
        let provenance = statement(job, subject, &about)?;
        let log = log::of_published(job, subject, contents, digest)?;
        let spdx = spdx::document(&about).context("SPDX")?;
        let cyclonedx = cyclonedx::document(&about).context("CycloneDX")?;
        let signed = sign_all(keys, occasion, &about, &spdx, &cyclonedx, &provenance)?;
        let document =
            |kind, media_type, bytes: Vec<u8>| Document { kind, media_type, bytes: bytes.into() };
        let documents = vec![
            document(kind::LAYER, image.layer.media_type, image.layer.bytes),
            document(kind::CONFIG, image.config.media_type, image.config.bytes),
            document(kind::MANIFEST, image.manifest.media_type, image.manifest.bytes),
            document(kind::SPDX, spdx::MEDIA_TYPE, spdx),
            document(kind::CYCLONEDX, cyclonedx::MEDIA_TYPE, cyclonedx),
            document(kind::PROVENANCE, PAYLOAD_TYPE, provenance),
            log,
        ];
        let (stored, objects) = pack(documents);
        Ok(BuildArtifacts { digest, stored, objects, signed })
    }
}

/// The names of documents, and the objects that hold them.
pub(super) fn pack(documents: Vec<Document>) -> (Vec<StoredDocument>, Vec<NewObject>) {
    let pack = |document: Document| {
        let stored = StoredDocument::of(&document);
        let object = document.into_object(&stored);
        (stored, object)
    };
    documents.into_iter().map(pack).unzip()
}

/// Signs what is said of a published version: that it is this one, how it came about, and what it
/// holds, in both formats.
fn sign_all(
    keys: &WorldKeys,
    occasion: StatementContext,
    about: &Subject<'_>,
    spdx: &[u8],
    cyclonedx: &[u8],
    provenance: &[u8],
) -> Result<Vec<(SignedStatement, Vec<u8>)>, JobError> {
    let (name, digest) = (&*about.contents.repository, about.digest);
    let of_document = |kind, document| {
        statement_of_document(name, digest, kind, document).context("statement of an SBOM")
    };
    let hash = |document: &[u8]| Some(Digest::of(document).hex());
    let statements = [
        (PredicateType::ImageSignature, None, image_signature(name, digest)?),
        (PredicateType::Provenance, hash(provenance), provenance.to_vec()),
        (PredicateType::Spdx, hash(spdx), of_document(PredicateType::Spdx, spdx)?),
        (
            PredicateType::CycloneDx,
            hash(cyclonedx),
            of_document(PredicateType::CycloneDx, cyclonedx)?,
        ),
    ];
    let signed = statements
        .into_iter()
        .map(|(kind, document, statement)| sign(keys, occasion, kind, document, statement));
    signed.collect()
}

fn statement(
    job: &SequencedFact<BuildResult>,
    subject: &BuildSubject,
    about: &Subject<'_>,
) -> Result<Vec<u8>, JobError> {
    let result = &job.fact;
    let builder = builder_name(result);
    let source = format!("{SOURCES}/{}", subject.name);
    let build = Build {
        contents: about.contents,
        digest: about.digest,
        trigger: &log::trigger(&result.cause, subject)?,
        builder_id: &provenance::builder_id(builder.as_deref().unwrap_or(BOOTSTRAP_BUILDER)),
        source: Source { uri: &source, commit: &revision(subject) },
        invocation_id: &format!("{}/builds/{}", documents::subject::NAMESPACE, result.build.0),
        started: log::timestamp(result.started)?,
        finished: about.created,
        extra_parameters: &BTreeMap::new(),
    };
    Ok(provenance::statement(&build).context("provenance")?)
}

/// The commit of an image's definition: it changes when the definition does.
fn revision(subject: &BuildSubject) -> String {
    let definition = format!("{} {:?} {:?}", subject.name, subject.base_name, subject.own_packages);
    let mut hex = Digest::of(definition.as_bytes()).hex();
    hex.truncate(40);
    hex
}
