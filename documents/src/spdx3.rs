//! SPDX 3.0.1 of an image, converted from its SPDX 2.3 document: the type of an SBOM and the files
//! in which packages are delivered, which CISA and BSI ask for, have no fields in 2.3. It says
//! nothing that the other does not say, but for SHA-512: of manifests it is computed, of package
//! files, which do not exist, it is drawn like their SHA-256.

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};
use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::error::{Error, to_json};
use crate::subject::{CONTACT, NAMESPACE, TOOL_NAME, TOOL_VERSION};

const DOCUMENT: &str = "SPDX 3 document";
const CONTEXT: &str = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld";
const CREATION: &str = "_:creation";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    name: String,
    document_namespace: String,
    creation_info: Creation,
    packages: Vec<Package>,
    relationships: Vec<Relationship>,
}

#[derive(Deserialize)]
struct Creation {
    created: String,
    comment: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    #[serde(rename = "SPDXID")]
    id: String,
    name: String,
    version_info: String,
    supplier: String,
    // Documents of release 0.1.0 leave out what they do not assert.
    #[serde(default = "no_assertion")]
    license_concluded: String,
    #[serde(default = "no_assertion")]
    license_declared: String,
    copyright_text: Option<String>,
    checksums: Vec<Checksum>,
    external_refs: Vec<ExternalRef>,
    primary_package_purpose: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    checksum_value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExternalRef {
    reference_locator: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: String,
    relationship_type: String,
    related_spdx_element: String,
}

fn no_assertion() -> String {
    "NOASSERTION".to_owned()
}

impl Package {
    fn is_image(&self) -> bool {
        self.primary_package_purpose.as_deref() == Some("CONTAINER")
    }

    fn sha256(&self) -> Result<Digest, Error> {
        let found = self.checksums.first().map_or("", |checksum| &checksum.checksum_value);
        Digest::from_hex(found)
    }

    fn purl(&self) -> &str {
        self.external_refs.first().map_or("", |reference| &reference.reference_locator)
    }

