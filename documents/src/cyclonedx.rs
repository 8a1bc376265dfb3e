//! CycloneDX 1.6 JSON of an image, from the same resolved package list as the SPDX document.

use std::borrow::Cow;

use serde::Serialize;

use crate::contents::{Component, ImageContents};
use crate::digest::Digest;
use crate::error::{Error, to_json};
use crate::subject::{CONTACT, DISCLAIMER, NAMESPACE, Subject, TOOL_NAME, TOOL_VERSION};
use crate::timestamp::Timestamp;
use crate::{apk_db, legal, purl};

/// Media type of the document.
pub const MEDIA_TYPE: &str = "application/vnd.cyclonedx+json; version=1.6";
/// The property that marks a component which the base image brought.
pub const LAYER_PROPERTY: &str = "wavetank:layer";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom<'a> {
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata<'a>,
    components: Vec<Part<'a>>,
    dependencies: Vec<Dependency<'a>>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    timestamp: Timestamp,
    lifecycles: [Lifecycle; 1],
    tools: Tools,
    authors: [Contact<'a>; 1],
    component: Part<'a>,
    manufacturer: Organization<'a>,
    supplier: Organization<'a>,
    properties: [Property<'a>; 1],
}

/// When in an image's life the document was made: CISA's type of the SBOM.
#[derive(Serialize)]
struct Lifecycle {
    phase: &'static str,
}

#[derive(Serialize)]
struct Tools {
    components: [Tool; 1],
}

#[derive(Serialize)]
struct Tool {
    r#type: &'static str,
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Organization<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<[&'static str; 1]>,
    contact: [Contact<'static>; 1],
}

#[derive(Serialize)]
struct Contact<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    email: &'static str,
}

#[derive(Serialize)]
struct Part<'a> {
    r#type: &'static str,
    #[serde(rename = "bom-ref", skip_serializing_if = "Option::is_none")]
    bom_ref: Option<&'a str>,
    supplier: Organization<'a>,
    name: &'a str,
    version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    hashes: [Hash; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    licenses: Option<[Expression<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copyright: Option<String>,
    purl: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pedigree: Option<Pedigree<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property<'a>>,
}

/// What a component is derived from: the base of an image.
#[derive(Serialize)]
struct Pedigree<'a> {
    ancestors: Vec<Part<'a>>,
}

/// What was read in the package itself. `licenses` holds one expression in CycloneDX 1.6, the
/// concluded one, so the declared one stands here.
#[derive(Serialize)]
struct Evidence<'a> {
    licenses: [Expression<'a>; 1],
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Serialize)]
struct Expression<'a> {
    expression: Cow<'a, str>,
    acknowledgement: &'static str,
}

#[derive(Serialize)]
struct Property<'a> {
    name: &'a str,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency<'a> {
    r#ref: &'a str,
    /// Also written when it is empty: left out, it says that nothing is known.
    depends_on: Vec<&'a str>,
}

/// The CycloneDX 1.6 document of an image.
///
/// A `bom-ref` is `name@version`: short, unique in the document, and never percent-encoded (some
/// tools decode references and then no longer find them).
///
/// It states the same minimum elements as the SPDX document. `dependencies` name every component,
/// with an empty `dependsOn` where it needs nothing.
///
/// # Errors
/// [`Error::Purl`] for a package without a name.
pub fn document(subject: &Subject<'_>) -> Result<Vec<u8>, Error> {
    let contents = subject.contents;
    let references: Vec<String> = contents
        .components
        .iter()
        .map(|component| format!("{}@{}", component.name, component.version))
        .collect();
    let image_reference = format!("image:{}@{}", contents.image, subject.digest);
    let system_reference =
        format!("os:{}@{}", contents.distribution.id(), contents.distribution.version());
    let mut components = vec![system(subject, &system_reference)?];
    for (component, reference) in contents.components.iter().zip(&references) {
        components.push(part(subject, component, reference)?);
    }
    let bom = Bom {
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: format!("urn:uuid:{}", subject.uuid("cyclonedx")),
        version: 1,
        metadata: metadata(subject, &image_reference)?,
        components,
        dependencies: dependencies(subject, &image_reference, &system_reference, &references),
    };
    to_json("CycloneDX document", 2048 + contents.components.len() * 960, &bom)
}

