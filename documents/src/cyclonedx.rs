//! CycloneDX 1.6 JSON of an image, from the same resolved package list as the SPDX document.

use serde::Serialize;

use crate::contents::Component;
use crate::digest::Digest;
use crate::error::{Error, to_json};
use crate::subject::{DISCLAIMER, Subject, TOOL_NAME, TOOL_VERSION};
use crate::timestamp::Timestamp;
use crate::{apk_db, purl};

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
    tools: Tools,
    authors: [Named<'a>; 1],
    component: Part<'a>,
    supplier: Named<'a>,
    properties: [Property<'a>; 1],
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
struct Named<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Part<'a> {
    r#type: &'static str,
    #[serde(rename = "bom-ref")]
    bom_ref: &'a str,
    supplier: Named<'a>,
    name: &'a str,
    version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    hashes: [Hash; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    licenses: Option<[Expression<'a>; 1]>,
    purl: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property<'a>>,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Serialize)]
struct Expression<'a> {
    expression: &'a str,
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<&'a str>,
}

/// The CycloneDX 1.6 document of an image.
///
/// A `bom-ref` is `name@version`: short, unique in the document, and never percent-encoded (some
/// tools decode references and then no longer find them).
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
    let system_reference = format!("os:{}@{}", contents.distro_id, contents.distro_version);
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
    to_json("CycloneDX document", 2048 + contents.components.len() * 640, &bom)
}

fn metadata<'a>(subject: &Subject<'a>, reference: &'a str) -> Result<Metadata<'a>, Error> {
    let contents = subject.contents;
    let mut properties = Vec::new();
    if let Some(base) = &contents.base {
        properties.push(property("wavetank:base:name", base.name.clone()));
        properties.push(property("wavetank:base:digest", base.digest.to_string()));
    }
    Ok(Metadata {
        timestamp: subject.created,
        tools: Tools {
            components: [Tool { r#type: "application", name: TOOL_NAME, version: TOOL_VERSION }],
        },
        authors: [Named { name: &contents.vendor }],
        component: Part {
            r#type: "container",
            bom_ref: reference,
            supplier: Named { name: &contents.vendor },
            name: &contents.repository,
            version: &contents.version,
            description: "",
            hashes: [sha256(subject.digest)],
            licenses: None,
            purl: purl::image(contents, subject.digest)?,
            properties,
        },
        supplier: Named { name: &contents.vendor },
        properties: [property("wavetank:disclaimer", DISCLAIMER.to_owned())],
    })
}

fn system<'a>(subject: &Subject<'a>, reference: &'a str) -> Result<Part<'a>, Error> {
    let contents = subject.contents;
    Ok(Part {
        r#type: "operating-system",
        bom_ref: reference,
        supplier: Named { name: &contents.vendor },
        name: &contents.distro_id,
        version: &contents.distro_version,
        description: "",
        hashes: [sha256(Digest::of(apk_db::os_release(contents).as_bytes()))],
        licenses: None,
        purl: purl::distribution(contents)?,
        properties: Vec::new(),
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
    Ok(Part {
        r#type: "library",
        bom_ref: reference,
        supplier: Named { name: &component.supplier },
        name: &component.name,
        version: &component.version,
        description: &component.description,
        hashes: [sha256(component.checksum)],
        licenses: Some([Expression { expression: &component.license }]),
        purl: purl::component(subject.contents, &component.name, &component.version)?,
        properties,
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
