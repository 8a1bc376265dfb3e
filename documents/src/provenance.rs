//! SLSA Provenance v1: from what, by whom, why and when an image was built.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::contents::ImageContents;
use crate::digest::{Digest, DigestMap};
use crate::error::Error;
use crate::purl;
use crate::statement::{self, PredicateType};
use crate::subject::NAMESPACE;
use crate::timestamp::Timestamp;
use crate::trigger::Trigger;

/// How the simulated builders build: resolve apk packages, assemble one layer. The version
/// changes when the meaning of the parameters does.
pub const BUILD_TYPE: &str = "https://wavetank.example/build-types/apk-image/v1";
/// The external parameters that this build type knows. A verifier that meets another one cannot
/// vouch for the build.
pub const EXTERNAL_PARAMETERS: [&str; 4] = ["image", "version", "architecture", "trigger"];

/// The URI of a builder of the simulated pool, as `runDetails.builder.id`.
pub fn builder_id(builder: &str) -> String {
    format!("{NAMESPACE}/builders/{builder}")
}

/// The revision of the image's definition that was built.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Repository, for example `git+https://git.wavetank.example/images/nginx`.
    pub uri: &'a str,
    /// The commit's SHA-1 as 40 hexadecimal digits.
    pub commit: &'a str,
}

/// One finished build.
#[derive(Clone, Copy, Debug)]
pub struct Build<'a> {
    /// What was resolved.
    pub contents: &'a ImageContents,
    /// The digest of the result.
    pub digest: Digest,
    /// Why it ran.
    pub trigger: &'a Trigger,
    /// The builder's URI, see [`builder_id`].
    pub builder_id: &'a str,
    /// What defined it.
    pub source: Source<'a>,
    /// The build's identity, unique in its world.
    pub invocation_id: &'a str,
    /// When the builder began, simulated.
    pub started: Timestamp,
    /// When the builder was done, simulated.
    pub finished: Timestamp,
    /// Parameters beyond [`EXTERNAL_PARAMETERS`], which cost the build its trust. Normally none;
    /// a scenario's incident may add some.
    pub extra_parameters: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Predicate<'a> {
    build_definition: BuildDefinition<'a>,
    run_details: RunDetails<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BuildDefinition<'a> {
    build_type: &'static str,
    external_parameters: ExternalParameters<'a>,
    internal_parameters: InternalParameters<'a>,
    resolved_dependencies: Vec<Resource<'a>>,
}

#[derive(Serialize)]
struct ExternalParameters<'a> {
    image: &'a str,
    version: &'a str,
    architecture: &'a str,
    trigger: &'a Trigger,
    #[serde(flatten)]
    extra: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct InternalParameters<'a> {
    distro: &'a str,
    #[serde(rename = "distroVersion")]
    distro_version: &'a str,
}

#[derive(Serialize)]
struct Resource<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    uri: String,
    digest: ResourceDigest<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ResourceDigest<'a> {
    Sha256(DigestMap),
    Commit {
        #[serde(rename = "gitCommit")]
        git_commit: &'a str,
    },
}

#[derive(Serialize)]
struct RunDetails<'a> {
    builder: Builder<'a>,
    metadata: Metadata<'a>,
}

#[derive(Serialize)]
struct Builder<'a> {
    id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    invocation_id: &'a str,
    started_on: Timestamp,
    finished_on: Timestamp,
}

/// The in-toto statement with the SLSA provenance of a build. Resolved dependencies are the
/// source, the base image and every package, each by digest.
///
/// # Errors
/// [`Error::Purl`] for a package without a name, [`Error::Malformed`] for an extra parameter that
/// repeats a known one.
pub fn statement(build: &Build<'_>) -> Result<Vec<u8>, Error> {
    let contents = build.contents;
    if let Some(name) = build.extra_parameters.keys().find(|name| is_known_parameter(name)) {
        let reason = format!("extra parameter {name:?} repeats a known one");
        return Err(Error::Malformed { document: "provenance", reason });
    }
    let predicate = Predicate {
        build_definition: BuildDefinition {
            build_type: BUILD_TYPE,
            external_parameters: ExternalParameters {
                image: &contents.repository,
                version: &contents.version,
                architecture: &contents.architecture,
                trigger: build.trigger,
                extra: build.extra_parameters,
            },
            internal_parameters: InternalParameters {
                distro: contents.distribution.id(),
                distro_version: contents.distribution.version(),
            },
            resolved_dependencies: dependencies(build)?,
        },
        run_details: RunDetails {
            builder: Builder { id: build.builder_id },
            metadata: Metadata {
                invocation_id: build.invocation_id,
                started_on: build.started,
                finished_on: build.finished,
            },
        },
    };
    statement::statement(&contents.repository, build.digest, PredicateType::Provenance, &predicate)
}

/// Whether a parameter belongs to [`EXTERNAL_PARAMETERS`].
pub fn is_known_parameter(name: &str) -> bool {
    EXTERNAL_PARAMETERS.contains(&name)
}

fn dependencies<'a>(build: &Build<'a>) -> Result<Vec<Resource<'a>>, Error> {
    let mut resources = Vec::with_capacity(build.contents.components.len() + 2);
    resources.push(Resource {
        name: Some("source"),
        uri: build.source.uri.to_owned(),
        digest: ResourceDigest::Commit { git_commit: build.source.commit },
    });
    if let Some(base) = &build.contents.base {
        resources.push(Resource {
            name: Some("base"),
            uri: purl::base(&base.name, base.digest)?,
            digest: ResourceDigest::Sha256(base.digest.into()),
        });
    }
    for component in &build.contents.components {
        resources.push(Resource {
            name: None,
            uri: purl::component(build.contents, &component.name, &component.version)?,
            digest: ResourceDigest::Sha256(component.checksum.into()),
        });
    }
    Ok(resources)
}

#[cfg(test)]
mod tests;
