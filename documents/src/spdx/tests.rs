//! The SPDX document holds the whole list, the same bytes every time.

use std::collections::HashSet;

use serde_json::Value;

use super::*;
use crate::sample;

const GOLDEN: &str = "sha256:5745b1bf351df392953bb7e31a013375f3f7bfe898240c9d3eae050a017ae34b";

fn parsed(count: usize) -> Value {
    let contents = sample::contents(count);
    serde_json::from_slice(&document(&sample::subject(&contents).unwrap()).unwrap()).unwrap()
}

#[test]
fn golden_bytes() {
    let contents = sample::contents(60);
    let bytes = document(&sample::subject(&contents).unwrap()).unwrap();
    assert_eq!(Digest::of(&bytes).to_string(), GOLDEN);
}

#[test]
fn every_component_with_its_elements() {
    let contents = sample::contents(60);
    let value = parsed(60);
    let packages = value["packages"].as_array().unwrap();
    assert_eq!(packages.len(), 63);
    for (component, package) in contents.components.iter().zip(&packages[3..]) {
        assert_eq!(package["name"], component.name);
        assert_eq!(package["versionInfo"], component.version);
        assert_eq!(package["licenseDeclared"], component.license);
        assert_eq!(package["licenseConcluded"], component.license);
        let origin = &component.origin;
        assert_eq!(package["copyrightText"], format!("Copyright (c) The {origin} authors"));
        assert_eq!(package["checksums"][0]["checksumValue"], component.checksum.hex());
        let locator = package["externalRefs"][0]["referenceLocator"].as_str().unwrap();
        assert!(locator.starts_with("pkg:apk/alpine/"));
    }
    assert_eq!(packages[1]["primaryPackagePurpose"], "OPERATING-SYSTEM");
    for package in packages {
        let said = |field: &str| package[field].as_str().is_some_and(|text| text != "NOASSERTION");
        assert!(said("licenseConcluded") && said("copyrightText"), "{package}");
        assert!(package["supplier"].as_str().unwrap().ends_with(" (sbom@wavetank.example)"));
    }
}

#[test]
fn the_composition_reaches_every_package_and_the_base_its_own() {
    let contents = sample::contents(60);
    let value = parsed(60);
    let relations = value["relationships"].as_array().unwrap();
    let contained = |holder: &str| -> HashSet<&str> {
        let of = relations.iter().filter(|relation| {
            relation["relationshipType"] == "CONTAINS" && relation["spdxElementId"] == holder
        });
        of.map(|relation| relation["relatedSpdxElement"].as_str().unwrap()).collect()
    };
    let packages = value["packages"].as_array().unwrap();
    let ids: HashSet<&str> = packages.iter().map(|p| p["SPDXID"].as_str().unwrap()).collect();
    let in_image = contained(IMAGE_ID);
    assert_eq!(&in_image | &HashSet::from([IMAGE_ID]), ids);
    let of_base = contents.components.iter().filter(|component| component.from_base).count();
    assert_eq!(contained(BASE_ID).len(), of_base);
    assert!(of_base > 0 && contained(BASE_ID).is_subset(&in_image));
}

#[test]
fn identifiers_are_unique_and_relationships_point_to_them() {
    let value = parsed(60);
    let packages = value["packages"].as_array().unwrap();
    let ids: HashSet<&str> = packages.iter().map(|p| p["SPDXID"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), packages.len());
    let mut depends = 0;
    for relation in value["relationships"].as_array().unwrap() {
        assert!(ids.contains(relation["relatedSpdxElement"].as_str().unwrap()));
        depends += usize::from(relation["relationshipType"] == "DEPENDS_ON");
    }
    let expected: usize = sample::contents(60).components.iter().map(|c| c.depends_on.len()).sum();
    assert_eq!(depends, expected);
}

#[test]
fn similar_names_stay_apart() {
    assert_eq!(spdx_id("python-3.12"), "SPDXRef-python-3.12");
    assert_ne!(spdx_id("a_b"), spdx_id("a+b"));
    assert_ne!(spdx_id("a_b"), spdx_id("a-b"));
    for taken in ["DOCUMENT", "Image", "OperatingSystem", "BaseImage"] {
        assert_ne!(spdx_id(taken), format!("SPDXRef-{taken}"));
    }
}

#[test]
fn hostile_text_stays_text() {
    let mut contents = sample::contents(2);
    contents.image = "</script>\"\\ \u{202e}".into();
    let bytes = document(&sample::subject(&contents).unwrap()).unwrap();
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(value["name"], contents.image);
}
