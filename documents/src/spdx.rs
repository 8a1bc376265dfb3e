//! SPDX 2.3 JSON of an image, from its one resolved package list.
//!
//! Own structures: the documents need a small part of the schema, and their bytes must depend on
//! nobody else's field order. Fields whose absence already means "no assertion" are left out.

use std::borrow::Cow;

use serde::Serialize;

use crate::contents::Component;
use crate::digest::Digest;
use crate::error::{Error, to_json};
use crate::subject::{CONTACT, DISCLAIMER, NAMESPACE, Subject, TOOL_NAME, TOOL_VERSION};
use crate::{apk_db, legal, purl};

/// Media type of the document.
pub const MEDIA_TYPE: &str = "application/spdx+json";
const DOCUMENT_ID: &str = "SPDXRef-DOCUMENT";
const IMAGE_ID: &str = "SPDXRef-Image";
const SYSTEM_ID: &str = "SPDXRef-OperatingSystem";
const BASE_ID: &str = "SPDXRef-BaseImage";
/// The licence list whose identifiers the licence expressions use.
const LICENSE_LIST_VERSION: &str = "3.25";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    spdx_id: &'static str,
    name: &'a str,
    document_namespace: String,
    creation_info: CreationInfo,
    packages: Vec<Package<'a>>,
    relationships: Vec<Relationship<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreationInfo {
    created: String,
    creators: [String; 2],
    comment: String,
    license_list_version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Package<'a> {
    #[serde(rename = "SPDXID")]
    spdx_id: &'a str,
    name: &'a str,
    version_info: &'a str,
    supplier: String,
    download_location: &'static str,
    files_analyzed: bool,
    license_concluded: Cow<'a, str>,
    license_declared: &'a str,
    copyright_text: Cow<'a, str>,
    checksums: [Checksum; 1],
    external_refs: [ExternalRef; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    source_info: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_package_purpose: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: &'static str,
    checksum_value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExternalRef {
    reference_category: &'static str,
    reference_type: &'static str,
    reference_locator: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship<'a> {
    spdx_element_id: &'a str,
    relationship_type: &'static str,
    related_spdx_element: &'a str,
}

/// The SPDX 2.3 document of an image. It states the minimum elements for every package, NTIA's and
/// those that CISA's framing of 2024 adds: supplier with contact, name, version, unique identifier
/// (purl and checksum), relationships, concluded licence and copyright notice. The type of the SBOM
/// (CISA: "Build") has no field before SPDX 3; it stands in the creator's comment.
///
/// # Errors
/// [`Error::Purl`] for a package without a name.
pub fn document(subject: &Subject<'_>) -> Result<Vec<u8>, Error> {
    let contents = subject.contents;
    let ids: Vec<String> = contents.components.iter().map(|part| spdx_id(&part.name)).collect();
    let mut packages = vec![image_package(subject)?, system_package(subject)?];
    if let Some(base) = &contents.base {
        let refs = [purl_ref(purl::base(&base.name, base.digest)?)];
        let of_base = contents.components.iter().filter(|component| component.from_base);
        packages.push(Package {
            version_info: base.tag(),
            license_concluded: concluded(legal::combined(of_base)),
            copyright_text: legal::of_image(&contents.vendor).into(),
            primary_package_purpose: Some("CONTAINER"),
            ..bare(BASE_ID, &base.name, &contents.vendor, base.digest, refs)
        });
    }
    for (component, id) in contents.components.iter().zip(&ids) {
        packages.push(component_package(subject, component, id)?);
    }
    let document = Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        spdx_id: DOCUMENT_ID,
        name: &contents.image,
        document_namespace: format!("{NAMESPACE}/spdx/{}", subject.uuid("spdx")),
        creation_info: CreationInfo {
            created: subject.created.to_seconds_text(),
            creators: [format!("Tool: {TOOL_NAME}-{TOOL_VERSION}"), organization(&contents.vendor)],
            comment: format!("SBOM type: Build. {DISCLAIMER}"),
            license_list_version: LICENSE_LIST_VERSION,
        },
        packages,
        relationships: relationships(subject, &ids),
    };
    to_json("SPDX document", 2048 + contents.components.len() * 1100, &document)
}

fn image_package<'a>(subject: &Subject<'a>) -> Result<Package<'a>, Error> {
    let contents = subject.contents;
    let refs = [purl_ref(purl::image(contents, subject.digest)?)];
    Ok(Package {
        version_info: &contents.version,
        license_concluded: concluded(legal::combined(contents.components.iter())),
        copyright_text: legal::of_image(&contents.vendor).into(),
        primary_package_purpose: Some("CONTAINER"),
        ..bare(IMAGE_ID, &contents.repository, &contents.vendor, subject.digest, refs)
    })
}

