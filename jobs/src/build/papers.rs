//! All documents of a published version, from one resolved list; pure, so it may run anywhere.
use super::log;
use crate::job::{JobError, Placed};
use anyhow::Context;
use documents::provenance::{self, Build, Source};
use documents::{Digest, ImageContents, Subject, cyclonedx, oci, spdx};
use sim::fact::BuildResult;
use std::collections::BTreeMap;
use store::artifacts::{Document, kind};
use store::builds::{BuildSubject, builder_name};

/// Who made what existed before the world began.
const BOOTSTRAP_BUILDER: &str = "bootstrap";
/// Where the definitions of images live.
const SOURCES: &str = "git+https://git.wavetank.example/images";

/// The documents, and the digest that they are about.
pub(super) struct Papers {
    /// The image's digest.
    pub(super) digest: Digest,
    /// The documents.
    pub(super) documents: Vec<Document>,
}

impl Papers {
    /// Makes them.
    pub(super) fn of(
        job: &Placed<BuildResult>,
        subject: &BuildSubject,
        contents: &ImageContents,
    ) -> Result<Self, JobError> {
        let image = oci::image(contents).context("OCI image")?;
        let digest = image.digest();
        let created = log::timestamp(job.at)?;
        let about = Subject { contents, digest, created };
        let statement = statement(job, subject, &about)?;
        let log = log::of_published(job, subject, contents, digest)?;
        let paper =
            |kind, media_type, bytes: Vec<u8>| Document { kind, media_type, bytes: bytes.into() };
        let spdx = spdx::document(&about).context("SPDX")?;
        let cyclonedx = cyclonedx::document(&about).context("CycloneDX")?;
        let documents = vec![
            paper(kind::LAYER, image.layer.media_type, image.layer.bytes),
            paper(kind::CONFIG, image.config.media_type, image.config.bytes),
            paper(kind::MANIFEST, image.manifest.media_type, image.manifest.bytes),
            paper(kind::SPDX, spdx::MEDIA_TYPE, spdx),
            paper(kind::CYCLONEDX, cyclonedx::MEDIA_TYPE, cyclonedx),
            paper(kind::PROVENANCE, documents::statement::PAYLOAD_TYPE, statement),
            log,
        ];
        Ok(Papers { digest, documents })
    }
}

fn statement(
    job: &Placed<BuildResult>,
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