    /// The name without the kind before it and the address behind it.
    fn supplier(&self) -> &str {
        let name = self.supplier.trim_start_matches("Organization: ");
        name.rsplit_once(" (").map_or(name, |(name, _)| name)
    }
}

fn parse(spdx: &[u8]) -> Result<Source, Error> {
    serde_json::from_slice(spdx).map_err(|source| Error::Decode { document: "SPDX", source })
}

/// The digests of the images in a document: itself, and its base.
///
/// # Errors
/// [`Error::Decode`] or [`Error::Digest`] if it is not one of ours.
pub fn images(spdx: &[u8]) -> Result<Vec<Digest>, Error> {
    parse(spdx)?.packages.iter().filter(|package| package.is_image()).map(Package::sha256).collect()
}

/// The hexadecimal SHA-512 of bytes.
pub fn sha512(bytes: &[u8]) -> String {
    hex::encode(Sha512::digest(bytes))
}

/// The SPDX 3.0.1 document of the same image. `manifests` has the SHA-512 of the manifests of
/// [`images`]; one that is not in it is delivered in no file.
///
/// # Errors
/// [`Error::Decode`] or [`Error::Digest`] if it is no SPDX document of ours.
pub fn document(spdx: &[u8], manifests: &BTreeMap<Digest, String>) -> Result<Vec<u8>, Error> {
    let source = parse(spdx)?;
    let mut graph = Graph { namespace: &source.document_namespace, elements: Vec::new() };
    for supplier in source.packages.iter().map(Package::supplier) {
        graph.organization(supplier);
    }
    let licenses = graph.licenses(&source.packages);
    for package in &source.packages {
        graph.package(package, &licenses, manifests)?;
    }
    graph.relationships(&source);
    let id = |name: &str| graph.id(name);
    let author =
        source.packages.first().map_or(String::new(), |image| organization(image.supplier()));
    let described = source.relationships.iter().find(|one| one.relationship_type == "DESCRIBES");
    let root = described.map_or("", |one| one.related_spdx_element.trim_start_matches("SPDXRef-"));
    let inside: Vec<Value> = graph.elements.iter().map(|one| one["spdxId"].clone()).collect();
    let mut all = vec![
        json!({
            "type": "CreationInfo", "@id": CREATION, "specVersion": "3.0.1",
            "created": source.creation_info.created, "comment": source.creation_info.comment,
            "createdBy": [id(&author)], "createdUsing": [id("tool")],
        }),
        json!({
            "type": "Tool", "spdxId": id("tool"), "creationInfo": CREATION,
            "name": format!("{TOOL_NAME}-{TOOL_VERSION}"),
        }),
        json!({
            "type": "SpdxDocument", "spdxId": id("document"), "creationInfo": CREATION,
            "name": source.name, "profileConformance": ["core", "software", "simpleLicensing"],
            "rootElement": [id("sbom")],
        }),
        json!({
            "type": "software_Sbom", "spdxId": id("sbom"), "creationInfo": CREATION,
            "software_sbomType": ["build"], "rootElement": [id(root)], "element": inside,
        }),
    ];
    all.append(&mut graph.elements);
    let size = all.len() * 512;
    to_json(DOCUMENT, size, &json!({ "@context": CONTEXT, "@graph": all }))
}

/// Name and version of the packages in a document of [`document`], sorted.
///
/// # Errors
/// [`Error::Decode`] for what is no such document.
pub fn components(spdx3: &[u8]) -> Result<Vec<(String, String)>, Error> {
    #[derive(Deserialize)]
    struct Document {
        #[serde(rename = "@graph")]
        graph: Vec<Element>,
    }
    #[derive(Deserialize)]
    struct Element {
        name: Option<String>,
        #[serde(rename = "software_packageVersion")]
        version: Option<String>,
        #[serde(rename = "software_packageUrl")]
        purl: Option<String>,
    }
    let document: Document = serde_json::from_slice(spdx3)
        .map_err(|source| Error::Decode { document: DOCUMENT, source })?;
    let package = |one: Element| {
        let is_package = one.purl?.starts_with("pkg:apk/");
        is_package.then_some((one.name?, one.version?))
    };
    let mut found: Vec<_> = document.graph.into_iter().filter_map(package).collect();
    found.sort_unstable();
    Ok(found)
}

fn organization(name: &str) -> String {
    format!("organization-{}", &Digest::of(name.as_bytes()).hex()[..12])
}

/// The elements of a document that is being written.
struct Graph<'a> {
    namespace: &'a str,
    elements: Vec<Value>,
}