fn system_package<'a>(subject: &Subject<'a>) -> Result<Package<'a>, Error> {
    let contents = subject.contents;
    let digest = Digest::of(apk_db::os_release(contents).as_bytes());
    let refs = [purl_ref(purl::distribution(contents)?)];
    Ok(Package {
        version_info: contents.distribution.version(),
        // The distribution as it is here: the packages that were taken from it.
        license_concluded: concluded(legal::combined(contents.components.iter())),
        copyright_text: legal::of_image(&contents.vendor).into(),
        source_info: Some("etc/os-release".to_owned()),
        primary_package_purpose: Some("OPERATING-SYSTEM"),
        ..bare(SYSTEM_ID, contents.distribution.id(), &contents.vendor, digest, refs)
    })
}

fn component_package<'a>(
    subject: &Subject<'a>,
    component: &'a Component,
    id: &'a str,
) -> Result<Package<'a>, Error> {
    let refs = [purl_ref(purl::component(subject.contents, &component.name, &component.version)?)];
    let origin = &component.origin;
    Ok(Package {
        version_info: &component.version,
        license_concluded: component.license.as_str().into(),
        license_declared: &component.license,
        copyright_text: legal::of_package(component).into(),
        source_info: (*origin != component.name).then(|| format!("built from {origin}")),
        ..bare(id, &component.name, &component.supplier, component.checksum, refs)
    })
}

fn bare<'a>(
    spdx_id: &'a str,
    name: &'a str,
    supplier: &str,
    digest: Digest,
    external_refs: [ExternalRef; 1],
) -> Package<'a> {
    Package {
        spdx_id,
        name,
        version_info: "",
        supplier: organization(supplier),
        download_location: "NOASSERTION",
        files_analyzed: false,
        license_concluded: legal::NONE.into(),
        license_declared: "NOASSERTION",
        copyright_text: legal::NONE.into(),
        checksums: [Checksum { algorithm: "SHA256", checksum_value: digest.hex() }],
        external_refs,
        source_info: None,
        primary_package_purpose: None,
    }
}

fn organization(name: &str) -> String {
    format!("Organization: {name} ({CONTACT})")
}

/// An image without packages holds nothing that has a licence.
fn concluded<'a>(license: Option<String>) -> Cow<'a, str> {
    license.map_or(legal::NONE.into(), Cow::Owned)
}

fn purl_ref(locator: String) -> ExternalRef {
    ExternalRef {
        reference_category: "PACKAGE-MANAGER",
        reference_type: "purl",
        reference_locator: locator,
    }
}

fn relationships<'a>(subject: &Subject<'a>, ids: &'a [String]) -> Vec<Relationship<'a>> {
    let relate = |spdx_element_id, relationship_type, related_spdx_element| Relationship {
        spdx_element_id,
        relationship_type,
        related_spdx_element,
    };
    let components = &subject.contents.components;
    let mut all =
        vec![relate(DOCUMENT_ID, "DESCRIBES", IMAGE_ID), relate(IMAGE_ID, "CONTAINS", SYSTEM_ID)];
    // The image is made from its base, and all that the base holds is in it: by lineage alone the
    // base would be no part of the composition that readers follow from the image.
    let has_base = subject.contents.base.is_some();
    if has_base {
        all.push(relate(IMAGE_ID, "DESCENDANT_OF", BASE_ID));
        all.push(relate(IMAGE_ID, "CONTAINS", BASE_ID));
    }
    for (component, id) in components.iter().zip(ids) {
        all.push(relate(IMAGE_ID, "CONTAINS", id));
        if has_base && component.from_base {
            all.push(relate(BASE_ID, "CONTAINS", id));
        }
        for needed in &component.depends_on {
            if let Ok(at) = components.binary_search_by(|other| other.name.cmp(needed)) {
                all.push(relate(id, "DEPENDS_ON", &ids[at]));
            }
        }
    }
    all
}

/// An SPDX identifier holds letters, digits, `.` and `-` only. A name with other characters, or
/// one that the document needs itself, gets part of its SHA-256 behind it, so that `a_b` and `a+b`
/// stay apart. What begins like the operating system's would be taken for one (Trivy), so the
/// name's begins otherwise. Otherwise it is the name alone: relationships are half of the document's bytes.
fn spdx_id(name: &str) -> String {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '.' || letter == '-';
    let plain = format!("SPDXRef-{name}");
    let reserved = [DOCUMENT_ID, IMAGE_ID, SYSTEM_ID, BASE_ID].contains(&plain.as_str());
    if !reserved && !plain.starts_with(SYSTEM_ID) && name.chars().all(allowed) {
        return plain;
    }
    let plain =
        if plain.starts_with(SYSTEM_ID) { format!("SPDXRef-Package-{name}") } else { plain };
    let safe = plain.replace(|letter| !allowed(letter), "-");
    format!("{safe}-{}", &Digest::of(name.as_bytes()).hex()[..12])
}

#[cfg(test)]
mod tests;