fn metadata<'a>(subject: &Subject<'a>, reference: &'a str) -> Result<Metadata<'a>, Error> {
    let contents = subject.contents;
    let mut properties = Vec::new();
    if let Some(base) = &contents.base {
        properties.push(property("wavetank:base:name", base.name.clone()));
        properties.push(property("wavetank:base:digest", base.digest.to_string()));
    }
    let ancestor = base(contents)?;
    Ok(Metadata {
        timestamp: subject.created,
        lifecycles: [Lifecycle { phase: "build" }],
        tools: Tools {
            components: [Tool { r#type: "application", name: TOOL_NAME, version: TOOL_VERSION }],
        },
        authors: [Contact { name: Some(&contents.vendor), email: CONTACT }],
        component: Part {
            bom_ref: Some(reference),
            licenses: legal::combined(contents.components.iter()).map(|all| [concluded(all)]),
            copyright: Some(legal::of_image(&contents.vendor)),
            pedigree: ancestor.map(|ancestor| Pedigree { ancestors: vec![ancestor] }),
            properties,
            ..bare(
                "container",
                &contents.vendor,
                (&contents.repository, &contents.version),
                subject.digest,
                purl::image(contents, subject.digest)?,
            )
        },
        manufacturer: vendor(contents),
        supplier: vendor(contents),
        properties: [property("wavetank:disclaimer", DISCLAIMER.to_owned())],
    })
}

/// The image that it was built on.
fn base(contents: &ImageContents) -> Result<Option<Part<'_>>, Error> {
    let Some(base) = &contents.base else { return Ok(None) };
    let of_base = contents.components.iter().filter(|component| component.from_base);
    Ok(Some(Part {
        licenses: legal::combined(of_base).map(|all| [concluded(all)]),
        copyright: Some(legal::of_image(&contents.vendor)),
        ..bare(
            "container",
            &contents.vendor,
            (&base.name, base.tag()),
            base.digest,
            purl::base(&base.name, base.digest)?,
        )
    }))
}

fn bare<'a>(
    r#type: &'static str,
    supplier: &'a str,
    (name, version): (&'a str, &'a str),
    digest: Digest,
    purl: String,
) -> Part<'a> {
    Part {
        r#type,
        bom_ref: None,
        supplier: organization(supplier),
        name,
        version,
        description: "",
        hashes: [sha256(digest)],
        licenses: None,
        copyright: None,
        purl,
        pedigree: None,
        evidence: None,
        properties: Vec::new(),
    }
}

fn organization(name: &str) -> Organization<'_> {
    Organization { name, url: None, contact: [Contact { name: None, email: CONTACT }] }
}

fn vendor(contents: &ImageContents) -> Organization<'_> {
    Organization { url: Some([NAMESPACE]), ..organization(&contents.vendor) }
}

fn concluded<'a>(license: impl Into<Cow<'a, str>>) -> Expression<'a> {
    Expression { expression: license.into(), acknowledgement: "concluded" }
}

fn system<'a>(subject: &Subject<'a>, reference: &'a str) -> Result<Part<'a>, Error> {
    let contents = subject.contents;
    Ok(Part {
        bom_ref: Some(reference),
        licenses: legal::combined(contents.components.iter()).map(|all| [concluded(all)]),
        copyright: Some(legal::of_image(&contents.vendor)),
        ..bare(
            "operating-system",
            &contents.vendor,
            (contents.distribution.id(), contents.distribution.version()),
            Digest::of(apk_db::os_release(contents).as_bytes()),
            purl::distribution(contents)?,
        )
    })
}

fn part<'a>(
    subject: &Subject<'a>,
    component: &'a Component,
    reference: &'a str,
) -> Result<Part<'a>, Error> {
    let mut properties = Vec::new();
    if component.from_base {
        properties.push(property(LAYER_PROPERTY, "base".to_owned()));
    }
    let license = component.license.as_str();
    let declared = Expression { expression: license.into(), acknowledgement: "declared" };
    Ok(Part {
        bom_ref: Some(reference),
        description: &component.description,
        licenses: Some([concluded(license)]),
        copyright: Some(legal::of_package(component)),
        evidence: Some(Evidence { licenses: [declared] }),
        properties,
        ..bare(
            "library",
            &component.supplier,
            (&component.name, &component.version),
            component.checksum,
            purl::component(subject.contents, &component.name, &component.version)?,
        )
    })
}

fn sha256(digest: Digest) -> Hash {
    Hash { alg: "SHA-256", content: digest.hex() }
}

fn property(name: &str, value: String) -> Property<'_> {
    Property { name, value }
}

fn dependencies<'a>(
    subject: &Subject<'a>,
    image: &'a str,
    system: &'a str,
    references: &'a [String],
) -> Vec<Dependency<'a>> {
    let components = &subject.contents.components;
    let held = std::iter::once(system).chain(references.iter().map(String::as_str)).collect();
    let mut all = vec![
        Dependency { r#ref: image, depends_on: held },
        Dependency { r#ref: system, depends_on: Vec::new() },
    ];
    for (component, reference) in components.iter().zip(references) {
        let needed = component.depends_on.iter().filter_map(|needed| {
            let at = components.binary_search_by(|other| other.name.cmp(needed)).ok()?;
            Some(references[at].as_str())
        });
        all.push(Dependency { r#ref: reference, depends_on: needed.collect() });
    }
    all
}

#[cfg(test)]
mod tests;
