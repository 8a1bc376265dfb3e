//! Inventories: CycloneDX and SPDX. An image is the subject of its document; its packages are the
//! components with a name; its base is what an annotation, the lineage or the layers say.
use super::{FileReport, Input};
use crate::error::Refusal;
use crate::evidence::{Evidence, Image, image_name};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Why a component is left out.
const ASIDE: &str = "components that are no packages (files, operating systems)";
/// How deep components may lie within each other.
const MAX_DEPTH: usize = 32;
/// The end of names of properties and labels that name the base of an image (OCI annotations).
const BASE_NAME: &str = "org.opencontainers.image.base.name";

#[derive(Deserialize)]
struct Bom {
    metadata: Option<Metadata>,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    timestamp: Option<String>,
    component: Option<Component>,
    #[serde(default)]
    properties: Vec<Property>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    name: String,
    group: Option<String>,
    purl: Option<String>,
    #[serde(default)]
    properties: Vec<Property>,
    pedigree: Option<Pedigree>,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Pedigree {
    #[serde(default)]
    ancestors: Vec<Ancestor>,
}

#[derive(Deserialize)]
struct Ancestor {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Property {
    #[serde(default)]
    name: String,
    value: Option<String>,
}

pub(super) fn cyclonedx(
    evidence: &mut Evidence,
    input: &Input<'_>,
    report: &mut FileReport,
) -> Result<(), Refusal> {
    let bom: Bom = input.json()?;
    let metadata = bom.metadata.unwrap_or_default();
    let Some(subject) = metadata.component else {
        let reason = "metadata.component is missing: it says which image this is an inventory of";
        return Err(Refusal::whole(input.file, reason));
    };
    let name = image_name(input.name(&subject.name, "metadata.component", 0)?);
    let made = input.moment(metadata.timestamp.as_deref(), "metadata", 0, "timestamp")?;
    let mut image = Image { made, ..Image::default() };
    let said = subject.properties.iter().chain(&metadata.properties);
    for property in said {
        let Some(value) = property.value.as_deref() else { continue };
        if property.name.ends_with(BASE_NAME) || property.name == "wavetank:base:name" {
            image.base = Some(image_name(value));
        } else if property.name.ends_with(":DiffID") {
            image.layers.push(evidence.intern(value));
        }
    }
    let ancestor = subject.pedigree.and_then(|it| it.ancestors.into_iter().next());
    let ancestor = ancestor.map(|it| image_name(&it.name)).filter(|name| !name.is_empty());
    image.base = image.base.or(ancestor);
    let mut packages = BTreeSet::new();
    let mut from_base = BTreeSet::new();
    let mut below = vec![(bom.components, 0)];
    while let Some((components, depth)) = below.pop() {
        if depth > MAX_DEPTH {
            let reason = format!("components lie more than {MAX_DEPTH} deep within each other");
            return Err(Refusal::whole(input.file, reason));
        }
        for (place, component) in components.into_iter().enumerate() {
            if is_package(&component) {
                let key = component_name(&component);
                let key = evidence.intern(input.name(&key, "components", place)?);
                for property in &component.properties {
                    let Some(value) = property.value.as_deref() else { continue };
                    if property.name.ends_with(":LayerDiffID") || property.name.ends_with("layerID")
                    {
                        image.layer_set.insert(evidence.intern(value));
                    } else if property.name == "wavetank:layer" && value == "base" {
                        from_base.insert(key);
                    }
                }
                packages.insert(key);
                report.used += 1;
            } else {
                report.leave_out(ASIDE);
            }
            if !component.components.is_empty() {
                below.push((component.components, depth + 1));
            }
        }
    }
    finish(evidence, &name, image, packages, from_base.len());
    Ok(())
}

/// Kinds of components that no package manager installs.
const NO_PACKAGES: [&str; 7] =
    ["operating-system", "container", "file", "device", "device-driver", "platform", "data"];

fn is_package(component: &Component) -> bool {
    let kind = component.r#type.as_str();
    !NO_PACKAGES.contains(&kind)
        && (component.purl.is_some() || matches!(kind, "library" | "application" | "framework"))
}

/// The name that other documents have for it too: that of the purl, without its version.
fn component_name(component: &Component) -> String {
    if let Some(name) = component.purl.as_deref().and_then(purl_name) {
        return name;
    }
    match component.group.as_deref().filter(|group| !group.is_empty()) {
        Some(group) => format!("{group}/{}", component.name),
        None => component.name.clone(),
    }
}

/// The last part of a purl's name: what advisories and scanners call the package.
pub(super) fn purl_name(purl: &str) -> Option<String> {
    let rest = purl.strip_prefix("pkg:")?;
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let (kind, path) = rest[..end].split_once('/')?;
    let path = path.rfind('@').map_or(path, |at| &path[..at]);
    let namespaced = matches!(kind, "npm" | "golang" | "maven" | "composer");
    let name = if namespaced { path } else { path.rsplit('/').next().unwrap_or(path) };
    (!name.is_empty()).then(|| name.replace("%40", "@").replace("%2B", "+").replace("%2b", "+"))
}

fn finish(
    evidence: &mut Evidence,
    name: &str,
    mut image: Image,
    packages: BTreeSet<u32>,
    from_base: usize,
) {
    image.packages = packages.into_iter().collect();
    image.from_base = crate::cast::count_u32(from_base);
    if let Some(made) = image.made {
        evidence.note(made);
    }
    evidence.add_image(name, image);
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spdx2 {
    #[serde(default)]
    name: String,
    creation_info: Option<Creation>,
    #[serde(default)]
    document_describes: Vec<String>,
    #[serde(default)]
    packages: Vec<Spdx2Package>,
    #[serde(default)]
    relationships: Vec<Spdx2Relationship>,
}

#[derive(Deserialize)]
struct Creation {
    created: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spdx2Package {
    #[serde(rename = "SPDXID", default)]
    id: String,
    #[serde(default)]
    name: String,
    #[serde(rename = "primaryPackagePurpose")]
    purpose: Option<String>,
    #[serde(default)]
    external_refs: Vec<ExternalRef>,
    #[serde(default)]
    annotations: Vec<Annotation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExternalRef {
    #[serde(default)]
    reference_type: String,
    #[serde(default)]
    reference_locator: String,
}

#[derive(Deserialize)]
struct Annotation {
    #[serde(default)]
    comment: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spdx2Relationship {
    #[serde(default)]
    spdx_element_id: String,
    #[serde(default)]
    relationship_type: String,
    #[serde(default)]
    related_spdx_element: String,
}

pub(super) fn spdx2(
    evidence: &mut Evidence,
    input: &Input<'_>,
    report: &mut FileReport,
) -> Result<(), Refusal> {
    let document: Spdx2 = input.json()?;
    let created = document.creation_info.and_then(|info| info.created);
    let made = input.moment(created.as_deref(), "creationInfo", 0, "created")?;
    let related = |kind: &'static str| {
        let of = document.relationships.iter().filter(move |it| it.relationship_type == kind);
        of.map(move |it| (it.spdx_element_id.as_str(), it.related_spdx_element.as_str()))
    };
    let described = related("DESCRIBES").map(|(_, to)| to);
    let subject = document.document_describes.first().map(String::as_str);
    let subject = subject.or(described.into_iter().next()).unwrap_or_default().to_owned();
    let base_id = related("DESCENDANT_OF").find(|(from, _)| *from == subject).map(|(_, to)| to);
    let base_id = base_id.unwrap_or_default().to_owned();
    let in_base: BTreeSet<&str> = related("CONTAINS")
        .filter(|(from, _)| !base_id.is_empty() && *from == base_id)
        .map(|(_, to)| to)
        .collect();
    let mut image = Image { made, ..Image::default() };
    let mut name = document.name.as_str();
    let (mut packages, mut from_base) = (BTreeSet::new(), BTreeSet::new());
    for (place, package) in document.packages.iter().enumerate() {
        if package.id == subject {
            name = &package.name;
            let said = package.annotations.iter().find_map(|it| it.comment.split_once(BASE_NAME));
            let said = said.map(|(_, value)| value.trim_start_matches(['=', ':', ' ', '"']));
            let said = said.and_then(|value| value.split(['"', ' ', ',']).next());
            image.base = image.base.take().or(said.map(image_name));
        } else if package.id == base_id {
            image.base = Some(image_name(&package.name));
        } else if matches!(
            package.purpose.as_deref(),
            Some("OPERATING-SYSTEM" | "CONTAINER" | "FILE")
        ) {
            report.leave_out(ASIDE);
        } else {
            let purl = package.external_refs.iter().find(|it| it.reference_type == "purl");
            let key = purl.and_then(|it| purl_name(&it.reference_locator));
            let key = key.unwrap_or_else(|| package.name.clone());
            let key = evidence.intern(input.name(&key, "packages", place)?);
            if in_base.contains(package.id.as_str()) {
                from_base.insert(key);
            }
            packages.insert(key);
            report.used += 1;
        }
    }
    let name = image_name(input.name(name, "packages", 0)?);
    finish(evidence, &name, image, packages, from_base.len());
    Ok(())
}

#[derive(Deserialize)]
struct Spdx3 {
    #[serde(rename = "@graph")]
    graph: Vec<Element>,
}

#[derive(Deserialize)]
struct Element {
    #[serde(default)]
    r#type: String,
    #[serde(rename = "spdxId", default)]
    id: String,
    name: Option<String>,
    created: Option<String>,
    #[serde(rename = "software_packageUrl")]
    purl: Option<String>,
    #[serde(rename = "software_primaryPurpose")]
    purpose: Option<String>,
    #[serde(rename = "rootElement", default)]
    roots: Vec<String>,
    from: Option<String>,
    #[serde(default)]
    to: Vec<String>,
    #[serde(rename = "relationshipType")]
    kind: Option<String>,
}

pub(super) fn spdx3(
    evidence: &mut Evidence,
    input: &Input<'_>,
    report: &mut FileReport,
) -> Result<(), Refusal> {
    let document: Spdx3 = input.json()?;
    let created = document.graph.iter().find_map(|element| element.created.as_deref());
    let made = input.moment(created, "@graph", 0, "created")?;
    let by_id: BTreeMap<&str, &Element> =
        document.graph.iter().map(|element| (element.id.as_str(), element)).collect();
    let is_package = |element: &Element| element.r#type == "software_Package";
    let roots = document.graph.iter().flat_map(|element| &element.roots);
    let roots: Vec<&str> = roots.map(String::as_str).collect();
    let subject = roots.iter().filter_map(|id| by_id.get(id)).find(|it| is_package(it));
    let container = |it: &&Element| is_package(it) && it.purpose.as_deref() == Some("container");
    let subject = subject.copied().or(document.graph.iter().find(container));
    let Some(subject) = subject else {
        let reason = "no package is the root element: it says which image this is an inventory of";
        return Err(Refusal::whole(input.file, reason));
    };
    let lineage = document.graph.iter().filter(|it| it.kind.as_deref() == Some("ancestorOf"));
    let ancestor = lineage.clone().find(|it| it.to.contains(&subject.id));
    let descends = document.graph.iter().find(|it| {
        it.kind.as_deref() == Some("descendantOf") && it.from.as_deref() == Some(&*subject.id)
    });
    let base_id = ancestor.and_then(|it| it.from.as_deref());
    let base_id = base_id.or(descends.and_then(|it| it.to.first().map(String::as_str)));
    let base = base_id.and_then(|id| by_id.get(id)).and_then(|it| it.name.as_deref());
    let mut image = Image { made, ..Image::default() };
    image.base = base.map(image_name);
    let mut packages = BTreeSet::new();
    for (place, element) in document.graph.iter().enumerate() {
        let apart = element.id == subject.id || Some(element.id.as_str()) == base_id;
        if !is_package(element) || apart {
            continue;
        }
        if matches!(element.purpose.as_deref(), Some("operatingSystem" | "container" | "file")) {
            report.leave_out(ASIDE);
            continue;
        }
        let key = element.purl.as_deref().and_then(purl_name);
        let key = key.or(element.name.clone()).unwrap_or_default();
        packages.insert(evidence.intern(input.name(&key, "@graph", place)?));
        report.used += 1;
    }
    let name = subject.name.as_deref().unwrap_or_default();
    let name = image_name(input.name(name, "@graph", 0)?);
    finish(evidence, &name, image, packages, 0);
    Ok(())
}
