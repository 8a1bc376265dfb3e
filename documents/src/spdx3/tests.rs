//! The converted document says what the first one says.

use std::collections::HashSet;

use super::*;
use crate::{sample, spdx};

fn converted(count: usize) -> (Vec<u8>, Value) {
    let contents = sample::contents(count);
    let subject = sample::subject(&contents).unwrap();
    let source = spdx::document(&subject).unwrap();
    let images = images(&source).unwrap();
    assert_eq!(images, [subject.digest, contents.base.as_ref().unwrap().digest]);
    let manifests = images.into_iter().map(|digest| (digest, sha512(digest.as_bytes()))).collect();
    let bytes = document(&source, &manifests).unwrap();
    let value = serde_json::from_slice(&bytes).unwrap();
    (bytes, value)
}

fn of_type<'a>(value: &'a Value, kind: &str) -> Vec<&'a Value> {
    value["@graph"].as_array().unwrap().iter().filter(|one| one["type"] == kind).collect()
}

#[test]
fn every_package_with_its_elements() {
    let contents = sample::contents(60);
    let (bytes, value) = converted(60);
    let listed: Vec<(String, String)> =
        contents.components.iter().map(|one| (one.name.clone(), one.version.clone())).collect();
    assert_eq!(components(&bytes).unwrap(), listed);
    let packages = of_type(&value, "software_Package");
    assert_eq!(packages.len(), 63);
    for package in packages {
        for member in ["name", "software_packageVersion", "software_copyrightText", "suppliedBy"] {
            assert!(package[member].as_str().is_some_and(|text| !text.is_empty()), "{package}");
        }
    }
    assert_eq!(of_type(&value, "software_Sbom")[0]["software_sbomType"][0], "build");
    // Image, base and packages are delivered in files; the distribution in that of the image.
    assert_eq!(of_type(&value, "software_File").len(), 62);
    for file in of_type(&value, "software_File") {
        assert_eq!(file["verifiedUsing"][1]["hashValue"].as_str().unwrap().len(), 128);
    }
    assert_eq!(converted(60).0, bytes);
}

#[test]
fn identifiers_are_unique_and_everything_refers_to_one() {
    let (_, value) = converted(60);
    let elements = value["@graph"].as_array().unwrap();
    let ids: HashSet<&str> = elements.iter().filter_map(|one| one["spdxId"].as_str()).collect();
    assert_eq!(ids.len() + 1, elements.len(), "all but the creation have one");
    for relation in of_type(&value, "Relationship") {
        let to = relation["to"].as_array().unwrap().iter();
        for id in to.chain([&relation["from"]]) {
            assert!(ids.contains(id.as_str().unwrap()), "{relation}");
        }
    }
    let held = of_type(&value, "Relationship").into_iter().filter(|one| {
        one["relationshipType"] == "contains"
            && one["from"].as_str().is_some_and(|from| from.ends_with("#Image"))
    });
    let held: Vec<_> = held.collect();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0]["to"].as_array().unwrap().len(), 62);
}

#[test]
fn a_document_of_the_first_release_says_less() {
    let contents = sample::contents(3);
    let source = spdx::document(&sample::subject(&contents).unwrap()).unwrap();
    let mut source: Value = serde_json::from_slice(&source).unwrap();
    for package in source["packages"].as_array_mut().unwrap() {
        let members = package.as_object_mut().unwrap();
        members.remove("licenseConcluded");
        members.remove("copyrightText");
        let supplier = members["supplier"].as_str().unwrap();
        members["supplier"] = supplier.replace(" (sbom@wavetank.example)", "").into();
    }
    let bytes = document(source.to_string().as_bytes(), &BTreeMap::new()).unwrap();
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(components(&bytes).unwrap().len(), 3);
    for package in of_type(&value, "software_Package") {
        assert!(package.get("software_copyrightText").is_none());
    }
    let of_licenses = of_type(&value, "Relationship").into_iter().filter(|one| {
        one["relationshipType"].as_str().is_some_and(|kind| kind.ends_with("License"))
    });
    assert!(of_licenses.into_iter().all(|one| one["relationshipType"] == "hasDeclaredLicense"));
}

#[test]
fn without_a_manifest_there_is_no_file_of_the_image() {
    let contents = sample::contents(3);
    let source = spdx::document(&sample::subject(&contents).unwrap()).unwrap();
    let value: Value =
        serde_json::from_slice(&document(&source, &BTreeMap::new()).unwrap()).unwrap();
    assert_eq!(of_type(&value, "software_File").len(), 3);
    assert!(document(b"{}", &BTreeMap::new()).is_err());
    assert!(components(b"[]").is_err());
}