impl Graph<'_> {
    fn id(&self, name: &str) -> String {
        format!("{}#{}", self.namespace, name.trim_start_matches("SPDXRef-"))
    }

    fn add(&mut self, id: &str, kind: &str, members: Value) {
        let mut element = members;
        element["type"] = kind.into();
        element["spdxId"] = self.id(id).into();
        element["creationInfo"] = CREATION.into();
        self.elements.push(element);
    }

    fn organization(&mut self, name: &str) {
        let id = organization(name);
        if self.elements.iter().any(|known| known["spdxId"] == self.id(&id)) {
            return;
        }
        let identifier = |kind: &str, value: &str| {
            json!({ "type": "ExternalIdentifier", "externalIdentifierType": kind,
                    "identifier": value })
        };
        let known_as = [identifier("email", CONTACT), identifier("urlScheme", NAMESPACE)];
        self.add(&id, "Organization", json!({ "name": name, "externalIdentifier": known_as }));
    }

    /// One element an expression; the name of each by its text.
    fn licenses<'p>(&mut self, packages: &'p [Package]) -> BTreeMap<&'p str, String> {
        let mut known = BTreeMap::new();
        let said = |package: &'p Package| [&*package.license_concluded, &*package.license_declared];
        for expression in packages.iter().flat_map(said) {
            if !["NONE", "NOASSERTION"].contains(&expression) && !known.contains_key(expression) {
                let id = format!("license-{}", known.len() + 1);
                let members = json!({ "simplelicensing_licenseExpression": expression });
                self.add(&id, "simplelicensing_LicenseExpression", members);
                known.insert(expression, id);
            }
        }
        known
    }

    fn package(
        &mut self,
        package: &Package,
        licenses: &BTreeMap<&str, String>,
        manifests: &BTreeMap<Digest, String>,
    ) -> Result<(), Error> {
        let supplier = self.id(&organization(package.supplier()));
        let sha256 = package.sha256()?;
        let purpose = match package.primary_package_purpose.as_deref() {
            Some("CONTAINER") => "container",
            Some("OPERATING-SYSTEM") => "operatingSystem",
            _ => "library",
        };
        let purl = json!({ "type": "ExternalIdentifier", "externalIdentifierType": "packageUrl",
                           "identifier": package.purl() });
        let mut members = json!({
            "name": package.name, "software_packageVersion": package.version_info,
            "software_packageUrl": package.purl(), "software_primaryPurpose": purpose,
            "externalIdentifier": [purl],
            "suppliedBy": supplier, "originatedBy": [supplier],
            "verifiedUsing": [hash("sha256", &sha256.hex())],
        });
        if let Some(notice) = &package.copyright_text {
            members["software_copyrightText"] = notice.as_str().into();
        }
        self.add(&package.id, "software_Package", members);
        for (kind, expression) in [
            ("hasConcludedLicense", &package.license_concluded),
            ("hasDeclaredLicense", &package.license_declared),
        ] {
            if let Some(license) = licenses.get(expression.as_str()) {
                self.relate(&package.id, kind, &[license], "complete");
            }
        }
        let delivered = if package.is_image() {
            let known = manifests.get(&sha256);
            known.map(|known| (format!("blobs/sha256/{}", sha256.hex()), known.clone()))
        } else if purpose == "library" {
            let drawn = sha512(format!("package file\n{}", sha256.hex()).as_bytes());
            Some((format!("{}-{}.apk", package.name, package.version_info), drawn))
        } else {
            None
        };
        if let Some((name, known)) = delivered {
            let id = format!("{}-file", package.id);
            let members = json!({
                "name": name, "software_primaryPurpose": "archive",
                // BSI's word for what has a structure that can be unpacked.
                "software_additionalPurpose": ["container"],
                "verifiedUsing": [hash("sha256", &sha256.hex()), hash("sha512", &known)],
            });
            self.add(&id, "software_File", members);
            self.relate(&package.id, "hasDistributionArtifact", &[&id], "complete");
        }
        Ok(())
    }

    fn relationships(&mut self, source: &Source) {
        let mut by_holder: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for one in &source.relationships {
            let (from, to) = (one.spdx_element_id.as_str(), one.related_spdx_element.as_str());
            let (from, kind, to) = match one.relationship_type.as_str() {
                "CONTAINS" => (from, "contains", to),
                "DEPENDS_ON" => (from, "dependsOn", to),
                // What 2.3 says of the descendant, 3 says of the ancestor.
                "DESCENDANT_OF" => (to, "ancestorOf", from),
                _ => continue,
            };
            by_holder.entry((from, kind)).or_default().push(to);
        }
        for ((from, kind), to) in by_holder {
            self.relate(from, kind, &to, "complete");
        }
        // The distribution comes with the image, in whose file it is.
        let with = |purpose: &str| {
            let mut all = source.packages.iter();
            all.find(|package| package.primary_package_purpose.as_deref() == Some(purpose))
        };
        if let (Some(image), Some(system)) = (with("CONTAINER"), with("OPERATING-SYSTEM")) {
            let file = format!("{}-file", image.id);
            if self.elements.iter().any(|known| known["spdxId"] == self.id(&file)) {
                self.relate(&system.id, "hasDistributionArtifact", &[&file], "complete");
            }
        }
    }

    fn relate<T: AsRef<str>>(&mut self, from: &str, kind: &str, to: &[T], completeness: &str) {
        let to: Vec<String> = to.iter().map(|to| self.id(to.as_ref())).collect();
        let members = json!({
            "from": self.id(from), "relationshipType": kind, "to": to,
            "completeness": completeness,
        });
        let id = format!("relationship-{}", self.elements.len() + 1);
        self.add(&id, "Relationship", members);
    }
}

fn hash(algorithm: &str, value: &str) -> Value {
    json!({ "type": "Hash", "algorithm": algorithm, "hashValue": value })
}

#[cfg(test)]
mod tests;
